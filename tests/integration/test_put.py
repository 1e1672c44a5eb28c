"""Putting documents with real processes over mutual TLS: one vault, six holders, the client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from support.cluster import Cluster
from support.documents import PLANT, plant
from support.sites import TwoSites, make_two_sites

from vault.client import documents, pinned_schemas
from vault.client.channel import translate
from vault.client.prepare import file_to_seal
from vault.client.put import SERVICE, PutClient, put_batch
from vault.client.put_log import PENDING, RECEIPTS
from vault.client.session import at_vault, the_vault
from vault.errors import InvalidInputError, NotAllowedError, NotFoundError, UnavailableError
from vault.identity import Identity
from vault.v1 import document_pb2, document_pb2_grpc


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("put"))


@pytest.fixture(scope="module")
def cluster(sites: TwoSites) -> Iterator[Cluster]:
    with Cluster(sites) as running:
        running.start()
        bank = sites.folder("cn", "custodian", "bank")
        with at_vault(bank, SERVICE) as session:
            documents.add_schema(session.channel, PLANT.encode())
        pinned_schemas.pin(Identity.load(bank), PLANT.encode())
        yield running


@pytest.fixture
def bank(cluster: Cluster) -> Path:
    return cluster.sites.folder("cn", "custodian", "bank")


def crossvault(*arguments: str, caller: Path) -> subprocess.CompletedProcess[str]:
    """The command line itself, as a process."""
    return subprocess.run(
        [sys.executable, "-c", "from vault.cli import main; main()", *arguments],
        env=os.environ | {"CROSSVAULT_IDENTITY": str(caller)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


DOCUMENT = {
    "schema": "plant",
    "asset": "cn-plant-cli",
    "as_of": {"from": "2026-01-01", "to": "2026-01-31"},
    "valid_until": "2099-01-01T00:00:00Z",
    "attributes": {
        "code": "CN-001",
        "started": "2013-07-01",
        "capacity": 12600.5,
        "fuel": "Hydro",
        "owner": "张三",
    },
}


def write(folder: Path, content: object) -> Path:
    path = folder / "doc.json"
    path.write_text(
        content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    )
    return path


def test_the_command_puts_and_lists(bank: Path, tmp_path: Path) -> None:
    """`put` prints the document's id and keeps six receipts; `list` and `show` find it."""
    changed = DOCUMENT | {"valid_until": "2036-01-01T00:00:00Z"}
    attachment = tmp_path / "scan.pdf"
    attachment.write_bytes(os.urandom(3 << 20))
    done = crossvault(
        "put", str(write(tmp_path, changed)), "--attach", str(attachment), caller=bank
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    document = done.stdout.strip()
    assert "6 receipts" in done.stderr
    listed = json.loads(crossvault("list", "--json", "--asset", "cn-plant-cli", caller=bank).stdout)
    assert [(each["document"], each["public"]) for each in listed] == [
        (document, {"code": "CN-001", "started": "2013-07-01"})
    ]
    shown = json.loads(crossvault("show", document, "--json", caller=bank).stdout)
    assert shown[0]["provable"] == ["code", "started", "capacity", "fuel", "owner"]
    assert shown[0]["as_of"] == "2026-01-01..2026-01-31"
    receipts = [
        json.loads(path.read_text())["documents"] for path in (bank / RECEIPTS).glob("*.json")
    ]
    assert [len(each["receipts"]) for entries in receipts for each in entries] == [6]
    assert list((bank / PENDING).iterdir()) == []


BAD: dict[str, tuple[object, str]] = {
    "attribute missing": (
        DOCUMENT | {"attributes": {"code": "x", "started": "2013-07-01", "fuel": "Hydro"}},
        "capacity: missing",
    ),
    "attribute unknown": (
        DOCUMENT | {"attributes": DOCUMENT["attributes"] | {"colour": "red"}},  # type: ignore[operator]
        "'colour': not in schema",
    ),
    "not exact": (
        DOCUMENT | {"attributes": DOCUMENT["attributes"] | {"capacity": "1.0005"}},  # type: ignore[operator]
        "capacity: 1.0005 is not exact",
    ),
    "NaN": ('{"schema":"plant","attributes":{"capacity":NaN}}', "NaN"),
    "1e400": (
        json.dumps(DOCUMENT).replace("12600.5", "1e400"),
        "capacity:",
    ),
    "deep": ("[" * 10_000 + "]" * 10_000, "nested deeper"),
    "key twice": ('{"schema":"plant","schema":"plant"}', "twice"),
    "ten megabytes": (
        DOCUMENT | {"attributes": DOCUMENT["attributes"] | {"code": "x" * 10_000_000}},  # type: ignore[operator]
        "more than",
    ),
    "control character": (
        DOCUMENT | {"attributes": DOCUMENT["attributes"] | {"owner": "a\u202eb"}},  # type: ignore[operator]
        "owner:",
    ),
    "schema not pinned": (DOCUMENT | {"schema": "other"}, "no schema"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_documents_are_refused_before_sealing(bank: Path, tmp_path: Path, name: str) -> None:
    """Exit code 1, the reason, no traceback, and nothing pending or stored."""
    content, words = BAD[name]
    done = crossvault("put", str(write(tmp_path, content)), caller=bank)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list((bank / PENDING).iterdir()) == []


def test_invalid_utf8_is_refused(bank: Path, tmp_path: Path) -> None:
    """Bytes that are no text."""
    path = tmp_path / "doc.json"
    path.write_bytes(b'{"schema":"\xff"}')
    done = crossvault("put", str(path), caller=bank)
    assert (done.returncode, "not UTF-8" in done.stderr) == (1, True)


def test_a_batch_with_attachments(bank: Path, tmp_path: Path) -> None:
    """Several documents in one call, each acknowledged with its own receipts."""
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(os.urandom(1_500_000))
    prepared = [
        plant("cn-batch-1", files=[file_to_seal(f"asset:{tmp_path / 'a.bin'}")]),
        plant("cn-batch-2"),
        plant("cn-batch-3", owner=None, files=[file_to_seal(str(tmp_path / "b.bin"))]),
    ]
    sent: list[int] = []
    with at_vault(bank, SERVICE) as session:
        stored = put_batch(PutClient(session), prepared, progress=sent.append)
    assert [each.asset for each in stored] == ["cn-batch-1", "cn-batch-2", "cn-batch-3"]
    assert {len(each.receipts) for each in stored} == {6}
    assert sum(sent) > 3_000_000


def test_two_calls_overlap(bank: Path) -> None:
    """The next batch is sealed while the vault works on the one before."""
    with at_vault(bank, SERVICE) as session:
        client = PutClient(session)
        first = client.start([plant("cn-over-1"), plant("cn-over-2")])
        second = client.start([plant("cn-over-3")])
        assert [each.asset for each in second.result()] == ["cn-over-3"]
        assert [each.asset for each in first.result()] == ["cn-over-1", "cn-over-2"]


def test_a_lost_answer_is_adopted(bank: Path) -> None:
    """What was committed is found by its request id; nothing is attested a second time."""
    with at_vault(bank, SERVICE) as session:
        client = PutClient(session)
        running = client.start([plant("cn-lost")])
        running._call.result()  # the vault has answered, and nobody heard it
        assert len(list(client.log.pending())) == 1
        (adopted,) = client.settle()
        assert (adopted.asset, len(adopted.receipts)) == ("cn-lost", 6)
        assert list(client.log.pending()) == []
        found = list(documents.list_documents(session.channel, session.identity, asset="cn-lost"))
        assert [each.attestation.document for each in found] == [adopted.document]


def test_a_put_that_never_arrived_is_forgotten(bank: Path) -> None:
    """Asked for by its request id, the vault has nothing of it."""
    with at_vault(bank, SERVICE) as session:
        client = PutClient(session)
        running = client.start([plant("cn-never")])
        running._call.cancel()
        settled = client.settle()
        found = list(documents.list_documents(session.channel, session.identity, asset="cn-never"))
        # Cancelled early or late: what is settled and what is there agree.
        assert [each.document for each in settled] == [each.attestation.document for each in found]
        assert list(client.log.pending()) == []


def test_a_put_is_not_accepted_from_others(cluster: Cluster) -> None:
    """Only mainland custodians put; an SPV of Hong Kong and an officer are refused."""
    for side, role, name in (("hk", "spv", "issuer"), ("cn", "officer", "wang")):
        folder = cluster.sites.folder(side, role, name)
        with at_vault(folder, SERVICE) as session:
            stub = document_pb2_grpc.DocumentServiceStub(session.channel)
            with pytest.raises(grpc.RpcError) as caught:
                stub.PutDocuments(iter([document_pb2.PutDocumentsRequest()]))
            refused = translate(caught.value, the_vault(session.sites))
            assert (type(refused), refused.reason) == (NotAllowedError, "ROLE_NOT_SERVED")


def test_custodians_do_not_see_each_others_documents(cluster: Cluster, bank: Path) -> None:
    """Another custodian lists nothing of it and is told that it does not exist."""
    with at_vault(bank, SERVICE) as session:
        (stored,) = put_batch(PutClient(session), [plant("cn-mine")])
    trust = cluster.sites.folder("cn", "custodian", "trust")
    with at_vault(trust, SERVICE) as session:
        assert list(documents.list_documents(session.channel, session.identity)) == []
    with pytest.raises(NotFoundError), at_vault(trust, SERVICE) as session:
        documents.get_document(session.channel, session.identity, stored.document)


def test_the_first_message_must_be_the_header(bank: Path) -> None:
    """Anything else is refused at once, as is a stream without any message."""
    with at_vault(bank, SERVICE) as session:
        stub = document_pb2_grpc.DocumentServiceStub(session.channel)
        for messages in ([], [document_pb2.PutDocumentsRequest()]):
            with pytest.raises(grpc.RpcError) as caught:
                stub.PutDocuments(iter(messages))
            refused = translate(caught.value, the_vault(session.sites))
            assert (type(refused), refused.field) == (InvalidInputError, "header")


def test_pages_of_a_list_are_whole(bank: Path) -> None:
    """Small pages, one after the other, give what one page gives."""
    with at_vault(bank, SERVICE) as session:
        put_batch(PutClient(session), [plant(f"cn-page-{i}") for i in range(5)])
        stub = document_pb2_grpc.DocumentServiceStub(session.channel)
        whole = stub.ListDocuments(document_pb2.ListDocumentsRequest(page_size=1000))
        found, token = [], ""
        while True:
            page = stub.ListDocuments(
                document_pb2.ListDocumentsRequest(page_size=2, page_token=token)
            )
            found += [version.document for version in page.versions]
            token = page.next_page_token
            if not token:
                break
        assert found == [version.document for version in whole.versions]


def test_processes_stop_cleanly(cluster: Cluster) -> None:
    """SIGTERM ends a holder with exit code 0; it starts again with what it had."""
    assert cluster.stop("hk/h3") == 0
    cluster.start(["hk/h3"])
    bank = cluster.sites.folder("cn", "custodian", "bank")
    # The vault's line to it comes back by itself, within seconds.
    deadline = time.monotonic() + 30
    with at_vault(bank, SERVICE) as session:
        while True:
            try:
                (stored,) = put_batch(PutClient(session), [plant("cn-after-restart")])
                break
            except UnavailableError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    assert len(stored.receipts) == 6
