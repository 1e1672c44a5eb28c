"""The custodian's consent: what it reads before it signs, rendered from the very bytes it signs.

The vault is not believed. The request must have the digest that was named; the attestation must
carry this custodian's own signature; the schema must be one that the custodian pinned itself; each
set must be signed by an authority that a pinned site file lists, under the digest that the
request names; and the facts must be allowed. Only then is there something to sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from proofs.attestation import Attestation
from proofs.classes import check_without_sets
from proofs.envelope import Envelope, PayloadType, sign
from proofs.errors import BindingError, GrantError, SetError
from proofs.facts import FactList
from proofs.grant import Grant, GrantedDocument
from proofs.named_set import SetHeader
from proofs.principal import Principal
from proofs.request import Request, RequestedDocument
from proofs.schema import Schema
from proofs.subjects import Subjects
from vault.identity import Identity
from vault.sites import SiteSet

GRANT_LIFE: Final = timedelta(days=90)
"""How long a bundle may live when the custodian does not say."""


@dataclass(frozen=True, slots=True)
class OwnDocument:
    """A document of the custodian's that a request is about, under its alias."""

    alias: str
    schema: Schema
    attestation: Attestation


@dataclass(frozen=True, slots=True)
class Consent:
    """What a custodian is asked to sign, checked: show all of it before calling `grant`.

    `outlooks` is what the vault says of each fact and `None` where it said nothing; it is advice
    to the custodian and no part of what is signed.
    """

    request: Request
    asker: Principal
    documents: tuple[OwnDocument, ...]
    sets: tuple[SetHeader, ...]
    outlooks: Mapping[str, str | None]

    @property
    def subjects(self) -> Subjects:
        """What the facts are about."""
        return Subjects.of({each.alias: each.schema for each in self.documents})


def prepare(
    identity: Identity,
    sites: SiteSet,
    schemas: Mapping[str, Schema],
    *,
    digest: str,
    request: bytes,
    asker: str,
    attestations: Mapping[str, bytes],
    sets: Sequence[bytes],
    outlooks: Mapping[str, str | None],
    now: datetime,
) -> Consent:
    """Check everything that the vault handed over for one decision.

    Args:
        schemas: those that the custodian pinned, by digest.
        digest: the request that the custodian means.
        request, attestations, sets: bytes from the vault: a request, and envelopes; the
            attestations by alias.

    Raises:
        CrossproofError, VaultError: naming what does not fit.
    """
    asked = Request.parse(request)
    if asked.digest != digest:
        raise BindingError("the vault showed another request than the one that was named")
    documents = tuple(
        _own_document(identity, schemas, wanted, attestations, now) for wanted in asked.documents
    )
    if len({each.attestation.document for each in documents}) != len(documents):
        raise BindingError("the vault offered one document under two aliases")
    consent = Consent(
        request=asked,
        # The vault says who asked: at least somebody that a pinned site file lists today.
        asker=sites.require_valid(asker, now).principal,
        documents=documents,
        sets=set_headers(asked, sets, sites, now),
        outlooks=outlooks,
    )
    check_without_sets(FactList.parse_canonical(asked.facts, consent.subjects), consent.subjects)
    return consent


def _own_document(
    identity: Identity,
    schemas: Mapping[str, Schema],
    wanted: RequestedDocument,
    attestations: Mapping[str, bytes],
    now: datetime,
) -> OwnDocument:
    if wanted.alias not in attestations:
        raise BindingError(f"the vault offered no document for {wanted.alias}")
    own_key = identity.signing_key.public_key().public_bytes_raw()
    attested = Attestation.parse(
        Envelope.parse(attestations[wanted.alias]).verify(own_key, PayloadType.ATTESTATION)
    )
    schema = schemas.get(wanted.schema)
    if schema is None:
        raise BindingError(
            f"schema {wanted.schema} is not pinned in {identity.folder}; "
            f"`crossvault schema add` pins it"
        )
    if (attested.asset, attested.schema) != (wanted.asset, schema.digest):
        raise BindingError("the vault offered a document about another asset or schema")
    if attested.valid_until <= now:
        raise BindingError("the vault offered an expired version")
    return OwnDocument(wanted.alias, schema, attested)


def grant(
    identity: Identity, consent: Consent, *, now: datetime, life: timedelta = GRANT_LIFE
) -> bytes:
    """Sign the grant: an envelope over exactly what `consent` holds.

    The bundle may live for `life`, and no longer than the attestations and the sets.
    """
    ends = [each.attestation.valid_until for each in consent.documents]
    start, until = grant_time(now, life, [*ends, *(each.valid_until for each in consent.sets)])
    payload = Grant.build(
        request=consent.request.digest,
        asker=consent.asker,
        documents=[
            GrantedDocument(
                alias=each.alias,
                document=each.attestation.document,
                version=each.attestation.version,
                attestation=each.attestation.digest,
            )
            for each in consent.documents
        ],
        sets=consent.request.sets,
        not_before=start,
        bundle_expires=until,
        granted_at=start,
        expires=until,
    )
    return sign(PayloadType.GRANT, payload, identity.signing_key)


def grant_time(
    now: datetime, life: timedelta, ends: Sequence[datetime]
) -> tuple[datetime, datetime]:
    """From when until when a bundle may live: for `life`, and not past any of the ends."""
    start, until = now.replace(microsecond=0), min([now + life, *ends]).replace(microsecond=0)
    if until <= start:
        raise GrantError("nothing is left of the time that a bundle could live")
    return start, until


def set_headers(
    request: Request, envelopes: Sequence[bytes], sites: SiteSet, now: datetime
) -> tuple[SetHeader, ...]:
    """The headers of the request's sets, signed by the authorities that it names; SetError."""
    return tuple(_set_header(request, each.name, envelopes, sites, now) for each in request.sets)


def _set_header(
    request: Request, name: str, envelopes: Sequence[bytes], sites: SiteSet, now: datetime
) -> SetHeader:
    (wanted,) = (each for each in request.sets if each.name == name)
    for data in envelopes:
        signed = Envelope.parse(data)
        if signed.keyid != wanted.authority:
            continue
        record = sites.by_key(signed.keyid)
        header = SetHeader.parse(signed.verify(record.signing_key, PayloadType.SET))
        if (header.name, header.digest) != (wanted.name, wanted.digest):
            continue
        if record.principal.role != "authority":
            raise SetError(f"the set @{name} is signed by {record.uri}, which is no authority")
        if header.valid_until <= now:
            raise SetError(f"the set @{name} has expired")
        return header
    raise SetError(f"the vault showed no set @{name} of the authority that the request names")
