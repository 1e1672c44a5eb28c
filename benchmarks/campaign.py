"""Long seeded runs against the verifier, every reader of untrusted bytes, and running processes.

Run as `make campaign`, or `python -m benchmarks.campaign --scale 0.01` for a short one. Four parts:
every single-bit flip of one whole bundle; structured changes of bundles, some of them signed again
by the custodian's own key; fuzzing of every reader; and puts during which the vault or a holder is
killed with SIGKILL, again and again. None of the changed bundles may be accepted, no exception may
escape but our own errors, and nothing acknowledged may be lost or be there twice. The first three
use every processor. An input that is found is kept in a file, and the exit code is then 1.

Changes are drawn from `--seed`; keys, blindings and proofs are fresh in each run.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.bundle_mutations import Candidate, Mutator, Target  # noqa: E402 - of tests/
from support.fuzz_readers import Seeds, readers  # noqa: E402
from support.fuzzing import Reader, Tally, fuzz  # noqa: E402
from support.sites import make_two_sites  # noqa: E402
from support.soak import soak  # noqa: E402

from proofs.errors import CrossproofError  # noqa: E402

PARTS = ("flips", "mutations", "fuzz", "kills")
MUTATIONS = 100_000
INPUTS = 20_000
ROUNDS = 25
CHUNK = 500

Job = tuple[str, str, int, int]
"""What to run, on what, from which number on, how many."""


@dataclass
class Line:
    """One line of the table: what was tried, and what came of it."""

    name: str
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    part: str = ""
    said: str = ""


def main(arguments: list[str] | None = None) -> int:
    """Run the parts and print the table; exit code 1 when anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", default="1", help="another seed draws other changes")
    parser.add_argument("--scale", type=float, default=1.0, help="how much of everything")
    parser.add_argument("--seconds", type=float, help="at most so long for each part")
    parser.add_argument(
        "--part", action="append", choices=PARTS, help="only these parts; may be repeated"
    )
    parser.add_argument("--keep", type=Path, default=Path(), help="where findings are written")
    options = parser.parse_args(arguments)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="crossvault-campaign-") as name:
        folder = Path(name)
        chosen = options.part or PARTS
        lines = _run(console, folder, options.seed, options.scale, options.seconds, chosen)
    console.print(_table(lines))
    findings = [each for line in lines for each in line.tally.findings]
    _keep(console, findings, options.keep)
    count = sum(line.tally.outcomes.total() for line in lines)
    console.print(
        f"{count:,} inputs and rounds in {time.perf_counter() - start:,.0f} s, "
        f"seed {options.seed}: {len(findings) or 'no'} finding{'s'[: len(findings) != 1]}"
    )
    return 1 if findings else 0


def _run(
    console: Console,
    folder: Path,
    seed: str,
    scale: float,
    seconds: float | None,
    chosen: Sequence[str],
) -> list[Line]:
    target, seeds = Target.make(), Seeds.make(_made(folder / "seeds"))
    columns = (
        TextColumn("{task.description:34}"),
        *(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()),
    )
    lines: list[Line] = []
    # Processes of their own, started before the progress display has a thread.
    pool = ProcessPoolExecutor(
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(target, seeds, folder, seed, scale),
    )
    with pool, Progress(*columns, console=console) as progress:
        for part, title, jobs in (
            ("flips", "single-bit flips", _flips(target, scale)),
            ("mutations", "changed bundles", _mutations(target, scale)),
            ("fuzz", "fuzzed readers", _inputs(seeds, scale)),
        ):
            if part in chosen:
                lines += _part(pool, progress, title, list(jobs), seconds)
    if "kills" not in chosen:
        return lines
    with Progress(*columns, console=console) as progress:
        rounds = max(1, round(ROUNDS * scale))
        lines.append(_soak(progress, _made(folder / "sites"), seed, rounds, seconds))
    return lines


# --- what the processes of the pool do ----------------------------------------------------------


@dataclass
class _World:
    """What a process of the pool keeps between its jobs."""

    mutator: Mutator
    target: Target
    readers: dict[str, Reader]
    seed: str
    scale: float


_worlds: list[_World] = []


def _begin(target: Target, seeds: Seeds, folder: Path, seed: str, scale: float) -> None:
    own = _made(folder / f"process-{os.getpid()}")
    by_name = {reader.name: reader for reader in readers(seeds, own)}
    _worlds.append(_World(Mutator(target), target, by_name, seed, scale))


def _work(job: Job) -> Tally:
    part, name, first, count = job
    world = _worlds[0]
    if part == "flip":
        return _flip(world, first, count)
    rng = random.Random(f"{world.seed}/{part}/{name}/{first}")
    if part == "fuzz":
        return fuzz(world.readers[name], rng, count)
    tally = Tally()
    for _ in range(count):
        _try(world, world.mutator.draw(name, rng), name, tally)
    return tally


