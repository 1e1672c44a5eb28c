"""Making a bundle about a selection: from a granted list to bytes that the vault has verified.

As `vault.app.prove`: what is proven was granted, exactly, and the result goes through the offline
verifier before it may leave. The parts are proven by whatever executor the vault was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from proofs.context import Context
from proofs.envelope import Envelope
from proofs.errors import CannotProveError, FactError, GrantError
from proofs.facts import FactList
from proofs.grant import Grant
from proofs.list_classes import check_list_facts
from proofs.listing import Listing
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.principal import Principal
from proofs.prove_list import ListedDocument, prove_selection
from proofs.request import Request
from proofs.verify import verify_bundle
from proofs.witness import Witness
from vault.app.desk import Desk
from vault.app.granted import check_frame
from vault.app.list_outlooks import list_outlooks
from vault.app.prove import trust_in
from vault.app.selections import GivenList, Listed, listed
from vault.site_file import PrincipalRecord
from vault.storage.proof_store import StoredRequest


@dataclass(frozen=True, slots=True)
class GrantedList:
    """Everything that one bundle about a selection is made of, read and compared."""

    request: Request
    grant: Grant
    grant_envelope: bytes
    listed: Listed
    witnesses: tuple[Witness, ...]
    sets: Mapping[str, NamedSet]
    custodian: PrincipalRecord
    authorities: tuple[PrincipalRecord, ...]

    @property
    def covered(self) -> list[tuple[str, int, str]]:
        """Document, version and attestation digest of each."""
        return [(v.document, v.version, v.attestation_digest) for v in self.listed.versions]


def granted_list(
    desk: Desk,
    caller: Principal,
    stored: StoredRequest,
    envelope: Envelope,
    grant: Grant,
    given: GivenList | None,
    now: datetime,
) -> GrantedList:
    """The list, as `listed`, if it is the one that the grant names; GrantError."""
    request = Request.parse(stored.request)
    check_frame(request, stored, grant, now)
    if grant.selection is None or given is None:
        raise GrantError("the request is about a selection: grant a list, and hand it in")
    found = listed(desk, caller, request, given, now)
    if (grant.selection.count, grant.selection.attestations) != (
        len(found.versions),
        found.digest,
    ):
        raise GrantError("the grant is about another list than the one that came with it")
    if grant.selection.manifest != (None if found.named is None else found.named.digest):
        raise GrantError("the grant names another manifest, or none")
    return GrantedList(
        request=request,
        grant=grant,
        grant_envelope=envelope.encode(),
        listed=found,
        witnesses=tuple(desk.open_witnesses(found.versions)),
        sets=desk.sets.require(request.sets, now),
        custodian=desk.sites.require_valid(caller, now),
        authorities=tuple(desk.sites.by_key(each.authority) for each in request.sets),
    )


def make_list_bundle(
    granted: GrantedList,
    *,
    executor: Executor | None,
    report: Callable[[int, int], None],
    now: datetime,
) -> bytes:
    """The bundle's bytes, verified.

    Raises CannotProveError, for the custodian alone, when a fact is false, a value absent, or the
    facts would leave too little open over this very list.
    """
    _require_provable(granted)
    request, found = granted.request, granted.listed
    bundle = prove_selection(
        request=request.data,
        context=_context(granted),
        schema=found.schema,
        documents=[
            ListedDocument(version.attestation, witness)
            for version, witness in zip(found.versions, granted.witnesses, strict=True)
        ],
        grant_envelope=granted.grant_envelope,
        sets=granted.sets,
        manifest=found.manifest,
        executor=executor,
        progress=report,
    )
    verify_bundle(
        bundle,
        # Of which assets was compared with the grant already, one by one.
        trust=trust_in(granted, schemas=[found.schema.digest], assets=["*"]),
        expectation=Expectation.for_request(request.data),
        sets=list(granted.sets.values()),
        now=now,
    )
    return bundle


def _require_provable(granted: GrantedList) -> None:
    found = granted.listed
    facts = FactList.over_canonical(granted.request.facts, found.schema)
    bad = [
        each
        for each in list_outlooks(
            facts, found.schema, found.versions, granted.witnesses, granted.sets
        )
        if not each.provable
    ]
    if bad:
        raise CannotProveError("; ".join(f"{each.fact}: {each.detail}" for each in bad))
    try:
        listing = Listing.of(found.attestations, found.schema)
        check_list_facts(facts, found.schema, granted.sets, listing)
    except FactError as error:
        raise CannotProveError(f"of these {len(found.versions)} documents: {error}") from None


def _context(granted: GrantedList) -> Context:
    """The granted time, cut to what the attestations and the sets allow."""
    grant, ends = granted.grant, [granted.grant.bundle_expires]
    ends += [each.valid_until for each in granted.listed.versions]
    ends += [each.header.valid_until for each in granted.sets.values()]
    return Context.answering(
        granted.request, not_before=grant.not_before, expires=min(ends).replace(microsecond=0)
    )
