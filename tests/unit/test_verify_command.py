"""`crossproof verify` on files and directories: verdicts, exit codes, tables of 80 cells."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from support import bundles
from support.bundles import ASSET, AUDIENCE
from support.checks import with_proof
from support.crossproof import run

from proofs.cli_verify import _progress

NONCES = ("11" * 32, "22" * 32, "33" * 32)
NAMES = ("a 光伏", "b", "c")
AUDIENCE_OPTIONS = ("--audience", AUDIENCE, "--nonce", "5a" * 32)


@pytest.fixture(scope="module")
def made() -> list[tuple[bytes, bytes]]:
    """Three requests that differ in their nonce, each with its bundle."""
    found = []
    for nonce in NONCES:
        asked = bundles.request(bundles.SMALL_FACTS, nonce=nonce)
        parts = bundles.parts(
            bundles.SMALL_FACTS, request=asked, context=bundles.context_for(asked)
        )
        found.append((asked.data, parts.build()))
    return found


@pytest.fixture
def inbox(tmp_path: Path, made: list[tuple[bytes, bytes]]) -> Path:
    """`in` with three bundles and what is none of them, `asked` with the requests, a trust file."""
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "asked").mkdir()
    for name, (request, bundle) in zip(NAMES, made, strict=True):
        (tmp_path / "asked" / f"{name}.request.json").write_bytes(request)
        (tmp_path / "in" / f"{name}.proof.json").write_bytes(bundle)
    (tmp_path / "in" / "note.json").write_bytes(b"{}")
    (tmp_path / "in" / "below" / "d.proof.json").write_bytes(b"{}")
    (tmp_path / "trust.toml").write_text(bundles.trust_text(), encoding="utf-8")
    return tmp_path


def verify(inbox: Path, *arguments: str, places: tuple[str, ...] = ("in",)) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    return run(inbox, "verify", *places, "--trust", "trust.toml", *arguments)


def verdicts(out: str) -> dict[str, str]:
    """The reason of each file, `-` where it is verified, from the JSON lines."""
    told = [json.loads(line) for line in out.splitlines()]
    return {Path(each["file"]).name: each.get("reason", "-") for each in told}


def flipped(proof: bytes) -> bytes:
    """A proof of the same form that does not hold."""
    return proof[:-1] + bytes([proof[-1] ^ 1])


# --- directories --------------------------------------------------------------------------------


def test_a_directory_of_bundles_with_a_directory_of_requests(inbox: Path) -> None:
    """All `*.proof.json` by name, none from below, each matched to its own request."""
    code, out, err = verify(inbox, "--request", "asked", "--json")
    assert (code, err) == (0, "")
    assert list(verdicts(out).items()) == [(f"{name}.proof.json", "-") for name in NAMES]
    code, out, err = verify(inbox, "--request", "asked")
    assert (code, out) == (0, "")
    assert err.endswith(
        "3 files 文件: 3 verified 已验证, 0 refused 未通过\nALL VERIFIED 全部已验证\n"
    )


def test_requests_may_be_named_one_by_one(inbox: Path) -> None:
    """A bundle whose request is not among them is refused, the others are not."""
    asked = ("--request", "asked/b.request.json", "--request", "asked/c.request.json")
    code, out, _ = verify(inbox, *asked, "--json")
    assert code == 1
    assert verdicts(out) == {
        "a 光伏.proof.json": "CONTEXT",
        "b.proof.json": "-",
        "c.proof.json": "-",
    }


def test_requests_without_an_answer_are_named(inbox: Path) -> None:
    """A note and no failure: their answers may be still to come."""
    (inbox / "in" / "b.proof.json").unlink()
    code, _, err = verify(inbox, "--request", "asked")
    wanted = bundles.request(bundles.SMALL_FACTS, nonce=NONCES[1]).digest
    assert code == 0
    assert re.findall("[0-9a-f]{64}", err) == [wanted]


@pytest.mark.parametrize("bad", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_bad_bundles_are_named_and_the_others_verified(inbox: Path, bad: tuple[int, ...]) -> None:
    """Wherever they stand in the directory."""
    for number in bad:
        path = inbox / "in" / f"{NAMES[number]}.proof.json"
        path.write_bytes(with_proof(path.read_bytes(), flipped))
    code, out, _ = verify(inbox, "--request", "asked", "--json")
    assert code == 1
    assert verdicts(out) == {
        f"{name}.proof.json": "PROOF" if number in bad else "-" for number, name in enumerate(NAMES)
    }
    code, _, err = verify(inbox, "--request", "asked")
    assert (code, f"{len(bad)} refused 未通过 (PROOF {len(bad)})" in err) == (1, True)
    assert "NOT ALL VERIFIED 未全部通过验证" in err


def test_what_is_no_file_ends_nothing(inbox: Path) -> None:
    """A link to nowhere, a pipe, a directory and nonsense are refused in their places."""
    (inbox / "in" / "b1.proof.json").symlink_to("nowhere")
    os.mkfifo(inbox / "in" / "b2.proof.json")
    (inbox / "in" / "b3.proof.json").mkdir()
    (inbox / "in" / "b4.proof.json").write_bytes(b"\xff")
    code, out, err = verify(inbox, "--request", "asked", "--json")
    assert (code, err) == (1, "")
    assert verdicts(out) == {
        "a 光伏.proof.json": "-",
        "b.proof.json": "-",
        "b1.proof.json": "UNREADABLE",
        "b2.proof.json": "UNREADABLE",
        "b3.proof.json": "UNREADABLE",
        "b4.proof.json": "ENCODING",
        "c.proof.json": "-",
    }


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens only")
def test_a_file_that_cannot_be_read_ends_nothing(inbox: Path) -> None:
    """What the system says stands where the verdict would."""
    code, out, _ = verify(
        inbox, "--request", "asked", "--json", places=("/proc/self/mem", "in/b.proof.json")
    )
    assert (code, verdicts(out)) == (1, {"mem": "UNREADABLE", "b.proof.json": "-"})


@pytest.mark.parametrize(
    ("places", "arguments", "said"),
    [
        (("asked",), ("--request", "asked"), "no proof bundle (*.proof.json) in this directory"),
        (("in", "asked"), ("--request", "asked"), "no proof bundle"),
        (("in",), ("--request", "in"), "no request (*.request.json) in this directory"),
        (("in",), ("--request", "asked", "--require", "capacity >= 1 MW"), "needs the --asset"),
        (("in",), (), "say what you expect"),
        (("nowhere",), ("--request", "asked"), "does not exist"),
    ],
)
def test_what_would_check_nothing_is_wrong_usage(
    inbox: Path, places: tuple[str, ...], arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and no verdict."""
    code, out, err = verify(inbox, *arguments, places=places)
    assert (code, out, said in err) == (2, "", True)
    assert "VERIFIED" not in err


