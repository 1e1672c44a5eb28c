"""A small cluster of real processes: a scheduler and workers, over TLS with its own authority.

    with DaskCluster(tmp_path, workers=2, tls=make_tls(tmp_path)) as cluster:
        executor = open_executor(cluster.config)

Leaving the block kills them all.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from support.certificates import Rogue, names, rogue_leaf
from vault import pki
from vault.proving import ClusterTls, ExecutorKind, ProvingConfig

TESTS = Path(__file__).parents[1]
PATIENCE = 60.0


def make_tls(folder: Path) -> ClusterTls:
    """An authority, and one certificate for all of its cluster, in PEM files."""
    key, now = pki.new_key(), pki.now_utc()
    ca = pki.issue_ca(
        key,
        trust_domain="example",
        jurisdiction="cluster",
        not_before=now - timedelta(hours=1),
        not_after=now + timedelta(hours=1),
    )
    authority = Rogue(key, ca)
    leaf = rogue_leaf(authority, names(dns=["all.cluster.example"]))
    tls = ClusterTls(folder / "ca.pem", folder / "cluster.pem", folder / "cluster-key.pem")
    tls.authority.write_bytes(authority.certificate_pem)
    tls.certificate.write_bytes(leaf.certificate_pem)
    tls.key.write_bytes(leaf.key_pem)
    return tls


class DaskCluster:
    """Started when entered. `tls=None` speaks plain TCP on loopback."""

    def __init__(self, folder: Path, *, workers: int, tls: ClusterTls | None) -> None:
        self._folder = folder
        self._count = workers
        self._tls = tls
        self._scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.address = ""

    @property
    def config(self) -> ProvingConfig:
        """The settings of a vault that uses it."""
        return ProvingConfig(kind=ExecutorKind.DASK, scheduler=self.address, tls=self._tls)

    def kill_worker(self, place: int) -> None:
        """SIGKILL, as a machine that lost its power."""
        self.workers[place].send_signal(signal.SIGKILL)

    def kill_scheduler(self) -> None:
        """SIGKILL; the workers stay for a while, and answer nobody."""
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait()

    def log(self) -> str:
        """What all of them have logged so far."""
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def __enter__(self) -> DaskCluster:
        where = self._folder / "scheduler.json"
        protocol = "tcp" if self._tls is None else "tls"
        self._scheduler = self._start(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--no-jupyter", "--protocol", protocol, "--scheduler-file", str(where)),
        )
        end = time.monotonic() + PATIENCE
        while not self.address:
            assert time.monotonic() < end, self.log()
            assert self._scheduler.poll() is None, self.log()
            try:
                self.address = json.loads(where.read_text())["address"]
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.05)
        self.workers = [
            self._start(
                *("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"),
                *("--memory-limit", "0", "--local-directory", str(self._folder)),
            )
            for _ in range(self._count)
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self.workers, self._scheduler):
            if process is not None:
                process.kill()
                process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        files = []
        if self._tls is not None:
            files = [
                *("--tls-ca-file", str(self._tls.authority)),
                *("--tls-cert", str(self._tls.certificate)),
                *("--tls-key", str(self._tls.key)),
            ]
        number = len(list(self._folder.glob("*.log")))
        with (self._folder / f"{number}-{arguments[0]}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments, *files],
                stdout=log,
                stderr=subprocess.STDOUT,
                # Workers find what they run by name.
                env={**os.environ, "PYTHONPATH": str(TESTS)},
            )
