"""Releases through real processes and the command line: who opens what, and what is refused."""

from __future__ import annotations

import json
import re
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.cluster import Cluster
from support.release_world import SCHEMA, LyingSealing, Rewrite
from support.sites import TwoSites, make_two_sites

from proofs import envelope
from proofs.attestation import AsOf
from proofs.envelope import PayloadType
from vault import cli
from vault.client.approve import sign_decision
from vault.client.channel import connect, reporting
from vault.client.prepare import FileToSeal, PreparedDocument, prepare
from vault.client.put import SERVICE as DOCUMENTS
from vault.client.put import PutClient, put_batch
from vault.client.release import find_own, make_release
from vault.client.release_link import open_link
from vault.client.seal import Sealer
from vault.client.session import at_vault, the_vault
from vault.crypto.content import FileInfo
from vault.document_record import DocumentRecord
from vault.errors import NotAllowedError, VaultError
from vault.identity import Identity
from vault.model import ASSET, PERSONAL, Part
from vault.pki import now_utc
from vault.release_model import HolderState
from vault.v1 import (
    document_pb2,
    document_pb2_grpc,
    holder_pb2,
    holder_pb2_grpc,
    release_pb2,
    release_pb2_grpc,
)

SPV = ("hk", "spv", "issuer")
BANK = ("cn", "custodian", "bank")
WANG, CHEN = ("cn", "officer", "wang"), ("cn", "officer", "chen")
LEE = ("hk", "officer", "lee")
WHY = ("--purpose", "年度审计 annual audit", "--basis", "PIPL Art. 38")

Who = tuple[str, str, str]


class LyingSealer(Sealer):
    """Commits to one record and seals another."""

    def __init__(self, identity: Identity, rewrite: dict[Part, Rewrite]) -> None:
        super().__init__(identity, identity.sites(), now_utc)
        self._rewrite = rewrite

    def begin(self, prepared: PreparedDocument) -> LyingSealing:
        """See `Sealer.begin`."""
        sealing = LyingSealing(self, prepared)
        sealing.rewrite = self._rewrite
        return sealing


class Desk:
    """Both sites' processes, one document of the custodian `bank`, and the command line."""

    def __init__(self, sites: TwoSites, cluster: Cluster, folder: Path) -> None:
        self.sites = sites
        self.cluster = cluster
        self.folder = folder
        self.document, self.attestation = self.put(folder / "honest")

    def where(self, who: Who) -> Path:
        """An identity folder."""
        return self.sites.folder(*who)

    def identity(self, who: Who) -> Identity:
        """An identity."""
        return self.sites.identity(*who)

    def run(self, who: Who, *arguments: str) -> int:
        """One command line as one principal."""
        return cli.run([*arguments, "--as", str(self.where(who))])

    def request(
        self, who: Who = SPV, part: str = "asset", *more: str, about: Path | None = None
    ) -> str:
        """Ask on the command line; the digest of the request."""
        before = set(self._kept(who))
        source = str(about or self.attestation) if who[1] == "spv" else self.document
        assert self.run(who, "release", "request", source, "--part", part, *WHY, *more) == 0
        (made,) = set(self._kept(who)) - before
        return made

    def approve(self, digest: str, *officers: Who) -> None:
        """Approve on the command line."""
        for officer in officers:
            assert self.run(officer, "release", "approve", digest, "--yes") == 0

    def fetch(self, who: Who, digest: str, target: Path, *more: str) -> int:
        """Fetch on the command line; the exit code."""
        return self.run(who, "release", "fetch", digest, "-o", str(target), *more)

    def back(self, *holders: str) -> None:
        """Start holders again and wait until the vault, which tries every 2 s, has found them."""
        self.cluster.start(holders)
        spv = self.identity(SPV)
        digest = self.request()
        deadline = time.monotonic() + 30
        with open_link(spv, spv.sites()) as link:
            while any(
                answer.state is HolderState.UNREACHABLE for answer in link.collect(digest).holders
            ):
                assert time.monotonic() < deadline, "the vault does not find its holders again"
                time.sleep(0.1)

    def _kept(self, who: Who) -> list[str]:
        folder = self.where(who) / "releases"
        return [path.name for path in folder.iterdir()] if folder.exists() else []

    def put(self, folder: Path, *, rewrite: dict[Part, Rewrite] | None = None) -> tuple[str, Path]:
        """Store a document; its id, and a file with its attestation. `rewrite` is a lie."""
        folder.mkdir()
        report, scan = folder / "report", folder / "scan"
        report.write_bytes(bytes(range(256)) * 16_384)  # 4 MiB
        scan.write_bytes("身份证".encode() * 1000)
        files = (
            FileToSeal(ASSET, report, FileInfo("检测报告.pdf", "application/pdf", 4 << 20)),
            FileToSeal(PERSONAL, scan, FileInfo("id.png", "image/png", 9000)),
        )
        prepared = prepare(
            SCHEMA,
            asset="cn-pv-7",
            as_of=AsOf.day(now_utc().date()),
            valid_until=now_utc() + timedelta(days=20),
            attributes={"code": "PV-7", "capacity": "20.000", "owner": "王小明"},
            files=files,
        )
        with at_vault(self.where(BANK), DOCUMENTS) as session:
            stub = document_pb2_grpc.DocumentServiceStub(session.channel)
            stub.AddSchema(document_pb2.AddSchemaRequest(schema=SCHEMA.encode()))
            client = PutClient(session)
            if rewrite is not None:
                client.sealer = LyingSealer(self.identity(BANK), rewrite)
            (stored,) = put_batch(client, [prepared])
            answer = stub.GetDocument(document_pb2.GetDocumentRequest(document=stored.document))
        attestation = folder / "attestation.json"
        attestation.write_bytes(answer.versions[0].attestation)
        return stored.document, attestation


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    sites = make_two_sites(tmp_path_factory.mktemp("sites"))
    with Cluster(sites) as cluster:
        cluster.start()
        yield Desk(sites, cluster, tmp_path_factory.mktemp("desk"))


