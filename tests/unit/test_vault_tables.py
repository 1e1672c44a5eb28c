"""The vault builds tables beside its work, of what its bundles need, and stops when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from proofs import generators
from vault.server import wiring_vault

_WANTED = {*generators.range_generators(64), *generators.membership_generators(16)}


@pytest.fixture(autouse=True)
def _no_tables_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(wiring_vault, "TABLES_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(wiring_vault, "TABLE_PAUSE_SECONDS", 0.0)
    yield
    generators.forget_tables(_WANTED)


def test_every_generator_of_a_usual_bundle_gets_a_table() -> None:
    """Ranges of up to 64 digits and memberships of the largest set are looked up afterwards."""
    asyncio.run(wiring_vault.build_tables())
    assert [each.name for each in _WANTED if each.table is None] == []


def test_it_can_be_stopped_at_any_time() -> None:
    """Cancelled half-way, some generators have a whole table and the others none."""

    async def stop_early() -> None:
        task = asyncio.create_task(wiring_vault.build_tables())
        while generators.norm_bases(3)[2].table is None:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stop_early())
    sizes = {None if each.table is None else len(each.table) for each in _WANTED}
    assert sizes == {None, 8}
