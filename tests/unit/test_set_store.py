"""The table of named sets: versions by authority, name and digest."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, text

from vault.storage import database
from vault.storage.database import open_database, open_plain
from vault.storage.set_store import SetEntry, SetStore, StoredSet


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
        exported=f"{name} {version}\none\ntwo\n".encode(),
    )


def test_two_names_with_the_same_members_are_two_sets(store: SetStore) -> None:
    """Each is found under its own name, and under no other name, key or digest."""
    for each in (stored("first"), stored("second")):
        store.add(each)
        entry = store.find("a" * 64, each.name, "d" * 64)
        assert entry is not None
        assert store.exported(entry) == each.exported
    for wrong in (("a", "third", "d"), ("b", "first", "d"), ("a", "first", "e")):
        key, name, digest = wrong
        assert store.find(key * 64, name, digest * 64) is None


def test_the_newest_version_of_a_digest_is_found(store: SetStore) -> None:
    """The same members signed again, with a later end, take the earlier version's place."""
    store.add(stored("first"))
    store.add(stored("first", 2))
    entry = store.find("a" * 64, "first", "d" * 64)
    assert entry is not None
    assert (entry.version, store.exported(entry)) == (2, stored("first", 2).exported)


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
        assert entry.envelope + b"\none\ntwo\n" == each.exported
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
    lines = "".join(f"{member}\n" for member in members)
    for version, size in enumerate((1, 7, 64, 100_000), 1):
        monkeypatch.setattr("vault.storage.set_store._SLICE", size)
        new = replace(stored("first", version), exported=b'{"e":1}\n' + lines.encode())
        store.add(new)
        entry = store.find_named("first")
        assert entry is not None
        assert (entry.version, entry.envelope) == (version, b'{"e":1}')
        assert [line for part in store.lines(entry) for line in part] == members
        assert store.exported(entry) == new.exported


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


def test_an_export_reads_every_byte_once(store: SetStore) -> None:
    """Not all that is before a slice again for each: 128 MiB would take minutes of a processor."""
    size = 16 << 20
    store.add(replace(stored("first"), exported=b"{}\n" + b"member\n" * (size // 7)))
    entry = store.find_named("first")
    assert entry is not None
    before = _read_so_far()
    assert sum(len(part) for part in store.lines(entry)) == size // 7
    assert _read_so_far() - before < 2 * size


def _read_so_far() -> int:
    """Bytes that this process has read from files."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def test_earlier_versions_are_not_read(store: SetStore) -> None:
    """A list that is signed every day must not fill the memory of whoever asks for the newest."""
    size = 1 << 20
    for version in range(1, 21):
        store.add(replace(stored("first", version), exported=b"{}\n" + bytes(size)))
    for ask in (store.newest, lambda: store.find_named("first"), lambda: by_digest(store)):
        tracemalloc.start()
        ask()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * size


def by_digest(store: SetStore) -> SetEntry | None:
    """As a request names it."""
    return store.find("a" * 64, "first", "d" * 64)


def test_a_file_of_before_is_taken_apart(tmp_path: Path) -> None:
    """Sets that an older vault kept whole are found and exported as they were handed in."""
    old = open_plain(tmp_path / "old.db", MetaData())
    config = Config()
    trees = Path(database.__file__).parent / "migrations/catalog"
    config.set_main_option("script_location", str(trees))
    members = "".join(f"成员 {number}\n" for number in range(50_000))
    files = {"first": b"{}\nalone\n", "second": b'{"e":2}\n' + members.encode()}
    with old.engine.connect() as connection:
        config.attributes["connection"] = connection.execution_options(writes=True)
        command.upgrade(config, "0004_manifests")
    with old.write() as connection:
        for name, exported in files.items():
            connection.execute(
                text(
                    "INSERT INTO named_sets (name, authority, authority_key, version, digest, "
                    "valid_until, exported) VALUES (:name, 'a', 'k', 1, 'd', 0, :exported)"
                ),
                {"name": name, "exported": exported},
            )
    old.close()
    store = SetStore(open_database(tmp_path / "old.db", "catalog"))
    for name, exported in files.items():
        entry = store.find("k", name, "d")
        assert entry is not None
        assert store.exported(entry) == exported
        lines = [line for part in store.lines(entry) for line in part]
        assert [*lines, ""] == exported.decode().split("\n")[1:]
