"""The index of what was put into a Kubo node: CIDs, sizes and times, in an SQLite file.

A node may hold pins of others, and tells no times; so a sweep for orphans reads this, never the
node. A row is on the disk before its block leaves and goes after the block is gone: it may name
a block that never arrived, but no block of ours is without a row.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vault.crypto.cids import Cid
from vault.errors import UnavailableError
from vault.storage.blocks import StoreStat

_BUSY_SECONDS: Final = 30.0
_PAGE: Final = 1000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS put (
    cid BLOB PRIMARY KEY NOT NULL,
    stored_at REAL NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
"""


class KuboIndex:
    """What was put and not deleted. Safe to use from several threads."""

    def __init__(self, path: Path):
        """Open or make the index; UnavailableError when that fails."""
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(f"cannot open the index of blocks {path}: {error}") from error

    def add(self, blocks: Iterable[tuple[Cid, int]]) -> None:
        """Note blocks (CID and size) that are about to be put; durable when it returns."""
        now = time.time()
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO put VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(cid.binary, now, size) for cid, size in blocks],
            )

    def remove(self, cids: Iterable[Cid]) -> None:
        """Forget blocks that are gone."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM put WHERE cid = ?", [(c.binary,) for c in cids])

    def stat(self) -> StoreStat:
        """Count and size of what is noted."""
        with self._transaction() as connection:
            count, size = connection.execute("SELECT count(*), total(size) FROM put").fetchone()
        return StoreStat(count, int(size))

    def iter_cids(self, stored_before: float | None) -> Iterator[Cid]:
        """What is noted, put before a time (seconds since 1970; None: all of it)."""
        limit = float("inf") if stored_before is None else stored_before
        last = b""
        while True:
            with self._transaction() as connection:
                rows = connection.execute(
                    "SELECT cid FROM put WHERE cid > ? AND stored_at < ? ORDER BY cid LIMIT ?",
                    (last, limit, _PAGE),
                ).fetchall()
            for (binary,) in rows:
                yield Cid.from_bytes(binary)
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, self._connection as connection:
                yield connection
        except sqlite3.Error as error:
            raise UnavailableError(f"the index of blocks {self._path}: {error}") from error
