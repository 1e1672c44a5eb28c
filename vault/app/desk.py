"""What the use cases about requests for proofs share: stores, the clock, and who may see what.

A request concerns a custodian that has documents about all of what it asks; any other custodian
does not find it. Nothing is decided and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from proofs.principal import Principal
from proofs.request import Request
from proofs.schema import Schema
from proofs.subjects import Subjects
from proofs.witness import Witness
from vault.app.manifests import Manifests
from vault.app.request_views import SeenRequest, for_custodian
from vault.app.sets import Sets
from vault.app.slots import Slots
from vault.errors import ConflictError, InvalidInputError, NotFoundError
from vault.model import StoredVersion
from vault.ports import Clock
from vault.sites import SiteSet
from vault.storage.catalog import Catalog
from vault.storage.journal import Entry, Journal
from vault.storage.proof_store import ProofStore, StoredRequest

OpenWitnesses = Callable[[Sequence[StoredVersion]], list[Witness]]


@dataclass(frozen=True, slots=True)
class Desk:
    """One vault's stores. `clock` gives the time of every decision."""

    catalog: Catalog
    store: ProofStore
    sets: Sets
    sites: SiteSet
    journal: Journal
    open_witnesses: OpenWitnesses
    manifests: Manifests
    clock: Clock
    slots: Slots = field(default_factory=Slots)

    def schema(self, digest: str) -> Schema:
        """A schema that is known here; InvalidInputError (SCHEMA_UNKNOWN) for any other."""
        data = self.catalog.schema_bytes(digest)
        if data is None:
            raise InvalidInputError(
                f"schema {digest} is not known here", reason="SCHEMA_UNKNOWN", field="schema"
            )
        return Schema.parse(data)

    def subjects(self, request: Request) -> Subjects:
        """What a request's facts are about; a schema that is not known here is refused."""
        known = {digest: self.schema(digest) for digest in {d.schema for d in request.documents}}
        return Subjects.of({each.alias: known[each.schema] for each in request.documents})

    def concerning(
        self, caller: Principal, requests: Iterable[StoredRequest]
    ) -> list[StoredRequest]:
        """Those about assets of every one of which the caller has documents.

        One custodian answers for all of a request; of a request about others' assets too it
        learns nothing. A selection that names no assets is about any document of its schema.
        """
        assets: dict[str, set[str]] = {}

        def has(schema: str) -> set[str]:
            if schema not in assets:
                assets[schema] = self.catalog.assets_of(caller.uri, schema)
            return assets[schema]

        def concerns(request: Request) -> bool:
            if request.selection is not None:
                own = has(request.selection.schema)
                return bool(own) and own.issuperset(request.selection.assets or ())
            return all(
                self.catalog.has_document(caller.uri, each.asset, each.schema)
                for each in request.documents
            )

        return [each for each in requests if concerns(Request.parse(each.request))]

    def find_concerning(self, caller: Principal, digest: str, asker: str) -> StoredRequest:
        """A request that concerns the caller's documents; any other is not there for it."""
        found = self.concerning(
            caller,
            (
                each
                for each in self.store.with_digest(digest)
                if (not asker or each.asker == asker) and not _own_proof_of_another(caller, each)
            ),
        )
        if not found:
            raise NotFoundError("no request with this digest concerns a document of yours")
        if len(found) > 1:
            askers = ", ".join(sorted(each.asker for each in found))
            raise InvalidInputError(
                f"more than one principal handed in this request: say which ({askers})",
                field="asker",
            )
        return found[0]

    def seen_by_custodian(
        self, caller: Principal, stored: StoredRequest, now: datetime
    ) -> SeenRequest:
        """The request as it stands by now."""
        stored = self.store.find(stored.digest, stored.asker) or stored
        return for_custodian(
            stored, self.store.decisions(caller.uri, [stored]).get(stored.row), now
        )


def _own_proof_of_another(caller: Principal, stored: StoredRequest) -> bool:
    """Whether another custodian made the request for itself: that one that is left unanswered
    would tell the caller that a fact about the other's document is false."""
    return stored.asker != caller.uri and Principal.parse(stored.asker).role == "custodian"


def require_open(stored: StoredRequest, now: datetime) -> None:
    """ConflictError when a request was answered or has expired."""
    if stored.answered:
        raise ConflictError("the request is answered already", reason="ALREADY_DECIDED")
    if stored.expires <= now:
        raise ConflictError("the request has expired", reason="REQUEST_EXPIRED")


def record(
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
