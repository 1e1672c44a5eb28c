"""The databases: migrations, durability settings, transactions."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from vault.storage.database import Database, open_database
from vault.storage.tables import base, documents, holder_shares

TREES: list[tuple[Literal["catalog", "holder"], MetaData]] = [
    ("catalog", documents.catalog),
    ("holder", holder_shares.holder),
]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path / "a.db", "catalog")


@pytest.mark.parametrize(("tree", "metadata"), TREES)
def test_migrations_make_exactly_the_tables_of_the_code(
    tmp_path: Path, tree: Literal["catalog", "holder"], metadata: MetaData
) -> None:
    """The newest revision and the table definitions say the same."""
    opened = open_database(tmp_path / "a.db", tree)
    with opened.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    own = [
        change
        for change in found
        # Tables that another module of the tree defines may not be imported here.
        if change[0] not in ("remove_table", "remove_index")
    ]
    assert own == []


def test_opening_twice_keeps_what_is_there(tmp_path: Path) -> None:
    """Migrations run at every start and change nothing the second time."""
    first = open_database(tmp_path / "a.db", "catalog")
    with first.write() as connection:
        connection.execute(
            documents.schemas.insert().values(
                digest="a" * 64,
                name="n",
                data=b"{}",
                added_by="x",
                added_at=base.Instant().process_result_value(7, first.engine.dialect),
            )
        )
    first.close()
    again = open_database(tmp_path / "a.db", "catalog")
    with again.read() as connection:
        assert connection.execute(documents.schemas.select()).one().digest == "a" * 64


def test_commits_are_synced_and_the_file_is_private(database: Database, tmp_path: Path) -> None:
    """WAL with synchronous=FULL; nobody else may read the file."""
    with database.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    """An exception inside `write` undoes everything in it."""

    def make_and_fail() -> None:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE t (a INTEGER)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        make_and_fail()
    with database.read() as connection:
        found = connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 't'"))
        assert found.scalar() == 0
