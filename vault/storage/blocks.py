"""The port behind which ciphertext blocks live, and what every store behind it promises.

A store keeps blocks by CID and hands back those very bytes or an error: it hashes every block
on every read and every put, so a wrong disk, daemon or proxy gives an error that names the CID
and the store, never other bytes. No two puts share a CID (every put encrypts under fresh keys),
so there is no reference counting: what a call staged and never committed is deleted by its
CIDs. Stores know nothing of documents, parts or keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from vault.crypto.cids import Cid
from vault.errors import NotFoundError


class BlockMissingError(NotFoundError):
    """The store answers, and does not have this block."""

    reason = "BLOCK_MISSING"

    def __init__(self, cid: Cid, store: str):
        super().__init__(f"block {cid} is not in {store}", field="cid")


@dataclass(frozen=True, slots=True)
class StoreStat:
    """How many blocks a store holds, and their bytes in all."""

    blocks: int
    bytes: int


class BlockSource(Protocol):
    """Where blocks can be read: a store, or another site's node."""

    @property
    def name(self) -> str:
        """What errors call this store; no secret, no credentials."""

    def get(self, cid: Cid) -> bytes:
        """The block's bytes, hashed again.

        Raises BlockMissingError when it is not there, IntegrityError when its bytes have another
        hash, UnavailableError when the store does not answer.
        """


class BlockStore(BlockSource, Protocol):
    """Where blocks can be kept. Safe to use from several threads."""

    def put_many(self, blocks: Iterable[tuple[Cid, bytes]]) -> None:
        """Keep blocks; all of them are durable when this returns.

        Takes one block at a time, so an iterator of any length needs little memory. When it
        raises, any of the blocks may have been kept: `delete_many` them. Raises IntegrityError
        for bytes that are not their CID's, UnavailableError when the store does not answer.
        """

    def has(self, cid: Cid) -> bool:
        """Whether the store holds the block, without reading it."""

    def delete_many(self, cids: Iterable[Cid]) -> None:
        """Forget blocks; those that are not there are passed over."""

    def stat(self) -> StoreStat:
        """Count and size of what is held."""

    def iter_cids(self, *, stored_before: float | None = None) -> Iterator[Cid]:
        """Everything put and not deleted (before a time, in seconds since 1970), in no order.

        For sweeping orphans: what a killed process staged and no catalogue names. Blocks may be
        deleted while this goes on.
        """

    def close(self) -> None:
        """Give back files and connections."""
