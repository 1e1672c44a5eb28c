"""Which attestation a release is asked for: from a file at hand, or from the own vault.

An SPV has it inside a proof bundle that it fetched, a custodian asks its vault. Either way the
signature is checked against the pinned custodian before a request is made about it.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.descriptor import ServiceDescriptor

from proofs import canonical
from proofs.attestation import Attestation
from proofs.bundle import LIMIT as BUNDLE_LIMIT
from proofs.bundle import Bundle
from proofs.envelope import Envelope, PayloadType, check_signer
from vault.client.session import Session
from vault.errors import InvalidInputError, NotFoundError
from vault.sites import SiteSet
from vault.v1 import document_pb2, document_pb2_grpc

DOCUMENTS: Final[ServiceDescriptor] = document_pb2.DESCRIPTOR.services_by_name["DocumentService"]


def read_attested(data: bytes, sites: SiteSet) -> Attestation:
    """The attestation in a proof bundle, or one that stands alone as an envelope.

    Raises CrossproofError for any other bytes, NotFoundError for a signer that is not pinned.
    """
    value = canonical.parse(data, limit=BUNDLE_LIMIT, where="bundle or attestation")
    if isinstance(value, dict) and "payloadType" in value:
        return verify_attested(Envelope.from_json(value), sites)
    documents = Bundle.parse(data).documents
    if len(documents) != 1:
        raise InvalidInputError("the bundle is about several documents; give one attestation")
    return verify_attested(documents[0].envelope, sites)


def own_attested(session: Session, document: str, version: int | None) -> Attestation:
    """The attestation of a version of the caller's own document, by default the newest.

    Raises NotFoundError when there is no such document or version of the caller's.
    """
    stub = document_pb2_grpc.DocumentServiceStub(session.channel)
    answer = stub.GetDocument(document_pb2.GetDocumentRequest(document=document))
    for each in answer.versions:
        attested = verify_attested(Envelope.parse(each.attestation), session.sites)
        if attested.document == document and version in (None, attested.version):
            return attested
    raise NotFoundError(f"document {document} has no version {version}")


def verify_attested(envelope: Envelope, sites: SiteSet) -> Attestation:
    """The payload, signed by a custodian whom the site files list.

    Raises SignatureError, TrustError, EncodingError, NotFoundError.
    """
    record = sites.by_key(envelope.keyid)
    check_signer(PayloadType.ATTESTATION, record.principal.jurisdiction, record.principal.role)
    return Attestation.parse(envelope.verify(record.signing_key, PayloadType.ATTESTATION))
