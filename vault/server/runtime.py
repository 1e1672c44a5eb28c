"""One process that serves: TLS, the gate, health, reflection, bounds, and an orderly end.

The vault and the key holders are both built here. It refuses to start for a principal that its
own site does not list, with an expired certificate, for a servicer with an undeclared RPC, and on
an address that somebody else listens on. Requests under way get a few seconds at the end.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from vault import pki
from vault.errors import NotAllowedError, UnavailableError
from vault.files import write_public
from vault.identity import Identity
from vault.server.auth import Gatekeeper
from vault.server.limits import Limits
from vault.server.roles import EVERYONE, Pair, declared
from vault.server.tls import Authenticator, Clock, server_credentials
from vault.sites import SiteSet

GRACE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    """A servicer, the service that it implements, and the generated function that adds it."""

    servicer: object
    descriptor: ServiceDescriptor
    register: Callable[[Any, aio.Server], None]


class Runtime:
    """A gRPC server around some services, for one identity."""

    def __init__(
        self,
        identity: Identity,
        sites: SiteSet,
        services: Sequence[Service],
        *,
        limits: Limits | None = None,
        clock: Clock = pki.now_utc,
    ):
        """Check everything that can be checked before a port is opened.

        Raises NotAllowedError or NotFoundError for an identity that may not serve, TypeError
        for an RPC without a declaration.
        """
        now = clock()
        identity.require_unexpired(now)
        record = sites.require_valid(identity.principal, now)
        if record.address is None:
            raise NotAllowedError(f"{identity.uri}: a {identity.principal.role} serves nobody")
        self._identity = identity
        self._address = record.address
        self._health = health.aio.HealthServicer()
        limits = limits if limits is not None else Limits()
        declarations: dict[str, frozenset[Pair]] = dict(_built_in())
        for service in services:
            declarations.update(declared(service.servicer, service.descriptor))
        gate = Gatekeeper(Authenticator(sites, clock), declarations, limits)
        self._server = aio.server(
            interceptors=[gate],
            options=_options(limits),
            maximum_concurrent_rpcs=limits.calls,
        )
        for service in services:
            service.register(service.servicer, self._server)
        self._names = [service.descriptor.full_name for service in services]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(names, self._server)
        self._credentials = server_credentials(identity, sites)

    async def start(self) -> str:
        """Listen and serve; returns `host:port`. UnavailableError when the address is taken."""
        try:
            self._server.add_secure_port(self._address, self._credentials)
        except RuntimeError:
            raise UnavailableError(
                f"cannot listen on {self._address}; another process may, or the address is not "
                f"this machine's",
                reason="ADDRESS_IN_USE",
            ) from None
        await self._server.start()
        for name in self._names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return self._address

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Refuse new calls, give those under way `grace` seconds, then end them."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)

    async def run(self, *, ready_file: Path | None = None) -> None:
        """Serve until SIGTERM or SIGINT. Says `ready URI ADDRESS` on standard output.

        `ready_file` gets the address once the port is open, for whoever started the process.
        """
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        address = await self.start()
        sys.stdout.write(f"ready {self._identity.uri} {address}\n")
        sys.stdout.flush()
        if ready_file is not None:
            write_public(ready_file, f"{address}\n".encode())
        await ended.wait()
        await self.stop()


def _built_in() -> dict[str, frozenset[Pair]]:
    """Health and reflection, for every listed principal: they tell nothing of documents."""
    services = (
        health_pb2.DESCRIPTOR.services_by_name["Health"],
        reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
    )
    return {f"/{s.full_name}/{m.name}": EVERYONE for s in services for m in s.methods}


def _options(limits: Limits) -> list[tuple[str, int]]:
    return [
        # Two processes on one port would share its calls between them, unseen.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", limits.receive_bytes),
        ("grpc.max_send_message_length", limits.send_bytes),
        ("grpc.max_concurrent_streams", limits.streams_per_connection),
        # Finds out that a client is gone without a word, so that its upload ends.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ]
