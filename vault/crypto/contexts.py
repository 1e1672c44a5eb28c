"""HPKE `info` strings: what a sealed share or witness is, for whom and for what.

The library's HPKE has no associated data, so everything that a thief of ciphertext could want
to change stands in `info`: with any item left out, a share sealed for one document, holder,
epoch or request would open as a share of another.
"""

from __future__ import annotations

from vault.crypto import labels
from vault.crypto.framing import digest, document_name, framed, holder_name, number, place


def store_info(
    document: str,
    version: int,
    part: str,
    side: str,
    index: int,
    holder: str,
    epoch: int,
    attestation_digest: bytes,
    custodian_key: bytes,
) -> bytes:
    """Info of a share that the custodian seals to its holder.

    An attestation does not say whose it is: the fingerprint of the key that signed it keeps
    another custodian, who signs the same bytes, from depositing the share as its own.

    `document` is 32 hex digits, `holder` a URI, `attestation_digest` and `custodian_key` (the
    fingerprint of the signing key) 32 bytes.
    Raises InvalidInputError for anything that is not the one spelling.
    """
    return framed(
        labels.SEAL_STORE,
        *place(document, version, part, side),
        number(index, "index"),
        holder_name(holder, side),
        number(epoch, "epoch"),
        digest(attestation_digest, "attestation_digest"),
        digest(custodian_key, "custodian_key"),
    )


def release_info(
    document: str,
    version: int,
    part: str,
    side: str,
    index: int,
    holder: str,
    epoch: int,
    attestation_digest: bytes,
    request_digest: bytes,
    recipient_key_digest: bytes,
) -> bytes:
    """Info of a share that a holder seals again to the requester of a release.

    The digests of the exact request and of the recipient's key (`HpkePublicKey.digest`) keep an
    answer to one request from being passed off as the answer to another.
    Raises InvalidInputError for anything that is not the one spelling.
    """
    return framed(
        labels.SEAL_RELEASE,
        *place(document, version, part, side),
        number(index, "index"),
        holder_name(holder, side),
        number(epoch, "epoch"),
        digest(attestation_digest, "attestation_digest"),
        digest(request_digest, "request_digest"),
        digest(recipient_key_digest, "recipient_key_digest"),
    )


def witness_info(document: str, version: int, attestation_digest: bytes) -> bytes:
    """Info of a witness that the custodian seals to the vault.

    Raises InvalidInputError for anything that is not the one spelling.
    """
    return framed(
        labels.SEAL_WITNESS,
        document_name(document),
        number(version, "version"),
        digest(attestation_digest, "attestation_digest"),
    )
