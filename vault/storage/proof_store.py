"""Requests for proofs as rows: submitted once, answered once, with the same bytes always.

It decides nothing; which step is allowed is for `asking`, `deciding` and `answering` of `vault.app`
to say, and what an asker may see of it for `request_views`. A grant's digest is unique here: one
grant, one bundle, whatever races.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    RowMapping,
    Select,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError as RowExistsError

from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.tables.documents import versions
from vault.storage.tables.proofs import proof_decisions
from vault.storage.tables.proofs import proof_requests as table

_CUSTODIAN = "/cn/custodian/"
"""What the URI of every custodian has in it, and no other principal's."""


PAGE_BYTES: Final = 6 << 20
"""Requests are of up to 1 MiB. A page ends before it would not fit into a message, and no more of
them is read for it: many at once would fill the memory."""


_PIECE: Final = 1 << 20


class Decision(StrEnum):
    """How a custodian's decision ended that gave no bundle."""

    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """One custodian's decision about one request; `detail` is for that custodian."""

    state: Decision
    detail: str
    decide_time: datetime


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request, and whether it has a bundle. `row` is its number.

    The bundle is read apart: with those of a whole page a process would need gigabytes.
    """

    digest: str
    asker: str
    request: bytes
    asset: str
    schema: str
    submit_time: datetime
    expires: datetime
    granted_by: str | None = None
    grant_digest: str | None = None
    grant_envelope: bytes | None = None
    answered: bool = False
    row: int = 0


class ProofStore:
    """The table of requests. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def submit(self, new: StoredRequest) -> StoredRequest:
        """Add a request; handed in again by the same asker, it is the one that is there."""
        same = (table.c.digest == new.digest, table.c.asker == new.asker)
        with self.database.write() as connection:
            if connection.execute(select(table.c.id).where(*same)).first() is None:
                connection.execute(
                    insert(table).values(
                        digest=new.digest,
                        asker=new.asker,
                        request=new.request,
                        asset=new.asset,
                        schema=new.schema,
                        submit_time=new.submit_time,
                        expires=new.expires,
                    )
                )
            row = connection.execute(_query().where(*same)).mappings().one()
        return _stored(row)

    def find(self, digest: str, asker: str) -> StoredRequest | None:
        """One request of one asker."""
        found = self._all(table.c.digest == digest, table.c.asker == asker)
        return found[0] if found else None

    def bundle(self, request: StoredRequest) -> bytes | None:
        """The bundle of a request, None while it has none."""
        query = select(table.c.bundle).where(table.c.id == request.row)
        with self.database.read() as connection:
            found: bytes | None = connection.execute(query).scalar()
            return found

    def pieces(self, request: StoredRequest) -> Iterator[bytes]:
        """The bundle of a request, a MiB at a time, so that slow readers hold no more of it."""
        start = 1  # the database counts bytes from one
        while True:
            part = func.substr(table.c.bundle, start, _PIECE, type_=LargeBinary)
            with self.database.read() as connection:
                found = connection.execute(select(part).where(table.c.id == request.row)).scalar()
            if not found:
                return
            yield found
            start += len(found)

    def count_open(self, asker: str, since: datetime) -> tuple[int, int]:
        """How many of an asker's requests have no bundle and end after `since`, and their bytes."""
        size = func.coalesce(func.sum(func.length(table.c.request)), 0)
        query = select(func.count(), size).where(
            table.c.asker == asker, table.c.bundle.is_(None), table.c.expires > since
        )
        with self.database.read() as connection:
            count, total = connection.execute(query).one()
            return count, total

    def with_digest(self, digest: str) -> list[StoredRequest]:
        """The request of every asker that handed in the same file."""
        return self._all(table.c.digest == digest)

    def of_asker(
        self, asker: str, *, limit: int, before: int | None = None
    ) -> tuple[list[StoredRequest], bool]:
        """An asker's requests, the last first, and whether there are more.

        Up to `limit`, so many as a page can hold; at least one if there is any.
        """
        return self._page([table.c.asker == asker], limit, before)

    def concerning(
        self, custodian: str, *, limit: int, before: int | None = None
    ) -> tuple[list[StoredRequest], bool]:
        """Requests about an asset and schema of which the custodian has a document, as `of_asker`.

        An empty asset is any of the schema. Those that another custodian made for its own proofs
        are that one's alone.
        """
        about = exists().where(
            versions.c.custodian == custodian,
            or_(versions.c.asset == table.c.asset, table.c.asset == ""),
            versions.c.schema == table.c.schema,
        )
        own = or_(table.c.asker == custodian, ~table.c.asker.contains(_CUSTODIAN))
        return self._page([about, own], limit, before)

    def decisions(
        self, custodian: str, requests: Iterable[StoredRequest]
    ) -> Mapping[int, StoredDecision]:
        """What this custodian decided about these requests, by row."""
        with self.database.read() as connection:
            return _decisions(connection, custodian, [each.row for each in requests])

    def decide(
        self, connection: Connection, request: StoredRequest, custodian: str, made: StoredDecision
    ) -> None:
        """Write a decision that gave no bundle, in the caller's transaction.

        It takes the place of the same custodian's earlier one. Raises ConflictError when there is
        a bundle by now: a denial would promise too much.
        """
        answered = select(table.c.id).where(table.c.id == request.row, table.c.bundle.is_not(None))
        if connection.execute(answered).first() is not None:
            raise ConflictError("the request was answered meanwhile", reason="ALREADY_DECIDED")
        mine = (
            proof_decisions.c.request_id == request.row,
            proof_decisions.c.custodian == custodian,
        )
        connection.execute(delete(proof_decisions).where(*mine))
        connection.execute(
            insert(proof_decisions).values(
                request_id=request.row,
                custodian=custodian,
                state=made.state.value,
                detail=made.detail,
                decide_time=made.decide_time,
            )
        )

    def answer(
        self,
        connection: Connection,
        request: StoredRequest,
        *,
        custodian: str,
        grant_digest: str,
        grant_envelope: bytes,
        bundle: bytes,
        decided: StoredDecision | None,
    ) -> None:
        """Write the bundle, in the caller's transaction.

        Raises ConflictError when there is one already, when the grant has served before, or when
        the custodian has denied the request since `decided`, its decision when this began: a
        denial that was acknowledged must not be followed by the bundle.
        """
        now = _decisions(connection, custodian, [request.row]).get(request.row)
        if now is not None and now != decided and now.state is Decision.DENIED:
            raise ConflictError("the request was denied meanwhile", reason="ALREADY_DECIDED")
        try:
            changed = connection.execute(
                update(table)
                .where(table.c.id == request.row, table.c.bundle.is_(None))
                .values(
                    granted_by=custodian,
                    grant_digest=grant_digest,
                    grant_envelope=grant_envelope,
                    bundle=bundle,
                )
            )
        except RowExistsError:
            raise ConflictError(
                "this grant has served already: one grant, one bundle", reason="GRANT_USED"
            ) from None
        if changed.rowcount != 1:
            raise ConflictError("the request was answered meanwhile", reason="ALREADY_DECIDED")

    def _page(
        self, conditions: list[ColumnElement[bool]], limit: int, before: int | None
    ) -> tuple[list[StoredRequest], bool]:
        if before is not None:
            conditions = [*conditions, table.c.id < before]
        sizes = select(table.c.id, func.length(table.c.request)).where(*conditions)
        rows: list[int] = []
        total, more = 0, False
        with self.database.read() as connection:
            for row, size in connection.execute(sizes.order_by(table.c.id.desc()).limit(limit + 1)):
                total += size
                more = len(rows) == limit or (bool(rows) and total > PAGE_BYTES)
                if more:
                    break
                rows.append(row)
        return self._all(table.c.id.in_(rows)), more

    def _all(self, *conditions: ColumnElement[bool]) -> list[StoredRequest]:
        query = _query().where(*conditions).order_by(table.c.id.desc()).limit(1000)
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]


def _decisions(
    connection: Connection, custodian: str, rows: Sequence[int]
) -> dict[int, StoredDecision]:
    query = select(proof_decisions).where(
        proof_decisions.c.custodian == custodian, proof_decisions.c.request_id.in_(rows)
    )
    return {
        row.request_id: StoredDecision(Decision(row.state), row.detail, row.decide_time)
        for row in connection.execute(query)
    }


def _query() -> Select[Any]:
    columns = [column for column in table.c if column.name != "bundle"]
    # Written together with the bundle. SQLite would read all 16 MiB of that to say if it is there.
    return select(*columns, table.c.granted_by.is_not(None).label("answered"))


def _stored(row: RowMapping) -> StoredRequest:
    columns = dict(row)
    return StoredRequest(row=columns.pop("id"), **columns)