def test_a_request_that_is_none_is_named(inbox: Path) -> None:
    """One line, before any bundle is read."""
    (inbox / "asked" / "d.request.json").write_bytes(b"{}")
    code, out, err = verify(inbox, "--request", "asked")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("crossproof: asked/d.request.json: ")


# --- what is shown ------------------------------------------------------------------------------


def test_lines_are_lined_up_in_80_cells(inbox: Path) -> None:
    """Chinese names take two cells a character; long ones go on below their own column."""
    long = "很长的文件名" * 5 + ".proof.json"
    (inbox / "in" / long).write_bytes(b"{}")
    code, _, err = verify(inbox, "--request", "asked")
    assert code == 1
    lines = err.splitlines()
    assert max(map(cell_len, lines)) <= 80
    verified = [line for line in lines if line.startswith("verified 已验证")]
    starts = {cell_len(line[: line.index(ASSET)]) for line in verified}
    ends = {cell_len(line.rstrip()) for line in verified}
    assert (len(verified), starts, ends) == (3, {47}, {80})
    assert "ENCODING" in next(line for line in lines if line.startswith("refused 未通过"))
    for line in lines[1:-2]:
        assert re.match("verified 已验证 |refused 未通过  |  ", line)


def test_a_name_or_reason_begins_no_line(inbox: Path) -> None:
    """A name that folds at the right place could otherwise show a verdict of its own."""
    name = "x" * 20 + " ALL VERIFIED 全部已验证 ALL VERIFIED.proof.json"
    (inbox / "in" / name).write_bytes(b"{}")
    _, _, err = verify(inbox, "--request", "asked")
    assert not [line for line in err.splitlines() if line.startswith("ALL VERIFIED")]


