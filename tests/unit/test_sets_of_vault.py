"""Named sets at the vault: from their signer alone, each version once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites

from proofs.errors import SetError
from proofs.named_set import NamedSet
from proofs.set_polynomial import SetPolynomial
from vault.app.sets import READERS
from vault.client.sets import change, make
from vault.errors import (
    ConflictError,
    ExhaustedError,
    InvalidInputError,
    VaultError,
)


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


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


def _next(world: World, last: NamedSet, *added: str, removed: tuple[str, ...] = ()) -> NamedSet:
    """The next version of a set, signed by its authority and taken by the vault."""
    lists = world.sites.identity("hk", "authority", "lists")
    named = change(
        lists,
        last,
        added,
        removed,
        version=last.header.version + 1,
        issued=NOW,
        valid_until=NOW + DAY,
        source="x",
        as_of=last.header.as_of,
    )
    world.sets.add(lists.principal, named.envelope.encode(), list(named.lines()), now=NOW)
    return named


def test_a_new_version_is_not_built_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its polynomial is the last version's, multiplied and divided by what changed."""
    last = world.named["sanctions"]
    found = world.sets.require([last.reference], NOW)["sanctions"]
    assert found.scalars.polynomial.size == last.header.count

    def build(members: Sequence[bytes]) -> SetPolynomial:
        raise AssertionError("built")

    with monkeypatch.context() as patch:
        patch.setattr("proofs.polynomial_cache.from_roots", build)
        first = str(last.members[0])
        after = _next(world, last, "someone new", "and another", removed=(first,))
        changed = world.sets.require([after.reference], NOW)["sanctions"].scalars.polynomial
        fuels = world.named["fuels"]
        with pytest.raises(AssertionError, match="built"):  # another name is no version of it
            _ = world.sets.require([fuels.reference], NOW)["fuels"].scalars.polynomial
    assert changed.coefficients == after.scalars.polynomial.coefficients


def test_sets_are_kept_by_their_members(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few large ones push out as many as memory would not hold; the last one stays."""
    fuels, sanctions = world.named["fuels"], world.named["sanctions"]
    reads = []
    real = NamedSet.parse.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        NamedSet,
        "parse",
        classmethod(lambda cls, data, **extra: reads.append(1) or real(cls, data, **extra)),
    )
    both = [fuels.reference, sanctions.reference]
    world.sets.require(both, NOW)
    world.sets.require(both, NOW)
    assert len(reads) <= 2
    reads.clear()
    monkeypatch.setattr("vault.app.sets._KEPT_MEMBERS", 1)
    _next(world, sanctions, "someone new")
    reads.clear()
    world.sets.require(both, NOW)
    world.sets.require(both, NOW)
    assert len(reads) == 4
    world.sets.require([sanctions.reference], NOW)
    assert len(reads) == 4


def test_a_set_is_read_once_for_all_who_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many requests as there are threads, naming a large set, read it once; the rest go away."""
    sanctions = world.named["sanctions"]
    world.sets._read.clear()
    begun, go_on, reads = threading.Event(), threading.Event(), []
    real = NamedSet.parse.__func__  # type: ignore[attr-defined]

    def slow(cls: type[NamedSet], data: bytes, **extra: object) -> NamedSet:
        reads.append(len(data))
        begun.set()
        assert go_on.wait(30)
        return real(cls, data, **extra)

    monkeypatch.setattr(NamedSet, "parse", classmethod(slow))
    found: list[str] = []

    def ask() -> None:
        try:
            found.append(world.sets.require([sanctions.reference], NOW)["sanctions"].name)
        except ExhaustedError as error:
            found.append(error.reason)

    threads = [threading.Thread(target=ask) for _ in range(READERS + 3)]
    for each in threads:
        each.start()
    assert begun.wait(30)
    while len(found) < 3:
        threading.Event().wait(0.01)
    go_on.set()
    for each in threads:
        each.join(30)
    assert sorted(found) == ["TOO_MANY_SETS"] * 3 + ["sanctions"] * READERS
    assert len(reads) == 1


def test_the_sets_of_a_request_have_so_many_members_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four of a million would be gigabytes in each process that proves; told before one is read."""
    both = [world.named[name] for name in ("fuels", "sanctions")]
    members = sum(each.header.count for each in both)
    monkeypatch.setattr("vault.app.sets.MAX_SET_SIZE", members)
    assert len(world.sets.require([each.reference for each in both], NOW)) == 2
    world.sets._read.clear()
    monkeypatch.setattr("vault.app.sets.MAX_SET_SIZE", members - 1)
    monkeypatch.setattr("vault.storage.set_store.SetStore.exported", lambda *_: 1 / 0)
    with pytest.raises(SetError, match=f"{members} members together"):
        world.sets.require([each.reference for each in both], NOW)


def test_a_set_that_is_kept_is_not_loaded_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that names a set of 128 MiB must not have them read for it."""
    sanctions = world.named["sanctions"]
    world.sets.require([sanctions.reference], NOW)
    monkeypatch.setattr("vault.storage.set_store.SetStore.exported", lambda *_: 1 / 0)
    assert world.sets.require([sanctions.reference], NOW)
