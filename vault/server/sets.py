"""SetService: named sets over gRPC. It translates; `vault.app.sets` rules."""

from __future__ import annotations

import asyncio
from typing import Any

from grpc import aio

from vault.app.sets import Sets
from vault.ports import Clock
from vault.server.auth import current_caller
from vault.server.roles import EVERYONE, serves
from vault.v1 import set_pb2, set_pb2_grpc

Context = aio.ServicerContext[Any, Any]


class SetServicer(set_pb2_grpc.SetServiceServicer):
    """The sets of one vault. They are public: every listed principal may read them."""

    def __init__(self, sets: Sets, clock: Clock) -> None:
        self._sets = sets
        self._clock = clock

    @serves(("cn", "authority"), ("hk", "authority"))
    async def AddSet(
        self, request: set_pb2.AddSetRequest, context: Context
    ) -> set_pb2.AddSetResponse:
        """See the proto."""
        caller = current_caller().principal
        added = await asyncio.to_thread(
            lambda: self._sets.add(
                caller, request.envelope, list(request.members), now=self._clock()
            )
        )
        return set_pb2.AddSetResponse(digest=added.header.digest)

    @serves(*EVERYONE)
    async def ListSets(
        self, request: set_pb2.ListSetsRequest, context: Context
    ) -> set_pb2.ListSetsResponse:
        """See the proto."""
        found = await asyncio.to_thread(self._sets.newest)
        return set_pb2.ListSetsResponse(
            sets=[
                set_pb2.SetVersion(envelope=envelope, authority=stored.authority)
                for stored, envelope in found
            ]
        )

    @serves(*EVERYONE)
    async def GetSet(
        self, request: set_pb2.GetSetRequest, context: Context
    ) -> set_pb2.GetSetResponse:
        """See the proto."""
        stored = await asyncio.to_thread(self._sets.export, request.name, request.digest)
        envelope, _, members = stored.exported.partition(b"\n")
        return set_pb2.GetSetResponse(
            envelope=envelope,
            authority=stored.authority,
            members=members.decode().split("\n")[:-1],
        )
