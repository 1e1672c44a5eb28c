"""Bases of the norm-linear argument: original ones with weights, folded as seldom as it pays.

Folding halves the bases with every round. Here they stay as they are, and every original base
keeps the product of challenges that folding would have put before it: by the low bits of its
index, for all blocks alike. Then a point of a round is one multi-scalar multiplication. Only where
the bases are many, the prover folds them after every three rounds: an eighth of them costs less in
the rounds that are left than folding took. The points are the same either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from proofs import group
from proofs.generators import Generator, multiply_fixed, multiply_mixed, norm_bases
from proofs.group import ONE, Point, Scalar

_B = TypeVar("_B")

# Measured: fewer bases are not worth folding, and larger or smaller blocks cost more.
FOLD_FROM: Final = 256
FOLD_AFTER_ROUNDS: Final = 3


class NormBases:
    """The prover's norm bases: G_0 … G_{count-1} at first."""

    __slots__ = ("_named", "_points", "_weights")

    def __init__(self, count: int) -> None:
        self._named: Sequence[Generator] = norm_bases(count)
        self._points: list[Point] = []
        self._weights = [ONE]

    def multiply(
        self, named: Sequence[Generator], named_scalars: Sequence[Scalar], entries: Sequence[Scalar]
    ) -> Point:
        """The named terms, and every entry times its folded base."""
        return self._sum(named, named_scalars, self._named, self._points, entries)

    def multiply_odd(
        self, named: Sequence[Generator], named_scalars: Sequence[Scalar], entries: Sequence[Scalar]
    ) -> Point:
        """The named terms, and every entry times the folded base of its odd place."""
        block = len(self._weights)
        odd_named, odd_points = odd_blocks(self._named, block), odd_blocks(self._points, block)
        return self._sum(named, named_scalars, odd_named, odd_points, entries)

    def next_round(self, for_even: Scalar, for_odd: Scalar) -> None:
        """What the challenge of a round puts before even and odd entries."""
        self._weights = extend(self._weights, for_even, for_odd)
        count = len(self._named) or len(self._points)
        if count >= FOLD_FROM and len(self._weights) == 1 << FOLD_AFTER_ROUNDS:
            points = self._points or [base.point for base in self._named]
            blocks = range(0, count, len(self._weights))
            self._points = [
                group.multiply(points[start : start + len(self._weights)], self._weights)
                for start in blocks
            ]
            self._named, self._weights = (), [ONE]

    def _sum(
        self,
        named: Sequence[Generator],
        named_scalars: Sequence[Scalar],
        bases: Sequence[Generator],
        points: Sequence[Point],
        entries: Sequence[Scalar],
    ) -> Point:
        scalars = spread(entries, self._weights)
        if points:
            return multiply_mixed(named, named_scalars, points, scalars)
        return multiply_fixed([*named, *bases], [*named_scalars, *scalars])


def extend(weights: list[Scalar], for_even: Scalar, for_odd: Scalar) -> list[Scalar]:
    """The weight of an original base by the low bits of its index, after one round more."""
    even = weights if for_even is ONE else [weight * for_even for weight in weights]
    return even + [weight * for_odd for weight in weights]


def spread(folded: Sequence[Scalar], weights: Sequence[Scalar]) -> list[Scalar]:
    """Multiples of original bases: entry i of the folded vector stands for one block of them."""
    return [entry * weight for entry in folded for weight in weights]


def odd_blocks(bases: Sequence[_B], block: int) -> list[_B]:
    """The original bases that stand behind the odd entries of the folded vector."""
    return [
        base
        for start in range(block, len(bases), 2 * block)
        for base in bases[start : start + block]
    ]
