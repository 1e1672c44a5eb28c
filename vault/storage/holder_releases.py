"""What a key holder keeps about releases: requests and decisions as signed, and what it sent.

A share that is released is written here together with its record, in one transaction: there is
no moment at which it could leave without a record, and one request takes one string of bytes
out, ever. Envelopes are kept as they came and judged again at every use by `vault.app`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select

from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.journal import Entry, Journal, durable
from vault.storage.tables.holder_releases import (
    release_decisions,
    release_requests,
    released_shares,
)
from vault.storage.tables.records import holder_records


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A release request as it came. `row` is its place in the order of arrival."""

    row: int
    digest: str
    requester: str
    envelope: bytes
    receive_time: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class ReleasedShare:
    """A share as it left: the holder's index (1..n) and the bytes sealed to the requester."""

    index: int
    sealed_share: bytes = field(repr=False)


class HolderReleaseStore:
    """Requests, decisions and released shares in a holder's database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.journal = Journal(database, holder_records)

    # --- requests -------------------------------------------------------------------------------

    def add_request(
        self,
        *,
        digest: str,
        request_id: str,
        requester: str,
        envelope: bytes,
        expires: datetime,
        entry: Entry,
    ) -> bool:
        """Keep a request and its record; False when the same one is here already.

        Raises ConflictError when its requester used the id for another request, and
        UnavailableError when it could not be written.
        """
        with durable(), self.database.write() as connection:
            if self._request(select(release_requests).where(_digest(digest)), connection):
                return False
            same = (release_requests.c.requester == requester) & (
                release_requests.c.request_id == request_id
            )
            if self._request(select(release_requests).where(same), connection):
                raise ConflictError(
                    f"release id {request_id} was used for another request; make a new one",
                    reason="RELEASE_ID_USED",
                    field="id",
                )
            connection.execute(
                insert(release_requests).values(
                    digest=digest,
                    request_id=request_id,
                    requester=requester,
                    envelope=envelope,
                    receive_time=entry.time,
                    expires=expires,
                )
            )
            self.journal.append_in(connection, entry)
        return True

    def request(self, digest: str) -> StoredRequest | None:
        """The request with this digest."""
        with self.database.read() as connection:
            return self._request(select(release_requests).where(_digest(digest)), connection)

    def unexpired(self, now: datetime, *, after: int, limit: int) -> list[StoredRequest]:
        """Requests that have not expired, in the order of arrival, from row `after` on."""
        query = (
            select(release_requests)
            .where(release_requests.c.expires > now, release_requests.c.id > after)
            .order_by(release_requests.c.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]

    def count_unexpired(self, requester: str, now: datetime) -> int:
        """How many requests of one requester have not expired."""
        query = select(func.count()).where(
            release_requests.c.requester == requester, release_requests.c.expires > now
        )
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    # --- decisions ------------------------------------------------------------------------------

    def add_decision(self, *, request: str, digest: str, envelope: bytes, entry: Entry) -> None:
        """Keep an officer's decision and its record; the same one again changes nothing.

        Raises ConflictError when the share has left already: a denial would promise too much.
        """
        with durable(), self.database.write() as connection:
            known = select(release_decisions.c.id).where(release_decisions.c.digest == digest)
            if connection.execute(known).first() is not None:
                return
            gone = select(released_shares.c.index).where(released_shares.c.request == request)
            if connection.execute(gone).first() is not None:
                raise ConflictError(
                    "this holder has released its share already; a decision comes too late",
                    reason="ALREADY_RELEASED",
                )
            connection.execute(
                insert(release_decisions).values(
                    request=request, digest=digest, envelope=envelope, receive_time=entry.time
                )
            )
            self.journal.append_in(connection, entry)

    def decisions(self, request: str) -> list[bytes]:
        """Envelopes of all decisions on a request, in the order of arrival."""
        query = (
            select(release_decisions.c.envelope)
            .where(release_decisions.c.request == request)
            .order_by(release_decisions.c.id)
        )
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    # --- shares that left -----------------------------------------------------------------------

    def released(self, request: str) -> ReleasedShare | None:
        """What left for this request."""
        query = select(released_shares.c.index, released_shares.c.sealed_share).where(
            released_shares.c.request == request
        )
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else ReleasedShare(row["index"], row["sealed_share"])

    def add_released(self, *, request: str, share: ReleasedShare, entry: Entry) -> None:
        """Keep a share that is about to leave, and its record; both on the disk on return.

        Raises UnavailableError (RECORD_NOT_WRITTEN) when they could not be written, and then
        the share must not leave; ConflictError when the request took one out already.
        """
        with durable(), self.database.write() as connection:
            gone = select(released_shares.c.index).where(released_shares.c.request == request)
            if connection.execute(gone).first() is not None:
                raise ConflictError("the share has left already", reason="ALREADY_RELEASED")
            connection.execute(
                insert(released_shares).values(
                    request=request,
                    index=share.index,
                    sealed_share=share.sealed_share,
                    release_time=entry.time,
                )
            )
            self.journal.append_in(connection, entry)

    def _request(self, query: Select[Any], connection: Any) -> StoredRequest | None:
        row = connection.execute(query).mappings().first()
        return None if row is None else _stored(row)


def _digest(digest: str) -> Any:
    return release_requests.c.digest == digest


def _stored(row: RowMapping) -> StoredRequest:
    return StoredRequest(
        row=row["id"],
        digest=row["digest"],
        requester=row["requester"],
        envelope=row["envelope"],
        receive_time=row["receive_time"],
        expires=row["expires"],
    )
