"""Sums over many points whose factors are digits, or are chosen by digits, by additions alone.

A product by a digit does not need the hundreds of doublings of a product by a field element. So
the points are first added up by digit, one addition each; the sum of digit times point is then
two additions a digit, and a sum whose factors depend on nothing but the digit is one
multi-scalar multiplication over as many terms as there are digits, however many points there
were. It takes integers and gives points; which bases, and whether tables of them are cheaper
still, is for the caller to know. Nothing here is constant in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from proofs.group import IDENTITY, Point

BASE: Final = 16
_BITS = 4


def gather(points: Sequence[Point], digits: Sequence[int]) -> list[Point]:
    """For each of the 16 digits the sum of the points that have it; ValueError for other digits."""
    sums = [IDENTITY] * BASE
    for point, digit in zip(points, digits, strict=True):
        if not 0 <= digit < BASE:
            raise ValueError("a digit is 0 to 15")
        sums[digit] = sums[digit] + point
    return sums


def weigh(gathered: Sequence[Point]) -> Point:
    """The sum of digit times gathered[digit]."""
    running = total = IDENTITY
    for point in reversed(gathered[1:]):  # digit d is in d of the running sums
        running = running + point
        total = total + running
    return total


def multiply_small(points: Sequence[Point], factors: Sequence[int]) -> Point:
    """The sum of factors[i] times points[i]; ValueError if a factor is negative."""
    total, rest = IDENTITY, list(factors)
    places = []
    if any(factor < 0 for factor in rest):
        raise ValueError("a factor is not negative")
    while any(rest):
        places.append(weigh(gather(points, [factor % BASE for factor in rest])))
        rest = [factor // BASE for factor in rest]
    for place in reversed(places):
        for _ in range(_BITS):
            total = total + total
        total = total + place
    return total
