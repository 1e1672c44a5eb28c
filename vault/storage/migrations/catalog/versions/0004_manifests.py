"""The register of manifests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.storage.tables.base import Instant, RowId

revision = "0004_manifests"
down_revision = "0003_proofs_sets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "manifests",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("custodian", sa.String(400), nullable=False),
        sa.Column("spv", sa.String(500), nullable=False),
        sa.Column("first_day", sa.String(10), nullable=False),
        sa.Column("last_day", sa.String(10), nullable=False),
        sa.Column("schema", sa.String(64), nullable=False),
        sa.Column("serial", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("register_time", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_manifests"),
        sa.UniqueConstraint(
            "custodian", "spv", "first_day", "last_day", "serial", name="uq_manifests_custodian"
        ),
    )
