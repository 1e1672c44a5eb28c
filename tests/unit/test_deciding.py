"""What a custodian sees of requests, and its refusals."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from support import bundles
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites

from proofs.request import LIMIT as MAX_REQUEST_BYTES
from vault.app.desk import require_open
from vault.app.request_views import SeenState
from vault.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from vault.server.auth import _caller
from vault.server.limits import Limits
from vault.server.tls import Caller
from vault.storage.journal import Scope
from vault.storage.proof_store import StoredRequest
from vault.v1 import proof_pb2


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


def test_one_custodians_refusal_binds_no_other(world: World) -> None:
    """A second custodian of the same asset id cannot block, nor see, the first one's decision."""
    world.store(bundles.ASSET, custodian="trust")
    trust = world.sites.identity("cn", "custodian", "trust").principal
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    world.deciding.deny(trust, asked.digest, "no")
    (seen,) = world.deciding.of_custodian(world.bank, limit=9, before=None).requests
    assert (seen.state, seen.detail) == (SeenState.PENDING, "")
    done = world.answering.approve(world.bank, asked.digest, world.grant(asked), "basis")
    assert done.state is SeenState.ANSWERED


def test_strangers_see_and_decide_nothing(world: World) -> None:
    """Another SPV does not find the request; a custodian without a document neither."""
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    other = world.sites.identity("hk", "spv", "other").principal
    trust = world.sites.identity("cn", "custodian", "trust").principal
    for attempt in (
        lambda: world.asking.get_own(other, asked.digest),
        lambda: world.asking.fetch(other, asked.digest),
        lambda: world.deciding.get_for_custodian(trust, asked.digest),
        lambda: world.deciding.deny(trust, asked.digest, "no"),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert world.asking.of_asker(other, limit=9, before=None).requests == ()
    assert world.deciding.of_custodian(trust, limit=9, before=None).requests == ()


def test_a_custodians_own_proof_is_hidden_from_other_custodians(world: World) -> None:
    """One with a document of the same asset could else see that an own proof failed, and why
    it was wanted; or answer it."""
    world.store(bundles.ASSET, custodian="trust")
    trust = world.sites.identity("cn", "custodian", "trust").principal
    false = world.request(("annual_yield >= 50.00%",))
    world.asking.submit(world.issuer, false.data)
    own = world.grant(false, asker=world.bank.uri)
    with pytest.raises(ConflictError, match="false"):
        world.answering.create(world.bank, false.data, own, "basis")
    listed = world.deciding.of_custodian(trust, limit=9, before=None).requests
    assert [each.asker for each in listed] == [world.issuer.uri]
    mine = world.deciding.of_custodian(world.bank, limit=9, before=None).requests
    assert [each.asker for each in mine] == [world.bank.uri, world.issuer.uri]
    for attempt in (
        lambda: world.deciding.get_for_custodian(trust, false.digest, world.bank.uri),
        lambda: world.deciding.deny(trust, false.digest, "no", world.bank.uri),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert world.deciding.get_for_custodian(trust, false.digest)[0].asker == world.issuer.uri


def test_a_request_handed_in_twice_is_decided_for_the_asker_that_is_named(world: World) -> None:
    """A second SPV with a copy of the file cannot keep the custodian from deciding."""
    other = world.sites.identity("hk", "spv", "other").principal
    asked = world.request()
    for spv in (world.issuer, other):
        world.asking.submit(spv, asked.data)
    with pytest.raises(InvalidInputError, match=f"{world.issuer.uri}, {other.uri}"):
        world.deciding.get_for_custodian(world.bank, asked.digest)
    for spv in (world.issuer, other):
        seen = world.deciding.get_for_custodian(world.bank, asked.digest, spv.uri)[0]
        assert seen.asker == spv.uri
    world.deciding.deny(world.bank, asked.digest, "no", other.uri)
    states = {
        each.asker: each.state
        for each in world.deciding.of_custodian(world.bank, limit=9, before=None).requests
    }
    assert states == {world.issuer.uri: SeenState.PENDING, other.uri: SeenState.DENIED}


def test_a_page_of_the_largest_requests_can_be_delivered(world: World) -> None:
    """An asker that hands in many large requests cannot keep anybody from listing them.

    A page over the bound of a message would never arrive, and the next one not either.
    """
    store = world.store_of_requests
    submitted = []
    for number in range(9):
        asked = StoredRequest(
            digest=f"{number:064x}",
            asker=world.issuer.uri,
            request=bytes(MAX_REQUEST_BYTES),
            asset=bundles.ASSET,
            schema=bundles.schema().digest,
            submit_time=NOW,
            expires=NOW + DAY,
        )
        submitted.append(store.submit(asked).digest)

    async def pages() -> list[list[str]]:
        _caller.set(Caller(world.sites.vault.sites().principal(world.issuer)))
        found, token, servicer = [], "", world.servicer()
        while not found or token:
            page = await servicer.ListProofRequests(
                proof_pb2.ListProofRequestsRequest(page_size=1000, page_token=token), None
            )
            found.append([each.digest for each in page.requests])
            token = page.next_page_token
        return found

    listed = asyncio.run(pages())
    room = Limits().send_bytes - (1 << 20)
    assert len(listed) == 2
    assert all(len(page) * MAX_REQUEST_BYTES <= room for page in listed)
    assert [digest for page in listed for digest in page] == submitted[::-1]


def test_a_grant_is_for_a_listed_asker(world: World) -> None:
    """A custodian signs nothing for a principal that no pinned site file lists."""
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    with pytest.raises(NotFoundError, match="not listed"):
        world.grant(asked, asker="spiffe://rwa.example/hk/spv/nobody")


def test_no_denial_is_taken_when_the_bundle_is_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round: the approval ends between the denial's look and its writing."""
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    checked = require_open

    def slow(stored: StoredRequest, now: datetime) -> None:
        checked(stored, now)
        monkeypatch.undo()
        world.answering.approve(world.bank, asked.digest, grant, "basis")

    monkeypatch.setattr("vault.app.deciding.require_open", slow)
    with pytest.raises(ConflictError, match="answered meanwhile"):
        world.deciding.deny(world.bank, asked.digest, "no")
    events = world.journal.read(Scope(everything=True), since=None, after=0, limit=9)
    assert [record.entry.event for record in events] == ["bundle.issued"]
