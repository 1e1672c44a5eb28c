"""Rows and figures of the benchmarks, and how one is measured.

Every figure is a median, in milliseconds, as a ratio to one multiplication in G1 timed between
the same repetitions, and as a ratio to the group operations that it cannot avoid, timed in the
same turns (`benchmarks.unavoidable`). Milliseconds depend on the machine and its neighbours, the
ratios far less. All of it is processor time: a neighbour that takes the processor in between does
not count. How often something is repeated follows from a budget of seconds, not from a count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from proofs import generators, group

Action = Callable[[], object]

OPERATIONS = ("prove", "verify", "batch", "checks")
REST = "rest"
CATEGORIES = ("multiply", "decode", "hash", "set", "sign", "read", "facts", REST)
"""Where time goes: multi-scalar multiplications and lookups; points from and to bytes; the
transcript; a set's polynomial; signatures; JSON and what it must hold; facts read, judged and
compiled; the rest."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One median: milliseconds, multiples of t, multiples of the unavoidable group operations."""

    ms: float
    t: float
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tables. None where a figure has no meaning.

    `line` and `size` place it in the plot: which line, and how far to the right. `batch` is the
    share of one proof in a batch of `batch_of`. `checks` is the part of signatures and of decoding
    the statement's points, by themselves. `each` are the bytes of one of many documents. `shares`
    say for each operation what part of its time goes where, for rows that were taken apart.
    """

    section: str
    name: str
    line: str
    size: int
    bytes: int | None = None
    tables: bool = False
    prove: Figure | None = None
    verify: Figure | None = None
    batch: Figure | None = None
    batch_of: int | None = None
    checks: Figure | None = None
    each: float | None = None
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, Figure | None]:
        """By operation."""
        return {
            "prove": self.prove,
            "verify": self.verify,
            "batch": self.batch,
            "checks": self.checks,
        }

    @property
    def label(self) -> str:
        """The name, and that tables are kept."""
        return f"{self.name}, tables" if self.tables else self.name


@dataclass(frozen=True, slots=True)
class Budget:
    """How much time one figure may take, and the least and most repetitions within it."""

    seconds: float
    least: int
    most: int = 40

    def repetitions(self, first: float) -> int:
        """How often to repeat what took so many seconds at first."""
        return max(self.least, min(self.most, int(self.seconds / max(first, 1e-6))))


QUICK = Budget(0.0, 1, 1)
USUAL = Budget(0.02, 1, 8)
CLOSE = Budget(0.1, 3, 20)
"""For the figures that are compared with a target."""
FULL = Budget(0.3, 5)


@contextmanager
def tables_of(used: Iterable[generators.Generator]) -> Iterator[None]:
    """Tables of these generators for the time of one row; the rows around it have none."""
    kept = tuple(used)
    generators.use_tables(kept)
    try:
        yield
    finally:
        generators.forget_tables(kept)


def seconds(action: Action) -> float:
    """How long one call takes."""
    start = time.process_time()
    action()
    return time.process_time() - start


class Meter:
    """Medians of actions, each repetition beside multiplications in G1 of its own.

    Timing the unit at the same moments makes the ratio robust against a machine whose speed
    changes while it measures.
    """

    def __init__(self, budget: Budget = USUAL) -> None:
        self.budget = budget
        self._point = group.hash_to_point(b"crossproof/benchmark/v1", b"unit")
        self._scalars = [group.random_scalar() for _ in range(6)]

    def unit_seconds(self) -> float:
        """The median of six multiplications of one point by one scalar."""
        times = []
        for factor in self._scalars:
            start = time.process_time()
            _ = self._point * factor
            times.append(time.process_time() - start)
        return statistics.median(times)

    def figure(self, action: Action, floor: Action | None = None, *, share: int = 1) -> Figure:
        """Time `action`, in turns with the operations it cannot avoid, and divide by `share`.

        `share` is the size of a batch; `floor` does the work of the whole batch. The first time
        does not count, unless it takes as long as there is for all of them.
        """
        samples = [self._sample(action, floor)]
        left = self.budget.repetitions(samples[0][0])
        if samples[0][0] < self.budget.seconds:
            samples.clear()
        while len(samples) < left:
            samples.append(self._sample(action, floor))
        return Figure(
            statistics.median(spent for spent, _, _ in samples) / share * 1e3,
            statistics.median(spent / unit for spent, unit, _ in samples) / share,
            None if floor is None else statistics.median(own / bare for own, _, bare in samples),
        )

    def _sample(self, action: Action, floor: Action | None) -> tuple[float, float, float]:
        """Seconds of the action, of the unit around it, and of its floor after it."""
        before = self.unit_seconds()
        spent = seconds(action)
        unit = (before + self.unit_seconds()) / 2
        return spent, unit, 0.0 if floor is None else seconds(floor)


def g1_multiplication_seconds(repetitions: int = 200) -> float:
    """The unit of all ratios: the median time of one point times one scalar."""
    meter = Meter()
    return statistics.median(meter.unit_seconds() for _ in range(max(1, repetitions // 8)))
