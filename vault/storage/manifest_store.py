"""The register of manifests as rows: each with its serial, per custodian, SPV and period.

Nothing is changed or removed. Which manifest may be registered, and over which one is proven, is
`vault.app.manifests`' to say; that a serial only rises is seen to here, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from proofs.selection import Period
from vault.errors import ConflictError
from vault.storage.database import Database
from vault.storage.tables.documents import versions
from vault.storage.tables.manifests import manifests as table

_CHUNK: Final = 500  # bound on the list of one IN (…)


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """One manifest. `digest` is of its payload; `row` counts upwards, 0 for one not stored yet."""

    custodian: str
    spv: str
    period: Period
    schema: str
    serial: int
    digest: str
    envelope: bytes = field(repr=False)
    register_time: datetime
    row: int = 0


class ManifestStore:
    """The table. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, connection: Connection, new: StoredManifest) -> bool:
        """Add a manifest in the caller's transaction; False for one that is there already.

        Raises ConflictError for a serial that is not above the last of this custodian, SPV and
        period, whatever the schema.
        """
        same = select(table.c.serial, table.c.digest).where(*_about(new))
        last = connection.execute(same.order_by(table.c.serial.desc()).limit(1)).first()
        known = same.where(table.c.serial == new.serial, table.c.digest == new.digest)
        if connection.execute(known).first() is not None:
            return False
        if last is not None and last.serial >= new.serial:
            raise ConflictError(
                f"serial {last.serial} of this SPV and period is registered already; the next "
                f"must be higher than {new.serial}",
                field="serial",
                reason="SERIAL_NOT_HIGHER",
            )
        connection.execute(
            insert(table).values(
                custodian=new.custodian,
                spv=new.spv,
                first_day=new.period[0].isoformat(),
                last_day=new.period[1].isoformat(),
                schema=new.schema,
                serial=new.serial,
                digest=new.digest,
                envelope=new.envelope,
                register_time=new.register_time,
            )
        )
        return True

    def newest(
        self, custodian: str, spv: str, period: Period, schema: str
    ) -> StoredManifest | None:
        """That with the highest serial for exactly these."""
        first, last = (day.isoformat() for day in period)
        query = select(table).where(
            table.c.custodian == custodian,
            table.c.spv == spv,
            table.c.first_day == first,
            table.c.last_day == last,
            table.c.schema == schema,
        )
        return next(iter(self._read(query.order_by(table.c.serial.desc()).limit(1))), None)

    def page(
        self, custodian: str | None, *, limit: int, before: int | None = None
    ) -> list[StoredManifest]:
        """A custodian's manifests, or everybody's, the last registered first."""
        query = select(table)
        if custodian is not None:
            query = query.where(table.c.custodian == custodian)
        if before is not None:
            query = query.where(table.c.id < before)
        return self._read(query.order_by(table.c.id.desc()).limit(limit))

    def attestations(self, custodian: str, wanted: Sequence[tuple[str, int]]) -> list[bytes]:
        """The envelopes of those of these (document, version) that are this custodian's."""
        found: list[bytes] = []
        columns = select(versions.c.document, versions.c.version, versions.c.attestation)
        with self.database.read() as connection:
            for start in range(0, len(wanted), _CHUNK):
                some = dict(wanted[start : start + _CHUNK])
                query = columns.where(
                    versions.c.custodian == custodian, versions.c.document.in_(some)
                )
                found += [
                    row.attestation
                    for row in connection.execute(query)
                    if some[row.document] == row.version
                ]
        return found

    def _read(self, query: Any) -> list[StoredManifest]:
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            StoredManifest(
                custodian=row["custodian"],
                spv=row["spv"],
                period=(date.fromisoformat(row["first_day"]), date.fromisoformat(row["last_day"])),
                schema=row["schema"],
                serial=row["serial"],
                digest=row["digest"],
                envelope=row["envelope"],
                register_time=row["register_time"],
                row=row["id"],
            )
            for row in rows
        ]


def _about(new: StoredManifest) -> list[Any]:
    first, last = (day.isoformat() for day in new.period)
    return [
        table.c.custodian == new.custodian,
        table.c.spv == new.spv,
        table.c.first_day == first,
        table.c.last_day == last,
    ]
