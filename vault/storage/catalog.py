"""The vault's catalogue: which document versions are committed, and everything kept about them.

Its transaction is the one commit point of a put: what is not here was never stored, whatever
lies in a block store or at a holder. It judges nothing that a custodian sent (`vault.app.ingest`
did), except what only the database can know: numbers of versions, request ids, owners, blocks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from proofs.schema import Schema
from vault.errors import ConflictError, ExhaustedError, NotAllowedError, NotFoundError
from vault.model import Part, Receipt, StoredVersion
from vault.storage.database import Database
from vault.storage.tables.documents import blocks, receipts, schemas, versions

_CHUNK = 500  # bound on the list of one IN (…)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What one commit adds: a version, its receipts, and its blocks by part (roots included)."""

    stored: StoredVersion
    receipts: Sequence[Receipt]
    blocks: Mapping[Part, Sequence[bytes]]


class Catalog:
    """Documents, schemas, receipts and blocks in one database. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- schemas --------------------------------------------------------------------------------

    def add_schema(
        self, schema: Schema, data: bytes, *, by: str, now: datetime, most: int | None = None
    ) -> None:
        """Register a schema by its canonical bytes; the same again changes nothing.

        Raises ExhaustedError when all that `by` registered would come to over `most` bytes.
        """
        with self.database.write() as connection:
            found = select(schemas.c.digest).where(schemas.c.digest == schema.digest)
            if connection.execute(found).first() is None:
                size = select(func.sum(func.length(schemas.c.data))).where(schemas.c.added_by == by)
                taken = connection.execute(size).scalar() or 0
                if most is not None and taken + len(data) > most:
                    raise ExhaustedError(f"{by} has registered {most} bytes of schemas already")
                connection.execute(
                    insert(schemas).values(
                        digest=schema.digest, name=schema.name, data=data, added_by=by, added_at=now
                    )
                )

    def schema_bytes(self, digest: str) -> bytes | None:
        """Canonical bytes of a registered schema."""
        with self.database.read() as connection:
            query = select(schemas.c.data).where(schemas.c.digest == digest)
            found: bytes | None = connection.execute(query).scalar()
            return found

    def first_schema_time(self) -> datetime | None:
        """When the first schema was registered: nothing can have been committed before."""
        with self.database.read() as connection:
            first: datetime | None = connection.execute(
                select(func.min(schemas.c.added_at))
            ).scalar()
            return first

    def all_schemas(self) -> list[bytes]:
        """Canonical bytes of every schema, in the order of registration."""
        with self.database.read() as connection:
            query = select(schemas.c.data).order_by(schemas.c.added_at, schemas.c.digest)
            return list(connection.execute(query).scalars())

    # --- commits --------------------------------------------------------------------------------

    def check_fits(self, new: Sequence[StoredVersion]) -> None:
        """The refusals of `commit` that can be told before anything is deposited."""
        with self.database.read() as connection:
            _check_places(connection, new)

    def commit(
        self, new: Sequence[NewVersion], *, also: Callable[[Connection], None] | None = None
    ) -> None:
        """Add all versions or none; durable when it returns. `also` joins the transaction.

        Raises ConflictError for a version that is not newer than the last, another asset than the
        document's, or a request id used before; NotAllowedError for another's document.
        """
        stored = [item.stored for item in new]
        with self.database.write() as connection:
            _check_places(connection, stored)
            connection.execute(insert(versions), [_columns(each) for each in stored])
            digests = [each.attestation_digest for each in stored]
            added = select(versions.c.attestation_digest, versions.c.id)
            added = added.where(versions.c.attestation_digest.in_(digests))
            numbers = {row.attestation_digest: row.id for row in connection.execute(added)}
            receipt_rows: list[dict[str, Any]] = []
            block_rows: list[dict[str, Any]] = []
            for item in new:
                number = numbers[item.stored.attestation_digest]
                receipt_rows += (
                    {
                        "version_id": number,
                        "holder": receipt.holder,
                        "epoch": receipt.epoch,
                        "index": receipt.index,
                        "envelope": receipt.envelope,
                    }
                    for receipt in item.receipts
                )
                block_rows += (
                    {"cid": cid, "version_id": number, "part": part}
                    for part, cids in item.blocks.items()
                    for cid in cids
                )
            connection.execute(insert(receipts), receipt_rows)
            connection.execute(insert(blocks), block_rows)
            if also is not None:
                also(connection)

    def count_bundle(self, connection: Connection, attestation_digests: Sequence[str]) -> None:
        """Count one bundle about each of these versions, in the caller's transaction."""
        for start in range(0, len(attestation_digests), _CHUNK):
            about = attestation_digests[start : start + _CHUNK]
            connection.execute(
                update(versions)
                .where(versions.c.attestation_digest.in_(about))
                .values(bundles_issued=versions.c.bundles_issued + 1)
            )

    # --- questions ------------------------------------------------------------------------------

    def find_put(self, custodian: str, request_id: str) -> StoredVersion | None:
        """What this custodian committed under a request id."""
        return self._one(versions.c.custodian == custodian, versions.c.request_id == request_id)

    def find_attested(self, attestation_digest: str) -> StoredVersion | None:
        """The version with this attestation."""
        return self._one(versions.c.attestation_digest == attestation_digest)

    def find_version(self, document: str, version: int) -> StoredVersion | None:
        """One version of a document."""
        return self._one(versions.c.document == document, versions.c.version == version)

    def versions_of(self, document: str) -> list[StoredVersion]:
        """All versions of a document, newest first."""
        query = select(versions).where(versions.c.document == document)
        return self._all(query.order_by(versions.c.version.desc()))

    def has_document(self, custodian: str, asset: str, schema: str) -> bool:
        """Whether this custodian ever stored a document about an asset, of a schema."""
        query = _about(select(versions.c.id), custodian, asset, schema).limit(1)
        with self.database.read() as connection:
            return connection.execute(query).first() is not None

    def newest_unexpired(
        self, custodian: str, asset: str, schema: str, now: datetime
    ) -> StoredVersion | None:
        """A custodian's version about an asset, of a schema: the last committed and still valid."""
        query = (
            _about(select(versions), custodian, asset, schema)
            .where(versions.c.valid_until > now)
            .order_by(versions.c.id.desc())
            .limit(1)
        )
        return next(iter(self._all(query)), None)

    def newest_of_schema(
        self, custodian: str, schema: str, now: datetime, *, after: str, limit: int
    ) -> list[StoredVersion]:
        """Of each document of a custodian its newest version of a schema that is still valid.

        In the order of document ids, those after `after`.
        """
        same = versions.alias("same")
        newest = (
            select(func.max(same.c.version))
            .where(
                same.c.document == versions.c.document,
                same.c.schema == schema,
                same.c.valid_until > now,
            )
            .scalar_subquery()
        )
        query = select(versions).where(
            versions.c.custodian == custodian,
            versions.c.schema == schema,
            versions.c.document > after,
            versions.c.version == newest,
        )
        return self._all(query.order_by(versions.c.document).limit(limit))

    def find_all_attested(self, attestation_digests: Sequence[str]) -> list[StoredVersion]:
        """The versions with these attestations, in the order of their document ids."""
        found: list[StoredVersion] = []
        for start in range(0, len(attestation_digests), _CHUNK):
            wanted = attestation_digests[start : start + _CHUNK]
            found += self._all(select(versions).where(versions.c.attestation_digest.in_(wanted)))
        return sorted(found, key=lambda each: (each.document, each.version))

    def assets_of(self, custodian: str, schema: str) -> set[str]:
        """Every asset about which a custodian ever stored a document of a schema."""
        query = select(versions.c.asset).distinct()
        query = query.where(versions.c.custodian == custodian, versions.c.schema == schema)
        with self.database.read() as connection:
            return set(connection.execute(query).scalars())

    def list_versions(
        self, custodian: str, *, limit: int, before: int | None = None, asset: str | None = None
    ) -> list[StoredVersion]:
        """A custodian's versions, those committed last first; `before` is a row number."""
        query = select(versions).where(versions.c.custodian == custodian)
        if before is not None:
            query = query.where(versions.c.id < before)
        if asset is not None:
            query = query.where(versions.c.asset == asset)
        return self._all(query.order_by(versions.c.id.desc()).limit(limit))

    def receipts_of(self, stored: StoredVersion) -> list[Receipt]:
        """The holders' receipts of a version, in the order of their URIs."""
        query = select(receipts).where(receipts.c.version_id == stored.row)
        with self.database.read() as connection:
            rows = connection.execute(
                query.order_by(receipts.c.holder, receipts.c.epoch)
            ).mappings()
            return [Receipt(r["holder"], r["index"], r["epoch"], r["envelope"]) for r in rows]

    def committed(self, attestation_digests: Iterable[str]) -> set[str]:
        """Those of the attestations that are committed."""
        return set(self._known(versions.c.attestation_digest, list(attestation_digests)))

    def known_blocks(self, cids: Iterable[bytes]) -> set[bytes]:
        """Those of the blocks that belong to a committed version."""
        return set(self._known(blocks.c.cid, list(cids)))

    def blocks_of(self, stored: StoredVersion, part: Part) -> set[bytes]:
        """CIDs of every block of one part, its root included."""
        query = select(blocks.c.cid).where(blocks.c.version_id == stored.row, blocks.c.part == part)
        with self.database.read() as connection:
            return set(connection.execute(query).scalars())

    def _known(self, column: Any, values: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        with self.database.read() as connection:
            for start in range(0, len(values), _CHUNK):
                query = select(column).where(column.in_(values[start : start + _CHUNK]))
                found.extend(connection.execute(query).scalars())
        return found

    def _one(self, *conditions: Any) -> StoredVersion | None:
        return next(iter(self._all(select(versions).where(*conditions))), None)

    def _all(self, query: Any) -> list[StoredVersion]:
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]


