"""Portfolios: one sum over 10 to 9,000 documents, with their attestations or with a manifest.

What is timed is what a vault and a verifier do with a bundle: parsing, every signature and every
check included; signing attestations, grant and manifest is done before. Beside the verifier's
time stands what no design with these parts can do without: checking as many signatures, and
decoding as many commitments with the check of the subgroup. Documents are the tests' own.

Run as `python -m benchmarks.bench_portfolio`; `measure` is what `make bench` collects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from benchmarks import show, unavoidable
from benchmarks.report import QUICK, USUAL, Budget, Meter, Row, tables_of
from benchmarks.shares import shares
from benchmarks.unavoidable import Work
from proofs import pedersen
from proofs.facts import FactList
from proofs.list_statement import compile_list
from proofs.listing import Listing
from proofs.prove_list import ListedDocument, prove_selection
from proofs.range_terms import Layout

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.bundles import schema
from support.portfolio import Holding, Portfolio, holding, manifest_file

SECTION = "portfolios"
COUNTS = (10, 100, 1000)
LARGEST = 9000


@lru_cache(maxsize=1)
def documents(count: int) -> tuple[tuple[Holding, ListedDocument], ...]:
    """So many documents, attested and signed."""
    with tables_of(pedersen.BASES):
        held = [holding(number) for number in range(1, count + 1)]
    return tuple((each, ListedDocument(each.envelope, each.witness)) for each in held)


def measure_one(
    count: int, *, manifest: bool, of: int, budget: Budget, profile: bool = False
) -> Iterator[Row]:
    """A bundle about the first `count` of `of` documents, which are made once for all rows."""
    portfolio = portfolio_of(count, manifest=manifest, of=of)
    listed = [each for _, each in documents(of)[:count]]
    asked, context, grant = portfolio.request.data, portfolio.context, portfolio.grant
    made: list[bytes] = []

    def prove() -> None:
        made[:] = [
            prove_selection(
                request=asked,
                context=context,
                schema=schema(),
                documents=listed,
                grant_envelope=grant,
                sets={},
                manifest=portfolio.manifest,
            )
        ]

    def verify() -> None:
        portfolio.verify(made[0])

    meter = Meter(budget)
    prover, checks, verifier = unavoidable_of(portfolio)
    proving = meter.figure(prove, prover.action())
    yield Row(
        SECTION,
        f"{count:,} in a manifest" if manifest else f"{count:,} attestations",
        "manifest" if manifest else "attestations",
        count,
        bytes=len(made[0]),
        each=len(made[0]) / count,
        prove=proving,
        verify=meter.figure(verify, verifier.action()),
        checks=meter.figure(checks.action()),
        shares={"prove": shares(prove), "verify": shares(verify)} if profile else {},
    )


def measure(
    *, counts: tuple[int, ...] = COUNTS, budget: Budget = USUAL, profile: bool = False
) -> Iterator[Row]:
    """Every count, with attestations and with a manifest."""
    for manifest in (False, True):
        for count in counts:
            yield from measure_one(
                count, manifest=manifest, of=max(counts), budget=budget, profile=profile
            )


def portfolio_of(count: int, *, manifest: bool, of: int) -> Portfolio:
    """The first `count` of `of` documents, and a sum that is true of them."""
    held = tuple(each for each, _ in documents(of)[:count])
    facts = (f"sum(capacity) >= {30 * count} MW",)
    return Portfolio(held, facts=facts, manifest=manifest_file(held) if manifest else None)


def unavoidable_of(portfolio: Portfolio) -> tuple[Work, Work, Work]:
    """Of the prover; of checking signatures and decoding commitments; of the verifier."""
    listing = Listing.of([each.attestation for each in portfolio.documents], schema())
    facts = FactList.over_canonical(portfolio.request.facts, schema())
    (part,) = compile_list(facts, schema(), listing, {}).parts
    layout, count = Layout.of(len(part.ranges), part.digits), len(listing.rows)
    signed = count if portfolio.manifest is None else 1
    checks = Work(signatures=1 + signed, checked=count)  # one is the grant's
    summed = unavoidable.range_verifier(layout, commitments=1) + Work(added=count)
    return unavoidable.range_prover(layout), checks, checks + summed


if __name__ == "__main__":
    show.print_rows(list(measure(budget=QUICK)))
