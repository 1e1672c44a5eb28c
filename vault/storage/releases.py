"""What the vault keeps about releases: requests as signed, and the sealed shares it passed on.

A share is written here together with its record before it is passed on. The vault can open none
of them; it keeps them so that a lost answer is answered again with the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping, insert, select

from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.journal import Entry, Journal, durable
from vault.storage.tables.records import catalog_records
from vault.storage.tables.releases import relayed_shares, releases


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A release as its requester signed it. `row` is its place in the order of arrival."""

    row: int
    digest: str
    requester: str
    envelope: bytes
    create_time: datetime


@dataclass(frozen=True, slots=True)
class RelayedShare:
    """One holder's sealed share, with the index (1..n) that the key manifest gives it."""

    holder: str
    index: int
    sealed_share: bytes = field(repr=False)


class ReleaseStore:
    """Releases and relayed shares in the vault's database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.journal = Journal(database, catalog_records)

    def add(
        self, *, digest: str, request_id: str, requester: str, envelope: bytes, entry: Entry
    ) -> None:
        """Keep a request and its record; the same again changes nothing.

        Raises ConflictError when its requester used the id for another request, and
        UnavailableError when it could not be written.
        """
        with durable(), self.database.write() as connection:
            known = select(releases.c.id).where(releases.c.digest == digest)
            if connection.execute(known).first() is not None:
                return
            used = select(releases.c.id).where(
                releases.c.requester == requester, releases.c.request_id == request_id
            )
            if connection.execute(used).first() is not None:
                raise ConflictError(
                    f"release id {request_id} was used for another request; make a new one",
                    reason="RELEASE_ID_USED",
                    field="id",
                )
            connection.execute(
                insert(releases).values(
                    digest=digest,
                    request_id=request_id,
                    requester=requester,
                    envelope=envelope,
                    create_time=entry.time,
                )
            )
            self.journal.append_in(connection, entry)

    def find(self, digest: str) -> StoredRelease | None:
        """The release with this digest."""
        query = select(releases).where(releases.c.digest == digest)
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _stored(row)

    def list_of(self, requester: str, *, after: int, limit: int) -> list[StoredRelease]:
        """One requester's releases in the order of arrival, from row `after` on."""
        query = (
            select(releases)
            .where(releases.c.requester == requester, releases.c.id > after)
            .order_by(releases.c.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]

    def relayed(self, release: StoredRelease) -> dict[str, RelayedShare]:
        """The shares that were passed on, by holder."""
        query = select(relayed_shares).where(relayed_shares.c.release_id == release.row)
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return {
            row["holder"]: RelayedShare(row["holder"], row["index"], row["sealed_share"])
            for row in rows
        }

    def add_relayed(
        self, release: StoredRelease, shares: Sequence[tuple[RelayedShare, Entry]]
    ) -> None:
        """Keep shares that are about to be passed on, with a record of each.

        Raises UnavailableError (RECORD_NOT_WRITTEN) when they could not be written, and then
        none must be passed on. A share that is kept already is left as it is.
        """
        if not shares:
            return
        with durable(), self.database.write() as connection:
            known = set(
                connection.execute(
                    select(relayed_shares.c.holder).where(
                        relayed_shares.c.release_id == release.row
                    )
                ).scalars()
            )
            new = [(share, entry) for share, entry in shares if share.holder not in known]
            for share, entry in new:
                connection.execute(
                    insert(relayed_shares).values(
                        release_id=release.row,
                        holder=share.holder,
                        index=share.index,
                        sealed_share=share.sealed_share,
                        relay_time=entry.time,
                    )
                )
            self.journal.append_all(connection, [entry for _, entry in new])


def _stored(row: RowMapping) -> StoredRelease:
    return StoredRelease(
        row=row["id"],
        digest=row["digest"],
        requester=row["requester"],
        envelope=row["envelope"],
        create_time=row["create_time"],
    )
