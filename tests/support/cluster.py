"""The processes of both sites on loopback: a vault, its holders, killed and restarted at will.

    with Cluster(make_two_sites(tmp_path)) as cluster:
        cluster.start()

Every process is `crossvault serve` or `crossvault holder` itself, with its log in a file. `kill`
is SIGKILL, as a power cut of one machine; `stop` is SIGTERM. Leaving the block ends them all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from support.sites import TwoSites

VAULT = "vault"
START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass
class Process:
    """One running process and where its log goes."""

    popen: subprocess.Popen[bytes]
    log: Path


@dataclass
class Cluster:
    """Named processes: `vault`, `cn/h1`…, `hk/h1`…"""

    sites: TwoSites
    environment: dict[str, str] = field(default_factory=dict)
    running: dict[str, Process] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """All processes that the two sites have."""
        return [VAULT, *self.holders("cn"), *self.holders("hk")]

    def holders(self, side: str) -> list[str]:
        """The holders of a side."""
        count = self.sites.side(side).config.quorum.holders
        return [f"{side}/h{i}" for i in range(1, count + 1)]

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start processes (all by default) and wait until every one serves."""
        wanted = list(self.names if names is None else names)
        ready = {}
        for name in wanted:
            file = self._logs / f"{name.replace('/', '-')}.ready"
            file.unlink(missing_ok=True)
            ready[name] = file
            self._spawn(name, file)
        deadline = time.monotonic() + START_SECONDS
        for name, file in ready.items():
            while not file.exists():
                if self.running[name].popen.poll() is not None:
                    raise RuntimeError(f"{name} ended at its start:\n{self.log(name)}")
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not get ready:\n{self.log(name)}")
                time.sleep(0.02)

    def kill(self, name: str) -> None:
        """SIGKILL: nothing is flushed, nothing is said."""
        process = self.running.pop(name)
        process.popen.kill()
        process.popen.wait()

    def stop(self, name: str) -> int:
        """SIGTERM; the exit code."""
        process = self.running.pop(name)
        process.popen.terminate()
        return process.popen.wait(STOP_SECONDS)

    def pause(self, name: str) -> None:
        """SIGSTOP: alive and silent, as a hanging machine."""
        self.running[name].popen.send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self.running[name].popen.send_signal(signal.SIGCONT)

    def pid(self, name: str) -> int:
        """The process id."""
        return self.running[name].popen.pid

    def log(self, name: str) -> str:
        """What the process has logged so far, over all its starts."""
        return (self._logs / f"{name.replace('/', '-')}.log").read_text(errors="replace")

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.running.values():
            process.popen.kill()
        for process in self.running.values():
            process.popen.wait()
        self.running.clear()

    @property
    def _logs(self) -> Path:
        folder = self.sites.cn.folder.parent / "logs"
        folder.mkdir(exist_ok=True)
        return folder

    def _spawn(self, name: str, ready: Path) -> None:
        if name == VAULT:
            side, arguments = "cn", ["serve"]
        else:
            side, holder = name.split("/")
            arguments = ["holder", holder]
        folder = self.sites.side(side).folder
        log = self._logs / f"{name.replace('/', '-')}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [
                    *(sys.executable, "-c", "from vault.cli import main; main()"),
                    *arguments,
                    *("--dir", str(folder), "--ready-file", str(ready)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | self.environment,
            )
        self.running[name] = Process(popen, log)
