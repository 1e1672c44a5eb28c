"""Rows, units and the table of the benchmarks.

Every figure is a median, in milliseconds and as a ratio to one multiplication in G1 timed between
the same repetitions: milliseconds depend on the machine and its neighbours, ratios far less. Both
are processor time: a neighbour that takes the processor in between does not count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from proofs import generators, group


@dataclass(frozen=True, slots=True)
class Row:
    """One line: medians in milliseconds, ratios to one G1 multiplication, bytes of a proof.

    `batch_*` is the share of one proof in a batch. None where a figure has no meaning.
    """

    name: str
    bytes: int | None
    prove_ms: float | None
    prove_t: float | None
    verify_ms: float | None
    verify_t: float | None
    batch_ms: float | None
    batch_t: float | None


@contextmanager
def tables_of(used: Iterable[generators.Generator]) -> Iterator[None]:
    """Tables of these generators for the time of one row; the rows around it have none."""
    kept = tuple(used)
    generators.use_tables(kept)
    try:
        yield
    finally:
        generators.forget_tables(kept)


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.process_time()
    action()
    return time.process_time() - start


def median_seconds(action: Callable[[], object], repetitions: int) -> float:
    """The median of so many calls, after one that does not count."""
    action()
    return statistics.median(seconds(action) for _ in range(repetitions))


class Meter:
    """Medians of actions, each repetition beside multiplications in G1 of its own.

    Timing the unit at the same moments makes the ratio robust against a machine whose speed
    changes while it measures.
    """

    def __init__(self) -> None:
        self._point = group.hash_to_point(b"crossproof/benchmark/v1", b"unit")
        self._scalars = [group.random_scalar() for _ in range(8)]

    def unit_seconds(self) -> float:
        """The median of eight multiplications of one point by one scalar."""
        times = []
        for factor in self._scalars:
            start = time.process_time()
            _ = self._point * factor
            times.append(time.process_time() - start)
        return statistics.median(times)

    def measure(
        self, action: Callable[[], object], repetitions: int, *, share: int = 1
    ) -> tuple[float, float]:
        """(milliseconds, ratio), medians, divided by `share` (the size of a batch)."""
        action()
        times, ratios = [], []
        for _ in range(repetitions):
            before = self.unit_seconds()
            spent = seconds(action) / share
            unit = (before + self.unit_seconds()) / 2
            times.append(spent)
            ratios.append(spent / unit)
        return statistics.median(times) * 1e3, statistics.median(ratios)


def g1_multiplication_seconds(repetitions: int = 200) -> float:
    """The unit of all ratios: the median time of one point times one scalar."""
    meter = Meter()
    return statistics.median(meter.unit_seconds() for _ in range(max(1, repetitions // 8)))


def table(rows: Iterable[Row], *, title: str) -> Table:
    """Rows as a table; t is one multiplication in G1."""
    result = Table(title=title)
    result.add_column("what")
    for heading in ("bytes", "prove", "verify", "verify, in a batch"):
        result.add_column(heading, justify="right")
    for row in rows:
        result.add_row(
            row.name,
            "–" if row.bytes is None else f"{row.bytes:,}",
            _cell(row.prove_ms, row.prove_t),
            _cell(row.verify_ms, row.verify_t),
            _cell(row.batch_ms, row.batch_t),
        )
    return result


def print_rows(rows: Iterable[Row], *, title: str) -> None:
    """Print the table to standard output."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)  # in a file or a log, whole lines
    console.print(table(rows, title=title))


def _cell(milliseconds: float | None, ratio: float | None) -> str:
    if milliseconds is None or ratio is None:
        return "–"
    return f"{milliseconds:.2f} ms = {ratio:.1f} t"
