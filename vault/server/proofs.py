"""ProofService: requests, consent and bundles over gRPC. It translates; `vault.app` rules.

An asker's answers are built from the same few fields whatever became of its request, so that
content and size tell nothing that the state does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, Final

from grpc import aio

from proofs.ids import digest_of
from proofs.principal import Principal
from vault.app.answering import Answering
from vault.app.asking import Asking
from vault.app.deciding import Candidate, Deciding
from vault.app.journal import check_page_size
from vault.app.page_tokens import PageTokens
from vault.app.prove import Outlook
from vault.app.request_views import SeenRequest, SeenState
from vault.app.selections import GivenList
from vault.app.sets import envelopes
from vault.client.release_messages import timestamp
from vault.errors import InvalidInputError
from vault.server.auth import current_caller
from vault.server.progress import Done, Report, reporting
from vault.server.roles import serves
from vault.v1 import proof_pb2, proof_pb2_grpc

Context = aio.ServicerContext[Any, Any]

_STATES: Final[dict[SeenState, proof_pb2.ProofRequestState]] = {
    SeenState.PENDING: proof_pb2.PROOF_REQUEST_STATE_PENDING,
    SeenState.ANSWERED: proof_pb2.PROOF_REQUEST_STATE_ANSWERED,
    SeenState.DECLINED: proof_pb2.PROOF_REQUEST_STATE_DECLINED,
    SeenState.DENIED: proof_pb2.PROOF_REQUEST_STATE_DENIED,
    SeenState.FAILED: proof_pb2.PROOF_REQUEST_STATE_FAILED,
}

_PAGE: Final = 64


class ProofServicer(proof_pb2_grpc.ProofServiceServicer):
    """The requests of one vault."""

    def __init__(self, asking: Asking, deciding: Deciding, answering: Answering) -> None:
        self._asking = asking
        self._deciding = deciding
        self._answering = answering
        self._tokens = PageTokens()

    @serves(("hk", "spv"))
    async def SubmitProofRequest(
        self, request: proof_pb2.SubmitProofRequestRequest, context: Context
    ) -> proof_pb2.SubmitProofRequestResponse:
        """See the proto."""
        caller = current_caller().principal
        seen = await asyncio.to_thread(self._asking.submit, caller, request.request)
        return proof_pb2.SubmitProofRequestResponse(digest=seen.digest, state=_STATES[seen.state])

    @serves(("hk", "spv"), ("cn", "custodian"))
    async def ListProofRequests(
        self, request: proof_pb2.ListProofRequestsRequest, context: Context
    ) -> proof_pb2.ListProofRequestsResponse:
        """See the proto."""
        caller = current_caller().principal
        size = check_page_size(request.page_size, most=_PAGE)
        before = self._tokens.read(caller, request.page_token)
        ask = self._asking.of_asker if caller.role == "spv" else self._deciding.of_custodian
        page = await asyncio.to_thread(lambda: ask(caller, limit=size, before=before))
        return proof_pb2.ListProofRequestsResponse(
            requests=map(_message, page.requests),
            next_page_token=self._tokens.write(caller, page.before),
        )

    @serves(("hk", "spv"), ("cn", "custodian"))
    async def GetProofRequest(
        self, request: proof_pb2.GetProofRequestRequest, context: Context
    ) -> proof_pb2.GetProofRequestResponse:
        """See the proto."""
        caller = current_caller().principal
        if caller.role == "spv":
            own = await asyncio.to_thread(self._asking.get_own, caller, request.digest)
            return proof_pb2.GetProofRequestResponse(request=_message(own))
        seen, candidate, sets = await asyncio.to_thread(
            self._deciding.get_for_custodian, caller, request.digest, request.asker
        )
        return proof_pb2.GetProofRequestResponse(
            request=_message(seen),
            candidates=_candidates(candidate),
            sets=envelopes(sets),
            outlooks=_outlooks(candidate.outlooks if candidate else ()),
        )

    @serves(("cn", "custodian"))
    async def CheckProofRequest(
        self, request: proof_pb2.CheckProofRequestRequest, context: Context
    ) -> proof_pb2.CheckProofRequestResponse:
        """See the proto."""
        caller, given = current_caller().principal, _given(request.list)
        found = await asyncio.to_thread(
            self._deciding.check_list, caller, request.digest, given, request.asker
        )
        return proof_pb2.CheckProofRequestResponse(outlooks=_outlooks(found))

    @serves(("cn", "custodian"))
    async def ApproveProofRequest(
        self, request: proof_pb2.ApproveProofRequestRequest, context: Context
    ) -> AsyncIterator[proof_pb2.ApproveProofRequestResponse]:
        """See the proto."""
        caller, given = current_caller().principal, _given(request.list)

        def work(report: Report) -> SeenRequest:
            return self._answering.approve(
                caller,
                request.digest,
                request.grant,
                request.legal_basis,
                given=given,
                report=report,
            )

        async with aclosing(reporting(work)) as items:
            async for item in items:
                if isinstance(item, Done):
                    yield proof_pb2.ApproveProofRequestResponse(progress=_progress(item))
                else:
                    yield proof_pb2.ApproveProofRequestResponse(
                        state=_STATES[item.state], detail=item.detail
                    )

    @serves(("cn", "custodian"))
    async def DenyProofRequest(
        self, request: proof_pb2.DenyProofRequestRequest, context: Context
    ) -> proof_pb2.DenyProofRequestResponse:
        """See the proto."""
        caller = current_caller().principal
        seen = await asyncio.to_thread(
            self._deciding.deny, caller, request.digest, request.detail, request.asker
        )
        return proof_pb2.DenyProofRequestResponse(state=_STATES[seen.state])

    @serves(("hk", "spv"), ("cn", "custodian"))
    async def FetchBundle(
        self, request: proof_pb2.FetchBundleRequest, context: Context
    ) -> AsyncIterator[proof_pb2.FetchBundleResponse]:
        """See the proto."""
        caller = current_caller().principal
        async for piece in self._pieces(caller, request.digest):
            yield proof_pb2.FetchBundleResponse(piece=piece)

    @serves(("cn", "custodian"))
    async def CreateProof(
        self, request: proof_pb2.CreateProofRequest, context: Context
    ) -> AsyncIterator[proof_pb2.CreateProofResponse]:
        """See the proto."""
        caller, given = current_caller().principal, _given(request.list)

        def work(report: Report) -> None:
            self._answering.create(
                caller,
                request.request,
                request.grant,
                request.legal_basis,
                given=given,
                report=report,
            )

        async with aclosing(reporting(work)) as items:
            async for item in items:
                if isinstance(item, Done):
                    yield proof_pb2.CreateProofResponse(progress=_progress(item))
                else:
                    # As it was stored: many at once that are read slowly would fill the memory.
                    async for piece in self._pieces(caller, digest_of(request.request)):
                        yield proof_pb2.CreateProofResponse(piece=piece)

    async def _pieces(self, caller: Principal, digest: str) -> AsyncIterator[bytes]:
        pieces = await asyncio.to_thread(self._asking.pieces, caller, digest)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece


def _given(message: proof_pb2.GrantedList) -> GivenList | None:
    """The list that a grant is about; None for a grant about documents by alias."""
    if not message.attestations:
        return None
    if any(len(each) != 32 for each in message.attestations):
        raise InvalidInputError("digests of 32 bytes", field="list.attestations")
    return GivenList(
        attestations=tuple(each.hex() for each in message.attestations), manifest=message.manifest
    )


def _progress(item: Done) -> proof_pb2.ProofProgress:
    return proof_pb2.ProofProgress(done=item.done, total=item.total)


def _message(seen: SeenRequest) -> proof_pb2.ProofRequest:
    return proof_pb2.ProofRequest(
        digest=seen.digest,
        request=seen.request,
        asker=seen.asker,
        state=_STATES[seen.state],
        submit_time=timestamp(seen.submit_time),
        detail=seen.detail,
    )


def _candidates(candidate: Candidate | None) -> list[proof_pb2.DocumentCandidate]:
    if candidate is None:
        return []
    return [
        proof_pb2.DocumentCandidate(
            document=each.document,
            version=each.version,
            attestation=each.attestation,
            alias=alias,
        )
        for alias, each in candidate.stored.items()
    ]


def _outlooks(found: Iterable[Outlook]) -> list[proof_pb2.FactOutlook]:
    return [
        proof_pb2.FactOutlook(fact=each.fact, provable=each.provable, detail=each.detail)
        for each in found
    ]
