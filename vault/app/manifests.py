"""The register of manifests: which signed list of documents stands for an SPV and a period.

The vault rebuilds a manifest from the attestations that it stores, and keeps only one that comes
out byte for byte as it was signed. So every row is a document of the custodian that signed, at a
version that is committed here, and says of it what was attested. A serial only rises. Nothing is
proven over a list that was never registered, or that a later one has replaced: otherwise two
investors could be shown two lists of one portfolio, each with a valid signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from proofs.attestation import Attestation
from proofs.canonical import format_instant
from proofs.envelope import Envelope, PayloadType, check_signer
from proofs.errors import BindingError
from proofs.manifest import Manifest
from proofs.principal import Principal
from proofs.schema import Schema
from proofs.selection import MAX_LISTED
from vault.app.slots import Slots
from vault.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from vault.ports import Clock
from vault.sites import SiteSet
from vault.storage.catalog import Catalog
from vault.storage.journal import Entry, Journal, durable
from vault.storage.manifest_store import ManifestStore, StoredManifest

_SKEW: Final = timedelta(minutes=5)


class Manifests:
    """The use case. Safe to share between threads."""

    def __init__(
        self,
        *,
        store: ManifestStore,
        catalog: Catalog,
        journal: Journal,
        sites: SiteSet,
        clock: Clock,
        slots: Slots | None = None,
    ) -> None:
        """`slots` are those of everything that is about many documents at once."""
        self._store = store
        self.slots = Slots() if slots is None else slots
        self._catalog = catalog
        self._journal = journal
        self._sites = sites
        self._clock = clock

    def register(
        self, caller: Principal, envelope: bytes, rows: Sequence[tuple[str, int]]
    ) -> Manifest:
        """Take a manifest from its custodian. `rows` are (document, version) of every document.

        Raises:
            SignatureError, EncodingError, NotAllowedError: not the caller's own manifest.
            NotFoundError: a document or version that the caller has not stored here.
            BindingError: a manifest that says other than the attestations.
            ConflictError: a serial that is not above the last one.
            ExhaustedError: too much work about many documents goes on already.
        """
        now = self._clock()
        manifest = self._read(caller, envelope, now)
        if len(rows) > MAX_LISTED or len({document for document, _ in rows}) != len(rows):
            raise InvalidInputError(f"at most {MAX_LISTED} rows, each document once", field="rows")
        # Thousands of attestations, a hundred megabytes: bounded as proofs about them are.
        with self.slots.enter(caller):
            found = self._store.attestations(caller.uri, rows)
            if len(found) != len(rows):
                raise NotFoundError(
                    f"{len(rows) - len(found)} of the listed document versions are not yours, or "
                    f"not here"
                )
            self._compare(manifest, found)
        stored = StoredManifest(
            custodian=caller.uri,
            spv=manifest.spv,
            period=manifest.period,
            schema=manifest.schema,
            serial=manifest.serial,
            digest=manifest.digest,
            envelope=envelope,
            register_time=now,
        )
        entry = Entry(
            event="manifest.registered",
            time=now,
            actor=caller.uri,
            owner=caller.uri,
            digest=manifest.digest,
            purpose=manifest.spv,
        )
        with durable(), self._store.database.write() as connection:
            if self._store.add(connection, stored):
                self._journal.append_in(connection, entry)
        return manifest

    def require_newest(self, custodian: Principal, manifest: Manifest) -> None:
        """That this is the list that stands for its SPV, period and schema.

        Raises NotFoundError for one that was never registered, ConflictError for one that was
        replaced or has expired.
        """
        newest = self._newest(custodian, manifest)
        if newest is None:
            raise NotFoundError(
                "no manifest of yours for this SPV, period and schema is registered here; "
                "`crossvault manifest register` hands one in",
                reason="MANIFEST_UNKNOWN",
            )
        if newest.digest != manifest.digest:
            raise ConflictError(
                f"the manifest has serial {manifest.serial}; the one that stands for this SPV, "
                f"period and schema has serial {newest.serial}",
                reason="MANIFEST_REPLACED",
            )
        _require_current(manifest, self._clock())

    def list_for(
        self, caller: Principal, *, limit: int, before: int | None
    ) -> list[tuple[StoredManifest, bool]]:
        """Manifests that the caller may see, the last first, and whether each stands.

        A custodian sees its own, an auditor all.
        """
        owner = None if caller.role == "auditor" else caller.uri
        found = self._store.page(owner, limit=limit, before=before)
        return [(each, self._stands(each)) for each in found]

    def _stands(self, stored: StoredManifest) -> bool:
        newest = self._store.newest(stored.custodian, stored.spv, stored.period, stored.schema)
        return newest is not None and newest.row == stored.row

    def _newest(self, custodian: Principal, manifest: Manifest) -> StoredManifest | None:
        return self._store.newest(custodian.uri, manifest.spv, manifest.period, manifest.schema)

    def _read(self, caller: Principal, envelope: bytes, now: datetime) -> Manifest:
        check_signer(PayloadType.PORTFOLIO, caller.jurisdiction, caller.role)
        signed = Envelope.parse(envelope)
        record = self._sites.require_valid(caller, now)
        if signed.keyid != record.key_id:
            raise NotAllowedError("a manifest is handed in by the custodian that signed it")
        manifest = Manifest.parse(signed.verify(record.signing_key, PayloadType.PORTFOLIO))
        if manifest.signed_at > now + _SKEW:
            raise InvalidInputError("the manifest was signed in the future", field="signed_at")
        _require_current(manifest, now)
        return manifest

    def _compare(self, manifest: Manifest, envelopes: Sequence[bytes]) -> None:
        data = self._catalog.schema_bytes(manifest.schema)
        if data is None:
            raise NotFoundError(f"schema {manifest.schema} is not known here")
        attestations = [
            Attestation.parse(Envelope.parse(each).unverified_payload) for each in envelopes
        ]
        if not attestations:
            raise BindingError("a manifest lists at least one document")
        rebuilt, _ = Manifest.build(
            attestations,
            Schema.parse(data),
            spv=manifest.spv,
            period=manifest.period,
            serial=manifest.serial,
            attributes=manifest.attributes,
            signed_at=manifest.signed_at,
        )
        if rebuilt != manifest.data:
            raise BindingError("the manifest says other than the attestations of these documents")


def _require_current(manifest: Manifest, now: datetime) -> None:
    if manifest.valid_until <= now:
        raise ConflictError(
            f"the manifest expired at {format_instant(manifest.valid_until)}, with the first of "
            f"its documents",
            reason="MANIFEST_EXPIRED",
        )
