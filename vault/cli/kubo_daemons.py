"""Kubo daemons of one's own, on this machine: for the demonstration and for the tests.

Each daemon has its repository in a folder, random loopback ports, RPC credentials in a file of
mode 0600, and no contact to anything but the daemons of its own private swarm: no bootstrap, no
routing, no discovery, a swarm key. An installation in earnest runs its own Kubo; what must be
set there is what `_settings` sets.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from vault.errors import UnavailableError
from vault.files import write_private
from vault.storage.kubo_rpc import KuboRpc

RPC_USER: Final = "vault"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0


def find_ipfs() -> Path | None:
    """An `ipfs` binary: $IPFS_BINARY, the one that `make kubo` builds, or one on PATH."""
    named = os.environ.get("IPFS_BINARY")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    # Beside this very code, never in the working directory: anyone may have put one there.
    built = Path(__file__).parents[2] / ".build" / "kubo" / "ipfs"
    if os.access(built, os.X_OK):
        return built
    found = shutil.which("ipfs")
    return Path(found) if found else None


class KuboDaemon:
    """One daemon: `start`, use `address` and `credentials`, `stop` (or `kill`)."""

    def __init__(self, binary: Path, folder: Path, *, swarm_key: str):
        """Make a repository in `folder`, which must not exist. `swarm_key` is 64 hex digits."""
        self.folder = folder
        self.credentials = folder / "rpc-credentials"
        self._binary = binary
        self._repository = folder / "repository"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700, parents=True)
        self._run("init", "--profile=test", "--empty-repo")
        secret = secrets.token_urlsafe(32)
        write_private(self.credentials, f"{RPC_USER}:{secret}\n".encode())
        config = self._repository / "config"
        settings = json.loads(config.read_bytes())
        _merge(settings, _settings(secret))
        write_private(config, json.dumps(settings).encode())
        write_private(
            self._repository / "swarm.key",
            f"/key/swarm/psk/1.0.0/\n/base16/\n{swarm_key}\n".encode(),
        )

    @property
    def address(self) -> str:
        """The RPC address of the running daemon, as a multiaddress."""
        return (self._repository / "api").read_text(encoding="ascii").strip()

    def start(self) -> None:
        """Start the daemon and wait until it answers; UnavailableError when it does not."""
        (self._repository / "api").unlink(missing_ok=True)
        with (self.folder / "daemon.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the operator's own binary
                [self._binary, "daemon"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for us to pass on
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if (self._repository / "api").exists() and self._answers():
                return
            time.sleep(0.05)
        self.kill()
        raise UnavailableError(f"the ipfs daemon did not start; see {self.folder}/daemon.log")

    def rpc(self) -> KuboRpc:
        """A connection to the daemon's RPC API."""
        return KuboRpc(self.address, self.credentials)

    def connect(self, other: KuboDaemon) -> None:
        """Join another daemon of the same swarm."""
        with other.rpc() as rpc:
            addresses = [a for a in rpc.client.id()["Addresses"] if "/tcp/" in a]
        with self.rpc() as rpc:
            rpc.command("joining the swarm", "/swarm/connect", addresses[0])

    def collect_garbage(self) -> None:
        """`ipfs repo gc`: drop every block that no pin holds."""
        with self.rpc() as rpc:
            rpc.client.repo.gc(quiet=True)

    def stop(self) -> None:
        """Ask the daemon to end, and wait."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End the daemon as a crash would, with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with self.rpc() as rpc:
                rpc.client.version()
        except (UnavailableError, OSError):
            return False
        return True

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - the operator's own binary
            [self._binary, *arguments], env=self._environment(), capture_output=True, check=False
        )
        if done.returncode:
            raise UnavailableError(f"{self._binary} {arguments[0]}: {done.stderr.decode()[-500:]}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "IPFS_PATH": str(self._repository),
            "IPFS_TELEMETRY": "off",
            "LIBP2P_FORCE_PNET": "1",  # without its swarm key a daemon does not start
        }


@contextmanager
def private_swarm(binary: Path, folder: Path, *names: str) -> Iterator[tuple[KuboDaemon, ...]]:
    """Running daemons, one a name, in `folder/name`, each connected to the first."""
    swarm_key = secrets.token_hex(32)
    with ExitStack() as stack:
        daemons = []
        for name in names:
            daemon = KuboDaemon(binary, folder / name, swarm_key=swarm_key)
            stack.callback(daemon.stop)
            daemon.start()
            daemons.append(daemon)
        for daemon in daemons[1:]:
            daemon.connect(daemons[0])
        yield tuple(daemons)


def _settings(secret: str) -> dict[str, Any]:
    return {
        "API": {
            "Authorizations": {
                RPC_USER: {
                    "AuthSecret": f"basic:{RPC_USER}:{secret}",
                    "AllowedPaths": ["/api/v0"],
                }
            }
        },
        "Addresses": {
            "API": "/ip4/127.0.0.1/tcp/0",
            "Gateway": [],
            "Swarm": ["/ip4/127.0.0.1/tcp/0"],
        },
        "AutoConf": {"Enabled": False},
        "AutoTLS": {"Enabled": False},
        "Bootstrap": [],
        # Kubo's own default is not to sync: a power cut could take a block that was acknowledged.
        "Datastore": {"Spec": {"mounts": {0: {"sync": True}}}},
        "Discovery": {"MDNS": {"Enabled": False}},
        "Provide": {"Enabled": False},
        "Routing": {"Type": "none"},
        "Swarm": {"AddrFilters": [], "DisableNatPortMap": True},
    }


def _merge(settings: Any, changes: dict[Any, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            if isinstance(settings, dict):
                settings.setdefault(key, {})
            _merge(settings[key], value)
        else:
            settings[key] = value
