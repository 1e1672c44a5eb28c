"""Between a holder's answer and its message, in both directions."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from vault.crypto.field import SCALAR_BYTES
from vault.crypto.hpke import OVERHEAD
from vault.errors import InvalidInputError
from vault.release_model import HolderAnswer, HolderState
from vault.rich_status import safe
from vault.v1 import release_pb2

SEALED_SHARE_BYTES: Final = SCALAR_BYTES + OVERHEAD
MAX_DETAIL: Final = 1000

_STATES: Final[dict[HolderState, release_pb2.HolderState]] = {
    HolderState.WAITING: release_pb2.HOLDER_STATE_WAITING,
    HolderState.APPROVED: release_pb2.HOLDER_STATE_APPROVED,
    HolderState.RELEASED: release_pb2.HOLDER_STATE_RELEASED,
    HolderState.DENIED: release_pb2.HOLDER_STATE_DENIED,
    HolderState.UNREACHABLE: release_pb2.HOLDER_STATE_UNREACHABLE,
    HolderState.REFUSED: release_pb2.HOLDER_STATE_REFUSED,
    HolderState.EXPIRED: release_pb2.HOLDER_STATE_EXPIRED,
}
_NAMES: Final = {number: state for state, number in _STATES.items()}


def state_to_message(state: HolderState) -> release_pb2.HolderState:
    """The enum value of a state."""
    return _STATES[state]


def state_from_message(value: int) -> HolderState:
    """The state of an enum value; InvalidInputError for one that is none."""
    for number, state in _NAMES.items():
        if number == value:
            return state
    raise InvalidInputError("a holder answered with a state that is none", field="state")


def answer_to_message(answer: HolderAnswer) -> release_pb2.HolderAnswer:
    """One holder's answer as a message."""
    return release_pb2.HolderAnswer(
        holder=answer.holder,
        state=_STATES[answer.state],
        detail=answer.detail[:MAX_DETAIL],
        sealed_share=answer.sealed_share,
        index=answer.index,
    )


def answer_from_message(message: release_pb2.HolderAnswer, *, holder: str) -> HolderAnswer:
    """Read the answer of the holder that was asked, whatever holder it names.

    Raises InvalidInputError for a state that is none, and for a release without a share of the
    one length that a sealed share has.
    """
    state = state_from_message(message.state)
    sealed = message.sealed_share if state is HolderState.RELEASED else b""
    if sealed and len(sealed) != SEALED_SHARE_BYTES:
        raise InvalidInputError(f"a sealed share is {SEALED_SHARE_BYTES} bytes")
    return HolderAnswer(
        holder=holder,
        state=state,
        detail=safe(message.detail[:MAX_DETAIL]),
        index=message.index,
        sealed_share=sealed,
    )


def timestamp(instant: datetime) -> Timestamp:
    """A time as a message."""
    message = Timestamp()
    message.FromDatetime(instant)
    return message
