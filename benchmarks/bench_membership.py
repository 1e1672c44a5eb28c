"""Membership arguments: bytes, and time to prove, to verify, and to verify in a batch.

Every row stands once without tables of the generators and once with them. A batch has too many
terms of its own for tables to pay, so the second row has no figure for it.

Run as `python benchmarks/bench_membership.py`; `measure` is what `make bench` collects. The rows
of a set's polynomial time what happens once per set: "prove" builds it from its roots, "verify"
reads it back from a cache with its check.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.report import Meter, Row, g1_multiplication_seconds, print_rows, tables_of
from proofs import equation, generators, group, membership, pedersen
from proofs.equation import Equation
from proofs.group import Point, Scalar
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

LABEL = b"crossproof/benchmark/v1"
TYPE = b"benchmark"
BATCH = 64


@dataclass(frozen=True, slots=True)
class Case:
    """One committed value beside a set, in it or not."""

    members: ScalarSet
    member: bool
    value: Scalar
    blinding: Scalar
    commitment: Point
    encoding: bytes

    @classmethod
    def random(cls, members: ScalarSet, some: Scalar, *, member: bool) -> Case:
        """`some` is a member of the set."""
        value, blinding = some if member else group.random_scalar(), group.random_scalar()
        commitment = pedersen.commit(value, blinding)
        return cls(members, member, value, blinding, commitment, group.encode_point(commitment))

    def prove(self) -> bytes:
        return membership.prove_membership(
            Transcript(LABEL),
            self.value,
            self.blinding,
            self.encoding,
            self.members,
            member=self.member,
        )

    def equations(self, proof: bytes) -> list[Equation]:
        return membership.verify_membership(
            Transcript(LABEL),
            self.commitment,
            self.encoding,
            self.members,
            proof,
            member=self.member,
        )


def _scalars(size: int) -> list[Scalar]:
    return [group.random_scalar() for _ in range(size)]


def measure_one(size: int, *, member: bool, repetitions: int, batches: int) -> list[Row]:
    """One proof about a random set, whose polynomial is there already; then with tables."""
    meter = Meter()
    scalars = _scalars(size)
    members = ScalarSet.from_scalars(scalars, TYPE)
    case = Case.random(members, scalars[size // 2], member=member)
    prove_ms, prove_t = meter.measure(case.prove, repetitions)
    proof = case.prove()
    verify_ms, verify_t = meter.measure(
        lambda: equation.check(case.equations(proof)), 2 * repetitions
    )
    cases = [Case.random(members, scalars[k % size], member=member) for k in range(4)]
    batch = [(each, each.prove()) for each in cases] * (BATCH // 4)
    batch_ms, batch_t = meter.measure(
        lambda: equation.check([e for each, prf in batch for e in each.equations(prf)]),
        batches,
        share=BATCH,
    )
    name = f"{'member' if member else 'not member'} of {size:,}"
    with tables_of(generators.membership_generators(members.polynomial.powers)):
        lookup_ms, lookup_t = meter.measure(case.prove, repetitions)
        check_ms, check_t = meter.measure(
            lambda: equation.check(case.equations(proof)), 2 * repetitions
        )
    length = len(proof)
    return [
        Row(name, length, prove_ms, prove_t, verify_ms, verify_t, batch_ms, batch_t),
        Row(f"{name} (tables)", length, lookup_ms, lookup_t, check_ms, check_t, None, None),
    ]


def measure_polynomial(size: int, *, repetitions: int) -> Row:
    """The polynomial of a random set: built from its roots, and read from a checked cache."""
    meter = Meter()
    scalars = _scalars(size)
    with tempfile.TemporaryDirectory() as directory:
        cache = Path(directory)

        def build() -> object:
            return ScalarSet.from_scalars(scalars, TYPE).polynomial

        def read() -> object:
            return ScalarSet.from_scalars(scalars, TYPE, cache=cache).polynomial

        build_ms, build_t = meter.measure(build, repetitions)
        read_ms, read_t = meter.measure(read, repetitions)
    name = f"polynomial of {size:,} (build; from cache)"
    return Row(name, None, build_ms, build_t, read_ms, read_t, None, None)


def measure(*, repetitions: int = 15, batches: int = 5) -> list[Row]:
    """The rows that `make bench` prints."""
    sizes = ((256, True), (4096, True), (16_384, False))
    return [
        *(
            row
            for size, member in sizes
            for row in measure_one(size, member=member, repetitions=repetitions, batches=batches)
        ),
        measure_polynomial(16_384, repetitions=2),
        measure_polynomial(65_536, repetitions=1),
    ]


def main() -> None:
    """Print the table."""
    unit = g1_multiplication_seconds() * 1e3
    print_rows(measure(), title=f"Sets (t = {unit:.3f} ms; batch of {BATCH})")


if __name__ == "__main__":
    main()
