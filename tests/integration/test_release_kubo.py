"""A release whose blocks are read from the Hong Kong node, not through the vault."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.cluster import Cluster
from support.kubo import Swarm, kubo_swarm
from support.release_world import SCHEMA
from support.sites import TwoSites, make_two_sites

from proofs.attestation import AsOf
from vault import cli
from vault.client.prepare import FileToSeal, prepare
from vault.client.put import SERVICE as DOCUMENTS
from vault.client.put import PutClient, put_batch
from vault.client.release import find_own
from vault.client.release_link import open_link
from vault.client.session import at_vault
from vault.crypto.cids import Cid
from vault.crypto.content import FileInfo
from vault.crypto.root import decode_root
from vault.errors import UnavailableError
from vault.model import ASSET
from vault.pki import now_utc
from vault.storage.kubo import KuboSource
from vault.v1 import document_pb2, document_pb2_grpc

__all__ = ["kubo_swarm"]  # a fixture

pytestmark = pytest.mark.kubo

CONTENT = bytes(range(256)) * 12_000


@pytest.fixture
def sites(tmp_path: Path, kubo_swarm: Swarm) -> TwoSites:
    """Two sites whose vault keeps asset blocks in the mainland node."""
    made = make_two_sites(tmp_path / "sites", holders=2)
    settings = made.cn.folder / "site.toml"
    text = settings.read_text()
    assert text.count('store = "embedded"') == 1
    kubo = f'kubo_api = "{kubo_swarm.cn.address}"\nkubo_credentials = "{kubo_swarm.cn.credentials}"'
    settings.write_text(text.replace('store = "embedded"', f'store = "kubo"\n{kubo}'))
    return made


@pytest.fixture
def cluster(sites: TwoSites) -> Iterator[Cluster]:
    with Cluster(sites) as running:
        running.start()
        yield running


def test_a_release_is_read_from_the_own_node(
    sites: TwoSites, cluster: Cluster, kubo_swarm: Swarm, tmp_path: Path
) -> None:
    """The Hong Kong node has every block afterwards, and is enough when the mainland's is dead."""
    attestation = _put(sites, tmp_path)
    spv = sites.identity("hk", "spv", "issuer")

    def run(who: tuple[str, str, str], *arguments: str) -> int:
        return cli.run([*arguments, "--as", str(sites.folder(*who))])

    me = ("hk", "spv", "issuer")
    why = ("--purpose", "audit", "--basis", "a contract")
    assert run(me, "release", "request", str(attestation), *why) == 0
    own = find_own(spv, "")
    for officer in (("cn", "officer", "wang"), ("hk", "officer", "lee")):
        assert run(officer, "release", "approve", own.request.digest, "--yes") == 0
    node = KuboSource(kubo_swarm.hk.address, kubo_swarm.hk.credentials)
    with open_link(spv, spv.sites()) as link:
        root = Cid.from_bytes(link.collect(own.request.digest).root)
    assert node.has(root) is False
    hk = ("--kubo-api", kubo_swarm.hk.address, "--kubo-credentials", str(kubo_swarm.hk.credentials))
    fetch = ("release", "fetch", own.request.digest)
    assert run(me, *fetch, "-o", str(tmp_path / "first"), *hk) == 0
    assert [node.has(cid) for cid in (root, *decode_root(node.get(root)).links())] == [True] * 5
    kubo_swarm.cn.kill()
    assert run(me, *fetch, "-o", str(tmp_path / "second"), *hk) == 0
    # Through the vault it cannot be read now: what came, came from the Hong Kong node.
    assert run(me, *fetch, "-o", str(tmp_path / "third")) == 1
    for name in ("first", "second"):
        (file,) = (tmp_path / name / "attachments").iterdir()
        assert file.read_bytes() == CONTENT
    assert not (tmp_path / "third").exists()
    node.close()
    with pytest.raises(UnavailableError):
        KuboSource(kubo_swarm.cn.address, kubo_swarm.cn.credentials).get(root)


def _put(sites: TwoSites, folder: Path) -> Path:
    """Store a document with an attachment; the file with its attestation."""
    file = folder / "report"
    file.write_bytes(CONTENT)
    prepared = prepare(
        SCHEMA,
        asset="cn-pv-7",
        as_of=AsOf.day(now_utc().date()),
        valid_until=now_utc() + timedelta(days=20),
        attributes={"code": "PV-7", "capacity": "20.000", "owner": "王小明"},
        files=(FileToSeal(ASSET, file, FileInfo("report.pdf", "application/pdf", len(CONTENT))),),
    )
    with at_vault(sites.folder("cn", "custodian", "bank"), DOCUMENTS) as session:
        stub = document_pb2_grpc.DocumentServiceStub(session.channel)
        stub.AddSchema(document_pb2.AddSchemaRequest(schema=SCHEMA.encode()))
        (stored,) = put_batch(PutClient(session), [prepared])
        answer = stub.GetDocument(document_pb2.GetDocumentRequest(document=stored.document))
    path = folder / "attestation.json"
    path.write_bytes(answer.versions[0].attestation)
    return path
