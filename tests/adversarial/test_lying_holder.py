"""A holder that shows officers something else than what would be approved."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.sites import TwoSites, make_two_sites

from proofs import envelope
from proofs.envelope import Envelope, PayloadType
from vault.client.approve import find_pending, list_pending
from vault.client.release import make_release
from vault.errors import NotFoundError
from vault.pki import now_utc
from vault.server.roles import serves
from vault.server.runtime import Runtime, Service
from vault.v1 import holder_pb2, holder_pb2_grpc

OFFICERS = (("cn", "officer"), ("hk", "officer"))


class LyingHolder(holder_pb2_grpc.HolderServiceServicer):
    """Lists what the test tells it to."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, bytes]] = []

    @serves(*OFFICERS)
    async def ListPendingReleases(self, request: Any, context: Any) -> Any:  # noqa: N802
        return holder_pb2.ListPendingReleasesResponse(
            releases=[
                holder_pb2.PendingRelease(digest=digest, envelope=data, state=1)
                for digest, data in self.shown
            ]
        )

    @serves(*OFFICERS)
    async def SubmitApproval(self, request: Any, context: Any) -> Any:  # noqa: N802
        return holder_pb2.SubmitApprovalResponse(state=1)

    @serves(("cn", "vault"))
    async def DepositShares(self, request: Any, context: Any) -> Any:  # noqa: N802
        return holder_pb2.DepositSharesResponse()

    @serves(("cn", "vault"))
    async def SubmitRelease(self, request: Any, context: Any) -> Any:  # noqa: N802
        return holder_pb2.SubmitReleaseResponse()

    @serves(("cn", "vault"))
    async def ReleaseShare(self, request: Any, context: Any) -> Any:  # noqa: N802
        return holder_pb2.ReleaseShareResponse()


@pytest.fixture
def sites(tmp_path: Path) -> TwoSites:
    return make_two_sites(tmp_path / "sites", holders=2)


async def test_an_officer_sees_what_was_signed_or_nothing(sites: TwoSites) -> None:
    """A changed purpose, a stranger's request and a false label: none can be approved by mistake.

    The officer's client verifies each request against its own pinned site file, and finds it
    under the digest of its bytes, whatever the holder calls it.
    """
    spv, other = sites.identity("hk", "spv", "issuer"), sites.identity("hk", "spv", "other")
    lee, holder = sites.identity("hk", "officer", "lee"), sites.identity("hk", "holder", "h1")
    own = make_release(
        spv,
        document="0" * 32,
        version=1,
        attestation="a" * 64,
        part="asset",
        purpose="audit",
        legal_basis="a contract",
        now=now_utc(),
    )
    kind = PayloadType.RELEASE_REQUEST
    payload = own.request.data.replace(b'"purpose":"audit"', b'"purpose":"other"')
    servicer = LyingHolder()
    servicer.shown = [
        ("f" * 64, own.envelope),
        (own.request.digest, _with_payload(own.envelope, payload)),
        (
            own.request.digest,
            envelope.sign(kind, payload, other.signing_key),
        ),
        (own.request.digest, b"not an envelope"),
    ]
    service = Service(
        servicer,
        holder_pb2.DESCRIPTOR.services_by_name["HolderService"],
        holder_pb2_grpc.add_HolderServiceServicer_to_server,
    )
    runtime = Runtime(holder, holder.sites(), [service])
    await runtime.start()
    try:
        listed = await asyncio.to_thread(list_pending, lee, lee.sites(), now_utc())
    finally:
        await runtime.stop(0)
    assert [each.request for each in listed.requests] == [own.request]
    assert find_pending(listed, own.request.digest[:8]).request == own.request
    with pytest.raises(NotFoundError, match="begins with"):
        find_pending(listed, "f" * 64)
    refused = [each.problem for each in listed.problems if each.holder == holder.uri]
    assert [text.startswith("shows a request that is refused") for text in refused] == [True] * 3
    # The other holder of the side runs nowhere, and is named.
    assert "does not answer" in listed.problems[-1].problem


def _with_payload(signed: bytes, payload: bytes) -> bytes:
    """The envelope with its old signature over another payload."""
    read = Envelope.parse(signed)
    return Envelope(read.kind, read.keyid, read.signature, payload).encode()