def owned(stored: StoredVersion | None, custodian: str, otherwise: str) -> StoredVersion:
    """The version, if it is there and the caller's; what is another's is not found either.

    Raises NotFoundError with the text `otherwise`.
    """
    if stored is None or stored.custodian != custodian:
        raise NotFoundError(otherwise)
    return stored


def _check_places(connection: Connection, new: Sequence[StoredVersion]) -> None:
    """What only the catalogue knows of a put of at most a few dozen versions."""
    query = (
        select(versions.c.document, versions.c.version, versions.c.custodian, versions.c.asset)
        .where(versions.c.document.in_([each.document for each in new]))
        .order_by(versions.c.version)
    )
    newest = {row.document: row for row in connection.execute(query)}
    used = select(versions.c.custodian, versions.c.request_id).where(
        versions.c.request_id.in_([each.request_id for each in new])
    )
    taken = {tuple(row) for row in connection.execute(used)}
    for each in new:
        _check_version(each, newest.get(each.document))
        if (each.custodian, each.request_id) in taken:
            raise ConflictError(
                f"request id {each.request_id} has committed a document: ask for it with GetPut",
                reason="REQUEST_ID_USED",
                field="request_id",
            )


def _check_version(new: StoredVersion, last: Any) -> None:
    if last is None:
        if new.version != 1:
            raise ConflictError(
                f"document {new.document} is new here: its first version is 1, not {new.version}",
                field="version",
            )
    elif last.custodian != new.custodian:
        raise NotAllowedError(f"document {new.document} is another custodian's", field="document")
    elif last.version >= new.version:
        # Higher numbers may leave a gap: of a version that was signed and never stored, nothing
        # else may be signed.
        raise ConflictError(
            f"document {new.document} has version {last.version} already", field="version"
        )
    elif last.asset != new.asset:
        raise ConflictError(
            f"document {new.document} is about asset {last.asset}, every version of it must be",
            field="asset",
        )


