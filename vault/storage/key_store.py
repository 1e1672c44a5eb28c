"""The key store of a process: one wrapping key a document version, in a file of its own.

Kept apart from the database whose rows the keys wrap, and out of its backups: to erase a version
for good, its key is removed here. The file has one fixed table and no migrations; it is
overwritten where a key was (`secure_delete`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, delete, insert, select

from vault.crypto.wrap import WrapKey
from vault.errors import NotFoundError
from vault.storage.database import Database, open_plain
from vault.storage.tables.base import Instant

_metadata = MetaData()
_keys: Final = Table(
    "keys",
    _metadata,
    Column("attestation_digest", String(64), primary_key=True),
    Column("key", LargeBinary(32), nullable=False),
    Column("made_at", Instant, nullable=False, index=True),
)

_CHUNK: Final = 500  # bound on the list of one IN (…)
_ERASED: Final = "the key of this version is not here: it was erased"


class KeyStore:
    """Keys by attestation digest (64 hex digits). Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path) -> KeyStore:
        """Open or create the file (mode 0600)."""
        return cls(open_plain(path, _metadata))

    def add(self, keys: Mapping[str, WrapKey], *, now: datetime) -> None:
        """Keep keys; durable when it returns.

        A key that is there already is replaced: what it wrapped was never committed, because
        whoever commits keeps the digest from coming here again.
        """
        with self._database.write() as connection:
            digests = list(keys)
            connection.execute(delete(_keys).where(_keys.c.attestation_digest.in_(digests)))
            connection.execute(
                insert(_keys),
                [
                    {"attestation_digest": digest, "key": key.value, "made_at": now}
                    for digest, key in keys.items()
                ],
            )

    def get(self, attestation_digest: str) -> WrapKey:
        """The key of a version; NotFoundError when it was erased or never made."""
        query = select(_keys.c.key).where(_keys.c.attestation_digest == attestation_digest)
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
        if found is None:
            raise NotFoundError(_ERASED)
        return WrapKey(found)

    def get_all(self, attestation_digests: Sequence[str]) -> list[WrapKey]:
        """The keys of many versions, in order; NotFoundError as `get`."""
        found: dict[str, bytes] = {}
        with self._database.read() as connection:
            for start in range(0, len(attestation_digests), _CHUNK):
                wanted = attestation_digests[start : start + _CHUNK]
                query = select(_keys.c.attestation_digest, _keys.c.key)
                query = query.where(_keys.c.attestation_digest.in_(wanted))
                found |= {row.attestation_digest: row.key for row in connection.execute(query)}
        if len(found) != len(set(attestation_digests)):
            raise NotFoundError(_ERASED)
        return [WrapKey(found[digest]) for digest in attestation_digests]

    def remove(self, attestation_digests: Iterable[str]) -> None:
        """Erase keys; those that are not there are no error."""
        with self._database.write() as connection:
            for digest in attestation_digests:
                connection.execute(delete(_keys).where(_keys.c.attestation_digest == digest))

    def older_than(self, moment: datetime, *, since: datetime | None = None) -> list[str]:
        """The digests of keys made before `moment` (not before `since`): for a sweep."""
        query = select(_keys.c.attestation_digest).where(_keys.c.made_at < moment)
        if since is not None:
            query = query.where(_keys.c.made_at >= since)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def close(self) -> None:
        """Close the file."""
        self._database.close()
