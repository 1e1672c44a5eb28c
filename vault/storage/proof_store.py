"""Requests for proofs as rows: submitted once, decided once, answered with the same bytes always.

It decides nothing; which step is allowed, and what an asker may see of it, is
`vault.app.requests`'. A grant's digest is unique here: one grant, one bundle, whatever races.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, exists, insert, select, update
from sqlalchemy.exc import IntegrityError as RowExistsError

from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.tables.documents import versions
from vault.storage.tables.proofs import proof_requests as table


class RequestState(StrEnum):
    """What became of a request, as the vault and the custodian know it."""

    PENDING = "pending"
    ANSWERED = "answered"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request and its fate. `decider` is the custodian that decided, `row` its number."""

    digest: str
    asker: str
    request: bytes
    asset: str
    schema: str
    submit_time: datetime
    expires: datetime
    state: RequestState = RequestState.PENDING
    decider: str | None = None
    detail: str = ""
    grant_digest: str | None = None
    grant_envelope: bytes | None = None
    legal_basis: str = ""
    bundle: bytes | None = field(default=None, repr=False)
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
                connection.execute(insert(table).values(**_columns(new)))
            row = connection.execute(select(table).where(*same)).mappings().one()
        return _stored(row)

    def find(self, digest: str, asker: str) -> StoredRequest | None:
        """One request of one asker."""
        found = self._all(table.c.digest == digest, table.c.asker == asker)
        return found[0] if found else None

    def with_digest(self, digest: str) -> list[StoredRequest]:
        """The request of every asker that handed in the same file."""
        return self._all(table.c.digest == digest)

    def of_asker(
        self, asker: str, *, limit: int, before: int | None = None
    ) -> Sequence[StoredRequest]:
        """An asker's requests, the last first."""
        return self._page([table.c.asker == asker], limit, before)

    def concerning(
        self, custodian: str, *, limit: int, before: int | None = None
    ) -> Sequence[StoredRequest]:
        """Requests about an asset and schema of which the custodian has a document."""
        about = exists().where(
            versions.c.custodian == custodian,
            versions.c.asset == table.c.asset,
            versions.c.schema == table.c.schema,
        )
        return self._page([about], limit, before)

    def decide(
        self,
        connection: Connection,
        request: StoredRequest,
        *,
        state: RequestState,
        decider: str,
        detail: str = "",
        grant: tuple[str, bytes] | None = None,
        legal_basis: str = "",
        bundle: bytes | None = None,
    ) -> None:
        """Write a decision in the caller's transaction, if nobody else decided meanwhile.

        `grant` is the digest of the grant's payload and its envelope. Raises ConflictError when
        the request is no longer as `request` says, or the grant has served already.
        """
        values: dict[str, Any] = {
            "state": state.value,
            "decider": decider,
            "detail": detail,
            "legal_basis": legal_basis,
            "bundle": bundle,
        }
        if grant is not None:
            values |= {"grant_digest": grant[0], "grant_envelope": grant[1]}
        try:
            changed = connection.execute(
                update(table)
                .where(table.c.id == request.row, table.c.state == request.state.value)
                .values(**values)
            )
        except RowExistsError:
            raise ConflictError(
                "this grant has served already: one grant, one bundle", reason="GRANT_USED"
            ) from None
        if changed.rowcount != 1:
            raise ConflictError("the request was decided meanwhile", reason="ALREADY_DECIDED")

    def _page(
        self, conditions: list[ColumnElement[bool]], limit: int, before: int | None
    ) -> list[StoredRequest]:
        if before is not None:
            conditions = [*conditions, table.c.id < before]
        return self._all(*conditions, limit=limit)

    def _all(self, *conditions: ColumnElement[bool], limit: int = 1000) -> list[StoredRequest]:
        query = select(table).where(*conditions).order_by(table.c.id.desc()).limit(limit)
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]


def _columns(new: StoredRequest) -> dict[str, Any]:
    return {
        "digest": new.digest,
        "asker": new.asker,
        "request": new.request,
        "asset": new.asset,
        "schema": new.schema,
        "submit_time": new.submit_time,
        "expires": new.expires,
        "state": new.state.value,
        "detail": new.detail,
        "legal_basis": new.legal_basis,
    }


def _stored(row: RowMapping) -> StoredRequest:
    columns = dict(row)
    number = columns.pop("id")
    return StoredRequest(**{**columns, "state": RequestState(columns["state"])}, row=number)
