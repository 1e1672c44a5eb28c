"""Requests for proofs, and named sets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.storage.tables.base import Instant, RowId

revision = "0003_proofs_sets"
down_revision = "0002_releases_records"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "proof_requests",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("asker", sa.String(400), nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("asset", sa.String(128), nullable=False),
        sa.Column("schema", sa.String(64), nullable=False),
        sa.Column("submit_time", Instant, nullable=False),
        sa.Column("expires", Instant, nullable=False),
        sa.Column("granted_by", sa.String(400)),
        sa.Column("grant_digest", sa.String(64)),
        sa.Column("grant_envelope", sa.LargeBinary),
        sa.Column("bundle", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_proof_requests"),
        sa.UniqueConstraint("digest", "asker", name="uq_proof_requests_digest"),
        sa.UniqueConstraint("grant_digest", name="uq_proof_requests_grant_digest"),
    )
    op.create_index("ix_proof_requests_asker", "proof_requests", ["asker"])
    op.create_table(
        "proof_decisions",
        sa.Column("request_id", RowId, nullable=False),
        sa.Column("custodian", sa.String(400), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("decide_time", Instant, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "custodian", name="pk_proof_decisions"),
        sa.ForeignKeyConstraint(
            ["request_id"], ["proof_requests.id"], name="fk_proof_decisions_request_id"
        ),
    )
    op.create_table(
        "named_sets",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("authority", sa.String(400), nullable=False),
        sa.Column("authority_key", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("valid_until", Instant, nullable=False),
        sa.Column("exported", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_named_sets"),
        sa.UniqueConstraint("authority", "name", "version", name="uq_named_sets_authority"),
    )
    op.create_index("ix_named_sets_name", "named_sets", ["name"])
    op.create_index("ix_named_sets_digest", "named_sets", ["digest"])
