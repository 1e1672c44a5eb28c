"""The custodian's consent to a proof about a selection: which exact list it signs for.

The list is made here, from attestations that carry the custodian's own signature, by what the
request asks or the custodian chooses; the service cannot slip a document in. A list that the
request names must be found whole. What is signed is the digest of the list and its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from proofs.envelope import PayloadType, sign
from proofs.errors import BindingError
from proofs.facts import FactList
from proofs.grant import Grant, GrantedSelection
from proofs.list_classes import check_list_without_documents
from proofs.list_facts import ListFact
from proofs.listing import Listing
from proofs.named_set import SetHeader
from proofs.principal import Principal
from proofs.request import Request
from proofs.schema import Schema
from proofs.selection import Selection
from vault.client import pinned_schemas
from vault.client.attestations import OwnAttestation, own_attestations
from vault.client.choice import Choice
from vault.client.consent import GRANT_LIFE, grant_time, set_headers
from vault.client.own_manifest import OwnManifest
from vault.client.requests import ChosenList
from vault.client.serials import require_last
from vault.client.session import Session
from vault.errors import InvalidInputError
from vault.identity import Identity


@dataclass(frozen=True, slots=True)
class Wish:
    """What a custodian says of the list, where the request leaves it to it.

    `terms` as of `Choice.parse`; `listed` a list of assets; `manifest` one that must name the list.
    """

    terms: tuple[str, ...] = ()
    listed: tuple[str, ...] | None = None
    manifest: OwnManifest | None = None


@dataclass(frozen=True, slots=True)
class ListConsent:
    """What a custodian is asked to sign about a selection, checked: show all of it first.

    `listing` holds what is true of all documents of the exact list, `documents` each of them.
    """

    request: Request
    asker: Principal
    schema: Schema
    documents: tuple[OwnAttestation, ...] = field(repr=False)
    listing: Listing = field(repr=False)
    manifest: OwnManifest | None
    sets: tuple[SetHeader, ...]

    @property
    def facts(self) -> FactList[ListFact]:
        """What is proven of the list."""
        return FactList.over_canonical(self.request.facts, self.schema)

    @property
    def chosen(self) -> ChosenList:
        """What goes to the vault beside the grant."""
        return ChosenList(
            attestations=[each.attestation.digest for each in self.documents],
            manifest=None if self.manifest is None else self.manifest.envelope,
        )

    def left_out(self, fact: ListFact) -> int:
        """How many documents a fact with `where present` is not about."""
        places = [self.schema.index(attribute.name) for attribute in fact.attributes]
        rows = self.listing.rows
        return sum(any(row.commitments[place] is None for place in places) for row in rows)


def is_free(selection: Selection) -> bool:
    """Whether the request leaves the list to the custodian."""
    return selection.assets is None and selection.spv is None


def choose(
    session: Session, selection: Selection, wish: Wish, *, now: datetime
) -> list[OwnAttestation]:
    """The list that answers a selection, from the custodian's documents at the vault.

    Raises:
        InvalidInputError: a choice where there is none to be made, or none where one must be.
        NotFoundError: no document is meant, or one that is named is not there.
        BindingError: the manifest is not of such a list.
    """
    schema = pinned_schemas.find(session.identity, selection.schema)
    manifest, free = wish.manifest, not wish.terms and wish.listed is None
    if selection.spv is not None and (
        manifest is None
        or (manifest.manifest.spv, manifest.manifest.period) != (selection.spv, selection.period)
    ):
        raise InvalidInputError(
            f"the list must be that of a manifest of {selection.spv} for the period that is asked "
            f"about: give it with --manifest"
        )
    if (selection.assets is not None or manifest is not None) and not free:
        raise InvalidInputError("the list is fixed already: choose nothing with --select")
    if selection.assets is None and manifest is None and free:
        raise InvalidInputError(
            "the list is yours to choose, with --select (`--select all` takes every document of "
            "the schema)"
        )
    choice = Choice.parse(
        wish.terms, schema, listed=wish.listed if selection.assets is None else selection.assets
    )
    documents = own_attestations(session, schema, choice.opened)
    return choice.pick(documents, now=now) if manifest is None else manifest.pick(documents)


def prepare_list(
    session: Session,
    documents: Sequence[OwnAttestation],
    *,
    digest: str,
    request: bytes,
    asker: str,
    manifest: OwnManifest | None,
    sets: Sequence[bytes],
    now: datetime,
) -> ListConsent:
    """Check everything that a grant over this list would say.

    Args:
        documents: what `choose` gave.
        digest: the request that the custodian means.
        request, sets: bytes from the vault: a request, and envelopes of the named sets.

    Raises:
        CrossproofError, VaultError: naming what does not fit.
    """
    asked = Request.parse(request)
    if asked.digest != digest:
        raise BindingError("the vault showed another request than the one that was named")
    selection = asked.selection
    if selection is None:
        raise BindingError("the request is about documents by alias")
    schema = pinned_schemas.find(session.identity, selection.schema)
    if any(each.attestation.valid_until <= now for each in documents):
        raise BindingError("the list has an expired version")
    listing = Listing.of([each.attestation for each in documents], schema)
    if selection.assets not in (None, listing.assets):
        raise BindingError("the list is of other assets than the request's")
    if manifest is not None:
        if manifest.manifest.attestations != listing.digest:
            raise BindingError("the manifest names another list")
        require_last(session.identity, manifest.manifest)
    consent = ListConsent(
        request=asked,
        # The vault says who asked: at least somebody that a pinned site file lists today.
        asker=session.sites.require_valid(asker, now).principal,
        schema=schema,
        documents=tuple(sorted(documents, key=lambda each: each.attestation.document)),
        listing=listing,
        manifest=manifest,
        sets=set_headers(asked, sets, session.sites, now),
    )
    check_list_without_documents(consent.facts, schema)
    return consent


def grant_list(
    identity: Identity, consent: ListConsent, *, now: datetime, life: timedelta = GRANT_LIFE
) -> bytes:
    """Sign the grant: an envelope over exactly what `consent` holds, as `consent.grant`."""
    ends = [consent.listing.valid_until, *(each.valid_until for each in consent.sets)]
    start, until = grant_time(now, life, ends)
    manifest = consent.manifest
    payload = Grant.build(
        request=consent.request.digest,
        asker=consent.asker,
        selection=GrantedSelection(
            count=len(consent.documents),
            attestations=consent.listing.digest,
            manifest=None if manifest is None else manifest.manifest.digest,
        ),
        sets=consent.request.sets,
        not_before=start,
        bundle_expires=until,
        granted_at=start,
        expires=until,
    )
    return sign(PayloadType.GRANT, payload, identity.signing_key)
