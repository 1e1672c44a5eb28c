"""Encryption at rest under a key of its own for each document version.

A process keeps what it wraps in one database and the keys in another, so that erasing one small
key makes every copy of the wrapped bytes, backups included, unreadable. AES-256-GCM with a random
nonce; a key wraps a handful of things once each, so random nonces cannot meet.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.crypto import labels
from vault.crypto.framing import framed
from vault.errors import IntegrityError, InvalidInputError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class WrapKey:
    """The key of one document version in one process, 32 bytes."""

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != KEY_BYTES:
            raise InvalidInputError(f"a wrapping key is {KEY_BYTES} bytes")

    @classmethod
    def generate(cls) -> WrapKey:
        """A fresh key from the system's generator."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def wrap(self, plaintext: bytes, *place: bytes) -> bytes:
        """Nonce and ciphertext. `place` says what it is and to what it belongs."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.value).encrypt(nonce, plaintext, framed(labels.WRAP, *place))

    def unwrap(self, wrapped: bytes, *place: bytes) -> bytes:
        """What `wrap` was given; IntegrityError for another key, another place, changed bytes.

        Without the place, rows of one database could be swapped and each would still decrypt.
        """
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return AESGCM(self.value).decrypt(nonce, ciphertext, framed(labels.WRAP, *place))
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(
                "stored bytes that their key does not open at their place"
            ) from error
