"""Tables of a fixed point: a multiple of it becomes a sum of looked-up ones.

A scalar is read byte by byte. Every fourth byte has a row of the 256 multiples that it may stand
for; the bytes between use the same rows, and all tables of one sum share the three times eight
doublings that make up for it. So a product is at most 32 additions, a sixth of a multiplication,
and one for a digit. With a row for every byte a lone product would be a little cheaper, and a sum
of many dearer: the tables would no longer stay in the processor's cache.

A table takes 0.33 MB and 3 ms. This file builds and reads them, and leaves it to `generators` for
which points a process keeps one. Lookups are not constant in time, and nothing else in Python is.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Final

from proofs.group import IDENTITY, SCALAR_BYTES, Point, Scalar

STRIDE: Final = 4

Rows = list[list[Point]]
"""256 multiples each for bytes 0, 4, 8, … of a scalar, the least significant first."""


def build(point: Point) -> Rows:
    """All multiples of the point that `add_up` may look up."""
    rows, base = [], point
    for _ in range(SCALAR_BYTES // STRIDE):
        row = [IDENTITY]
        for _ in range(255):
            row.append(row[-1] + base)
        rows.append(row)
        for _ in range(8 * STRIDE):
            base = base + base
    return rows


def add_up(terms: Iterable[tuple[Rows, Scalar]], start: Point) -> Point:
    """`start` and the sum of every table's point times its scalar."""
    # Leading zero bytes, the most of a digit or of a small value, cost nothing.
    factors = [(rows, factor.to_le_bytes().rstrip(b"\0")) for rows, factor in terms]
    total = IDENTITY
    for place in reversed(range(STRIDE)):
        if total is not IDENTITY:
            for _ in range(8):
                total = total + total
        found = [
            map(list.__getitem__, rows, data[place::STRIDE])
            for rows, data in factors
            if len(data) > place
        ]
        total = sum(chain.from_iterable(found), total)
    return total + start
