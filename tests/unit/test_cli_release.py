"""What `crossvault release` and `crossvault log` refuse before anyone is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from support.sites import TwoSites, make_two_sites

from vault import cli
from vault.cli.log import _Since
from vault.pki import now_utc


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), holders=2)


def since(text: str) -> datetime:
    return _Since().convert(text, None, None)


def test_since_takes_days_instants_and_spans() -> None:
    """A day begins at midnight UTC; a span counts back from now."""
    assert since("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert since("2026-01-31T08:00:00Z") == datetime(2026, 1, 31, 8, tzinfo=UTC)
    for text, span in (("7d", timedelta(days=7)), ("12h", timedelta(hours=12))):
        assert abs(now_utc() - span - since(text)) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "yesterday", "7", "0d", "2026-02-30", "2026-01-31T08:00"])
def test_since_refuses_what_it_does_not_know(text: str) -> None:
    """A time that is not understood is a usage error, never the beginning of all records."""
    with pytest.raises(click.BadParameter, match="no day"):
        since(text)


def test_an_impossible_since_is_a_usage_error(sites: TwoSites) -> None:
    """Exit code 2, as for every wrong argument."""
    who = ("--as", str(sites.folder("cn", "auditor", "audit")))
    assert cli.run(["log", "list", "--since", "soon", *who]) == 2


def test_an_spv_needs_the_attestation_at_hand(
    sites: TwoSites, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A document id alone says nothing to an SPV's client, and a strange file is refused."""
    who = ("--as", str(sites.folder("hk", "spv", "issuer")))
    why = ("--purpose", "audit", "--basis", "a contract")
    assert cli.run(["release", "request", "0" * 32, *why, *who]) == 1
    assert "give the proof bundle or the attestation" in capsys.readouterr().err
    (tmp_path / "strange").write_text("{}")
    assert cli.run(["release", "request", str(tmp_path / "strange"), *why, *who]) == 1
    assert "bundle" in capsys.readouterr().err


def test_only_officers_decide(sites: TwoSites, capsys: pytest.CaptureFixture[str]) -> None:
    """A custodian or an SPV is told so before any holder is asked."""
    for folder in (("cn", "custodian", "bank"), ("hk", "spv", "issuer")):
        who = ("--as", str(sites.folder(*folder)))
        assert cli.run(["release", "approve", "a" * 64, "--yes", *who]) == 1
        assert "decided by officers" in capsys.readouterr().err


def test_a_release_of_somebody_else_cannot_be_fetched(
    sites: TwoSites, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the request and its seed in the identity's folder there is nothing to open with."""
    who = ("--as", str(sites.folder("hk", "spv", "other")))
    assert cli.run(["release", "fetch", "abc", "-o", str(tmp_path / "out"), *who]) == 1
    assert "no release request of this identity" in capsys.readouterr().err
