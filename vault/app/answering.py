"""Answers to requests for proofs: the custodian's signed grant comes in, a bundle is kept.

Nothing is proven without a grant over exactly this request. The record of a bundle is written in
the same transaction as the bundle itself, so none can be fetched that is not on record. A large
proof takes minutes: what allowed it must hold still in that transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime

from proofs.envelope import Envelope, PayloadType, check_signer
from proofs.errors import CannotProveError, GrantError
from proofs.grant import Grant
from proofs.ids import check_shown, digest_of
from proofs.manifest import Manifest
from proofs.principal import Principal
from vault.app.asking import admissible, take
from vault.app.desk import Desk, record, require_open
from vault.app.granted import granted_parts
from vault.app.prove import make_bundle
from vault.app.prove_list import granted_list, make_list_bundle
from vault.app.request_views import SeenRequest
from vault.app.selections import GivenList
from vault.errors import ConflictError, UnavailableError
from vault.storage.journal import Entry, durable
from vault.storage.proof_store import Decision, StoredDecision, StoredRequest

Report = Callable[[int, int], None]
"""Called with how much is proven, and of how much."""


@dataclass(frozen=True, slots=True)
class _Proven:
    """A verified bundle; `covered` are document, version and attestation digest of all that it is
    about, `manifest` what stands in it for the attestations, if anything does."""

    bundle: bytes
    covered: list[tuple[str, int, str]]
    manifest: Manifest | None = None


def silent(done: int, total: int) -> None:
    """For those who do not look."""


class Answering:
    """The use case. Safe to share between threads."""

    def __init__(self, desk: Desk, executor: Executor | None = None) -> None:
        """`executor` proves the parts of bundles about many documents; None: this process."""
        self._desk = desk
        self._executor = executor
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Begin no further part of any proof: the calls that wait for one raise UnavailableError.

        Without other processes to end, the vault would prove to the end before it ends itself.
        """
        self._stopping.set()

    def approve(
        self,
        caller: Principal,
        digest: str,
        envelope: bytes,
        legal_basis: str,
        *,
        given: GivenList | None = None,
        report: Report = silent,
    ) -> SeenRequest:
        """Take the custodian's grant and prove exactly what it grants.

        A grant about a selection comes with its list, `given`; `report` is told how much of it is
        proven.

        When that cannot be done the request is FAILED, which the custodian alone sees; another
        grant may follow. Raises GrantError and others for a grant that does not fit.
        """
        grant_envelope, grant = self._read_grant(caller, envelope)
        check_shown(legal_basis, where="legal basis")
        if grant.request != digest:
            raise GrantError("the grant is for another request")
        stored = self._desk.find_concerning(caller, digest, grant.asker.uri)
        self._answer(caller, stored, grant_envelope, grant, legal_basis, given, report)
        return self._desk.seen_by_custodian(caller, stored, self._desk.clock())

    def create(
        self,
        caller: Principal,
        data: bytes,
        envelope: bytes,
        legal_basis: str,
        *,
        given: GivenList | None = None,
        report: Report = silent,
    ) -> bytes:
        """A custodian's own proof: its request and its grant in one; the bundle.

        Raises ConflictError (CANNOT_PROVE) when a fact is false or a value absent.
        """
        now = self._desk.clock()
        grant_envelope, grant = self._read_grant(caller, envelope)
        check_shown(legal_basis, where="legal basis")
        request = admissible(self._desk, data, now)
        if grant.request != request.digest or grant.asker != caller:
            raise GrantError("an own proof is granted to oneself, over exactly its own request")
        stored = take(self._desk, caller, request, now)
        if stored.answered and stored.grant_digest == grant.digest:
            # An answer that was lost on its way.
            bundle, detail = self._desk.store.bundle(stored), ""
        else:
            bundle, detail = self._answer(
                caller, stored, grant_envelope, grant, legal_basis, given, report
            )
        if bundle is None:
            raise ConflictError(detail, reason=CannotProveError.reason)
        return bundle

    def _read_grant(self, caller: Principal, envelope: bytes) -> tuple[Envelope, Grant]:
        """A grant that the caller signed with the key that its site lists."""
        check_signer(PayloadType.GRANT, caller.jurisdiction, caller.role)
        signed = Envelope.parse(envelope)
        listed = self._desk.sites.require_valid(caller, self._desk.clock())
        return signed, Grant.parse(signed.verify(listed.signing_key, PayloadType.GRANT))

    def _answer(
        self,
        caller: Principal,
        stored: StoredRequest,
        envelope: Envelope,
        grant: Grant,
        legal_basis: str,
        given: GivenList | None,
        report: Report,
    ) -> tuple[bytes | None, str]:
        """The bundle, stored and on record; or None and why, for the custodian."""
        desk = self._desk
        require_open(stored, desk.clock())
        decided = desk.store.decisions(caller.uri, [stored]).get(stored.row)
        try:
            proven = self._prove(caller, stored, envelope, grant, given, report)
        except CannotProveError as error:
            now = desk.clock()
            # The grant has not served: a grant that proved nothing stays the custodian's to use.
            decision = StoredDecision(Decision.FAILED, str(error), now)
            with durable(), desk.store.database.write() as connection:
                desk.store.decide(connection, stored, caller.uri, decision)
                desk.journal.append_in(
                    connection, record("bundle.failed", stored, caller, now, outcome="failed")
                )
            return None, decision.detail
        with durable(), desk.store.database.write() as connection:
            # One writer at a time: nothing of this can change before it is written.
            now = desk.clock()
            self._require_still_allowed(caller, stored, proven, now)
            entries = _issued(caller, stored, proven, legal_basis, now)
            desk.store.answer(
                connection,
                stored,
                custodian=caller.uri,
                grant_digest=grant.digest,
                grant_envelope=envelope.encode(),
                bundle=proven.bundle,
                decided=decided,
            )
            desk.catalog.count_bundle(connection, [digest for _, _, digest in proven.covered])
            desk.journal.append_all(connection, entries)
        return proven.bundle, ""

    def _require_still_allowed(
        self, caller: Principal, stored: StoredRequest, proven: _Proven, now: datetime
    ) -> None:
        """What was checked before the proof began: the request's time, the custodian, the list."""
        if stored.expires <= now:
            raise ConflictError("the request has expired meanwhile", reason="REQUEST_EXPIRED")
        self._desk.sites.require_valid(caller, now)
        if proven.manifest is not None:
            self._desk.manifests.require_newest(caller, proven.manifest)

    def _prove(
        self,
        caller: Principal,
        stored: StoredRequest,
        envelope: Envelope,
        grant: Grant,
        given: GivenList | None,
        report: Report,
    ) -> _Proven:
        """A verified bundle, and what it is about; CannotProveError for the custodian alone."""
        desk, now = self._desk, self._desk.clock()
        if given is None and grant.selection is None:
            parts = granted_parts(desk, caller, stored, envelope, grant, now)
            return _Proven(make_bundle(parts, now=now), parts.covered)

        def told(done: int, total: int) -> None:
            if self._stopping.is_set():
                raise UnavailableError("the vault is stopping; ask again later", reason="STOPPING")
            report(done, total)

        with desk.slots.enter(caller):
            whole = granted_list(desk, caller, stored, envelope, grant, given, now)
            bundle = make_list_bundle(whole, executor=self._executor, report=told, now=now)
        return _Proven(bundle, whole.covered, whole.listed.named)


def _issued(
    caller: Principal, stored: StoredRequest, proven: _Proven, legal_basis: str, now: datetime
) -> list[Entry]:
    """The records of a bundle, one for each document: what is kept and erased goes by documents."""
    issued = replace(
        record("bundle.issued", stored, caller, now, outcome="done"),
        legal_basis=legal_basis,
        artefact=digest_of(proven.bundle),
        confidential=False,
    )
    return [
        replace(issued, document=document, version=version)
        for document, version, _ in proven.covered
    ]
