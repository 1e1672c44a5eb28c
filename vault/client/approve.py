"""An officer's side of a release: see what is asked, decide, and tell every holder of the side.

What an officer reads before deciding comes from the signed bytes alone, verified against the site
files pinned on the officer's own machine: neither the vault nor a holder can show one request
and have another approved. One signed decision goes to every holder; each answers for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from proofs import envelope
from proofs.envelope import PayloadType
from proofs.errors import CrossproofError
from vault.client.channel import connect, reporting
from vault.client.release_messages import state_from_message
from vault.errors import ConflictError, NotAllowedError, NotFoundError, VaultError
from vault.identity import Identity
from vault.release_model import HolderState
from vault.signed.approval import Approval, Decision
from vault.signed.release_request import ReleaseRequest
from vault.sites import PrincipalRecord, SiteSet
from vault.v1 import holder_pb2, holder_pb2_grpc

_SERVICE: Final = holder_pb2.DESCRIPTOR.services_by_name["HolderService"]
_PAGE: Final = 1000
_SECONDS: Final = 15.0

Result = TypeVar("Result")


@dataclass(slots=True)
class PendingRequest:
    """A request that holders of the side have, verified, and its state at each of them."""

    request: ReleaseRequest
    envelope: bytes
    states: dict[str, HolderState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HolderReport:
    """How it went with one holder: its state, or what was wrong."""

    holder: str
    state: HolderState | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PendingList:
    """All requests, oldest first, and the holders with which something was wrong."""

    requests: tuple[PendingRequest, ...]
    problems: tuple[HolderReport, ...]


def list_pending(identity: Identity, sites: SiteSet, now: datetime) -> PendingList:
    """Ask every holder of the officer's side what it has been asked to release.

    A request that does not verify against the pinned site files is a problem of the holder
    that showed it, and is not shown. Raises NotAllowedError for an identity that is no officer.
    """
    found: dict[str, PendingRequest] = {}
    problems: list[HolderReport] = []
    for record, shown in _each_holder(identity, sites, _list_at):
        if isinstance(shown, VaultError):
            problems.append(HolderReport(record.uri, None, str(shown)))
            continue
        for pending in shown:
            try:
                request = ReleaseRequest.open(pending.envelope, sites, now)
                state = state_from_message(pending.state)
            except (CrossproofError, VaultError) as error:
                problems.append(
                    HolderReport(record.uri, None, f"shows a request that is refused: {error}")
                )
                continue
            # Under the digest of the bytes themselves: a holder's label for them says nothing.
            known = found.setdefault(request.digest, PendingRequest(request, pending.envelope))
            known.states[record.uri] = state
    ordered = sorted(found.values(), key=lambda each: (each.request.created, each.request.digest))
    return PendingList(tuple(ordered), tuple(problems))


def find_pending(listed: PendingList, prefix: str) -> PendingRequest:
    """The request whose digest begins with `prefix`.

    Raises NotFoundError, or ConflictError when several do.
    """
    found = [each for each in listed.requests if each.request.digest.startswith(prefix)]
    if not found:
        away = "".join(f"; {each.holder}: {each.problem}" for each in listed.problems)
        raise NotFoundError(
            f"no holder of this side has a release request that begins with {prefix[:64]!a}{away}"
        )
    if len(found) > 1:
        raise ConflictError(f"{len(found)} release requests begin with {prefix[:64]!a}")
    return found[0]


def sign_decision(
    identity: Identity,
    request: ReleaseRequest,
    *,
    decision: Decision,
    note: str | None,
    now: datetime,
    expires: datetime | None = None,
) -> bytes:
    """The envelope of one decision on exactly these bytes; raises what `Approval.build` does."""
    _require_officer(identity)
    approval = Approval.build(
        request=request.digest,
        officer=identity.principal,
        decision=decision,
        note=note,
        time=now,
        expires=expires,
    )
    return envelope.sign(PayloadType.APPROVAL, approval.data, identity.signing_key)


def send_decision(identity: Identity, sites: SiteSet, signed: bytes) -> list[HolderReport]:
    """Hand one signed decision to every holder of the officer's side; a report of each."""

    def send(stub: holder_pb2_grpc.HolderServiceStub) -> HolderState:
        request = holder_pb2.SubmitApprovalRequest(envelope=signed)
        return state_from_message(stub.SubmitApproval(request, timeout=_SECONDS).state)

    return [
        HolderReport(record.uri, None, str(result))
        if isinstance(result, VaultError)
        else HolderReport(record.uri, result)
        for record, result in _each_holder(identity, sites, send)
    ]


def _list_at(stub: holder_pb2_grpc.HolderServiceStub) -> list[holder_pb2.PendingRelease]:
    found: list[holder_pb2.PendingRelease] = []
    token = ""
    while True:
        page = stub.ListPendingReleases(
            holder_pb2.ListPendingReleasesRequest(page_size=_PAGE, page_token=token),
            timeout=_SECONDS,
        )
        found += page.releases
        token = page.next_page_token
        if not token:
            return found


def _each_holder(
    identity: Identity,
    sites: SiteSet,
    call: Callable[[holder_pb2_grpc.HolderServiceStub], Result],
) -> Iterable[tuple[PrincipalRecord, Result | VaultError]]:
    """Call every holder of one's own side at once; a result or the refusal for each, by URI."""
    _require_officer(identity)
    holders = sites.holders(identity.principal.jurisdiction)

    def one(record: PrincipalRecord) -> Result | VaultError:
        try:
            with (
                connect(identity, sites, record.uri, services=[_SERVICE]) as channel,
                reporting(record),
            ):
                return call(holder_pb2_grpc.HolderServiceStub(channel))
        except VaultError as error:
            return error

    with ThreadPoolExecutor(max(1, len(holders))) as pool:
        return list(zip(holders, pool.map(one, holders), strict=True))


def _require_officer(identity: Identity) -> None:
    if identity.principal.role != "officer":
        raise NotAllowedError(
            f"{identity.uri} is no officer: releases are decided by officers of each side"
        )
