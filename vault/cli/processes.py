"""Starting a site's processes on this machine: for the demonstration and the tests.

An installation in earnest runs `crossvault serve` and `crossvault holder NAME` under its own
supervisor, each on its own machine. Here each is a child process with a log file, ready when it
says so, ended with SIGTERM, or killed when a test wants to see what survives.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

from vault.config import SiteConfig
from vault.errors import UnavailableError

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0


class ServerProcess:
    """One process of one site: the vault, or the holder `name`."""

    module: ClassVar[str] = "vault"
    """What Python runs. Whoever measures the vault runs it with clocks around its steps."""

    def __init__(
        self,
        site: Path,
        holder: str | None = None,
        *,
        logs: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is started yet.

        `logs` is where its log goes, the site's folder unless given; `environment` is added to
        this process's own.
        """
        self.site = site
        self.holder = holder
        folder = logs if logs is not None else site
        self.log = folder / f"{site.name}-{holder or 'vault'}.log"
        self._ready = folder / f".{site.name}-{holder or 'vault'}.ready"
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "the vault" if self.holder is None else f"holder {self.holder} in {self.site.name}"

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise UnavailableError(f"{self.name} is not running")
        return self._process.pid

    def launch(self) -> None:
        """Start it and return at once; `wait_ready` waits."""
        self._ready.unlink(missing_ok=True)
        command = ["serve"] if self.holder is None else ["holder", self.holder]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    self.module,
                    *command,
                    "--dir",
                    str(self.site),
                    "--ready-file",
                    str(self._ready),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
            )

    def wait_ready(self) -> None:
        """Wait until it serves; UnavailableError with the end of its log when it ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while not self._ready.exists():
            if self._process is None or self._process.poll() is not None:
                raise UnavailableError(f"{self.name} did not start: {self.last_words()}")
            if time.monotonic() > deadline:
                self.kill()
                raise UnavailableError(f"{self.name} was not ready in time: {self.last_words()}")
            time.sleep(0.02)

    def start(self) -> None:
        """Launch and wait."""
        self.launch()
        self.wait_ready()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP makes it a machine that hangs."""
        os.kill(self.pid, number)

    def stop(self) -> int | None:
        """End it in an orderly way, kill it if it does not go; its exit code."""
        if self._process is None:
            return None
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def kill(self) -> None:
        """SIGKILL: what is not on the disk by now is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def last_words(self) -> str:
        """The end of its log."""
        try:
            return self.log.read_text(errors="replace")[-1000:].strip() or "it said nothing"
        except FileNotFoundError:
            return "it has no log"


def processes_of(
    site: Path, *, environment: Mapping[str, str] | None = None
) -> tuple[ServerProcess, ...]:
    """The processes of one site, not started: the holders h1…hn, and on the mainland the vault."""
    config = SiteConfig.load(site)
    holders = [f"h{number}" for number in range(1, config.quorum.holders + 1)]
    names: Sequence[str | None] = [*holders, *([None] if config.jurisdiction == "cn" else [])]
    return tuple(ServerProcess(site, name, environment=environment) for name in names)


@contextmanager
def running(processes: Sequence[ServerProcess]) -> Iterator[None]:
    """Start all at once, and end all at the end, whatever happens in between."""
    try:
        for process in processes:
            process.launch()
        for process in processes:
            process.wait_ready()
        yield
    finally:
        for process in reversed(processes):
            process.stop()


def free_ports(count: int, *, first: int = 10_000, last: int = 32_000) -> int:
    """The first of `count` loopback ports in a row that nobody listens on now.

    Drawn at random from `first` to `last`, which lies below the ports that systems draw for
    outgoing connections.
    """
    for _ in range(200):
        base = random.randrange(first, last - count)  # noqa: S311 - a port is no secret
        if all(_is_free(base + number) for number in range(count)):
            return base
    raise UnavailableError(f"found no {count} free ports in a row on this machine")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
