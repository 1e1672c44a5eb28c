"""Named sets as rows: every version that an authority handed in, as the file it exports.

A file may have 128 MiB. Only who proves reads one whole; all others read the signed header, and an
export goes out slice by slice. Which set a request may use is `vault.app.sets`' to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select

from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.tables.proofs import named_sets as table
from vault.storage.tables.proofs import set_slices as slices

_SLICE: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class SetEntry:
    """One version of a set without its members. `envelope` is the signed header."""

    row: int
    name: str
    authority: str
    authority_key: str
    version: int
    digest: str
    valid_until: datetime
    envelope: bytes = field(repr=False)


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
        """Add a version; the same header again changes nothing, since it names the members.

        Raises ConflictError for a version that is not above the authority's last of that name.
        """
        envelope, _, members = new.exported.partition(b"\n")
        with self.database.write() as connection:
            query = (
                select(table.c.version, table.c.envelope)
                .where(table.c.authority == new.authority, table.c.name == new.name)
                .order_by(table.c.version.desc())
                .limit(1)
            )
            last = connection.execute(query).first()
            if last is not None:
                if (last.version, last.envelope) == (new.version, envelope):
                    return
                if last.version >= new.version:
                    raise ConflictError(
                        f"{new.name}: version {last.version} is there already; the next must be "
                        f"higher",
                        field="version",
                    )
            added = insert(table).values(
                name=new.name,
                authority=new.authority,
                authority_key=new.authority_key,
                version=new.version,
                digest=new.digest,
                valid_until=new.valid_until,
                envelope=envelope,
            )
            row = connection.execute(added.returning(table.c.id)).scalar_one()
            for place, start in enumerate(range(0, len(members), _SLICE)):
                data = members[start : start + _SLICE]
                connection.execute(insert(slices).values(set_id=row, place=place, data=data))

    def find(self, authority_key: str, name: str, digest: str) -> SetEntry | None:
        """The newest version of this name with this digest that this authority signed.

        Two names of one authority may have the same members, and then the same digest.
        """
        query = select(table).where(
            table.c.authority_key == authority_key,
            table.c.name == name,
            table.c.digest == digest,
        )
        return next(iter(self._entries(query.order_by(table.c.id.desc()).limit(1))), None)

    def exported(self, entry: SetEntry) -> bytes:
        """The bytes of its file, all of them."""
        query = select(slices.c.data).where(slices.c.set_id == entry.row).order_by(slices.c.place)
        with self.database.read() as connection:
            return b"".join([entry.envelope, b"\n", *connection.execute(query).scalars()])

    def find_named(self, name: str, digest: str = "") -> SetEntry | None:
        """The version of a name that was added last; of one digest, when it is given."""
        query = select(table).where(table.c.name == name)
        if digest:
            query = query.where(table.c.digest == digest)
        return next(iter(self._entries(query.order_by(table.c.id.desc()).limit(1))), None)

    def newest(self) -> list[SetEntry]:
        """The newest version of every authority's every set, by name."""
        # Chosen by the database: there may be an earlier version for every day of years.
        last = select(func.max(table.c.id)).group_by(table.c.name, table.c.authority)
        query = select(table).where(table.c.id.in_(last))
        return self._entries(query.order_by(table.c.name, table.c.authority))

    def lines(self, entry: SetEntry) -> Iterator[list[str]]:
        """The members of a version as they stand in its file, some thousand at a time.

        One slice is read for each, so that whoever takes them slowly holds up neither memory nor
        the database.
        """
        rest, place = b"", 0
        while True:
            query = select(slices.c.data).where(
                slices.c.set_id == entry.row, slices.c.place == place
            )
            with self.database.read() as connection:
                found = connection.execute(query).scalar()
            if not found:
                return
            whole, _, rest = (rest + found).rpartition(b"\n")
            place += 1
            if whole:
                yield whole.decode().split("\n")

    def _entries(self, query: Any) -> list[SetEntry]:
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            SetEntry(row=row["id"], **{k: v for k, v in row.items() if k != "id"}) for row in rows
        ]
