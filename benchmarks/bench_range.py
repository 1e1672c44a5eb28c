"""Range arguments: bytes, and time to prove, to verify, and to verify in a batch.

Run as `python benchmarks/bench_range.py`; `measure` is what `make bench` collects.
"""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.report import Meter, Row, g1_multiplication_seconds, print_rows
from proofs import equation, group, pedersen, range_proof
from proofs.equation import Equation
from proofs.group import Scalar
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


def measure_one(name: str, *, count: int, digits: int, repetitions: int, batches: int) -> Row:
    """`count` values of `digits` base-16 digits in one proof."""
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
    return Row(name, len(proof), prove_ms, prove_t, verify_ms, verify_t, batch_ms, batch_t)


def measure(*, repetitions: int = 15, batches: int = 5) -> list[Row]:
    """The two rows that `make bench` prints: one and eight 64-bit ranges."""
    return [
        measure_one(
            "one 64-bit range", count=1, digits=16, repetitions=repetitions, batches=batches
        ),
        measure_one(
            "eight 64-bit ranges in one proof",
            count=8,
            digits=16,
            repetitions=repetitions,
            batches=batches,
        ),
    ]


def main() -> None:
    """Print the table."""
    unit = g1_multiplication_seconds() * 1e3
    print_rows(measure(), title=f"Ranges (t = {unit:.3f} ms; batch of {BATCH})")


if __name__ == "__main__":
    main()
