"""What an asker may ask, and what it is told: real databases, real keys, a set clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support import bundles
from support.proof_world import DAY, NOW, OTHER_ASSET, UNKNOWN_ASSET, World, make_world
from support.sites import TwoSites, make_two_sites

from proofs.errors import CrossproofError, FactError, SetError
from proofs.request import Request, RequestedDocument
from vault.app.journal import list_records
from vault.app.request_views import SeenState
from vault.errors import (
    ExhaustedError,
    InvalidInputError,
    NotFoundError,
    VaultError,
)
from vault.server.auth import _caller
from vault.server.errors import answer
from vault.server.records import RecordServicer
from vault.server.tls import Caller
from vault.storage.journal import Entry, Scope
from vault.v1 import proof_pb2, record_pb2


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


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
        world.asking.submit(world.issuer, asked.data)
        found.append((name, asked))
    absent = world.request(("owner not in @sanctions",), asset=OTHER_ASSET, nonce="9" * 64)
    world.asking.submit(world.issuer, absent.data)
    found.append(("absent", absent))
    return found


def test_an_asker_cannot_tell_why_there_is_no_answer(world: World) -> None:
    """Denied, false, absent, unknown and ignored look alike, before and after the expiry."""
    cases = undecided(world)
    for name, asked in cases:
        if name == "denied":
            world.deciding.deny(world.bank, asked.digest, "not this quarter")
        elif name in ("false", "absent"):
            seen = world.answering.approve(world.bank, asked.digest, world.grant(asked), "basis")
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
                world.asking.fetch(world.issuer, asked.digest)
            refusals.add((str(caught.value), caught.value.reason))
        assert len(refusals) == 1
    shown = world.journal.read(Scope(party=world.issuer.uri), since=None, after=0, limit=99)
    assert shown == []


async def everything_an_asker_receives(world: World, asked: Sequence[Request]) -> list[bytes]:
    """Every answer of the vault to the asker, as it goes over the wire."""
    _caller.set(Caller(world.sites.vault.sites().principal(world.issuer)))
    proofs = world.servicer()
    records = RecordServicer(world.journal, world.sites.vault.principal)
    page = await proofs.ListProofRequests(proof_pb2.ListProofRequestsRequest(page_size=2), None)
    # Encrypted anew each time: of a token only the length could tell anything.
    page.next_page_token = "?" * len(page.next_page_token)
    answers = [
        page,
        await proofs.ListProofRequests(proof_pb2.ListProofRequestsRequest(), None),
        await records.ListRecords(record_pb2.ListRecordsRequest(), None),
        await records.ListRecords(record_pb2.ListRecordsRequest(page_size=1), None),
    ]
    for each in asked:
        wanted = proof_pb2.GetProofRequestRequest(digest=each.digest)
        answers.append(await proofs.GetProofRequest(wanted, None))
    found = [message.SerializeToString(deterministic=True) for message in answers]
    for each in asked:
        pieces = proofs.FetchBundle(proof_pb2.FetchBundleRequest(digest=each.digest), None)
        with pytest.raises(VaultError) as caught:
            await anext(pieces)
        found.append(answer(caught.value, method="FetchBundle").details)
    return found


def test_a_decision_changes_nothing_that_an_asker_receives(world: World) -> None:
    """Not one byte of any answer, numbers of its own later records and page tokens included."""
    cases = dict(undecided(world))
    own = Entry("release.requested", NOW, world.issuer.uri, recipient=world.issuer.uri)
    for _ in range(2):
        world.journal.append(own)
    before = asyncio.run(everything_an_asker_receives(world, list(cases.values())))
    world.deciding.deny(world.bank, cases["denied"].digest, "not this quarter")
    for name in ("false", "absent"):
        world.answering.approve(world.bank, cases[name].digest, world.grant(cases[name]), "basis")
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
            world.answering.approve(world.bank, asked.digest, world.grant(asked), "basis")
            seen, candidate, _ = world.deciding.get_for_custodian(world.bank, asked.digest)
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
        world.asking.submit(world.issuer, asked.data)
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
            world.asking.submit(world.issuer, asked.data)


def test_an_asker_may_leave_so_many_requests_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answered ones and those that ended a day ago make room; one that is there is no new one."""
    monkeypatch.setattr("vault.app.asking.MAX_OPEN", 2)
    first, second, third = (world.request(nonce=f"{number:064x}") for number in range(3))
    for asked in (first, second):
        world.asking.submit(world.issuer, asked.data)
    with pytest.raises(ExhaustedError, match="2 requests without"):
        world.asking.submit(world.issuer, third.data)
    assert world.asking.submit(world.issuer, first.data).state is SeenState.PENDING
    other = world.sites.identity("hk", "spv", "other").principal
    assert world.asking.submit(other, third.data).state is SeenState.PENDING
    world.deciding.deny(world.bank, second.digest, "no")
    with pytest.raises(ExhaustedError):
        world.asking.submit(world.issuer, third.data)
    world.answering.approve(world.bank, first.digest, world.grant(first), "basis")
    assert world.asking.submit(world.issuer, third.data).state is SeenState.PENDING
    world.now += 2 * DAY
    fourth = world.request(nonce="f" * 64, created=world.now, expires=world.now + DAY)
    assert world.asking.submit(world.issuer, fourth.data).state is SeenState.PENDING


def test_an_asker_may_leave_so_many_bytes_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests may be large: their number alone would not bound what one asker can fill."""
    first, second = (world.request(nonce=f"{number:064x}") for number in range(2))
    monkeypatch.setattr("vault.app.asking.MAX_OPEN_BYTES", len(first.data) + 1)
    world.asking.submit(world.issuer, first.data)
    with pytest.raises(ExhaustedError, match="1 requests without"):
        world.asking.submit(world.issuer, second.data)
    assert world.asking.submit(world.issuer, first.data).state is SeenState.PENDING
