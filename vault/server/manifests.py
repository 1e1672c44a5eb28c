"""ManifestService: the register of manifests over gRPC. `vault.app.manifests` rules."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from grpc import aio

from vault.app.journal import check_page_size
from vault.app.manifests import Manifests
from vault.app.page_tokens import PageTokens
from vault.client.release_messages import timestamp
from vault.server.auth import current_caller
from vault.server.roles import serves
from vault.v1 import manifest_pb2, manifest_pb2_grpc

Context = aio.ServicerContext[Any, Any]

_PAGE: Final = 64
"""So many of the longest envelopes fit into a message."""


class ManifestServicer(manifest_pb2_grpc.ManifestServiceServicer):
    """The register of one vault."""

    def __init__(self, manifests: Manifests) -> None:
        self._manifests = manifests
        self._tokens = PageTokens()

    @serves(("cn", "custodian"))
    async def RegisterManifest(
        self, request: manifest_pb2.RegisterManifestRequest, context: Context
    ) -> manifest_pb2.RegisterManifestResponse:
        """See the proto."""
        caller = current_caller().principal
        rows = [(each.document.hex(), each.version) for each in request.rows]
        registered = await asyncio.to_thread(
            self._manifests.register, caller, request.envelope, rows
        )
        return manifest_pb2.RegisterManifestResponse(digest=registered.digest)

    @serves(("cn", "custodian"), ("cn", "auditor"))
    async def ListManifests(
        self, request: manifest_pb2.ListManifestsRequest, context: Context
    ) -> manifest_pb2.ListManifestsResponse:
        """See the proto."""
        caller = current_caller().principal
        size = check_page_size(request.page_size, most=_PAGE)
        before = self._tokens.read(caller, request.page_token)
        found = await asyncio.to_thread(
            lambda: self._manifests.list_for(caller, limit=size + 1, before=before)
        )
        last = found[size - 1][0].row if len(found) > size else None
        return manifest_pb2.ListManifestsResponse(
            manifests=[
                manifest_pb2.RegisteredManifest(
                    envelope=stored.envelope,
                    custodian=stored.custodian,
                    register_time=timestamp(stored.register_time),
                    newest=stands,
                )
                for stored, stands in found[:size]
            ],
            next_page_token=self._tokens.write(caller, last),
        )
