"""Long work on a thread as a stream: what it reports, what it gives, and when its reader leaves."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from vault.errors import ConflictError
from vault.server.progress import Done, Report, reporting

MOMENT = 30.0


def test_reports_come_in_order_and_the_result_last() -> None:
    """All of them, also those of the last instant."""

    def work(report: Report) -> str:
        for done in range(4):
            report(done, 3)
        return "bundle"

    async def read() -> list[object]:
        return [item async for item in reporting(work)]

    assert asyncio.run(read()) == [*(Done(done, 3) for done in range(4)), "bundle"]


def test_what_the_work_raises_is_raised_after_its_reports() -> None:
    """As it is, so that the table of errors can answer it."""

    def work(report: Report) -> str:
        report(1, 2)
        raise ConflictError("the fact is false", reason="CANNOT_PROVE")

    async def read() -> object:
        items = reporting(work)
        first = await anext(items)
        with pytest.raises(ConflictError, match="false"):
            await anext(items)
        return first

    assert asyncio.run(read()) == Done(1, 2)


@pytest.mark.parametrize("fails", [False, True])
def test_work_whose_reader_left_goes_on_to_its_end(
    fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What it commits is there or not, never half; and its error is written nowhere."""
    leave, ended = threading.Event(), threading.Event()

    def work(report: Report) -> str:
        report(0, 1)
        assert leave.wait(MOMENT)
        ended.set()
        if fails:
            raise ConflictError("a reason about a value")
        return "bundle"

    async def read_one() -> None:
        items = reporting(work)
        assert await anext(items) == Done(0, 1)
        await items.aclose()
        leave.set()
        assert await asyncio.to_thread(ended.wait, MOMENT)
        await asyncio.sleep(0.05)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(read_one())
    assert ended.is_set()
    assert "about a value" not in caplog.text
