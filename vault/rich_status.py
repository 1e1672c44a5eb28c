"""A refusal on the wire: google.rpc.Status with ErrorInfo, written and read in one place.

`pack` writes it, `unpack` reads it. What comes in is another machine's text: it is bounded, made
safe to show, and believed for nothing but its status code and a reason of this service's domain.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import (  # type: ignore[import-untyped]  # published without types
    error_details_pb2,
    status_pb2,
)

DOMAIN: Final = "crossvault"
DETAILS_KEY: Final = "grpc-status-details-bin"
MAX_MESSAGE: Final = 1000
"""Characters of a message that travel: headers are bounded, and Chinese takes nine bytes each."""

_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an RPC that fails answers; `details` is the serialised rich status."""

    code: grpc.StatusCode
    message: str
    details: bytes

    @property
    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The rich status under the key where gRPC libraries look for it."""
        return ((DETAILS_KEY, self.details),)


@dataclass(frozen=True, slots=True)
class Details:
    """What a rich status of this service says, besides its code."""

    message: str
    reason: str
    field: str | None


def pack(
    code: grpc.StatusCode,
    message: str,
    *,
    reason: str,
    field: str | None = None,
    incident: str | None = None,
) -> Answer:
    """An answer with ErrorInfo, and with BadRequest when a field is to blame."""
    shown = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
    status = status_pb2.Status(code=code.value[0], message=shown)
    metadata = {"incident": incident} if incident is not None else {}
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)
    status.details.add().Pack(info)
    if field is not None:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=field[:200], description=shown[:200]
        )
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return Answer(code, shown, status.SerializeToString())


def unpack(trailing_metadata: Iterable[tuple[str, str | bytes]]) -> Details | None:
    """The details of a refusal by this service; None when there are none that can be read."""
    for key, value in trailing_metadata:
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return _read(status_pb2.Status.FromString(value))
            except (DecodeError, ValueError):
                return None
    return None


def safe(text: str) -> str:
    """Another machine's text for a terminal: bounded, and nothing in it moves the cursor."""
    cut = text[:MAX_MESSAGE]
    return "".join("?" if unicodedata.category(char) in _UNSHOWN else char for char in cut)


def _read(status: status_pb2.Status) -> Details | None:
    reason, field = None, None
    for item in status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if item.Unpack(info) and info.domain == DOMAIN and _REASON.fullmatch(info.reason):
            reason = info.reason
        elif item.Unpack(bad) and bad.field_violations:
            field = safe(bad.field_violations[0].field)
    if reason is None:
        return None
    return Details(message=safe(status.message), reason=reason, field=field)
