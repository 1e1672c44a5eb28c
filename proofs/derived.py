"""Derived commitments of range terms: V* = Σ cᵢVᵢ + k·G, which nobody computes or encodes.

Range and linear facts are ranges on combinations of attested commitments. The prover adds up
values and blindings; the transcript takes all that determines V*; and the verifier rewrites the
range argument's equation over the attested points. It decides nothing.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from proofs import canonical, group, labels
from proofs.equation import Equation
from proofs.generators import G
from proofs.group import IDENTITY, ZERO, Point, Scalar
from proofs.labels import frame
from proofs.range_terms import HEAD_POINTS
from proofs.statement import Ranged, RangeTerm, SumTerm
from proofs.witness import scalar_integer

_K = TypeVar("_K")

Opened: TypeAlias = Callable[[int], tuple[Scalar, Scalar]]
"""Value and blinding of the commitment in a slot."""


def derived_opening(term: Ranged, opened: Opened) -> tuple[int, Scalar]:
    """Value, over the integers, and blinding of V*."""
    value, blinding = term.constant, ZERO
    for slot, coefficient in term.coefficients:
        scalar, part = opened(slot)
        value += coefficient * scalar_integer(scalar)
        blinding += part * group.signed_scalar(coefficient)
    return value, blinding


def derived_encodings(terms: Sequence[Ranged], commitments: Mapping[int, bytes]) -> list[bytes]:
    """What the range argument absorbs for each V*: all that determines it.

    V, sign and bound for V* = sign·(V - bound·G); the constant, and each V with its coefficient,
    for a sum of multiples; for sums over a selection a digest stands for the commitments of each.
    """
    summands: dict[tuple[int, ...], bytes] = {}
    return [_encoding(term, commitments, summands) for term in terms]


def _encoding(
    term: Ranged, commitments: Mapping[int, bytes], summands: dict[tuple[int, ...], bytes]
) -> bytes:
    """`summands` keeps the digests of sums, each of which many terms may be about."""
    if isinstance(term, RangeTerm):
        return frame(commitments[term.attribute], str(term.sign).encode(), str(term.bound).encode())
    if isinstance(term, SumTerm):
        for _, slots in term.sums:
            if slots not in summands:
                found = [commitments[slot] for slot in slots]
                summands[slots] = canonical.sha256_label(labels.SUMMANDS, *found)
        sums = [
            frame(summands[slots], str(coefficient).encode()) for coefficient, slots in term.sums
        ]
        return frame(b"sum", str(term.constant).encode(), *sums)
    pairs = [
        frame(commitments[slot], str(coefficient).encode())
        for slot, coefficient in term.coefficients
    ]
    return frame(b"linear", str(term.constant).encode(), *pairs)


def placeholder(term: Ranged, points: Mapping[int, Point]) -> Point:
    """Any point in the place of V*, until `over_attested` takes it out again."""
    slot, _ = next(iter(term.coefficients))
    return points[slot]


def over_attested(
    equation: Equation, terms: Sequence[Ranged], points: Mapping[int, Point]
) -> Equation:
    """The range equation over the attested V, made from the one with a point for each V*.

    A coefficient a of V* is a·cᵢ of Vᵢ and a·k of G: no point is multiplied for it, and an
    attested V that several terms are about stands once. The summands of a sum over a selection
    are added up first, for an addition costs less than a hundredth of a multiplication.
    """
    fixed = list(equation.fixed_scalars)
    base = equation.fixed.index(G)
    attested: dict[int, Scalar] = {}
    summed: dict[tuple[int, ...], Scalar] = {}
    end = HEAD_POINTS + len(terms)
    for term, weight in zip(terms, equation.scalars[HEAD_POINTS:end], strict=True):
        fixed[base] += weight * group.signed_scalar(term.constant)
        if isinstance(term, SumTerm):
            for coefficient, slots in term.sums:
                _add(summed, slots, weight * group.signed_scalar(coefficient))
        else:
            for slot, coefficient in term.coefficients:
                _add(attested, slot, weight * group.signed_scalar(coefficient))
    sums = [sum([points[slot] for slot in slots], IDENTITY) for slots in summed]
    return Equation(
        equation.fixed,
        fixed,
        [
            *equation.points[:HEAD_POINTS],
            *(points[slot] for slot in attested),
            *sums,
            *equation.points[end:],
        ],
        [
            *equation.scalars[:HEAD_POINTS],
            *attested.values(),
            *summed.values(),
            *equation.scalars[end:],
        ],
    )


def _add(found: dict[_K, Scalar], key: _K, value: Scalar) -> None:
    found[key] = found[key] + value if key in found else value
