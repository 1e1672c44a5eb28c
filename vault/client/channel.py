"""Connections to the vault and to holders, and their refusals as our own errors.

A connection trusts the CA of its target's jurisdiction and no other, and always checks for the
one DNS name of the principal that it means: a client never sees the server's certificate, so
without the name any holder could pose as the vault. Addresses come from the pinned site file.
It refuses a target that is not listed or not valid, and to start out with an expired certificate.
Reads are tried again when the service is away; what changes something never is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio

from proofs.principal import Principal
from vault import pki
from vault.errors import (
    ConflictError,
    ExhaustedError,
    IntegrityError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    VaultError,
)
from vault.identity import Identity
from vault.rich_status import safe, unpack
from vault.sites import PrincipalRecord, SiteSet

UNARY_SECONDS: Final = 60
STREAM_SECONDS: Final = 7200
READ_VERBS: Final = ("Get", "List", "Check")
"""Methods of these verbs change nothing, so that a second try is harmless."""

_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.max_receive_message_length", 8 << 20),
    ("grpc.max_send_message_length", 5 << 20),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # A holder that came back is tried within two seconds, not after two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A proxy of the environment is for the web; it would see who talks to whom.
    ("grpc.enable_http_proxy", 0),
)

_ERRORS: Final[dict[grpc.StatusCode, type[VaultError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInputError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidInputError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: NotAllowedError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.FAILED_PRECONDITION: ConflictError,
    grpc.StatusCode.ALREADY_EXISTS: ConflictError,
    grpc.StatusCode.ABORTED: ConflictError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnavailableError,
    grpc.StatusCode.CANCELLED: UnavailableError,
    grpc.StatusCode.DATA_LOSS: IntegrityError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ExhaustedError,
}


def connect(
    identity: Identity,
    sites: SiteSet,
    target: str | Principal,
    *,
    services: Iterable[ServiceDescriptor] = (),
) -> grpc.Channel:
    """A blocking channel to a listed principal. Close it, or use it in a `with`.

    `services` are those that will be called: each of their methods gets its deadline (a minute,
    or two hours for a stream), and each read its retries. Raises NotFoundError, NotAllowedError.
    """
    record, credentials = _prepare(identity, sites, target)
    return grpc.secure_channel(_address(record), credentials, options=_options(record, services))


def connect_async(
    identity: Identity,
    sites: SiteSet,
    target: str | Principal,
    *,
    services: Iterable[ServiceDescriptor] = (),
) -> aio.Channel:
    """The same for asyncio; make it inside the running loop."""
    record, credentials = _prepare(identity, sites, target)
    return aio.secure_channel(_address(record), credentials, options=_options(record, services))


@contextmanager
def reporting(target: PrincipalRecord) -> Iterator[None]:
    """Run calls to `target`; what gRPC raises becomes a VaultError with the server's reason."""
    try:
        yield
    except grpc.RpcError as error:
        raise translate(error, target) from None


def translate(error: grpc.RpcError, target: PrincipalRecord) -> VaultError:
    """The server's refusal as our error, or what is wrong with the connection."""
    code = error.code() if hasattr(error, "code") else grpc.StatusCode.UNKNOWN
    text = safe(str(error.details() or "")) if hasattr(error, "details") else ""
    trailing: Any = error.trailing_metadata() if hasattr(error, "trailing_metadata") else None
    details = unpack(trailing or ())
    kind = _ERRORS.get(code, VaultError)
    if details is not None:
        return kind(details.message, reason=details.reason, field=details.field)
    who = f"the {target.principal.role} {target.principal.name} at {target.address}"
    if "Hostname Verification" in text or "CERTIFICATE_VERIFY_FAILED" in text:
        return UnauthenticatedError(
            f"what answers at {target.address} is not {target.uri}; do not go on before its site "
            f"explains this",
            reason="WRONG_SERVER",
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return UnavailableError(f"{who} did not answer in time", reason="DEADLINE")
    if code is grpc.StatusCode.UNAVAILABLE:
        return UnavailableError(
            f"{who} does not answer: it is not running there, or it does not accept this "
            f"certificate",
            reason="UNREACHABLE",
        )
    return kind(f"{who} answered {code.name}: {text}", reason=code.name)


def service_config(services: Iterable[ServiceDescriptor]) -> str:
    """Deadlines and retries as gRPC's service config (JSON), for every method of `services`."""
    methods: list[dict[str, Any]] = [{"name": [{}], "timeout": f"{STREAM_SECONDS}s"}]
    for service in services:
        for method in service.methods:
            streams = method.client_streaming or method.server_streaming
            entry: dict[str, Any] = {
                "name": [{"service": service.full_name, "method": method.name}],
                "timeout": f"{STREAM_SECONDS if streams else UNARY_SECONDS}s",
            }
            if not streams and method.name.startswith(READ_VERBS):
                entry["retryPolicy"] = {
                    "maxAttempts": 4,
                    "initialBackoff": "0.2s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                }
            methods.append(entry)
    return json.dumps({"methodConfig": methods})


def _prepare(
    identity: Identity, sites: SiteSet, target: str | Principal
) -> tuple[PrincipalRecord, grpc.ChannelCredentials]:
    now = pki.now_utc()
    sites.refresh()
    identity = identity.renewed()
    identity.require_unexpired(now)
    record = sites.require_valid(target, now)
    roots = pki.encode_certificate(sites.ca(record.principal.jurisdiction))
    return record, grpc.ssl_channel_credentials(
        roots, identity.tls_key_pem, identity.certificate_pem
    )


def _address(record: PrincipalRecord) -> str:
    if record.address is None:
        raise NotFoundError(f"{record.uri}: a {record.principal.role} has no address")
    return record.address


def _options(
    record: PrincipalRecord, services: Iterable[ServiceDescriptor]
) -> list[tuple[str, Any]]:
    return [
        *_OPTIONS,
        ("grpc.ssl_target_name_override", record.principal.server_name),
        ("grpc.service_config", service_config(services)),
    ]
