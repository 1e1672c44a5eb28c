"""Calls about requests for proofs, for SPV administrators and custodians.

Thin: each function is one RPC of a channel that `vault.client.channel` made. What a custodian
signs is prepared in `vault.client.consent` and `vault.client.consent_list`. Texts of the vault's
own are made safe to show: a custodian reads them beside what it is about to sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import grpc

from proofs.bundle import LIMIT as BUNDLE_LIMIT
from proofs.bundle import Bundle
from proofs.errors import BindingError, CrossproofError
from proofs.ids import digest_of
from vault.errors import IntegrityError, UnavailableError
from vault.rich_status import safe
from vault.v1 import proof_pb2, proof_pb2_grpc

SERVICE: Final = proof_pb2.DESCRIPTOR.services_by_name["ProofService"]

_STATES: Final = {
    proof_pb2.PROOF_REQUEST_STATE_PENDING: "pending",
    proof_pb2.PROOF_REQUEST_STATE_ANSWERED: "answered",
    proof_pb2.PROOF_REQUEST_STATE_DECLINED: "declined",
    proof_pb2.PROOF_REQUEST_STATE_DENIED: "denied",
    proof_pb2.PROOF_REQUEST_STATE_FAILED: "failed",
}

Outlooks = dict[str, str | None]
"""By fact: None where it holds, else why it cannot be proven."""
Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


def no_progress(done: int, total: int) -> None:
    """For those who do not look."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as the vault shows it to this caller."""

    digest: str
    request: bytes
    asker: str
    state: str
    submit_time: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the vault hands a custodian for its decision; nothing in it is checked yet.

    `attestations` are envelopes by alias; none when a document has no unexpired version.
    """

    view: RequestView
    attestations: dict[str, bytes]
    sets: Sequence[bytes]
    outlooks: Outlooks


@dataclass(frozen=True, slots=True)
class ChosenList:
    """The exact list of a grant about a selection: digests of attestations, as hex.

    `manifest` is the envelope of the manifest that stands for them in the bundle.
    """

    attestations: Sequence[str]
    manifest: bytes | None = None


def submit(channel: grpc.Channel, request: bytes) -> str:
    """Hand in a verifier's request file; the state it is in."""
    answer = _stub(channel).SubmitProofRequest(proof_pb2.SubmitProofRequestRequest(request=request))
    if answer.digest != digest_of(request):
        raise BindingError("the vault took another request than the one handed in")
    return _state(answer.state)


def list_all(channel: grpc.Channel) -> Iterator[RequestView]:
    """Every request that the caller may see, the last first."""
    token = ""
    while True:
        page = _stub(channel).ListProofRequests(
            proof_pb2.ListProofRequestsRequest(page_size=1000, page_token=token)
        )
        yield from map(_view, page.requests)
        token = page.next_page_token
        if not token:
            return


def get(channel: grpc.Channel, digest: str, asker: str = "") -> Offer:
    """One request; for a custodian with the versions that the vault would prove about."""
    answer = _stub(channel).GetProofRequest(
        proof_pb2.GetProofRequestRequest(digest=digest, asker=asker)
    )
    return Offer(
        view=_view(answer.request),
        attestations={each.alias: each.attestation for each in answer.candidates},
        sets=list(answer.sets),
        outlooks=_outlooks(answer.outlooks),
    )


def check(channel: grpc.Channel, digest: str, asker: str, chosen: ChosenList) -> Outlooks:
    """How the facts of a request about a selection stand over a list, as the vault sees it."""
    answer = _stub(channel).CheckProofRequest(
        proof_pb2.CheckProofRequestRequest(digest=digest, asker=asker, list=_list(chosen))
    )
    return _outlooks(answer.outlooks)


