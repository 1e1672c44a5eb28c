"""The embedded block store: one directory, nothing to install.

Small blocks are rows of an SQLite database (WAL, synchronous=FULL), so a batch of hundreds
costs one transaction; larger ones are files beside it, in a directory per batch, each synced, then
the directory, then the index row: a row never points at bytes that a power cut could take. Files
without a row, left by a killed process, are removed when a writer opens the store. One process
writes (a lock file makes sure); others may open it read-only at the same time.
"""

from __future__ import annotations

import fcntl
import os
import queue
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from vault.crypto.cids import Cid, check_block
from vault.errors import ConflictError, UnavailableError
from vault.storage.blocks import BlockMissingError, StoreStat

INLINE_BYTES: Final = 64 * 1024
"""Blocks up to this size are rows. Measured: a file of its own costs more than a row below it."""

_BATCH_ROWS: Final = 1024
_BATCH_BYTES: Final = 16 * 1024 * 1024
_OPEN_FILES: Final = 32
"""Files written before they are synced: the first sync pays for most of the others."""
_BUSY_SECONDS: Final = 30.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS block (
    cid BLOB PRIMARY KEY NOT NULL,
    stored_at REAL NOT NULL,
    size INTEGER NOT NULL,
    folder TEXT,
    data BLOB,
    CHECK ((folder IS NULL) <> (data IS NULL))
);
CREATE INDEX IF NOT EXISTS block_folder ON block (folder) WHERE folder IS NOT NULL;
"""

_Row = tuple[bytes, float, int, str | None, bytes | None]


class EmbeddedBlockStore:
    """Blocks in a directory of this machine (`vault.storage.blocks.BlockStore`)."""

    def __init__(
        self,
        directory: Path,
        *,
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
    ):
        """Open or make the store in `directory`.

        Raises ConflictError when another process has it open for writing, UnavailableError when
        it cannot be opened.
        """
        self._directory = directory
        self._files = directory / "large"
        self._read_only = read_only
        self._clock = clock
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._write_lock = threading.Lock()
        self._lock_file: int | None = None
        try:
            if not read_only:
                self._open_for_writing()
            self._writer = self._connect()
        except (OSError, sqlite3.Error) as error:
            self._unlock()
            raise UnavailableError(f"cannot open {self.name}: {error}") from error
        if not read_only:
            self._remove_strays()

    @property
    def name(self) -> str:
        """What errors call this store."""
        return f"the block store in {self._directory}"

    def put_many(self, blocks: Iterable[tuple[Cid, bytes]]) -> None:
        """Keep blocks; all of them are durable when this returns.

        Takes one block at a time, so an iterator of any length needs little memory. When it
        raises, any of the blocks may have been kept: `delete_many` them. Raises IntegrityError for
        bytes that are not their CID's, UnavailableError when the disk refuses.
        """
        if self._read_only:
            raise ConflictError(f"{self.name} was opened for reading only")
        batch = _Batch(self._files)
        try:
            for cid, data in blocks:
                check_block(cid, data, source=f"a put into {self.name}")
                # A row that is there already is left alone by its own insert.
                if len(data) <= INLINE_BYTES or not self.has(cid):
                    with self._disk():
                        batch.add(cid, data, self._clock())
                if batch.full:
                    self._commit(batch)
            self._commit(batch)
        finally:
            batch.discard()

    def get(self, cid: Cid) -> bytes:
        """The bytes of a block, hashed again.

        Raises BlockMissingError when it is not held, IntegrityError when the disk gives other
        bytes, UnavailableError when it gives none.
        """
        with self._reader() as reader:
            row = reader.execute(
                "SELECT folder, data FROM block WHERE cid = ?", (cid.binary,)
            ).fetchone()
        if row is None:
            raise BlockMissingError(cid, self.name)
        folder, data = row
        if folder is not None:
            try:
                data = (self._files / folder / cid.text).read_bytes()
            except FileNotFoundError as error:
                raise BlockMissingError(cid, self.name) from error
            except OSError as error:
                raise UnavailableError(
                    f"cannot read block {cid} from {self.name}: {error}"
                ) from error
        return check_block(cid, data, source=self.name)

    def has(self, cid: Cid) -> bool:
        """Whether the index names the block."""
        with self._reader() as reader:
            found = reader.execute("SELECT 1 FROM block WHERE cid = ?", (cid.binary,)).fetchone()
        return found is not None

    def delete_many(self, cids: Iterable[Cid]) -> None:
        """Forget blocks; those that are not held are passed over.

        The rows go first, so that a row never outlives its file.
        """
        files: list[Path] = []
        with self._writing() as writer:
            for cid in cids:
                row = writer.execute(
                    "DELETE FROM block WHERE cid = ? RETURNING folder", (cid.binary,)
                ).fetchone()
                if row is not None and row[0] is not None:
                    files.append(self._files / row[0] / cid.text)
        for file in files:
            file.unlink(missing_ok=True)
            with suppress(OSError):  # it holds other blocks still
                file.parent.rmdir()

    def stat(self) -> StoreStat:
        """Count and size of what is held."""
        with self._reader() as reader:
            count, size = reader.execute("SELECT count(*), total(size) FROM block").fetchone()
        return StoreStat(count, int(size))

    def iter_cids(self, *, stored_before: float | None = None) -> Iterator[Cid]:
        """Everything held (put before a time, in seconds since 1970), in no order.

        Blocks may be deleted while this goes on; those put meanwhile may or may not be seen.
        """
        limit = float("inf") if stored_before is None else stored_before
        last = b""
        while True:
            with self._reader() as reader:
                rows = reader.execute(
                    "SELECT cid FROM block WHERE cid > ? AND stored_at < ? ORDER BY cid LIMIT 1000",
                    (last, limit),
                ).fetchall()
            if not rows:
                return
            for (binary,) in rows:
                yield Cid.from_bytes(binary)
            last = rows[-1][0]

    def close(self) -> None:
        """Close every connection and let another process write."""
        with self._write_lock:
            self._writer.close()
            with suppress(queue.Empty):
                while True:
                    self._idle.get_nowait().close()
            self._unlock()

    def _commit(self, batch: _Batch) -> None:
        with self._disk():
            rows = batch.take()
        if rows:
            with self._writing() as writer:
                writer.executemany(
                    "INSERT INTO block VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows
                )

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Names the store when a file cannot be written."""
        try:
            yield
        except OSError as error:
            raise UnavailableError(f"cannot write to {self.name}: {error}") from error

    def _open_for_writing(self) -> None:
        self._files.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._unlock()
            raise ConflictError(f"another process writes to {self.name}") from error
        connection = self._connect()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        self._idle.put(connection)
        _sync_directory(self._directory)
        _sync_directory(self._directory.parent)

    def _unlock(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self._read_only else "rwc"
        connection = sqlite3.connect(
            f"{(self._directory / 'blocks.sqlite').absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread uses meanwhile; as many exist as ever read at once."""
        try:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = self._connect()
            try:
                yield connection
            finally:
                self._idle.put(connection)
        except sqlite3.Error as error:
            raise UnavailableError(f"cannot read {self.name}: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: on the disk when this ends, or not at all."""
        try:
            with self._write_lock, self._writer as writer:
                yield writer
        except sqlite3.Error as error:
            raise UnavailableError(f"cannot write to {self.name}: {error}") from error

    def _remove_strays(self) -> None:
        """Remove files that no row names: their put was never acknowledged."""
        with self._reader() as reader:
            for folder in self._files.iterdir():
                rows = reader.execute("SELECT cid FROM block WHERE folder = ?", (folder.name,))
                named = {Cid.from_bytes(binary).text for (binary,) in rows}
                if not named:
                    shutil.rmtree(folder)
                    continue
                for file in folder.iterdir():
                    if file.name not in named:
                        file.unlink()


class _Batch:
    """Blocks on their way to disk: rows to insert, and files written but not yet synced."""

    __slots__ = ("_bytes", "_files", "_folder", "_open", "_root", "_rows")

    def __init__(self, root: Path):
        self._root = root
        self._folder: Path | None = None
        self._rows: dict[bytes, _Row] = {}
        self._bytes = 0
        self._open: list[int] = []

    @property
    def full(self) -> bool:
        return (
            len(self._rows) >= _BATCH_ROWS
            or self._bytes >= _BATCH_BYTES
            or len(self._open) >= _OPEN_FILES
        )

    def add(self, cid: Cid, data: bytes, now: float) -> None:
        if cid.binary in self._rows:
            return
        if len(data) <= INLINE_BYTES:
            self._rows[cid.binary] = (cid.binary, now, len(data), None, data)
            self._bytes += len(data)
            return
        if self._folder is None:
            self._folder = self._root / secrets.token_hex(8)
            self._folder.mkdir()
            _sync_directory(self._root)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        file = os.open(self._folder / cid.text, flags, 0o600)
        self._open.append(file)
        written = 0
        while written < len(data):
            written += os.write(file, memoryview(data)[written:])
        self._rows[cid.binary] = (cid.binary, now, len(data), self._folder.name, None)

    def take(self) -> list[_Row]:
        """Sync the files and their directory, and give the rows that may now be inserted."""
        for file in self._open:
            os.fsync(file)
        if self._folder is not None:
            _sync_directory(self._folder)
        self._close()
        rows = list(self._rows.values())
        self._rows.clear()
        self._bytes = 0
        self._folder = None  # a delete may remove it once its rows are there
        return rows

    def discard(self) -> None:
        """Remove the files of what was added and not taken."""
        self._close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self._rows.clear()

    def _close(self) -> None:
        while self._open:
            os.close(self._open.pop())


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
