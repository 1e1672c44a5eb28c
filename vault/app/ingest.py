"""Taking documents in: all of a call or none, acknowledged when everything is durable.

The order is what makes a crash harmless: blocks reach the disk as they come, then the keys of
the witnesses, then the shares at every holder of both sides, then one commit of the catalogue.
Before that commit nothing was stored and everything is removed, at once or by a sweep; after it
everything is there. The vault believes nothing that it was sent and keeps no sealed share.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from proofs import pedersen
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError
from proofs.principal import Principal
from proofs.schema import Schema
from vault.app.sealed_checks import CheckedDocument, Checks, SealedDocument
from vault.app.staging import Staged, StagedCall
from vault.app.witnesses import wrap_witness
from vault.crypto.cids import Cid
from vault.crypto.hpke import HpkeKey
from vault.crypto.wrap import WrapKey
from vault.errors import ConflictError, IntegrityError, InvalidInputError, VaultError
from vault.model import MAX_BATCH, PARTS, SIDES, Part, Receipt, Side, StoredVersion
from vault.ports import Clock, Deposit, Holders
from vault.signed.receipt import DepositReceipt
from vault.sites import SiteSet
from vault.storage.blocks import BlockStore
from vault.storage.catalog import Catalog, NewVersion
from vault.storage.journal import Entry, Journal
from vault.storage.key_store import KeyStore

SWEEP_AGE: Final = timedelta(hours=1)
_SWEPT_AT_ONCE: Final = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PutOutcome:
    """What one committed document is acknowledged with."""

    stored: StoredVersion
    receipts: tuple[Receipt, ...]


class Ingest:
    """Takes puts into one vault. Safe to share between threads; each call gets a `PutCall`."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        journal: Journal,
        keys: KeyStore,
        stores: Mapping[Part, BlockStore],
        holders: Holders,
        sites: SiteSet,
        key: HpkeKey,
        clock: Clock,
    ) -> None:
        self.catalog = catalog
        self.journal = journal
        self.keys = keys
        self.stores = stores
        self.holders = holders
        self.sites = sites
        self.clock = clock
        self.staged = Staged()
        self.running = Running()
        self._schemas: dict[str, Schema] = {}
        self.checks = Checks(sites, key, self.schema, clock)
        # 3 MB and 20 ms, once: every commitment that comes is made again.
        pedersen.use_tables()

    def begin(self, caller: Principal, documents: int) -> PutCall:
        """Begin a call that will bring this many documents."""
        if not 1 <= documents <= MAX_BATCH:
            raise InvalidInputError(f"a put is of 1 to {MAX_BATCH} documents", field="documents")
        return PutCall(self, caller, documents)

    def schema(self, digest: str) -> Schema | None:
        """A registered schema. None is ever changed or removed, so each is read once."""
        found = self._schemas.get(digest)
        if found is None:
            data = self.catalog.schema_bytes(digest)
            if data is not None:
                found = self._schemas[digest] = Schema.parse(data)
        return found

    def sweep(self) -> int:
        """Remove blocks and keys older than an hour that no committed document lists.

        A process that was killed left them. What a call of this process is bringing is spared, and
        what is older than the catalogue's first schema: that belongs to a catalogue that was lost
        or is not mounted, whose copy would be worth nothing without it.
        """
        first = self.catalog.first_schema_time()
        if first is None:
            return 0
        before = self.clock() - SWEEP_AGE
        removed = 0
        for store in dict.fromkeys(self.stores.values()):
            spared = set(store.iter_cids(stored_before=first.timestamp()))
            old = [
                cid
                for cid in store.iter_cids(stored_before=before.timestamp())
                if cid not in spared
            ]
            for start in range(0, len(old), _SWEPT_AT_ONCE):
                # Claimed before the catalogue is asked: a call that commits after the answer, and
                # lets go of its blocks, would have them taken for nobody's.
                some = self.staged.claim_free(old[start : start + _SWEPT_AT_ONCE])
                try:
                    known = self.catalog.known_blocks(cid.binary for cid in some)
                    gone = [cid for cid in some if cid.binary not in known]
                    store.delete_many(gone)
                finally:
                    self.staged.release(some)
                removed += len(gone)
        keys = self.keys.older_than(before, since=first)
        kept = self.catalog.committed(keys)
        self.keys.remove(digest for digest in keys if digest not in kept)
        if removed:
            log.info("removed %d blocks that no document lists", removed)
        return removed


