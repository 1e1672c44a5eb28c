"""A database that cannot be written any more: made read-only, or on a full disk. For real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from vault.storage.database import Database

READ_ONLY = "PRAGMA query_only=ON"
FULL = "PRAGMA max_page_count=1"
"""SQLite takes the present size for a smaller bound: from then on no page can be added."""


@contextmanager
def broken(database: Database, pragma: str) -> Iterator[None]:
    """Every connection of `database` has this fault inside the `with`, none after it."""

    def fault(connection: Any, _: Any) -> None:
        connection.execute(pragma)

    database.engine.dispose()
    event.listen(database.engine, "connect", fault)
    try:
        yield
    finally:
        event.remove(database.engine, "connect", fault)
        database.engine.dispose()