def _about(query: Any, custodian: str, asset: str, schema: str) -> Any:
    return query.where(
        versions.c.custodian == custodian, versions.c.asset == asset, versions.c.schema == schema
    )


def _columns(stored: StoredVersion) -> dict[str, object]:
    return {
        "document": stored.document,
        "version": stored.version,
        "custodian": stored.custodian,
        "asset": stored.asset,
        "schema": stored.schema,
        "attestation_digest": stored.attestation_digest,
        "attestation": stored.attestation,
        "manifest_digest": stored.manifest_digest,
        "key_manifest": stored.key_manifest,
        "asset_root": stored.asset_root,
        "personal_root": stored.personal_root,
        "personal_salt": stored.personal_salt,
        "witness": stored.witness,
        "public": json.dumps(dict(stored.public), ensure_ascii=False),
        "provable": json.dumps(stored.provable),
        "request_id": stored.request_id,
        "valid_until": stored.valid_until,
        "commit_time": stored.commit_time,
        "bundles_issued": stored.bundles_issued,
    }


def _stored(row: RowMapping) -> StoredVersion:
    values = dict(row)
    values["row"] = values.pop("id")
    values["public"] = json.loads(values["public"])
    values["provable"] = tuple(json.loads(values["provable"]))
    return StoredVersion(**values)