def _flip(world: _World, first: int, count: int) -> Tally:
    original = world.target.originals[0]
    bits: Sequence[int] = range(8 * len(original.bundle))
    if world.scale < 1:
        bits = random.Random(world.seed).sample(bits, round(len(bits) * world.scale))
    tally = Tally()
    changed = bytearray(original.bundle)
    for bit in bits[first : first + count]:
        changed[bit // 8] ^= 1 << bit % 8
        candidate = Candidate(bytes(changed), original.request)
        _try(world, candidate, f"bit {bit % 8} of byte {bit // 8}", tally)
        changed[bit // 8] ^= 1 << bit % 8
    return tally


def _try(world: _World, candidate: Candidate, what: str, tally: Tally) -> None:
    start = time.process_time()
    try:
        world.mutator.verify(candidate)
    except CrossproofError as error:
        tally.outcomes[error.reason] += 1
    except Exception as error:  # a finding: a traceback for whoever checks a bundle
        tally.outcomes["FINDING"] += 1
        tally.findings.append((f"{what}: {type(error).__name__}: {error}", candidate.data))
    else:
        tally.outcomes["FINDING"] += 1
        tally.findings.append((f"{what}: ACCEPTED", candidate.data))
    tally.slowest = max(tally.slowest, time.process_time() - start)


# --- handing out the work -----------------------------------------------------------------------


def _flips(target: Target, scale: float) -> Iterator[Job]:
    bits = 8 * len(target.originals[0].bundle)
    count = bits if scale >= 1 else round(bits * scale)
    yield from _chunks("flip", f"{len(target.originals[0].bundle):,} bytes, bit by bit", count)


def _mutations(target: Target, scale: float) -> Iterator[Job]:
    kinds = list(Mutator(target).kinds)
    total = max(len(kinds), round(MUTATIONS * scale))
    for place, kind in enumerate(kinds):
        yield from _chunks("mutate", kind, (total + place) // len(kinds))


def _inputs(seeds: Seeds, scale: float) -> Iterator[Job]:
    for name in seeds.inputs:
        yield from _chunks("fuzz", name, max(1, round(INPUTS * scale)))


def _chunks(part: str, name: str, count: int) -> Iterator[Job]:
    for first in range(0, count, CHUNK):
        yield part, name, first, min(CHUNK, count - first)


def _part(
    pool: ProcessPoolExecutor,
    progress: Progress,
    title: str,
    jobs: list[Job],
    seconds: float | None,
) -> list[Line]:
    lines = {name: Line(name) for _, name, _, _ in jobs}
    task = progress.add_task(title, total=sum(job[3] for job in jobs))
    start = time.monotonic()
    # In turn, so that a run cut short has tried something of everything.
    waiting = sorted(jobs, key=lambda job: job[2])[::-1]
    running: dict[Future[Tally], Job] = {}
    while waiting or running:
        late = seconds is not None and time.monotonic() - start > seconds
        if late:
            waiting.clear()
        while waiting and len(running) < 2 * (os.cpu_count() or 1):
            job = waiting.pop()
            running[pool.submit(_work, job)] = job
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            _, name, _, count = running.pop(done)
            lines[name].tally.add(done.result())
            progress.advance(task, count)
    found = list(lines.values())
    found[0].seconds, found[0].part = time.monotonic() - start, title
    return found


def _soak(progress: Progress, folder: Path, seed: str, rounds: int, seconds: float | None) -> Line:
    task = progress.add_task("killed processes", total=rounds)
    start = time.monotonic()

    def victims() -> Iterator[None]:
        for _ in range(rounds):
            if seconds is not None and time.monotonic() - start > seconds:
                return
            yield None
            progress.advance(task)

    line = Line("puts during kill -9", part="killed processes")
    try:
        found = soak(make_two_sites(folder), random.Random(seed), victims())
        kills = found.kills.total()
        line.tally.outcomes["survived"] = kills
        line.said = (
            f"killed the vault {found.kills['vault']} times and holders "
            f"{kills - found.kills['vault']}; {found.interrupted} calls broken off; "
            f"{found.acknowledged.total():,} documents acknowledged, {found.lost} lost, "
            f"{found.twice} twice, all blocks and shares there"
        )
        found.check()
    except AssertionError as error:
        line.tally.outcomes["FINDING"] += 1
        line.tally.findings.append((f"killed processes: {error}", b""))
        line.said = ""
    line.seconds = time.monotonic() - start
    return line


# --- what is printed ----------------------------------------------------------------------------


def _table(lines: Sequence[Line]) -> Table:
    table = Table(title="Campaign: what was tried, and how it was refused")
    table.add_column("part")
    table.add_column("what")
    for heading in ("tried", "slowest", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("outcomes")
    for line in lines:
        tally = line.tally
        table.add_row(
            line.part,
            line.name,
            f"{tally.outcomes.total():,}",
            f"{tally.slowest * 1e3:,.0f} ms" if tally.slowest else "",
            f"{line.seconds:,.0f}" if line.seconds else "",
            line.said
            or ", ".join(f"{reason} {count:,}" for reason, count in tally.outcomes.most_common()),
        )
    return table


def _keep(console: Console, findings: Sequence[tuple[str, bytes]], folder: Path) -> None:
    for text, data in findings[:20]:
        console.print(f"FOUND {text[:500]}", markup=False)
        if data:
            path = folder / f"campaign-{hashlib.sha256(data).hexdigest()[:12]}.bin"
            path.write_bytes(data)
            console.print(f"      kept in {path}", markup=False)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
