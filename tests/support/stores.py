"""What every block store must do, as tests that run against each of them.

A test class inherits `StoreProperties` and offers a fixture `store`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator

import pytest

from vault.crypto.cids import Cid, Codec, cid_of_block
from vault.crypto.root import PartRoot, StreamEntry, cid_of_root, encode_root
from vault.errors import IntegrityError
from vault.storage.blocks import BlockMissingError, BlockStore


def raw_block(size: int) -> tuple[Cid, bytes]:
    """A random block that no store has."""
    data = secrets.token_bytes(size)
    return cid_of_block(Codec.RAW, data), data


def small_part() -> list[tuple[Cid, bytes]]:
    """The chunk and the root of a part, as a put sends them."""
    cid, data = raw_block(4112)
    root = encode_root(PartRoot((StreamEntry(bytes(32), bytes(32), len(data), (cid,)),)))
    return [(cid, data), (cid_of_root(root), root)]


class StoreProperties:
    """Properties of `vault.storage.blocks.BlockStore`."""

    @pytest.mark.parametrize("size", [1, 4112, 64 * 1024, 64 * 1024 + 1, 1024 * 1024])
    def test_what_was_put_is_read(self, store: BlockStore, size: int) -> None:
        """Blocks of every size class come back as they were."""
        cid, data = raw_block(size)
        assert not store.has(cid)
        store.put_many([(cid, data)])
        assert store.has(cid)
        assert store.get(cid) == data

    def test_parts(self, store: BlockStore) -> None:
        """Roots are kept like chunks, under the CIDs that we give them."""
        part = small_part()
        store.put_many(part)
        assert [store.get(cid) for cid, _ in part] == [data for _, data in part]

    def test_missing_block(self, store: BlockStore) -> None:
        """A block that is not there is an error of its own kind, naming CID and store."""
        cid, _ = raw_block(10)
        with pytest.raises(BlockMissingError) as caught:
            store.get(cid)
        assert cid.text in str(caught.value)
        assert store.name in str(caught.value)
        assert caught.value.reason == "BLOCK_MISSING"

    @pytest.mark.parametrize("size", [100, 100_000])
    def test_wrong_bytes_are_not_kept(self, store: BlockStore, size: int) -> None:
        """A put whose bytes are not the CID's is refused, and nothing is kept under that CID."""
        cid, data = raw_block(size)
        with pytest.raises(IntegrityError, match=cid.text):
            store.put_many([(cid, data[:-1] + bytes([data[-1] ^ 1]))])
        assert not store.has(cid)

    def test_deleted_blocks_are_gone(self, store: BlockStore) -> None:
        """Deleting takes what is there, passes over what is not, and leaves the rest."""
        keep, *drop = [raw_block(size) for size in (50, 60, 70_000, 80_000)]
        store.put_many([keep, *drop])
        store.delete_many([cid for cid, _ in drop] + [raw_block(5)[0]])
        store.delete_many([drop[0][0]])
        store.delete_many([])
        assert [store.has(cid) for cid, _ in (keep, *drop)] == [True, False, False, False]
        assert store.get(keep[0]) == keep[1]

    def test_put_again(self, store: BlockStore) -> None:
        """A block put twice, in one call and in two, is there once."""
        for block in (raw_block(100), raw_block(100_000)):
            before = store.stat()
            store.put_many([block, block])
            store.put_many([block])
            after = store.stat()
            assert after.blocks - before.blocks == 1
            assert after.bytes - before.bytes == len(block[1])
            assert store.get(block[0]) == block[1]

    def test_many_small_blocks(self, store: BlockStore) -> None:
        """Hundreds of small blocks in one call, counted and listed."""
        before = store.stat().blocks
        blocks = [raw_block(300) for _ in range(300)]
        store.put_many(iter(blocks))
        assert store.stat().blocks == before + 300
        assert {cid for cid, _ in blocks} <= set(store.iter_cids())
        assert all(store.get(cid) == data for cid, data in blocks[::50])

    def test_listing_by_time(self, store: BlockStore) -> None:
        """Nothing was stored before the beginning, everything before the end of time."""
        cid, data = raw_block(20)
        store.put_many([(cid, data)])
        assert cid not in set(store.iter_cids(stored_before=0))
        assert cid in set(store.iter_cids(stored_before=1e11))

    def test_nothing_is_read_far_ahead(self, store: BlockStore) -> None:
        """Blocks of a long stream are taken a few MiB at a time, and stored as they come."""
        cids: list[Cid] = []

        def blocks() -> Iterator[tuple[Cid, bytes]]:
            for _ in range(64):
                if len(cids) > 40:
                    assert store.has(cids[-41])
                block = raw_block(1024 * 1024)
                cids.append(block[0])
                yield block

        store.put_many(blocks())
        assert all(store.has(cid) for cid in cids)
        store.delete_many(cids)

    def test_an_error_in_the_source(self, store: BlockStore) -> None:
        """A stream that breaks off raises its own error; what it had put can be deleted."""
        block = raw_block(100_000)

        def blocks() -> Iterator[tuple[Cid, bytes]]:
            yield block
            raise ConnectionResetError("the client is gone")

        with pytest.raises(ConnectionResetError):
            store.put_many(blocks())
        store.delete_many([block[0]])
        assert not store.has(block[0])

    def test_threads(self, store: BlockStore) -> None:
        """Puts, reads and deletes of several threads do not disturb one another."""
        failures: list[BaseException] = []

        def work() -> None:
            try:
                for size in (100, 70_000):
                    blocks = [raw_block(size) for _ in range(5)]
                    store.put_many(blocks)
                    assert [store.get(cid) for cid, _ in blocks] == [data for _, data in blocks]
                    store.delete_many(cid for cid, _ in blocks)
                    assert not any(store.has(cid) for cid, _ in blocks)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
