"""Named sets as rows: every version that an authority handed in, as the file it exports.

Which set a request may use is `vault.app.sets`' to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.tables.proofs import named_sets as table


@dataclass(frozen=True, slots=True)
class StoredSet:
    """One version of a set. `exported` are the bytes of its `.set` file."""

    name: str
    authority: str
    authority_key: str
    version: int
    digest: str
    valid_until: datetime
    exported: bytes = field(repr=False)


class SetStore:
    """The table of sets. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, new: StoredSet) -> None:
        """Add a version; the same bytes again change nothing.

        Raises ConflictError for a version that is not above the authority's last of that name.
        """
        with self.database.write() as connection:
            query = (
                select(table.c.version, table.c.exported)
                .where(table.c.authority == new.authority, table.c.name == new.name)
                .order_by(table.c.version.desc())
                .limit(1)
            )
            last = connection.execute(query).first()
            if last is not None:
                if last.version == new.version and last.exported == new.exported:
                    return
                if last.version >= new.version:
                    raise ConflictError(
                        f"{new.name}: version {last.version} is there already; the next must be "
                        f"higher",
                        field="version",
                    )
            connection.execute(
                insert(table).values(
                    name=new.name,
                    authority=new.authority,
                    authority_key=new.authority_key,
                    version=new.version,
                    digest=new.digest,
                    valid_until=new.valid_until,
                    exported=new.exported,
                )
            )

    def find(self, authority_key: str, name: str, digest: str) -> StoredSet | None:
        """The newest version of this name with this digest that this authority signed.

        Two names of one authority may have the same members, and then the same digest.
        """
        return self._first(
            table.c.authority_key == authority_key,
            table.c.name == name,
            table.c.digest == digest,
        )

    def find_named(self, name: str, digest: str = "") -> StoredSet | None:
        """The version of a name that was added last; of one digest, when it is given."""
        conditions = [table.c.name == name]
        if digest:
            conditions.append(table.c.digest == digest)
        return self._first(*conditions)

    def newest(self) -> list[StoredSet]:
        """The newest version of every authority's every set, by name."""
        # Chosen by the database: the earlier versions, with all their members, are many times
        # as large, and anybody may ask.
        last = select(func.max(table.c.id)).group_by(table.c.name, table.c.authority)
        query = select(table).where(table.c.id.in_(last))
        return self._read(query.order_by(table.c.name, table.c.authority))

    def _first(self, *conditions: Any) -> StoredSet | None:
        query = select(table).where(*conditions).order_by(table.c.id.desc()).limit(1)
        return next(iter(self._read(query)), None)

    def _read(self, query: Any) -> list[StoredSet]:
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [StoredSet(**{k: v for k, v in row.items() if k != "id"}) for row in rows]
