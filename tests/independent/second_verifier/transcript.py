"""One growing string of framed items; challenges are its hashes (section "Transcript")."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from independent.second_verifier.curve import q
from independent.second_verifier.encoding import frame


def listed(items: Iterable[bytes]) -> bytes:
    """A list: its length in 8 bytes, and the frame of its items."""
    parts = list(items)
    return len(parts).to_bytes(8, "big") + frame(*parts)


class Transcript:
    """Absorbs items under labels and answers with challenges below q."""

    def __init__(self, label: str) -> None:
        self._hash = hashlib.sha512(frame(b"crossproof/transcript/v1", label.encode()))

    def absorb(self, label: str, data: bytes) -> None:
        """One item."""
        self._hash.update(b"\x01" + frame(label.encode(), data))

    def absorb_integer(self, label: str, number: int) -> None:
        """An integer as 8 bytes."""
        self.absorb(label, number.to_bytes(8, "big"))

    def absorb_list(self, label: str, items: Iterable[bytes]) -> None:
        """A list of items."""
        self.absorb(label, listed(items))

    def seed(self) -> bytes:
        """The hash of all bytes so far, with nothing absorbed for it."""
        return self._hash.copy().digest()

    def challenge(self, label: str) -> int:
        """The hash of all bytes so far, modulo q; it may be 0."""
        self._hash.update(b"\x02" + frame(label.encode()))
        return int.from_bytes(self._hash.copy().digest(), "big") % q
