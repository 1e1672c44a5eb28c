"""The benchmark of a directory, on a few bundles: its inbox verifies, and its figures add up."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import many_bundles
from benchmarks.many_bundles import fill
from benchmarks.verify_directory import measure
from proofs.cli import cli


def test_a_small_inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once, its bundles verify by the command too, and the spoilt one is found."""
    monkeypatch.setattr(many_bundles, "NAMES", 40)
    inbox = fill(tmp_path, 4, table=None, names=None)
    made = inbox.trust.stat().st_mtime_ns
    assert fill(tmp_path, 4, table=None, names=None) == inbox
    assert made == inbox.trust.stat().st_mtime_ns
    result = measure(inbox, singles=2)
    assert (result.bundles, result.bad_multiplications) == (4, 3)
    assert result.ratio == pytest.approx(result.together_ms / result.alone_ms)
    command = ["verify", str(inbox.bundles), "--request", str(inbox.requests)]
    held = ["--trust", str(inbox.trust), "--set", str(inbox.members)]
    assert CliRunner().invoke(cli, [*command, *held]).exit_code == 0
