"""The prover's digits of all values, and the first three commitments of the range argument.

M commits to how often each digit occurs, D to the digits, R to their reciprocals 1/(e + digit).
All three are sums over the same bases with factors that are small, or that depend on the digit
alone. So they are made by additions (`digit_sums`), except where the bases have tables: there a
digit is one lookup anyway. The points are the same either way.

SPEC.md, "Range argument".
"""

from __future__ import annotations

from collections.abc import Sequence

from proofs import group
from proofs.digit_sums import BASE, gather, multiply_small, weigh
from proofs.generators import (
    G,
    Generator,
    are_looked_up,
    multiply_fixed,
    multiply_mixed,
    norm_bases,
    range_generators,
)
from proofs.group import Point, Scalar
from proofs.range_terms import Layout

_SCALARS = [group.scalar(value) for value in range(BASE)]


class Digits:
    """The digits of every value, the least significant first, and how often each occurs."""

    __slots__ = ("_bases", "_gathered", "counts", "digits")

    def __init__(self, values: Sequence[int], layout: Layout) -> None:
        """The values are in range; the caller has checked."""
        self.digits = [value >> 4 * i & 15 for value in values for i in range(layout.digits)]
        self.counts = [self.digits.count(digit) for digit in range(BASE)]
        self._bases = norm_bases(layout.norm_length)
        self._gathered: list[Point] | None = None
        if not are_looked_up(range_generators(layout.norm_length)):
            points = [base.point for base in self._bases[: len(self.digits)]]
            self._gathered = gather(points, self.digits)

    @property
    def scalars(self) -> list[Scalar]:
        """The digits as field elements."""
        return [_SCALARS[digit] for digit in self.digits]

    @property
    def occurrences(self) -> list[Scalar]:
        """The counts as field elements, one for each digit."""
        return [group.scalar(count) for count in self.counts]

    def commit_occurrences(self, bases: Sequence[Generator], blindings: Sequence[Scalar]) -> Point:
        """The blindings over their bases, and the counts over the first 16 norm bases."""
        if self._gathered is None:
            return multiply_fixed([*bases, *self._bases[:BASE]], [*blindings, *self.occurrences])
        points = [base.point for base in self._bases[:BASE]]
        return multiply_fixed(bases, blindings) + multiply_small(points, self.counts)

    def commit_digits(self, bases: Sequence[Generator], blindings: Sequence[Scalar]) -> Point:
        """The blindings over their bases, and the digits over the norm bases."""
        if self._gathered is None:
            real = self._bases[: len(self.digits)]
            return multiply_fixed([*bases, *real], [*blindings, *self.scalars])
        return multiply_fixed(bases, blindings) + weigh(self._gathered)

    def commit_chosen(self, blinding: Scalar, choices: Sequence[Scalar]) -> Point:
        """The blinding over G, and over each norm base the choice for its digit."""
        if self._gathered is None:
            real = self._bases[: len(self.digits)]
            return multiply_fixed([G, *real], [blinding, *(choices[d] for d in self.digits)])
        present = [digit for digit, count in enumerate(self.counts) if count]
        points = [self._gathered[digit] for digit in present]
        return multiply_mixed([G], [blinding], points, [choices[digit] for digit in present])
