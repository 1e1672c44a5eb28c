"""`crossproof request new --select`: requests about a selection of documents."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from support import bundles

from proofs.request import Request

CROSSPROOF = (sys.executable, "-c", "from proofs.cli import main; main()")
COMMON = ("--audience", "Harbour Fund", "--purpose", "Due diligence", "-o", "new.json")
SUM = ("--fact", "sum(capacity)>=100000 kW")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "schema.json").write_bytes(bundles.schema().encode())
    (tmp_path / "sanctions.set").write_bytes(bundles.named_set("sanctions").export())
    (tmp_path / "assets.txt").write_text("cn-pv-2\ncn-pv-1  # the first\n")
    (tmp_path / "twice.txt").write_text("cn-pv-2\ncn-pv-2\n")
    return tmp_path


def new(files: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*CROSSPROOF, "request", "new", *arguments, *COMMON],
        cwd=files,
        capture_output=True,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_custodian_chooses_unless_the_asker_says(files: Path) -> None:
    """Canonical facts over the schema, no documents, and a word about who chooses."""
    each = ("--fact", "each owner not in @sanctions where present", "--set", "sanctions.set")
    code, out, err = new(files, "--select", "schema.json", *SUM, *each)
    assert code == 0, err
    found = Request.parse((files / "new.json").read_bytes())
    assert out == f"{found.digest}\n"
    assert found.documents == ()
    assert found.selection is not None
    assert found.selection.schema == bundles.schema().digest
    assert found.selection.chosen_by == "prover"
    assert found.facts == (
        "sum(capacity) >= 100 MW",
        "each owner not in @sanctions where present",
    )
    assert [each.name for each in found.sets] == ["sanctions"]
    assert "the custodian's to choose" in err


def test_assets_are_named_in_order_and_once(files: Path) -> None:
    """A file in any order makes one request; the asker's list is the list."""
    code, _, err = new(files, "--select", "schema.json", "--assets", "assets.txt", *SUM)
    assert code == 0, err
    selection = Request.parse((files / "new.json").read_bytes()).selection
    assert selection is not None
    assert selection.assets == ("cn-pv-1", "cn-pv-2")
    assert "to choose" not in err


def test_a_manifest_is_asked_for_by_spv_and_period(files: Path) -> None:
    """Both go into the request as they were typed."""
    about = ("--spv", "Harbour No. 1 海桥", "--period", "2026-01-01..2026-06-30")
    code, _, err = new(files, "--select", "schema.json", *about, *SUM)
    assert code == 0, err
    selection = Request.parse((files / "new.json").read_bytes()).selection
    assert selection is not None
    assert (selection.spv, selection.period) == (
        "Harbour No. 1 海桥",
        (date(2026, 1, 1), date(2026, 6, 30)),
    )
    assert selection.chosen_by == "manifest"


@pytest.mark.parametrize(
    ("arguments", "expected", "reason"),
    [
        (("--select", "schema.json", "--asset", "cn-pv-1", *SUM), 2, "--select"),
        (("--assets", "assets.txt", *SUM), 2, "--select"),
        (("--select", "schema.json", "--spv", "x", *SUM), 2, "together"),
        (("--select", "schema.json", "--period", "2026-01-01..2026-06-30", *SUM), 2, "together"),
        (("--select", "schema.json", "--spv", "x", "--period", "2026", *SUM), 2, "--period"),
        (("--select", "schema.json", "--assets", "twice.txt", *SUM), 1, "more than once"),
        (("--select", "schema.json", "--fact", "sum(fuel) >= 1"), 1, "only numbers"),
        (("--select", "schema.json", "--fact", "each capacity in 20..20 MW"), 1, "possible"),
        (("--select", "schema.json", "--fact", "each owner not in @sanctions"), 1, "--set"),
    ],
)
def test_what_no_request_can_say_is_refused(
    files: Path, arguments: tuple[str, ...], expected: int, reason: str
) -> None:
    """Wrong usage ends with 2, what may not be asked with 1; no file is written."""
    code, _, err = new(files, *arguments)
    assert code == expected
    assert reason in err
    assert not (files / "new.json").exists()
