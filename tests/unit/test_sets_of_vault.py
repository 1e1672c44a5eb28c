"""Named sets at the vault: from their signer alone, each version once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites

from proofs.errors import SetError
from vault.client.sets import make
from vault.errors import (
    ConflictError,
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
