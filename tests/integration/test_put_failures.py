"""Puts that cannot end well, with real processes: named, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from support.cluster import VAULT, Cluster
from support.documents import PLANT, plant
from support.sites import TwoSites, make_two_sites

from vault.client import documents, pinned_schemas
from vault.client.channel import translate
from vault.client.prepare import file_to_seal
from vault.client.put import SERVICE, PutClient, put_batch
from vault.client.put_log import PENDING
from vault.client.seal import Sealer
from vault.client.session import at_vault, the_vault
from vault.errors import InvalidInputError, NotAllowedError, UnavailableError
from vault.identity import Identity
from vault.pki import now_utc
from vault.ports import Deposit
from vault.server import holder_links
from vault.server.holder_links import HolderLinks
from vault.storage.embedded import EmbeddedBlockStore
from vault.v1 import document_pb2, document_pb2_grpc


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    sites = make_two_sites(tmp_path_factory.mktemp("failures"))
    with Cluster(sites) as running:
        running.start()
        folder = sites.folder("cn", "custodian", "bank")
        with at_vault(folder, SERVICE) as session:
            documents.add_schema(session.channel, PLANT.encode())
        pinned_schemas.pin(Identity.load(folder), PLANT.encode())
        yield running


@pytest.fixture
def bank(cluster: Cluster) -> Path:
    return cluster.sites.folder("cn", "custodian", "bank")


def blocks(sites: TwoSites) -> int:
    """Blocks in both stores of the running vault."""
    data = sites.cn.folder / "vault"
    found = 0
    for name in ("blocks", "personal"):
        store = EmbeddedBlockStore(data / name, read_only=True)
        found += store.stat().blocks
        store.close()
    return found


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def assets(folder: Path) -> list[str]:
    with at_vault(folder, SERVICE) as session:
        found = documents.list_documents(session.channel, session.identity)
        return [each.attestation.asset for each in found]


def test_a_holder_that_is_down_is_named(cluster: Cluster, bank: Path) -> None:
    """UNAVAILABLE with its name, nothing stored or pending; with the holder back it works."""
    before = blocks(cluster.sites)
    cluster.kill("hk/h2")
    with at_vault(bank, SERVICE) as session:
        client = PutClient(session)
        with pytest.raises(UnavailableError, match="holder h2 at") as caught:
            put_batch(client, [plant("cn-down-1"), plant("cn-down-2")])
        assert caught.value.reason == "HOLDER_DOWN"
        assert list((bank / PENDING).iterdir()) == []
        assert eventually(lambda: blocks(cluster.sites) == before)
        cluster.start(["hk/h2"])
        # The vault's line to it comes back by itself, within seconds.
        deadline = time.monotonic() + 30
        while True:
            try:
                put_batch(client, [plant("cn-down-3")])
                break
            except UnavailableError:
                assert time.monotonic() < deadline
    found = assets(bank)
    assert ("cn-down-1" in found, "cn-down-3" in found) == (False, True)


def test_a_truncated_upload_leaves_nothing(cluster: Cluster, bank: Path) -> None:
    """Blocks without their document, and a header that promised more."""
    before = blocks(cluster.sites)
    with at_vault(bank, SERVICE) as session:
        client = PutClient(session)
        sealing = client.sealer.begin(plant("cn-truncated"))
        batch = document_pb2.BlockBatch()
        for part, cid, data in sealing.blocks():
            batch.blocks.add(cid=cid.binary, data=data, part=1 if part == "asset" else 2)
        messages = [
            document_pb2.PutDocumentsRequest(header=document_pb2.PutHeader(documents=1)),
            document_pb2.PutDocumentsRequest(blocks=batch),
        ]
        stub = document_pb2_grpc.DocumentServiceStub(session.channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.PutDocuments(iter(messages))
        refused = translate(caught.value, the_vault(session.sites))
    assert (type(refused), refused.reason) == (InvalidInputError, "TRUNCATED")
    assert eventually(lambda: blocks(cluster.sites) == before)


UPLOAD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support.documents import plant
from vault.client.prepare import file_to_seal
from vault.client.put import SERVICE, PutClient, put_batch
from vault.client.session import at_vault
sent = 0
def progress(size):
    global sent
    sent += size
    if sent > 40 << 20:
        print("half", flush=True)
        sys.stdin.read()
with at_vault(Path(sys.argv[1]), SERVICE) as session:
    put_batch(PutClient(session), [plant("cn-gone", files=[file_to_seal(sys.argv[3])])],
              progress=progress)
"""


