# ruff: noqa: N802 - methods are called what the protos call them
"""A small real server over mutual TLS, for tests of the gate, the bounds and the channels.

It serves two of the generated services with methods that do as a test says. What is tested is
everything around them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc import aio

from vault import pki
from vault.errors import InvalidInputError, VaultError
from vault.identity import Identity
from vault.server.auth import current_caller
from vault.server.limits import Limits
from vault.server.roles import serves
from vault.server.runtime import Runtime, Service
from vault.server.tls import Clock
from vault.sites import SiteSet
from vault.v1 import document_pb2, document_pb2_grpc, release_pb2, release_pb2_grpc

DOCUMENTS = document_pb2.DESCRIPTOR.services_by_name["DocumentService"]
RELEASES = release_pb2.DESCRIPTOR.services_by_name["ReleaseService"]
CUSTODIAN = ("cn", "custodian")
SPV = ("hk", "spv")


class Documents(document_pb2_grpc.DocumentServiceServicer):
    """Answers who calls; `fault` is raised by ListDocuments; uploads count what came."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.calls = 0
        self.open = 0
        self.ended: list[str] = []

    @serves(CUSTODIAN)
    async def PutDocuments(self, requests: Any, context: Any) -> Any:
        self.open += 1
        try:
            expected, count = 0, 0
            async for request in requests:
                expected = request.header.documents or expected
                count += request.HasField("document")
            if count != expected:
                # The end of the stream says nothing: it looks the same when the client is gone.
                raise InvalidInputError("fewer documents than the header says", reason="TRUNCATED")
            self.ended.append("whole")
        except BaseException as error:
            self.ended.append(error.reason if isinstance(error, VaultError) else "cancelled")
            raise
        finally:
            self.open -= 1
        result = document_pb2.PutResult(version=count)
        return document_pb2.PutDocumentsResponse(results=[result])

    @serves(CUSTODIAN)
    async def GetPut(self, request: Any, context: Any) -> Any:
        self.calls += 1
        result = document_pb2.PutResult(document=current_caller().uri)
        return document_pb2.GetPutResponse(result=result)

    @serves(CUSTODIAN)
    async def ListDocuments(self, request: Any, context: Any) -> Any:
        self.calls += 1
        if self.fault is not None:
            raise self.fault
        return document_pb2.ListDocumentsResponse()

    @serves(CUSTODIAN)
    async def GetDocument(self, request: Any, context: Any) -> Any:
        return document_pb2.GetDocumentResponse()

    @serves(CUSTODIAN)
    async def ListAttestations(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield document_pb2.ListAttestationsResponse()

    @serves(CUSTODIAN)
    async def AddSchema(self, request: Any, context: Any) -> Any:
        self.calls += 1
        if self.fault is not None:
            raise self.fault
        return document_pb2.AddSchemaResponse(digest=str(len(request.schema)))

    @serves(CUSTODIAN, SPV)
    async def ListSchemas(self, request: Any, context: Any) -> Any:
        schemas = [current_caller().uri.encode()]
        return document_pb2.ListSchemasResponse(schemas=schemas)

    @serves(("cn", "holder"), ("hk", "holder"))
    async def CheckCommitted(self, request: Any, context: Any) -> Any:
        return document_pb2.CheckCommittedResponse()


class Releases(release_pb2_grpc.ReleaseServiceServicer):
    """ReadBlocks streams megabytes until nobody takes them."""

    def __init__(self) -> None:
        self.open = 0

    @serves(SPV)
    async def CreateRelease(self, request: Any, context: Any) -> Any:
        return release_pb2.CreateReleaseResponse()

    @serves(SPV)
    async def ListReleases(self, request: Any, context: Any) -> Any:
        return release_pb2.ListReleasesResponse()

    @serves(SPV)
    async def CollectShares(self, request: Any, context: Any) -> Any:
        return release_pb2.CollectSharesResponse()

    @serves(SPV)
    async def ReadBlocks(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.open += 1
        try:
            block = document_pb2.Block(data=bytes(1 << 20))
            for _ in range(100):
                yield release_pb2.ReadBlocksResponse(block=block)
        finally:
            self.open -= 1


class Running:
    """A started server and its servicers."""

    def __init__(self, runtime: Runtime, documents: Documents, releases: Releases, sites: SiteSet):
        self.runtime = runtime
        self.documents = documents
        self.releases = releases
        self.sites = sites

    async def settled(self) -> None:
        """Until no stream is open in any method."""
        async with asyncio.timeout(20):
            while self.documents.open or self.releases.open:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(
    identity: Identity, *, limits: Limits | None = None, clock: Clock = pki.now_utc
) -> AsyncIterator[Running]:
    """Serve both services as `identity`, at the address of its listing."""
    documents, releases, sites = Documents(), Releases(), identity.sites()
    services = [
        Service(documents, DOCUMENTS, document_pb2_grpc.add_DocumentServiceServicer_to_server),
        Service(releases, RELEASES, release_pb2_grpc.add_ReleaseServiceServicer_to_server),
    ]
    runtime = Runtime(identity, sites, services, limits=limits, clock=clock)
    await runtime.start()
    try:
        yield Running(runtime, documents, releases, sites)
    finally:
        await runtime.stop(0)


@asynccontextmanager
async def raw_channel(
    address: str,
    *,
    roots: bytes,
    server_name: str,
    key_pem: bytes | None = None,
    certificate_pem: bytes | None = None,
) -> AsyncIterator[aio.Channel]:
    """A channel with any certificate, as an attacker would make it."""
    credentials = grpc.ssl_channel_credentials(roots, key_pem, certificate_pem)
    options = [("grpc.ssl_target_name_override", server_name), ("grpc.enable_http_proxy", 0)]
    async with aio.secure_channel(address, credentials, options=options) as channel:
        yield channel
