"""From refusals to gRPC: one table, and an answer that a machine can read.

Every expected refusal becomes its status code with a google.rpc.ErrorInfo (stable `reason`,
domain `crossvault`) and, where a field is to blame, a BadRequest that names it. Anything else is
a bug: the caller gets INTERNAL and a random incident id, and the log gets the id with the place
in the code, never the exception's text, which may hold a value.
"""

from __future__ import annotations

import logging
import os
import secrets
import traceback
from typing import Final

import grpc

from proofs import errors as proofs_errors
from proofs.errors import CannotProveError, CrossproofError
from vault import errors as vault_errors
from vault.errors import VaultError
from vault.rich_status import Answer, pack

log = logging.getLogger(__name__)

_Code = grpc.StatusCode
_OURS: Final = (os.path.dirname(proofs_errors.__file__), os.path.dirname(vault_errors.__file__))

STATUS: Final[dict[type[Exception], grpc.StatusCode]] = {
    vault_errors.InvalidInputError: _Code.INVALID_ARGUMENT,
    vault_errors.UnauthenticatedError: _Code.UNAUTHENTICATED,
    vault_errors.NotAllowedError: _Code.PERMISSION_DENIED,
    vault_errors.NotFoundError: _Code.NOT_FOUND,
    vault_errors.ConflictError: _Code.FAILED_PRECONDITION,
    vault_errors.UnavailableError: _Code.UNAVAILABLE,
    vault_errors.IntegrityError: _Code.DATA_LOSS,
    vault_errors.ExhaustedError: _Code.RESOURCE_EXHAUSTED,
    proofs_errors.EncodingError: _Code.INVALID_ARGUMENT,
    proofs_errors.SignatureError: _Code.INVALID_ARGUMENT,
    proofs_errors.TrustError: _Code.PERMISSION_DENIED,
    proofs_errors.SchemaError: _Code.INVALID_ARGUMENT,
    proofs_errors.FactError: _Code.INVALID_ARGUMENT,
    proofs_errors.SetError: _Code.INVALID_ARGUMENT,
    proofs_errors.BindingError: _Code.INVALID_ARGUMENT,
    proofs_errors.GrantError: _Code.INVALID_ARGUMENT,
    proofs_errors.ContextError: _Code.INVALID_ARGUMENT,
    proofs_errors.PolicyError: _Code.INVALID_ARGUMENT,
    proofs_errors.ProofError: _Code.INVALID_ARGUMENT,
}
"""Every class of refusal but CannotProveError: its text tells about a value, so one that
escapes is a bug and is answered as one."""


def answer(error: Exception, *, method: str) -> Answer:
    """The answer to any exception that a method raised."""
    if isinstance(error, VaultError | CrossproofError) and not isinstance(error, CannotProveError):
        for kind in type(error).__mro__:
            if kind in STATUS:
                field = error.field if isinstance(error, VaultError) else None
                return pack(STATUS[kind], str(error), reason=error.reason, field=field)
    return _incident(error, method)


def _incident(error: Exception, method: str) -> Answer:
    incident = secrets.token_hex(8)
    frames = traceback.extract_tb(error.__traceback__)
    # A library's own frames, a dozen for one statement, would push ours out of the line.
    shown = [f for f in frames[:-1] if f.filename.startswith(_OURS)][-5:] + frames[-1:]
    place = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(shown))
    # The type and the place say where the bug is. The text could quote what somebody sent.
    log.error("incident %s in %s: %s at %s", incident, method, type(error).__name__, place)
    return pack(
        _Code.INTERNAL,
        f"internal error; incident {incident} in the server's log says where",
        reason="INTERNAL",
        incident=incident,
    )
