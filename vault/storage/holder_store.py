"""What one key holder keeps: deposits and wrapped shares in one database, wrapping keys in another.

Nothing is ever overwritten: a deposit is found, added or, while the vault has not confirmed it,
dropped. It checks no signature and opens no seal; `vault.app.deposits` does before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, delete, func, insert, select, update

from vault.crypto.shares import Share
from vault.crypto.wrap import WrapKey
from vault.errors import IntegrityError, NotFoundError
from vault.model import Part
from vault.storage.database import Database
from vault.storage.key_store import KeyStore
from vault.storage.tables.holder_shares import deposits, shares

_WRAPPED_SHARE: Final = b"share"
_NAMES: Final = tuple(column.name for column in deposits.columns)


@dataclass(frozen=True, slots=True)
class StoredDeposit:
    """One document version of which this holder keeps shares; digests as 64 hex digits."""

    attestation_digest: str
    document: str
    version: int
    custodian: str
    index: int
    epoch: int
    attestation: bytes
    manifest_digest: str
    key_manifest: bytes
    receipt: bytes
    deposited_at: datetime
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class NewDeposit:
    """A deposit and its plain shares, on their way to be wrapped."""

    stored: StoredDeposit
    shares: Mapping[Part, Share] = field(repr=False)


class HolderStore:
    """Deposits and shares of one holder. Safe to share between threads."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        self.database = database
        self._keys = keys

    def find(self, attestation_digest: str) -> StoredDeposit | None:
        """The deposit with this attestation."""
        return self.find_all([attestation_digest]).get(attestation_digest)

    def find_all(self, attestation_digests: Sequence[str]) -> dict[str, StoredDeposit]:
        """The deposits with these attestations (at most a few hundred), by digest."""
        query = select(deposits).where(deposits.c.attestation_digest.in_(attestation_digests))
        with self.database.read() as connection:
            rows = connection.execute(query).mappings()
            return {row["attestation_digest"]: _stored(row) for row in rows}

    def find_version(self, document: str, version: int) -> list[StoredDeposit]:
        """The deposits of one document version: more than one if a custodian signed two."""
        query = select(deposits).where(
            deposits.c.document == document, deposits.c.version == version
        )
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]

    def add(self, new: Sequence[NewDeposit]) -> None:
        """Keep deposits, all or none, under fresh keys; durable when it returns.

        The keys are written first: a share without its key would be lost, a key without its
        share is removed by `sweep_keys`.
        """
        if not new:
            return
        keys = {item.stored.attestation_digest: WrapKey.generate() for item in new}
        self._keys.add(keys, now=new[0].stored.deposited_at)
        share_rows: list[dict[str, Any]] = []
        for item in new:
            digest = item.stored.attestation_digest
            for part, share in item.shares.items():
                wrapped = keys[digest].wrap(share.value, *_place(item.stored, part))
                share_rows.append({"attestation_digest": digest, "part": part, "wrapped": wrapped})
        with self.database.write() as connection:
            connection.execute(insert(deposits), [_columns(item.stored) for item in new])
            connection.execute(insert(shares), share_rows)

    def share(self, stored: StoredDeposit, part: Part) -> Share:
        """The plain share of one part.

        Raises NotFoundError when this holder has none or its key was erased, IntegrityError when
        the stored bytes are not what was wrapped.
        """
        query = select(shares.c.wrapped).where(
            shares.c.attestation_digest == stored.attestation_digest, shares.c.part == part
        )
        with self.database.read() as connection:
            wrapped = connection.execute(query).scalar()
        if wrapped is None:
            raise NotFoundError(f"no share of the {part} part of this document is kept here")
        key = self._keys.get(stored.attestation_digest)
        try:
            value = key.unwrap(wrapped, *_place(stored, part))
        except IntegrityError as error:
            raise IntegrityError(
                f"the share of the {part} part of document {stored.document} is damaged"
            ) from error
        return Share(stored.index, value)

    # --- deposits that nobody confirmed ---------------------------------------------------------

    def unconfirmed(self, before: datetime, *, limit: int) -> list[str]:
        """Digests of deposits that came before a time and are not known to be committed."""
        query = (
            select(deposits.c.attestation_digest)
            .where(deposits.c.confirmed.is_(False), deposits.c.deposited_at < before)
            .order_by(deposits.c.deposited_at)
            .limit(limit)
        )
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def confirm(self, attestation_digests: Iterable[str]) -> None:
        """Note that the vault has these committed: they are never dropped from then on."""
        with self.database.write() as connection:
            for digest in attestation_digests:
                connection.execute(
                    update(deposits)
                    .where(deposits.c.attestation_digest == digest)
                    .values(confirmed=True)
                )

    def drop_unconfirmed(self, attestation_digests: Sequence[str]) -> None:
        """Drop deposits that were not committed; a confirmed one stays whatever is asked."""
        with self.database.write() as connection:
            query = select(deposits.c.attestation_digest).where(
                deposits.c.attestation_digest.in_(attestation_digests),
                deposits.c.confirmed.is_(False),
            )
            gone = list(connection.execute(query).scalars())
            connection.execute(delete(shares).where(shares.c.attestation_digest.in_(gone)))
            connection.execute(delete(deposits).where(deposits.c.attestation_digest.in_(gone)))
        self._keys.remove(gone)

    def sweep_keys(self, before: datetime) -> int:
        """Remove keys older than `before` that wrap nothing: left by a process that was killed.

        Those older than the first deposit here are spared: they belong to a database that was lost
        or is not mounted, and with them gone a copy of it would be worth nothing.
        """
        with self.database.read() as connection:
            first = connection.execute(select(func.min(deposits.c.deposited_at))).scalar()
        if first is None:
            return 0
        old = self._keys.older_than(before, since=first)
        gone: list[str] = []
        for start in range(0, len(old), 500):
            some = old[start : start + 500]
            gone.extend(set(some) - set(self.find_all(some)))
        self._keys.remove(gone)
        return len(gone)

    def close(self) -> None:
        """Close both databases."""
        self.database.close()
        self._keys.close()


def _place(stored: StoredDeposit, part: Part) -> tuple[bytes, ...]:
    return (
        _WRAPPED_SHARE,
        stored.attestation_digest.encode(),
        stored.manifest_digest.encode(),
        part.encode(),
        str(stored.index).encode(),
    )


def _columns(stored: StoredDeposit) -> dict[str, object]:
    return {name: getattr(stored, name) for name in _NAMES}


def _stored(row: RowMapping) -> StoredDeposit:
    return StoredDeposit(**row)
