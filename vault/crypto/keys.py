"""The secrets of a document version: one scalar a side, and the key of a part made from them.

Each part has scalars of its own (a release of one part must not open the other); the asset
part's key needs both sides' scalars, so that neither side can open it alone, and the personal
part's only the mainland's. The context of a part key names the document, version and part and
nothing that a rotation of holders changes. HPKE and the `info` builders are re-exported here.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.crypto import labels
from vault.crypto.contexts import release_info, store_info, witness_info
from vault.crypto.field import decode_scalar, encode_scalar, random_scalar
from vault.crypto.framing import Part, Side, document_name, framed, number, part_name, place
from vault.crypto.hpke import HpkeKey, HpkePublicKey, open, seal  # noqa: A004 - HPKE's own word
from vault.errors import InvalidInputError

__all__ = [
    "HpkeKey",
    "HpkePublicKey",
    "Part",
    "PartKey",
    "Side",
    "SideKey",
    "derive_part_key",
    "framed",
    "open",
    "release_info",
    "seal",
    "secret_digest",
    "store_info",
    "witness_info",
]

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SideKey:
    """One side's secret scalar of one part (k_cn or k_hk), as 32 bytes big-endian."""

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        decode_scalar(self.value)

    @classmethod
    def generate(cls) -> SideKey:
        """A fresh uniform scalar from the system's generator."""
        return cls(encode_scalar(random_scalar()))

    @property
    def scalar(self) -> int:
        """The scalar as an integer below the group order."""
        return decode_scalar(self.value)


@dataclass(frozen=True, slots=True)
class PartKey:
    """The key of one part of one document version, 32 bytes. It encrypts nothing itself."""

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != KEY_BYTES:
            raise InvalidInputError(f"a part key is {KEY_BYTES} bytes")

    @classmethod
    def generate(cls) -> PartKey:
        """A fresh key that no side key derives, for tests and measurements."""
        return cls(secrets.token_bytes(KEY_BYTES))


def derive_part_key(
    document: str, version: int, part: str, k_cn: SideKey, k_hk: SideKey | None
) -> PartKey:
    """HKDF-SHA256 of the sides' scalars in the context (label, document, version, part).

    Raises InvalidInputError when an asset part lacks the `hk` scalar (it would open with one
    side's shares) or a personal part has one (a Hong Kong share of it would exist).
    """
    if (part == "asset") != (k_hk is not None):
        raise InvalidInputError("an asset part has keys of both sides, a personal part of cn only")
    info = framed(
        labels.PART_KEY, document_name(document), number(version, "version"), part_name(part)
    )
    material = k_cn.value + (k_hk.value if k_hk is not None else b"")
    return PartKey(HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(material))


def secret_digest(document: str, version: int, part: str, side: str, key: SideKey) -> bytes:
    """Labelled SHA-256 of one side's scalar, 32 bytes, as a key manifest carries it.

    The scalar has 255 random bits, so its digest tells nothing. No epoch: a rotation of
    holders keeps the scalar, and this digest shows that it did.
    """
    return hashlib.sha256(
        framed(labels.SECRET_DIGEST, *place(document, version, part, side), key.value)
    ).digest()
