"""Releases, the shares passed on, and the records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.storage.tables.base import Instant, RowId

revision = "0002_releases_records"
down_revision = "0001_documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "releases",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("requester", sa.String(400), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("create_time", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.UniqueConstraint("digest", name="uq_releases_digest"),
        sa.UniqueConstraint("requester", "request_id", name="uq_releases_requester"),
    )
    op.create_index("ix_releases_requester", "releases", ["requester"])
    op.create_table(
        "relayed_shares",
        sa.Column("release_id", RowId, nullable=False),
        sa.Column("holder", sa.String(400), nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("sealed_share", sa.LargeBinary, nullable=False),
        sa.Column("relay_time", Instant, nullable=False),
        sa.PrimaryKeyConstraint("release_id", "holder", name="pk_relayed_shares"),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name="fk_relayed_shares_release_id"
        ),
    )
    op.create_table(
        "records",
        sa.Column("number", RowId, autoincrement=False, nullable=False),
        sa.Column("time", Instant, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(400), nullable=False),
        sa.Column("recipient", sa.String(500), nullable=False),
        sa.Column("owner", sa.String(400), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("purpose", sa.String(500), nullable=False),
        sa.Column("legal_basis", sa.String(500), nullable=False),
        sa.Column("outcome", sa.String(500), nullable=False),
        sa.Column("artefact", sa.String(64), nullable=False),
        sa.Column("confidential", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_records"),
    )
    for column in ("time", "actor", "recipient", "owner"):
        op.create_index(f"ix_records_{column}", "records", [column])
