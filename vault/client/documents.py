"""What a custodian sees of its documents, and schemas on their way to the vault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import grpc

from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType
from proofs.schema import Schema
from vault.errors import IntegrityError
from vault.identity import Identity
from vault.v1 import document_pb2, document_pb2_grpc

SERVICE: Final = document_pb2.DESCRIPTOR.services_by_name["DocumentService"]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One version as the vault lists it; `attestation` carries the custodian's own signature."""

    attestation: Attestation
    public: Mapping[str, str]
    provable: tuple[str, ...]
    bundles_issued: int
    commit_time: datetime


def add_schema(channel: grpc.Channel, canonical: bytes) -> str:
    """Register a schema with the vault; its digest, which must be the one of these bytes."""
    request = document_pb2.AddSchemaRequest(schema=canonical)
    answer = document_pb2_grpc.DocumentServiceStub(channel).AddSchema(request)
    if answer.digest != Schema.parse(canonical).digest:
        raise IntegrityError("the vault registered another schema than it was sent")
    return str(answer.digest)


def list_schemas(channel: grpc.Channel) -> list[Schema]:
    """Every schema that the vault has."""
    stub = document_pb2_grpc.DocumentServiceStub(channel)
    answer = stub.ListSchemas(document_pb2.ListSchemasRequest())
    return [Schema.parse(data) for data in answer.schemas]


def list_documents(
    channel: grpc.Channel, identity: Identity, *, asset: str = ""
) -> Iterator[DocumentView]:
    """The caller's versions, those committed last first, page by page."""
    stub = document_pb2_grpc.DocumentServiceStub(channel)
    token = ""
    while True:
        answer = stub.ListDocuments(
            document_pb2.ListDocumentsRequest(page_size=500, page_token=token, asset=asset)
        )
        for version in answer.versions:
            yield _view(version, identity)
        token = answer.next_page_token
        if not token:
            return


def get_document(channel: grpc.Channel, identity: Identity, document: str) -> list[DocumentView]:
    """Every version of one document, newest first."""
    stub = document_pb2_grpc.DocumentServiceStub(channel)
    answer = stub.GetDocument(document_pb2.GetDocumentRequest(document=document))
    return [_view(version, identity) for version in answer.versions]


def _view(version: document_pb2.DocumentVersion, identity: Identity) -> DocumentView:
    """A version whose attestation is the caller's own: what it shows is read from that."""
    public = identity.signing_key.public_key().public_bytes_raw()
    payload = Envelope.parse(version.attestation).verify(public, PayloadType.ATTESTATION)
    return DocumentView(
        attestation=Attestation.parse(payload),
        public=dict(version.public_attributes),
        provable=tuple(version.provable),
        bundles_issued=version.bundles_issued,
        commit_time=version.commit_time.ToDatetime(tzinfo=UTC),
    )
