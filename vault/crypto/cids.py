"""Content identifiers: CIDv1 with SHA-256, of raw blocks and dag-cbor roots, and nothing else.

Text is base32 in lower case (`bafk…` for raw, `bafy…` for dag-cbor); binary is 36 bytes. Every
other version, codec, hash or alphabet is refused, so that a block has one name: with two
spellings a name could be listed, pinned or deleted twice.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from vault.errors import IntegrityError, InvalidInputError

CID_BYTES: Final = 36

_VERSION: Final = 0x01
_SHA2_256: Final = b"\x12\x20"


class Codec(IntEnum):
    """What a block is: encrypted bytes, or the root that lists them."""

    RAW = 0x55
    DAG_CBOR = 0x71


@dataclass(frozen=True, slots=True, order=True)
class Cid:
    """The name of one block, as its 36 bytes: version, codec, hash, digest."""

    binary: bytes

    def __post_init__(self) -> None:
        head = self.binary[:4]
        if len(self.binary) != CID_BYTES or head not in _HEADS:
            raise InvalidInputError(
                "a CID here is version 1, raw or dag-cbor, with a SHA-256 of 32 bytes", field="cid"
            )

    @classmethod
    def from_bytes(cls, data: bytes) -> Cid:
        """Read 36 bytes; InvalidInputError for any other CID."""
        return cls(bytes(data))

    @classmethod
    def parse(cls, text: str) -> Cid:
        """Read 59 characters of lower-case base32; InvalidInputError for any other spelling."""
        try:
            cid = cls(base64.b32decode(text[1:].upper() + "======"))
        except ValueError as error:
            raise InvalidInputError("a CID that is not base32", field="cid") from error
        # Upper case, another first letter and stray bits at the end decode to the same bytes.
        if cid.text != text:
            raise InvalidInputError("a CID in another spelling than its own", field="cid")
        return cid

    @property
    def codec(self) -> Codec:
        """Raw or dag-cbor."""
        return Codec(self.binary[1])

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the block, 32 bytes."""
        return self.binary[4:]

    @property
    def text(self) -> str:
        """Base32 in lower case, 59 characters."""
        return "b" + base64.b32encode(self.binary).decode("ascii").rstrip("=").lower()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Cid({self.text})"


_HEADS: Final = frozenset(bytes([_VERSION, codec]) + _SHA2_256 for codec in Codec)


def cid_of_block(codec: Codec, data: bytes) -> Cid:
    """The CID of a block: hashes `data`."""
    return Cid(bytes([_VERSION, codec]) + _SHA2_256 + hashlib.sha256(data).digest())


def check_block(cid: Cid, data: bytes, *, source: str) -> bytes:
    """`data` itself when its hash is the CID's; IntegrityError naming CID and `source` if not."""
    if hashlib.sha256(data).digest() != cid.digest:
        raise IntegrityError(f"block {cid} from {source}: its bytes have another hash")
    return data