def test_a_client_gone_in_mid_stream_leaves_nothing(
    cluster: Cluster, bank: Path, tmp_path: Path
) -> None:
    """Killed with some 40 MB sent: they are removed, and nothing was stored."""
    before = blocks(cluster.sites)
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(1 << 20) * 64)
    tests = str(Path(__file__).parent.parent)
    client = subprocess.Popen(
        [sys.executable, "-c", UPLOAD, str(bank), tests, str(large)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert client.stdout is not None
    assert client.stdout.readline() == b"half\n"
    assert eventually(lambda: blocks(cluster.sites) >= before + 16)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert eventually(lambda: blocks(cluster.sites) == before)
    assert "cn-gone" not in assets(bank)


def test_a_file_that_changes_while_it_is_sealed_is_refused(
    cluster: Cluster, bank: Path, tmp_path: Path
) -> None:
    """Its stated length would not be true; nothing is stored or pending."""
    before = blocks(cluster.sites)
    file = tmp_path / "growing.bin"
    file.write_bytes(bytes(3 << 20))
    prepared = plant("cn-growing", files=[file_to_seal(str(file))])
    with file.open("ab") as more:
        more.write(b"x")
    with at_vault(bank, SERVICE) as session:
        client = PutClient(session)
        with pytest.raises(InvalidInputError, match="longer than stated"):
            put_batch(client, [prepared])
    assert list((bank / PENDING).iterdir()) == []
    assert eventually(lambda: blocks(cluster.sites) == before)


def test_a_vault_that_is_away_is_said_before_anything_is_sealed(
    cluster: Cluster, bank: Path
) -> None:
    """The message names it and its address; afterwards it takes puts again."""
    cluster.stop(VAULT)
    with at_vault(bank, SERVICE) as session:
        client = PutClient(session)
        with pytest.raises(UnavailableError, match="the vault main at") as caught:
            put_batch(client, [plant("cn-away")])
        assert caught.value.reason == "UNREACHABLE"
        assert list((bank / PENDING).iterdir()) == []
    cluster.start([VAULT])
    with at_vault(bank, SERVICE) as session:
        put_batch(PutClient(session), [plant("cn-back")])
    assert "cn-away" not in assets(bank)


def test_a_holder_that_hangs_is_named_after_its_deadline(
    cluster: Cluster, bank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others have kept their shares; asked again, all answer, those with the same receipts."""
    monkeypatch.setattr(holder_links, "DEPOSIT_SECONDS", 3.0)
    identity = Identity.load(bank)
    sealing = Sealer(identity, identity.sites(), now_utc).begin(plant("cn-hangs"))
    list(sealing.blocks())
    sealed = sealing.finish()
    deposits = {
        holder.uri: [
            Deposit(
                sealed.attestation,
                sealed.key_manifest,
                tuple(share for share in sealed.shares if share.holder == holder.uri),
            )
        ]
        for side in ("cn", "hk")
        for holder in cluster.sites.holders(side)
    }
    links = HolderLinks(cluster.sites.vault, cluster.sites.vault.sites())
    cluster.pause("cn/h2")
    try:
        with pytest.raises(UnavailableError, match=r"holder h2 at .* did not answer in time"):
            links.deposit(deposits)
    finally:
        cluster.resume("cn/h2")
    first = links.deposit(deposits)
    assert {uri: len(receipts) for uri, receipts in first.items()} == dict.fromkeys(deposits, 1)
    assert links.deposit(deposits) == first
    links.close()


def test_holders_serve_their_own_vault_only(cluster: Cluster, bank: Path) -> None:
    """A custodian that calls a holder is refused: deposits come through the vault."""
    identity = Identity.load(bank)
    links = HolderLinks(identity, identity.sites())
    (holder,) = [h for h in cluster.sites.holders("hk") if h.principal.name == "h1"]
    with pytest.raises(NotAllowedError, match="does not serve cn custodians"):
        links.deposit({holder.uri: [Deposit(b"", b"", ())]})
    links.close()
