"""What the application asks of the outside world: key holders, and the time.

Protocols only; the port of block stores is `vault.storage.blocks`. The links of `vault.server`
are the real part behind `Holders`; tests may put another there. Every method blocks and is called
from worker threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.model import Part

Clock = Callable[[], datetime]
"""The time now, aware and in UTC."""


@dataclass(frozen=True, slots=True)
class SealedShare:
    """One share of one part's key, sealed to one holder. `index` is 1..n."""

    holder: str
    part: Part
    index: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Deposit:
    """What one holder is asked to keep of one document: envelopes, and its own shares."""

    attestation: bytes
    key_manifest: bytes
    shares: tuple[SealedShare, ...]


class Holders(Protocol):
    """The key holders of both sides, by URI."""

    def deposit(self, deposits: Mapping[str, Sequence[Deposit]]) -> Mapping[str, list[bytes]]:
        """Hand every holder its deposits, all at once; their receipts (envelopes), in order.

        Raises UnavailableError naming every holder that did not answer, and the holder's own
        refusal, naming it, when one refused.
        """
