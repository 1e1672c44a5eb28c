"""An installation that was left by version 0.1.0: today's code opens, proves and goes on.

`fixtures/before-portfolios` is copied, its databases are migrated as at any start, and the clock
says the day on which it was made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.installation import Installation, opened_installation, unpack
from support.release_world import approved, opened, values_in

from proofs.attestation import AsOf
from proofs.canonical import parse_instant
from proofs.ids import digest_of
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import Request
from proofs.trust import Trust
from proofs.verify import Verified, verify_bundle
from vault.client import manifests, own_proof, pinned_schemas, requests, sets
from vault.client.attestations import own_attestations
from vault.client.consent import grant, prepare
from vault.client.consent_list import Wish
from vault.client.documents import get_document, list_documents
from vault.client.own_list_proof import prove_list
from vault.client.own_manifest import read_own_manifest
from vault.client.prepare import prepare as prepare_document
from vault.client.release import OwnRelease, make_release, own_releases
from vault.client.seal import Sealer
from vault.client.serials import open_serials
from vault.errors import ConflictError, NotFoundError
from vault.identity import Identity
from vault.model import ASSET
from vault.release_model import HolderState
from vault.storage.database import head, open_database

OLD = Path(__file__).parent.parent / "fixtures" / "before-portfolios"
IDS: dict[str, str] = json.loads((OLD / "documents.json").read_text())
VERDICTS: list[dict[str, Any]] = json.loads((OLD / "verdicts.json").read_text())
NOW: datetime = parse_instant(VERDICTS[-1]["at"])
FUND = "Harbour Bridge Fund 海桥基金"
SPV = "Harbour SPV 1"
WHY = {"audience": FUND, "purpose": "Report", "legal_basis": "PIPL Art. 38", "nonce": None}


def attributes(name: str) -> dict[str, str]:
    """What was written into a document before it was put."""
    found: dict[str, str] = json.loads((OLD / "documents" / f"{name}.json").read_text())
    return dict(found["attributes"])  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation as today's processes would have it; its tests do not build on each other."""
    folder = tmp_path_factory.mktemp("old") / "left"
    unpack(OLD, folder)
    with opened_installation(folder, NOW) as found:
        yield found


@pytest.fixture
def custodian(old: Installation) -> Identity:
    """Who put the documents."""
    return old.world.who("cn", "custodian", "yuehai")


@pytest.fixture
def spv(old: Installation) -> Identity:
    """Who asked about them."""
    return old.world.who("hk", "spv", "harbour")


def verified(bundle: bytes, request: bytes, **changes: Any) -> Verified:
    """By the trust file and the set that were kept as well."""
    given: dict[str, Any] = {
        "trust": Trust.parse((OLD / "investor/trust.toml").read_bytes()),
        "expectation": Expectation.for_request(request),
        "sets": [NamedSet.parse((OLD / "investor/sanctions.set").read_bytes())],
        "now": NOW,
    }
    return verify_bundle(bundle, **(given | changes))


# --- databases ----------------------------------------------------------------------------------


