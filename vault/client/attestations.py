"""A custodian's own attestations of one schema, in bulk, each checked on the custodian's machine.

The service is believed in nothing: every envelope must carry the custodian's own signature, every
public attribute by which documents are chosen must open the commitment that was attested, and
nothing may be missing that this machine put. What it can still do is leave out a document, or show
an earlier version of one, that another machine put; a list that somebody asked for names every
asset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from proofs import group, pedersen
from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError
from proofs.schema import Schema
from proofs.values import Value, value_scalar
from vault.client.known_documents import known_versions, require_known
from vault.client.openings import read_text
from vault.client.session import Session
from vault.errors import ExhaustedError, IntegrityError
from vault.pki import now_utc
from vault.v1 import document_pb2, document_pb2_grpc

MOST: Final = 1 << 18
"""Attestations that are held at once, 2 KB each; a selection of them has far fewer."""


@dataclass(frozen=True, slots=True)
class OwnAttestation:
    """One document's newest unexpired version; `public` are opened attributes that are present."""

    envelope: bytes = field(repr=False)
    attestation: Attestation
    public: Mapping[str, Value]


def own_attestations(
    session: Session, schema: Schema, opened: Sequence[str] = ()
) -> list[OwnAttestation]:
    """All documents of a schema, in the order of their ids, with these public attributes opened.

    Raises:
        IntegrityError: something that is not what this custodian attested, or that is missing.
        ExhaustedError: more documents than can be held.
    """
    if opened:
        pedersen.use_tables()
    known = known_versions(session.identity, schema.digest, now=now_utc())
    own_key = session.identity.signing_key.public_key().public_bytes_raw()
    request = document_pb2.ListAttestationsRequest(schema=schema.digest, opened=opened)
    stub = document_pb2_grpc.DocumentServiceStub(session.channel)
    found: list[OwnAttestation] = []
    for answer in stub.ListAttestations(request):
        for each in answer.documents:
            payload = Envelope.parse(each.attestation).verify(own_key, PayloadType.ATTESTATION)
            attested = Attestation.parse(payload)
            attested.check_schema(schema)
            if found and attested.document <= found[-1].attestation.document:
                raise IntegrityError("the vault listed documents twice or out of order")
            public = open_public(attested, schema, opened, each.opened)
            found.append(OwnAttestation(each.attestation, attested, public))
        if len(found) > MOST:
            raise ExhaustedError(f"over {MOST} documents of one schema")
    require_known(known, (each.attestation for each in found))
    return found


def open_public(
    attested: Attestation,
    schema: Schema,
    names: Sequence[str],
    openings: Sequence[document_pb2.OpenedAttribute],
) -> dict[str, Value]:
    """The values of these attributes; IntegrityError where one is not what was attested.

    Without the openings a service could move a document from one portfolio into another.
    """
    given = {each.name: each for each in openings}
    found: dict[str, Value] = {}
    for attribute, commitment in zip(schema.attributes, attested.commitments, strict=True):
        if attribute.name not in names or commitment is None:
            continue
        opening = given.get(attribute.name)
        if opening is None:
            raise IntegrityError(f"the vault did not open {attribute.name} of {attested.asset}")
        try:
            value = read_text(attribute, opening.value)
            blinding = group.decode_scalar(opening.blinding)
            made = group.encode_point(pedersen.commit(value_scalar(attribute, value), blinding))
        except (CrossproofError, ValueError) as error:
            raise IntegrityError(
                f"the vault opened {attribute.name} of {attested.asset} to no value"
            ) from error
        if made != commitment:
            raise IntegrityError(
                f"the vault showed another {attribute.name} of {attested.asset} than was attested"
            )
        found[attribute.name] = value
    return found
