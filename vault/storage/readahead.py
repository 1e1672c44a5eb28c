"""Reading blocks ahead: several on their way while one is decrypted.

A block that another site's node fetches from a peer takes tens of milliseconds, most of it
waiting; one after the other, a large attachment would take minutes. At most `parallel` blocks
are held, so memory stays bounded whatever the length of the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from vault.crypto.cids import Cid
from vault.storage.blocks import BlockSource

PARALLEL: Final = 8


class ReadAhead:
    """A block source that fetches blocks in the order in which they will be asked for."""

    def __init__(self, source: BlockSource, order: Iterable[Cid], *, parallel: int = PARALLEL):
        """Read `order` (for a part: `decode_root(root).links()`) ahead from `source`."""
        self._source = source
        self._order = iter(order)
        self._parallel = parallel
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="read-ahead")
        self._coming: deque[tuple[Cid, Future[bytes]]] = deque()

    @property
    def name(self) -> str:
        """What errors call the source."""
        return self._source.name

    def get(self, cid: Cid) -> bytes:
        """The block, as the source gives it, with the source's errors.

        A block that is asked for out of order is fetched at once; those passed over are dropped.
        """
        self._fill()
        if any(coming == cid for coming, _ in self._coming):
            while True:
                coming, future = self._coming.popleft()
                if coming == cid:
                    self._fill()
                    return future.result()
                future.cancel()
        return self._source.get(cid)

    def close(self) -> None:
        """Fetch nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _fill(self) -> None:
        while len(self._coming) < self._parallel:
            cid = next(self._order, None)
            if cid is None:
                return
            self._coming.append((cid, self._pool.submit(self._source.get, cid)))
