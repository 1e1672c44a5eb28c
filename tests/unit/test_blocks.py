"""The embedded block store: durable, checked on every read, one writer."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.stores import StoreProperties, raw_block

from vault.crypto.cids import Cid
from vault.errors import ConflictError, IntegrityError, UnavailableError
from vault.storage.blocks import BlockMissingError, BlockSource
from vault.storage.embedded import INLINE_BYTES, EmbeddedBlockStore
from vault.storage.readahead import ReadAhead

# Puts large and small blocks for ever, printing each CID when its put has returned.
_WRITER = """
import os, sys
from pathlib import Path
from vault.crypto.cids import Codec, cid_of_block
from vault.storage.embedded import EmbeddedBlockStore
store = EmbeddedBlockStore(Path(sys.argv[1]))
while True:
    blocks = [os.urandom(size) for size in (100, 70_000, 200_000)]
    named = [(cid_of_block(Codec.RAW, data), data) for data in blocks]
    store.put_many(named)
    print(*(cid for cid, _ in named), flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedBlockStore]:
    """A store in a fresh directory."""
    store = EmbeddedBlockStore(tmp_path / "blocks")
    yield store
    store.close()


def large_files(directory: Path) -> list[Path]:
    """The files of large blocks."""
    return [path for path in (directory / "large").rglob("*") if path.is_file()]


class TestEmbedded(StoreProperties):
    """Everything that every store does."""


