"""Prove three facts about each of many real plants, verify all, flip every bit of one bundle.

Run as `python -m benchmarks.prove_plants --table PLANTS.csv --names NAMES.csv`: the power plants of
WRI's Global Power Plant Database, and the entities of the OFAC SDN list. Plants that have an owner
are imported into a vault; for each, an SPV hands in a request, the custodian grants it, and the
vault proves in one bundle that the capacity lies in a decade, that the fuel is one of a few, and
that the owner is none of the names, a signed set with every distinct one in it. All bundles are
verified with their requests. Of one bundle every single bit is flipped, and every result must be
refused.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.at_service import SET, import_table, sign_set, trust
from benchmarks.both_sides import GROUPS, BothSides, Clock, both_sides
from benchmarks.import_plants import MAPPING, SCHEMA
from benchmarks.report import g1_multiplication_seconds
from proofs.errors import CrossproofError
from proofs.facts import FactList
from proofs.ids import new_nonce
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import Request, RequestedDocument
from proofs.schema import Schema
from proofs.trust import Trust
from proofs.verify import verify_bundle
from vault.client import consent, pinned_schemas, requests, sets
from vault.client.session import Session, at_vault
from vault.pki import now_utc

PEOPLE = (
    ("cn", "custodian", "grid"),
    ("hk", "spv", "issuer"),
    ("hk", "authority", "lists"),
)
CLEAN = ("Geothermal", "Hydro", "Nuclear", "Solar", "Wind")


@dataclass(frozen=True, slots=True)
class Answer:
    """One request, its bundle, and how long each step took, in seconds."""

    asset: str
    request: bytes
    bundle: bytes
    submit: float
    consent: float
    prove: float
    fetch: float


@dataclass(frozen=True, slots=True)
class Flips:
    """Single-bit changes of one bundle: how many, and how many were refused for which reason."""

    bits: int
    refused: dict[str, int]
    accepted: int
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print it; exit code 1 when anything does not verify, or a flip does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, required=True, help="the CSV file of power plants")
    parser.add_argument("--names", type=Path, required=True, help="the CSV file of names")
    parser.add_argument("--column", default="name", help="the column of names")
    parser.add_argument("--count", type=int, default=200, help="plants")
    parser.add_argument("--flip-every", type=int, default=1, help="flip only every n-th bit")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args(arguments)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    with both_sides(PEOPLE) as sides:
        unit = g1_multiplication_seconds()
        rows = _store(sides, options.table, options.count)
        named, set_seconds = sign_set(sides, options.names, options.column)
        with Clock(sides) as clock:
            answers = list(_answers(sides, rows, named))
        schema = Request.parse(answers[0].request).documents[0].schema
        pinned = trust(sides, schemas=[schema], assets=["cn-plant-*"])
        unit = (unit + g1_multiplication_seconds()) / 2
    single = [_verify_seconds(each, pinned, named) for each in answers]
    middle = sorted(answers, key=lambda each: len(each.bundle))[len(answers) // 2]
    flips = flip(middle, pinned, named, every=options.flip_every)
    milliseconds = {
        "an SPV hands a request in": _median(each.submit for each in answers),
        "the custodian reads, checks and signs the grant": _median(
            each.consent for each in answers
        ),
        "the vault proves, verifies and records": _median(each.prove for each in answers),
        "the SPV fetches the bundle": _median(each.fetch for each in answers),
        "verify, processor time": _median(single),
    }
    processor = {name: clock.processor[name] / len(answers) * 1e3 for name in GROUPS}
    if options.json:
        found = {
            "bundles": len(answers),
            "bytes": [len(each.bundle) for each in answers],
            "ms": milliseconds,
            "processor_ms": processor,
            "g1_multiplication_ms": unit * 1e3,
            "set": {"members": named.header.count, "seconds": set_seconds},
            "flips": asdict(flips),
        }
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        set_text = f"@{SET} has {named.header.count:,} members, signed in {set_seconds:.1f} s"
        _print(
            answers,
            flips,
            milliseconds=milliseconds,
            processor=processor,
            unit=unit,
            set_text=set_text,
        )
    return 1 if flips.accepted else 0


def _median(seconds: Iterable[float]) -> float:
    return statistics.median(seconds) * 1e3


def _store(sides: BothSides, table: Path, count: int) -> list[dict[str, str]]:
    """Import the first plants that have an owner; their rows."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if row["owner"] and row["commissioned"].isdigit()][:count]
    subset = sides.folder / "plants.csv"
    with subset.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames or ())
        writer.writeheader()
        writer.writerows(rows)
    import_table(
        sides.identity("cn", "custodian", "grid"),
        subset,
        SCHEMA,
        "power-plant",
        *("--mapping", str(MAPPING)),
        refused=sides.folder / "refused.csv",
    )
    return rows


def _answers(sides: BothSides, rows: Sequence[dict[str, str]], named: NamedSet) -> Iterator[Answer]:
    with ExitStack() as stack:
        custodian, spv = (
            stack.enter_context(at_vault(sides.identity(*who), requests.SERVICE, sets.SERVICE))
            for who in PEOPLE[:2]
        )
        schemas = pinned_schemas.load_all(custodian.identity)
        (schema,) = schemas.values()
        for row in track(rows, description="proving", console=Console(stderr=True)):
            asset = f"cn-plant-{row['id']}"
            made = _request(asset, _facts(row, schema), schema, named)
            yield _answer(custodian, spv, schemas, asset, made)


