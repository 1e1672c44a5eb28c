"""DocumentService: puts, and questions about what is there. It translates; `vault.app` rules.

The messages of a put are handed to a worker thread, small ones several at a time, and the next is
read when that is done: a client can send no faster than the disk takes, and an upload of any length
needs the memory of a few blocks. A call that does not end well, whatever the reason, is aborted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from grpc import aio

from vault.app.choosing import Choosable, Choosing
from vault.app.documents import Documents
from vault.app.ingest import Ingest, PutCall, PutOutcome
from vault.app.sealed_checks import SealedDocument
from vault.client.document_messages import part_from_message, share_from_message
from vault.client.release_messages import timestamp
from vault.errors import InvalidInputError
from vault.model import StoredVersion
from vault.server.auth import current_caller
from vault.server.roles import EVERYONE, serves
from vault.v1 import document_pb2, document_pb2_grpc

Context = aio.ServicerContext[Any, Any]

_MAX_BATCH_BYTES = 1280 * 1024
_HELD_BYTES = 256 * 1024
_HELD_MESSAGES = 32
_MAX_SHARES = 1024
_CUSTODIAN = ("cn", "custodian")


class DocumentServicer(document_pb2_grpc.DocumentServiceServicer):
    """The documents of one vault."""

    def __init__(self, ingest: Ingest, documents: Documents, choosing: Choosing) -> None:
        self._ingest = ingest
        self._documents = documents
        self._choosing = choosing

    @serves(_CUSTODIAN)
    async def PutDocuments(
        self,
        request_iterator: AsyncIterator[document_pb2.PutDocumentsRequest],
        context: Context,
    ) -> document_pb2.PutDocumentsResponse:
        """See the proto."""
        caller = current_caller().principal
        messages = aiter(request_iterator)
        first = await anext(messages, None)
        if first is None or first.WhichOneof("item") != "header":
            raise InvalidInputError("a put begins with its header", field="header")
        call = await asyncio.to_thread(self._ingest.begin, caller, first.header.documents)
        try:
            held: list[document_pb2.PutDocumentsRequest] = []
            size = 0
            async for message in messages:
                held.append(message)
                size += message.ByteSize()
                # Counted too: endless empty messages would have no size.
                if size >= _HELD_BYTES or len(held) >= _HELD_MESSAGES:
                    await asyncio.to_thread(_feed_all, call, held)
                    held, size = [], 0
            await asyncio.to_thread(_feed_all, call, held)
            outcomes = await asyncio.to_thread(call.finish)
        finally:
            # Waits for the thread of a step that a cancelled call left running. Shielded: the
            # clean-up of a call whose client is gone must not be cancelled with it.
            await asyncio.shield(asyncio.to_thread(call.abort))
        return document_pb2.PutDocumentsResponse(results=map(_result, outcomes))

    @serves(_CUSTODIAN)
    async def GetPut(
        self, request: document_pb2.GetPutRequest, context: Context
    ) -> document_pb2.GetPutResponse:
        """See the proto."""
        found = await asyncio.to_thread(
            self._documents.find_put, current_caller().principal, request.request_id
        )
        return document_pb2.GetPutResponse(result=_result(found))

    @serves(_CUSTODIAN)
    async def ListDocuments(
        self, request: document_pb2.ListDocumentsRequest, context: Context
    ) -> document_pb2.ListDocumentsResponse:
        """See the proto."""
        caller = current_caller().principal
        page = await asyncio.to_thread(
            lambda: self._documents.list_own(
                caller,
                asset=request.asset,
                page_size=request.page_size,
                page_token=request.page_token,
            )
        )
        return document_pb2.ListDocumentsResponse(
            versions=map(_version, page.versions), next_page_token=page.next_token
        )

    @serves(_CUSTODIAN)
    async def GetDocument(
        self, request: document_pb2.GetDocumentRequest, context: Context
    ) -> document_pb2.GetDocumentResponse:
        """See the proto."""
        found = await asyncio.to_thread(
            self._documents.get_own, current_caller().principal, request.document
        )
        return document_pb2.GetDocumentResponse(
            versions=map(_version, found), key_manifest=found[0].key_manifest
        )

    @serves(_CUSTODIAN)
    async def ListAttestations(
        self, request: document_pb2.ListAttestationsRequest, context: Context
    ) -> AsyncIterator[document_pb2.ListAttestationsResponse]:
        """See the proto."""
        batches = self._choosing.attested(
            current_caller().principal, request.schema, list(request.opened)
        )
        while (batch := await asyncio.to_thread(_next, batches)) is not None:
            yield document_pb2.ListAttestationsResponse(documents=map(_attested, batch))

    @serves(_CUSTODIAN)
    async def AddSchema(
        self, request: document_pb2.AddSchemaRequest, context: Context
    ) -> document_pb2.AddSchemaResponse:
        """See the proto."""
        digest = await asyncio.to_thread(
            self._documents.add_schema, current_caller().principal, request.schema
        )
        return document_pb2.AddSchemaResponse(digest=digest)

    @serves(*EVERYONE)
    async def ListSchemas(
        self, request: document_pb2.ListSchemasRequest, context: Context
    ) -> document_pb2.ListSchemasResponse:
        """See the proto."""
        return document_pb2.ListSchemasResponse(
            schemas=await asyncio.to_thread(self._documents.schemas)
        )

    @serves(("cn", "holder"), ("hk", "holder"))
    async def CheckCommitted(
        self, request: document_pb2.CheckCommittedRequest, context: Context
    ) -> document_pb2.CheckCommittedResponse:
        """See the proto."""
        found = await asyncio.to_thread(self._documents.committed, request.attestation_digests)
        return document_pb2.CheckCommittedResponse(committed=found)


def _next(batches: Iterator[list[Choosable]]) -> list[Choosable] | None:
    return next(batches, None)


def _attested(found: Choosable) -> document_pb2.AttestedDocument:
    return document_pb2.AttestedDocument(
        attestation=found.attestation,
        opened=[
            document_pb2.OpenedAttribute(name=each.name, value=each.value, blinding=each.blinding)
            for each in found.opened
        ],
    )


def _feed_all(call: PutCall, messages: Sequence[document_pb2.PutDocumentsRequest]) -> None:
    for message in messages:
        _feed(call, message)


def _feed(call: PutCall, message: document_pb2.PutDocumentsRequest) -> None:
    item = message.WhichOneof("item")
    if item == "blocks":
        if message.ByteSize() > _MAX_BATCH_BYTES:
            raise InvalidInputError(f"a batch of blocks has at most {_MAX_BATCH_BYTES} bytes")
        for block in message.blocks.blocks:
            call.add_block(part_from_message(block.part), block.cid, block.data)
    elif item == "document":
        call.add_document(_sealed(message.document))
    else:
        raise InvalidInputError("blocks or a document are expected after the header")


def _sealed(message: document_pb2.SealedDocument) -> SealedDocument:
    if len(message.shares) > _MAX_SHARES:
        raise InvalidInputError(f"at most {_MAX_SHARES} shares", field="shares")
    return SealedDocument(
        request_id=message.request_id,
        attestation=message.attestation,
        key_manifest=message.key_manifest,
        sealed_witness=message.sealed_witness,
        shares=tuple(map(share_from_message, message.shares)),
        asset_root=message.asset_root,
        personal_root=message.personal_root or None,
        personal_salt=message.personal_salt or None,
    )


def _result(outcome: PutOutcome) -> document_pb2.PutResult:
    stored = outcome.stored
    return document_pb2.PutResult(
        request_id=stored.request_id,
        document=stored.document,
        version=stored.version,
        attestation_digest=bytes.fromhex(stored.attestation_digest),
        receipts=[receipt.envelope for receipt in outcome.receipts],
        commit_time=timestamp(stored.commit_time),
    )


def _version(stored: StoredVersion) -> document_pb2.DocumentVersion:
    return document_pb2.DocumentVersion(
        document=stored.document,
        version=stored.version,
        asset=stored.asset,
        schema_digest=stored.schema,
        attestation=stored.attestation,
        public_attributes=stored.public,
        provable=stored.provable,
        bundles_issued=stored.bundles_issued,
        commit_time=timestamp(stored.commit_time),
    )
