"""Schemas, document versions, receipts, and which version each block belongs to."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vault.storage.tables.base import Instant, RowId, catalog

schemas = Table(
    "schemas",
    catalog,
    Column("digest", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("added_by", String(400), nullable=False),
    Column("added_at", Instant, nullable=False),
)

versions = Table(
    "versions",
    catalog,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("document", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("custodian", String(400), nullable=False),
    Column("asset", String(128), nullable=False, index=True),
    Column("schema", String(64), ForeignKey("schemas.digest"), nullable=False),
    Column("attestation_digest", String(64), nullable=False, unique=True),
    Column("attestation", LargeBinary, nullable=False),
    Column("manifest_digest", String(64), nullable=False),
    Column("key_manifest", LargeBinary, nullable=False),
    Column("asset_root", LargeBinary(36), nullable=False),
    Column("personal_root", LargeBinary(36)),
    Column("personal_salt", LargeBinary(32)),
    Column("witness", LargeBinary, nullable=False),
    Column("public", Text, nullable=False),
    Column("provable", Text, nullable=False),
    Column("request_id", String(32), nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("commit_time", Instant, nullable=False),
    Column("bundles_issued", Integer, nullable=False, default=0),
    UniqueConstraint("document", "version"),
    # A request id belongs to its caller: another custodian may draw the same one.
    UniqueConstraint("custodian", "request_id"),
)

receipts = Table(
    "receipts",
    catalog,
    Column("version_id", RowId, ForeignKey("versions.id"), primary_key=True),
    Column("holder", String(400), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("index", Integer, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

blocks = Table(
    "blocks",
    catalog,
    # The primary key: no two versions share a block, so dropping one never harms another.
    Column("cid", LargeBinary(36), primary_key=True),
    Column("version_id", RowId, ForeignKey("versions.id"), nullable=False, index=True),
    Column("part", String(8), nullable=False),
)
