"""What each side is told of a request: three words for its asker, two more for custodians.

Denied, false, absent and unknown are one to an asker: pending, and from the request's own expiry
on, declined. Only the custodian learns which, and of its own decisions alone. It decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vault.storage.proof_store import StoredDecision, StoredRequest


class SeenState(StrEnum):
    """What a caller is told of a request; the last two are for custodians."""

    PENDING = "pending"
    ANSWERED = "answered"
    DECLINED = "declined"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as one caller may see it. `detail` is empty for an asker."""

    digest: str
    request: bytes
    asker: str
    state: SeenState
    submit_time: datetime
    detail: str
    row: int


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests, the last first, and the row before which the next page begins; None at the end.

    A page may be shorter than was asked for, and empty before the end.
    """

    requests: tuple[SeenRequest, ...]
    before: int | None


def for_asker(stored: StoredRequest, now: datetime) -> SeenRequest:
    """A request as whoever handed it in sees it."""
    if stored.answered:
        return _seen(stored, SeenState.ANSWERED)
    return _seen(stored, SeenState.DECLINED if now >= stored.expires else SeenState.PENDING)


def for_custodian(
    stored: StoredRequest, decision: StoredDecision | None, now: datetime
) -> SeenRequest:
    """A request as a custodian sees it, with what that custodian itself decided."""
    if stored.answered or decision is None:
        return for_asker(stored, now)
    return _seen(stored, SeenState(decision.state.value), decision.detail)


def _seen(stored: StoredRequest, state: SeenState, detail: str = "") -> SeenRequest:
    return SeenRequest(
        digest=stored.digest,
        request=stored.request,
        asker=stored.asker,
        state=state,
        submit_time=stored.submit_time,
        detail=detail,
        row=stored.row,
    )
