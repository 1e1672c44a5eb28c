"""What may change while a proof is being made, which takes minutes: no bundle that it forbids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from support import bundles
from support.list_world import asked, grant, own, plants
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites

from proofs.envelope import PayloadType, sign
from proofs.errors import TrustError
from proofs.manifest import Manifest
from vault.app.answering import Answering
from vault.app.request_views import SeenState
from vault.client.own_manifest import OwnManifest
from vault.errors import (
    ConflictError,
    ExhaustedError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
    VaultError,
)
from vault.model import StoredVersion
from vault.storage.journal import Scope

SPV, PERIOD = "Harbour No. 1", (date(2026, 1, 1), date(2026, 6, 30))
SUM = "sum(capacity) >= 60 MW"


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


def registered(world: World, listed: list[StoredVersion], serial: int) -> OwnManifest:
    """A manifest over these plants, in the register."""
    payload, _ = Manifest.build(
        [own(each).attestation for each in listed],
        bundles.schema(),
        spv=SPV,
        period=PERIOD,
        serial=serial,
        attributes=["capacity"],
        signed_at=NOW,
    )
    bank = world.sites.identity("cn", "custodian", "bank")
    envelope = sign(PayloadType.PORTFOLIO, payload, bank.signing_key)
    rows = tuple((each.document, each.version) for each in listed)
    world.manifests.register(world.bank, envelope, rows)
    return OwnManifest(Manifest.parse(payload), envelope, rows)


def nothing_left(world: World) -> None:
    """No bundle, no record of one, no count."""
    records = world.journal.read(Scope(everything=True), since=None, after=0, limit=999)
    assert [each.entry.event for each in records if each.entry.event == "bundle.issued"] == []
    stored = world.catalog.list_versions(world.bank.uri, limit=99)
    assert {each.bundles_issued for each in stored} == {0}


@pytest.mark.parametrize("change", ["replaced", "expired", "removed", "denied"])
def test_what_changes_meanwhile_forbids_the_bundle(
    world: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A list that a later one replaced, a request that ended, a custodian that its site struck
    off, a denial: each acknowledged before the bundle was there, and so there is none."""
    listed = plants(world, 3)
    manifest = registered(world, listed, 1)
    request = asked(world, [SUM], spv=SPV, period=PERIOD)
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed, manifest=manifest)

    def replace() -> None:
        registered(world, listed[:2], 2)

    def expire() -> None:
        world.now = NOW + DAY

    def remove() -> None:
        def gone(*_: object) -> None:
            raise NotAllowedError("not listed any more")

        monkeypatch.setattr(world.desk.sites, "require_valid", gone)

    def deny() -> None:
        world.deciding.deny(world.bank, request.digest, "second thoughts")

    changes: dict[str, tuple[Callable[[], None], str]] = {
        "replaced": (replace, "serial 2"),
        "expired": (expire, "expired meanwhile"),
        "removed": (remove, "not listed any more"),
        "denied": (deny, "denied meanwhile"),
    }
    happens, reason = changes[change]
    told: list[int] = []

    def report(done: int, total: int) -> None:
        told.append(done)
        if done == 0:
            happens()

    with pytest.raises((VaultError, TrustError), match=reason):
        world.answering.approve(
            world.bank, request.digest, envelope, "basis", given=given, report=report
        )
    assert told[-1] > 0, "it was proven"
    nothing_left(world)
    with pytest.raises(NotFoundError):
        world.asking.fetch(world.issuer, request.digest)
    expected = SeenState.DECLINED if change == "expired" else SeenState.PENDING
    assert world.seen_by_asker(request).state is expected


def test_records_bear_the_time_at_which_the_bundle_was_there(world: World) -> None:
    """Not that at which its proof began: whoever reads on from the last time would miss them."""
    listed = plants(world, 3)
    request = asked(world, [SUM])
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed)

    def report(done: int, total: int) -> None:
        world.now = NOW + timedelta(minutes=30)

    world.answering.approve(
        world.bank, request.digest, envelope, "basis", given=given, report=report
    )
    records = world.journal.read(Scope(everything=True), since=None, after=0, limit=999)
    assert {each.entry.time for each in records} == {NOW + timedelta(minutes=30)}


def test_of_two_grants_at_once_one_serves(world: World) -> None:
    """A second grant that comes while the first is proven gives no second bundle and no records."""
    listed = plants(world, 3)
    request = asked(world, [SUM])
    world.asking.submit(world.issuer, request.data)
    first, given = grant(world, request, listed)
    second, fewer = grant(world, request, listed[1:])

    def report(done: int, total: int) -> None:
        if done == 0:
            world.answering.approve(world.bank, request.digest, second, "basis", given=fewer)

    with pytest.raises(ConflictError, match="answered meanwhile"):
        world.answering.approve(
            world.bank, request.digest, first, "basis", given=given, report=report
        )
    records = world.journal.read(Scope(everything=True), since=None, after=0, limit=999)
    assert sorted(each.entry.document for each in records) == [e.document for e in listed[1:]]


def test_manifests_are_compared_so_many_at_a_time(world: World) -> None:
    """Each holds thousands of attestations in memory: one a thread would fill it."""
    listed = plants(world, 3)
    with world.manifests.slots.enter(world.bank), world.manifests.slots.enter(world.bank):
        with pytest.raises(ExhaustedError) as caught:
            registered(world, listed, 1)
        assert caught.value.reason == "TOO_MANY_PROOFS"
    registered(world, listed, 1)


def test_a_vault_that_stops_leaves_a_proof_undone(world: World) -> None:
    """Even where it proves by itself: nothing is kept, and the same grant serves afterwards."""
    listed = plants(world, 3)
    request = asked(world, [SUM])
    world.asking.submit(world.issuer, request.data)
    envelope, given = grant(world, request, listed)
    stopping = Answering(world.desk)

    def report(done: int, total: int) -> None:
        stopping.stop()

    with pytest.raises(UnavailableError, match="stopping"):
        stopping.approve(world.bank, request.digest, envelope, "basis", given=given, report=report)
    nothing_left(world)
    seen = world.answering.approve(world.bank, request.digest, envelope, "basis", given=given)
    assert seen.state is SeenState.ANSWERED
