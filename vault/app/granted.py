"""A grant about documents by alias, piece by piece compared with what is stored and was asked.

What comes out may be proven. A grant about another's document, another version, an expired one,
or for another asker, alias or set is refused with GrantError, which tells the custodian why.
"""

from __future__ import annotations

from datetime import datetime

from proofs.envelope import Envelope
from proofs.errors import GrantError
from proofs.grant import Grant, GrantedDocument
from proofs.principal import Principal
from proofs.prove import ProvenDocument
from proofs.request import Request, RequestedDocument
from proofs.schema import Schema
from vault.app.asking import SKEW
from vault.app.desk import Desk
from vault.app.prove import Granted
from vault.storage.proof_store import StoredRequest


def granted_parts(
    desk: Desk,
    caller: Principal,
    stored: StoredRequest,
    envelope: Envelope,
    grant: Grant,
    now: datetime,
) -> Granted:
    """Everything that one bundle is made of. `grant` is what `envelope` holds, signed."""
    request = Request.parse(stored.request)
    check_frame(request, stored, grant, now)
    if request.selection is not None:
        raise GrantError("the request is about a selection: grant a list, and hand it in")
    if [each.alias for each in grant.documents] != [each.alias for each in request.documents]:
        raise GrantError("the grant is about another alias than the request")
    subjects = desk.subjects(request)
    documents = {
        wanted.alias: _document(desk, caller, wanted, granted, schema, now)
        for wanted, granted, (_, schema) in zip(
            request.documents, grant.documents, subjects.schemas, strict=True
        )
    }
    return Granted(
        request=request,
        grant=grant,
        grant_envelope=envelope.encode(),
        documents=documents,
        sets=desk.sets.require(request.sets, now),
        custodian=desk.sites.require_valid(caller, now),
        authorities=tuple(desk.sites.by_key(each.authority) for each in request.sets),
    )


def check_frame(request: Request, stored: StoredRequest, grant: Grant, now: datetime) -> None:
    """GrantError unless the grant is for this asker, in its time, and over the request's sets."""
    if grant.asker.uri != stored.asker:
        raise GrantError("the grant is for another asker")
    if not grant.granted_at - SKEW <= now < grant.expires:
        raise GrantError("the grant is not in its time")
    if grant.sets != request.sets:
        raise GrantError("the grant names other sets than the request")


def _document(
    desk: Desk,
    caller: Principal,
    wanted: RequestedDocument,
    granted: GrantedDocument,
    schema: Schema,
    now: datetime,
) -> ProvenDocument:
    version = desk.catalog.find_version(granted.document, granted.version)
    if version is None or version.custodian != caller.uri:
        raise GrantError("the grant is about a document that is not yours")
    if version.attestation_digest != granted.attestation:
        raise GrantError("the grant names another attestation of that version")
    if (version.asset, version.schema) != (wanted.asset, wanted.schema):
        raise GrantError("the granted document is about another asset or of another schema")
    if version.valid_until <= now:
        raise GrantError("the granted version has expired")
    (witness,) = desk.open_witnesses([version])
    return ProvenDocument(schema, version.attestation, witness)
