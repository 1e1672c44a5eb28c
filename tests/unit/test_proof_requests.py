"""Requests, grants and bundles at the vault: real databases, real keys, a clock that is set."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support import bundles
from support.sites import TwoSites, make_two_sites

from proofs.attestation import Attestation
from proofs.envelope import PayloadType, sign
from proofs.errors import CrossproofError, FactError, GrantError, SetError
from proofs.grant import Grant, GrantedDocument
from proofs.ids import digest_of
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.principal import Principal
from proofs.request import LIMIT as MAX_REQUEST_BYTES
from proofs.request import Request, RequestedDocument
from proofs.trust import Trust, entry
from proofs.verify import verify_bundle
from proofs.witness import Witness
from vault.app.journal import list_records
from vault.app.prove import Granted, make_bundle
from vault.app.requests import (
    ProofRequests,
    SeenRequest,
    SeenState,
    _require_open,
)
from vault.app.sets import Sets
from vault.client import consent
from vault.client.sets import make
from vault.errors import (
    ConflictError,
    ExhaustedError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    VaultError,
)
from vault.model import Receipt, StoredVersion
from vault.server.auth import _caller
from vault.server.errors import answer
from vault.server.limits import Limits
from vault.server.proofs import ProofServicer
from vault.server.records import RecordServicer
from vault.server.tls import Caller
from vault.storage.catalog import Catalog, NewVersion
from vault.storage.database import open_database
from vault.storage.journal import Entry, Journal, Scope
from vault.storage.proof_store import ProofStore, StoredRequest
from vault.storage.set_store import SetStore
from vault.storage.tables.records import catalog_records
from vault.v1 import proof_pb2, record_pb2

NOW, DAY = bundles.NOW, bundles.DAY
OTHER_ASSET = "cn-pv-0043"
UNKNOWN_ASSET = "cn-pv-9999"


@dataclass
class World:
    """One vault's use case with a document of `bank`, and everybody's identities."""

    sites: TwoSites
    catalog: Catalog
    journal: Journal
    sets: Sets
    requests: ProofRequests
    named: dict[str, NamedSet]
    now: datetime = NOW
    witnesses: dict[str, Witness] = field(default_factory=dict)

    @property
    def bank(self) -> Principal:
        return self.sites.identity("cn", "custodian", "bank").principal

    @property
    def issuer(self) -> Principal:
        return self.sites.identity("hk", "spv", "issuer").principal

    def request(
        self, facts: tuple[str, ...] = bundles.SMALL_FACTS, *, asset: str = bundles.ASSET, **changes
    ) -> Request:
        wanted = [name for name in self.named if any(f"@{name}" in fact for fact in facts)]
        return bundles.request(
            bundles.SMALL_FACTS,
            documents=[RequestedDocument("doc", asset, bundles.schema().digest)],
            facts=bundles.FactList.parse(facts, bundles.schema()).texts,
            sets=[self.named[name].reference for name in wanted],
            **changes,
        )

    def grant(self, asked: Request, *, custodian: str = "bank", asker: str | None = None) -> bytes:
        identity = self.sites.identity("cn", "custodian", custodian)
        _, candidate, sets = self.requests.get_for_custodian(identity.principal, asked.digest)
        assert candidate is not None
        prepared = consent.prepare(
            identity,
            identity.sites(),
            {bundles.schema().digest: bundles.schema()},
            digest=asked.digest,
            request=asked.data,
            asker=asker or self.issuer.uri,
            attestations={alias: each.attestation for alias, each in candidate.stored.items()},
            sets=[each.envelope.encode() for each in sets.values()],
            outlooks={},
            now=self.now,
        )
        return consent.grant(identity, prepared, now=self.now)

    def store(self, asset: str, *, custodian: str = "bank", **values: object) -> StoredVersion:
        """Commit a document, as ingest does after its checks."""
        identity = self.sites.identity("cn", "custodian", custodian)
        schema = bundles.schema()
        witness = Witness.draw(schema, bundles.read_attributes(schema, bundles.VALUES | values))
        number = len(self.witnesses) + 1
        payload = bundles.attestation(
            document=f"{number:032x}",
            version=1,
            asset=asset,
            commitments=witness.commitments(),
        )
        digest = digest_of(payload)
        stored = StoredVersion(
            document=f"{number:032x}",
            version=1,
            custodian=identity.uri,
            asset=asset,
            schema=schema.digest,
            attestation_digest=digest,
            attestation=sign(PayloadType.ATTESTATION, payload, identity.signing_key),
            manifest_digest="0" * 64,
            key_manifest=b"manifest",
            asset_root=bytes(36),
            personal_root=None,
            personal_salt=None,
            witness=b"sealed",
            public={},
            provable=(),
            request_id=f"{number:032x}",
            valid_until=Attestation.parse(payload).valid_until,
            commit_time=self.now,
        )
        self.witnesses[digest] = witness
        self.catalog.commit(
            [
                NewVersion(
                    stored,
                    [Receipt("h1", 1, 1, b"receipt")],
                    {"asset": [number.to_bytes(36, "big")]},
                )
            ]
        )
        return stored

    def seen_by_asker(self, asked: Request) -> SeenRequest:
        return self.requests.get_own(self.issuer, asked.digest)


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    database = open_database(tmp_path / "catalog.db", "catalog")
    catalog, journal = Catalog(database), Journal(database, catalog_records)
    site_set = two_sites.vault.sites()
    sets = Sets(SetStore(database), site_set)
    made = World(two_sites, catalog, journal, sets, None, {})  # type: ignore[arg-type]
    made.requests = ProofRequests(
        catalog=catalog,
        store=ProofStore(database),
        sets=sets,
        sites=site_set,
        journal=journal,
        open_witness=lambda stored: made.witnesses[stored.attestation_digest],
        clock=lambda: made.now,
    )
    schema = bundles.schema()
    catalog.add_schema(schema, schema.encode(), by=made.bank.uri, now=NOW)
    lists = two_sites.identity("hk", "authority", "lists")
    for name in ("fuels", "sanctions"):
        template = bundles.named_set(name)
        named, _ = make(
            lists,
            list(template.members),
            name=name,
            version=1,
            member_type=template.header.type,
            issued=NOW - DAY,
            valid_until=NOW + 30 * DAY,
            source="Example register",
            as_of=template.header.as_of,
        )
        envelope, _, lines = named.export().partition(b"\n")
        sets.add(lists.principal, envelope, lines.decode().split("\n")[:-1], now=NOW)
        made.named[name] = named
    made.store(bundles.ASSET)
    return made


def trust_for(world: World) -> Trust:
    """What an outsider pins: the bank's key and the authority of the lists."""
    bank = world.sites.identity("cn", "custodian", "bank")
    lists = world.sites.identity("hk", "authority", "lists")
    common = bundles.signer_entry(bundles.CUSTODIAN)

    def key(identity):
        raw = identity.signing_key.public_key().public_bytes_raw()
        return bundles.base64.b64encode(raw).decode()

    entries = [
        entry(
            "custodian",
            common
            | {"key": key(bank), "schemas": [bundles.schema().digest], "assets": ["cn-pv-*"]},
        ),
        entry("authority", common | {"key": key(lists)}),
    ]
    entries += [
        entry("set", {"name": name, "authority": named.envelope.keyid, "least_version": 1})
        for name, named in world.named.items()
    ]
    return Trust.parse("\n".join(entries).encode())


