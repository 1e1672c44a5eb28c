"""Both sides on this machine for a benchmark: two sites in a temporary folder and their processes.

The processes are `crossvault serve` and `crossvault holder` themselves, on loopback over mutual
TLS. `Clock` says where processor time goes: to the client, the vault or the holders.
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from vault.cli.processes import ServerProcess, free_ports, processes_of, running
from vault.config import Quorum
from vault.enrol import Enrolment, SiteFolder, create_site
from vault.pki import now_utc

TRUST_DOMAIN = "bench.example"
HOLDERS = 3
GROUPS = ("client", "vault", "cn holders", "hk holders")


@dataclass(frozen=True, slots=True)
class BothSides:
    """The two sites' folders and their running processes."""

    folder: Path
    cn: SiteFolder
    hk: SiteFolder
    processes: Sequence[ServerProcess]

    @property
    def vault(self) -> ServerProcess:
        """The vault's process."""
        return next(each for each in self.processes if each.holder is None)

    def identity(self, side: str, role: str, name: str) -> Path:
        """The identity folder of an enrolled principal."""
        site = self.cn if side == "cn" else self.hk
        return site.config.identity_folder(role, name)

    def processor_seconds(self) -> dict[str, float]:
        """What each group of processes has used so far; `client` is this process and its children.

        A child counts when it has been waited for.
        """
        used = dict.fromkeys(GROUPS, 0.0)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            used["client"] += usage.ru_utime + usage.ru_stime
        for each in self.processes:
            times = psutil.Process(each.pid).cpu_times()
            group = "vault" if each.holder is None else f"{each.site.name} holders"
            used[group] += times.user + times.system
        return used

    def bytes_on_disk(self) -> dict[str, int]:
        """Sizes of the vault's and the holders' data folders."""
        return {
            "vault": _size(self.cn.folder / "vault"),
            "cn holders": _size(self.cn.folder / "holders"),
            "hk holders": _size(self.hk.folder / "holders"),
        }


@dataclass
class Clock:
    """Wall time and processor time of what happens in a `with` block."""

    sides: BothSides
    seconds: float = 0.0
    processor: Mapping[str, float] = field(default_factory=dict)

    def __enter__(self) -> Clock:
        self._before = self.sides.processor_seconds()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.perf_counter() - self._start
        after = self.sides.processor_seconds()
        self.processor = {name: after[name] - self._before[name] for name in GROUPS}


@contextmanager
def both_sides(
    enrolled: Sequence[tuple[str, str, str]],
    *,
    parent: Path | None = None,
    vault: Callable[[Path], ServerProcess] = ServerProcess,
) -> Iterator[BothSides]:
    """Make two joined sites with these (side, role, name), start everything, remove it after.

    `parent` chooses the disk; the system's folder for temporary files unless given. `vault` makes
    the vault's process of the mainland site's folder.
    """
    with tempfile.TemporaryDirectory(prefix="crossvault-bench-", dir=parent) as name:
        folder = Path(name)
        cn, hk = make_sites(folder, enrolled)
        processes = [*processes_of(cn.folder), *processes_of(hk.folder)]
        processes = [vault(each.site) if each.holder is None else each for each in processes]
        with running(processes):
            yield BothSides(folder, cn, hk, processes)


def make_sites(
    folder: Path, enrolled: Sequence[tuple[str, str, str]]
) -> tuple[SiteFolder, SiteFolder]:
    """Two joined sites in `folder`, nothing started: mainland and Hong Kong."""
    now = now_utc()
    base = free_ports(2 * HOLDERS + 3)
    for side, port in (("cn", base), ("hk", base + HOLDERS + 1)):
        create_site(
            folder / side,
            trust_domain=TRUST_DOMAIN,
            jurisdiction=side,
            quorum=Quorum(threshold=2, holders=HOLDERS),
            now=now,
            port_base=port,
        )
    cn, hk = SiteFolder(folder / "cn"), SiteFolder(folder / "hk")
    for site, side in ((cn, "cn"), (hk, "hk")):
        people = [_enrolment(role, who) for where, role, who in enrolled if where == side]
        if people:
            site.issue_all(people, now=now)
    for mine, theirs in ((cn, hk), (hk, cn)):
        other = theirs.current()
        mine.join(other.encoded, other.fingerprint)
    return cn, hk


def _enrolment(role: str, name: str) -> Enrolment:
    return Enrolment(role, name, person=name if role == "officer" else None)


def fsync_seconds(folder: Path, *, repetitions: int = 100) -> float:
    """The median time of appending 4 KiB to a file of a folder and syncing it."""
    times = []
    path = folder / "fsync.tmp"
    with path.open("wb", buffering=0) as file:
        for _ in range(repetitions):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    path.unlink()
    return statistics.median(times)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