def plain(text: str) -> str:
    """Output with all white space as one: tables break lines where the terminal ends."""
    return re.sub(r"\s+", " ", text)


# --- the main road ------------------------------------------------------------------------------


def test_an_asset_part_opens_with_both_sides(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the SPV's request over both officers' approvals to values and files, checked."""
    digest = desk.request()
    desk.approve(digest[:12], WANG, LEE)
    capsys.readouterr()
    assert desk.fetch(SPV, digest[:12], tmp_path / "out") == 0
    shown = capsys.readouterr()
    content = json.loads((tmp_path / "out" / "attributes.json").read_text())
    assert {each["name"]: each["value"] for each in content["attributes"]} == {
        "code": "PV-7",
        "capacity": "20.000 MW",
    }
    file = tmp_path / "out" / "attachments" / "1-检测报告.pdf"
    assert file.read_bytes() == bytes(range(256)) * 16_384
    assert "装机容量 Capacity" in plain(shown.out)
    assert "wrote" in shown.err


def test_one_side_is_not_enough(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the mainland's approval alone: exit 1, which side is short, nothing written."""
    digest = desk.request()
    desk.approve(digest, WANG)
    capsys.readouterr()
    assert desk.fetch(SPV, digest, tmp_path / "out") == 1
    assert "not enough shares to open this part (cn has 3, needs 2; hk has 0, needs 2)" in plain(
        capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []


def test_a_personal_part_opens_on_the_mainland_only(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The custodian opens it with its own side's approval; an SPV cannot even ask."""
    digest = desk.request(BANK, "personal")
    desk.approve(digest, WANG)
    assert desk.fetch(BANK, digest, tmp_path / "out") == 0
    assert (tmp_path / "out" / "attachments" / "1-id.png").read_bytes() == "身份证".encode() * 1000
    capsys.readouterr()
    arguments = ("release", "request", str(desk.attestation), "--part", "personal", *WHY)
    assert desk.run(SPV, *arguments) == 1
    assert "the personal part stays on the mainland" in capsys.readouterr().err


def test_a_personal_request_signed_all_the_same_is_refused(desk: Desk) -> None:
    """An SPV whose client does not refuse gets the refusal from the vault and from a cn holder."""
    spv = desk.identity(SPV)
    honest = find_own(spv, desk.request()).request.data
    payload = honest.replace(b'"part":"asset"', b'"part":"personal"')
    forged = envelope.sign(PayloadType.RELEASE_REQUEST, payload, spv.signing_key)
    with (
        open_link(spv, spv.sites()) as link,
        pytest.raises(NotAllowedError, match="stays on the mainland"),
    ):
        link.create(forged)
    with pytest.raises(NotAllowedError, match="stays on the mainland"):
        _at_holder(desk, desk.sites.vault, "cn", "h1").SubmitRelease(forged)


def test_show_renders_the_signed_bytes(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """An officer reads requester, purpose and basis from what it is about to sign over."""
    digest = desk.request()
    capsys.readouterr()
    assert desk.run(LEE, "release", "show", digest[:16]) == 0
    shown = plain(capsys.readouterr().out)
    for text in (
        f"{digest[:32]} {digest[32:]}",
        "spiffe://rwa.example/hk/spv/issuer",
        "年度审计 annual audit",
        "PIPL",
    ):
        assert text in shown
    assert desk.run(LEE, "release", "list", "--json") == 0
    listed = {each["digest"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(listed[digest]["holders"].values()) == {"waiting"}


# --- holders away, twice, too late --------------------------------------------------------------


def test_one_holder_down_is_named_and_the_quorum_opens(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a holder of each side killed the rest are enough, and the missing are named."""
    digest = desk.request()
    desk.approve(digest, WANG, LEE)
    for name in ("cn/h2", "hk/h1"):
        desk.cluster.kill(name)
    try:
        capsys.readouterr()
        assert desk.fetch(SPV, digest, tmp_path / "out") == 0
        shown = plain(capsys.readouterr().out)
        assert re.search(r"cn/holder/h2 2 unreachable", shown)
        assert re.search(r"hk/holder/h1 1 unreachable", shown)
    finally:
        desk.back("cn/h2", "hk/h1")
    assert desk.fetch(SPV, digest, tmp_path / "again") == 0


def test_an_approval_reaches_only_holders_that_are_there(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One holder away: the approval counts and the holder is named; two away: exit 1."""
    digest = desk.request()
    desk.approve(digest, WANG)
    desk.cluster.kill("hk/h3")
    capsys.readouterr()
    try:
        assert desk.run(LEE, "release", "approve", digest, "--yes") == 0
        assert "hk/holder/h3 not taken" in plain(capsys.readouterr().out)
        desk.cluster.kill("hk/h2")
        assert desk.run(LEE, "release", "approve", digest, "--yes") == 1
        assert "only 1 of 3 holders took the decision" in capsys.readouterr().err
    finally:
        desk.back("hk/h2", "hk/h3")
    assert desk.fetch(SPV, digest, tmp_path / "out") == 0


def test_a_lost_reply_is_answered_with_the_same_bytes(desk: Desk) -> None:
    """Collected twice, and from each holder after a kill -9: the same sealed bytes."""
    digest = desk.request()
    desk.approve(digest, WANG, LEE)
    spv = desk.identity(SPV)
    with open_link(spv, spv.sites()) as link:
        first = link.collect(digest).holders
        second = link.collect(digest).holders
    assert first == second
    assert {answer.state for answer in first} == {HolderState.RELEASED}
    desk.cluster.kill("cn/h1")
    desk.back("cn/h1")
    again = _at_holder(desk, desk.sites.vault, "cn", "h1").ReleaseShare(digest)
    assert again.sealed_share == first[0].sealed_share


def test_a_denied_release_says_so(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A denial by one side stops it; the requester reads by whom and why."""
    digest = desk.request()
    desk.approve(digest, WANG)
    assert desk.run(LEE, "release", "deny", digest, "--note", "no need", "--yes") == 0
    capsys.readouterr()
    assert desk.fetch(SPV, digest, tmp_path / "out") == 1
    assert "denied by spiffe://rwa.example/hk/officer/lee" in plain(capsys.readouterr().err)


def test_an_expired_request_is_refused(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the vault nor a holder takes a request whose time is over."""
    spv = desk.identity(SPV)
    known = find_own(spv, desk.request()).request
    old = make_release(
        spv,
        document=known.document,
        version=known.version,
        attestation=known.attestation,
        part=ASSET,
        purpose="too late",
        legal_basis="none",
        now=now_utc() - timedelta(days=2),
        lifetime=timedelta(days=1),
    )
    with (
        open_link(spv, spv.sites()) as link,
        pytest.raises(NotAllowedError, match="expired at") as caught,
    ):
        link.create(old.envelope)
    assert caught.value.reason == "REQUEST_EXPIRED"
    with pytest.raises(NotAllowedError, match="expired at"):
        _at_holder(desk, desk.sites.vault, "hk", "h1").SubmitRelease(old.envelope)
    assert desk.fetch(SPV, old.request.digest, tmp_path / "out") == 1


@contextmanager
def full_disk(desk: Desk, names: Iterable[str]) -> Iterator[None]:
    """No file of these processes can grow: as on a full disk, every write of a record fails."""
    pids = [desk.cluster.pid(name) for name in names]
    before = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids]
    try:
        for pid, (_, hard) in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        yield
    finally:
        for pid, limits in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def test_nothing_leaves_a_holder_that_cannot_write(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the disks of two hk holders full no quorum opens; with room again it does."""
    digest = desk.request()
    desk.approve(digest, WANG, LEE)
    capsys.readouterr()
    with full_disk(desk, ["hk/h1", "hk/h2"]):
        assert desk.fetch(SPV, digest, tmp_path / "out") == 1
        said = plain(capsys.readouterr().err)
        assert "hk has 1, needs 2" in said
        assert said.count("the record could not be written, so nothing leaves") == 2
    assert desk.fetch(SPV, digest, tmp_path / "out") == 0


def test_nothing_leaves_a_vault_that_cannot_write(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its disk full the vault passes no share on, though the holders released them."""
    digest = desk.request()
    desk.approve(digest, WANG, LEE)
    capsys.readouterr()
    with full_disk(desk, ["vault"]):
        assert desk.fetch(SPV, digest, tmp_path / "out") == 1
        assert "the record could not be written, so nothing leaves" in capsys.readouterr().err
    assert desk.fetch(SPV, digest, tmp_path / "out") == 0


# --- who may not --------------------------------------------------------------------------------


def test_officers_are_heard_by_their_own_side_only(desk: Desk) -> None:
    """A cn holder refuses an hk officer's list and approval, whatever it signs."""
    digest = desk.request()
    lee = desk.identity(LEE)
    holder = _at_holder(desk, lee, "cn", "h1")
    with pytest.raises(NotAllowedError, match="officers of cn only"):
        holder.ListPendingReleases()
    request = find_own(desk.identity(SPV), digest).request
    signed = sign_decision(lee, request, decision="approve", note=None, now=now_utc())
    with pytest.raises(NotAllowedError, match="officers of cn only"):
        holder.SubmitApproval(signed)


@pytest.mark.parametrize("who", [SPV, BANK, WANG])
def test_only_the_vault_asks_holders_for_shares(desk: Desk, who: Who) -> None:
    """Requesters and officers cannot take a share past the vault's record of it."""
    digest = desk.request()
    holder = _at_holder(desk, desk.identity(who), "cn", "h1")
    with pytest.raises(NotAllowedError, match="does not serve"):
        holder.ReleaseShare(digest)


def test_blocks_only_after_release_and_only_of_the_part(desk: Desk) -> None:
    """Before a quorum released, and for a CID of the personal part, the vault gives nothing."""
    spv, bank = desk.identity(SPV), desk.identity(BANK)
    own = find_own(spv, desk.request())
    personal = find_own(bank, desk.request(BANK, "personal"))
    with open_link(bank, bank.sites()) as link:
        personal_root = link.collect(personal.request.digest).root
    with open_link(spv, spv.sites()) as link:
        root = link.collect(own.request.digest).root
        assert _read(desk, spv, own.request.digest, root) == "NOT_RELEASED"
        desk.approve(own.request.digest, WANG, LEE)
        link.collect(own.request.digest)
        assert _read(desk, spv, own.request.digest, root) == "read"
        assert _read(desk, spv, own.request.digest, personal_root) == "NOT_OF_THIS_PART"
    other = desk.identity(("hk", "spv", "other"))
    assert _read(desk, other, own.request.digest, root) == "NOT_FOUND"
    assert _read(desk, spv, personal.request.digest, personal_root) == "NOT_FOUND"


# --- a custodian that lies ----------------------------------------------------------------------


def test_a_custodian_that_stored_something_else_is_found(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, the custodian and the attribute by name; on demand the evidence, value by value."""

    def more(record: DocumentRecord) -> DocumentRecord:
        changed = [
            replace(each, value="25.000 MW") if each.name == "capacity" else each
            for each in record.attributes
        ]
        return replace(record, attributes=tuple(changed))

    _, attestation = desk.put(tmp_path / "lie", rewrite={ASSET: more})
    digest = desk.request(about=attestation)
    desk.approve(digest, WANG, LEE)
    capsys.readouterr()
    assert desk.fetch(SPV, digest, tmp_path / "out") == 1
    said = plain(capsys.readouterr().err)
    assert "what spiffe://rwa.example/cn/custodian/bank stored is not what it attested" in said
    assert "capacity: the stored value does not open the attested commitment" in said
    assert "25.000" not in said
    assert not (tmp_path / "out").exists()
    assert desk.fetch(SPV, digest, tmp_path / "out", "--keep-mismatch") == 1
    shown = capsys.readouterr()
    assert "is not what it attested" in plain(shown.err)
    assert re.search(r"25.000 MW DIFFERS", plain(shown.out))
    content = json.loads((tmp_path / "out" / "attributes.json").read_text())
    assert (content["agrees_with_attestation"], len(content["attachments"])) == (False, 1)


# --- records ------------------------------------------------------------------------------------


def test_the_records_of_both_sides(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Each side's auditor reads who got which share and why; an SPV only its own acts."""
    digest = desk.request()
    desk.approve(digest, WANG, LEE)
    spv = desk.identity(SPV)
    with open_link(spv, spv.sites()) as link:
        link.collect(digest)
    capsys.readouterr()

    def records(who: Who) -> list[tuple[str, str]]:
        assert desk.run(who, "log", "list", "--since", "1h", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        return sorted(
            (each["event"], each["kept_by"].rpartition(".example/")[2])
            for each in found
            if each["digest"] == digest
        )

    at_vault_too = [("share.relayed", "cn/vault/main")] * 6

    def at_holders(side: str) -> list[tuple[str, str]]:
        return [
            (event, f"{side}/holder/h{number}")
            for event in ("release.approved", "release.requested", "share.released")
            for number in (1, 2, 3)
        ]

    requested = ("release.requested", "cn/vault/main")
    for side in ("cn", "hk"):
        expected = sorted([*at_vault_too, requested, *at_holders(side)])
        assert records((side, "auditor", "audit")) == expected
    assert records(SPV) == sorted([requested, *at_vault_too])
    assert records(BANK) == sorted([requested, *at_vault_too])
    assert records(("hk", "spv", "other")) == []


# --- helpers ------------------------------------------------------------------------------------


class _Holder:
    """Calls to one holder as one identity."""

    def __init__(self, desk: Desk, identity: Identity, uri: str) -> None:
        self._identity, self._uri = identity, uri

    def SubmitRelease(self, data: bytes) -> holder_pb2.HolderAnswer:  # noqa: N802
        return self._call("SubmitRelease", holder_pb2.SubmitReleaseRequest(envelope=data)).answer

    def ReleaseShare(self, digest: str) -> holder_pb2.HolderAnswer:  # noqa: N802
        return self._call("ReleaseShare", holder_pb2.ReleaseShareRequest(digest=digest)).answer

    def ListPendingReleases(self) -> object:  # noqa: N802
        return self._call("ListPendingReleases", holder_pb2.ListPendingReleasesRequest())

    def SubmitApproval(self, data: bytes) -> object:  # noqa: N802
        return self._call("SubmitApproval", holder_pb2.SubmitApprovalRequest(envelope=data))

    def _call(self, method: str, request: object) -> object:
        sites = self._identity.sites()
        with (
            connect(self._identity, sites, self._uri) as channel,
            reporting(sites.principal(self._uri)),
        ):
            stub = holder_pb2_grpc.HolderServiceStub(channel)
            return getattr(stub, method)(request, timeout=20)


def _at_holder(desk: Desk, identity: Identity, side: str, name: str) -> _Holder:
    return _Holder(desk, identity, desk.sites.identity(side, "holder", name).uri)


def _read(desk: Desk, who: Identity, release: str, cid: bytes) -> str:
    """`read`, or the reason of the refusal."""
    sites = who.sites()
    vault = the_vault(sites)
    try:
        with connect(who, sites, vault.uri) as channel, reporting(vault):
            stub = release_pb2_grpc.ReleaseServiceStub(channel)
            request = release_pb2.ReadBlocksRequest(release=release, cids=[cid])
            blocks = list(stub.ReadBlocks(request, timeout=20))
    except VaultError as error:
        return error.reason
    return "read" if [each.block.cid for each in blocks] == [cid] else "other blocks"
