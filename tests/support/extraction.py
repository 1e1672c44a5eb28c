"""Linear algebra over the scalar field, and the extractor of the norm-linear argument.

An extractor gets accepting transcripts that share their first messages and differ in a challenge,
and nothing else of the prover. It refuses challenges that repeat: they give no second equation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from proofs import group, norm_linear
from proofs.generators import G, linear_bases, norm_bases
from proofs.group import ORDER, Point, Scalar
from support.naive_range import combination
from support.transcripts import ProgrammedTranscript

Vector = list[int]


def solve(matrix: Sequence[Sequence[int]], rows: Sequence[Vector]) -> list[Vector]:
    """The X with matrix · X = rows, modulo the group order; ValueError for a singular matrix."""
    size = len(matrix)
    work = [[*map(int, left), *right] for left, right in zip(matrix, rows, strict=True)]
    for column in range(size):
        pivot = next((i for i in range(column, size) if work[i][column] % ORDER), None)
        if pivot is None:
            raise ValueError("the challenges repeat")
        work[column], work[pivot] = work[pivot], work[column]
        inverse = pow(work[column][column], -1, ORDER)
        work[column] = [entry * inverse % ORDER for entry in work[column]]
        for i in range(size):
            factor = work[i][column]
            if i != column and factor:
                work[i] = [
                    (a - factor * b) % ORDER for a, b in zip(work[i], work[column], strict=True)
                ]
    return [row[size:] for row in work]


def interpolate(xs: Sequence[int], values: Sequence[int]) -> Vector:
    """The coefficients, constant first, of the polynomial of degree below len(xs)."""
    matrix = [[pow(x, power, ORDER) for power in range(len(xs))] for x in xs]
    return [row[0] for row in solve(matrix, [[value] for value in values])]


@dataclass(frozen=True)
class Claim:
    """The public part of a norm-linear claim: constraint c, length of n, and rho."""

    constraint: Sequence[Scalar]
    norm_length: int
    rho: Scalar

    @property
    def rounds(self) -> int:
        return norm_linear.Shape.of(len(self.constraint), self.norm_length).rounds

    @property
    def bases(self) -> list[Point]:
        """G, the linear bases, the norm bases: what every vector below is over."""
        named = (G, *linear_bases()[: len(self.constraint)], *norm_bases(self.norm_length))
        return [base.point for base in named]

    def opens(self, point: Point, vector: Vector) -> bool:
        """Whether the point is the combination of the bases that the vector says."""
        return point == combination(self.bases, vector)


Rewound = Callable[[Sequence[int]], bytes]
"""A prover that is run again: from the challenges g of all rounds to its proof's bytes."""

THREE = (2, 3, 5)


def extract(claim: Claim, rewound: Rewound, gs: Sequence[int] = THREE) -> Vector:
    """What P opens to, from accepting proofs at three challenges in every round.

    Children of one node share X and R; P + gX + (g²-1)R is known at three g, so P, X and R are.
    """
    return _node(claim, cache(lambda path: rewound(path)), gs, ())


def _node(claim: Claim, rewound: Rewound, gs: Sequence[int], path: tuple[int, ...]) -> Vector:
    if len(path) == claim.rounds:
        return _leaf(claim, rewound(path), path)
    folded = [_node(claim, rewound, gs, (*path, g)) for g in gs]
    rest, cross, square = solve([[1, g, g * g] for g in gs], folded)
    depth = len(path)
    seen = {
        rewound((*path, g) + (gs[0],) * (claim.rounds - depth - 1))[96 * depth : 96 * depth + 96]
        for g in gs
    }
    (sent,) = seen  # one X and one R, sent before g
    assert claim.opens(group.decode_proof_point(sent[:48]), cross)
    assert claim.opens(group.decode_proof_point(sent[48:]), square)
    return [(a + b) % ORDER for a, b in zip(rest, square, strict=True)]


def _leaf(claim: Claim, proof: bytes, path: Sequence[int]) -> Vector:
    """After the last round the vectors are in clear: multiples of the original bases."""
    program = {b"g": [group.scalar(g) for g in path]}
    opening = norm_linear.verify(
        ProgrammedTranscript(b"extractor", program),
        proof,
        constraint=claim.constraint,
        norm_length=claim.norm_length,
        rho=claim.rho,
    )
    return [int(entry) for entry in (opening.value, *opening.linear, *opening.norm)]