class TestDisk:
    def test_reopened(self, tmp_path: Path) -> None:
        """Another opening finds the same blocks."""
        blocks = [raw_block(size) for size in (10, INLINE_BYTES, INLINE_BYTES + 1)]
        first = EmbeddedBlockStore(tmp_path)
        first.put_many(blocks)
        first.close()
        second = EmbeddedBlockStore(tmp_path)
        assert [second.get(cid) for cid, _ in blocks] == [data for _, data in blocks]
        assert second.stat().blocks == 3
        second.close()

    def test_times(self, tmp_path: Path) -> None:
        """Blocks are listed by the time of their put, from the clock that was handed in."""
        now = 1000.0
        store = EmbeddedBlockStore(tmp_path, clock=lambda: now)
        (old, new) = (raw_block(10), raw_block(10))
        store.put_many([old])
        now = 2000.0
        store.put_many([new])
        assert list(store.iter_cids(stored_before=1000.0)) == []
        assert list(store.iter_cids(stored_before=1500.0)) == [old[0]]
        assert set(store.iter_cids()) == {old[0], new[0]}
        store.close()

    def test_listing_past_a_page(self, store: EmbeddedBlockStore) -> None:
        """More blocks than one page of the listing, while they are being deleted."""
        blocks = [raw_block(40) for _ in range(2500)]
        store.put_many(blocks)
        seen: list[Cid] = []
        for cid in store.iter_cids():
            seen.append(cid)
            if len(seen) % 100 == 0:
                store.delete_many(seen[-100:])
        assert sorted(seen) == sorted(cid for cid, _ in blocks)
        assert store.stat().blocks == 0

    def test_a_changed_row(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """A small block that the disk changed is refused, naming CID and store."""
        cid, data = raw_block(100)
        store.put_many([(cid, data)])
        with sqlite3.connect(tmp_path / "blocks" / "blocks.sqlite") as connection:
            connection.execute("UPDATE block SET data = ?", (data[:-1] + b"x",))
        with pytest.raises(IntegrityError, match=rf"{cid}.*{tmp_path}"):
            store.get(cid)

    def test_a_changed_file(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """A large block that the disk changed, cut or lost is refused."""
        cid, data = raw_block(100_000)
        store.put_many([(cid, data)])
        (file,) = large_files(tmp_path / "blocks")
        for changed in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1], b""):
            file.write_bytes(changed)
            with pytest.raises(IntegrityError, match=cid.text):
                store.get(cid)
        file.write_bytes(data)
        assert store.get(cid) == data
        file.unlink()
        with pytest.raises(BlockMissingError, match=cid.text):
            store.get(cid)
        file.mkdir()
        with pytest.raises(UnavailableError, match=cid.text):
            store.get(cid)

    def test_blocks_that_changed_places(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """The bytes of one block under the name of another are refused."""
        one, two = raw_block(100_000), raw_block(100_000)
        store.put_many([one, two])
        for file in large_files(tmp_path / "blocks"):
            file.write_bytes(one[1])
        assert store.get(one[0]) == one[1]
        with pytest.raises(IntegrityError):
            store.get(two[0])

    def test_a_delete_leaves_no_file(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """Files and directories of deleted blocks are gone."""
        blocks = [raw_block(100_000) for _ in range(40)]
        store.put_many(blocks)
        assert len(large_files(tmp_path / "blocks")) == 40
        store.delete_many(cid for cid, _ in blocks)
        assert list((tmp_path / "blocks" / "large").iterdir()) == []

    @pytest.mark.parametrize(
        ("size", "count", "ahead"), [(20, 1500, 1024), (INLINE_BYTES, 300, 256)]
    )
    def test_rows_are_not_gathered_for_ever(
        self, store: EmbeddedBlockStore, size: int, count: int, ahead: int
    ) -> None:
        """A long stream of small blocks is stored as it comes, by count and by size."""
        cids: list[Cid] = []

        def blocks() -> Iterator[tuple[Cid, bytes]]:
            for taken in range(count):
                assert taken < ahead or store.has(cids[taken - ahead])
                block = raw_block(size)
                cids.append(block[0])
                yield block

        store.put_many(blocks())
        assert store.stat().blocks == count

    def test_a_failed_put_leaves_no_file(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """Files of a put that failed before their rows were written are removed at once."""
        blocks = [raw_block(100_000) for _ in range(3)]
        with pytest.raises(IntegrityError):
            store.put_many([*blocks, (raw_block(10)[0], b"wrong")])
        assert list((tmp_path / "blocks" / "large").iterdir()) == []
        assert not any(store.has(cid) for cid, _ in blocks)

    def test_files_are_synced_before_their_rows(
        self, store: EmbeddedBlockStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At the time of every sync of a file or its directory, no row names the file yet."""
        synced: list[tuple[str, int]] = []
        sync = os.fsync

        def watched(handle: int) -> None:
            path = os.readlink(f"/proc/self/fd/{handle}")
            synced.append((path, store.stat().blocks))
            sync(handle)

        monkeypatch.setattr(os, "fsync", watched)
        blocks = [raw_block(100_000) for _ in range(3)]
        store.put_many(blocks)
        large = tmp_path / "blocks" / "large"
        (folder,) = large.iterdir()
        files = {str(folder / cid.text) for cid, _ in blocks}
        assert {path for path, _ in synced} == files | {str(folder), str(large)}
        assert {rows for _, rows in synced} == {0}
        assert synced[-1][0] == str(folder)

    def test_small_blocks_cost_no_files(
        self, store: EmbeddedBlockStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A batch of small blocks is one transaction: no file is synced one by one."""
        calls: list[int] = []
        monkeypatch.setattr(os, "fsync", calls.append)
        with sqlite3.connect(store._directory / "blocks.sqlite") as other:
            before = other.execute("PRAGMA data_version").fetchone()
            store.put_many([raw_block(4112) for _ in range(256)])
            after = other.execute("PRAGMA data_version").fetchone()
        assert (calls, after[0] - before[0]) == ([], 1)


class TestProcesses:
    def test_one_writer(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """A second writer is refused while the first has the store open, and not after."""
        with pytest.raises(ConflictError, match="another process"):
            EmbeddedBlockStore(tmp_path / "blocks")
        store.close()
        EmbeddedBlockStore(tmp_path / "blocks").close()

    def test_a_reader_beside_the_writer(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """A read-only opening sees what is put meanwhile, and can put or delete nothing."""
        reader = EmbeddedBlockStore(tmp_path / "blocks", read_only=True)
        blocks = [raw_block(10), raw_block(100_000)]
        store.put_many(blocks)
        assert [reader.get(cid) for cid, _ in blocks] == [data for _, data in blocks]
        with pytest.raises(ConflictError):
            reader.put_many([raw_block(100_000)])
        with pytest.raises(UnavailableError):
            reader.delete_many([blocks[0][0]])
        assert store.has(blocks[0][0])
        assert len(large_files(tmp_path / "blocks")) == 1
        reader.close()

    def test_nothing_to_read(self, tmp_path: Path) -> None:
        """A store that does not exist cannot be opened read-only, and is not made by it."""
        with pytest.raises(UnavailableError):
            EmbeddedBlockStore(tmp_path / "none", read_only=True)
        assert not (tmp_path / "none").exists()

    def test_not_a_database(self, tmp_path: Path) -> None:
        """A file of something else in the database's place is our error."""
        (tmp_path / "blocks.sqlite").write_bytes(b"something else" * 100)
        with pytest.raises(UnavailableError, match=str(tmp_path)):
            EmbeddedBlockStore(tmp_path)

    def test_a_disk_that_refuses(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """When a file cannot be written, the put says so and names the store."""
        (tmp_path / "blocks" / "large").rmdir()
        (tmp_path / "blocks" / "large").write_bytes(b"")
        with pytest.raises(UnavailableError, match=str(tmp_path)):
            store.put_many([raw_block(100_000)])

    def test_a_database_that_fails(self, store: EmbeddedBlockStore, tmp_path: Path) -> None:
        """When the database is broken under us, every call says so and names the store."""
        cid, data = raw_block(10)
        with sqlite3.connect(tmp_path / "blocks" / "blocks.sqlite") as connection:
            connection.execute("DROP TABLE block")
        calls: list[Any] = [
            lambda: store.get(cid),
            lambda: store.has(cid),
            lambda: store.put_many([(cid, data)]),
            lambda: store.delete_many([cid]),
            store.stat,
            lambda: list(store.iter_cids()),
        ]
        for call in calls:
            with pytest.raises(UnavailableError, match=str(tmp_path)):
                call()

    def test_killed_writer(self, tmp_path: Path) -> None:
        """After SIGKILL in the middle of puts, all that was acknowledged is there, and no more.

        Files whose rows were never written are removed by the next writer, which the lock of
        the killed one does not keep out.
        """
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        acknowledged = [cid for _ in range(5) for cid in writer.stdout.readline().split()]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.read().rsplit("\n", 1)[0].split()
        writer.wait()
        stray = tmp_path / "large" / "0123456789abcdef"
        stray.mkdir()
        (stray / raw_block(10)[0].text).write_bytes(b"half")
        beside = large_files(tmp_path)[0].parent / raw_block(10)[0].text
        beside.write_bytes(b"half")
        store = EmbeddedBlockStore(tmp_path)
        assert len(acknowledged) >= 15
        for text in acknowledged:
            assert store.get(Cid.parse(text))
        named = {cid.text for cid in store.iter_cids()}
        files = {path.name for path in large_files(tmp_path)}
        assert files <= named
        assert not stray.exists()
        for cid in store.iter_cids():
            store.get(cid)
        store.close()


class TestReadAhead:
    def test_in_order(self, store: EmbeddedBlockStore) -> None:
        """Blocks come as the source has them, in order, skipped and out of order alike."""
        blocks = [raw_block(size) for size in range(100, 130)]
        store.put_many(blocks)
        source: BlockSource = store
        cids = [cid for cid, _ in blocks]
        with ReadAhead(source, cids, parallel=4) as ahead:
            assert ahead.name == store.name
            order = [*range(10), 12, 11, 13, 29, 0, *range(14, 16)]
            assert [ahead.get(cids[i]) for i in order] == [blocks[i][1] for i in order]

    def test_errors_come_in_their_place(self, store: EmbeddedBlockStore) -> None:
        """A missing block raises when it is asked for, not before."""
        blocks = [raw_block(100) for _ in range(4)]
        store.put_many(blocks[:2])
        with ReadAhead(store, [cid for cid, _ in blocks]) as ahead:
            assert ahead.get(blocks[0][0]) == blocks[0][1]
            assert ahead.get(blocks[1][0]) == blocks[1][1]
            with pytest.raises(BlockMissingError):
                ahead.get(blocks[2][0])

    def test_bounded(self, store: EmbeddedBlockStore) -> None:
        """Never more blocks are fetched ahead than were allowed."""
        blocks = [raw_block(100) for _ in range(20)]
        store.put_many(blocks)
        asked: list[Cid] = []

        class Watched:
            name = "watched"

            def get(self, cid: Cid) -> bytes:
                asked.append(cid)
                return store.get(cid)

        with ReadAhead(Watched(), [cid for cid, _ in blocks], parallel=3) as ahead:
            for taken, (cid, data) in enumerate(blocks, start=1):
                assert ahead.get(cid) == data
                assert len(asked) <= taken + 3
        assert sorted(asked) == sorted(cid for cid, _ in blocks)
