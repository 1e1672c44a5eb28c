"""Bounds on streams, so that idle or slow ones never starve other calls.

Slots for uploads and for other streams are counted apart and refused at once when they are
taken (RESOURCE_EXHAUSTED), never queued; no caller may hold more than its share of them, and each
role has its own: SPVs that read bundles at a trickle keep no custodian from answering. A stream
on which nothing moves for a while is ended, and so is an upload that never ends.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from proofs.principal import Principal
from vault.errors import ExhaustedError

Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process allows, of streams each role. Seconds and bytes; the defaults suit one vault
    or holder."""

    uploads: int = 16
    uploads_per_caller: int = 8
    streams: int = 64
    streams_per_caller: int = 16
    idle_seconds: float = 30.0
    upload_seconds: float = 7200.0
    # A chunk is 1 MiB, and a page of requests at most 6: the largest messages, with room around.
    receive_bytes: int = 5 << 20
    send_bytes: int = 8 << 20
    calls: int = 1024
    streams_per_connection: int = 128


class Gate:
    """A number of slots, and each caller's share of them."""

    def __init__(self, what: str, *, slots: int, per_caller: int):
        self._what = what
        self._slots = slots
        self._per_caller = per_caller
        self._taken: Counter[str] = Counter()
        self._total = 0

    @contextmanager
    def enter(self, caller: str) -> Iterator[None]:
        """Hold a slot; ExhaustedError (TOO_MANY_STREAMS) when there is none left."""
        if self._total >= self._slots or self._taken[caller] >= self._per_caller:
            raise ExhaustedError(
                f"too many {self._what} at once; end one, or try again later",
                reason="TOO_MANY_STREAMS",
            )
        self._total += 1
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._total -= 1
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


class Gates:
    """A gate for each role of each side."""

    def __init__(self, what: str, *, slots: int, per_caller: int):
        self._what = what
        self._slots = slots
        self._per_caller = per_caller
        self._gates: dict[tuple[str, str], Gate] = {}

    def enter(self, caller: Principal) -> AbstractContextManager[None]:
        """As `Gate.enter`, of the caller's role."""
        role = caller.jurisdiction, caller.role
        if role not in self._gates:
            self._gates[role] = Gate(self._what, slots=self._slots, per_caller=self._per_caller)
        return self._gates[role].enter(caller.uri)


async def bounded(
    messages: AsyncIterator[Message], *, idle_seconds: float, total_seconds: float
) -> AsyncIterator[Message]:
    """The same messages; ExhaustedError (STREAM_STALLED) when they do not come in time.

    The end of the stream is no sign that it is whole: gRPC ends it in the same way when the
    client is gone. A method must know from what it read that nothing is missing.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + total_seconds
    source = aiter(messages)
    while True:
        try:
            async with asyncio.timeout_at(min(loop.time() + idle_seconds, end)):
                message = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ExhaustedError(
                "the upload stalled: nothing came for too long, or it never ended",
                reason="STREAM_STALLED",
            ) from None
        yield message


async def forward(
    messages: AsyncIterator[Message],
    write: Callable[[Message], Awaitable[None]],
    *,
    idle_seconds: float,
) -> None:
    """Write every message; ExhaustedError (STREAM_STALLED) when its reader takes none in time."""
    async for message in messages:
        try:
            async with asyncio.timeout(idle_seconds):
                await write(message)
        except TimeoutError:
            raise ExhaustedError(
                "the stream stalled: its reader took nothing for too long",
                reason="STREAM_STALLED",
            ) from None
