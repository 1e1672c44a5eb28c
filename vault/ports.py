"""What the application asks of the outside world: blocks, key holders, the time.

Protocols only. The stores of `vault.storage` and the links of `vault.server` are the real parts
behind them; tests may put others there. Every method blocks and is called from worker threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.crypto.cids import Cid
from vault.model import Part

Clock = Callable[[], datetime]
"""The time now, aware and in UTC."""


class BlockStore(Protocol):
    """Content-addressed blocks. Every read and every write is hashed against the CID."""

    @property
    def name(self) -> str:
        """What errors and logs call this store."""

    def put_many(self, blocks: Sequence[tuple[Cid, bytes]]) -> None:
        """Take blocks. They are durable, and safe from garbage collection, after `sync`.

        Raises IntegrityError for bytes that have another hash, UnavailableError when the store
        does not answer.
        """

    def sync(self, cids: Sequence[Cid]) -> None:
        """Make blocks that were put durable: on the disk or pinned when this returns."""

    def get(self, cid: Cid) -> bytes:
        """The block. NotFoundError when it is missing, IntegrityError when its bytes are wrong,
        UnavailableError when the store does not answer; each names the CID and the store."""

    def delete(self, cids: Iterable[Cid]) -> None:
        """Remove blocks; those that are not there are no error."""

    def older_than(self, moment: datetime) -> Iterable[Cid]:
        """The stored blocks that came before `moment`: what a sweep looks through."""


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
