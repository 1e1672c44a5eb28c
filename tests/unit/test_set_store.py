"""The table of named sets: versions by authority, name and digest."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
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


def test_the_newest_of_every_set_is_listed(store: SetStore) -> None:
    """One a name and authority, by name; what was added last of a name is what is exported."""
    other = replace(stored("first", 7), authority="spiffe://rwa.example/cn/authority/lists")
    for each in (stored("second"), stored("first"), other, stored("first", 2)):
        store.add(each)
    assert store.newest() == [other, stored("first", 2), stored("second")]
    assert store.find_named("first") == stored("first", 2)
    assert store.find_named("second", "d" * 64) == stored("second")
    assert store.find_named("second", "e" * 64) is None


def test_earlier_versions_are_not_read(store: SetStore) -> None:
    """A list that is signed every day must not fill the memory of whoever asks for the newest."""
    size = 1 << 20
    for version in range(1, 21):
        store.add(replace(stored("first", version), exported=bytes(size)))
    for ask in (store.newest, lambda: store.find_named("first"), lambda: by_digest(store)):
        tracemalloc.start()
        ask()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * size


def by_digest(store: SetStore) -> StoredSet | None:
    """As a request names it."""
    return store.find("a" * 64, "first", "d" * 64)