def _facts(row: dict[str, str], schema: Schema) -> tuple[str, ...]:
    """Three facts that are true of a row, and hide which of its likes it is."""
    fuels = CLEAN if row["fuel"] in CLEAN else set(schema.attribute("fuel").members) - {*CLEAN}
    decade = Decimal(10) ** Decimal(row["capacity_mw"]).adjusted()
    listed = ", ".join(json.dumps(fuel) for fuel in sorted(fuels))
    facts = (
        f"capacity in {decade:f}..{10 * decade:f} MW",
        f"fuel in {{{listed}}}",
        f"owner not in @{SET}",
    )
    return tuple(FactList.parse(facts, schema).texts)


def _request(asset: str, facts: tuple[str, ...], schema: Schema, named: NamedSet) -> Request:
    now = now_utc().replace(microsecond=0)
    return Request.build(
        documents=[RequestedDocument("doc", asset, schema.digest)],
        facts=facts,
        sets=[named.reference],
        audience="Harbour Bridge Fund",
        purpose="due diligence",
        nonce=new_nonce(),
        created=now,
        expires=now + timedelta(days=1),
    )


def _answer(
    custodian: Session, spv: Session, schemas: dict[str, Schema], asset: str, made: Request
) -> Answer:
    moments = [time.perf_counter()]
    requests.submit(spv.channel, made.data)
    moments.append(time.perf_counter())
    offer = requests.get(custodian.channel, made.digest)
    if not offer.attestations:
        raise SystemExit(f"{asset}: the vault offers no document")
    prepared = consent.prepare(
        custodian.identity,
        custodian.sites,
        schemas,
        digest=made.digest,
        request=offer.view.request,
        asker=offer.view.asker,
        attestations=offer.attestations,
        sets=offer.sets,
        outlooks=offer.outlooks,
        now=now_utc(),
    )
    signed = consent.grant(custodian.identity, prepared, now=now_utc())
    moments.append(time.perf_counter())
    state, detail = requests.approve(custodian.channel, made.digest, signed, "benchmark")
    if state != "answered":
        raise SystemExit(f"{asset}: {state}: {detail}")
    moments.append(time.perf_counter())
    bundle = requests.fetch(spv.channel, made.digest)
    moments.append(time.perf_counter())
    steps = [after - before for before, after in pairwise(moments)]
    return Answer(asset, made.data, bundle, *steps)


def _verify_seconds(answer: Answer, pinned: Trust, named: NamedSet) -> float:
    """Verify one bundle; its processor time, the set read and its polynomial built before."""
    expectation = Expectation.for_request(answer.request)
    start = time.process_time()
    verified = verify_bundle(
        answer.bundle, trust=pinned, expectation=expectation, sets=[named], now=now_utc()
    )
    seconds = time.process_time() - start
    assets = [each.attestation.asset for each in verified.documents]
    if assets != [answer.asset]:
        raise SystemExit(f"{answer.asset}: verified something else")
    return seconds


def flip(answer: Answer, pinned: Trust, named: NamedSet, *, every: int) -> Flips:
    """Flip single bits of a bundle and verify each result, everything else as it was."""
    expectation = Expectation.for_request(answer.request)
    now, size = now_utc(), 8 * len(answer.bundle)
    changed = bytearray(answer.bundle)
    refused: Counter[str] = Counter()
    accepted = 0
    start = time.perf_counter()
    for bit in track(
        range(0, size, every), description="flipping bits", console=Console(stderr=True)
    ):
        changed[bit // 8] ^= 1 << bit % 8
        try:
            verify_bundle(
                bytes(changed), trust=pinned, expectation=expectation, sets=[named], now=now
            )
        except CrossproofError as error:
            refused[error.reason] += 1
        else:
            accepted += 1
        changed[bit // 8] ^= 1 << bit % 8
    return Flips(
        sum(refused.values()) + accepted,
        dict(refused.most_common()),
        accepted,
        time.perf_counter() - start,
    )


def _print(
    answers: Sequence[Answer],
    flips: Flips,
    *,
    milliseconds: dict[str, float],
    processor: dict[str, float],
    unit: float,
    set_text: str,
) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=100)
    table = Table(title=f"{len(answers)} bundles of three facts; medians; t = {unit * 1e3:.3f} ms")
    table.add_column("step")
    table.add_column("ms", justify="right")
    table.add_column("t", justify="right")
    for step, value in milliseconds.items():
        table.add_row(step, f"{value:.1f}", f"{value / unit / 1e3:.0f}")
    console.print(table)
    sizes = sorted(len(each.bundle) for each in answers)
    console.print(
        f"bytes of a bundle: {sizes[len(sizes) // 2]:,} (from {sizes[0]:,} to {sizes[-1]:,})"
    )
    console.print(f"all {len(answers)} verified with their requests; {set_text}")
    used = ", ".join(f"{name} {value:.1f} ms" for name, value in processor.items())
    console.print(f"processor time of a bundle: {used}")
    console.print(
        f"{flips.bits:,} single-bit flips of one bundle: {sum(flips.refused.values()):,} refused, "
        f"{flips.accepted} accepted, in {flips.seconds:.0f} s"
    )
    for reason, count in flips.refused.items():
        console.print(f"  {count:>7,}  {reason}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
