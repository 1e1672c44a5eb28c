"""The processes of both sites on loopback: a vault, its holders, killed and restarted at will.

    with Cluster(make_two_sites(tmp_path)) as cluster:
        cluster.start()

Every process is `crossvault serve` or `crossvault holder` itself, with its log in a file. `kill`
is SIGKILL, as a power cut of one machine; `stop` is SIGTERM. Leaving the block ends them all.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType

from support.sites import TwoSites
from vault.cli.processes import ServerProcess

VAULT = "vault"


@dataclass
class Cluster:
    """Named processes: `vault`, `cn/h1`…, `hk/h1`…"""

    sites: TwoSites
    environment: dict[str, str] = field(default_factory=dict)
    running: dict[str, ServerProcess] = field(default_factory=dict)

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
        started = []
        for name in self.names if names is None else names:
            if name in self.running:
                continue  # a second one could not listen, and the first would be forgotten
            process = self._process(name)
            process.launch()
            self.running[name] = process
            started.append(process)
        for process in started:
            process.wait_ready()

    def kill(self, name: str) -> None:
        """SIGKILL: nothing is flushed, nothing is said."""
        self.running.pop(name).kill()

    def stop(self, name: str) -> int | None:
        """SIGTERM; the exit code."""
        return self.running.pop(name).stop()

    def pause(self, name: str) -> None:
        """SIGSTOP: alive and silent, as a hanging machine."""
        self.running[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self.running[name].signal(signal.SIGCONT)

    def pid(self, name: str) -> int:
        """The process id."""
        return self.running[name].pid

    def log(self, name: str) -> str:
        """What the process has logged so far, over all its starts."""
        return self._process(name).log.read_text(errors="replace")

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.running.values():
            process.kill()
        self.running.clear()

    def _process(self, name: str) -> ServerProcess:
        logs = self.sites.cn.folder.parent / "logs"
        logs.mkdir(exist_ok=True)
        side, _, holder = name.rpartition("/")
        site = self.sites.side(side or "cn").folder
        return ServerProcess(
            site, None if name == VAULT else holder, logs=logs, environment=self.environment
        )
