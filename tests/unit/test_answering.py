"""Grants become bundles: exactly what was granted, on record, and once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support import bundles
from support.proof_world import DAY, NOW, World, make_world, trust_for
from support.sites import TwoSites, make_two_sites

from proofs.errors import CrossproofError, GrantError
from proofs.ids import digest_of
from proofs.policy import Expectation
from proofs.verify import verify_bundle
from vault.app.prove import Granted, make_bundle
from vault.app.request_views import SeenState
from vault.errors import (
    ConflictError,
    NotFoundError,
    UnavailableError,
)
from vault.storage.journal import Scope


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


def test_a_granted_request_becomes_a_bundle_that_an_outsider_verifies(world: World) -> None:
    """From request over grant to a bundle that verifies under an outsider's own trust file."""
    asked = world.request(bundles.FACTS)
    assert world.asking.submit(world.issuer, asked.data).state is SeenState.PENDING
    seen = world.answering.approve(world.bank, asked.digest, world.grant(asked), "PIPL Art. 13")
    assert seen.state is SeenState.ANSWERED
    bundle = world.asking.fetch(world.issuer, asked.digest)
    verified = verify_bundle(
        bundle,
        trust=trust_for(world),
        expectation=Expectation.for_request(asked.data),
        sets=list(world.named.values()),
        now=NOW,
    )
    assert verified.facts == asked.facts
    assert world.asking.fetch(world.issuer, asked.digest) == bundle
    (record,) = world.journal.read(Scope(everything=True), since=None, after=0, limit=9)
    assert (record.entry.event, record.entry.artefact) == ("bundle.issued", digest_of(bundle))
    assert record.entry.legal_basis == "PIPL Art. 13"


def test_one_grant_gives_one_bundle(world: World) -> None:
    """An answered request is not answered again, and denied requests keep their state."""
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    world.answering.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(ConflictError, match="answered already"):
        world.answering.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(ConflictError, match="answered already"):
        world.deciding.deny(world.bank, asked.digest, "too late")


def test_a_grant_for_another_asker_request_or_document_is_refused(world: World) -> None:
    """Each part of the grant is compared with what is stored; a foreign one proves nothing."""
    asked = world.request()
    other = world.request(nonce="77" * 32)
    for each in (asked, other):
        world.asking.submit(world.issuer, each.data)
    stranger = world.sites.identity("hk", "spv", "other").principal
    with pytest.raises(GrantError, match="another request"):
        world.answering.approve(world.bank, other.digest, world.grant(asked), "basis")
    with pytest.raises(NotFoundError):
        world.answering.approve(
            world.bank, asked.digest, world.grant(asked, asker=stranger.uri), "basis"
        )
    world.store(bundles.ASSET, custodian="trust")
    foreign = world.grant(asked, custodian="trust")
    with pytest.raises(CrossproofError):
        world.answering.approve(world.bank, asked.digest, foreign, "basis")
    assert world.seen_by_asker(asked).state is SeenState.PENDING


def test_nothing_is_issued_when_the_record_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a journal that cannot be written there is no bundle, and the request stays open."""
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    with world.catalog.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE records RENAME TO gone")
    with pytest.raises(UnavailableError, match="record could not be written"):
        world.answering.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(NotFoundError):
        world.asking.fetch(world.issuer, asked.digest)
    with world.catalog.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO records")
    assert world.answering.approve(world.bank, asked.digest, grant, "b").state is SeenState.ANSWERED


def test_a_custodians_own_proof_needs_its_own_grant(world: World) -> None:
    """Request and grant in one; a grant to somebody else is not enough; false facts say so."""
    asked = world.request(nonce=None)
    with pytest.raises(NotFoundError):
        world.grant(asked)
    world.asking.submit(world.issuer, asked.data)
    foreign = world.grant(asked)
    with pytest.raises(GrantError, match="oneself"):
        world.answering.create(world.bank, asked.data, foreign, "basis")
    own = world.grant(asked, asker=world.bank.uri)
    bundle = world.answering.create(world.bank, asked.data, own, "basis")
    assert world.answering.create(world.bank, asked.data, own, "basis") == bundle
    false = world.request(("annual_yield >= 50.00%",))
    world.asking.submit(world.issuer, false.data)
    with pytest.raises(ConflictError, match="false") as caught:
        world.answering.create(
            world.bank, false.data, world.grant(false, asker=world.bank.uri), "basis"
        )
    assert caught.value.reason == "CANNOT_PROVE"


def test_an_expired_request_is_not_answered(world: World) -> None:
    """A request's expiry bounds its issuing, for approvals and denials alike."""
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    world.now = asked.expires + timedelta(seconds=1)
    with pytest.raises(ConflictError, match="expired"):
        world.answering.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(ConflictError, match="expired"):
        world.deciding.deny(world.bank, asked.digest, "late")


@pytest.mark.parametrize("earlier", [True, False], ids=["denied-before", "undecided"])
def test_no_bundle_follows_a_denial_that_was_acknowledged(
    world: World, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    """A second operator denies while the first one's approval is being proven."""
    asked = world.request()
    world.asking.submit(world.issuer, asked.data)
    grant = world.grant(asked)
    if earlier:
        world.deciding.deny(world.bank, asked.digest, "at first")
    proven = make_bundle

    def slow(granted: Granted, *, now: datetime) -> bytes:
        bundle = proven(granted, now=now)
        seen = world.deciding.deny(world.bank, asked.digest, "after all")
        assert seen.state is SeenState.DENIED
        return bundle

    monkeypatch.setattr("vault.app.answering.make_bundle", slow)
    with pytest.raises(ConflictError, match="denied meanwhile"):
        world.answering.approve(world.bank, asked.digest, grant, "basis")
    with pytest.raises(NotFoundError):
        world.asking.fetch(world.issuer, asked.digest)
    monkeypatch.undo()
    done = world.answering.approve(world.bank, asked.digest, grant, "basis")
    assert done.state is SeenState.ANSWERED
