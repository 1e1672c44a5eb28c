"""Proofs about whole portfolios: all plants of a table, and up to nine thousand charging piles.

Run as `python -m benchmarks.portfolio --table PLANTS.csv --names NAMES.csv`: the power plants of
WRI's Global Power Plant Database, and the entities of the OFAC SDN list. All plants are imported
into a vault. Then `crossvault prove --select all` proves of all of them that they have so much
capacity together, over their attestations and over a manifest, and `each owner not in` the list of
those that have an owner, by one worker process of the vault and by two. Piles are made up, and
imported and proven about in steps, to see how cost grows; `--in-process` leaves the service out
for them, `--piles 0` leaves them out. Everything is verified offline.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from benchmarks import charging, portfolio_report
from benchmarks.at_service import SET, crossvault, import_table, sign_set, trust
from benchmarks.both_sides import BothSides, both_sides
from benchmarks.clocks import Clocks, Spent
from benchmarks.import_plants import MAPPING, SCHEMA
from benchmarks.list_maker import ListMaker
from benchmarks.list_proofs import ToVerify, prove_list, verify_at_once, verify_list
from benchmarks.portfolio_report import Each, Figures, Listed, median_of
from benchmarks.report import g1_multiplication_seconds
from benchmarks.timed_vault import WHOLE, TimedVault
from proofs.named_set import NamedSet
from proofs.schema import Schema
from proofs.trust import Trust

PEOPLE = (("cn", "custodian", "grid"), ("hk", "authority", "lists"))
PLANT = "power-plant"
SPV, PERIOD = "Harbour Renewables SPV 1 Limited", "2026-01-01..2026-06-30"
STEPS = (1_000, 2_500, 9_000)
WARM = 64
REPETITIONS = 3


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print it; exit code 1 when a figure is over what it may be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, required=True, help="the CSV file of power plants")
    parser.add_argument("--names", type=Path, required=True, help="the CSV file of names")
    parser.add_argument("--column", default="name", help="the column of names")
    parser.add_argument("--rows", type=int, default=0, help="only the first plants; 0 is all")
    parser.add_argument("--piles", type=int, default=STEPS[-1], help="at most; 0 leaves them out")
    parser.add_argument("--in-process", action="store_true", help="piles without the service")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args(arguments)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    load = os.getloadavg()[0]
    unit = g1_multiplication_seconds()
    with both_sides(PEOPLE, vault=TimedVault) as sides:
        run = _Run(sides, sides.identity("cn", "custodian", "grid"))
        plants = _import_plants(run, options.table, options.rows)
        plants_found = _plants(run, plants)
        each = _each(run, plants, *sign_set(sides, options.names, options.column))
        sizes = [size for size in STEPS if size < options.piles] + [options.piles]
        sizes = sizes if options.piles else []
        piles = [] if options.in_process else _piles(run, sizes)
    if options.in_process:
        piles = _piles_in_process(sizes)
    unit = (unit + g1_multiplication_seconds()) / 2
    figures = Figures(
        unit_ms=unit * 1e3,
        load=(load, os.getloadavg()[0]),
        plants=plants_found,
        piles=piles,
        each=each,
    )
    if options.json:
        print(json.dumps(asdict(figures), indent=1))
    else:
        portfolio_report.print_figures(figures)
    return 0 if portfolio_report.all_kept(figures) else 1


class _Run:
    """The service and its custodian."""

    def __init__(self, sides: BothSides, identity: Path) -> None:
        self.sides = sides
        self.identity = identity
        self.who = ("--as", str(identity))
        self._serial = 0

    def listed(
        self, name: str, fact: str, choice: Sequence[str], pinned: Trust, *, manifest: Spent | None
    ) -> Listed:
        """Prove one fact and verify it, several times; the medians."""
        proofs, verified = [], []
        count = 0
        for _ in range(REPETITIONS):
            proof = prove_list(self.sides, self.identity, [fact], *choice)
            verdict, steps = verify_list(proof.request, proof.bundle, pinned)
            if verdict.selection is None:
                raise SystemExit("verified something else")
            count = verdict.selection.count
            proofs.append(proof)
            verified.append(steps)
        return Listed(
            name=name,
            fact=fact,
            documents=count,
            bytes=len(proofs[0].bundle),
            client=median_of([each.client for each in proofs]),
            vault=median_of([each.vault for each in proofs]),
            verify=median_of(verified),
            sign=manifest,
        )

    def both(self, schema: str, fact: str, attribute: str, pinned: Trust) -> list[Listed]:
        """Over the attestations of all documents of a schema, and over a manifest of them."""
        everything = ("--schema", schema, "--select", "all")
        over_attestations = self.listed("attestations", fact, everything, pinned, manifest=None)
        self._serial += 1
        file = self.sides.folder / f"{schema}-{self._serial}.manifest.json"
        clocks = Clocks()
        with clocks.around(WHOLE):
            crossvault(
                *("manifest", "sign", "--spv", SPV, "--period", PERIOD, *everything),
                *("--attribute", attribute, "--yes", "-o", str(file), *self.who),
                log=self.sides.folder / "manifest.log",
            )
        signing = clocks.take()[WHOLE]
        choice = ("--manifest", str(file))
        return [
            over_attestations,
            self.listed("manifest", fact, choice, pinned, manifest=signing),
        ]


def _import_plants(run: _Run, table: Path, limit: int) -> list[dict[str, str]]:
    """Import the table; the rows that were stored."""
    refused = run.sides.folder / "refused.csv"
    options = ("--mapping", str(MAPPING), *(("--limit", str(limit)) if limit else ()))
    import_table(run.identity, table.resolve(), SCHEMA, PLANT, *options, refused=refused)
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = rows[:limit] if limit else rows
    bad = set()
    if refused.exists():
        with refused.open(encoding="utf-8", newline="") as file:
            bad = {row["id"] for row in csv.DictReader(file)}
    return [row for row in rows if row["id"] not in bad]


def _plants(run: _Run, rows: Sequence[Mapping[str, str]]) -> list[Listed]:
    pinned = trust(run.sides, schemas=[_digest(SCHEMA)], assets=["cn-plant-*"])
    _warm(run, [f"cn-plant-{row['id']}" for row in rows], "sum(capacity) >= 1 MW", PLANT)
    total = sum((Decimal(row["capacity_mw"]) for row in rows), Decimal(0))
    return run.both(PLANT, f"sum(capacity) >= {int(total * 9 / 10)} MW", "capacity", pinned)


def _piles(run: _Run, sizes: Sequence[int]) -> list[Listed]:
    """Import so many, measure, import more: a custodian's client goes through all that it has."""
    found: list[Listed] = []
    have: list[dict[str, str]] = []
    for size in sizes:
        more = charging.piles(len(have) + 1, size - len(have))
        table = run.sides.folder / f"piles-{size}.csv"
        charging.write_table(more, table)
        import_table(
            *(run.identity, table, charging.SCHEMA, charging.NAME),
            refused=run.sides.folder / "refused-piles.csv",
        )
        have += more
        pinned = trust(run.sides, schemas=[_digest(charging.SCHEMA)], assets=["cn-pile-*"])
        found += run.both(charging.NAME, charging.revenue_fact(have), "revenue", pinned)
    return found


