"""Range arguments: bytes, and time to prove, to verify, and to verify in a batch.

Every row stands once without tables of the generators and once with them. A batch has too many
terms of its own for tables to pay, so the second row has no figure for it.

Run as `python benchmarks/bench_range.py`; `measure` is what `make bench` collects.
"""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.report import Meter, Row, g1_multiplication_seconds, print_rows, tables_of
from proofs import equation, generators, group, pedersen, range_proof
from proofs.equation import Equation
from proofs.group import Scalar
from proofs.range_terms import Layout
from proofs.transcript import Transcript

LABEL = b"crossproof/benchmark/v1"
BATCH = 64


@dataclass(frozen=True, slots=True)
class Case:
    """One statement with its witness; the commitments are made beforehand."""

    values: list[int]
    blindings: list[Scalar]
    encodings: list[bytes]
    digits: int

    @classmethod
    def random(cls, count: int, digits: int) -> Case:
        values = [secrets.randbelow(16**digits) for _ in range(count)]
        blindings = [group.random_scalar() for _ in values]
        pairs = [(group.scalar(v), b) for v, b in zip(values, blindings, strict=True)]
        encodings = [group.encode_point(point) for point in pedersen.commit_many(pairs)]
        return cls(values, blindings, encodings, digits)

    def prove(self) -> bytes:
        return range_proof.prove_ranges(
            Transcript(LABEL), self.values, self.blindings, self.encodings, digits=self.digits
        )

    def equation(self, points: list[group.Point], proof: bytes) -> Equation:
        return range_proof.verify_ranges(
            Transcript(LABEL), points, self.encodings, proof, digits=self.digits
        )


def measure_one(name: str, *, count: int, digits: int, repetitions: int, batches: int) -> list[Row]:
    """`count` values of `digits` base-16 digits in one proof; then with tables."""
    meter = Meter()
    case = Case.random(count, digits)
    points = group.decode_statement_points(case.encodings)
    prove_ms, prove_t = meter.measure(case.prove, repetitions)
    proof = case.prove()
    verify_ms, verify_t = meter.measure(
        lambda: equation.check([case.equation(points, proof)]), 2 * repetitions
    )
    cases = [Case.random(count, digits) for _ in range(4)]
    batch = [
        (each, group.decode_statement_points(each.encodings), each.prove()) for each in cases
    ] * (BATCH // 4)
    batch_ms, batch_t = meter.measure(
        lambda: equation.check([each.equation(pts, prf) for each, pts, prf in batch]),
        batches,
        share=BATCH,
    )
    with tables_of(generators.range_generators(Layout.of(count, digits).norm_length)):
        lookup_ms, lookup_t = meter.measure(case.prove, repetitions)
        check_ms, check_t = meter.measure(
            lambda: equation.check([case.equation(points, proof)]), 2 * repetitions
        )
    length = len(proof)
    return [
        Row(name, length, prove_ms, prove_t, verify_ms, verify_t, batch_ms, batch_t),
        Row(f"{name} (tables)", length, lookup_ms, lookup_t, check_ms, check_t, None, None),
    ]


def measure(*, repetitions: int = 15, batches: int = 5) -> list[Row]:
    """The rows that `make bench` prints: one and eight 64-bit ranges, without tables and with."""
    cases = (("one 64-bit range", 1), ("eight 64-bit ranges in one proof", 8))
    return [
        row
        for name, count in cases
        for row in measure_one(
            name, count=count, digits=16, repetitions=repetitions, batches=batches
        )
    ]


def main() -> None:
    """Print the table."""
    unit = g1_multiplication_seconds() * 1e3
    print_rows(measure(), title=f"Ranges (t = {unit:.3f} ms; batch of {BATCH})")


if __name__ == "__main__":
    main()
