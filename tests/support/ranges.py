"""Range statements with their witness, and one-line provers and verdicts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from proofs import equation, group, range_proof
from proofs.errors import CrossproofError
from proofs.generators import G, H
from proofs.group import ORDER, Point, Scalar
from proofs.transcript import Transcript

START = b"crossproof/test/v1"


@dataclass(frozen=True, slots=True)
class Committed:
    """Values (any integers, taken modulo the order) behind fresh commitments."""

    values: tuple[int, ...]
    blindings: tuple[Scalar, ...]
    points: tuple[Point, ...]
    encodings: tuple[bytes, ...]
    digits: int

    def prove(self, transcript: Transcript | None = None) -> bytes:
        return range_proof.prove_ranges(
            transcript or Transcript(START),
            self.values,
            self.blindings,
            self.encodings,
            digits=self.digits,
        )

    def equation(
        self, proof: bytes, transcript: Transcript | None = None, *, digits: int | None = None
    ) -> equation.Equation:
        return range_proof.verify_ranges(
            transcript or Transcript(START),
            self.points,
            self.encodings,
            proof,
            digits=digits or self.digits,
        )

    def accepts(
        self, proof: bytes, transcript: Transcript | None = None, *, digits: int | None = None
    ) -> bool:
        """The verdict: every refusal has to be one of our own errors."""
        try:
            equation.check([self.equation(proof, transcript, digits=digits)])
        except CrossproofError:
            return False
        return True


def commit(values: Sequence[int], digits: int) -> Committed:
    blindings = [group.random_scalar() for _ in values]
    points = [
        G.point * group.scalar(v % ORDER) + H.point * r
        for v, r in zip(values, blindings, strict=True)
    ]
    return Committed(
        tuple(values),
        tuple(blindings),
        tuple(points),
        tuple(map(group.encode_point, points)),
        digits,
    )


def random_statement(count: int, digits: int) -> Committed:
    return commit([secrets.randbelow(16**digits) for _ in range(count)], digits)