def test_a_granted_request_becomes_a_bundle_that_an_outsider_verifies(world: World) -> None:
    """From request over grant to a bundle that verifies under an outsider's own trust file."""
    asked = world.request(bundles.FACTS)
    assert world.requests.submit(world.issuer, asked.data).state is SeenState.PENDING
    seen = world.requests.approve(world.bank, asked.digest, world.grant(asked), "PIPL Art. 13")
    assert seen.state is SeenState.ANSWERED
    bundle = world.requests.fetch(world.issuer, asked.digest)
    verified = verify_bundle(
        bundle,
        trust=trust_for(world),
        expectation=Expectation.for_request(asked.data),
        sets=list(world.named.values()),
        now=NOW,
    )
    assert verified.facts == asked.facts
    assert world.requests.fetch(world.issuer, asked.digest) == bundle
    (record,) = world.journal.read(Scope(everything=True), since=None, after=0, limit=9)
    assert (record.entry.event, record.entry.artefact) == ("bundle.issued", digest_of(bundle))
    assert record.entry.legal_basis == "PIPL Art. 13"


def undecided(world: World) -> list[tuple[str, Request]]:
    """Requests that differ in why they are not answered; texts of one length."""
    world.store(OTHER_ASSET, annual_yield="0.0100", owner=None)
    cases = {
        "denied": (bundles.ASSET, "annual_yield >= 8.00%"),
        "false": (OTHER_ASSET, "annual_yield >= 8.00%"),
        "unknown": (UNKNOWN_ASSET, "annual_yield >= 8.00%"),
        "ignored": (bundles.ASSET, "annual_yield >= 7.00%"),
    }
    found = []
    for number, (name, (asset, fact)) in enumerate(cases.items()):
        asked = world.request(
            (bundles.FactList.parse([fact], bundles.schema()).texts[0],),
            asset=asset,
            nonce=f"{number:064x}",
        )
        world.requests.submit(world.issuer, asked.data)
        found.append((name, asked))
    absent = world.request(("owner not in @sanctions",), asset=OTHER_ASSET, nonce="9" * 64)
    world.requests.submit(world.issuer, absent.data)
    found.append(("absent", absent))
    return found


