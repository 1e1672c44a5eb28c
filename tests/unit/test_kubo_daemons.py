"""Finding an ipfs binary, and daemons that do not start."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.kubo import NO_IPFS, ipfs_binary

from vault.cli.kubo_daemons import KuboDaemon, find_ipfs, private_swarm
from vault.errors import UnavailableError


def script(path: Path, text: str) -> Path:
    """An executable that stands where ipfs is expected."""
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o700)
    return path


def test_a_named_binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$IPFS_BINARY is taken as it is; when it cannot be run, nothing else is taken instead."""
    named = script(tmp_path / "mine", "")
    monkeypatch.setenv("IPFS_BINARY", str(named))
    assert find_ipfs() == named
    named.chmod(0o600)
    assert find_ipfs() is None
    with pytest.raises(pytest.skip.Exception, match="make kubo"):
        ipfs_binary()
    assert "IPFS_BINARY" in NO_IPFS


def test_the_working_directory_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A binary planted in the directory one happens to be in is not run."""
    planted = tmp_path / ".build" / "kubo"
    planted.mkdir(parents=True)
    script(planted / "ipfs", "")
    script(tmp_path / "ipfs", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IPFS_BINARY", raising=False)
    found = find_ipfs()
    assert found is None or tmp_path not in found.parents


def test_a_repository_that_cannot_be_made(tmp_path: Path) -> None:
    """What `ipfs init` says is in the error."""
    broken = script(tmp_path / "ipfs", "echo no room here >&2; exit 1")
    with pytest.raises(UnavailableError, match="init: no room here"):
        KuboDaemon(broken, tmp_path / "node", swarm_key="0" * 64)


def test_a_daemon_that_ends_at_once(tmp_path: Path) -> None:
    """A daemon that ends is noticed, and the error names its log."""
    broken = script(
        tmp_path / "ipfs",
        'if [ "$1" = init ]; then mkdir -p "$IPFS_PATH"; '
        'echo \'{"Datastore": {"Spec": {"mounts": [{}]}}}\' > "$IPFS_PATH/config"; exit 0; fi; '
        "echo cannot listen; exit 1",
    )
    with (
        pytest.raises(UnavailableError, match=r"node/daemon\.log"),
        private_swarm(broken, tmp_path, "node"),
    ):
        pass
    assert "cannot listen" in (tmp_path / "node" / "daemon.log").read_text()
    assert (tmp_path / "node" / "rpc-credentials").stat().st_mode & 0o777 == 0o600
