"""ReleaseService: requests to open a part, the holders' answers, and the part's blocks.

Messages in, `vault.app.release` on a worker thread, messages out. Nothing is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from grpc import aio

from vault.app.journal import check_page_size
from vault.app.page_tokens import PageTokens
from vault.app.release import VaultReleases
from vault.client.release_messages import answer_to_message, timestamp
from vault.crypto.cids import Cid
from vault.server.auth import current_caller
from vault.server.roles import serves
from vault.v1 import document_pb2, release_pb2, release_pb2_grpc

Context = aio.ServicerContext[Any, Any]

_REQUESTERS = (("cn", "custodian"), ("hk", "spv"))

_PAGE: Final = 128
"""So many of the largest requests fit into a message."""


class ReleaseServicer(release_pb2_grpc.ReleaseServiceServicer):
    """For those who may ask for a release; each on its own releases."""

    def __init__(self, releases: VaultReleases) -> None:
        self._releases = releases
        self._tokens = PageTokens()

    @serves(*_REQUESTERS)
    async def CreateRelease(
        self, request: release_pb2.CreateReleaseRequest, context: Context
    ) -> release_pb2.CreateReleaseResponse:
        """See the proto."""
        digest, answers = await asyncio.to_thread(
            self._releases.create, current_caller().principal, request.envelope
        )
        return release_pb2.CreateReleaseResponse(
            digest=digest, holders=map(answer_to_message, answers)
        )

    @serves(*_REQUESTERS)
    async def ListReleases(
        self, request: release_pb2.ListReleasesRequest, context: Context
    ) -> release_pb2.ListReleasesResponse:
        """See the proto."""
        size = check_page_size(request.page_size, most=_PAGE)
        caller = current_caller().principal
        after = self._tokens.read(caller, request.page_token) or 0
        found = await asyncio.to_thread(
            lambda: self._releases.list_own(caller, after=after, limit=size + 1)
        )
        last = found[size - 1].row if len(found) > size else None
        return release_pb2.ListReleasesResponse(
            releases=[
                release_pb2.Release(
                    digest=each.digest,
                    envelope=each.envelope,
                    create_time=timestamp(each.create_time),
                    quorum_released=each.quorum_released,
                )
                for each in found[:size]
            ],
            next_page_token=self._tokens.write(caller, last),
        )

    @serves(*_REQUESTERS)
    async def CollectShares(
        self, request: release_pb2.CollectSharesRequest, context: Context
    ) -> release_pb2.CollectSharesResponse:
        """See the proto."""
        found = await asyncio.to_thread(
            self._releases.collect, current_caller().principal, request.digest
        )
        return release_pb2.CollectSharesResponse(
            holders=map(answer_to_message, found.holders),
            key_manifest=found.key_manifest,
            attestation=found.attestation,
            schema=found.schema,
            root=found.root,
            personal_salt=found.personal_salt or b"",
            quorum_released=found.quorum_released,
        )

    @serves(*_REQUESTERS)
    async def ReadBlocks(
        self, request: release_pb2.ReadBlocksRequest, context: Context
    ) -> AsyncIterator[release_pb2.ReadBlocksResponse]:
        """See the proto."""
        blocks = await asyncio.to_thread(
            self._releases.read_blocks,
            current_caller().principal,
            request.release,
            list(request.cids),
        )
        # One block in memory at a time, and flow control sets the pace: 1,024 would be 1 GiB.
        while (block := await asyncio.to_thread(_next, blocks)) is not None:
            cid, data = block
            yield release_pb2.ReadBlocksResponse(
                block=document_pb2.Block(cid=cid.binary, data=data)
            )


def _next(blocks: Iterator[tuple[Cid, bytes]]) -> tuple[Cid, bytes] | None:
    return next(blocks, None)
