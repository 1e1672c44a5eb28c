"""Blocks in real Kubo daemons: two in a private swarm, one of which is killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kubo import Swarm, kubo_daemon, kubo_swarm
from support.parts import read_files, seal_part
from support.stores import StoreProperties, raw_block, small_part

from vault.cli.kubo_daemons import KuboDaemon
from vault.crypto.cids import Cid
from vault.crypto.content import open_part
from vault.errors import NotAllowedError, UnavailableError
from vault.files import write_private
from vault.storage.blocks import BlockMissingError
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.kubo import KuboBlockStore, KuboSource
from vault.storage.readahead import ReadAhead

__all__ = ["kubo_daemon", "kubo_swarm"]  # fixtures

pytestmark = pytest.mark.kubo


@pytest.fixture
def store(kubo_swarm: Swarm, tmp_path: Path) -> Iterator[KuboBlockStore]:
    """The mainland's store."""
    node = kubo_swarm.cn
    store = KuboBlockStore(node.address, node.credentials, tmp_path / "index.sqlite")
    yield store
    store.close()


@pytest.fixture
def hong_kong(kubo_swarm: Swarm) -> Iterator[KuboSource]:
    """What a reader in Hong Kong has: its own node."""
    node = kubo_swarm.hk
    source = KuboSource(node.address, node.credentials)
    yield source
    source.close()


class TestKubo(StoreProperties):
    """Everything that every store does."""


class TestSwarm:
    def test_same_cids_as_the_embedded_store(self, store: KuboBlockStore, tmp_path: Path) -> None:
        """A part's blocks have one set of CIDs in both stores, and open from either."""
        part = seal_part(b"record", [("f", bytes(3_000_000))])
        blocks = [*part.blocks.items(), (part.cid, part.root)]
        embedded = EmbeddedBlockStore(tmp_path / "embedded")
        for each in (embedded, store):
            each.put_many(blocks)
        assert set(embedded.iter_cids()) == set(store.iter_cids()) == {cid for cid, _ in blocks}
        for each in (embedded, store):
            opened = open_part(part.key, each.get(part.cid), each.get)
            assert (opened.record, read_files(opened)) == (b"record", [("f", bytes(3_000_000))])
        embedded.close()

    def test_garbage_collection(
        self, store: KuboBlockStore, kubo_swarm: Swarm, tmp_path: Path
    ) -> None:
        """`ipfs repo gc` takes what was deleted or never pinned, and nothing that was put."""
        kept, deleted = small_part(), small_part()
        store.put_many([*kept, *deleted])
        with kubo_swarm.cn.rpc() as rpc:
            cid, data = raw_block(100)
            loose = tmp_path / "loose"
            loose.write_bytes(data)
            rpc.client.block.put(loose, opts={"cid-codec": "raw", "mhtype": "sha2-256"})
        assert store.has(cid)
        store.delete_many(cid for cid, _ in deleted)
        kubo_swarm.cn.collect_garbage()
        assert [store.get(cid) for cid, _ in kept] == [data for _, data in kept]
        assert not store.has(cid)
        assert not any(store.has(cid) for cid, _ in deleted)

    def test_read_from_the_other_node(self, store: KuboBlockStore, hong_kong: KuboSource) -> None:
        """A part put on the mainland opens from the Hong Kong node, read ahead, and stays there."""
        content = bytes(range(256)) * 20_000
        part = seal_part(b"record", [("f", content)])
        store.put_many([*part.blocks.items(), (part.cid, part.root)])
        assert not hong_kong.has(part.cid)
        root = hong_kong.get(part.cid)
        with ReadAhead(hong_kong, part.decoded.links()) as ahead:
            assert read_files(open_part(part.key, root, ahead.get)) == [("f", content)]
        assert all(hong_kong.has(cid) for cid in part.blocks)

    def test_a_block_that_nobody_has(self, store: KuboBlockStore, kubo_swarm: Swarm) -> None:
        """The mainland's node says at once that it is missing; Hong Kong's gives up in time."""
        cid, _ = raw_block(10)
        with pytest.raises(BlockMissingError, match=cid.text):
            store.get(cid)
        node = kubo_swarm.hk
        source = KuboSource(node.address, node.credentials, swarm_seconds=1)
        with pytest.raises(UnavailableError, match=cid.text):
            source.get(cid)
        source.close()

    def test_other_pins_are_left_alone(
        self, store: KuboBlockStore, kubo_swarm: Swarm, tmp_path: Path
    ) -> None:
        """What others pinned in the node is not listed, so no sweep of ours deletes it."""
        with kubo_swarm.cn.rpc() as rpc:
            cid, data = raw_block(100)
            file = tmp_path / "theirs"
            file.write_bytes(data)
            rpc.client.block.put(
                file, opts={"cid-codec": "raw", "mhtype": "sha2-256", "pin": "true"}
            )
        ours = small_part()
        store.put_many(ours)
        store.delete_many(store.iter_cids())
        assert (store.has(cid), store.has(ours[0][0])) == (True, False)

    def test_wrong_credentials(self, kubo_swarm: Swarm, tmp_path: Path) -> None:
        """The daemon refuses other credentials, and the error says where to look."""
        wrong = tmp_path / "wrong"
        write_private(wrong, b"vault:guessed\n")
        store = KuboBlockStore(kubo_swarm.cn.address, wrong, tmp_path / "index.sqlite")
        for call in (
            lambda: store.get(raw_block(10)[0]),
            lambda: store.put_many([raw_block(10)]),
            lambda: store.delete_many([raw_block(10)[0]]),
        ):
            with pytest.raises(NotAllowedError, match=r"API\.Authorizations"):
                call()
        store.close()


