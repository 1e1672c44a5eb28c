"""The scalar field that secrets are shared over, in plain integers.

It is the scalar field of BLS12-381, so that a shared secret and an attested value live in one
field. Encodings are exactly 32 bytes big-endian and below the order: a second spelling of a
share would have a second digest. Nothing here is constant in time.
"""

from __future__ import annotations

import secrets
from typing import Final

from proofs.group import ORDER
from vault.errors import InvalidInputError

__all__ = ["ORDER", "SCALAR_BYTES", "decode_scalar", "encode_scalar", "random_scalar"]

SCALAR_BYTES: Final = 32


def random_scalar() -> int:
    """A uniform non-zero scalar from the system's generator."""
    return secrets.randbelow(ORDER - 1) + 1


def encode_scalar(value: int) -> bytes:
    """32 bytes big-endian; InvalidInputError outside 0..ORDER-1."""
    if not 0 <= value < ORDER:
        raise InvalidInputError("a scalar outside the field")
    return value.to_bytes(SCALAR_BYTES, "big")


def decode_scalar(data: bytes) -> int:
    """Read 32 bytes big-endian; InvalidInputError for another length or a value past the order."""
    if len(data) != SCALAR_BYTES:
        raise InvalidInputError(f"a scalar is {SCALAR_BYTES} bytes")
    value = int.from_bytes(data, "big")
    if value >= ORDER:
        raise InvalidInputError("a scalar past the order of the field")
    return value
