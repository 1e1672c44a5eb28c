"""SetService: named sets over gRPC. It translates; `vault.app.sets` rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from grpc import aio

from proofs.named_set import FILE_LIMIT
from proofs.sets import MAX_SET_SIZE
from vault.app.sets import Sets
from vault.errors import InvalidInputError
from vault.ports import Clock
from vault.server.auth import current_caller
from vault.server.limits import Gate
from vault.server.roles import EVERYONE, serves
from vault.v1 import set_pb2, set_pb2_grpc

Context = aio.ServicerContext[Any, Any]


class SetServicer(set_pb2_grpc.SetServiceServicer):
    """The sets of one vault. They are public: every listed principal may read them."""

    def __init__(self, sets: Sets, clock: Clock) -> None:
        self._sets = sets
        self._clock = clock
        # A set that is being added is in memory as a whole.
        self._adding = Gate("additions of sets", slots=4, per_caller=1)

    @serves(("cn", "authority"), ("hk", "authority"))
    async def AddSet(
        self, request_iterator: AsyncIterator[set_pb2.AddSetRequest], context: Context
    ) -> set_pb2.AddSetResponse:
        """See the proto."""
        caller = current_caller().principal
        with self._adding.enter(caller.uri):
            envelope, members = await _collect(request_iterator)
            added = await asyncio.to_thread(
                lambda: self._sets.add(caller, envelope, members, now=self._clock())
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
                set_pb2.SetVersion(envelope=each.envelope, authority=each.authority)
                for each in found
            ]
        )

    @serves(*EVERYONE)
    async def GetSet(
        self, request: set_pb2.GetSetRequest, context: Context
    ) -> AsyncIterator[set_pb2.GetSetResponse]:
        """See the proto."""
        entry = await asyncio.to_thread(self._sets.export, request.name, request.digest)
        parts = self._sets.lines(entry)
        first = [] if request.header_only else await asyncio.to_thread(next, parts, [])
        yield set_pb2.GetSetResponse(
            envelope=entry.envelope, authority=entry.authority, members=first
        )
        while first and (members := await asyncio.to_thread(next, parts, None)) is not None:
            yield set_pb2.GetSetResponse(members=members)


async def _collect(messages: AsyncIterator[set_pb2.AddSetRequest]) -> tuple[bytes, list[str]]:
    """The envelope and all members, bounded while they come."""
    envelope, members, size = b"", list[str](), 0
    async for message in messages:
        if message.envelope and (envelope or members):
            raise InvalidInputError("a second envelope", field="envelope")
        envelope = envelope or message.envelope
        if not envelope:
            raise InvalidInputError("the envelope comes first", field="envelope")
        members += message.members
        size += message.ByteSize()
        if len(members) > MAX_SET_SIZE or size > FILE_LIMIT:
            raise InvalidInputError(
                f"a set has at most {MAX_SET_SIZE} members and {FILE_LIMIT} bytes", field="members"
            )
    return envelope, members
