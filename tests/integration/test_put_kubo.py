"""Documents through the whole service into two real Kubo nodes, one of which dies in a put."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.cluster import VAULT, Cluster
from support.kubo import Swarm, kubo_swarm
from support.release_world import SCHEMA
from support.sites import TwoSites, make_two_sites

from proofs.attestation import AsOf
from vault.client import documents
from vault.client.prepare import FileToSeal, PreparedDocument, prepare
from vault.client.put import SERVICE as DOCUMENTS
from vault.client.put import PutClient, put_batch
from vault.client.session import at_vault
from vault.crypto.cids import Cid
from vault.crypto.content import FileInfo
from vault.errors import UnavailableError
from vault.model import ASSET, PERSONAL
from vault.pki import now_utc
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.kubo import KuboSource

__all__ = ["kubo_swarm"]  # a fixture

pytestmark = pytest.mark.kubo

MIB = 1024 * 1024


@pytest.fixture
def sites(tmp_path: Path, kubo_swarm: Swarm) -> TwoSites:
    """Two sites of two holders each; nothing is started."""
    return make_two_sites(tmp_path / "sites", holders=2)


def use_node(sites: TwoSites, swarm: Swarm) -> None:
    """Let the vault keep asset blocks in the mainland node, wherever that listens now."""
    path = sites.cn.folder / "site.toml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("kubo_")]
    at = kept.index("[blocks]") + 1
    kept[at:at] = [
        f'kubo_api = "{swarm.cn.address}"',
        f'kubo_credentials = "{swarm.cn.credentials}"',
    ]
    path.write_text("\n".join(kept).replace('store = "embedded"', 'store = "kubo"', 1) + "\n")


@pytest.fixture
def cluster(sites: TwoSites, kubo_swarm: Swarm) -> Iterator[Cluster]:
    use_node(sites, kubo_swarm)
    with Cluster(sites) as running:
        running.start()
        yield running


def document(folder: Path, size: int, part: str = ASSET) -> PreparedDocument:
    """A document with an attachment of `size` bytes in one of its parts."""
    file = folder / f"attachment-{part}"
    file.write_bytes(bytes(range(256)) * (size // 256))
    return prepare(
        SCHEMA,
        asset="cn-pv-7",
        as_of=AsOf.day(now_utc().date()),
        valid_until=now_utc() + timedelta(days=20),
        attributes={"code": "PV-7", "capacity": "20.000", "owner": "王小明"},
        files=(FileToSeal(part, file, FileInfo("report.pdf", "application/pdf", size)),),
    )


def stored_blocks(sites: TwoSites, part: str) -> set[Cid]:
    """What the catalogue says of a part."""
    with sqlite3.connect(sites.cn.folder / "vault" / "catalog.db") as connection:
        rows = connection.execute("SELECT cid FROM blocks WHERE part = ?", (part,)).fetchall()
    return {Cid.from_bytes(row[0]) for row in rows}


def test_asset_blocks_live_in_the_node_and_personal_ones_do_not(
    sites: TwoSites, cluster: Cluster, kubo_swarm: Swarm, tmp_path: Path
) -> None:
    """Pinned through garbage collection, under the CIDs that the embedded store gives the same
    bytes; personal blocks are in neither node, and in the onshore store."""
    with at_vault(sites.folder("cn", "custodian", "bank"), DOCUMENTS) as session:
        documents.add_schema(session.channel, SCHEMA.encode())
        put_batch(
            PutClient(session),
            [document(tmp_path, 3 * MIB), document(tmp_path, 2 * MIB, PERSONAL)],
        )
    kubo_swarm.cn.collect_garbage()
    asset, personal = stored_blocks(sites, ASSET), stored_blocks(sites, PERSONAL)
    assert len(asset) >= 6
    assert len(personal) >= 6
    embedded = EmbeddedBlockStore(tmp_path / "embedded")
    with_nodes = [
        KuboSource(node.address, node.credentials) for node in (kubo_swarm.cn, kubo_swarm.hk)
    ]
    mainland = with_nodes[0]
    for cid in asset:
        embedded.put_many([(cid, mainland.get(cid))])
        assert embedded.get(cid) == mainland.get(cid)
    for node in with_nodes:
        assert [node.has(cid) for cid in personal] == [False] * len(personal)
        node.close()
    cluster.stop(VAULT)  # the store is one process's at a time
    onshore = EmbeddedBlockStore(sites.cn.folder / "vault" / "personal")
    assert all(onshore.get(cid) for cid in personal)


def test_a_node_that_dies_in_a_put_loses_nothing_that_was_acknowledged(
    sites: TwoSites, cluster: Cluster, kubo_swarm: Swarm, tmp_path: Path
) -> None:
    """The put is refused naming the store, nothing of it is committed; once the node is back the
    same document is stored, and what was stored before is still there."""
    with at_vault(sites.folder("cn", "custodian", "bank"), DOCUMENTS) as session:
        documents.add_schema(session.channel, SCHEMA.encode())
        client = PutClient(session)
        (first,) = put_batch(client, [document(tmp_path, MIB)])
        before = stored_blocks(sites, ASSET)
        sent = 0

        def kill_in_the_middle(size: int) -> None:
            nonlocal sent
            sent += size
            if sent > 8 * MIB:
                kubo_swarm.cn.kill()

        with pytest.raises(UnavailableError, match=r"(?i)kubo|127\.0\.0\.1"):
            put_batch(client, [document(tmp_path, 24 * MIB)], progress=kill_in_the_middle)
        assert sent > 8 * MIB
        assert stored_blocks(sites, ASSET) == before
    kubo_swarm.cn.start()
    cluster.stop(VAULT)
    use_node(sites, kubo_swarm)  # a test's node listens on another port each time
    cluster.start([VAULT])
    with at_vault(sites.folder("cn", "custodian", "bank"), DOCUMENTS) as session:
        client = PutClient(session)
        assert client.settle() == []
        (second,) = put_batch(client, [document(tmp_path, 4 * MIB)])
        listed = documents.list_documents(session.channel, session.identity)
        found = [each.attestation.document for each in listed]
    assert found == [second.document, first.document]
    node = KuboSource(kubo_swarm.cn.address, kubo_swarm.cn.credentials)
    assert all(node.get(cid) for cid in stored_blocks(sites, ASSET))
    node.close()
