"""HPKE (RFC 9180, base mode) in one post-quantum hybrid suite, and its keys.

The suite is MLKEM768-X25519 with HKDF-SHA256 and AES-256-GCM: sealed shares may be copied by
anyone who sees ciphertext today and kept until a quantum computer exists. A private key is its
32-byte seed; SHAKE-256 stretches it to ML-KEM's 64-byte seed and X25519's 32 bytes, as X-Wing
(draft-connolly-cfrg-xwing-kem) does. There is no choice of suite, and no sender authentication:
who sealed something is told by the signed records around it.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from vault.crypto import labels
from vault.crypto.framing import framed
from vault.errors import IntegrityError, InvalidInputError

SEED_BYTES: Final = 32
MLKEM_PUBLIC_BYTES: Final = 1184
PUBLIC_BYTES: Final = MLKEM_PUBLIC_BYTES + 32
OVERHEAD: Final = 1088 + 32 + 16
"""Bytes that sealing adds: ML-KEM ciphertext, X25519 key, tag."""

_MLKEM_SEED_BYTES: Final = 64
_FIELD_25519: Final = 2**255 - 19
_SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class HpkePublicKey:
    """A recipient's public key: ML-KEM-768 key (1,184 bytes), then X25519 key (32 bytes)."""

    __slots__ = ("_bytes", "_digest", "_key")

    def __init__(self, data: bytes, key: hpke.MLKEM768X25519PublicKey):
        """Use `from_bytes`; this takes an encoding and the key that it stands for."""
        self._bytes = data
        self._key = key
        self._digest = hashlib.sha256(framed(labels.HPKE_KEY_ID, data)).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> HpkePublicKey:
        """Decode 1,216 bytes.

        Raises InvalidInputError for another length, an ML-KEM key with a coefficient past the
        modulus (FIPS 203, 7.2), an X25519 coordinate past the prime (a second spelling of a
        key would have a second key id), or a point of small order (X25519 would add nothing).
        """
        if len(data) != PUBLIC_BYTES:
            raise InvalidInputError(f"an HPKE public key is {PUBLIC_BYTES} bytes")
        mlkem, x25519 = data[:MLKEM_PUBLIC_BYTES], data[MLKEM_PUBLIC_BYTES:]
        if int.from_bytes(x25519, "little") >= _FIELD_25519:
            raise InvalidInputError("the X25519 part of an HPKE public key is not canonical")
        try:
            point = X25519PublicKey.from_public_bytes(x25519)
            X25519PrivateKey.generate().exchange(point)
            key = hpke.MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(mlkem), point)
        except ValueError as error:
            raise InvalidInputError("an HPKE public key that no key pair has") from error
        return cls(bytes(data), key)

    @property
    def public_bytes(self) -> bytes:
        """The 1,216 bytes that `from_bytes` reads."""
        return self._bytes

    @property
    def digest(self) -> bytes:
        """Labelled SHA-256 of the encoding, 32 bytes."""
        return self._digest

    @property
    def key_id(self) -> str:
        """`digest` as 64 hex digits."""
        return self._digest.hex()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HpkePublicKey) and self._bytes == other._bytes

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return f"HpkePublicKey({self.key_id[:16]}…)"


class HpkeKey:
    """A private key. It is stored as its seed and rebuilt once, in the constructor."""

    __slots__ = ("_key", "_public", "_seed")

    def __init__(self, seed: bytes):
        """Rebuild the key pair of a 32-byte seed; InvalidInputError for another length."""
        if len(seed) != SEED_BYTES:
            raise InvalidInputError(f"an HPKE private key is a seed of {SEED_BYTES} bytes")
        stretched = hashlib.shake_256(seed).digest(_MLKEM_SEED_BYTES + 32)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(stretched[:_MLKEM_SEED_BYTES])
        x25519 = X25519PrivateKey.from_private_bytes(stretched[_MLKEM_SEED_BYTES:])
        self._seed = bytes(seed)
        self._key = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
        self._public = HpkePublicKey(
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw(),
            self._key.public_key(),
        )

    @classmethod
    def generate(cls) -> HpkeKey:
        """A fresh key from the system's generator."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> HpkeKey:
        """The key of a stored seed (32 bytes); InvalidInputError for another length."""
        return cls(seed)

    @property
    def seed(self) -> bytes:
        """The secret seed, 32 bytes, for storing in a file of mode 0600."""
        return self._seed

    @property
    def public(self) -> HpkePublicKey:
        """The public half."""
        return self._public

    @property
    def public_bytes(self) -> bytes:
        """The public half's 1,216 bytes."""
        return self._public.public_bytes

    @property
    def key_id(self) -> str:
        """The public half's key id, 64 hex digits."""
        return self._public.key_id

    def __repr__(self) -> str:
        return f"HpkeKey(<seed hidden>, key_id={self.key_id[:16]}…)"


def seal(public: HpkePublicKey, plaintext: bytes, info: bytes) -> bytes:
    """Encrypt to one recipient in one context: `OVERHEAD` bytes longer than `plaintext`."""
    return _SUITE.encrypt(plaintext, public._key, info)


def open(private: HpkeKey, sealed: bytes, info: bytes) -> bytes:  # noqa: A001 - HPKE's own word
    """Decrypt what `seal` made for this key with exactly this `info`.

    Raises IntegrityError for another key, another context, or any changed byte; it does not
    tell which, as the one who changed it would like to know.
    """
    try:
        return _SUITE.decrypt(sealed, private._key, info)
    except (InvalidTag, ValueError) as error:
        raise IntegrityError("sealed bytes that this key cannot open in this context") from error
