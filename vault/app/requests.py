"""Requests for proofs: what may be asked, what the asker sees, and the custodian's decision.

A refusal that says why is computed from the request, its schema and public sets alone, before
anything is looked up about the asset. From then on an asker sees three words: pending, answered,
and, from the request's own expiry on, declined. Denied, false, absent and unknown are one to it;
only the custodian learns which. Nothing is evaluated for anybody else, and nothing is proven
without the custodian's signed grant over exactly this request.

The record of a bundle is written in the same transaction as the bundle itself, so none can be
fetched that is not on record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from proofs.classes import check_facts
from proofs.envelope import Envelope, PayloadType, check_signer
from proofs.errors import CannotProveError, FactError, GrantError
from proofs.facts import FactList
from proofs.grant import Grant, GrantedDocument
from proofs.ids import check_shown, digest_of
from proofs.named_set import NamedSet
from proofs.principal import Principal
from proofs.prove import ProvenDocument
from proofs.request import Request, RequestedDocument
from proofs.schema import Schema
from proofs.subjects import Subjects
from proofs.witness import Witness
from vault.app.prove import Granted, Outlook, make_bundle, outlooks
from vault.app.sets import Sets
from vault.errors import ConflictError, ExhaustedError, InvalidInputError, NotFoundError
from vault.model import StoredVersion
from vault.ports import Clock
from vault.sites import SiteSet
from vault.storage.catalog import Catalog
from vault.storage.journal import Entry, Journal, durable
from vault.storage.proof_store import Decision, ProofStore, StoredDecision, StoredRequest

MAX_OPEN: Final = 1000
"""Requests of one asker that are neither answered nor expired: a bound on what it can fill."""
LONGEST: Final = timedelta(days=366)
_SKEW: Final = timedelta(minutes=5)

OpenWitness = Callable[[StoredVersion], Witness]


class SeenState(StrEnum):
    """What a caller is told of a request; the last two are for custodians."""

    PENDING = "pending"
    ANSWERED = "answered"
    DECLINED = "declined"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as one caller may see it. `detail` is empty for an asker."""

    digest: str
    request: bytes
    asker: str
    state: SeenState
    submit_time: datetime
    detail: str
    row: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a custodian needs to decide: versions of its own by alias, and how each fact stands."""

    stored: Mapping[str, StoredVersion]
    outlooks: Sequence[Outlook]


class ProofRequests:
    """The use case. Safe to share between threads; `clock` gives the time of every decision."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        store: ProofStore,
        sets: Sets,
        sites: SiteSet,
        journal: Journal,
        open_witness: OpenWitness,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._sets = sets
        self._sites = sites
        self._journal = journal
        self._open_witness = open_witness
        self._clock = clock

    # --- askers ---------------------------------------------------------------------------------

    def submit(self, caller: Principal, data: bytes) -> SeenRequest:
        """Take a request. The same file again from the same caller is the same request.

        Raises, from the request, its schema and the named sets alone: FactError,
        SetError, SchemaError, InvalidInputError; ExhaustedError past 1,000 open ones.
        """
        now = self._clock()
        request = self._admissible(data, now)
        return _for_asker(self._take(caller, request, now), now)

    def of_asker(self, caller: Principal, *, limit: int, before: int | None) -> list[SeenRequest]:
        """The caller's own requests, the last first."""
        now = self._clock()
        found = self._store.of_asker(caller.uri, limit=limit, before=before)
        return [_for_asker(each, now) for each in found]

    def get_own(self, caller: Principal, digest: str) -> SeenRequest:
        """One of the caller's own requests."""
        return _for_asker(self._own(caller, digest), self._clock())

    def fetch(self, caller: Principal, digest: str) -> bytes:
        """The bundle, the same bytes every time.

        Raises NotFoundError while there is none: for one reason or another, all alike.
        """
        stored = self._own(caller, digest)
        if stored.bundle is None:
            state = _for_asker(stored, self._clock()).state
            raise NotFoundError(f"the request is {state}: there is no bundle", reason="NO_BUNDLE")
        return stored.bundle

    # --- custodians -----------------------------------------------------------------------------

    def of_custodian(
        self, caller: Principal, *, limit: int, before: int | None
    ) -> list[SeenRequest]:
        """Requests about assets of all of which the caller has documents, the last first."""
        now = self._clock()
        found: list[StoredRequest] = []
        while len(found) < limit:
            # By the first document there; by the others here.
            page = self._store.concerning(caller.uri, limit=limit, before=before)
            found += [each for each in page if self._has_documents(caller, each)]
            if len(page) < limit:
                break
            before = page[-1].row
        found = found[:limit]
        decisions = self._store.decisions(caller.uri, found)
        return [_for_custodian(each, decisions.get(each.row), now) for each in found]

    def get_for_custodian(
        self, caller: Principal, digest: str, asker: str = ""
    ) -> tuple[SeenRequest, Candidate | None, Mapping[str, NamedSet]]:
        """One request with what is needed to decide it.

        The candidate is the newest unexpired version of each document, None when one has none.
        """
        now = self._clock()
        stored = self._concerning(caller, digest, asker)
        request = Request.parse(stored.request)
        sets = self._sets.require(request.sets, now)
        versions = {
            each.alias: self._catalog.newest_unexpired(caller.uri, each.asset, each.schema, now)
            for each in request.documents
        }
        found = {alias: each for alias, each in versions.items() if each is not None}
        candidate = None
        if len(found) == len(versions):
            witnesses = {alias: self._open_witness(each) for alias, each in found.items()}
            subjects = self._subjects(request)
            candidate = Candidate(found, outlooks(request, subjects, witnesses, sets))
        return self._seen_by(caller, stored, now), candidate, sets

    def approve(
        self, caller: Principal, digest: str, envelope: bytes, legal_basis: str
    ) -> SeenRequest:
        """Take the custodian's grant and prove exactly what it grants.

        When that cannot be done the request is FAILED, which the custodian alone sees; another
        grant may follow. Raises GrantError and others for a grant that does not fit.
        """
        grant_envelope, grant = self._read_grant(caller, envelope)
        check_shown(legal_basis, where="legal basis")
        if grant.request != digest:
            raise GrantError("the grant is for another request")
        stored = self._concerning(caller, digest, grant.asker.uri)
        self._answer(caller, stored, grant_envelope, grant, legal_basis)
        return self._seen_by(caller, stored, self._clock())

    def deny(self, caller: Principal, digest: str, detail: str, asker: str = "") -> SeenRequest:
        """Refuse a request; the reason stays onshore."""
        now = self._clock()
        check_shown(detail, where="detail")
        stored = self._concerning(caller, digest, asker)
        _require_open(stored, now)
        decision = StoredDecision(Decision.DENIED, detail, now)
        with durable(), self._store.database.write() as connection:
            self._store.decide(connection, stored, caller.uri, decision)
            self._journal.append_in(
                connection, _entry("request.denied", stored, caller, now, outcome="denied")
            )
        return self._seen_by(caller, stored, now)

    def create(self, caller: Principal, data: bytes, envelope: bytes, legal_basis: str) -> bytes:
        """A custodian's own proof: its request and its grant in one; the bundle.

        Raises ConflictError (CANNOT_PROVE) when a fact is false or a value absent.
        """
        now = self._clock()
        grant_envelope, grant = self._read_grant(caller, envelope)
        check_shown(legal_basis, where="legal basis")
        request = self._admissible(data, now)
        if grant.request != request.digest or grant.asker != caller:
            raise GrantError("an own proof is granted to oneself, over exactly its own request")
        stored = self._take(caller, request, now)
        if stored.bundle is not None and stored.grant_digest == grant.digest:
            return stored.bundle  # an answer that was lost on its way
        bundle, detail = self._answer(caller, stored, grant_envelope, grant, legal_basis)
        if bundle is None:
            raise ConflictError(detail, reason=CannotProveError.reason)
        return bundle

    # --- inside ---------------------------------------------------------------------------------

    def _admissible(self, data: bytes, now: datetime) -> Request:
        """What the request alone shows. Never looks at documents."""
        request = Request.parse(data)
        if request.created > now + _SKEW:
            raise InvalidInputError("the request was made in the future", field="created")
        if request.expires <= now:
            raise InvalidInputError("the request has expired", field="expires")
        if request.expires > now + LONGEST:
            raise InvalidInputError(f"a request lives at most {LONGEST.days} days", field="expires")
        subjects = self._subjects(request)
        facts = FactList.parse_canonical(request.facts, subjects)
        named = sorted(facts.set_names)
        if named != [each.name for each in request.sets]:
            raise FactError(
                "the request must name the authority and digest of every set of its facts, "
                "and of no other"
            )
        sets = self._sets.require(request.sets, now)
        check_facts(facts, subjects, sets)
        return request

    def _take(self, caller: Principal, request: Request, now: datetime) -> StoredRequest:
        """Store an admissible request, unless the caller has too many that are not answered."""
        open_ones = self._store.count_open(caller.uri, now)
        if open_ones >= MAX_OPEN and self._store.find(request.digest, caller.uri) is None:
            raise ExhaustedError(f"{caller.uri} has {MAX_OPEN} requests open already")
        return self._store.submit(
            StoredRequest(
                digest=request.digest,
                asker=caller.uri,
                request=request.data,
                # Of several documents the first, by which the request is found.
                asset=request.documents[0].asset,
                schema=request.documents[0].schema,
                submit_time=now,
                expires=request.expires,
            )
        )

    def _subjects(self, request: Request) -> Subjects:
        """The documents' schemas by alias; one that is not known here is refused."""
        known = {digest: self._schema(digest) for digest in {d.schema for d in request.documents}}
        return Subjects.of({each.alias: known[each.schema] for each in request.documents})

    def _schema(self, digest: str) -> Schema:
        data = self._catalog.schema_bytes(digest)
        if data is None:
            raise InvalidInputError(
                f"schema {digest} is not known here", reason="SCHEMA_UNKNOWN", field="schema"
            )
        return Schema.parse(data)

    def _has_documents(self, caller: Principal, stored: StoredRequest) -> bool:
        """Whether every asset that a request asks about is one of which the caller has documents.

        One custodian answers for all of a request; of a request about others' assets too it
        learns nothing.
        """
        return all(
            self._catalog.has_document(caller.uri, each.asset, each.schema)
            for each in Request.parse(stored.request).documents
        )

    def _own(self, caller: Principal, digest: str) -> StoredRequest:
        stored = self._store.find(digest, caller.uri)
        if stored is None:
            raise NotFoundError("no request of yours with this digest")
        return stored

    def _concerning(self, caller: Principal, digest: str, asker: str) -> StoredRequest:
        """A request that concerns the caller's documents; any other is not there for it."""
        found = [
            each
            for each in self._store.with_digest(digest)
            if (not asker or each.asker == asker)
            and not _own_proof_of_another(caller, each)
            and self._has_documents(caller, each)
        ]
        if not found:
            raise NotFoundError("no request with this digest concerns a document of yours")
        if len(found) > 1:
            askers = ", ".join(sorted(each.asker for each in found))
            raise InvalidInputError(
                f"more than one principal handed in this request: say which ({askers})",
                field="asker",
            )
        return found[0]

    def _read_grant(self, caller: Principal, envelope: bytes) -> tuple[Envelope, Grant]:
        """A grant that the caller signed with the key that its site lists."""
        check_signer(PayloadType.GRANT, caller.jurisdiction, caller.role)
        signed = Envelope.parse(envelope)
        record = self._sites.require_valid(caller, self._clock())
        return signed, Grant.parse(signed.verify(record.signing_key, PayloadType.GRANT))

    def _answer(
        self,
        caller: Principal,
        stored: StoredRequest,
        envelope: Envelope,
        grant: Grant,
        legal_basis: str,
    ) -> tuple[bytes | None, str]:
        """The bundle, stored and on record; or None and why, for the custodian."""
        now = self._clock()
        _require_open(stored, now)
        decided = self._store.decisions(caller.uri, [stored]).get(stored.row)
        granted = self._granted(caller, stored, envelope, grant, now)
        try:
            bundle = make_bundle(granted, now=now)
        except CannotProveError as error:
            # The grant has not served: a grant that proved nothing stays the custodian's to use.
            decision = StoredDecision(Decision.FAILED, str(error), now)
            with durable(), self._store.database.write() as connection:
                self._store.decide(connection, stored, caller.uri, decision)
                self._journal.append_in(
                    connection, _entry("bundle.failed", stored, caller, now, outcome="failed")
                )
            return None, decision.detail
        entries = [
            replace(
                _entry("bundle.issued", stored, caller, now, outcome="done"),
                document=each.document,
                version=each.version,
                legal_basis=legal_basis,
                artefact=digest_of(bundle),
                confidential=False,
            )
            for each in grant.documents
        ]
        with durable(), self._store.database.write() as connection:
            self._store.answer(
                connection,
                stored,
                custodian=caller.uri,
                grant_digest=grant.digest,
                grant_envelope=envelope.encode(),
                bundle=bundle,
                decided=decided,
            )
            for each, entry in zip(grant.documents, entries, strict=True):
                self._catalog.count_bundle(connection, each.attestation)
                self._journal.append_in(connection, entry)
        return bundle, ""

    def _seen_by(self, caller: Principal, stored: StoredRequest, now: datetime) -> SeenRequest:
        stored = self._store.find(stored.digest, stored.asker) or stored
        return _for_custodian(
            stored, self._store.decisions(caller.uri, [stored]).get(stored.row), now
        )

    def _granted(
        self,
        caller: Principal,
        stored: StoredRequest,
        envelope: Envelope,
        grant: Grant,
        now: datetime,
    ) -> Granted:
        """Everything granted, each piece compared with what is stored and asked."""
        request = Request.parse(stored.request)
        if grant.asker.uri != stored.asker:
            raise GrantError("the grant is for another asker")
        if not grant.granted_at - _SKEW <= now < grant.expires:
            raise GrantError("the grant is not in its time")
        if [each.alias for each in grant.documents] != [each.alias for each in request.documents]:
            raise GrantError("the grant is about another alias than the request")
        if grant.sets != request.sets:
            raise GrantError("the grant names other sets than the request")
        subjects = self._subjects(request)
        documents = {
            wanted.alias: self._granted_document(caller, wanted, granted, schema, now)
            for wanted, granted, (_, schema) in zip(
                request.documents, grant.documents, subjects.schemas, strict=True
            )
        }
        return Granted(
            request=request,
            grant=grant,
            grant_envelope=envelope.encode(),
            documents=documents,
            sets=self._sets.require(request.sets, now),
            custodian=self._sites.require_valid(caller, now),
            authorities=tuple(self._sites.by_key(each.authority) for each in request.sets),
        )

    def _granted_document(
        self,
        caller: Principal,
        wanted: RequestedDocument,
        granted: GrantedDocument,
        schema: Schema,
        now: datetime,
    ) -> ProvenDocument:
        version = self._catalog.find_version(granted.document, granted.version)
        if version is None or version.custodian != caller.uri:
            raise GrantError("the grant is about a document that is not yours")
        if version.attestation_digest != granted.attestation:
            raise GrantError("the grant names another attestation of that version")
        if (version.asset, version.schema) != (wanted.asset, wanted.schema):
            raise GrantError("the granted document is about another asset or of another schema")
        if version.valid_until <= now:
            raise GrantError("the granted version has expired")
        return ProvenDocument(schema, version.attestation, self._open_witness(version))


