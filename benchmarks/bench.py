"""`make bench`: every figure of the proofs, and of sealing, storing and calling.

The table of figures to reach comes first, then every size: ranges, sets, bundles, portfolios. Each
time stands in milliseconds, as a ratio to one G1 multiplication t, and as a ratio to the group
operations that it cannot avoid. `--full` takes more time for each and adds the largest; `--profile`
takes every row apart, not only those with a target; `--json` writes all numbers and the machine
they are from; `--plot` draws cost against size; `--quick` runs everything once on a few small rows,
to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from rich.console import Console

from benchmarks import (
    bench_bundle,
    bench_content,
    bench_membership,
    bench_portfolio,
    bench_range,
    show,
    targets,
)
from benchmarks.report import (
    CLOSE,
    FULL,
    QUICK,
    USUAL,
    Budget,
    Row,
    g1_multiplication_seconds,
)
from benchmarks.targets import TARGETS
from proofs import cores

HURRY_AFTER = 15.0
"""Seconds after which every remaining figure is measured once."""
LINES = tuple(f"{bits} bits" for bits in bench_range.BITS)
_SECTIONS = ("ranges", "sets", "polynomials", "bundles", "portfolios")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repetitions, and the largest")
    parser.add_argument("--quick", action="store_true", help="a few rows, once")
    parser.add_argument("--profile", action="store_true", help="take every row apart")
    parser.add_argument("--json", metavar="FILE", help="all numbers, to a file or - (and no table)")
    parser.add_argument("--plot", metavar="FILE.png", type=Path, help="cost against size")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    unit_ms = g1_multiplication_seconds() * 1e3
    rows = _in_order(_measured(options))
    service = [] if options.quick else _service()
    took = time.perf_counter() - started
    if options.json:
        report = {
            "machine": machine(unit_ms),
            "targets": [asdict(each) for each in targets.compare(rows)],
            "rows": [asdict(row) for row in rows],
            "service": [asdict(line) for line in service],
            "seconds": took,
        }
        text = json.dumps(report, indent=1) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
        else:
            Path(options.json).write_text(text, encoding="utf-8")
    if options.json != "-":
        _print(rows, service, unit_ms, took)
    if options.plot is not None:
        from benchmarks import plot

        plot.draw(rows, unit_ms, options.plot)
    return 0


def machine(unit_ms: float) -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "g1_multiplication_ms": unit_ms,
        "core": cores.choose(os.environ).__name__.rpartition("core_")[2],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _measured(options: argparse.Namespace) -> Iterator[Row]:
    """All rows, those with a target first; progress goes to standard error where somebody looks."""
    console = Console(stderr=True)
    with console.status("measuring") as status:
        for row in _rows(options):
            status.update(f"measured {row.name}")
            yield row


class _Pace:
    """How much time the next figure may take: less and less when a run falls behind."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._started = time.perf_counter()

    @property
    def usual(self) -> Budget:
        return self._of(USUAL)

    @property
    def close(self) -> Budget:
        return self._of(CLOSE)

    def _of(self, budget: Budget) -> Budget:
        if self._options.full:
            return FULL
        late = time.perf_counter() - self._started > HURRY_AFTER
        return QUICK if late or self._options.quick else budget


def _rows(options: argparse.Namespace) -> Iterator[Row]:
    """What has a target comes first, while there is time to repeat it."""
    pace, profile = _Pace(options), options.profile
    if options.quick:
        yield from bench_range.measure_one(
            1, 8, budget=pace.usual, with_tables=True, profile=profile
        )
        yield from bench_range.measure_one(1, 64, budget=pace.close, profile=profile)
        for size in (16, 256):
            yield from bench_membership.measure_one(
                size, member=True, budget=pace.close, profile=profile
            )
        yield from bench_bundle.measure_one(1, budget=pace.usual, profile=profile)
        yield from bench_portfolio.measure(counts=(3,), budget=pace.usual, profile=profile)
        return
    aimed = {target.row for target in TARGETS}
    ranges = [(count, bits) for bits in bench_range.BITS for count in bench_range.COUNTS]
    sets = [(size, member) for size in bench_membership.SIZES for member in (True, False)]
    for with_target in (True, False):
        for size, member in sets:
            if (bench_membership.name_of(size, member=member) in aimed) is with_target:
                yield from bench_membership.measure_one(
                    size,
                    member=member,
                    budget=pace.close if with_target else pace.usual,
                    with_tables=with_target,
                    profile=with_target or profile,
                )
        if not with_target:  # the set of the last row is the largest
            yield bench_membership.measure_polynomial(max(bench_membership.SIZES), budget=QUICK)
            for count in bench_bundle.COUNTS:
                yield from bench_bundle.measure_one(count, budget=pace.usual, profile=True)
            largest = (bench_portfolio.LARGEST,) if options.full else ()
            counts = (*bench_portfolio.COUNTS, *largest)
            yield from bench_portfolio.measure(counts=counts, budget=pace.usual, profile=True)
        for count, bits in ranges:
            if (bench_range.name_of(count, bits) in aimed) is with_target:
                yield from bench_range.measure_one(
                    count,
                    bits,
                    budget=pace.close if with_target else pace.usual,
                    with_tables=with_target,
                    profile=with_target or profile,
                )


def _in_order(rows: Iterable[Row]) -> list[Row]:
    """By section, the lines of the plot one after the other, from small to large."""
    found = list(rows)
    lines = list(LINES) + sorted({row.line for row in found} - set(LINES))
    return sorted(
        found,
        key=lambda row: (
            _SECTIONS.index(row.section),
            lines.index(row.line),
            row.size,
            row.tables,
        ),
    )


def _service() -> list[bench_content.Line]:
    """What the vault does besides proving."""
    from benchmarks import bench_rpc, bench_seal

    with tempfile.TemporaryDirectory() as folder:
        return [
            *bench_content.measure(Path(folder)),
            *bench_seal.measure(),
            *bench_rpc.measure(),
        ]


def _print(
    rows: Sequence[Row], service: Sequence[bench_content.Line], unit_ms: float, took: float
) -> None:
    out = show.console()
    found = machine(unit_ms)
    out.print(
        f"t = {unit_ms:.3f} ms; {found['core']}, Python {found['python']}, "
        f"{found['system']}, {found['processors']} processors"
    )
    out.print(show.UNITS)
    out.print(show.targets_table(targets.compare(rows)))
    for section, group_of in groupby(rows, key=lambda row: row.section):
        out.print(show.rows_table(section, group_of))
    out.print(show.shares_table(rows))
    if service:
        bench_content.print_lines(list(service), title="Sealing, storing, calling")
    out.print(f"measured in {took:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
