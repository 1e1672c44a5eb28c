"""What a key holder says of a release: one answer, with or without its share.

Plain values that servers, the vault's relay and release clients share. `detail` is for people
and never holds a key or a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class HolderState(StrEnum):
    """How far one holder is with one request."""

    WAITING = "waiting"
    APPROVED = "approved"
    RELEASED = "released"
    DENIED = "denied"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class HolderAnswer:
    """`holder` is a URI. `sealed_share` and `index` (1..n) are set when it released, only then."""

    holder: str
    state: HolderState
    detail: str = ""
    index: int = 0
    sealed_share: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many holders of one side have released, and how many must."""

    side: str
    released: int
    threshold: int

    @property
    def reached(self) -> bool:
        """Whether the side's secret can be combined, if the shares are what they should be."""
        return self.released >= self.threshold

    def __str__(self) -> str:
        return f"{self.side} has {self.released}, needs {self.threshold}"
