"""Adopting a document that an earlier put of the same request id committed.

The vault says that it has one; that is not enough. It must carry this custodian's own signature
over an attestation of the same asset, schema and times, and every holder's receipt for it.
"""

from __future__ import annotations

from datetime import UTC

import grpc

from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError
from vault.client.channel import translate
from vault.client.prepare import PreparedDocument
from vault.client.put import PutClient, check_receipts
from vault.client.put_log import Signed
from vault.errors import IntegrityError, NotFoundError
from vault.signed.manifest import KeyManifest
from vault.v1 import document_pb2


def adopt(client: PutClient, prepared: PreparedDocument) -> bool:
    """Whether the vault committed a document under this request id; its receipts are kept then.

    Raises IntegrityError for a document that is not what was to be put, VaultError for a vault
    that does not answer.
    """
    try:
        request = document_pb2.GetPutRequest(request_id=prepared.request_id)
        result = client.stub.GetPut(request).result
        wanted = document_pb2.GetDocumentRequest(document=result.document)
        found = client.stub.GetDocument(wanted)
    except grpc.RpcError as error:
        refusal = translate(error, client.vault)
        if isinstance(refusal, NotFoundError):
            return False
        raise refusal from None
    if result.request_id != prepared.request_id:
        raise IntegrityError("the vault answered for another request id than the one asked for")
    signed = _own(client, prepared, result, found)
    check_receipts(client.sites, signed, result.receipts)
    pending = client.log.begin([signed])
    client.log.keep(pending, [result.receipts], result.commit_time.ToDatetime(tzinfo=UTC))
    return True


def _own(
    client: PutClient,
    prepared: PreparedDocument,
    result: document_pb2.PutResult,
    found: document_pb2.GetDocumentResponse,
) -> Signed:
    public = client.session.identity.signing_key.public_key().public_bytes_raw()
    where = f"request id {prepared.request_id}"
    try:
        versions = {
            Attestation.parse(
                Envelope.parse(each.attestation).verify(public, PayloadType.ATTESTATION)
            ): each.attestation
            for each in found.versions
        }
        manifest = KeyManifest.parse(
            Envelope.parse(found.key_manifest).verify(public, PayloadType.KEY_MANIFEST)
        )
    except CrossproofError as error:
        raise IntegrityError(f"{where}: the vault shows what is not ours: {error}") from error
    for attested, envelope in versions.items():
        if attested.digest != result.attestation_digest.hex():
            continue
        said = (attested.asset, attested.schema, attested.as_of, attested.valid_until)
        if said != (
            prepared.asset,
            prepared.schema.digest,
            prepared.as_of,
            prepared.valid_until,
        ):
            raise IntegrityError(f"{where}: the vault stored another document under it")
        if manifest.attestation != attested.digest:
            raise IntegrityError(f"{where}: the vault shows the key manifest of another version")
        return Signed(prepared.request_id, envelope, found.key_manifest, attested, manifest)
    raise IntegrityError(f"{where}: the vault does not show the document that it stored under it")
