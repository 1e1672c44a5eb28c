"""Verification as one multi-scalar multiplication.

An argument's verifier does no multiplication of points of its own: it returns an `Equation`, a
sum of multiples of generators and of points that must vanish once the cofactor is cleared.
`check` adds up any number of them, each times a fresh random weight, so that the generators'
terms merge and everything costs a single multiplication. It refuses, as a whole, if one of them
does not hold, and does not say which; the same weights and the same clearing are used for one
equation and for a thousand, so single and batched verdicts always agree.

SPEC.md, "Group and encodings".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proofs import group
from proofs.errors import ProofError
from proofs.generators import Generator, multiply_mixed
from proofs.group import Point, Scalar


@dataclass(frozen=True, slots=True)
class Equation:
    """fixed_scalars[i]·fixed[i] + scalars[i]·points[i], summed, is the identity after clearing.

    `fixed` are named generators, `points` come from the statement or the proof. A name may occur
    more than once.
    """

    fixed: tuple[Generator, ...]
    fixed_scalars: Sequence[Scalar]
    points: Sequence[Point]
    scalars: Sequence[Scalar]

    def __post_init__(self) -> None:
        # A multiplication that cut the longer list short would drop terms.
        if len(self.fixed) != len(self.fixed_scalars) or len(self.points) != len(self.scalars):
            raise ValueError("as many scalars as points")


def combine(equations: Iterable[Equation], *, weights: Iterable[Scalar]) -> Equation:
    """The sum of the equations, each times its weight, with the generators' terms merged.

    Weights must be unpredictable to whoever made the proofs: with known ones (all ones, say)
    the errors of two false equations can be made to cancel. ValueError if their number differs.
    """
    return _sum(zip(equations, weights, strict=True))


def fold(equations: Iterable[Equation]) -> Equation:
    """One equation that holds if all do, and else with probability 2^-128 at most.

    As they come, so that of many only the sum is kept: a generator's multiples become one. Every
    proof that an equation is of must be fixed before the first is drawn from the iterable; the
    first has weight one (see `check`), the others' are drawn here.
    """
    return _sum(
        (each, group.random_weight() if at else group.ONE) for at, each in enumerate(equations)
    )


def _sum(weighted: Iterable[tuple[Equation, Scalar]]) -> Equation:
    merged: dict[Generator, Scalar] = {}
    points: list[Point] = []
    scalars: list[Scalar] = []
    for equation, weight in weighted:
        for generator, coefficient in zip(equation.fixed, equation.fixed_scalars, strict=True):
            term = weight * coefficient
            before = merged.get(generator)
            merged[generator] = term if before is None else before + term
        points.extend(equation.points)
        scalars.extend([weight * coefficient for coefficient in equation.scalars])
    return Equation(tuple(merged), list(merged.values()), points, scalars)


def holds(equation: Equation) -> bool:
    """Whether the sum vanishes after clearing the cofactor."""
    total = multiply_mixed(
        equation.fixed, equation.fixed_scalars, equation.points, equation.scalars
    )
    return group.is_zero_after_clearing(total)


def check(equations: Sequence[Equation]) -> None:
    """Raise ProofError unless all equations hold (except with probability 2^-128).

    The weights are drawn here, after every proof is fixed; the first is one, for if any other
    equation fails, one value of its weight at most hides it, and if none does, one is no zero.
    ValueError for an empty list: nothing
    checked must not look like everything checked.
    """
    if not equations:
        raise ValueError("no equation to check")
    if not holds(equations[0] if len(equations) == 1 else fold(equations)):
        raise ProofError("the proof does not verify")
