"""Release requests at one key holder, officers' decisions on them, and the shares that left."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from vault.storage.tables.base import Instant, RowId, holder

release_requests = Table(
    "release_requests",
    holder,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("request_id", String(32), nullable=False),
    Column("requester", String(400), nullable=False, index=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("receive_time", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    UniqueConstraint("requester", "request_id"),
)

# Every decision as it was signed, never changed; an officer's newest one counts.
release_decisions = Table(
    "release_decisions",
    holder,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column(
        "request",
        String(64),
        ForeignKey("release_requests.digest"),
        nullable=False,
        index=True,
    ),
    Column("digest", String(64), nullable=False, unique=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("receive_time", Instant, nullable=False),
)

released_shares = Table(
    "released_shares",
    holder,
    # The primary key: one request takes one share out, as one string of bytes, ever.
    Column("request", String(64), ForeignKey("release_requests.digest"), primary_key=True),
    Column("index", Integer, nullable=False),
    Column("sealed_share", LargeBinary, nullable=False),
    Column("release_time", Instant, nullable=False),
)