class TestKilledDaemon:
    def test_in_the_middle_of_a_put(self, kubo_daemon: KuboDaemon, tmp_path: Path) -> None:
        """The put ends in an error that names block and node; what was put before is there later.

        A sweep after the restart finds every block that had left, and can delete them all.
        """
        store = KuboBlockStore(
            kubo_daemon.address, kubo_daemon.credentials, tmp_path / "index.sqlite"
        )
        before = small_part()
        store.put_many(before)
        sent: list[Cid] = []

        def blocks() -> Iterator[tuple[Cid, bytes]]:
            while True:
                block = raw_block(1_000_000)
                sent.append(block[0])
                if len(sent) == 30:
                    threading.Thread(target=kubo_daemon.kill).start()
                yield block

        with pytest.raises(UnavailableError, match=r"putting block bafk.*the Kubo node at"):
            store.put_many(blocks())
        with pytest.raises(UnavailableError, match=before[0][0].text):
            store.get(before[0][0])
        store.close()

        kubo_daemon.start()
        again = KuboBlockStore(
            kubo_daemon.address, kubo_daemon.credentials, tmp_path / "index.sqlite"
        )
        assert [again.get(cid) for cid, _ in before] == [data for _, data in before]
        orphans = set(again.iter_cids()) - {cid for cid, _ in before}
        assert orphans <= set(sent)
        assert {cid for cid in sent if again.has(cid)} <= orphans
        again.delete_many(orphans)
        assert not any(again.has(cid) for cid in sent)
        assert again.stat().blocks == len(before)
        again.close()

    def test_a_restart_within_the_retries(self, kubo_daemon: KuboDaemon, tmp_path: Path) -> None:
        """A connection that the daemon closed by restarting elsewhere is an error, not a hang."""
        store = KuboBlockStore(
            kubo_daemon.address, kubo_daemon.credentials, tmp_path / "index.sqlite"
        )
        block = raw_block(1000)
        store.put_many([block])
        kubo_daemon.stop()
        with pytest.raises(UnavailableError):
            store.has(block[0])
        kubo_daemon.start()
        store.close()
        again = KuboSource(kubo_daemon.address, kubo_daemon.credentials, swarm_seconds=0)
        assert again.get(block[0]) == block[1]
        again.close()
