"""A large attachment there and back: MB/s each way, and the peak memory of client and vault.

Run as `python -m benchmarks.attachment` (`--mib 1024` unless given; `--store DIR` chooses the
disk). Both sides run as processes; the clients are `crossvault put` and `crossvault release
fetch`, each a process of its own, so that its peak is its own. Beside each way stands what it
cannot do without: reading or writing and syncing as many bytes on the same disk.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.both_sides import BothSides, both_sides

MIB = 1024 * 1024
ENROLLED = (
    ("cn", "custodian", "bank"),
    ("cn", "officer", "wang"),
    ("hk", "spv", "issuer"),
    ("hk", "officer", "lee"),
)
PURPOSE = ("--purpose", "benchmark", "--basis", "benchmark")


@dataclass(frozen=True, slots=True)
class Way:
    """One direction: wall seconds, megabytes a second, and peaks in MB."""

    name: str
    seconds: float
    mb_per_second: float
    disk_mb_per_second: float
    client_peak_mb: float
    vault_peak_mb: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--store", type=Path, help="a folder on the disk to measure")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with both_sides(ENROLLED, parent=arguments.store) as sides:
        ways = measure(sides, arguments.mib)
    if arguments.json:
        json.dump([asdict(way) for way in ways], sys.stdout)
        return
    table = Table(title=f"An attachment of {arguments.mib:,} MiB, three + three holders")
    for heading in ("way", "seconds", "MB/s", "the disk alone, MB/s", "client peak", "vault peak"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way in ways:
        table.add_row(
            way.name,
            f"{way.seconds:.1f}",
            f"{way.mb_per_second:.0f}",
            f"{way.disk_mb_per_second:.0f}",
            f"{way.client_peak_mb:.0f} MB",
            f"{way.vault_peak_mb:.0f} MB",
        )
    Console().print(table)


def measure(sides: BothSides, mib: int) -> list[Way]:
    """Put, release, and compare what came back."""
    source = sides.folder / "attachment.bin"
    digest, disk = _write(source, mib)
    for name in ("pv-plant.schema.json", "pv-plant.json"):
        data = (resources.files("vault") / "samples" / name).read_bytes()
        (sides.folder / name).write_bytes(data)
    bank = sides.identity("cn", "custodian", "bank")
    _run(sides, bank, "schema", "add", "pv-plant.schema.json")
    put = _timed(
        sides, "put", mib, disk, bank, "put", "pv-plant.json", "--attach", f"asset:{source}"
    )
    (document,) = json.loads(_run(sides, bank, "list", "--json"))
    _run(sides, bank, "release", "request", str(document["document"]), *PURPOSE)
    (release,) = json.loads(_run(sides, bank, "release", "list", "--json"))
    approved = str(release["digest"])
    for side, name in (("cn", "wang"), ("hk", "lee")):
        officer = sides.identity(side, "officer", name)
        _run(sides, officer, "release", "approve", approved, "--yes")
    fetched = _timed(
        sides, "release", mib, disk, bank, "release", "fetch", approved, "-o", "opened"
    )
    (opened,) = (sides.folder / "opened" / "attachments").iterdir()
    with opened.open("rb") as file:
        if hashlib.file_digest(file, "sha256").digest() != digest:
            raise SystemExit("the attachment that came back is not the one that was put")
    return [put, fetched]


def _timed(
    sides: BothSides, name: str, mib: int, disk: float, identity: Path, *arguments: str
) -> Way:
    _reset_peak(sides.vault.pid)
    start = time.perf_counter()
    client = subprocess.Popen(
        [sys.executable, "-m", "vault", *arguments, "--as", str(identity)],
        cwd=sides.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(client.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return Way(
        name=name,
        seconds=seconds,
        mb_per_second=mib * MIB / seconds / 1e6,
        disk_mb_per_second=disk,
        client_peak_mb=usage.ru_maxrss / 1e3,
        vault_peak_mb=_peak_mb(sides.vault.pid),
    )


def _run(sides: BothSides, identity: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "vault", *arguments, "--as", str(identity)],
        cwd=sides.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
    return done.stdout


def _write(path: Path, mib: int) -> tuple[bytes, float]:
    """Random bytes, synced: their SHA-256, and the disk's MB/s at writing them."""
    digest, writing = hashlib.sha256(), 0.0
    with path.open("wb") as file:
        for _ in range(mib):
            data = os.urandom(MIB)
            digest.update(data)
            start = time.perf_counter()
            file.write(data)
            writing += time.perf_counter() - start
        start = time.perf_counter()
        file.flush()
        os.fsync(file.fileno())
        writing += time.perf_counter() - start
    return digest.digest(), mib * MIB / writing / 1e6


def _reset_peak(pid: int) -> None:
    """Begin the kernel's account of a process's peak memory anew."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1e3
    raise SystemExit("this system does not tell a process's peak memory")


if __name__ == "__main__":
    main()
