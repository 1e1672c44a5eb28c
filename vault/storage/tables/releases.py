"""Releases as the vault relays them, and what holders answered."""

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

from vault.storage.tables.base import Instant, RowId, catalog

releases = Table(
    "releases",
    catalog,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("request_id", String(32), nullable=False),
    Column("requester", String(400), nullable=False, index=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("create_time", Instant, nullable=False),
    UniqueConstraint("requester", "request_id"),
)

# One row a share that the vault passed on: which bytes, so that a lost answer is the same again.
relayed_shares = Table(
    "relayed_shares",
    catalog,
    Column("release_id", RowId, ForeignKey("releases.id"), primary_key=True),
    Column("holder", String(400), primary_key=True),
    Column("index", Integer, nullable=False),
    Column("sealed_share", LargeBinary, nullable=False),
    Column("relay_time", Instant, nullable=False),
)