def test_an_asker_cannot_tell_why_there_is_no_answer(world: World) -> None:
    """Denied, false, absent, unknown and ignored look alike, before and after the expiry."""
    cases = undecided(world)
    for name, asked in cases:
        if name == "denied":
            world.requests.deny(world.bank, asked.digest, "not this quarter")
        elif name in ("false", "absent"):
            seen = world.requests.approve(world.bank, asked.digest, world.grant(asked), "basis")
            assert seen.state is SeenState.FAILED
            assert seen.detail
    blank = {"digest": "", "request": b"", "row": 0}
    for moment, state in ((NOW, SeenState.PENDING), (NOW + DAY, SeenState.DECLINED)):
        world.now = moment
        seen_alike = {replace(world.seen_by_asker(asked), **blank) for _, asked in cases}
        assert {each.state for each in seen_alike} == {state}
        assert len(seen_alike) == 1
        refusals = set()
        for _, asked in cases:
            with pytest.raises(NotFoundError) as caught:
                world.requests.fetch(world.issuer, asked.digest)
            refusals.add((str(caught.value), caught.value.reason))
        assert len(refusals) == 1
    shown = world.journal.read(Scope(party=world.issuer.uri), since=None, after=0, limit=99)
    assert shown == []


async def everything_an_asker_receives(world: World, asked: Sequence[Request]) -> list[bytes]:
    """Every answer of the vault to the asker, as it goes over the wire."""
    _caller.set(Caller(world.sites.vault.sites().principal(world.issuer)))
    proofs = ProofServicer(world.requests)
    records = RecordServicer(world.journal, world.sites.vault.principal)
    answers = [
        await proofs.ListProofRequests(proof_pb2.ListProofRequestsRequest(page_size=2), None),
        await proofs.ListProofRequests(proof_pb2.ListProofRequestsRequest(), None),
        await records.ListRecords(record_pb2.ListRecordsRequest(), None),
        await records.ListRecords(record_pb2.ListRecordsRequest(page_size=1), None),
    ]
    for each in asked:
        wanted = proof_pb2.GetProofRequestRequest(digest=each.digest)
        answers.append(await proofs.GetProofRequest(wanted, None))
    found = [message.SerializeToString(deterministic=True) for message in answers]
    for each in asked:
        with pytest.raises(VaultError) as caught:
            await proofs.FetchBundle(proof_pb2.FetchBundleRequest(digest=each.digest), None)
        found.append(answer(caught.value, method="FetchBundle").details)
    return found


def test_a_decision_changes_nothing_that_an_asker_receives(world: World) -> None:
    """Not one byte of any answer, numbers of its own later records and page tokens included."""
    cases = dict(undecided(world))
    own = Entry("release.requested", NOW, world.issuer.uri, recipient=world.issuer.uri)
    for _ in range(2):
        world.journal.append(own)
    before = asyncio.run(everything_an_asker_receives(world, list(cases.values())))
    world.requests.deny(world.bank, cases["denied"].digest, "not this quarter")
    for name in ("false", "absent"):
        world.requests.approve(world.bank, cases[name].digest, world.grant(cases[name]), "basis")
    assert asyncio.run(everything_an_asker_receives(world, list(cases.values()))) == before
    world.journal.append(own)
    shown = list_records(
        world.journal,
        caller=world.issuer,
        server=world.sites.vault.principal,
        since=None,
        page_size=0,
        page_token="",
    )
    assert [record.number for record in shown.records] == [1, 2, 3]