def _piles_in_process(sizes: Sequence[int]) -> list[Listed]:
    """The proofs alone, without client, vault and its records."""
    maker = ListMaker(Schema.parse(Schema.from_author(charging.SCHEMA.read_bytes())))
    rows = charging.piles(1, max(sizes, default=0))
    made = maker.attest(rows)
    found = []
    for size in sizes:
        assets = {row["asset"] for row in rows[:size]}
        documents = [each for each in made if each.attestation.asset in assets]
        fact = charging.revenue_fact(rows[:size])
        for name, attributes in (("attestations", ()), ("manifest", ("revenue",))):
            case = maker.case(documents, [fact], manifest=attributes)
            clocks, bundle, verified = Clocks(), b"", []
            proven = []
            for _ in range(REPETITIONS):
                with clocks.around("prove"):
                    bundle = case.prove()
                proven.append(clocks.take())
                verified.append(verify_list(case.request, bundle, maker.trust("cn-pile-"))[1])
            found.append(
                Listed(
                    name, fact, size, len(bundle), {}, median_of(proven), median_of(verified), None
                )
            )
    return found


def _each(
    run: _Run, rows: Sequence[Mapping[str, str]], named: NamedSet, seconds: float
) -> list[Each]:
    """That no owner is on the list, by one worker process and by two."""
    fact = f"each owner not in @{SET} where present"
    pinned = trust(run.sides, schemas=[_digest(SCHEMA)], assets=["cn-plant-*"])
    owned = [f"cn-plant-{row['id']}" for row in rows if row["owner"]]
    found = []
    for workers in (1, 2):
        _set_workers(run.sides, workers)
        # Each worker gets ready at its first parts: four of them, or one might get them all.
        first = _warm(run, owned, fact, PLANT, count=4 * WARM)
        proof = prove_list(run.sides, run.identity, [fact], "--schema", PLANT, "--select", "all")
        verdict, steps = verify_list(proof.request, proof.bundle, pinned, [named])
        selection = verdict.selection
        if selection is None or selection.count - selection.left_out[0] != len(owned):
            raise SystemExit("verified something else")
        wall, used = verify_at_once(
            ToVerify(
                trust=pinned,
                set_file=run.sides.folder / f"{SET}.set",
                first=first,
                then=(proof.request, proof.bundle),
            ),
            workers,
        )
        found.append(
            Each(
                fact=fact,
                processes=workers,
                documents=selection.count,
                owned=len(owned),
                members=named.header.count,
                set_seconds=seconds,
                bytes=len(proof.bundle),
                vault=proof.vault,
                verify=steps,
                verified=workers * len(owned),
                verify_together=Spent(wall, used * workers),
            )
        )
    return found


def _warm(
    run: _Run, assets: Sequence[str], fact: str, schema: str, *, count: int = WARM
) -> tuple[bytes, bytes]:
    """A small proof: the vault's processes are there afterwards, with their tables."""
    file = run.sides.folder / "warm.txt"
    file.write_text("\n".join(assets[:count]) + "\n", encoding="utf-8")
    choice = ("--schema", schema, "--select", f"@{file}")
    proof = prove_list(run.sides, run.identity, [fact], *choice)
    return proof.request, proof.bundle


def _set_workers(sides: BothSides, count: int) -> None:
    """Start the vault again with so many processes to prove with."""
    sides.vault.stop()
    path = sides.cn.folder / "site.toml"
    text = path.read_text(encoding="utf-8")
    changed, times = re.subn(r"(?m)^(# )?workers = \d+$", f"workers = {count}", text)
    if times != 1:
        raise SystemExit("site.toml says nothing of workers")
    path.write_text(changed, encoding="utf-8")
    sides.vault.start()


def _digest(schema: Path) -> str:
    return Schema.parse(Schema.from_author(schema.read_bytes())).digest


if __name__ == "__main__":
    sys.exit(main())
