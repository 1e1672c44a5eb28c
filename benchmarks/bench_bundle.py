"""Whole bundles about one document: 1, 4 and 16 facts, from the request's parts to the verdict.

What is timed is what a vault and a verifier do, parsing, signatures and every check included; the
sets' polynomials are there already. The world is the tests' own: one custodian, one authority,
one document, two small sets.

Run as `python -m benchmarks.bench_bundle`; `measure` is what `make bench` collects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import show, unavoidable
from benchmarks.report import USUAL, Budget, Meter, Row
from benchmarks.shares import shares
from benchmarks.unavoidable import Work
from proofs.facts import FactList
from proofs.range_terms import Layout
from proofs.statement import LiteralSet, Statement, compile_facts
from proofs.verify import verify_bundle
from proofs.verify_many import verify_many

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support import bundles

SECTION = "bundles"
BATCH = 64
DISTINCT = 2
FACTS = (
    "capacity in 20..60 MW",
    "annual_yield >= 8.00%",
    "fuel in @fuels",
    "owner not in @sanctions",
    "commissioned >= 2019-01-01",
    "province = Guangdong",
    "capacity >= 10 MW",
    "capacity <= 90 MW",
    "capacity in 1..100 MW",
    "annual_yield <= 20.00%",
    "annual_yield in 5.00%..15.00%",
    "commissioned <= 2023-01-01",
    "commissioned in 2018-01-01..2024-01-01",
    "commissioned >= 2015-01-01",
    "fuel in {SOLAR, WIND}",
    "fuel in {SOLAR, WIND, HYDRO, COAL}",
)
COUNTS = (1, 4, 16)
MOST_IN_A_BATCH_TAKEN_APART = 4  # more take long, and show the same


def measure_one(count: int, *, budget: Budget, profile: bool = False) -> Iterator[Row]:
    """One bundle of the first `count` facts."""
    meter = Meter(budget)
    parts = bundles.parts(FACTS[:count])
    made = [parts.build() for _ in range(DISTINCT)]
    trust, sets = bundles.trust(), bundles.sets()
    expectation, now = parts.expectation(), bundles.NOW

    def verify() -> None:
        verify_bundle(made[0], trust=trust, expectation=expectation, sets=sets, now=now)

    def verify_batch() -> None:
        verify_many(
            made * (BATCH // DISTINCT), trust=trust, expectation=expectation, sets=sets, now=now
        )

    prover, verifier = unavoidable_of(FACTS[:count])
    actions = {"prove": parts.build, "verify": verify, "batch": verify_batch} if profile else {}
    if count > MOST_IN_A_BATCH_TAKEN_APART:
        actions.pop("batch", None)
    yield Row(
        SECTION,
        f"bundle of {count} {'fact' if count == 1 else 'facts'}",
        "facts",
        count,
        bytes=len(made[0]),
        prove=meter.figure(parts.build, prover.action()),
        verify=meter.figure(verify, verifier.merged().action()),
        batch=meter.figure(verify_batch, verifier.merged(BATCH).action(), share=BATCH),
        batch_of=BATCH,
        shares={of: shares(action) for of, action in actions.items()},
    )


def measure(*, counts: tuple[int, ...] = COUNTS, budget: Budget = USUAL) -> Iterator[Row]:
    """One, four and sixteen facts."""
    for count in counts:
        yield from measure_one(count, budget=budget)


def unavoidable_of(facts: tuple[str, ...]) -> tuple[Work, Work]:
    """Of the prover; of the verifier, not yet merged: signatures of attestation, grant and sets."""
    parsed = FactList.parse(facts, bundles.schema())
    named = {each.name: each for each in bundles.sets() if each.name in parsed.set_names}
    digests = {name: each.header.digest for name, each in named.items()}
    statement = compile_facts(parsed, bundles.schema(), digests)
    provers, verifiers = arguments(
        statement, {name: each.header.count for name, each in named.items()}
    )
    signed = Work(signatures=2 + len(named), checked=len(statement.attributes))
    return unavoidable.total(provers), unavoidable.total([signed, *verifiers])


def arguments(statement: Statement, sizes: dict[str, int]) -> tuple[list[Work], list[Work]]:
    """The work of a statement's arguments for prover and verifier; `sizes` of the named sets."""
    provers = [unavoidable.opening_prover() for _ in statement.openings]
    verifiers = [unavoidable.opening_verifier() for _ in statement.openings]
    if statement.ranges:
        layout = Layout.of(len(statement.ranges), statement.digits)
        attested = {slot for term in statement.ranges for slot, _ in term.coefficients}
        provers.append(unavoidable.range_prover(layout))
        verifiers.append(unavoidable.range_verifier(layout, commitments=len(attested)))
    for each in statement.memberships:
        literal = isinstance(each.set, LiteralSet)
        size = len(each.set.values) if literal else sizes[each.set.name]
        provers.append(unavoidable.membership_prover(size, member=each.member))
        verifiers.append(unavoidable.membership_verifier(size, member=each.member))
    return provers, verifiers


if __name__ == "__main__":
    show.print_rows(list(measure()))
