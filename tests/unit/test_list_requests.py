"""Requests about selections at the vault: admitted, concerning whom, and how answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from support import bundles
from support.list_world import asked, digests, grant, own, plants
from support.proof_world import DAY, NOW, World, make_world, trust_for
from support.sites import TwoSites, make_two_sites

from proofs.envelope import PayloadType, sign
from proofs.errors import BindingError, FactError, GrantError
from proofs.grant import Grant, GrantedSelection
from proofs.ids import digest_of
from proofs.listing import listing_digest
from proofs.policy import Expectation
from proofs.selection import Selection
from proofs.verify import Verified, verify_bundle
from vault.app.answering import Answering
from vault.app.request_views import SeenState
from vault.app.selections import GivenList
from vault.errors import ConflictError, ExhaustedError, InvalidInputError, NotFoundError
from vault.storage.journal import Scope

SUM = "sum(capacity) >= 150 MW"
EACH = "each owner not in @sanctions where present"


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


def verified(world: World, request, bundle: bytes) -> Verified:
    return verify_bundle(
        bundle,
        trust=trust_for(world),
        expectation=Expectation.for_request(request.data),
        sets=list(world.named.values()),
        now=NOW,
    )


def test_a_granted_list_becomes_a_bundle_that_an_outsider_verifies(world: World) -> None:
    """A sum, a count, and a fact about each; one record and one count for every document."""
    listed = [*plants(world, 5), world.store("cn-pv-2000", owner=None)]
    request = asked(world, [SUM, "count() >= 6", EACH])
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed)
    told: list[tuple[int, int]] = []
    seen = world.answering.approve(
        world.bank,
        request.digest,
        envelope,
        "PIPL Art. 13",
        given=given,
        report=lambda done, total: told.append((done, total)),
    )
    assert seen.state is SeenState.ANSWERED, seen.detail
    bundle = world.asking.fetch(world.issuer, request.digest)
    selection = verified(world, request, bundle).selection
    assert selection is not None
    assert selection.count == 6
    assert set(selection.assets) == {each.asset for each in listed}
    assert selection.chosen_by == "prover"
    assert selection.left_out == (0, 0, 1)
    records = world.journal.read(Scope(everything=True), since=None, after=0, limit=99)
    assert sorted(each.entry.document for each in records) == sorted(e.document for e in listed)
    assert {each.entry.artefact for each in records} == {digest_of(bundle)}
    assert {each.entry.legal_basis for each in records} == {"PIPL Art. 13"}
    for each in listed:
        found = world.catalog.find_attested(each.attestation_digest)
        assert found is not None
        assert found.bundles_issued == 1
    assert told
    assert told[-1][0] == told[-1][1]


def test_another_executor_gives_as_good_a_bundle(world: World) -> None:
    """Parts go to whatever the vault was given."""
    listed = plants(world, 3)
    request = asked(world, ["each capacity >= 20 MW", "sum(capacity) >= 90 MW"])
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed)
    with ThreadPoolExecutor(2) as pool:
        answering = Answering(world.answering._desk, pool)
        seen = answering.approve(world.bank, request.digest, envelope, "basis", given=given)
    assert seen.state is SeenState.ANSWERED
    verified(world, request, world.asking.fetch(world.issuer, request.digest))


def test_assets_that_the_request_names_are_the_whole_list(world: World) -> None:
    """Not fewer, not more, not others: neither the client nor the vault lets a list differ."""
    listed = plants(world, 4)
    named = [each.asset for each in listed[:3]]
    request = asked(world, ["sum(capacity) >= 90 MW"], assets=named)
    world.asking.submit(world.issuer, request.data)
    with pytest.raises(BindingError, match="other assets"):
        grant(world, request, listed)
    with pytest.raises(BindingError, match="other assets"):
        grant(world, request, listed[:2])
    envelope, given = grant(world, request, listed[:3])
    for other in (listed, listed[:2], [*listed[:2], listed[3]]):
        with pytest.raises(GrantError, match="not of exactly the assets"):
            world.answering.approve(
                world.bank,
                request.digest,
                envelope,
                "basis",
                given=GivenList(digests(other), b""),
            )
    world.answering.approve(world.bank, request.digest, envelope, "basis", given=given)
    selection = verified(world, request, world.asking.fetch(world.issuer, request.digest)).selection
    assert selection is not None
    assert selection.chosen_by == "request"


def lists_that_do_not_fit(world: World) -> dict[str, tuple[type[Exception], str, GivenList | None]]:
    listed = plants(world, 3)
    trust = plants(world, 1, custodian="trust")
    granted = digests(listed)
    return {
        "none": (GrantError, "hand it in", None),
        "fewer": (GrantError, "another list", GivenList(granted[:2], b"")),
        "twice": (GrantError, "twice", GivenList((*granted, granted[0]), b"")),
        "unknown": (GrantError, "not yours", GivenList((*granted[:2], "0" * 64), b"")),
        "another's": (GrantError, "not yours", GivenList((*granted[:2], *digests(trust)), b"")),
        "too many": (GrantError, "1 to", GivenList(tuple(f"{n:064x}" for n in range(16_385)), b"")),
    }


@pytest.mark.parametrize("case", ["none", "fewer", "twice", "unknown", "another's", "too many"])
def test_a_list_other_than_the_granted_one_is_refused(world: World, case: str) -> None:
    """What comes beside the grant is compared with it, document by document."""
    kind, reason, given = lists_that_do_not_fit(world)[case]
    listed = [
        each
        for each in world.catalog.list_versions(world.bank.uri, limit=99)
        if each.asset != bundles.ASSET
    ]
    request = asked(world, [SUM])
    world.asking.submit(world.issuer, request.data)
    envelope, _ = grant(world, request, listed)
    with pytest.raises(kind, match=reason):
        world.answering.approve(world.bank, request.digest, envelope, "basis", given=given)
    assert world.seen_by_asker(request).state is SeenState.PENDING


def test_one_asset_or_an_expired_version_in_a_list_is_refused(world: World) -> None:
    """Two documents of one asset would count it twice; what has expired says nothing."""
    first, second = world.store("cn-pv-3000"), world.store("cn-pv-3000")
    request = asked(world, ["sum(capacity) >= 20 MW"])
    world.asking.submit(world.issuer, request.data)
    with pytest.raises(BindingError, match="stands twice"):
        grant(world, request, [first, second])
    envelope, given = grant(world, request, [first])
    with pytest.raises(BindingError, match="stands twice"):
        world.answering.approve(
            world.bank,
            request.digest,
            envelope,
            "basis",
            given=GivenList(digests([first, second]), b""),
        )
    short = world.store("cn-pv-3001", attested={"valid_until": NOW + DAY / 4})
    envelope, given = grant(world, request, [short])
    world.now = short.valid_until
    with pytest.raises(BindingError, match="expired"):
        grant(world, request, [short])
    payload = Grant.build(
        request=request.digest,
        asker=world.issuer,
        selection=GrantedSelection(1, listing_digest([own(short).attestation])),
        sets=[],
        not_before=world.now,
        bundle_expires=world.now + DAY,
        granted_at=world.now,
        expires=world.now + DAY,
    )
    bank = world.sites.identity("cn", "custodian", "bank")
    signed = sign(PayloadType.GRANT, payload, bank.signing_key)
    with pytest.raises(GrantError, match="has expired"):
        world.answering.approve(world.bank, request.digest, signed, "basis", given=given)


def test_documents_by_alias_and_lists_are_not_mixed(world: World) -> None:
    """A grant of one kind answers no request of the other, whatever comes with it."""
    (plant,) = plants(world, 1)
    by_alias = world.request()
    over_list = asked(world, ["sum(capacity) >= 20 MW"])
    for each in (by_alias, over_list):
        world.asking.submit(world.issuer, each.data)
    envelope, given = grant(world, over_list, [plant])
    with pytest.raises(GrantError):
        world.answering.approve(
            world.bank, by_alias.digest, world.grant(by_alias), "basis", given=given
        )
    with pytest.raises(GrantError, match="hand it in"):
        world.answering.approve(world.bank, over_list.digest, envelope, "basis")


REFUSED_AT_ONCE = {
    "another schema": (InvalidInputError, "not known here", {"selection": Selection("0" * 64)}),
    "not canonical": (FactError, "canonical", {"facts": ["sum(capacity)  >= 1 MW"]}),
    "unknown attribute": (FactError, "no attribute", {"facts": ["sum(capacty) >= 1 MW"]}),
    "no number": (FactError, "only numbers", {"facts": ["sum(province) >= 1"]}),
    "without each": (FactError, "canonical", {"facts": ["capacity >= 20.000 MW"]}),
    "personal": (FactError, "personal", {"facts": ["each phone = 123"]}),
    "opening": (FactError, "possible", {"facts": ["each capacity in 20..20 MW"]}),
    "nothing proven": (FactError, "count alone", {"facts": ["count() >= 1"]}),
    "set not named": (FactError, "authority", {"facts": ["each owner not in @sanctions"]}),
}


@pytest.mark.parametrize("case", REFUSED_AT_ONCE)
@pytest.mark.parametrize("stored", [0, 3])
def test_what_may_not_be_asked_is_refused_alike_for_any_documents(
    world: World, case: str, stored: int
) -> None:
    """The refusal comes from request, schema and sets alone: some documents or none, same words."""
    kind, reason, changes = REFUSED_AT_ONCE[case]
    plants(world, stored)
    values = {"facts": ["sum(capacity) >= 20 MW"], "sets": []} | changes
    request = asked(world, exact=True, **values)
    with pytest.raises(kind, match=reason):
        world.asking.submit(world.issuer, request.data)
    with pytest.raises(NotFoundError):
        world.seen_by_asker(request)


def test_a_selection_concerns_who_has_all_that_it_names(world: World) -> None:
    """Every named asset; or, where none is named, any document of the schema."""
    plants(world, 2)
    plants(world, 3, custodian="trust")
    trust = world.sites.identity("cn", "custodian", "trust").principal
    two = asked(world, ["sum(capacity) >= 20 MW"], assets=["cn-pv-1000", "cn-pv-1001"])
    three = asked(
        world, ["sum(capacity) >= 20 MW"], assets=["cn-pv-1000", "cn-pv-1001", "cn-pv-1002"]
    )
    free = asked(world, ["sum(capacity) >= 20 MW"])
    for each in (two, three, free):
        world.asking.submit(world.issuer, each.data)

    def concerning(who) -> list[str]:
        return [e.digest for e in world.deciding.of_custodian(who, limit=9, before=None).requests]

    assert concerning(world.bank) == [free.digest, two.digest]
    assert concerning(trust) == [free.digest, three.digest, two.digest]
    with pytest.raises(NotFoundError):
        world.deciding.get_for_custodian(world.bank, three.digest)
    _, candidate, _ = world.deciding.get_for_custodian(world.bank, two.digest)
    assert candidate is None


def test_an_asker_learns_nothing_about_the_list(world: World) -> None:
    """Unknown assets, a false sum, an absent attribute: pending, and declined at the expiry."""
    listed = [*plants(world, 2), world.store("cn-pv-1002", owner=None)]
    cases = {
        "false": asked(world, ["sum(capacity) >= 500 MW"], nonce="01" * 32),
        "absent": asked(world, ["each owner not in @sanctions"], nonce="02" * 32),
        "unknown": asked(world, ["sum(capacity) >= 20 MW"], assets=["cn-pv-9999"], nonce="03" * 32),
        "ignored": asked(world, ["sum(capacity) >= 40 MW"], nonce="04" * 32),
    }
    for each in cases.values():
        world.asking.submit(world.issuer, each.data)
    for name, reason in (("false", "false"), ("absent", "absent in cn-pv-1002")):
        envelope, given = grant(world, cases[name], listed)
        seen = world.answering.approve(
            world.bank, cases[name].digest, envelope, "basis", given=given
        )
        assert seen.state is SeenState.FAILED
        assert reason in seen.detail
    for moment, state in ((NOW, SeenState.PENDING), (NOW + DAY, SeenState.DECLINED)):
        world.now = moment
        for each in cases.values():
            seen = world.seen_by_asker(each)
            assert (seen.state, seen.detail) == (state, "")
    assert world.journal.read(Scope(party=world.issuer.uri), since=None, after=0, limit=9) == []


def test_a_sum_that_pins_this_very_list_is_not_proven(world: World) -> None:
    """How much a sum leaves open depends on the number of documents; the custodian is told."""
    listed = plants(world, 1)
    request = asked(world, ["sum(capacity) >= 20 MW", "sum(capacity) <= 20 MW"])
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed)
    with pytest.raises(FactError, match="possible"):
        world.deciding.check_list(world.bank, request.digest, given)
    seen = world.answering.approve(world.bank, request.digest, envelope, "basis", given=given)
    assert seen.state is SeenState.FAILED
    assert "possible" in seen.detail
    assert world.seen_by_asker(request).state is SeenState.PENDING


def test_an_own_proof_about_a_list_is_answered_once(world: World) -> None:
    """The same grant again gives the same bundle; a false fact says so."""
    listed = plants(world, 3)
    request = asked(world, ["sum(capacity) >= 90 MW"], nonce=None)
    envelope, given = grant(world, request, listed, asker=world.bank.uri)
    bundle = world.answering.create(world.bank, request.data, envelope, "basis", given=given)
    assert verified(world, request, bundle).selection is not None
    again = world.answering.create(world.bank, request.data, envelope, "basis", given=given)
    assert again == bundle
    false = asked(world, ["sum(capacity) >= 91 MW"], nonce=None)
    envelope, given = grant(world, false, listed, asker=world.bank.uri)
    with pytest.raises(ConflictError, match="false") as caught:
        world.answering.create(world.bank, false.data, envelope, "basis", given=given)
    assert caught.value.reason == "CANNOT_PROVE"


def test_a_request_for_a_manifests_list_is_not_answered_without_one(world: World) -> None:
    """An SPV and a period are asked about: only a signed list of exactly these will do."""
    listed = plants(world, 2)
    period = (date(2026, 1, 1), date(2026, 6, 30))
    request = asked(world, ["sum(capacity) >= 40 MW"], spv="Harbour No. 1", period=period)
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed)
    with pytest.raises(GrantError, match="manifest"):
        world.answering.approve(world.bank, request.digest, envelope, "basis", given=given)


def test_so_much_is_proven_about_lists_at_a_time(world: World) -> None:
    """One custodian's large proofs leave room for another's, and no queue holds threads."""
    listed = plants(world, 2)
    request = asked(world, ["sum(capacity) >= 40 MW"])
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed)
    slots = world.desk.slots
    trust = world.sites.identity("cn", "custodian", "trust").principal
    with slots.enter(world.bank), slots.enter(world.bank):
        with pytest.raises(ExhaustedError, match="at once") as caught:
            world.answering.approve(world.bank, request.digest, envelope, "basis", given=given)
        assert caught.value.reason == "TOO_MANY_PROOFS"
        with pytest.raises(ExhaustedError):
            world.deciding.check_list(world.bank, request.digest, given)
        with slots.enter(trust):
            with pytest.raises(ExhaustedError):  # the last is for who has none
                slots.enter(trust).__enter__()
            with slots.enter(world.issuer), pytest.raises(ExhaustedError):
                slots.enter(world.sites.vault.principal).__enter__()
    assert world.seen_by_asker(request).state is SeenState.PENDING
    done = world.answering.approve(world.bank, request.digest, envelope, "basis", given=given)
    assert done.state is SeenState.ANSWERED
