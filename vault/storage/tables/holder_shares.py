"""Deposits of shares at one key holder. The keys that wrap them are in another database."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table

from vault.storage.tables.base import Instant, holder

deposits = Table(
    "deposits",
    holder,
    Column("attestation_digest", String(64), primary_key=True),
    Column("document", String(32), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("custodian", String(400), nullable=False),
    Column("index", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("attestation", LargeBinary, nullable=False),
    Column("manifest_digest", String(64), nullable=False),
    Column("key_manifest", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("deposited_at", Instant, nullable=False, index=True),
    # Whether the vault said that its catalogue has it. A holder asks a day after the deposit.
    Column("confirmed", Boolean, nullable=False, default=False),
)

shares = Table(
    "shares",
    holder,
    Column(
        "attestation_digest",
        String(64),
        ForeignKey("deposits.attestation_digest"),
        primary_key=True,
    ),
    Column("part", String(8), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
