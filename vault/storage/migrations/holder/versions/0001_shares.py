"""Deposits and wrapped shares."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.storage.tables.base import Instant

revision = "0001_shares"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "deposits",
        sa.Column("attestation_digest", sa.String(64), nullable=False),
        sa.Column("document", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("custodian", sa.String(400), nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("attestation", sa.LargeBinary, nullable=False),
        sa.Column("manifest_digest", sa.String(64), nullable=False),
        sa.Column("key_manifest", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.LargeBinary, nullable=False),
        sa.Column("deposited_at", Instant, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("attestation_digest", name="pk_deposits"),
    )
    op.create_index("ix_deposits_document", "deposits", ["document"])
    op.create_index("ix_deposits_deposited_at", "deposits", ["deposited_at"])
    op.create_table(
        "shares",
        sa.Column("attestation_digest", sa.String(64), nullable=False),
        sa.Column("part", sa.String(8), nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("attestation_digest", "part", name="pk_shares"),
        sa.ForeignKeyConstraint(
            ["attestation_digest"],
            ["deposits.attestation_digest"],
            name="fk_shares_attestation_digest",
        ),
    )