def approve(
    channel: grpc.Channel,
    digest: str,
    grant: bytes,
    legal_basis: str,
    *,
    chosen: ChosenList | None = None,
    progress: Progress = no_progress,
) -> tuple[str, str]:
    """Hand in a signed grant; the state, and why it could not be proven where it could not.

    For a selection with the list that was granted; `progress` is told how much is proven.
    """
    answers = _stub(channel).ApproveProofRequest(
        proof_pb2.ApproveProofRequestRequest(
            digest=digest, grant=grant, legal_basis=legal_basis, list=_list(chosen)
        )
    )
    decision: proof_pb2.ApproveProofRequestResponse | None = None
    for each in answers:
        if each.HasField("progress"):
            progress(each.progress.done, each.progress.total)
        else:
            decision = each
    if decision is None:
        raise UnavailableError("the vault ended its answer without a decision; look again")
    return _state(decision.state), safe(decision.detail)


def deny(channel: grpc.Channel, digest: str, detail: str, asker: str = "") -> str:
    """Refuse a request; the reason stays with the vault."""
    answer = _stub(channel).DenyProofRequest(
        proof_pb2.DenyProofRequestRequest(digest=digest, detail=detail, asker=asker)
    )
    return _state(answer.state)


def fetch(channel: grpc.Channel, digest: str) -> bytes:
    """The bundle of an answered request: whole, and not verified."""
    answers = _stub(channel).FetchBundle(proof_pb2.FetchBundleRequest(digest=digest))
    return _whole((each.piece for each in answers), digest)


def create(
    channel: grpc.Channel,
    request: bytes,
    grant: bytes,
    legal_basis: str,
    *,
    chosen: ChosenList | None = None,
    progress: Progress = no_progress,
) -> bytes:
    """A custodian's own proof; for a selection with the list that was granted."""
    answers = _stub(channel).CreateProof(
        proof_pb2.CreateProofRequest(
            request=request, grant=grant, legal_basis=legal_basis, list=_list(chosen)
        )
    )

    def pieces() -> Iterator[bytes]:
        for each in answers:
            if each.HasField("progress"):
                progress(each.progress.done, each.progress.total)
            else:
                yield each.piece

    return _whole(pieces(), digest_of(request))


def _whole(pieces: Iterable[bytes], digest: str) -> bytes:
    """A bundle from its pieces, bounded as a verifier bounds it.

    IntegrityError for anything but a whole one that answers this request: a stream that ended
    early would be found out by the verifier, when the custodian is gone.
    """
    bundle = bytearray()
    for piece in pieces:
        bundle += piece
        if len(bundle) > BUNDLE_LIMIT:
            raise IntegrityError("the vault sends more than a bundle can be")
    data = bytes(bundle)
    try:
        answered = Bundle.parse(data).context.request
    except CrossproofError as error:
        raise IntegrityError(f"the vault sent no whole bundle ({error})") from None
    if answered != digest:
        raise IntegrityError("the vault sent the bundle of another request")
    return data


def _list(chosen: ChosenList | None) -> proof_pb2.GrantedList | None:
    if chosen is None:
        return None
    return proof_pb2.GrantedList(
        attestations=[bytes.fromhex(each) for each in chosen.attestations],
        manifest=chosen.manifest or b"",
    )


def _outlooks(found: Iterable[proof_pb2.FactOutlook]) -> Outlooks:
    return {each.fact: None if each.provable else safe(each.detail) for each in found}


def _stub(channel: grpc.Channel) -> proof_pb2_grpc.ProofServiceStub:
    return proof_pb2_grpc.ProofServiceStub(channel)


def _view(message: proof_pb2.ProofRequest) -> RequestView:
    return RequestView(
        digest=message.digest,
        request=message.request,
        asker=safe(message.asker),
        state=_state(message.state),
        submit_time=message.submit_time.ToDatetime(tzinfo=UTC),
        detail=safe(message.detail),
    )


def _state(value: int) -> str:
    for number, name in _STATES.items():
        if number == value:
            return name
    return "unknown"
