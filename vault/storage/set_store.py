"""Named sets as rows: every version that an authority handed in, as the file it exports.

Which set a request may use is `vault.app.sets`' to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

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

    def find_named(self, name: str, digest: str = "") -> Sequence[StoredSet]:
        """Versions of a name, the last added first; of one digest, when it is given."""
        conditions = [table.c.name == name]
        if digest:
            conditions.append(table.c.digest == digest)
        return self._all(*conditions)

    def newest(self) -> list[StoredSet]:
        """The newest version of every authority's every set, by name."""
        found: dict[tuple[str, str], StoredSet] = {}
        for each in self._all():
            key = (each.name, each.authority)
            if key not in found or found[key].version < each.version:
                found[key] = each
        return [found[key] for key in sorted(found)]

    def _first(self, *conditions: Any) -> StoredSet | None:
        found = self._all(*conditions)
        return found[0] if found else None

    def _all(self, *conditions: Any) -> list[StoredSet]:
        query = select(table).where(*conditions).order_by(table.c.id.desc())
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [StoredSet(**{k: v for k, v in row.items() if k != "id"}) for row in rows]
