"""Length framing, and the names of a place: what a key, a share or a digest belongs to.

`framed` is injective: without the lengths, ("ab", "c") and ("a", "bc") would hash alike and a
share could be moved between them. Names are checked before they are framed, so that no second
spelling of a document or a holder gives a second, equally valid context.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, get_args

from proofs.errors import EncodingError
from proofs.principal import Principal
from vault.errors import IntegrityError, InvalidInputError

Part = Literal["asset", "personal"]
Side = Literal["cn", "hk"]
_PARTS: Final = get_args(Part)
_SIDES: Final = get_args(Side)

DIGEST_BYTES: Final = 32
MAX_VERSION: Final = 2**31 - 1
"""Bound on versions, epochs and other counters: they travel as 32-bit integers."""

_WORD: Final = 8
_DOCUMENT: Final = re.compile(r"[0-9a-f]{32}")


def framed(*parts: bytes) -> bytes:
    """The count of `parts`, then each one after its length; all numbers 8 bytes big-endian."""
    pieces = [len(parts).to_bytes(_WORD, "big")]
    for part in parts:
        pieces.append(len(part).to_bytes(_WORD, "big"))
        pieces.append(part)
    return b"".join(pieces)


def unframe(data: bytes, count: int) -> tuple[tuple[bytes, ...], int]:
    """Read what `framed` wrote for exactly `count` parts, and where it ends in `data`.

    Raises IntegrityError when the count differs or a part would end past the data.
    """
    if len(data) < _WORD or int.from_bytes(data[:_WORD], "big") != count:
        raise IntegrityError(f"framed data does not hold {count} parts")
    at = _WORD
    parts: list[bytes] = []
    for _ in range(count):
        start = at + _WORD
        at = start + int.from_bytes(data[at:start], "big")
        if len(data) < start or len(data) < at:
            raise IntegrityError("framed data ends inside a part")
        parts.append(data[start:at])
    return tuple(parts), at


def number(value: int, name: str) -> bytes:
    """A counter (version, epoch, index) as 8 bytes; InvalidInputError outside 0..2^31-1."""
    if not 0 <= value <= MAX_VERSION:
        raise InvalidInputError(f"{name} must be between 0 and {MAX_VERSION}", field=name)
    return value.to_bytes(_WORD, "big")


def digest(value: bytes, name: str) -> bytes:
    """A 32-byte digest as it is; InvalidInputError for another length."""
    if len(value) != DIGEST_BYTES:
        raise InvalidInputError(f"{name} must be {DIGEST_BYTES} bytes", field=name)
    return value


def document_name(document: str) -> bytes:
    """A document id (32 lower-case hex digits) as ASCII; InvalidInputError otherwise."""
    if _DOCUMENT.fullmatch(document) is None:
        raise InvalidInputError("a document id is 32 lower-case hex digits", field="document")
    return document.encode("ascii")


def part_name(part: str) -> bytes:
    """`asset` or `personal` as ASCII; InvalidInputError otherwise."""
    if part not in _PARTS:
        raise InvalidInputError("a part is 'asset' or 'personal'", field="part")
    return part.encode("ascii")


def side_name(side: str) -> bytes:
    """`cn` or `hk` as ASCII; InvalidInputError otherwise."""
    if side not in _SIDES:
        raise InvalidInputError("a side is 'cn' or 'hk'", field="side")
    return side.encode("ascii")


@lru_cache(maxsize=1024)  # the same few holders, for every share
def holder_name(holder: str, side: str) -> bytes:
    """The URI of a key holder of `side` as ASCII; InvalidInputError for any other principal."""
    try:
        principal = Principal.parse(holder)
    except EncodingError as error:
        raise InvalidInputError(str(error), field="holder") from error
    if principal.role != "holder" or principal.jurisdiction != side:
        raise InvalidInputError(f"{holder} is not a key holder of {side}", field="holder")
    return holder.encode("ascii")


def place(document: str, version: int, part: str, side: str) -> tuple[bytes, ...]:
    """What names one side's secret of one part; no `hk` secret of a personal part exists."""
    if part == "personal" and side == "hk":
        raise InvalidInputError("no hk holder has a share of a personal part", field="side")
    return (
        document_name(document),
        number(version, "version"),
        part_name(part),
        side_name(side),
    )