def rows(path: Path) -> dict[str, list[Any]]:
    """Every row of every table."""
    database = sqlite3.connect(path)
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {
        name: sorted(database.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
        for (name,) in tables
    }
    database.close()
    return found


MOVED = {"named_sets"}
"""Tables whose content was put elsewhere since; `test_a_set_is_exported_as_it_was` reads it."""


@pytest.mark.parametrize(
    ("file", "tree", "before"),
    [
        ("mainland/vault/catalog.db", "catalog", "0003_proofs_sets"),
        ("mainland/holders/h1/shares.db", "holder", "0002_releases_records"),
        ("hongkong/holders/h3/shares.db", "holder", "0002_releases_records"),
    ],
)
def test_databases_are_migrated_and_lose_nothing(
    tmp_path: Path, file: str, tree: Any, before: str
) -> None:
    """Each ends at today's revision with every row that it had."""
    unpack(OLD, tmp_path / "left")
    found = rows(tmp_path / "left" / file)
    assert found.pop("alembic_version") == [(before,)]
    open_database(tmp_path / "left" / file, tree).close()
    now = rows(tmp_path / "left" / file)
    assert now.pop("alembic_version") == [(head(tree),)]
    assert {name: now[name] for name in found if name not in MOVED} == {
        name: content for name, content in found.items() if name not in MOVED
    }


# --- opening ------------------------------------------------------------------------------------


def pending(identity: Identity) -> OwnRelease:
    """The release that this identity asked for before."""
    found = [each for each in own_releases(identity) if each.request.purpose == "Audit 年审"]
    assert len(found) == 1
    return found[0]


def test_an_asset_part_opens(old: Installation, spv: Identity, tmp_path: Path) -> None:
    """Asked for and approved by one side before, approved by the other and opened now."""
    own = pending(spv)
    assert old.world.decide("hk", own) == [HolderState.APPROVED] * 3
    opened(old.world, own, tmp_path / "out")
    wrote = attributes("north")
    found = values_in(tmp_path / "out")
    assert set(found) == set(wrote) - {"owner"}
    assert found["capacity"] == (f"{wrote['capacity']} MW", True)
    assert all(agrees for _, agrees in found.values())
    (file,) = (tmp_path / "out/attachments").iterdir()
    assert file.read_bytes() == (OLD / "documents/inspection.md").read_bytes()


def test_a_personal_part_opens(old: Installation, custodian: Identity, tmp_path: Path) -> None:
    """For its custodian, with a file that was more than one block."""
    own = pending(custodian)
    assert old.world.decide("cn", own) == [HolderState.APPROVED] * 3
    opened(old.world, own, tmp_path / "out")
    assert values_in(tmp_path / "out") == {"owner": (attributes("north")["owner"], True)}
    (file,) = (tmp_path / "out/attachments").iterdir()
    assert file.read_bytes() == (OLD / "documents/lease.txt").read_bytes()


@pytest.mark.parametrize("down", [0, 1])
def test_a_part_opens_from_the_beginning(
    old: Installation, spv: Identity, tmp_path: Path, down: int
) -> None:
    """Asked for now, of the newest version, with a holder of each side away as well."""
    stored = old.world.catalog.versions_of(IDS["south"])
    version = next(each for each in stored if each.version == 2)
    own = make_release(
        spv,
        document=version.document,
        version=version.version,
        attestation=version.attestation_digest,
        part=ASSET,
        purpose=f"Without {down}",
        legal_basis="PIPL Art. 13",
        now=NOW,
    )
    for side in ("cn", "hk"):
        for holder in old.world.side(side)[:down]:
            holder.down = True
    try:
        old.world.link(spv).create(own.envelope)
        for side in ("cn", "hk"):
            old.world.decide(side, own)
        opened(old.world, own, tmp_path / "out")
    finally:
        for holder in old.world.holders:
            holder.down = False
    assert values_in(tmp_path / "out")["capacity"] == ("13.500 MW", True)


# --- requests -----------------------------------------------------------------------------------


def asked(name: str) -> bytes:
    """A request file of the investor's."""
    return (OLD / "investor" / f"{name}.request.json").read_bytes()


def test_requests_stand_as_they_stood(
    old: Installation, custodian: Identity, spv: Identity
) -> None:
    """To each side; a refusal is still the custodian's alone to see."""
    mine = {each.digest: each.state for each in requests.list_all(old.session(spv).channel)}
    theirs = {each.digest: each for each in requests.list_all(old.session(custodian).channel)}
    for name in ("north", "both", "words"):
        assert mine[digest_of(asked(name))] == "answered"
    refused = digest_of(asked("refused"))
    assert (mine[refused], theirs[refused].state) == ("pending", "denied")
    assert theirs[refused].detail == "Not now"
    with pytest.raises(NotFoundError, match="pending"):
        requests.fetch(old.session(spv).channel, refused)


@pytest.mark.parametrize("name", ["north", "both", "words"])
def test_an_answered_request_gives_the_same_bundle(
    old: Installation, spv: Identity, name: str
) -> None:
    """Byte for byte, and it verifies."""
    bundle = requests.fetch(old.session(spv).channel, digest_of(asked(name)))
    assert bundle == (OLD / "investor" / f"{name}.proof.json").read_bytes()
    assert verified(bundle, asked(name)).context.request == digest_of(asked(name))


def test_a_waiting_request_is_answered_in_one_message(
    old: Installation, custodian: Identity, spv: Identity
) -> None:
    """Submitted before, granted now; a client of that time reads one answer and no more."""
    session, heard = old.session(custodian), []
    session.channel.tamper = lambda method, answer: heard.append(method) or answer  # type: ignore[attr-defined]
    digest = digest_of(asked("waiting"))
    offer = requests.get(session.channel, digest)
    prepared = prepare(
        custodian,
        session.sites,
        pinned_schemas.load_all(custodian),
        digest=digest,
        request=offer.view.request,
        asker=offer.view.asker,
        attestations=offer.attestations,
        sets=offer.sets,
        outlooks=offer.outlooks,
        now=NOW,
    )
    assert offer.outlooks == {"capacity >= 10 MW": None}
    signed = grant(custodian, prepared, now=NOW)
    assert requests.approve(session.channel, digest, signed, "PIPL Art. 38") == ("answered", "")
    assert heard == ["GetProofRequest", "ApproveProofRequest"]
    found = verified(requests.fetch(old.session(spv).channel, digest), asked("waiting"))
    (document,) = found.documents
    assert (document.attestation.document, document.attestation.version) == (IDS["south"], 2)


def test_a_set_is_exported_as_it_was(old: Installation, spv: Identity) -> None:
    """The file that verifiers have, byte for byte."""
    session = old.session(spv)
    named = sets.export(session.channel, session.sites, "sanctions")
    assert named.export() == (OLD / "investor/sanctions.set").read_bytes()


# --- new proofs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("documents", "facts"),
    [
        ({"doc": "north"}, ["capacity in 20..30 MW", "owner not in @sanctions"]),
        ({"doc": "words"}, ["each >= 200 kW", "present <= where"]),
        ({"a": "north", "b": "south"}, ["a.debt + b.debt <= a.valuation", "b.capacity >= 13 MW"]),
    ],
)
def test_old_documents_are_proven_about(
    old: Installation, custodian: Identity, documents: dict[str, str], facts: list[str]
) -> None:
    """One alone, one whose attributes have names that the language uses now, two by alias."""
    session, heard = old.session(custodian), []
    session.channel.tamper = lambda method, answer: heard.append(method) or answer  # type: ignore[attr-defined]
    about = {alias: IDS[name] for alias, name in documents.items()}
    life = timedelta(days=30)
    made, bundle = own_proof.prove(session, about, facts, life=life, now=NOW, **WHY)  # type: ignore[arg-type]
    assert heard.count("CreateProof") == 1
    found = verified(bundle, made.data)
    assert {each.alias: each.attestation.document for each in found.documents} == about
    assert list(found.facts) == facts


