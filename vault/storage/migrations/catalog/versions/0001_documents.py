"""Schemas, versions, receipts and blocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.storage.tables.base import Instant, RowId

revision = "0001_documents"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "schemas",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("added_by", sa.String(400), nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_schemas"),
    )
    op.create_table(
        "versions",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("document", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("custodian", sa.String(400), nullable=False),
        sa.Column("asset", sa.String(128), nullable=False),
        sa.Column("schema", sa.String(64), nullable=False),
        sa.Column("attestation_digest", sa.String(64), nullable=False),
        sa.Column("attestation", sa.LargeBinary, nullable=False),
        sa.Column("manifest_digest", sa.String(64), nullable=False),
        sa.Column("key_manifest", sa.LargeBinary, nullable=False),
        sa.Column("asset_root", sa.LargeBinary(36), nullable=False),
        sa.Column("personal_root", sa.LargeBinary(36)),
        sa.Column("personal_salt", sa.LargeBinary(32)),
        sa.Column("witness", sa.LargeBinary, nullable=False),
        sa.Column("public", sa.Text, nullable=False),
        sa.Column("provable", sa.Text, nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("valid_until", Instant, nullable=False),
        sa.Column("commit_time", Instant, nullable=False),
        sa.Column("bundles_issued", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sa.ForeignKeyConstraint(["schema"], ["schemas.digest"], name="fk_versions_schema"),
        sa.UniqueConstraint("attestation_digest", name="uq_versions_attestation_digest"),
        sa.UniqueConstraint("document", "version", name="uq_versions_document"),
        sa.UniqueConstraint("custodian", "request_id", name="uq_versions_custodian"),
    )
    op.create_index("ix_versions_asset", "versions", ["asset"])
    op.create_table(
        "receipts",
        sa.Column("version_id", RowId, nullable=False),
        sa.Column("holder", sa.String(400), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("version_id", "holder", "epoch", name="pk_receipts"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_receipts_version_id"),
    )
    op.create_table(
        "blocks",
        sa.Column("cid", sa.LargeBinary(36), nullable=False),
        sa.Column("version_id", RowId, nullable=False),
        sa.Column("part", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("cid", name="pk_blocks"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_blocks_version_id"),
    )
    op.create_index("ix_blocks_version_id", "blocks", ["version_id"])
