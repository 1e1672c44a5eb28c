"""The register of manifests: which list of documents stands for an SPV and a period."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table, UniqueConstraint

from vault.storage.tables.base import Instant, RowId, catalog

manifests = Table(
    "manifests",
    catalog,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("custodian", String(400), nullable=False),
    # Shown text, and days as they are spelt.
    Column("spv", String(500), nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("schema", String(64), nullable=False),
    Column("serial", Integer, nullable=False),
    # SHA-256 of the signed payload.
    Column("digest", String(64), nullable=False),
    # Without the rows: they follow from the attestations, and were compared with them.
    Column("envelope", LargeBinary, nullable=False),
    Column("register_time", Instant, nullable=False),
    # One number, one content: two lists under one serial could be shown to two verifiers.
    UniqueConstraint("custodian", "spv", "first_day", "last_day", "serial"),
)
