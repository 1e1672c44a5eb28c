"""`make bench`: every figure of the proofs, and of sealing, storing and calling.

Ratios are to one G1 multiplication, t, timed between the repetitions of the same row, or to the
bare operation named in the row. `--full` takes more repetitions and adds the largest set; `--json`
prints the rows for tracking.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import bench_content, bench_membership, bench_range, bench_rpc, bench_seal
from benchmarks.report import g1_multiplication_seconds, print_rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repetitions")
    parser.add_argument("--json", action="store_true", help="rows instead of tables")
    arguments = parser.parse_args()
    started = time.perf_counter()
    repetitions, batches = (15, 5) if arguments.full else (7, 2)
    unit = g1_multiplication_seconds() * 1e3
    proofs = [
        *bench_range.measure(repetitions=repetitions, batches=batches),
        *bench_membership.measure(repetitions=repetitions, batches=batches),
    ]
    with tempfile.TemporaryDirectory() as folder:
        service = [
            *bench_content.measure(Path(folder)),
            *bench_seal.measure(),
            *bench_rpc.measure(),
        ]
    seconds = time.perf_counter() - started
    if arguments.json:
        json.dump(
            {
                "g1_multiplication_ms": unit,
                "proofs": [asdict(row) for row in proofs],
                "service": [asdict(line) for line in service],
                "seconds": seconds,
            },
            sys.stdout,
        )
        return
    print_rows(proofs, title=f"Proofs; t = one G1 multiplication = {unit:.3f} ms")
    bench_content.print_lines(service, title="Sealing, storing, calling")
    sys.stdout.write(f"measured in {seconds:.0f} s\n")


if __name__ == "__main__":
    main()
