"""Release requests, decisions on them, the shares that left, and the records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.storage.tables.base import Instant, RowId

revision = "0002_releases_records"
down_revision = "0001_shares"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "release_requests",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("requester", sa.String(400), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("receive_time", Instant, nullable=False),
        sa.Column("expires", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_release_requests"),
        sa.UniqueConstraint("digest", name="uq_release_requests_digest"),
        sa.UniqueConstraint("requester", "request_id", name="uq_release_requests_requester"),
    )
    op.create_index("ix_release_requests_requester", "release_requests", ["requester"])
    op.create_index("ix_release_requests_expires", "release_requests", ["expires"])
    op.create_table(
        "release_decisions",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("receive_time", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_release_decisions"),
        sa.UniqueConstraint("digest", name="uq_release_decisions_digest"),
        sa.ForeignKeyConstraint(
            ["request"], ["release_requests.digest"], name="fk_release_decisions_request"
        ),
    )
    op.create_index("ix_release_decisions_request", "release_decisions", ["request"])
    op.create_table(
        "released_shares",
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("sealed_share", sa.LargeBinary, nullable=False),
        sa.Column("release_time", Instant, nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_released_shares"),
        sa.ForeignKeyConstraint(
            ["request"], ["release_requests.digest"], name="fk_released_shares_request"
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
