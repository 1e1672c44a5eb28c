"""Membership arguments: bytes, and time to prove, to verify, and to verify in a batch.

A row with tables of the generators stands beside the one without where a target asks for it. A
batch has too many terms of its own for tables to pay, so such a row has no figure for it.

Run as `python -m benchmarks.bench_membership`; `measure` is what `make bench` collects. The rows
of a set's polynomial time what happens once per set: "prove" builds it from its roots, "verify"
reads it back from a cache with its check.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from benchmarks import show, unavoidable
from benchmarks.report import QUICK, USUAL, Budget, Figure, Meter, Row, tables_of
from benchmarks.shares import shares
from proofs import equation, generators, group, membership, pedersen
from proofs.equation import Equation
from proofs.group import Point, Scalar
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

LABEL = b"crossproof/benchmark/v1"
SECTION = "sets"
TYPE = b"benchmark"
BATCH = 64
SIZES = (16, 64, 256, 1024, 4096, 16_384, 65_536)


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


def name_of(size: int, *, member: bool) -> str:
    """How a row is called, and how a target finds it."""
    return f"{'member' if member else 'not member'} of {size:,}"


@dataclass(frozen=True, slots=True)
class RandomSet:
    """A random set with its polynomial, the time that it took to build, and where it is cached."""

    members: ScalarSet
    scalars: list[Scalar]
    build: Figure
    folder: tempfile.TemporaryDirectory[str]


@lru_cache(maxsize=1)
def random_set(size: int) -> RandomSet:
    """Made once for the rows about it, which follow one another."""
    scalars = [group.random_scalar() for _ in range(size)]
    folder = tempfile.TemporaryDirectory(prefix="crossproof-bench-")
    made: list[ScalarSet] = []

    def build() -> None:
        made[:] = [ScalarSet.from_scalars(scalars, TYPE, cache=Path(folder.name))]
        assert made[0].polynomial is not None

    figure = Meter(QUICK).figure(build)
    return RandomSet(made[0], scalars, figure, folder)


def measure_one(
    size: int,
    *,
    member: bool,
    budget: Budget,
    with_tables: bool = False,
    profile: bool = False,
) -> Iterator[Row]:
    """One proof about a random set, whose polynomial is there; then with tables, if asked for."""
    meter = Meter(budget)
    found = random_set(size)
    case = Case.random(found.members, found.scalars[size // 2], member=member)
    made = [case.prove()]  # the first time prepares what the polynomial keeps

    def prove() -> None:
        made[:] = [case.prove()]

    def verify() -> None:
        equation.check(case.equations(made[0]))

    def verify_batch() -> None:
        # One proof again and again, each time with other weights: different ones cost the same.
        equation.check([each for _ in range(BATCH) for each in case.equations(made[0])])

    prover = unavoidable.membership_prover(size, member=member)
    verifier = unavoidable.membership_verifier(size, member=member)
    name, line = name_of(size, member=member), "member" if member else "not member"

    def taken_apart() -> dict[str, dict[str, float]]:
        actions = {"prove": prove, "verify": verify, "batch": verify_batch}
        return {of: shares(action) for of, action in actions.items()} if profile else {}

    proving = meter.figure(prove, prover.action())
    yield Row(
        SECTION,
        name,
        line,
        size,
        bytes=len(made[0]),
        prove=proving,
        verify=meter.figure(verify, verifier.action()),
        batch=meter.figure(verify_batch, verifier.merged(BATCH).action(), share=BATCH),
        batch_of=BATCH,
        shares=taken_apart(),
    )
    if with_tables:
        with tables_of(generators.membership_generators(found.members.polynomial.powers)):
            yield Row(
                SECTION,
                name,
                line,
                size,
                bytes=len(made[0]),
                tables=True,
                prove=meter.figure(prove, prover.action()),
                verify=meter.figure(verify, verifier.action()),
                shares={k: v for k, v in taken_apart().items() if k != "batch"},
            )


def measure_polynomial(size: int, *, budget: Budget) -> Row:
    """The polynomial of a random set: built from its roots, and read from a checked cache."""
    found = random_set(size)

    def read() -> object:
        cache = Path(found.folder.name)
        return ScalarSet.from_scalars(found.scalars, TYPE, cache=cache).polynomial

    return Row(
        "polynomials",
        f"polynomial of {size:,}",
        "polynomial",
        size,
        prove=found.build,
        verify=Meter(budget).figure(read),
    )


def measure(*, sizes: tuple[int, ...] = SIZES, budget: Budget = USUAL) -> Iterator[Row]:
    """Every size, in the set and not in it."""
    for size in sizes:
        for member in (True, False):
            yield from measure_one(size, member=member, budget=budget)


if __name__ == "__main__":
    show.print_rows(list(measure()))