class Running:
    """The request ids of puts that may commit any moment: not known to be stored, nor not to be."""

    def __init__(self) -> None:
        self._ids: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def enter(self, caller: str, request_ids: Sequence[str]) -> None:
        """ConflictError when another call of the caller is storing one of them."""
        ids = {(caller, each) for each in request_ids}
        with self._lock:
            if ids & self._ids:
                raise ConflictError(
                    "a put with this request id is under way", field="request_id", reason="PUT_RUNS"
                )
            self._ids |= ids

    def leave(self, caller: str, request_ids: Sequence[str]) -> None:
        """They were committed, or will not be."""
        with self._lock:
            self._ids.difference_update((caller, each) for each in request_ids)

    def __contains__(self, put: tuple[str, str]) -> bool:
        with self._lock:
            return put in self._ids


class PutCall:
    """One call, fed in the order of its messages by one thread at a time.

    Whoever began it ends it with `abort`, which does nothing after a `finish` that ended well. A
    step that was handed to a thread before the call was cancelled is waited for, or refused.
    """

    def __init__(self, ingest: Ingest, caller: Principal, documents: int) -> None:
        self._ingest = ingest
        self._caller = caller
        self._expected = documents
        self._checked: list[CheckedDocument] = []
        self._ended = False
        self._lock = threading.Lock()
        self._blocks = StagedCall(ingest.stores, ingest.staged, ingest.catalog.known_blocks)

    def add_block(self, part: Part, cid: bytes, data: bytes) -> None:
        """Take one block of the next document."""
        with self._step():
            self._add_block(part, cid, data)

    def _add_block(self, part: Part, cid: bytes, data: bytes) -> None:
        if len(self._checked) >= self._expected:
            raise InvalidInputError("a block after the last document", field="blocks")
        self._blocks.add(part, Cid.from_bytes(cid), data)

    def add_document(self, sealed: SealedDocument) -> None:
        """Check the document that the blocks so far belong to."""
        with self._step():
            self._add_document(sealed)

    def _add_document(self, sealed: SealedDocument) -> None:
        number = len(self._checked)
        if number >= self._expected:
            raise InvalidInputError("more documents than the header said", field="documents")
        try:
            found = self._ingest.checks.check(sealed, self._caller, self._blocks.next_document())
            for other in self._checked:
                if other.sealed.request_id == sealed.request_id:
                    raise InvalidInputError("request id: twice in a call", field="request_id")
                if other.attestation.document == found.attestation.document:
                    raise InvalidInputError("document: twice in a call", field="document")
        except VaultError as error:
            raise numbered(error, number, self._expected) from error
        self._checked.append(found)

    def finish(self) -> list[PutOutcome]:
        """Store everything; the outcomes in the order of the call.

        Raises InvalidInputError for what does not fit, ConflictError for a version or request id
        that is taken, UnavailableError naming a holder that is down. Nothing is stored then.
        """
        ids = [item.sealed.request_id for item in self._checked]
        with self._step():
            self._ingest.running.enter(self._caller.uri, ids)
            try:
                return self._finish()
            finally:
                self._ingest.running.leave(self._caller.uri, ids)

    def _finish(self) -> list[PutOutcome]:
        if len(self._checked) != self._expected:
            raise InvalidInputError(
                f"the stream ended after {len(self._checked)} of {self._expected} documents",
                field="documents",
                reason="TRUNCATED",
            )
        if self._blocks.document.roots or any(self._blocks.document.chunks.values()):
            raise InvalidInputError("blocks after the last document", field="blocks")
        now = self._ingest.clock()
        keys = {item.attestation.digest: WrapKey.generate() for item in self._checked}
        new = [self._version(item, keys[item.attestation.digest], now) for item in self._checked]
        self._ingest.catalog.check_fits(new)
        self._blocks.flush()
        self._ingest.keys.add(keys, now=now)
        try:
            receipts = self._deposit()
        except BaseException:
            self._ingest.keys.remove(keys)
            raise
        try:
            self._commit(new, receipts)
        except VaultError:
            self._ingest.keys.remove(keys)
            raise
        except BaseException:
            # A disk that fails inside COMMIT does not say whether it committed. Nothing may be
            # removed then that the catalogue might list: the sweep asks it later.
            self._blocks.keep()
            raise
        self._blocks.keep()
        return [PutOutcome(v, r) for v, r in zip(new, receipts, strict=True)]

    def abort(self) -> None:
        """End the call: remove what it wrote, unless it was committed."""
        with self._lock:
            self._ended = True
            self._blocks.discard()

    @contextmanager
    def _step(self) -> Iterator[None]:
        with self._lock:
            if self._ended:
                raise ConflictError("this put has ended")
            yield

    def _version(self, item: CheckedDocument, key: WrapKey, now: datetime) -> StoredVersion:
        attestation, sealed = item.attestation, item.sealed
        witness = wrap_witness(
            key,
            item.witness.encode(),
            document=attestation.document,
            version=attestation.version,
            attestation_digest=attestation.digest,
        )
        present = zip(item.schema.attributes, attestation.commitments, strict=True)
        return StoredVersion(
            document=attestation.document,
            version=attestation.version,
            custodian=self._caller.uri,
            asset=attestation.asset,
            schema=attestation.schema,
            attestation_digest=attestation.digest,
            attestation=sealed.attestation,
            manifest_digest=item.manifest.digest,
            key_manifest=sealed.key_manifest,
            asset_root=sealed.asset_root,
            personal_root=sealed.personal_root,
            personal_salt=sealed.personal_salt,
            witness=witness,
            public=item.witness.public_texts(item.schema),
            provable=tuple(a.name for a, commitment in present if commitment is not None),
            request_id=sealed.request_id,
            valid_until=attestation.valid_until,
            commit_time=now,
        )

    def _deposit(self) -> list[tuple[Receipt, ...]]:
        """Shares at every holder of both sides, all at once; the receipts of each document."""
        deposits: dict[str, list[Deposit]] = {}
        for item in self._checked:
            sealed = item.sealed
            for side in SIDES:
                for holder in item.manifest.side(side).holders:
                    own = tuple(share for share in sealed.shares if share.holder == holder.uri)
                    deposits.setdefault(holder.uri, []).append(
                        Deposit(sealed.attestation, sealed.key_manifest, own)
                    )
        answers = self._ingest.holders.deposit(deposits)
        found: list[tuple[Receipt, ...]] = []
        for number, item in enumerate(self._checked):
            found.append(tuple(self._receipt(item, uri, answers[uri][number]) for uri in deposits))
        return found

    def _receipt(self, item: CheckedDocument, uri: str, data: bytes) -> Receipt:
        """A holder's receipt, if it is its signature over exactly this deposit."""
        record = self._ingest.sites.principal(uri)
        side: Side = "cn" if record.principal.jurisdiction == "cn" else "hk"
        manifest = item.manifest
        listed = manifest.side(side).holder(uri)
        index = listed.index if listed is not None else 0
        try:
            payload = Envelope.parse(data).verify(record.signing_key, PayloadType.RECEIPT)
        except CrossproofError as error:
            raise IntegrityError(f"holder {uri}: its receipt: {error}") from error
        if not DepositReceipt.matches(
            payload,
            attestation=item.attestation.digest,
            manifest=manifest.digest,
            index=index,
            epoch=manifest.epoch,
            holder=uri,
            parts=manifest.parts_of(side),
        ):
            raise IntegrityError(f"holder {uri}: its receipt is of another deposit")
        return Receipt(uri, index, manifest.epoch, data)

    def _commit(
        self, new: Sequence[StoredVersion], receipts: Sequence[tuple[Receipt, ...]]
    ) -> None:
        added = [
            NewVersion(version, receipt, {part: item.blocks.cids(part) for part in PARTS})
            for version, receipt, item in zip(new, receipts, self._checked, strict=True)
        ]
        records = [
            Entry(
                event="document.stored",
                time=version.commit_time,
                actor=self._caller.uri,
                owner=self._caller.uri,
                digest=version.attestation_digest,
                document=version.document,
                version=version.version,
            )
            for version in new
        ]

        def note(connection: Connection) -> None:
            self._ingest.journal.append_all(connection, records)

        self._ingest.catalog.commit(added, also=note)


def numbered(error: VaultError, number: int, count: int) -> VaultError:
    """The same refusal, saying which document of a call it is about."""
    if count == 1:
        return error
    text = f"document {number + 1} of {count}: {error}"
    return type(error)(text, reason=error.reason, field=error.field)
