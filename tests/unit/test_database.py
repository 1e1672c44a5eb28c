"""The databases: migrations, durability settings, transactions."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from vault.storage import database
from vault.storage.database import Database, head, migrate, open_database, open_plain
from vault.storage.tables import METADATA, Tree, base, documents

TREES: tuple[Tree, ...] = ("catalog", "holder")


@pytest.fixture
def catalog(tmp_path: Path) -> Database:
    return open_database(tmp_path / "a.db", "catalog")


@pytest.mark.parametrize("tree", TREES)
def test_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path, tree: Tree) -> None:
    """All revisions after each other give what a new file gets at once."""
    empty = open_plain(tmp_path / "a.db", MetaData())
    with empty.engine.connect() as connection:
        migrate(connection, tree)
    with empty.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA[tree]) == []
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert found == head(tree)


@pytest.mark.parametrize("tree", TREES)
def test_an_older_file_is_migrated(tmp_path: Path, tree: Tree) -> None:
    """A file of the first revision gets the later ones when it is opened."""
    old = open_plain(tmp_path / "a.db", MetaData())
    config = Config()
    config.set_main_option(
        "script_location", str(Path(database.__file__).parent / f"migrations/{tree}")
    )
    with old.engine.connect() as connection:
        config.attributes["connection"] = connection.execution_options(writes=True)
        command.upgrade(config, "+1")
    old.close()
    opened = open_database(tmp_path / "a.db", tree)
    with opened.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA[tree]) == []


@pytest.mark.parametrize("tree", TREES)
def test_a_new_file_has_the_tables_of_the_code(tmp_path: Path, tree: Tree) -> None:
    """Made at once, it needs no migration afterwards."""
    opened = open_database(tmp_path / "a.db", tree)
    with opened.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA[tree]) == []
    with opened.engine.connect() as connection:
        migrate(connection, tree)


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


def test_commits_are_synced_and_the_file_is_private(catalog: Database, tmp_path: Path) -> None:
    """WAL with synchronous=FULL; nobody else may read the file."""
    with catalog.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600


def test_a_failed_transaction_leaves_nothing(catalog: Database) -> None:
    """An exception inside `write` undoes everything in it."""

    def make_and_fail() -> None:
        with catalog.write() as connection:
            connection.execute(text("CREATE TABLE t (a INTEGER)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        make_and_fail()
    with catalog.read() as connection:
        found = connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 't'"))
        assert found.scalar() == 0
