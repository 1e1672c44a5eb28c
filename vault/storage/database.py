"""One SQL database: engine, durability, migrations at start-up, one writer at a time.

A transaction that `write` ended is on the disk (SQLite: WAL with synchronous=FULL). Reads see a
snapshot and never wait for the writer. The statements are SQLAlchemy Core and portable; what is
SQLite's own (pragmas, BEGIN IMMEDIATE) is in this file alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
)

from vault.storage.tables import METADATA, Tree

_MIGRATIONS = Path(__file__).parent / "migrations"

# What Alembic keeps in every database that it has migrated.
_stamps = MetaData()
_stamp = Table("alembic_version", _stamps, Column("version_num", String(32), primary_key=True))


class Database:
    """An open database. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection in a transaction of its own, for reading."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writing transaction: durable when this ends, undone when it raises."""
        with self._writer, self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(path: Path, tree: Tree) -> Database:
    """Open or create the SQLite file `path` (mode 0600) and bring it to the newest revision.

    A new file gets the tables of the newest revision at once. Alembic, which takes half a second
    to load, is needed only for a file of an older revision.
    """
    database = Database(_engine(path))
    with database.write() as connection:
        tables = inspect(connection).get_table_names()
        if not tables:
            METADATA[tree].create_all(connection)
            _stamps.create_all(connection)
            connection.execute(insert(_stamp).values(version_num=head(tree)))
            return database
        found = connection.execute(select(_stamp.c.version_num)).scalar()
    if found != head(tree):
        with database.engine.connect() as connection:
            migrate(connection, tree)
    return database


def head(tree: Tree) -> str:
    """The newest revision: the files of a tree are named by their revisions, in order."""
    return max(path.stem for path in (_MIGRATIONS / tree / "versions").glob("0*.py"))


def open_plain(path: Path, metadata: MetaData) -> Database:
    """Open or create a database of fixed tables that has no migrations, such as a key store."""
    database = Database(_engine(path))
    with database.write() as connection:
        metadata.create_all(connection)
    return database


def migrate(connection: Connection, tree: Tree) -> None:
    """Run the migrations of one tree up to its head on an open connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS / tree).replace("%", "%%"))
    config.attributes["connection"] = connection.execution_options(writes=True)
    command.upgrade(config, "head")


def _engine(path: Path) -> Engine:
    # Made before SQLite makes it, so that it and its -wal file are never readable by others.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # The driver's own transaction handling starts one too late for DDL and for snapshots.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: one that read first and then wrote could fail half-way.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
