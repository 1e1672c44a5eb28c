"""One AES-GCM ciphertext that opens under two keys, as GCM's linearity allows.

Dodis, Grubbs, Ristenpart, Woodage, "Fast Message Franking: From Invisible Salamanders to
Encryptment", CRYPTO 2018. Both tags are affine in any one ciphertext block, so that block is
solved for.
"""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_REDUCTION = 0xE1 << 120


def _times(x: int, y: int) -> int:
    """Multiplication in GCM's field, most significant bit first (NIST SP 800-38D, 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if y >> bit & 1:
            product ^= x
        x = x >> 1 ^ (_REDUCTION if x & 1 else 0)
    return product


def _inverse(x: int) -> int:
    """x^(2^128 - 2)."""
    result = 1 << 127
    for _ in range(127):
        x = _times(x, x)
        result = _times(result, x)
    return result


def _encrypt_block(key: bytes, block: bytes) -> int:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - GCM's inside
    return int.from_bytes(encryptor.update(block), "big")


def _hash(h: int, associated: bytes, ciphertext: bytes) -> int:
    padded = b"".join(part + bytes(-len(part) % 16) for part in (associated, ciphertext))
    padded += struct.pack(">QQ", 8 * len(associated), 8 * len(ciphertext))
    value = 0
    for at in range(0, len(padded), 16):
        value = _times(value ^ int.from_bytes(padded[at : at + 16], "big"), h)
    return value


def chunk_for_two_keys(
    keys: tuple[bytes, bytes],
    nonces: tuple[bytes, bytes],
    associated: tuple[bytes, bytes],
    ciphertext: bytes,
) -> bytes:
    """`ciphertext` (whole blocks) with its last block replaced, and a tag that both keys accept."""
    body = ciphertext[:-16] + bytes(16)
    offset = 0
    squares = 0
    for key, nonce, data in zip(keys, nonces, associated, strict=True):
        h = _encrypt_block(key, bytes(16))
        offset ^= _hash(h, data, body) ^ _encrypt_block(key, nonce + b"\x00\x00\x00\x01")
        squares ^= _times(h, h)
    solved = _times(offset, _inverse(squares))
    body = body[:-16] + solved.to_bytes(16, "big")
    h = _encrypt_block(keys[0], bytes(16))
    tag = _hash(h, associated[0], body) ^ _encrypt_block(keys[0], nonces[0] + b"\x00\x00\x00\x01")
    return body + tag.to_bytes(16, "big")