def test_the_custodian_sees_why(world: World) -> None:
    """To the custodian a false fact and an absent value are told apart, each by name."""
    details = {}
    for name, asked in undecided(world):
        if name in ("false", "absent"):
            world.requests.approve(world.bank, asked.digest, world.grant(asked), "basis")
            seen, candidate, _ = world.requests.get_for_custodian(world.bank, asked.digest)
            assert candidate is not None
            assert [each.provable for each in candidate.outlooks] == [False]
            details[name] = seen.detail
    assert "false" in details["false"]
    assert "absent" in details["absent"]


REFUSED_AT_ONCE = {
    "another schema": (InvalidInputError, {"schema": "0" * 64}),
    "unknown attribute": (FactError, {"facts": ["capacty >= 5 MW"]}),
    "another unit": (FactError, {"facts": ["capacity >= 5 kW"]}),
    "reversed": (FactError, {"facts": ["capacity in 60..20 MW"]}),
    "past the bounds": (FactError, {"facts": ["capacity >= 999999999 MW"]}),
    "opening in disguise": (FactError, {"facts": ["capacity in 20..20 MW"]}),
    "together an opening": (
        FactError,
        {"facts": ["capacity >= 20 MW", "capacity <= 20 MW"]},
    ),
    "not canonical": (FactError, {"facts": ["capacity  >=  20.000 MW"]}),
    "set not named": (FactError, {"facts": ["owner not in @sanctions"]}),
    "expired": (InvalidInputError, {"created": NOW - 2 * DAY, "expires": NOW - DAY}),
    "from the future": (InvalidInputError, {"created": NOW + DAY, "expires": NOW + 2 * DAY}),
    "for years": (InvalidInputError, {"expires": NOW + 1000 * DAY}),
}


@pytest.mark.parametrize("case", REFUSED_AT_ONCE)
@pytest.mark.parametrize("asset", [bundles.ASSET, UNKNOWN_ASSET])
def test_what_may_not_be_asked_is_refused_alike_for_any_asset(
    world: World, case: str, asset: str
) -> None:
    """The refusal comes from request, schema and sets alone: known or unknown asset, same words."""
    kind, changes = REFUSED_AT_ONCE[case]
    changes = dict(changes)
    schema = changes.pop("schema", bundles.schema().digest)
    values = {"documents": [RequestedDocument("doc", asset, schema)], "sets": []} | changes
    asked = bundles.request(bundles.SMALL_FACTS, **values)
    with pytest.raises((CrossproofError, VaultError)) as caught:
        world.requests.submit(world.issuer, asked.data)
    assert isinstance(caught.value, kind)
    assert asset not in str(caught.value)
    with pytest.raises(NotFoundError):
        world.seen_by_asker(asked)


def test_a_set_must_be_here_current_and_of_the_attributes_type(world: World) -> None:
    """Unknown digest, expired set, and a set of another type are refused, each with its reason."""
    unknown = replace(world.named["sanctions"].reference, digest="0" * 64)
    cases = [
        (
            bundles.request(bundles.SMALL_FACTS, facts=["owner not in @sanctions"], sets=[unknown]),
            "not here",
            NOW,
        ),
        (
            bundles.request(
                bundles.SMALL_FACTS,
                facts=["owner not in @fuels"],
                sets=[world.named["fuels"].reference],
            ),
            "type",
            NOW,
        ),
        (
            world.request(("owner not in @sanctions",), created=NOW, expires=NOW + 60 * DAY),
            "expired",
            NOW + 31 * DAY,
        ),
    ]
    for asked, reason, moment in cases:
        world.now = moment
        with pytest.raises(SetError, match=reason):
            world.requests.submit(world.issuer, asked.data)


def test_one_grant_gives_one_bundle(world: World) -> None:
    """An answered request is not answered again, and denied requests keep their state."""
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    world.requests.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(ConflictError, match="answered already"):
        world.requests.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(ConflictError, match="answered already"):
        world.requests.deny(world.bank, asked.digest, "too late")


def test_a_grant_for_another_asker_request_or_document_is_refused(world: World) -> None:
    """Each part of the grant is compared with what is stored; a foreign one proves nothing."""
    asked = world.request()
    other = world.request(nonce="77" * 32)
    for each in (asked, other):
        world.requests.submit(world.issuer, each.data)
    stranger = world.sites.identity("hk", "spv", "other").principal
    with pytest.raises(GrantError, match="another request"):
        world.requests.approve(world.bank, other.digest, world.grant(asked), "basis")
    with pytest.raises(NotFoundError):
        world.requests.approve(
            world.bank, asked.digest, world.grant(asked, asker=stranger.uri), "basis"
        )
    world.store(bundles.ASSET, custodian="trust")
    foreign = world.grant(asked, custodian="trust")
    with pytest.raises(CrossproofError):
        world.requests.approve(world.bank, asked.digest, foreign, "basis")
    assert world.seen_by_asker(asked).state is SeenState.PENDING


