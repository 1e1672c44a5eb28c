"""A custodian's own proof: a request that it makes, and its grant over it, in one call.

It goes the same way as anybody's: the grant is prepared from what the custodian's own machine has
checked, so the vault cannot slip another document, schema or list in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType
from proofs.errors import SetError
from proofs.facts import FactList
from proofs.request import Request, RequestedDocument, SetReference
from vault.client import consent, pinned_schemas, sets
from vault.client.requests import create
from vault.client.session import Session
from vault.errors import NotFoundError
from vault.v1 import document_pb2, document_pb2_grpc


def prove(
    session: Session,
    documents: Mapping[str, str],
    facts: Sequence[str],
    *,
    audience: str,
    purpose: str,
    legal_basis: str,
    nonce: str | None,
    life: timedelta,
    now: datetime,
) -> tuple[Request, bytes]:
    """The request that was made, and the bundle that answers it; `documents` are ids by alias.

    Raises CrossproofError or VaultError: a fact that may not be asked, is false, or whose value
    is absent; a set that nobody listed; a document that is not the custodian's.
    """
    attestations = {alias: _newest(session, each, now) for alias, each in documents.items()}
    own_key = session.identity.signing_key.public_key().public_bytes_raw()
    attested = {
        alias: Attestation.parse(Envelope.parse(each).verify(own_key, PayloadType.ATTESTATION))
        for alias, each in attestations.items()
    }
    schemas = {
        alias: pinned_schemas.find(session.identity, each.schema)
        for alias, each in attested.items()
    }
    asked = FactList.parse(facts, schemas, now=now)
    references, envelopes = named_sets(session, asked.set_names)
    made = Request.build(
        documents=[
            RequestedDocument(alias, each.asset, each.schema) for alias, each in attested.items()
        ],
        facts=asked.texts,
        sets=references,
        audience=audience,
        purpose=purpose,
        nonce=nonce,
        created=now.replace(microsecond=0),
        expires=now.replace(microsecond=0) + timedelta(hours=1),
    )
    prepared = consent.prepare(
        session.identity,
        session.sites,
        {schema.digest: schema for schema in schemas.values()},
        digest=made.digest,
        request=made.data,
        asker=session.identity.uri,
        attestations=attestations,
        sets=envelopes,
        outlooks={},
        now=now,
    )
    signed = consent.grant(session.identity, prepared, now=now, life=life)
    return made, create(session.channel, made.data, signed, legal_basis)


def _newest(session: Session, document: str, now: datetime) -> bytes:
    """The envelope of the newest unexpired attestation of one's document."""
    answer = document_pb2_grpc.DocumentServiceStub(session.channel).GetDocument(
        document_pb2.GetDocumentRequest(document=document)
    )
    for version in answer.versions:
        envelope: bytes = version.attestation
        payload = Envelope.parse(envelope).unverified_payload
        if Attestation.parse(payload).valid_until > now:
            return envelope
    raise NotFoundError(f"document {document} has no unexpired version")


def named_sets(session: Session, names: Sequence[str]) -> tuple[list[SetReference], list[bytes]]:
    """Of each name the one set that the vault lists: how a request names it, and its envelope."""
    listed = sets.list_all(session.channel, session.sites)
    references, envelopes = [], []
    for name in names:
        found = [each for each in listed if each.header.name == name]
        if len(found) != 1:
            raise SetError(f"{len(found)} authorities have a set @{name} here, not one")
        references.append(SetReference(name, found[0].authority_key, found[0].header.digest))
        envelopes.append(found[0].envelope)
    return references, envelopes
