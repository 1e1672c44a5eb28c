"""Requests for proofs, what became of them, and the named sets."""

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

# Two SPVs may hand in the same file: a request is known by its digest and who asked.
proof_requests = Table(
    "proof_requests",
    catalog,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False),
    Column("asker", String(400), nullable=False, index=True),
    Column("request", LargeBinary, nullable=False),
    Column("asset", String(128), nullable=False),
    Column("schema", String(64), nullable=False),
    Column("submit_time", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    # All four empty until there is a bundle. One grant, one bundle.
    Column("granted_by", String(400)),
    Column("grant_digest", String(64), unique=True),
    Column("grant_envelope", LargeBinary),
    Column("bundle", LargeBinary),
    UniqueConstraint("digest", "asker"),
)

# What a custodian decided that gave no bundle; one custodian's refusal binds no other.
proof_decisions = Table(
    "proof_decisions",
    catalog,
    Column("request_id", RowId, ForeignKey("proof_requests.id"), primary_key=True),
    Column("custodian", String(400), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("decide_time", Instant, nullable=False),
)

named_sets = Table(
    "named_sets",
    catalog,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False, index=True),
    Column("authority", String(400), nullable=False),
    # The fingerprint of the authority's key: what requests and grants name.
    Column("authority_key", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("valid_until", Instant, nullable=False),
    # The first line of its file; what the authority signed.
    Column("envelope", LargeBinary, nullable=False),
    UniqueConstraint("authority", "name", "version"),
)

# The other lines, the members, cut anywhere. Rows of their own: a database reads a long value from
# its beginning whatever part of it is asked for, and an export asks for one part after another.
set_slices = Table(
    "set_slices",
    catalog,
    Column("set_id", RowId, ForeignKey("named_sets.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