def test_one_custodians_refusal_binds_no_other(world: World) -> None:
    """A second custodian of the same asset id cannot block, nor see, the first one's decision."""
    world.store(bundles.ASSET, custodian="trust")
    trust = world.sites.identity("cn", "custodian", "trust").principal
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    world.requests.deny(trust, asked.digest, "no")
    (seen,) = world.requests.of_custodian(world.bank, limit=9, before=None)
    assert (seen.state, seen.detail) == (SeenState.PENDING, "")
    done = world.requests.approve(world.bank, asked.digest, world.grant(asked), "basis")
    assert done.state is SeenState.ANSWERED


def test_strangers_see_and_decide_nothing(world: World) -> None:
    """Another SPV does not find the request; a custodian without a document neither."""
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    other = world.sites.identity("hk", "spv", "other").principal
    trust = world.sites.identity("cn", "custodian", "trust").principal
    for attempt in (
        lambda: world.requests.get_own(other, asked.digest),
        lambda: world.requests.fetch(other, asked.digest),
        lambda: world.requests.get_for_custodian(trust, asked.digest),
        lambda: world.requests.deny(trust, asked.digest, "no"),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert world.requests.of_asker(other, limit=9, before=None) == []
    assert world.requests.of_custodian(trust, limit=9, before=None) == []


def test_nothing_is_issued_when_the_record_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a journal that cannot be written there is no bundle, and the request stays open."""
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    with world.catalog.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE records RENAME TO gone")
    with pytest.raises(UnavailableError, match="record could not be written"):
        world.requests.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(NotFoundError):
        world.requests.fetch(world.issuer, asked.digest)
    with world.catalog.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO records")
    assert world.requests.approve(world.bank, asked.digest, grant, "b").state is SeenState.ANSWERED


def test_a_custodians_own_proof_needs_its_own_grant(world: World) -> None:
    """Request and grant in one; a grant to somebody else is not enough; false facts say so."""
    asked = world.request(nonce=None)
    with pytest.raises(NotFoundError):
        world.grant(asked)
    world.requests.submit(world.issuer, asked.data)
    foreign = world.grant(asked)
    with pytest.raises(GrantError, match="oneself"):
        world.requests.create(world.bank, asked.data, foreign, "basis")
    own = world.grant(asked, asker=world.bank.uri)
    bundle = world.requests.create(world.bank, asked.data, own, "basis")
    assert world.requests.create(world.bank, asked.data, own, "basis") == bundle
    false = world.request(("annual_yield >= 50.00%",))
    world.requests.submit(world.issuer, false.data)
    with pytest.raises(ConflictError, match="false") as caught:
        world.requests.create(
            world.bank, false.data, world.grant(false, asker=world.bank.uri), "basis"
        )
    assert caught.value.reason == "CANNOT_PROVE"


def test_a_custodians_own_proof_is_hidden_from_other_custodians(world: World) -> None:
    """One with a document of the same asset could else see that an own proof failed, and why
    it was wanted; or answer it."""
    world.store(bundles.ASSET, custodian="trust")
    trust = world.sites.identity("cn", "custodian", "trust").principal
    false = world.request(("annual_yield >= 50.00%",))
    world.requests.submit(world.issuer, false.data)
    own = world.grant(false, asker=world.bank.uri)
    with pytest.raises(ConflictError, match="false"):
        world.requests.create(world.bank, false.data, own, "basis")
    listed = world.requests.of_custodian(trust, limit=9, before=None)
    assert [each.asker for each in listed] == [world.issuer.uri]
    mine = world.requests.of_custodian(world.bank, limit=9, before=None)
    assert [each.asker for each in mine] == [world.bank.uri, world.issuer.uri]
    for attempt in (
        lambda: world.requests.get_for_custodian(trust, false.digest, world.bank.uri),
        lambda: world.requests.deny(trust, false.digest, "no", world.bank.uri),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert world.requests.get_for_custodian(trust, false.digest)[0].asker == world.issuer.uri


def test_a_request_handed_in_twice_is_decided_for_the_asker_that_is_named(world: World) -> None:
    """A second SPV with a copy of the file cannot keep the custodian from deciding."""
    other = world.sites.identity("hk", "spv", "other").principal
    asked = world.request()
    for spv in (world.issuer, other):
        world.requests.submit(spv, asked.data)
    with pytest.raises(InvalidInputError, match=f"{world.issuer.uri}, {other.uri}"):
        world.requests.get_for_custodian(world.bank, asked.digest)
    for spv in (world.issuer, other):
        seen = world.requests.get_for_custodian(world.bank, asked.digest, spv.uri)[0]
        assert seen.asker == spv.uri
    world.requests.deny(world.bank, asked.digest, "no", other.uri)
    states = {
        each.asker: each.state
        for each in world.requests.of_custodian(world.bank, limit=9, before=None)
    }
    assert states == {world.issuer.uri: SeenState.PENDING, other.uri: SeenState.DENIED}


def test_an_expired_request_is_not_answered(world: World) -> None:
    """A request's expiry bounds its issuing, for approvals and denials alike."""
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    world.now = asked.expires + timedelta(seconds=1)
    with pytest.raises(ConflictError, match="expired"):
        world.requests.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(ConflictError, match="expired"):
        world.requests.deny(world.bank, asked.digest, "late")


def test_a_set_is_taken_from_its_signer_only(world: World) -> None:
    """Not from another authority, not with other members, not an older version."""
    named = world.named["sanctions"]
    envelope, _, lines = named.export().partition(b"\n")
    members = lines.decode().split("\n")[:-1]
    lists = world.sites.identity("hk", "authority", "lists")
    registry = world.sites.identity("cn", "authority", "registry")
    with pytest.raises(VaultError, match="signed it"):
        world.sets.add(registry.principal, envelope, members, now=NOW)
    with pytest.raises(SetError):
        world.sets.add(lists.principal, envelope, [*members[:-1], "zzz"], now=NOW)
    with pytest.raises(InvalidInputError, match="line break"):
        world.sets.add(lists.principal, envelope, ["a\nb"], now=NOW)
    world.sets.add(lists.principal, envelope, members, now=NOW)
    older, _ = make(
        lists,
        members[:-1],
        name="sanctions",
        version=1,
        member_type=named.header.type,
        issued=NOW,
        valid_until=NOW + DAY,
        source="x",
        as_of=named.header.as_of,
    )
    old_envelope, _, old_lines = older.export().partition(b"\n")
    with pytest.raises(ConflictError, match="must be"):
        world.sets.add(lists.principal, old_envelope, old_lines.decode().split("\n")[:-1], now=NOW)


@pytest.mark.parametrize("earlier", [True, False], ids=["denied-before", "undecided"])
def test_no_bundle_follows_a_denial_that_was_acknowledged(
    world: World, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    """A second operator denies while the first one's approval is being proven."""
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    if earlier:
        world.requests.deny(world.bank, asked.digest, "at first")
    proven = make_bundle

    def slow(granted: Granted, *, now: datetime) -> bytes:
        bundle = proven(granted, now=now)
        seen = world.requests.deny(world.bank, asked.digest, "after all")
        assert seen.state is SeenState.DENIED
        return bundle

    monkeypatch.setattr("vault.app.requests.make_bundle", slow)
    with pytest.raises(ConflictError, match="denied meanwhile"):
        world.requests.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(NotFoundError):
        world.requests.fetch(world.issuer, asked.digest)
    monkeypatch.undo()
    done = world.requests.approve(world.bank, asked.digest, grant, "basis")
    assert done.state is SeenState.ANSWERED


def test_no_denial_is_taken_when_the_bundle_is_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round: the approval ends between the denial's look and its writing."""
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    checked = _require_open

    def slow(stored: StoredRequest, now: datetime) -> None:
        checked(stored, now)
        monkeypatch.undo()
        world.requests.approve(world.bank, asked.digest, grant, "basis")

    monkeypatch.setattr("vault.app.requests._require_open", slow)
    with pytest.raises(ConflictError, match="answered meanwhile"):
        world.requests.deny(world.bank, asked.digest, "no")
    events = world.journal.read(Scope(everything=True), since=None, after=0, limit=9)
    assert [record.entry.event for record in events] == ["bundle.issued"]


def test_an_asker_may_leave_so_many_requests_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answered and expired ones make room; one that is there already is no new one."""
    monkeypatch.setattr("vault.app.requests.MAX_OPEN", 2)
    first, second, third = (world.request(nonce=f"{number:064x}") for number in range(3))
    for asked in (first, second):
        world.requests.submit(world.issuer, asked.data)
    with pytest.raises(ExhaustedError, match="2 requests open"):
        world.requests.submit(world.issuer, third.data)
    assert world.requests.submit(world.issuer, first.data).state is SeenState.PENDING
    other = world.sites.identity("hk", "spv", "other").principal
    assert world.requests.submit(other, third.data).state is SeenState.PENDING
    world.requests.deny(world.bank, second.digest, "no")
    with pytest.raises(ExhaustedError):
        world.requests.submit(world.issuer, third.data)
    world.requests.approve(world.bank, first.digest, world.grant(first), "basis")
    assert world.requests.submit(world.issuer, third.data).state is SeenState.PENDING
    world.now += DAY
    fourth = world.request(nonce="f" * 64, created=world.now, expires=world.now + DAY)
    assert world.requests.submit(world.issuer, fourth.data).state is SeenState.PENDING


def test_a_page_of_the_largest_requests_can_be_delivered(world: World) -> None:
    """An asker that hands in many large requests cannot keep a custodian from listing them.

    A page over the bound of a message would never arrive, and the next one not either.
    """
    submitted = []
    for number in range(70):
        asked = world.request(nonce=f"{number:064x}")
        world.requests.submit(world.issuer, asked.data)
        submitted.append(asked.digest)

    async def pages() -> list[list[str]]:
        _caller.set(Caller(world.sites.vault.sites().principal(world.bank)))
        found, token = [], ""
        while not found or token:
            page = await ProofServicer(world.requests).ListProofRequests(
                proof_pb2.ListProofRequestsRequest(page_size=1000, page_token=token), None
            )
            found.append([each.digest for each in page.requests])
            token = page.next_page_token
        return found

    listed = asyncio.run(pages())
    room = Limits().send_bytes - (1 << 20)
    assert len(listed) > 1
    assert all(len(page) * MAX_REQUEST_BYTES <= room for page in listed)
    assert [digest for page in listed for digest in page] == submitted[::-1]


def test_a_grant_is_for_a_listed_asker(world: World) -> None:
    """A custodian signs nothing for a principal that no pinned site file lists."""
    asked = world.request()
    world.requests.submit(world.issuer, asked.data)
    with pytest.raises(NotFoundError, match="not listed"):
        world.grant(asked, asker="spiffe://rwa.example/hk/spv/nobody")


# --- several documents ---------------------------------------------------------------------------


SUM = ("a.capacity + b.capacity >= 97 MW",)


def about_two(world: World, facts: tuple[str, ...] = SUM, **changes: object) -> Request:
    """A request about both of the bank's plants, `a` and `b`."""
    schema = bundles.schema()
    assets = {"a": bundles.ASSET, "b": OTHER_ASSET} | dict(changes.pop("assets", {}))
    named = [world.named[name] for name in world.named if any(f"@{name}" in f for f in facts)]
    values = {
        "documents": [
            RequestedDocument(alias, asset, schema.digest) for alias, asset in assets.items()
        ],
        "facts": list(facts),
        "sets": [each.reference for each in named],
    }
    return bundles.request(bundles.SMALL_FACTS, **(values | changes))


def test_one_grant_and_one_bundle_for_two_documents(world: World) -> None:
    """The outsider verifies the sum; each document has its own record and count."""
    other = world.store(OTHER_ASSET)
    asked = about_two(world)
    world.requests.submit(world.issuer, asked.data)
    (seen,) = world.requests.of_custodian(world.bank, limit=9, before=None)
    assert seen.digest == asked.digest
    done = world.requests.approve(world.bank, asked.digest, world.grant(asked), "basis")
    assert done.state is SeenState.ANSWERED
    verified = verify_bundle(
        world.requests.fetch(world.issuer, asked.digest),
        trust=trust_for(world),
        expectation=Expectation.for_request(asked.data),
        sets=[],
        now=NOW,
    )
    assert verified.facts == SUM
    assert [each.attestation.document for each in verified.documents][1] == other.document
    records = world.journal.read(Scope(everything=True), since=None, after=0, limit=9)
    assert [each.entry.event for each in records] == ["bundle.issued"] * 2
    assert [each.entry.document for each in records] == [
        each.attestation.document for each in verified.documents
    ]
    assert len({each.entry.artefact for each in records}) == 1


def test_the_custodian_sees_of_each_fact_how_it_stands(world: World) -> None:
    """A false sum, and a value that is absent in one of the documents, by its alias."""
    world.store(OTHER_ASSET, owner=None)
    facts = (
        "a.capacity + b.capacity >= 97 MW",
        "a.capacity + b.capacity >= 97.001 MW",
        "b.owner not in @sanctions",
    )
    asked = about_two(world, facts)
    world.requests.submit(world.issuer, asked.data)
    _, candidate, _ = world.requests.get_for_custodian(world.bank, asked.digest)
    assert candidate is not None
    assert list(candidate.stored) == ["a", "b"]
    assert [each.detail for each in candidate.outlooks] == [
        "",
        "the fact is false",
        "b.owner is absent in this document",
    ]
    seen = world.requests.approve(world.bank, asked.digest, world.grant(asked), "basis")
    assert seen.state is SeenState.FAILED


def test_a_request_about_others_assets_too_is_nobodys(world: World) -> None:
    """The bank has one of the two: it learns nothing of the request, and nothing can be granted."""
    world.store(OTHER_ASSET, custodian="trust")
    asked = about_two(world)
    world.requests.submit(world.issuer, asked.data)
    own = world.request()
    world.requests.submit(world.issuer, own.data)
    other = world.sites.identity("cn", "custodian", "trust").principal
    assert [e.digest for e in world.requests.of_custodian(world.bank, limit=9, before=None)] == [
        own.digest
    ]
    assert world.requests.of_custodian(other, limit=9, before=None) == []
    for each in (world.bank, other):
        with pytest.raises(NotFoundError):
            world.requests.get_for_custodian(each, asked.digest)
    assert world.seen_by_asker(asked).state is SeenState.PENDING


def test_pages_are_full_though_requests_are_left_out(world: World) -> None:
    """What a custodian may not see takes no place on its page and ends no list."""
    world.store(OTHER_ASSET, custodian="trust")
    wanted = []
    for number in range(6):
        hidden = about_two(world, nonce=f"{number:064x}")
        shown = world.request(nonce=f"{number + 100:064x}")
        for each in (hidden, shown, *([hidden] * 2)):
            world.requests.submit(world.issuer, each.data)
        wanted.append(shown.digest)
    found, before = [], None
    while page := world.requests.of_custodian(world.bank, limit=2, before=before):
        assert len(page) == 2
        found += [each.digest for each in page]
        before = page[-1].row
    assert found == wanted[::-1]


def test_the_client_refuses_documents_that_the_vault_exchanged(world: World) -> None:
    """Each alias has the asset that the request gives it, or there is nothing to sign."""
    world.store(OTHER_ASSET)
    asked = about_two(world)
    world.requests.submit(world.issuer, asked.data)
    _, candidate, _ = world.requests.get_for_custodian(world.bank, asked.digest)
    assert candidate is not None
    right = {alias: each.attestation for alias, each in candidate.stored.items()}
    bank = world.sites.identity("cn", "custodian", "bank")
    for offered, reason in (
        ({"a": right["b"], "b": right["a"]}, "another asset"),
        ({"a": right["a"], "b": right["a"]}, "another asset"),
        ({"a": right["a"]}, "no document for b"),
    ):
        with pytest.raises(CrossproofError, match=reason):
            consent.prepare(
                bank,
                bank.sites(),
                {bundles.schema().digest: bundles.schema()},
                digest=asked.digest,
                request=asked.data,
                asker=world.issuer.uri,
                attestations=offered,
                sets=[],
                outlooks={},
                now=NOW,
            )


def test_a_grant_with_its_documents_exchanged_is_refused(world: World) -> None:
    """The vault compares each alias's document with the asset that the request gives it."""
    world.store(OTHER_ASSET)
    asked = about_two(world)
    world.requests.submit(world.issuer, asked.data)
    _, candidate, _ = world.requests.get_for_custodian(world.bank, asked.digest)
    assert candidate is not None
    bank = world.sites.identity("cn", "custodian", "bank")
    one, two = candidate.stored["a"], candidate.stored["b"]
    payload = Grant.build(
        request=asked.digest,
        asker=world.issuer,
        documents=[
            GrantedDocument("a", two.document, two.version, two.attestation_digest),
            GrantedDocument("b", one.document, one.version, one.attestation_digest),
        ],
        sets=[],
        not_before=NOW,
        bundle_expires=NOW + DAY,
        granted_at=NOW,
        expires=NOW + DAY,
    )
    signed = sign(PayloadType.GRANT, payload, bank.signing_key)
    with pytest.raises(GrantError, match="another asset"):
        world.requests.approve(world.bank, asked.digest, signed, "basis")
