"""The release RPCs of a key holder: for the one vault it serves, and its own site's officers.

A mixin of the holder's servicer. Which vault is told by the holder's configuration, not by the
caller's role: another vault of the same trust domain would be another operator's.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from grpc import aio

from proofs.principal import Principal
from vault.app.holder_release import HolderReleases, pending_page
from vault.app.journal import check_page_size, read_token
from vault.client.release_messages import answer_to_message, state_to_message, timestamp
from vault.errors import NotAllowedError
from vault.server.auth import current_caller
from vault.server.roles import serves
from vault.v1 import holder_pb2

Context = aio.ServicerContext[Any, Any]

_OFFICERS = (("cn", "officer"), ("hk", "officer"))

_PAGE: Final = 128
"""So many of the largest requests fit into a message."""


class HolderReleaseMethods:
    """The servicer that mixes this in sets `releases` and `vault` before it serves."""

    releases: HolderReleases
    vault: Principal

    @serves(("cn", "vault"))
    async def SubmitRelease(
        self, request: holder_pb2.SubmitReleaseRequest, context: Context
    ) -> holder_pb2.SubmitReleaseResponse:
        """See the proto."""
        self._require_own_vault()
        answer = await asyncio.to_thread(self.releases.submit, request.envelope)
        return holder_pb2.SubmitReleaseResponse(answer=answer_to_message(answer))

    @serves(("cn", "vault"))
    async def ReleaseShare(
        self, request: holder_pb2.ReleaseShareRequest, context: Context
    ) -> holder_pb2.ReleaseShareResponse:
        """See the proto."""
        self._require_own_vault()
        answer = await asyncio.to_thread(self.releases.release, request.digest)
        return holder_pb2.ReleaseShareResponse(answer=answer_to_message(answer))

    @serves(*_OFFICERS)
    async def ListPendingReleases(
        self, request: holder_pb2.ListPendingReleasesRequest, context: Context
    ) -> holder_pb2.ListPendingReleasesResponse:
        """See the proto."""
        size = check_page_size(request.page_size, most=_PAGE)
        after = read_token(request.page_token)
        officer = current_caller().principal
        found = await asyncio.to_thread(
            lambda: self.releases.pending(officer, after=after, limit=size + 1)
        )
        page, token = pending_page(found, size)
        return holder_pb2.ListPendingReleasesResponse(
            releases=[
                holder_pb2.PendingRelease(
                    digest=each.digest,
                    envelope=each.envelope,
                    receive_time=timestamp(each.receive_time),
                    state=state_to_message(each.state),
                )
                for each in page
            ],
            next_page_token=token,
        )

    @serves(*_OFFICERS)
    async def SubmitApproval(
        self, request: holder_pb2.SubmitApprovalRequest, context: Context
    ) -> holder_pb2.SubmitApprovalResponse:
        """See the proto."""
        state = await asyncio.to_thread(
            self.releases.decide, current_caller().principal, request.envelope
        )
        return holder_pb2.SubmitApprovalResponse(state=state_to_message(state))

    def _require_own_vault(self) -> None:
        caller = current_caller()
        if caller.principal != self.vault:
            raise NotAllowedError(
                f"this holder serves {self.vault.uri} only, not {caller.uri}", reason="OTHER_VAULT"
            )
