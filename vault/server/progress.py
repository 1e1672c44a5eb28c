"""Long work on a thread, and what it reports meanwhile, as one stream.

Work whose caller is gone goes on to its end: it is on record by then or not at all. Nothing of
its errors is written anywhere; they are the caller's to see.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")
Report = Callable[[int, int], None]
"""Called with how much is done, and of how much; from any thread."""


@dataclass(frozen=True, slots=True)
class Done:
    """So much is done, of so much."""

    done: int
    total: int


async def reporting(work: Callable[[Report], Result]) -> AsyncGenerator[Done | Result, None]:
    """What `work` reports as it runs on a thread, and last what it returns. Raises as it does."""
    loop = asyncio.get_running_loop()
    news: asyncio.Queue[Done | None] = asyncio.Queue()

    def report(done: int, total: int) -> None:
        loop.call_soon_threadsafe(news.put_nowait, Done(done, total))

    task = asyncio.create_task(asyncio.to_thread(work, report))
    task.add_done_callback(lambda ended: news.put_nowait(None))
    try:
        while (item := await news.get()) is not None:
            yield item
        yield await asyncio.shield(task)
    finally:
        if not task.done():
            task.add_done_callback(_forget)


def _forget(ended: asyncio.Task[Result]) -> None:
    # Looked at, or asyncio would log an error whose text may be about a value.
    if not ended.cancelled():
        ended.exception()
