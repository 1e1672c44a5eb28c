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
    expected = [other, stored("first", 2), stored("second")]
    assert [(each.name, each.authority, each.version) for each in store.newest()] == [
        (each.name, each.authority, each.version) for each in expected
    ]
    for each, entry in zip(expected, store.newest(), strict=True):
        assert entry.envelope == each.exported
    assert [
        (each.name, each.version)
        for each in (store.find_named("first"), store.find_named("second", "d" * 64))
        if each is not None
    ] == [("first", 2), ("second", 1)]
    assert store.find_named("second", "e" * 64) is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 100])
def test_members_are_read_in_slices(
    store: SetStore, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line once and whole, wherever a slice ends: in a character, at a line's end."""
    members = [f"成员 {number} ß" * (1 + number % 3) for number in range(count)]
    text = "".join(f"{member}\n" for member in members)
    store.add(replace(stored("first"), exported=b'{"e":1}\n' + text.encode()))
    entry = store.find_named("first")
    assert entry is not None
    assert entry.envelope == b'{"e":1}'
    for size in (1, 7, 64, 100_000):
        monkeypatch.setattr("vault.storage.set_store._SLICE", size)
        assert [line for part in store.lines(entry) for line in part] == members


def test_no_list_and_no_export_reads_a_whole_set(store: SetStore) -> None:
    """Anybody may ask, and a set may have 128 MiB."""
    size = 16 << 20
    store.add(replace(stored("first"), exported=b"{}\n" + b"member\n" * (size // 7)))
    tracemalloc.start()
    (entry,) = store.newest()
    assert sum(len(part) for part in store.lines(entry)) == size // 7
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size // 2


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
