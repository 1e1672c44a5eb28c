"""Records of what left, written down before it leaves: append-only, numbered without gaps.

`append` returns when its record is on the disk, and raises when it is not: whoever sends a bundle
or a share calls it first and sends nothing when it raises. It offers no change and no removal.
Entries hold no values, keys or shares: digests, names and reasons only.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Subquery, Table, func, insert, or_, select
from sqlalchemy.exc import DBAPIError

from vault.errors import UnavailableError
from vault.storage.database import Database

RECORD_NOT_WRITTEN: Final = "RECORD_NOT_WRITTEN"
_PLACES: Final = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One act to be written down.

    `actor` is the URI of the principal that caused it, `recipient` a URI or the audience of a
    bundle, `owner` the URI of the custodian whose document it is about. `digest` is of the
    request or attestation it belongs to and `artefact` of the bundle or sealed share, as hex;
    `outcome` is `done` or the reason of a refusal. A `confidential` entry is shown to the owner
    and the auditors of the vault's own side alone: for what an asker must not learn.
    """

    event: str
    time: datetime
    actor: str
    recipient: str = ""
    owner: str = ""
    digest: str = ""
    document: str = ""
    version: int = 0
    purpose: str = ""
    legal_basis: str = ""
    outcome: str = "done"
    artefact: str = ""
    confidential: bool = False


_FIELDS: Final = tuple(each.name for each in fields(Entry))


@dataclass(frozen=True, slots=True)
class Record:
    """An entry under its number (from 1).

    For whoever sees everything it is the entry's place in the journal. For anybody else it is its
    place among what that caller sees: a gap would tell an asker that something was written down
    about which it is told nothing, such as a refusal, and how often.
    """

    number: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records a caller sees; an empty tuple of parties and no flag sees none.

    Attributes:
        everything: all of them, confidential ones too.
        owner: all about this custodian's documents, confidential ones too.
        party: those in which this URI is actor or recipient, unless confidential.
        party_prefix: the same for every principal whose URI begins so (a side).
    """

    everything: bool = False
    owner: str | None = None
    party: str | None = None
    party_prefix: str | None = None


@contextmanager
def durable() -> Iterator[None]:
    """Turn a failure to write into UnavailableError: a full disk, a database made read-only."""
    try:
        yield
    except DBAPIError as error:
        # The driver's text names no value: statements carry their parameters apart.
        raise UnavailableError(
            f"the record could not be written, so nothing leaves ({error.orig})",
            reason=RECORD_NOT_WRITTEN,
        ) from error


class Journal:
    """The records of one process, in its database."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table
        # Where a reader's count stands: never wrong afterwards, since nothing is taken out. One
        # bundle has thousands of records, and counting from the first for every page takes seconds.
        self._places: OrderedDict[tuple[Scope, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> Record:
        """Write one record; it is on the disk when this returns.

        Raises UnavailableError (RECORD_NOT_WRITTEN) when it could not be written.
        """
        with durable(), self._database.write() as connection:
            return self.append_in(connection, entry)

    def append_in(self, connection: Connection, entry: Entry) -> Record:
        """Write one record in a transaction that the caller opened with `Database.write`.

        It is on the disk when that transaction ends; wrap the whole of it in `durable`.
        """
        number = self._next(connection)
        connection.execute(insert(self._table), [_row(number, entry)])
        return Record(number, entry)

    def append_all(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Write several records in the caller's transaction."""
        if entries:
            number = self._next(connection)
            rows = [_row(number + at, entry) for at, entry in enumerate(entries)]
            connection.execute(insert(self._table), rows)

    def read(self, scope: Scope, *, since: datetime | None, after: int, limit: int) -> list[Record]:
        """Up to `limit` records of `scope` with a number above `after`, oldest first."""
        seen = _branches(self._table, scope)
        if not seen:
            return []
        with self._lock:
            place = self._places.get((scope, after), 0 if after == 0 else None)
        if place is None or since is not None or scope.everything:
            return self._counted(scope, or_(*seen), since, after, limit)
        with self._database.read() as connection:
            column = self._table.c.number
            # Branch by branch, each of which an index has in order: together they would be sorted,
            # all that there are, for every page.
            found = {
                number
                for branch in seen
                for number in connection.execute(
                    select(column).where(branch, column > place).order_by(column).limit(limit)
                ).scalars()
            }
            numbers = sorted(found)[:limit]
            query = select(self._table).where(column.in_(numbers)).order_by(column)
            rows = connection.execute(query).all()
        self._remember(scope, [(after + at, row.number) for at, row in enumerate(rows, 1)])
        return [_record(row, after + at) for at, row in enumerate(rows, 1)]

    def _counted(
        self,
        scope: Scope,
        seen: ColumnElement[bool],
        since: datetime | None,
        after: int,
        limit: int,
    ) -> list[Record]:
        table, place = self._table, self._table.c.number
        found: Table | Subquery = table
        if not scope.everything:
            # Counted before `since` cuts, so that a record's number is one in every answer.
            count = func.row_number().over(order_by=place)
            columns = [column for column in table.c if column.name != "number"]
            found = (
                select(count.label("number"), place.label("place"), *columns).where(seen).subquery()
            )
        statement = select(found).where(found.c.number > after)
        if since is not None:
            statement = statement.where(found.c.time >= since)
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(found.c.number).limit(limit)).all()
        if not scope.everything:
            self._remember(scope, [(row.number, row.place) for row in rows])
        return [_record(row, row.number) for row in rows]

    def _remember(self, scope: Scope, places: Sequence[tuple[int, int]]) -> None:
        """Where the next page may begin: after the last of these, or after the one before it."""
        with self._lock:
            for number, place in places[-2:]:
                self._places[scope, number] = place
                self._places.move_to_end((scope, number))
            while len(self._places) > _PLACES:
                self._places.popitem(last=False)

    def _next(self, connection: Connection) -> int:
        # Not the database's own counter: a sequence leaves gaps where a transaction was undone,
        # and a gap looks like a record that somebody took out. There is one writer at a time.
        last = connection.execute(select(func.max(self._table.c.number))).scalar()
        return (last or 0) + 1


def _branches(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    """What makes a record seen, any one of these; none where nothing is."""
    columns = table.c
    if scope.everything:
        return [columns.number > 0]
    open_to: list[ColumnElement[bool]] = []
    if scope.owner is not None:
        open_to.append(columns.owner == scope.owner)
    plain = columns.confidential.is_(False)
    for party in (columns.actor, columns.recipient):
        if scope.party is not None:
            open_to.append(plain & (party == scope.party))
        if scope.party_prefix is not None:
            open_to.append(plain & party.startswith(scope.party_prefix, autoescape=True))
    return open_to


def _row(number: int, entry: Entry) -> dict[str, Any]:
    return {
        "number": number,
        "time": entry.time,
        "event": entry.event,
        "actor": entry.actor,
        "recipient": entry.recipient,
        "owner": entry.owner,
        "digest": entry.digest,
        "document": entry.document,
        "version": entry.version,
        "purpose": entry.purpose,
        "legal_basis": entry.legal_basis,
        "outcome": entry.outcome,
        "artefact": entry.artefact,
        "confidential": entry.confidential,
    }


def _record(row: Row[Any], number: int) -> Record:
    return Record(number, Entry(**{name: row._mapping[name] for name in _FIELDS}))
