"""The vault's witnesses: encrypted in the catalogue, their keys in a store apart.

Witnesses are decrypted for one proof at a time and kept nowhere in clear. Whoever has the
catalogue or a backup of it, and not the key store, can read none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from proofs.errors import EncodingError
from proofs.witness import Witness
from vault.crypto.wrap import WrapKey
from vault.errors import IntegrityError
from vault.model import StoredVersion
from vault.storage.key_store import KeyStore

_WHAT: Final = b"witness"


def wrap_witness(
    key: WrapKey, witness: bytes, *, document: str, version: int, attestation_digest: str
) -> bytes:
    """Ciphertext of an encoded witness, bound to the version that it belongs to."""
    return key.wrap(witness, *_place(document, version, attestation_digest))


class Witnesses:
    """Opens stored witnesses."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def open(self, stored: StoredVersion) -> Witness:
        """The witness of a version.

        Raises NotFoundError when its key was erased, IntegrityError when the bytes are damaged.
        """
        return _open(self._keys.get(stored.attestation_digest), stored)

    def open_all(self, stored: Sequence[StoredVersion]) -> list[Witness]:
        """The witnesses of many versions, in order. Raises as `open`."""
        keys = self._keys.get_all([each.attestation_digest for each in stored])
        return [_open(key, each) for key, each in zip(keys, stored, strict=True)]


def _open(key: WrapKey, stored: StoredVersion) -> Witness:
    place = _place(stored.document, stored.version, stored.attestation_digest)
    try:
        return Witness.parse(key.unwrap(stored.witness, *place))
    except (IntegrityError, EncodingError) as error:
        raise IntegrityError(
            f"the witness of document {stored.document}, version {stored.version}, is damaged"
        ) from error


def _place(document: str, version: int, attestation_digest: str) -> tuple[bytes, ...]:
    return (_WHAT, document.encode(), str(version).encode(), attestation_digest.encode())
