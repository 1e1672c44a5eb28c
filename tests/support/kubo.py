"""Real Kubo daemons for tests: a private swarm of two, as the mainland and Hong Kong have it.

`pytest_plugins`-free on purpose: a test module imports the fixtures it uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vault.cli.kubo_daemons import KuboDaemon, find_ipfs, private_swarm

NO_IPFS = "no ipfs binary: run `make kubo` (needs Go), set IPFS_BINARY, or put ipfs on PATH"


@dataclass(frozen=True, slots=True)
class Swarm:
    """Two daemons that know each other and nobody else."""

    cn: KuboDaemon
    hk: KuboDaemon


def ipfs_binary() -> Path:
    """The binary to test with; skips the test, saying why, when there is none."""
    binary = find_ipfs()
    if binary is None:
        pytest.skip(NO_IPFS)
    return binary


@pytest.fixture(scope="module")
def kubo_swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """A running pair, shared by the tests of a module."""
    with private_swarm(ipfs_binary(), tmp_path_factory.mktemp("kubo"), "cn", "hk") as (cn, hk):
        yield Swarm(cn, hk)


@pytest.fixture
def kubo_daemon(tmp_path: Path) -> Iterator[KuboDaemon]:
    """A running daemon of one test's own, which that test may kill."""
    with private_swarm(ipfs_binary(), tmp_path / "kubo", "own") as (daemon,):
        yield daemon
