"""A channel without wires: a client's stub calls the service's own methods in this process.

What a service answers can be changed on its way (`tamper`), as a service that lies would. Refusals
arrive as they were raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from support.proof_world import World
from vault.app.choosing import Choosing
from vault.client.session import Session
from vault.identity import Identity
from vault.server.auth import _caller
from vault.server.documents import DocumentServicer
from vault.server.sets import SetServicer
from vault.server.tls import Caller


class Wire:
    """A `grpc.Channel` for one caller, as far as the generated stubs use one."""

    def __init__(self, servicers: Mapping[str, object], caller: Caller) -> None:
        self._servicers = servicers
        self._caller = caller
        self.tamper: Callable[[str, Any], Any] = lambda method, answer: answer
        """Given a method's name and one answer; what it gives back arrives."""

    def unary_unary(self, method: str, **_: object) -> Callable[[Any], Any]:
        """A call with one answer."""
        name, behavior = self._find(method)

        def call(request: Any) -> Any:
            _caller.set(self._caller)
            return self.tamper(name, asyncio.run(behavior(request, None)))

        return call

    def unary_stream(self, method: str, **_: object) -> Callable[[Any], Iterator[Any]]:
        """A call with any number of answers, all of which are there when it begins to answer."""
        name, behavior = self._find(method)

        async def all_of(request: Any) -> list[Any]:
            return [answer async for answer in behavior(request, None)]

        def call(request: Any) -> Iterator[Any]:
            _caller.set(self._caller)
            return iter([self.tamper(name, each) for each in asyncio.run(all_of(request))])

        return call

    def stream_unary(self, method: str, **_: object) -> Callable[[Any], Any]:
        """Nothing here uploads."""

        def call(requests: Any) -> Any:
            raise NotImplementedError(method)

        return call

    def _find(self, method: str) -> tuple[str, Any]:
        service, _, name = method.removeprefix("/").partition("/")
        return name, getattr(self._servicers.get(service), name, None)


def session_at(world: World, identity: Identity) -> tuple[Session, Wire]:
    """A session of one principal with the vault of `support.proof_world`, and its wire."""
    wire = Wire(
        {
            "vault.v1.ProofService": world.servicer(),
            "vault.v1.DocumentService": DocumentServicer(None, None, Choosing(world.desk)),  # type: ignore[arg-type]
            "vault.v1.SetService": SetServicer(world.sets, world.clock),
        },
        Caller(world.sites.vault.sites().principal(identity.principal)),
    )
    return Session(identity, identity.sites(), wire), wire  # type: ignore[arg-type]