def _own_proof_of_another(caller: Principal, stored: StoredRequest) -> bool:
    """Whether another custodian made the request for itself: that one that is left unanswered
    would tell the caller that a fact about the other's document is false."""
    return stored.asker != caller.uri and Principal.parse(stored.asker).role == "custodian"


def _require_open(stored: StoredRequest, now: datetime) -> None:
    if stored.bundle is not None:
        raise ConflictError("the request is answered already", reason="ALREADY_DECIDED")
    if stored.expires <= now:
        raise ConflictError("the request has expired", reason="REQUEST_EXPIRED")


def _for_asker(stored: StoredRequest, now: datetime) -> SeenRequest:
    if stored.bundle is not None:
        return _seen(stored, SeenState.ANSWERED)
    return _seen(stored, SeenState.DECLINED if now >= stored.expires else SeenState.PENDING)


def _for_custodian(
    stored: StoredRequest, decision: StoredDecision | None, now: datetime
) -> SeenRequest:
    if stored.bundle is not None or decision is None:
        return _for_asker(stored, now)
    return _seen(stored, SeenState(decision.state.value), decision.detail)


def _entry(
    event: str, stored: StoredRequest, custodian: Principal, now: datetime, *, outcome: str
) -> Entry:
    """A record of a decision; confidential unless the asker has the bundle to show for it."""
    request = Request.parse(stored.request)
    return Entry(
        event=event,
        time=now,
        actor=stored.asker,
        recipient=request.audience,
        owner=custodian.uri,
        digest=stored.digest,
        purpose=request.purpose,
        outcome=outcome,
        confidential=True,
    )


def _seen(stored: StoredRequest, state: SeenState, detail: str = "") -> SeenRequest:
    return SeenRequest(
        digest=stored.digest,
        request=stored.request,
        asker=stored.asker,
        state=state,
        submit_time=stored.submit_time,
        detail=detail,
        row=stored.row,
    )
