"""Named sets as rows: every version that an authority handed in, as the file it exports.

A file may have 128 MiB. Only who proves reads one whole; lists read the signed headers, and an
export goes out slice by slice. Which set a request may use is `vault.app.sets`' to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import LargeBinary, func, insert, select

from proofs.named_set import HEADER_LIMIT
from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.tables.proofs import named_sets as table

_HEAD: Final = 2 * HEADER_LIMIT + 1
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
        """Add a version; the same bytes again change nothing.

        Raises ConflictError for a version that is not above the authority's last of that name.
        """
        with self.database.write() as connection:
            query = (
                select(table.c.id, table.c.version)
                .where(table.c.authority == new.authority, table.c.name == new.name)
                .order_by(table.c.version.desc())
                .limit(1)
            )
            last = connection.execute(query).first()
            if last is not None:
                same = select(table.c.id).where(
                    table.c.id == last.id, table.c.exported == new.exported
                )
                if last.version == new.version and connection.execute(same).first():
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

    def find_named(self, name: str, digest: str = "") -> SetEntry | None:
        """The version of a name that was added last; of one digest, when it is given."""
        query = _ENTRIES.where(table.c.name == name)
        if digest:
            query = query.where(table.c.digest == digest)
        return next(iter(self._entries(query.order_by(table.c.id.desc()).limit(1))), None)

    def newest(self) -> list[SetEntry]:
        """The newest version of every authority's every set, by name."""
        # Chosen by the database: there may be an earlier version for every day of years.
        last = select(func.max(table.c.id)).group_by(table.c.name, table.c.authority)
        query = _ENTRIES.where(table.c.id.in_(last))
        return self._entries(query.order_by(table.c.name, table.c.authority))

    def lines(self, entry: SetEntry) -> Iterator[list[str]]:
        """The members of a version as they stand in its file, some thousand at a time.

        One slice is read for each, so that whoever takes them slowly holds up neither memory nor
        the database.
        """
        start, rest = len(entry.envelope) + 2, b""  # the database counts bytes from one
        while True:
            part = func.substr(table.c.exported, start, _SLICE, type_=LargeBinary)
            with self.database.read() as connection:
                found = connection.execute(select(part).where(table.c.id == entry.row)).scalar()
            if not found:
                return
            whole, _, rest = (rest + found).rpartition(b"\n")
            start += len(found)
            if whole:
                yield whole.decode().split("\n")

    def _first(self, *conditions: Any) -> StoredSet | None:
        query = select(table).where(*conditions).order_by(table.c.id.desc()).limit(1)
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else StoredSet(**{k: v for k, v in row.items() if k != "id"})

    def _entries(self, query: Any) -> list[SetEntry]:
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            SetEntry(
                envelope=row["head"].partition(b"\n")[0],
                **{k: v for k, v in row.items() if k != "head"},
            )
            for row in rows
        ]


_ENTRIES: Final = select(
    table.c.id.label("row"),
    *(table.c[each] for each in ("name", "authority", "authority_key", "version", "digest")),
    table.c.valid_until,
    func.substr(table.c.exported, 1, _HEAD, type_=LargeBinary).label("head"),
)
