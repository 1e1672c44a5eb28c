"""Clocks around named functions: what the steps of one act take, on the wall and of processors.

A step's time includes that of the steps inside it; whoever prints them subtracts. For a process
with one act at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Step = tuple[Any, str, str]
"""Owner (a module or class) and name of a function, and what its step is called."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the wall, and seconds of processors."""

    wall: float = 0.0
    processor: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.processor + other.processor)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.processor - other.processor)


class Clocks:
    """Sums by step. `processor` tells the seconds of processors that were used so far."""

    def __init__(self, processor: Callable[[], float] = time.process_time) -> None:
        self._processor = processor
        self._sums: dict[str, Spent] = {}

    def now(self) -> Spent:
        """Both clocks."""
        return Spent(time.perf_counter(), self._processor())

    @contextmanager
    def around(self, step: str) -> Iterator[None]:
        """Count what happens in a `with` block."""
        before = self.now()
        try:
            yield
        finally:
            self._sums[step] = self._sums.get(step, Spent()) + (self.now() - before)

    @contextmanager
    def on(self, steps: Sequence[Step]) -> Iterator[None]:
        """Count every call of these functions."""
        originals = [(owner, name, owner.__dict__[name]) for owner, name, _ in steps]
        for (owner, name, step), (_, _, original) in zip(steps, originals, strict=True):
            setattr(owner, name, self._counted(original, step))
        try:
            yield
        finally:
            for owner, name, original in originals:
                setattr(owner, name, original)

    def take(self) -> Mapping[str, Spent]:
        """The sums since the last time."""
        sums, self._sums = self._sums, {}
        return sums

    def _counted(self, function: Callable[..., Any], step: str) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            with self.around(step):
                return function(*arguments, **named)

        return counted
