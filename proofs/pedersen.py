"""Pedersen commitments: V = value·G + blinding·H.

Perfectly hiding when the blinding is uniform and used once; binding as long as nobody knows the
logarithm of H to the base G. They add up: the sum of two commitments commits to the sum. This
file does not choose blindings and does not bound values; the caller does both.

A process that commits often calls `use_tables` once: a commitment then takes a quarter of the time.

SPEC.md, "Commitments".
"""

from __future__ import annotations

from collections.abc import Iterable

from proofs import generators
from proofs.generators import G, H, multiply_fixed
from proofs.group import Point, Scalar

BASES = (G, H)


def commit(value: Scalar, blinding: Scalar) -> Point:
    """value·G + blinding·H."""
    return multiply_fixed(BASES, (value, blinding))


def commit_many(pairs: Iterable[tuple[Scalar, Scalar]]) -> list[Point]:
    """One commitment for each (value, blinding)."""
    return [commit(value, blinding) for value, blinding in pairs]


def use_tables() -> None:
    """Keep tables of G and H for the rest of the process: 6 ms and 0.7 MB, once."""
    generators.use_tables(BASES)
