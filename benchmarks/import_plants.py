"""Import a real table: documents a second in batches and singly, and what survives SIGKILL.

Run as `python -m benchmarks.import_plants --table cn_power_plants.csv` (the mainland China rows of
WRI's Global Power Plant Database, 2,493 of them). The first part imports all rows in batches of 64
and some of them singly, each with the processor time of client, vault and holders, and with one G1
multiplication and one fsync timed in the same run. The second part imports the table again for
another custodian, kills the client and then client and vault together, goes on each time, and
compares what is in the vault with the table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.both_sides import GROUPS, BothSides, Clock, both_sides, fsync_seconds
from benchmarks.report import g1_multiplication_seconds
from vault.client import documents
from vault.client.session import at_vault

PLANTS = Path(__file__).parent / "plants"
SCHEMA = PLANTS / "power-plant.schema.json"
MAPPING = PLANTS / "power-plant.mapping.toml"
CUSTODIANS = ("batches", "singles", "killed")
GOAL = 100.0
"""Documents a second in batches that a prototype of this design reached."""


@dataclass(frozen=True, slots=True)
class Speed:
    """One import: how many documents in how many seconds, and whose processor time it took."""

    name: str
    documents: int
    refused: int
    seconds: float
    processor: dict[str, float]

    @property
    def per_second(self) -> float:
        """Documents a second, of the whole command: its start and reading the table included."""
        return self.documents / self.seconds


@dataclass(frozen=True, slots=True)
class Killed:
    """What was in the vault after an import that was killed twice and ended the third time."""

    kills: list[str]
    imported: int
    refused: int
    reasons: dict[str, int]
    rows: int
    lost: int
    twice: int


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print it; exit code 1 when a row was lost or stored twice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, required=True, help="the CSV file of power plants")
    parser.add_argument("--rows", type=int, default=0, help="only the first rows; 0 is all")
    parser.add_argument("--singles", type=int, default=300, help="rows that are imported singly")
    parser.add_argument("--disk", type=Path, help="a folder on the disk to be measured")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args(arguments)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    with both_sides(
        [("cn", "custodian", name) for name in CUSTODIANS], parent=options.disk
    ) as sides:
        unit, sync = g1_multiplication_seconds(), fsync_seconds(sides.folder)
        speeds = [
            import_speed(sides, options.table, "batches", batch=64, limit=options.rows),
            import_speed(sides, options.table, "singles", batch=1, limit=options.singles),
        ]
        stored = sides.bytes_on_disk()
        unit = (unit + g1_multiplication_seconds()) / 2
        sync = (sync + fsync_seconds(sides.folder)) / 2
        killed = import_killed(sides, options.table, limit=options.rows)
    count = sum(each.documents for each in speeds)
    per_document = {name: size / count for name, size in stored.items()}
    if options.json:
        found = {
            "g1_multiplication_ms": unit * 1e3,
            "fsync_ms": sync * 1e3,
            "imports": [{**asdict(each), "per_second": each.per_second} for each in speeds],
            "bytes_per_document": per_document,
            "killed": asdict(killed),
        }
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(speeds, unit, sync, per_document, killed)
    return 1 if killed.lost or killed.twice else 0


def import_speed(sides: BothSides, table: Path, custodian: str, *, batch: int, limit: int) -> Speed:
    """Run one import as a process of its own, to its end."""
    identity = _ready(sides, custodian)
    with Clock(sides) as clock:
        process = _start(sides, table, identity, batch=batch, limit=limit)
        out, _ = process.communicate()
    counts = _counts(out, process)
    return Speed(
        custodian, counts["imported"], counts["refused"], clock.seconds, dict(clock.processor)
    )


def import_killed(sides: BothSides, table: Path, *, limit: int) -> Killed:
    """Kill the client after a third of the rows, client and vault after two, and end it."""
    identity = _ready(sides, "killed")
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = [f"cn-plant-{row['id']}" for row in csv.DictReader(file)]
    rows = rows[:limit] if limit else rows
    kills = []
    for share, with_vault in ((1, False), (2, True)):
        process = _start(sides, table, identity, batch=64, limit=limit)
        while _noted(identity) < share * len(rows) // 3 and process.poll() is None:
            time.sleep(0.01)
        if with_vault:
            sides.vault.kill()
        process.kill()
        process.communicate()
        who = "client and vault" if with_vault else "client"
        kills.append(f"{who} at {_noted(identity):,} rows")
        if with_vault:
            sides.vault.start()
    process = _start(sides, table, identity, batch=64, limit=limit)
    out, _ = process.communicate()
    counts = _counts(out, process)
    refused = _refused(sides)
    with at_vault(identity, documents.SERVICE) as session:
        found = Counter(
            each.attestation.asset
            for each in documents.list_documents(session.channel, session.identity)
        )
    bad = {f"cn-plant-{row['id']}" for row in refused}
    return Killed(
        kills=kills,
        imported=sum(found.values()),
        refused=counts["refused"],
        reasons=dict(Counter(_kind(row["refused_reason"]) for row in refused)),
        rows=len(rows),
        lost=sum((Counter(asset for asset in rows if asset not in bad) - found).values()),
        twice=sum((found - Counter(rows)).values()),
    )


def _ready(sides: BothSides, custodian: str) -> Path:
    identity = sides.identity("cn", "custodian", custodian)
    with open(os.devnull, "w") as nowhere:
        code = subprocess.run(
            _crossvault("schema", "add", str(SCHEMA), "--as", str(identity)),
            stdout=nowhere,
            check=False,
        ).returncode
    if code:
        raise SystemExit("the schema was refused")
    return identity


def _start(
    sides: BothSides, table: Path, identity: Path, *, batch: int, limit: int
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        _crossvault(
            *("import", str(table.resolve()), "--schema", "power-plant"),
            *("--mapping", str(MAPPING), "--batch", str(batch), "--json"),
            *("--refused", str(sides.folder / "refused.csv"), "--as", str(identity)),
            *(("--limit", str(limit)) if limit else ()),
        ),
        stdout=subprocess.PIPE,
        stderr=None,
        text=True,
    )


def _crossvault(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vault", *arguments]


def _counts(out: str, process: subprocess.Popen[str]) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads(out)
    except ValueError:
        raise SystemExit(f"the import ended with {process.returncode} and no counts") from None
    return found


def _noted(identity: Path) -> int:
    """Rows that the import has noted as stored."""
    return sum(path.stat().st_size // 33 for path in identity.glob("imports/*.journal"))


def _refused(sides: BothSides) -> list[dict[str, str]]:
    path = sides.folder / "refused.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _kind(reason: str) -> str:
    """A reason without what was written in the cell."""
    before, quote, after = reason.partition("'")
    return f"{before}…{after.partition(quote)[2]}" if quote else reason


def _print(
    speeds: list[Speed], unit: float, sync: float, stored: dict[str, float], killed: Killed
) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=110)
    table = Table(title="Import of power plants, embedded store, 3 + 3 holders")
    table.add_column("rows")
    for heading in ("documents", "documents/s", "ms each"):
        table.add_column(heading, justify="right")
    for group in GROUPS:
        table.add_column(f"{group}, CPU ms each", justify="right")
    for each in speeds:
        table.add_row(
            "in batches of 64" if each.name == "batches" else "singly",
            f"{each.documents:,}",
            f"{each.per_second:.1f}",
            f"{1e3 * each.seconds / each.documents:.2f}",
            *(f"{1e3 * each.processor[group] / each.documents:.2f}" for group in GROUPS),
        )
    console.print(table)
    console.print(
        f"one G1 multiplication t = {unit * 1e3:.3f} ms, one fsync of 4 KiB = {sync * 1e3:.2f} ms, "
        f"{os.cpu_count()} processors"
    )
    batches = speeds[0]
    busy, count = sum(batches.processor.values()), os.cpu_count() or 1
    console.print(
        f"in batches a document takes {1e3 * busy / batches.documents:.1f} ms of processor time = "
        f"{busy / batches.documents / unit:.0f} t, so {count} processors allow "
        f"{count * batches.documents / busy:.0f} documents/s; ours had "
        f"{100 * busy / batches.seconds / count:.0f} % of them; "
        f"reached: {batches.per_second / GOAL:.2f} of {GOAL:.0f} documents/s"
    )
    console.print(
        "on disk a document takes "
        + ", ".join(f"{size / 1024:.1f} KiB at the {name}" for name, size in stored.items())
    )
    console.print(
        f"killed ({'; '.join(killed.kills)}) and resumed: {killed.rows:,} rows, "
        f"imported {killed.imported:,}, refused {killed.refused:,}, lost {killed.lost}, "
        f"twice {killed.twice}"
    )
    for reason, count in killed.reasons.items():
        console.print(f"  refused {count:,}: {reason}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
