"""Blocks of a put that is under way: hashed, written, and bound to the call that brought them.

Until the catalogue commits, nothing here counts: `discard` removes what the call wrote, and what
a killed process left is swept later. A block that another call is bringing or that a document
already has is refused. Honest clients encrypt under fresh keys and never meet another's CID; a
caller who sends one on purpose would otherwise get it removed with its own failed call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from vault.crypto.cids import Cid, Codec, check_block
from vault.crypto.root import MAX_LINKS, PartRoot, decode_root
from vault.crypto.stream import CHUNK_BYTES
from vault.errors import ConflictError, IntegrityError, InvalidInputError
from vault.model import MAX_BATCH, PARTS, Part
from vault.storage.blocks import BlockStore

BUFFER_BYTES: Final = 8 << 20
"""Blocks are handed to a store this many bytes at a time: one sync serves them all."""
_ROOTS: Final = len(PARTS)
MAX_BLOCKS: Final = len(PARTS) * (MAX_LINKS + MAX_BATCH)
"""In one call: what the largest document has, or 64 small ones. All their CIDs are in memory."""


class Staged:
    """The CIDs of all calls under way in this process, and of a sweep's next step."""

    def __init__(self) -> None:
        self._cids: set[bytes] = set()
        self._lock = threading.Lock()

    def claim(self, cid: Cid) -> None:
        """Bind a CID to the one call that brings it; ConflictError when another does."""
        with self._lock:
            if cid.binary in self._cids:
                raise ConflictError(f"block {cid}: is being stored already", field="cid")
            self._cids.add(cid.binary)

    def claim_free(self, cids: Iterable[Cid]) -> list[Cid]:
        """Bind those that no call is bringing, and say which: for a sweep, which then releases."""
        with self._lock:
            free = [cid for cid in cids if cid.binary not in self._cids]
            self._cids.update(cid.binary for cid in free)
        return free

    def release(self, cids: Iterable[Cid]) -> None:
        """The call, or the sweep, has ended."""
        with self._lock:
            self._cids.difference_update(cid.binary for cid in cids)


@dataclass(slots=True)
class DocumentBlocks:
    """What came for one document: chunks by part with their lengths, and root blocks."""

    chunks: dict[Part, dict[Cid, int]] = field(default_factory=lambda: {part: {} for part in PARTS})
    roots: dict[tuple[Part, Cid], bytes] = field(default_factory=dict)

    def root(self, part: Part, cid: Cid) -> PartRoot:
        """The part's root, which must list exactly the chunks that came for the part.

        Raises InvalidInputError naming the block that is missing, unlisted or of another length.
        """
        data = self.roots.get((part, cid))
        if data is None:
            raise InvalidInputError(f"the root {cid} of the {part} part did not come", field="cid")
        try:
            root = decode_root(data)
        except IntegrityError as error:
            raise InvalidInputError(f"root {cid}: {error}", field="cid") from error
        came = self.chunks[part]
        listed = dict(root.blocks())
        for chunk, length in listed.items():
            if came.get(chunk) != length:
                raise InvalidInputError(
                    f"block {chunk} of the {part} part did not come, or has another length than "
                    f"its root says",
                    field="cid",
                )
        for chunk in came:
            if chunk not in listed:
                raise InvalidInputError(
                    f"block {chunk} is not listed by the root of the {part} part", field="cid"
                )
        return root

    def cids(self, part: Part) -> list[bytes]:
        """Binary CIDs of a part, its root last."""
        roots = [cid.binary for named, cid in self.roots if named == part]
        return [cid.binary for cid in self.chunks[part]] + roots


class StagedCall:
    """The blocks of one call. For one thread at a time."""

    def __init__(
        self,
        stores: Mapping[Part, BlockStore],
        staged: Staged,
        known: Callable[[Collection[bytes]], Collection[bytes]],
    ) -> None:
        self._stores = stores
        self._staged = staged
        self._known = known
        self._claimed: list[Cid] = []
        self._buffer: dict[Part, list[tuple[Cid, bytes]]] = {part: [] for part in PARTS}
        self._buffered = 0
        self._written: dict[Part, list[Cid]] = {part: [] for part in PARTS}
        self.document = DocumentBlocks()

    def add(self, part: Part, cid: Cid, data: bytes) -> None:
        """Take one block of the document that comes next.

        Raises InvalidInputError for a block too large, empty, of other bytes than its CID's, a
        chunk after a root, or more than a part may have; ConflictError for one that exists.
        """
        if not 1 <= len(data) <= CHUNK_BYTES:
            raise InvalidInputError(f"block {cid}: 1 to {CHUNK_BYTES} bytes", field="cid")
        try:
            check_block(cid, data, source="the put")
        except IntegrityError as error:
            raise InvalidInputError(str(error), field="cid", reason=error.reason) from error
        if len(self._claimed) >= MAX_BLOCKS:
            raise InvalidInputError(f"a call has at most {MAX_BLOCKS} blocks", field="blocks")
        document = self.document
        if cid.codec is Codec.DAG_CBOR:
            if len(document.roots) >= _ROOTS:
                raise InvalidInputError("a document has one root a part", field="cid")
        elif document.roots:
            raise InvalidInputError("chunks come before roots", field="cid")
        elif len(document.chunks[part]) >= MAX_LINKS:
            raise InvalidInputError(f"a part has at most {MAX_LINKS} chunks", field="cid")
        self._staged.claim(cid)
        self._claimed.append(cid)
        if cid.codec is Codec.DAG_CBOR:
            document.roots[part, cid] = data
        else:
            document.chunks[part][cid] = len(data)
        self._buffer[part].append((cid, data))
        self._buffered += len(data)
        if self._buffered >= BUFFER_BYTES:
            self.flush()

    def next_document(self) -> DocumentBlocks:
        """What came since the last document; the blocks after this are of another."""
        taken, self.document = self.document, DocumentBlocks()
        return taken

    def flush(self) -> None:
        """Write what is buffered; it is durable when this returns."""
        cids = [cid.binary for blocks in self._buffer.values() for cid, _ in blocks]
        for binary in self._known(cids):
            raise ConflictError(f"block {Cid(binary)}: belongs to a document already", field="cid")
        for part, blocks in self._buffer.items():
            # Noted before it is written: a store that fails may have kept some of them.
            self._written[part].extend(cid for cid, _ in blocks)
            if blocks:
                self._stores[part].put_many(blocks)
            blocks.clear()
        self._buffered = 0

    def keep(self) -> None:
        """The catalogue has committed: the blocks are its own from now on."""
        self._staged.release(self._claimed)
        self._claimed.clear()

    def discard(self) -> None:
        """Remove everything that this call wrote. Does nothing after `keep`."""
        if not self._claimed:
            return
        try:
            for part, cids in self._written.items():
                if cids:
                    self._stores[part].delete_many(cids)
        finally:
            self._staged.release(self._claimed)
            self._claimed.clear()
