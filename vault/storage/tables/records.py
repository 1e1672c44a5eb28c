"""The table of records, the same in the vault's and in a holder's database."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table

from vault.storage.tables import base
from vault.storage.tables.base import Instant, RowId


def _records(metadata: MetaData) -> Table:
    return Table(
        "records",
        metadata,
        Column("number", RowId, primary_key=True, autoincrement=False),
        Column("time", Instant, nullable=False, index=True),
        Column("event", String(64), nullable=False),
        Column("actor", String(400), nullable=False, index=True),
        Column("recipient", String(500), nullable=False, index=True),
        Column("owner", String(400), nullable=False, index=True),
        Column("digest", String(64), nullable=False),
        Column("document", String(32), nullable=False),
        Column("version", Integer, nullable=False),
        Column("purpose", String(500), nullable=False),
        Column("legal_basis", String(500), nullable=False),
        Column("outcome", String(500), nullable=False),
        Column("artefact", String(64), nullable=False),
        Column("confidential", Boolean, nullable=False),
    )


catalog_records = _records(base.catalog)
holder_records = _records(base.holder)
