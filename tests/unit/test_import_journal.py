"""Request ids of rows are stable and tell nothing; the journal survives what a crash leaves."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.plants import COLUMNS, MAPPING, SCHEMA, plant
from support.sites import make_two_sites

from vault.client.import_journal import FOLDER, ImportJournal, RequestIds, only_import
from vault.client.mapping import read_mapping
from vault.errors import ConflictError, InvalidInputError
from vault.identity import Identity

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = [plant(i) for i in range(1, 6)]


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a custodian, from which each test has its copy."""
    folder = tmp_path_factory.mktemp("sites")
    sites = make_two_sites(folder, enrolled=[("cn", "custodian", "bank")])
    return sites.folder("cn", "custodian", "bank")


@pytest.fixture
def identity(enrolled: Path, tmp_path: Path) -> Identity:
    return Identity.load(shutil.copytree(enrolled, tmp_path / "bank"))


def ids_of(
    identity: Identity, rows: Sequence[Sequence[str]], *, mapping: str = MAPPING
) -> list[str]:
    """The request ids of the rows of a table."""
    bound = read_mapping(mapping.encode(), SCHEMA, COLUMNS, where="m")
    ids = RequestIds(identity, SCHEMA.digest)
    return [ids.next(bound.document(row, now=NOW)) for row in rows]


def test_ids_are_the_same_every_time(identity: Identity) -> None:
    """A second pass over a table gives every row the id that it had."""
    first = ids_of(identity, ROWS)
    assert ids_of(identity, ROWS) == first
    assert len(set(first)) == len(ROWS)
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in first)


def test_ids_do_not_depend_on_the_place(identity: Identity) -> None:
    """A row in front that was mended, or another order, changes no other row's id."""
    first = dict(zip(ROWS, ids_of(identity, ROWS), strict=True))
    mixed = [plant(99), *random.sample(ROWS, len(ROWS))]
    found = dict(zip(mixed, ids_of(identity, mixed), strict=True))
    assert {row: found[row] for row in ROWS} == first


def test_a_column_in_no_document_changes_no_id(identity: Identity) -> None:
    """What is not attested does not make another document."""
    remark = [(*row[:-1], "seen again") for row in ROWS]
    assert ids_of(identity, remark) == ids_of(identity, ROWS)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "77"},
        {"capacity": "100.01"},
        {"owner": ""},
        {"commissioned": "2011"},
        {"fuel": "Solar"},
    ],
)
def test_what_is_attested_changes_the_id(identity: Identity, changed: dict[str, str]) -> None:
    """Another value is another document."""
    assert ids_of(identity, [plant(1, **changed)]) != ids_of(identity, [plant(1)])


@pytest.mark.parametrize("old", ["2018-06-01", "2038-06-01T00:00:00Z", "cn-plant-"])
def test_the_days_and_the_asset_change_the_id(identity: Identity, old: str) -> None:
    """The same values as of another day are another document."""
    mapping = MAPPING.replace(old, old.replace("8", "9").replace("plant", "p"))
    assert ids_of(identity, ROWS[:1], mapping=mapping) != ids_of(identity, ROWS[:1])


def test_the_same_value_written_otherwise_is_the_same(identity: Identity) -> None:
    """100 MW and 100.00 MW are one value, and one document."""
    assert ids_of(identity, [plant(1, capacity="100.00")]) == ids_of(identity, [plant(1)])


def test_equal_rows_have_ids_of_their_own(identity: Identity) -> None:
    """A row that stands in a table three times has three ids, the same three every time."""
    found = ids_of(identity, [ROWS[0]] * 3)
    assert len(set(found)) == 3
    assert ids_of(identity, [ROWS[0], ROWS[1], ROWS[0]])[::2] == found[:2]


def test_ids_need_the_key(identity: Identity) -> None:
    """Whoever has the table and not the folder cannot compute the ids in a vault's catalogue."""
    first = ids_of(identity, ROWS)
    key = identity.folder / FOLDER / "request-key.bin"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    assert not set(first) & set(ids_of(identity, ROWS))


def test_what_was_noted_is_read_again(identity: Identity) -> None:
    """Entries survive, each once."""
    first = ids_of(identity, ROWS)
    journal = ImportJournal(identity, SCHEMA.digest)
    journal.add(first[:2])
    journal.add(first[:3])
    journal.close()
    again = ImportJournal(identity, SCHEMA.digest)
    assert [each in again for each in first] == [True, True, True, False, False]
    path = identity.folder / FOLDER / f"{SCHEMA.digest}.journal"
    assert path.read_text().splitlines() == first[:3]


def test_a_line_that_was_cut_short_is_dropped(identity: Identity) -> None:
    """A crash in the middle of a line loses that entry, and no later one."""
    first = ids_of(identity, ROWS)
    journal = ImportJournal(identity, SCHEMA.digest)
    journal.add(first[:2])
    journal.close()
    path = identity.folder / FOLDER / f"{SCHEMA.digest}.journal"
    path.write_bytes(path.read_bytes()[:-9])
    again = ImportJournal(identity, SCHEMA.digest)
    assert [each in again for each in first[:2]] == [True, False]
    again.add(first[2:3])
    again.close()
    assert path.read_text().splitlines() == [first[0], first[2]]


def test_something_else_is_no_journal(identity: Identity) -> None:
    """A file that somebody changed is refused: an entry too many would lose a row."""
    ids_of(identity, ROWS)
    path = identity.folder / FOLDER / f"{SCHEMA.digest}.journal"
    for data in (b"x" * 32 + b"\n", b"00" * 15 + b"\n" + b"00" * 16 + b"\n0\n"):
        path.write_bytes(data)
        with pytest.raises(InvalidInputError, match="is no journal"):
            ImportJournal(identity, SCHEMA.digest)


def test_two_imports_at_once_are_refused(identity: Identity) -> None:
    """The second of two imports is refused while the first runs, and not after."""
    refused = pytest.raises(ConflictError, match="another import is running")
    with only_import(identity), refused, only_import(identity):
        pass
    with only_import(identity):
        pass
