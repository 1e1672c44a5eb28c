"""Refusals of the service and its clients.

One base, and a stable `reason` in UPPER_SNAKE that travels in the error details of an RPC.
The table from these classes to gRPC status codes is `vault.server.errors`. A message never
holds a value of a document, a key or a share.
"""

from __future__ import annotations


class VaultError(Exception):
    """The base of all expected refusals. `reason` is stable; the text is for people."""

    reason = "REFUSED"

    def __init__(self, message: str, *, reason: str | None = None, field: str | None = None):
        super().__init__(message)
        if reason is not None:
            self.reason = reason
        self.field = field


class InvalidInputError(VaultError):
    """Something sent does not fit: a field, a block, a commitment, a signature."""

    reason = "INVALID_INPUT"


class UnauthenticatedError(VaultError):
    """Nobody that this service knows: a certificate that is foreign, expired or not listed."""

    reason = "UNAUTHENTICATED"


class NotAllowedError(VaultError):
    """The caller may not do this, or this key may not sign that."""

    reason = "NOT_ALLOWED"


class NotFoundError(VaultError):
    """Nothing by that name that the caller may see."""

    reason = "NOT_FOUND"


class ConflictError(VaultError):
    """It exists already and differs, or its state does not allow the step."""

    reason = "CONFLICT"


class UnavailableError(VaultError):
    """A part that is needed does not answer; trying again later may help."""

    reason = "UNAVAILABLE"


class IntegrityError(VaultError):
    """Stored or received bytes are not what they must be."""

    reason = "INTEGRITY"


class ExhaustedError(VaultError):
    """A bound on size, count or concurrency is reached."""

    reason = "EXHAUSTED"