def test_verbose_shows_the_table_of_each(inbox: Path) -> None:
    """Headed by its name, and the total at the end."""
    code, _, err = verify(inbox, "--request", "asked", "--verbose")
    assert (code, err.count("Purpose 用途"), err.count("\nVERIFIED 已验证")) == (0, 3, 3)
    assert [name for name in NAMES if f"in/{name}.proof.json:\n" in err] == list(NAMES)
    assert err.endswith("ALL VERIFIED 全部已验证\n")


def test_one_file_has_its_table_alone(inbox: Path) -> None:
    """A directory with one bundle counts as one file."""
    for name in NAMES[1:]:
        (inbox / "in" / f"{name}.proof.json").unlink()
    code, _, err = verify(inbox, "--request", "asked/a 光伏.request.json")
    assert (code, "Purpose 用途" in err, "files 文件" in err) == (0, True, False)


# --- assets and facts required ------------------------------------------------------------------


def test_required_facts_are_shown_when_met(inbox: Path) -> None:
    """In the table and in the JSON, in canonical form."""
    facts = ("--require", "annual_yield >= 7%", "--require", "annual_yield <= 10")
    wanted = ("--asset", ASSET, *facts)
    one = ("in/b.proof.json",)
    code, out, _ = verify(inbox, "--request", "asked", *wanted, "--json", places=one)
    assert code == 0
    assert json.loads(out)["required"] == [
        {"fact": fact, "asset": ASSET, "alias": "doc"}
        for fact in ("annual_yield >= 0.07", "annual_yield <= 10")
    ]
    code, _, err = verify(inbox, "--request", "asked", *wanted, places=one)
    assert code == 0
    assert re.search(f"Required 要求 +{ASSET}: annual_yield >= 0.07 *\n", err)
    code, out, _ = verify(inbox, "--request", "asked", "--json", places=one)
    assert (code, json.loads(out)["required"]) == (0, [])


def test_required_facts_that_do_not_follow_refuse(inbox: Path) -> None:
    """With the reason POLICY, fact, asset, and what is proven."""
    wanted = ("--asset", ASSET, "--require", "annual_yield >= 9%")
    code, out, _ = verify(inbox, "--request", "asked", *wanted, "--json")
    assert (code, set(verdicts(out).values())) == (1, {"POLICY"})
    assert json.loads(out.splitlines()[0])["message"] == (
        f"required of {ASSET}: annual_yield >= 0.09; this does not follow from annual_yield >= 0.08"
    )


def test_every_named_asset_must_be_in_one_of_the_files(inbox: Path) -> None:
    """Each file is about one of them; if none is about some asset, that is said, and is 1."""
    named = ("--asset", ASSET, "--asset", "cn-pv-9")
    (inbox / "small.proof.json").write_bytes(bundles.small()[1])
    (inbox / "good.proof.json").write_bytes(bundles.small()[1])
    several = ("small.proof.json", "good.proof.json")
    assert verify(inbox, *AUDIENCE_OPTIONS, *named[:2], places=several)[0] == 0
    code, _, err = verify(inbox, *AUDIENCE_OPTIONS, *named, places=several)
    assert (code, "2 verified" in err) == (1, True)
    assert "no verified file is about 没有通过验证的文件涉及 cn-pv-9" in err
    assert "NOT ALL VERIFIED" in err
    code, out, err = verify(inbox, *AUDIENCE_OPTIONS, *named, "--json", places=several)
    assert (code, set(verdicts(out).values())) == (1, {"-"})
    assert err.count("cn-pv-9") == 1
    code, _, err = verify(inbox, *AUDIENCE_OPTIONS, *named[2:], places=several)
    assert (code, "2 refused 未通过 (CONTEXT 2)" in err) == (1, True)
    code, _, err = verify(inbox, *AUDIENCE_OPTIONS, *named, places=several[:1])
    assert (code, "(CONTEXT)" in err) == (1, True)


@pytest.mark.parametrize(
    ("terminal", "count", "shown"), [(True, 20, True), (True, 19, False), (False, 5000, False)]
)
def test_progress_is_for_terminals_and_long_runs(terminal: bool, count: int, shown: bool) -> None:
    """A log or a pipe gets no bar, and neither does what is over at once."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80)
    with _progress(console, count) as progress:
        progress.add_task("checking", total=count)
        progress.refresh()
    assert ("checking" in written.getvalue()) == shown
