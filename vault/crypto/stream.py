"""One encrypted stream: AES-256-GCM chunks in the STREAM construction.

Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", CRYPTO 2015. The nonce is a 7-byte prefix, a 32-bit counter and a flag that
is 1 in the last chunk only: a chunk that was dropped, repeated, moved or cut off at the end does
not decrypt. Each stream has a key of its own, from the part's key, its index and 32 fresh random
bytes, so no nonce ever repeats under a key and a chunk of another stream does not decrypt.

AES-GCM does not commit to its key: one ciphertext can be made that opens under two keys to two
texts. So a second output of the key derivation is public, and compared before anything is
decrypted. Chunks are delivered as they come: each is authentic at its place, but only a stream
that ends without an error is whole.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.crypto import labels
from vault.crypto.framing import framed, number
from vault.crypto.keys import PartKey
from vault.errors import IntegrityError, InvalidInputError

CHUNK_BYTES: Final = 1024 * 1024
"""Ciphertext of every chunk but the last, with its tag; the last may be shorter."""
TAG_BYTES: Final = 16
PLAIN_BYTES: Final = CHUNK_BYTES - TAG_BYTES
"""Plaintext of every chunk but the last."""
HEADER_BYTES: Final = 32
COMMITMENT_BYTES: Final = 32

_KEY_BYTES: Final = 32
_PREFIX_BYTES: Final = 7


@dataclass(frozen=True, slots=True)
class StreamKeys:
    """What one stream is encrypted with; only `commitment` (32 bytes) is public."""

    commitment: bytes
    associated: bytes
    _key: bytes = field(repr=False)
    _prefix: bytes = field(repr=False)

    def cipher(self) -> AESGCM:
        """The cipher under this stream's key."""
        return AESGCM(self._key)

    def nonce(self, counter: int, *, last: bool) -> bytes:
        """The 12-byte nonce of chunk `counter`."""
        return self._prefix + counter.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def fresh_header() -> bytes:
    """32 random bytes that make a stream's key its own."""
    return secrets.token_bytes(HEADER_BYTES)


def derive_stream_keys(part_key: PartKey, index: int, header: bytes) -> StreamKeys:
    """The keys of stream `index` of a part. Raises InvalidInputError for a malformed header."""
    if len(header) != HEADER_BYTES:
        raise InvalidInputError(f"a stream header is {HEADER_BYTES} bytes")

    def output(label: bytes, length: int) -> bytes:
        info = framed(label, number(index, "stream index"), header)
        return HKDF(SHA256(), length, salt=None, info=info).derive(part_key.value)

    key = output(labels.STREAM_KEY, _KEY_BYTES + _PREFIX_BYTES)
    return StreamKeys(
        commitment=output(labels.STREAM_COMMITMENT, COMMITMENT_BYTES),
        associated=framed(labels.STREAM_CHUNK, number(index, "stream index"), header),
        _key=key[:_KEY_BYTES],
        _prefix=key[_KEY_BYTES:],
    )


def ciphertext_length(length: int) -> int:
    """Bytes of all chunks of a stream of `length` bytes of plaintext (at least 1)."""
    return length + -(-length // PLAIN_BYTES) * TAG_BYTES


def chunk_lengths(total: int) -> Iterator[int]:
    """Ciphertext bytes of each chunk of a stream of `total` bytes of ciphertext."""
    while total > 0:
        yield min(total, CHUNK_BYTES)
        total -= CHUNK_BYTES


def encrypt_stream(keys: StreamKeys, length: int, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Encrypt `length` bytes (at least 1) and yield the chunks, holding one at a time.

    `read(n)` must give exactly n bytes. One header encrypts one stream: draw a fresh one for
    every attempt. Raises InvalidInputError when `read` gives another number of bytes.
    """
    cipher = keys.cipher()
    counter = 0
    while length > 0:
        size = min(length, PLAIN_BYTES)
        length -= size
        plain = read(size)
        if len(plain) != size:
            raise InvalidInputError("the source of a stream ended before its stated length")
        yield cipher.encrypt(keys.nonce(counter, last=length == 0), plain, keys.associated)
        counter += 1


def decrypt_stream(
    keys: StreamKeys, commitment: bytes, total: int, blocks: Iterable[bytes]
) -> Iterator[bytes]:
    """Decrypt the chunks of a stream of `total` bytes of ciphertext and yield the plaintext.

    Raises IntegrityError: before the first byte when `commitment` is not the key's; at the first
    chunk that has another length, does not decrypt at its place, is missing or is one too many.
    What was yielded before an error is authentic but not whole: discard it.
    """
    if not compare_digest(keys.commitment, commitment):
        raise IntegrityError("the key commitment of a stream is not that of its key")
    cipher = keys.cipher()
    chunks = iter(blocks)
    for counter, size in enumerate(chunk_lengths(total)):
        total -= size
        chunk = next(chunks, None)
        if chunk is None:
            raise IntegrityError(f"a stream ends before its chunk {counter}")
        if len(chunk) != size:
            raise IntegrityError(f"chunk {counter} of a stream has another length than stated")
        try:
            plain = cipher.decrypt(keys.nonce(counter, last=total == 0), chunk, keys.associated)
        except InvalidTag as error:
            raise IntegrityError(
                f"chunk {counter} of a stream does not decrypt at its place"
            ) from error
        yield plain
    if next(chunks, None) is not None:
        raise IntegrityError("a stream goes on after its last chunk")
