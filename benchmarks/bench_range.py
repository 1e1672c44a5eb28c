"""Range arguments: bytes, and time to prove, to verify, and to verify in a batch.

A row with tables of the generators stands beside the one without where a target asks for it. A
batch has too many terms of its own for tables to pay, so such a row has no figure for it.

Run as `python -m benchmarks.bench_range`; `measure` is what `make bench` collects.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import show, unavoidable
from benchmarks.report import USUAL, Budget, Meter, Row, tables_of
from benchmarks.shares import shares
from proofs import equation, generators, group, pedersen, range_proof
from proofs.equation import Equation
from proofs.group import Scalar
from proofs.range_terms import Layout
from proofs.transcript import Transcript

LABEL = b"crossproof/benchmark/v1"
SECTION = "ranges"
BATCH = 64
COUNTS = (1, 2, 4, 8, 16, 64)
BITS = (8, 16, 32, 64)


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


def name_of(count: int, bits: int) -> str:
    """How a row is called, and how a target finds it."""
    return f"{count} {'range' if count == 1 else 'ranges'} of {bits} bits"


def measure_one(
    count: int,
    bits: int,
    *,
    budget: Budget,
    with_tables: bool = False,
    profile: bool = False,
) -> Iterator[Row]:
    """`count` values in one proof; then the same with tables, if asked for."""
    meter = Meter(budget)
    digits = bits // 4
    layout = Layout.of(count, digits)
    case = Case.random(count, digits)
    points = group.decode_statement_points(case.encodings)
    made: list[bytes] = []

    def prove() -> None:
        made[:] = [case.prove()]

    def verify() -> None:
        equation.check([case.equation(points, made[0])])

    def verify_batch() -> None:
        # One proof again and again, each time with another weight: different ones cost the same.
        equation.check([case.equation(points, made[0]) for _ in range(BATCH)])

    verifier = unavoidable.range_verifier(layout)
    name, line = name_of(count, bits), f"{bits} bits"

    def taken_apart() -> dict[str, dict[str, float]]:
        actions = {"prove": prove, "verify": verify, "batch": verify_batch}
        return {of: shares(action) for of, action in actions.items()} if profile else {}

    proving = meter.figure(prove, unavoidable.range_prover(layout).action())
    yield Row(
        SECTION,
        name,
        line,
        count,
        bytes=len(made[0]),
        prove=proving,
        verify=meter.figure(verify, verifier.action()),
        batch=meter.figure(verify_batch, verifier.merged(BATCH).action(), share=BATCH),
        batch_of=BATCH,
        shares=taken_apart(),
    )
    if with_tables:
        with tables_of(generators.range_generators(layout.norm_length)):
            yield Row(
                SECTION,
                name,
                line,
                count,
                bytes=len(made[0]),
                tables=True,
                prove=meter.figure(prove, unavoidable.range_prover(layout).action()),
                verify=meter.figure(verify, verifier.action()),
                shares={k: v for k, v in taken_apart().items() if k != "batch"},
            )


def measure(
    *, counts: tuple[int, ...] = COUNTS, bits: tuple[int, ...] = BITS, budget: Budget = USUAL
) -> Iterator[Row]:
    """Every count at every size."""
    for size in bits:
        for count in counts:
            yield from measure_one(count, size, budget=budget)


if __name__ == "__main__":
    show.print_rows(list(measure()))
