"""A custodian's client and a vault about selections: what is chosen, signed, shown and refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import bundles
from support.list_world import asked, plants
from support.proof_world import DAY, NOW, World, make_world, trust_for
from support.sites import TwoSites, make_two_sites
from support.wire import Wire, session_at

from proofs.envelope import Envelope, PayloadType, sign
from proofs.errors import BindingError, FactError, SetError, SignatureError
from proofs.grant import Grant
from proofs.manifest import Manifest, ManifestFile
from proofs.policy import Expectation
from proofs.request import Request
from proofs.verify import verify_bundle
from vault.client import pinned_schemas, requests
from vault.client.attestations import own_attestations
from vault.client.consent_list import ListConsent, Wish, choose, grant_list, prepare_list
from vault.client.own_list_proof import prove_list
from vault.client.own_manifest import OwnManifest, read_own_manifest
from vault.client.session import Session
from vault.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError

SCHEMA = bundles.schema()
PERIOD = (date(2026, 1, 1), date(2026, 6, 30))
SPV = "Harbour No. 1"
SUM = ["sum(capacity) >= 90 MW"]


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    sites = make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)
    for name in ("bank", "trust"):
        pinned_schemas.pin(sites.identity("cn", "custodian", name), SCHEMA.encode())
    return sites


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


@pytest.fixture
def bank(world: World) -> tuple[Session, Wire]:
    return session_at(world, world.sites.identity("cn", "custodian", "bank"))


def manifest_of(world: World, session: Session, *, serial: int = 1, spv: str = SPV) -> bytes:
    """The file of a manifest over all that the bank has; registered with the vault."""
    attestations = [each.attestation for each in own_attestations(session, SCHEMA)]
    payload, rows = Manifest.build(
        attestations,
        SCHEMA,
        spv=spv,
        period=PERIOD,
        serial=serial,
        attributes=["capacity"],
        signed_at=NOW,
    )
    signed = sign(PayloadType.PORTFOLIO, payload, session.identity.signing_key)
    world.manifests.register(
        world.bank, signed, [(each.document, each.version) for each in attestations]
    )
    return ManifestFile(Envelope.parse(signed), rows).encode()


def own_manifest(world: World, session: Session, **changes: Any) -> OwnManifest:
    return read_own_manifest(session.identity, manifest_of(world, session, **changes))


def prove(session: Session, wish: Wish, facts: list[str], schema: str | None = "pv-plant"):
    return prove_list(
        session,
        schema,
        wish,
        facts,
        audience=bundles.AUDIENCE,
        purpose=bundles.PURPOSE,
        legal_basis="PIPL Art. 38",
        nonce=None,
        life=timedelta(days=5),
        now=NOW,
    )


def verdict(world: World, granted: ListConsent, bundle: bytes):
    return verify_bundle(
        bundle,
        trust=trust_for(world),
        expectation=Expectation.for_request(granted.request.data),
        sets=list(world.named.values()),
        now=NOW,
    ).selection


def test_an_own_proof_over_a_choice(world: World, bank: tuple[Session, Wire]) -> None:
    """Chosen by a public attribute; the grant lives as long as was said and no longer."""
    plants(world, 3)
    world.store("cn-pv-5", province="Anhui", owner=None)
    facts = [*SUM, "each owner not in @sanctions where present"]
    granted, bundle = prove(bank[0], Wish(("province=Guangdong", "province=Anhui")), facts)
    found = verdict(world, granted, bundle)
    assert (found.count, found.chosen_by, found.left_out) == (5, "prover", (0, 1))
    assert [granted.left_out(each) for each in granted.facts] == [0, 1]
    granted, bundle = prove(bank[0], Wish(("province=Anhui",)), ["sum(capacity) >= 20 MW"])
    assert verdict(world, granted, bundle).assets == ("cn-pv-5",)
    with pytest.raises(ConflictError, match="false"):
        prove(bank[0], Wish(("province=Anhui",)), ["sum(capacity) >= 90 MW"])


def test_an_own_proof_over_a_manifest(world: World, bank: tuple[Session, Wire]) -> None:
    """Its SPV and period stand in the request, and it in the bundle for the attestations."""
    plants(world, 3)
    manifest = own_manifest(world, bank[0])
    granted, bundle = prove(bank[0], Wish(manifest=manifest), SUM, None)
    found = verdict(world, granted, bundle)
    assert (found.count, found.chosen_by) == (4, "manifest")
    assert (found.manifest.spv, found.manifest.serial) == (SPV, 1)
    with pytest.raises(BindingError, match="no commitments of annual_yield"):
        prove(bank[0], Wish(manifest=manifest), ["each annual_yield >= 0.01"], None)


def test_a_manifest_that_was_replaced_or_outlived_its_list_is_refused(
    world: World, bank: tuple[Session, Wire]
) -> None:
    """A later serial stands; and a list with a newer version in it is another list."""
    plants(world, 1)
    first = own_manifest(world, bank[0])
    second = own_manifest(world, bank[0], serial=2)
    with pytest.raises(ConflictError, match="serial 2"):
        prove(bank[0], Wish(manifest=first), ["sum(capacity) >= 1 MW"], None)
    prove(bank[0], Wish(manifest=second), ["sum(capacity) >= 1 MW"], None)
    gone = replace(second, rows=((second.rows[0][0], 2), *second.rows[1:]))
    with pytest.raises(BindingError, match="higher serial"):
        choose(bank[0], request_of(world, spv=SPV).selection, Wish(manifest=gone), now=NOW)


def test_a_manifest_must_be_ones_own(world: World, bank: tuple[Session, Wire]) -> None:
    """Signed by the key of the custodian that reads it, with exactly its rows."""
    data = manifest_of(world, bank[0])
    with pytest.raises(SignatureError):
        read_own_manifest(world.sites.identity("cn", "custodian", "trust"), data)
    file = ManifestFile.parse(data)
    changed = replace(file, rows=file.rows[:-1] + bytes([file.rows[-1] ^ 1]))
    with pytest.raises(BindingError, match="rows"):
        read_own_manifest(bank[0].identity, changed.encode())


def request_of(world: World, **about: Any) -> Request:
    if "spv" in about:
        about["period"] = PERIOD
    request = asked(world, ["sum(capacity) >= 1 MW"], **about)
    world.asking.submit(world.issuer, request.data)
    return request


def test_what_is_fixed_is_not_chosen_and_what_is_free_must_be(
    world: World, bank: tuple[Session, Wire]
) -> None:
    """Assets by the request, a list by its manifest; where nothing is said, by the custodian."""
    plants(world, 2)
    named = request_of(world, assets=["cn-pv-1001"], nonce="01" * 32).selection
    of_spv = request_of(world, spv=SPV, nonce="02" * 32).selection
    free = request_of(world, nonce="03" * 32).selection
    session, manifest = bank[0], own_manifest(world, bank[0])
    assert named is not None
    assert of_spv is not None
    assert free is not None
    for selection, wish, reason in (
        (named, Wish(("all",)), "fixed already"),
        (named, Wish(listed=("cn-pv-1000",)), "fixed already"),
        (of_spv, Wish(("all",)), "--manifest"),
        (of_spv, Wish(), "--manifest"),
        (of_spv, Wish(("all",), manifest=manifest), "fixed already"),
        (of_spv, Wish(manifest=own_manifest(world, session, spv="Other")), "--manifest"),
        (free, Wish(), "--select"),
    ):
        with pytest.raises(InvalidInputError, match=reason):
            choose(session, selection, wish, now=NOW)

    def assets(selection, wish: Wish) -> list[str]:
        found = choose(session, selection, wish, now=NOW)
        return sorted(each.attestation.asset for each in found)

    assert assets(named, Wish()) == ["cn-pv-1001"]
    assert assets(of_spv, Wish(manifest=manifest)) == [bundles.ASSET, "cn-pv-1000", "cn-pv-1001"]
    assert assets(free, Wish(listed=("cn-pv-1000",))) == ["cn-pv-1000"]
    assert assets(free, Wish(manifest=manifest)) == assets(free, Wish(("all",)))


def test_assets_that_are_not_there_are_named(world: World, bank: tuple[Session, Wire]) -> None:
    """The custodian learns which; nothing can be granted."""
    plants(world, 1)
    world.store("cn-pv-1001", attested={"valid_until": NOW + DAY / 24})
    selection = request_of(world, assets=["cn-pv-1000", "cn-pv-1001"]).selection
    world.now = NOW + DAY / 12
    assert selection is not None
    with pytest.raises(NotFoundError, match="about cn-pv-1001"):
        choose(bank[0], selection, Wish(), now=world.now)


def approve(session: Session, request: Request, wish: Wish) -> tuple[str, str]:
    """As `crossvault request approve` does it."""
    offer = requests.get(session.channel, request.digest)
    assert request.selection is not None
    prepared = prepare_list(
        session,
        choose(session, request.selection, wish, now=NOW),
        digest=offer.view.digest,
        request=offer.view.request,
        asker=offer.view.asker,
        manifest=wish.manifest,
        sets=offer.sets,
        now=NOW,
    )
    standing = requests.check(session.channel, request.digest, offer.view.asker, prepared.chosen)
    assert list(standing) == list(request.facts)
    signed = grant_list(session.identity, prepared, now=NOW)
    return requests.approve(
        session.channel, request.digest, signed, "PIPL Art. 38", chosen=prepared.chosen
    )


def test_a_request_is_approved_and_fetched_in_pieces(
    world: World, bank: tuple[Session, Wire]
) -> None:
    """Every kind of list, through the messages of the service; with an outlook before."""
    plants(world, 2)
    manifest = own_manifest(world, bank[0])
    issuer, wire = session_at(world, world.sites.identity("hk", "spv", "issuer"))
    cases = (
        (request_of(world, assets=["cn-pv-1000"], nonce="01" * 32), Wish()),
        (request_of(world, spv=SPV, nonce="02" * 32), Wish(manifest=manifest)),
        (request_of(world, nonce="03" * 32), Wish(("all",))),
    )
    for request, wish in cases:
        assert approve(bank[0], request, wish) == ("answered", "")
        bundle = requests.fetch(issuer.channel, request.digest)
        assert bundle == world.asking.fetch(world.issuer, request.digest)

    def endless(method: str, answer: Any) -> Any:
        answer.piece = bytes(33 << 20)
        return answer

    wire.tamper = endless
    with pytest.raises(IntegrityError, match="more than a bundle"):
        requests.fetch(issuer.channel, cases[0][0].digest)


def test_the_outlook_says_which_assets_stand_in_the_way(
    world: World, bank: tuple[Session, Wire]
) -> None:
    """False of some, absent in some: for the custodian that decides."""
    plants(world, 5)
    world.store("cn-pv-7", owner=None)
    facts = [
        "each capacity >= 30 MW",
        "each owner not in @sanctions",
        "each owner not in @sanctions where present",
        "sum(capacity) >= 1000 MW",
        "count() <= 6",
        "each phone not in @fuels where present",
        "each province in {Anhui, Guangdong}",
        "each capacity * 2 <= 97 MW",
    ]
    request = asked(world, facts)
    world.asking.submit(world.issuer, request.data)
    documents = choose(bank[0], request.selection, Wish(("all",)), now=NOW)
    chosen = requests.ChosenList([each.attestation.digest for each in documents])
    found = requests.check(bank[0].channel, request.digest, "", chosen)
    assert found == {
        "each capacity >= 30 MW": "the fact is false of 2 documents (cn-pv-1000, cn-pv-1003)",
        "each owner not in @sanctions": (
            "owner is absent in cn-pv-7 (`where present` would leave those out)"
        ),
        "each owner not in @sanctions where present": None,
        "sum(capacity) >= 1000 MW": "the fact is false",
        "count() <= 6": "the fact is false",
        "each phone not in @fuels where present": "no document of the list has its attributes",
        "each province in {Anhui, Guangdong}": None,
        "each capacity * 2 <= 97 MW": None,
    }


def test_the_client_signs_for_what_it_checked_alone(
    world: World, bank: tuple[Session, Wire]
) -> None:
    """Another request, an unlisted asker, a set that nobody showed, another list: no grant."""
    plants(world, 2)
    request = asked(world, ["each owner not in @sanctions"])
    world.asking.submit(world.issuer, request.data)
    session = bank[0]
    documents = choose(session, request.selection, Wish(("all",)), now=NOW)
    shown = [world.named["sanctions"].envelope.encode()]
    right = {
        "digest": request.digest,
        "request": request.data,
        "asker": world.issuer.uri,
        "manifest": None,
        "sets": shown,
        "now": NOW,
    }
    prepared = prepare_list(session, documents[::-1], **right)
    signed = Envelope.parse(grant_list(session.identity, prepared, now=NOW))
    grant = Grant.parse(signed.unverified_payload)
    assert grant.selection is not None
    assert (grant.selection.count, grant.selection.attestations) == (3, prepared.listing.digest)
    other = asked(world, SUM)
    manifest = own_manifest(world, session)
    cases = (
        ({"request": other.data}, documents, BindingError, "another request"),
        ({"asker": "spiffe://rwa.example/hk/spv/nobody"}, documents, NotFoundError, "not listed"),
        ({"sets": []}, documents, SetError, "showed no set"),
        ({"manifest": manifest}, documents[:-1], BindingError, "another list"),
        ({"now": NOW + 365 * DAY}, documents, BindingError, "expired"),
        ({}, [*documents, documents[0]], BindingError, "twice"),
        ({}, [], BindingError, "0 documents"),
    )
    for changes, given, kind, reason in cases:
        with pytest.raises(kind, match=reason):
            prepare_list(session, given, **(right | changes))
    by_alias = world.request()
    with pytest.raises(BindingError, match="by alias"):
        prepare_list(
            session,
            documents,
            **(right | {"digest": by_alias.digest, "request": by_alias.data}),
        )


def test_what_may_not_be_asked_is_not_signed(world: World, bank: tuple[Session, Wire]) -> None:
    """Though a vault had let it in: the rule of the classes is the client's too."""
    plants(world, 1)
    request = asked(world, ["each capacity in 20..20 MW"], exact=True)
    documents = choose(bank[0], request.selection, Wish(("all",)), now=NOW)
    with pytest.raises(FactError, match="possible"):
        prepare_list(
            bank[0],
            documents,
            digest=request.digest,
            request=request.data,
            asker=world.issuer.uri,
            manifest=None,
            sets=[],
            now=NOW,
        )