def test_what_is_false_of_an_old_document_is_not_proven(
    old: Installation, custodian: Identity
) -> None:
    """Its newest version is the one that counts."""
    session, life = old.session(custodian), timedelta(days=30)
    about = {"doc": IDS["south"]}
    with pytest.raises(ConflictError, match="false"):
        own_proof.prove(session, about, ["capacity <= 13 MW"], life=life, now=NOW, **WHY)  # type: ignore[arg-type]


FACTS = [
    "sum(capacity) >= 39 MW",
    "sum(debt) * 100 <= sum(valuation) * 60",
    "count() >= 2",
    "each owner not in @sanctions",
    "each commissioned >= 2019-01-01 where present",
]


def listed(old: Installation, custodian: Identity, wish: Wish) -> tuple[Request, Verified]:
    """A proof about a selection of the old plants, verified."""
    name = None if wish.manifest is not None else "plant"
    session, life = old.session(custodian), timedelta(days=30)
    granted, bundle = prove_list(session, name, wish, FACTS, life=life, now=NOW, **WHY)  # type: ignore[arg-type]
    return granted.request, verified(bundle, granted.request.data)


@pytest.mark.parametrize("terms", [("all",), (f"spv={SPV}",), ("asset=cn-pv-*", f"spv={SPV}")])
def test_old_documents_are_proven_about_together(
    old: Installation, custodian: Identity, terms: tuple[str, ...]
) -> None:
    """Sums and sentences about each, over documents chosen by what was attested then."""
    _, found = listed(old, custodian, Wish(terms))
    assert found.selection is not None
    assert found.selection.assets == ("cn-pv-1", "cn-pv-2")
    assert found.selection.documents == tuple(sorted((IDS["north"], IDS["south"])))
    assert found.selection.left_out == (0, 0, 0, 0, 1)
    assert found.selection.chosen_by == "prover"


def test_old_documents_go_into_a_manifest(old: Installation, custodian: Identity) -> None:
    """Signed now over versions put before, registered, and proven over."""
    session = old.session(custodian)
    schema = pinned_schemas.find(custodian, "plant")
    period = (date(2026, 7, 1), date(2026, 12, 31))
    documents = [each.attestation for each in own_attestations(session, schema)]
    with open_serials(custodian) as journal:
        drafted = manifests.draft(
            documents,
            schema,
            spv=SPV,
            period=period,
            serial=1,
            attributes=["capacity", "debt", "valuation", "owner", "commissioned"],
            now=NOW,
        )
        file = manifests.sign_draft(custodian, journal, drafted)
    versions = [(each.document, each.version) for each in documents]
    manifests.register(session.channel, file.envelope.encode(), versions)
    wish = Wish(manifest=read_own_manifest(custodian, file.encode()))
    request, found = listed(old, custodian, wish)
    assert request.selection is not None
    assert (request.selection.spv, request.selection.period) == (SPV, period)
    assert found.selection is not None
    assert (found.selection.chosen_by, found.selection.count) == ("manifest", 2)


# --- going on -----------------------------------------------------------------------------------


def test_the_next_version_of_an_old_document_is_put(
    old: Installation, custodian: Identity, tmp_path: Path
) -> None:
    """Sealed now beside the versions of then, which stay; both parts of it open."""
    world, session = old.world, old.session(custodian)
    schema = pinned_schemas.find(custodian, "words")
    prepared = prepare_document(
        schema,
        asset="cn-w-1",
        as_of=AsOf.day(date(2026, 11, 1)),
        valid_until=NOW + timedelta(days=100),
        attributes=attributes("words") | {"where": 41},
        document=IDS["words"],
        version=2,
    )
    sealed = world.send(Sealer(custodian, session.sites, world.clock).begin(prepared), custodian)
    found = get_document(session.channel, custodian, IDS["words"])
    assert [each.attestation.version for each in found] == [2, 1]
    assert found[0].attestation.digest == sealed.attestation_digest
    assert len(list(list_documents(session.channel, custodian, asset="cn-w-1"))) == 2
    own = approved(world, world.ask(sealed, custodian))
    opened(world, own, tmp_path / "out")
    assert values_in(tmp_path / "out")["where"] == ("41 kW", True)
