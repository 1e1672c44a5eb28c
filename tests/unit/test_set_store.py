"""The table of named sets: versions by authority, name and digest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from vault.storage.database import open_database
from vault.storage.set_store import SetStore, StoredSet


@pytest.fixture
def store(tmp_path: Path) -> SetStore:
    """An empty table."""
    return SetStore(open_database(tmp_path / "catalog.db", "catalog"))


def stored(name: str, version: int = 1) -> StoredSet:
    """A version of a set whose members, and so their digest, are always the same."""
    return StoredSet(
        name=name,
        authority="spiffe://rwa.example/hk/authority/lists",
        authority_key="a" * 64,
        version=version,
        digest="d" * 64,
        valid_until=datetime(2030, 1, 1, tzinfo=UTC),
        exported=f"{name} {version}".encode(),
    )


def test_two_names_with_the_same_members_are_two_sets(store: SetStore) -> None:
    """Each is found under its own name, and under no other name, key or digest."""
    first, second = stored("first"), stored("second")
    store.add(first)
    store.add(second)
    assert store.find("a" * 64, "first", "d" * 64) == first
    assert store.find("a" * 64, "second", "d" * 64) == second
    for wrong in (("a", "third", "d"), ("b", "first", "d"), ("a", "first", "e")):
        key, name, digest = wrong
        assert store.find(key * 64, name, digest * 64) is None


def test_the_newest_version_of_a_digest_is_found(store: SetStore) -> None:
    """The same members signed again, with a later end, take the earlier version's place."""
    store.add(stored("first"))
    store.add(stored("first", 2))
    assert store.find("a" * 64, "first", "d" * 64) == stored("first", 2)
