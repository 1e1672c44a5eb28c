"""Padded lengths: what the size of a ciphertext may tell, and how padding is checked.

Exact lengths would tell which file was stored, so attribute records are padded to a multiple of
4 KiB and attachments by Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files
and Communication with PURBs", PoPETs 2019, section 4), which leaks O(log log L) bits of a length
and adds at most 12 %. Padding is zeros inside the ciphertext; any other padding is refused.
"""

from __future__ import annotations

from typing import Final

RECORD_UNIT: Final = 4096
"""Attribute records are padded to a multiple of this, in bytes."""


def padded_record_length(length: int) -> int:
    """The least multiple of 4 KiB that is at least `length` (in bytes, at least 1)."""
    return -(-length // RECORD_UNIT) * RECORD_UNIT


def padme(length: int) -> int:
    """The length that Padmé gives to `length` bytes (at least 2).

    The result has no more significant bits than its exponent's own length allows.
    """
    exponent = length.bit_length() - 1
    significant = exponent.bit_length()
    unit = 1 << (exponent - significant)
    return -(-length // unit) * unit


def is_zero(data: bytes) -> bool:
    """Whether all bytes are zero."""
    return data.count(0) == len(data)
