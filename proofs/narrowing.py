"""What linear facts leave possible: intervals of attributes, and of the combinations themselves.

Interval arithmetic, round after round: each linear fact bounds each of its attributes when the
others are as free as they can be. What comes out holds every possible value and perhaps more: it
shows that facts leave too little, and never that they leave enough. Facts over the same
combination bound it from both sides, and that is counted exactly, so `a + b >= 10` with
`a + b <= 10` does not pass for two inequalities. Systems of different combinations (x + y with
x - y) can still leave less than is seen here.

SPEC.md, "What may be asked".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias

from proofs.linear import Key

ROUNDS = 16
"""Facts can narrow one another by one step at a time for ever; the rule is about 16 rounds."""

Interval: TypeAlias = tuple[int, int]

Vector: TypeAlias = tuple[tuple[Key, int], ...]
"""A combination of attributes: each with its coefficient."""


class Bound(Protocol):
    """The sum of coefficient · value, and `constant`, is at least 0: a `Form`, or one like it."""

    @property
    def coefficients(self) -> Vector:
        """Distinct attributes, no coefficient 0."""

    @property
    def constant(self) -> int:
        """What is added."""


def narrow(intervals: Mapping[Key, Interval], forms: Iterable[Bound]) -> dict[Key, Interval]:
    """The intervals after up to 16 rounds over the forms, in their order.

    An interval may come out empty (its ends reversed): then no values meet all of them.
    """
    found, each_form = dict(intervals), list(forms)
    for _ in range(ROUNDS):
        before = dict(found)
        for form in each_form:
            _apply(form, found)
        if found == before or any(lo > hi for lo, hi in found.values()):
            break
    return found


def _apply(form: Bound, found: dict[Key, Interval]) -> None:
    greatest = form.constant + sum(
        max(each * bound for bound in found[key]) for key, each in form.coefficients
    )
    for key, coefficient in form.coefficients:
        lo, hi = found[key]
        # The sum is not negative, so this summand is at least minus the most that the rest can be.
        # Narrowing takes values away only where the summand is small: `greatest` stays the same.
        rest = greatest - max(coefficient * lo, coefficient * hi)
        if coefficient > 0:
            found[key] = (max(lo, -(rest // coefficient)), hi)
        else:
            found[key] = (lo, min(hi, rest // -coefficient))


def combinations(
    intervals: Mapping[Key, Interval], forms: Iterable[Bound]
) -> dict[Vector, Interval]:
    """Each combination of several attributes that forms bound, with what they leave of it.

    A combination and its negative are one, with the first coefficient above 0.
    """
    found: dict[Vector, Interval] = {}
    for form in forms:
        if len(form.coefficients) < 2:
            continue
        ordered = sorted(form.coefficients, key=lambda item: (item[0][0], item[0][1].name))
        sign = 1 if ordered[0][1] > 0 else -1
        vector = tuple((key, sign * each) for key, each in ordered)
        lo, hi = found[vector] if vector in found else span(vector, intervals)
        if sign > 0:
            lo = max(lo, -form.constant)
        else:
            hi = min(hi, form.constant)
        found[vector] = (lo, hi)
    return found


def span(vector: Vector, intervals: Mapping[Key, Interval]) -> Interval:
    """The least and the greatest value of a combination in these intervals."""
    return (
        sum(min(each * bound for bound in intervals[key]) for key, each in vector),
        sum(max(each * bound for bound in intervals[key]) for key, each in vector),
    )
