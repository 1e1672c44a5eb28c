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

from proofs.attestation import Attestation
from proofs.classes import check_facts
from proofs.envelope import Envelope, PayloadType, check_signer
from proofs.errors import CannotProveError, FactError, GrantError
from proofs.facts import FactList
from proofs.grant import Grant
from proofs.ids import check_shown, digest_of
from proofs.named_set import NamedSet
from proofs.principal import Principal
from proofs.request import Request
from proofs.schema import Schema
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
    """What a custodian needs to decide: a version of its own, and how each fact stands."""

    stored: StoredVersion
    schema: bytes
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
        """Requests about assets of which the caller has documents, the last first."""
        now = self._clock()
        found = self._store.concerning(caller.uri, limit=limit, before=before)
        decisions = self._store.decisions(caller.uri, found)
        return [_for_custodian(each, decisions.get(each.row), now) for each in found]

    def get_for_custodian(
        self, caller: Principal, digest: str, asker: str = ""
    ) -> tuple[SeenRequest, Candidate | None, Mapping[str, NamedSet]]:
        """One request with what is needed to decide it.

        The candidate is the newest unexpired version, None when there is none.
        """
        now = self._clock()
        stored = self._concerning(caller, digest, asker)
        request = Request.parse(stored.request)
        sets = self._sets.require(request.sets, now)
        version = self._catalog.newest_unexpired(caller.uri, stored.asset, stored.schema, now)
        candidate = None
        if version is not None:
            schema_bytes, schema = self._schema(stored.schema)
            witness = self._open_witness(version)
            candidate = Candidate(version, schema_bytes, outlooks(request, schema, witness, sets))
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
        _, schema = self._schema(request.document.schema)
        facts = FactList.parse_canonical(request.facts, schema)
        named = sorted(facts.set_names)
        if named != [each.name for each in request.sets]:
            raise FactError(
                "the request must name the authority and digest of every set of its facts, "
                "and of no other"
            )
        sets = self._sets.require(request.sets, now)
        check_facts(facts, schema, sets)
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
                asset=request.document.asset,
                schema=request.document.schema,
                submit_time=now,
                expires=request.expires,
            )
        )

    def _schema(self, digest: str) -> tuple[bytes, Schema]:
        data = self._catalog.schema_bytes(digest)
        if data is None:
            raise InvalidInputError(
                f"schema {digest} is not known here", reason="SCHEMA_UNKNOWN", field="schema"
            )
        return data, Schema.parse(data)

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
            and self._catalog.has_document(caller.uri, each.asset, each.schema)
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
        entry = replace(
            _entry("bundle.issued", stored, caller, now, outcome="done"),
            document=grant.document.document,
            version=grant.document.version,
            legal_basis=legal_basis,
            artefact=digest_of(bundle),
            confidential=False,
        )
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
            self._catalog.count_bundle(connection, grant.document.attestation)
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
        if grant.document.alias != request.document.alias:
            raise GrantError("the grant is about another alias than the request")
        if grant.sets != request.sets:
            raise GrantError("the grant names other sets than the request")
        version = self._catalog.find_version(grant.document.document, grant.document.version)
        if version is None or version.custodian != caller.uri:
            raise GrantError("the grant is about a document that is not yours")
        if version.attestation_digest != grant.document.attestation:
            raise GrantError("the grant names another attestation of that version")
        if (version.asset, version.schema) != (stored.asset, stored.schema):
            raise GrantError("the granted document is about another asset or of another schema")
        if version.valid_until <= now:
            raise GrantError("the granted version has expired")
        sets = self._sets.require(request.sets, now)
        authorities = tuple(self._sites.by_key(each.authority) for each in request.sets)
        _, schema = self._schema(stored.schema)
        attested = Envelope.parse(version.attestation)
        return Granted(
            request=request,
            grant=grant,
            grant_envelope=envelope.encode(),
            schema=schema,
            attestation=Attestation.parse(attested.unverified_payload),
            attestation_envelope=version.attestation,
            witness=self._open_witness(version),
            sets=sets,
            custodian=self._sites.require_valid(caller, now),
            authorities=authorities,
        )


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
