"""The `crossproof` command: exit codes, streams, files, and never a traceback."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support import books
from support.bundles import (
    AUDIENCE,
    AUTHORITY,
    CUSTODIAN,
    SCHEMA_TEXT,
    STRANGER,
    good,
    public_key,
    schema,
    sets,
    signer_entry,
    small,
    trust_text,
)
from support.crossproof import run

import proofs
from proofs import canonical
from proofs.cli import cli
from proofs.envelope import key_id
from proofs.request import Request
from proofs.trust import Trust


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with a bundle, its request, the trust file, the schema and the sets."""
    (tmp_path / "good.proof.json").write_bytes(good()[1])
    (tmp_path / "small.proof.json").write_bytes(small()[1])
    (tmp_path / "request.json").write_bytes(good()[0].request.data)
    (tmp_path / "trust.toml").write_text(trust_text(), encoding="utf-8")
    (tmp_path / "schema.json").write_bytes(schema().encode())
    for each in sets():
        (tmp_path / f"{each.name}.set").write_bytes(each.export())
    return tmp_path


def test_as_a_process(files: Path) -> None:
    """Exit codes and streams reach the shell, and a refusal shows no traceback."""
    environment = {**os.environ, "PYTHONPATH": str(Path(proofs.__file__).parents[1])}
    for arguments, code in (
        ((*VERIFY, "--request", "request.json"), 0),
        (("verify", "good.proof.json", "--trust", "trust.toml", "--audience", "A"), 1),
        (VERIFY, 2),
    ):
        done = subprocess.run(
            [sys.executable, "-c", "from proofs.cli import main; main()", *arguments],
            cwd=files,
            capture_output=True,
            env=environment,
            check=False,
        )
        assert (done.returncode, done.stdout) == (code, b"")
        assert b"Traceback" not in done.stderr
        assert (b"VERIFIED \xe5" in done.stderr) is (code == 0)


SETS = ("--set", "fuels.set", "--set", "sanctions.set")
VERIFY = ("verify", "good.proof.json", "--trust", "trust.toml", *SETS)


def test_verify_with_the_request(files: Path) -> None:
    """Exit 0, the table on standard error, nothing on standard output."""
    code, out, err = run(files, *VERIFY, "--request", "request.json")
    assert (code, out) == (0, "")
    assert "VERIFIED 已验证" in err
    assert "owner not in @sanctions" in err


def test_verify_with_audience_and_nonce(files: Path) -> None:
    """The nonce is demanded if the bundle has one, and the asset may be pinned."""
    audience = ("--audience", AUDIENCE)
    assert run(files, *VERIFY, *audience, "--nonce", "5a" * 32)[0] == 0
    assert run(files, *VERIFY, *audience, "--nonce", "5a" * 32, "--asset", "cn-pv-0042")[0] == 0
    code, _, err = run(files, *VERIFY, *audience)
    assert code == 1
    assert "--nonce" in err
    code, _, err = run(files, *VERIFY, *audience, "--nonce", "5a" * 32, "--asset", "cn-pv-1")
    assert (code, "about asset cn-pv-0042" in err) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        VERIFY,
        (*VERIFY, "--request", "request.json", "--audience", "A"),
        (*VERIFY, "--request", "request.json", "--nonce", "5a" * 32),
        (*VERIFY, "--audience", "A", "--nonce", "zz"),
        (*VERIFY, "--audience", ""),
        ("verify", "good.proof.json", "--request", "request.json"),
        ("verify", "missing.json", "--trust", "trust.toml", "--request", "request.json"),
        ("verify", "--trust", "trust.toml"),
        ("unknown",),
        ("request", "new"),
        ("trust", "add", "t.toml"),
        ("trust", "add", "t.toml", "--custodian"),
        ("trust", "add", "t.toml", "--authority", "--asset", "cn-*"),
        ("trust", "add", "t.toml", "--set", "fuels"),
        ("generators", "--norm", "1"),
    ],
)
def test_wrong_usage_is_2(files: Path, arguments: tuple[str, ...]) -> None:
    """Without an expectation, with two, without files, without a trust file."""
    code, out, err = run(files, *arguments)
    assert (code, out) == (2, "")
    assert "Error" in err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("good.proof.json", good()[1][:-9], "ENCODING"),
        ("good.proof.json", good()[1] + b"\n", "ENCODING"),
        ("good.proof.json", small()[1], "CONTEXT"),
        ("good.proof.json", b"\xff\xfe\x00", "ENCODING"),
        ("good.proof.json", b"[" * 10_000, "ENCODING"),
    ],
)
def test_a_bad_bundle_is_1(files: Path, name: str, content: bytes, reason: str) -> None:
    """The reason on standard error; with --json one object on standard output."""
    (files / name).write_bytes(content)
    code, out, err = run(files, *VERIFY, "--request", "request.json")
    assert (code, out) == (1, "")
    assert f"NOT VERIFIED 未通过验证 ({reason}): " in err
    code, out, err = run(files, *VERIFY, "--request", "request.json", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["reason"] == reason


@pytest.mark.parametrize("name", ["trust.toml", "request.json", "fuels.set"])
def test_a_bad_file_of_ones_own_is_1(files: Path, name: str) -> None:
    """What is not readable is said in one line."""
    (files / name).write_bytes(b"\x00\xff nonsense")
    code, out, err = run(files, *VERIFY, "--request", "request.json")
    assert (code, out) == (1, "")
    assert err.startswith("crossproof: ")
    assert err.count("\n") == 1


def test_json_of_a_verdict(files: Path) -> None:
    """Standard output holds one object a file and nothing else."""
    code, out, err = run(files, *VERIFY, "--request", "request.json", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["verified"], found["asset"]) == (True, "cn-pv-0042")


def test_several_files_have_a_verdict_each(files: Path) -> None:
    """One bad file makes the exit code 1 and hides no other verdict."""
    audience = ("--audience", AUDIENCE, "--nonce", "5a" * 32)
    more = ("verify", "small.proof.json", "good.proof.json", "--trust", "trust.toml")
    code, out, _ = run(files, *more, *SETS, *audience, "--json")
    assert (code, [json.loads(line)["verified"] for line in out.splitlines()]) == (0, [True, True])
    code, out, _ = run(files, *more, *audience, "--json")
    assert (code, [json.loads(line)["verified"] for line in out.splitlines()]) == (1, [True, False])
    code, _, err = run(files, *more, *audience)
    assert (code, "small.proof.json" in err, "NOT ALL VERIFIED" in err) == (1, True, True)


def test_a_file_name_repaints_no_verdict(files: Path) -> None:
    """Whoever sends a bundle also names its file: escapes, line ends and overrides are escaped."""
    name = "a\x1b[2K\nVERIFIED\u202e.json"
    (files / name).write_bytes(b"{}")
    audience = ("--trust", "trust.toml", "--audience", AUDIENCE)
    for verbose in ((), ("--verbose",)):
        code, _, err = run(files, "verify", name, "small.proof.json", *audience, *verbose)
        assert (code, "\x1b" in err, "\u202e" in err) == (1, False, False)
        assert "a\\x1b[2K\\nVERIFIED\\u202e" in err
    (files / name).unlink()
    (files / name).mkdir()
    code, _, err = run(files, "verify", name, *audience)
    assert (code, "\x1b" in err, "\u202e" in err) == (2, False, False)


def test_inspect_repaints_nothing(files: Path) -> None:
    """Facts are printed unparsed; those that could move the cursor are refused first."""
    tree = json.loads(small()[1])
    tree["facts"] = ["a >= 1\x1b[2J\x1b[HVERIFIED"]
    (files / "bad.json").write_bytes(canonical.dump(tree))
    code, out, err = run(files, "inspect", "bad.json")
    assert (code, out, "\x1b" in err) == (1, "", False)
    assert "U+001B" in err


def test_inspect_marks_its_output(files: Path) -> None:
    """It prints what the bundle says, and that nothing was checked."""
    code, out, err = run(files, "inspect", "good.proof.json")
    assert (code, out) == (0, "")
    assert err.startswith("UNVERIFIED")
    assert "cn-pv-0042" in err
    (files / "good.proof.json").write_bytes(b"{}")
    code, _, err = run(files, "inspect", "good.proof.json")
    assert (code, err.count("\n")) == (1, 1)


def test_generators_are_recomputed(files: Path) -> None:
    """Names, points and digests on standard output, the same each time."""
    code, out, err = run(files, "generators", "--norm", "16", "--powers", "3")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names[0] == "tag"
    assert names[1:10] == ["G", "H", *[f"H_{n}" for n in range(1, 8)]]
    assert [line.split()[1:3] for line in lines if line.startswith("digest")] == [
        ["range", "16"],
        ["membership", "2"],
        ["membership", "3"],
    ]
    assert len({line.split()[1] for line in lines if len(line.split()) == 2}) == len(lines) - 3


# --- request new --------------------------------------------------------------------------------

NEW = ("request", "new", "--schema", "schema.json", "--asset", "cn-pv-1", "--audience", "海港基金")


def new(files: Path, *arguments: str, output: str = "new.json") -> tuple[int, str, str]:
    return run(files, *NEW, "--purpose", "Due diligence", *arguments, "-o", output)


def test_a_new_request(files: Path) -> None:
    """Canonical facts, a fresh nonce, mode 0644, and the digest on standard output."""
    code, out, err = new(files, "--fact", "annual_yield in 8.00%..12%", "--fact", "capacity>=20 MW")
    assert code == 0
    data = (files / "new.json").read_bytes()
    found = Request.parse(data)
    assert out == f"{found.digest}\n"
    assert found.facts == ("annual_yield in 0.08..0.12", "capacity >= 20 MW")
    assert found.documents[0].schema == schema().digest
    assert (found.expires - found.created).days == 30
    assert stat.S_IMODE((files / "new.json").stat().st_mode) == 0o644
    assert "asks: capacity >= 20 MW" in err
    new(files, "--fact", "capacity >= 20 MW", output="other.json")
    assert Request.parse((files / "other.json").read_bytes()).nonce != found.nonce


def test_a_new_request_about_several_documents(files: Path) -> None:
    """Facts say ALIAS.attribute; days are fixed in the text when the request is made."""
    (files / "book.json").write_bytes(books.book().encode())
    common = ("--audience", "A", "--purpose", "P", "-o", "new.json")
    documents = ("--document", "b", "cn-pv-2", "book.json", "--document", "a", "cn-pv-1")
    facts = ("a.debt*100 <= b.valuation * 60", "b.closed >= today - 90d")
    asked = [word for fact in facts for word in ("--fact", fact)]
    code, out, err = run(files, "request", "new", *documents, "book.json", *asked, *common)
    assert (code, out) == (0, Request.parse((files / "new.json").read_bytes()).digest + "\n")
    found = Request.parse((files / "new.json").read_bytes())
    assert [(each.alias, each.asset) for each in found.documents] == [
        ("a", "cn-pv-1"),
        ("b", "cn-pv-2"),
    ]
    shanghai = found.created + timedelta(hours=8)
    day = (shanghai.date() - timedelta(days=90)).isoformat()
    assert found.facts == ("a.debt * 100 <= b.valuation * 60", f"b.closed >= {day}")
    assert f"asks: b.closed >= {day}" in err


@pytest.mark.parametrize(
    "about",
    [
        (),
        ("--asset", "cn-pv-1"),
        ("--schema", "schema.json"),
        ("--asset", "x", "--schema", "schema.json", "--document", "a", "x", "schema.json"),
        ("--document", "a", "x", "schema.json", "--document", "a", "y", "schema.json"),
    ],
)
def test_a_request_says_once_what_it_is_about(files: Path, about: tuple[str, ...]) -> None:
    """One document by --asset and --schema, or all of them by --document."""
    rest = ("--fact", "capacity >= 20 MW", "--audience", "A", "--purpose", "P", "-o", "new.json")
    code, _, err = run(files, "request", "new", *about, *rest)
    assert (code, "--document" in err) == (2, True)
    assert not (files / "new.json").exists()


def test_verdicts_about_several_documents(files: Path) -> None:
    """The table and the claims head each document by its alias; JSON lists them."""
    found, data = books.good()
    (files / "books.proof.json").write_bytes(data)
    (files / "books.request.json").write_bytes(found.request.data)
    schemas = [books.book().digest, schema().digest]
    (files / "trust.toml").write_text(trust_text(custodian={"schemas": schemas}), encoding="utf-8")
    common = ("verify", "books.proof.json", "--trust", "trust.toml", "--set", "fuels.set")
    code, _, err = run(files, *common, "--request", "books.request.json")
    assert code == 0
    heads = [line.split()[1] for line in err.splitlines() if line.startswith("文件")]
    assert heads == ["a", "b", "plant"]
    assert "1. a.debt * 100 <= a.valuation * 60" in err
    code, out, _ = run(files, *common, "--request", "books.request.json", "--json")
    verdict = json.loads(out)
    assert [each["alias"] for each in verdict["documents"]] == ["a", "b", "plant"]
    assert "asset" not in verdict
    code, _, claims = run(files, "inspect", "books.proof.json")
    assert (code, claims.count("文件")) == (0, 3)


@pytest.mark.parametrize(
    ("expires", "hours"), [("12h", 12), ("2d", 48), ("9999-12-31", None), ("x", 0), ("0d", 0)]
)
def test_when_a_request_expires(files: Path, expires: str, hours: int | None) -> None:
    """A span, a day or an instant; anything else is refused."""
    code, _, err = new(files, "--fact", "capacity >= 20 MW", "--expires", expires)
    assert code == (1 if hours == 0 else 0)
    if hours == 0:
        assert "--expires" in err
    elif hours is not None:
        found = Request.parse((files / "new.json").read_bytes())
        assert (found.expires - found.created).total_seconds() == hours * 3600


def test_a_request_names_its_sets(files: Path) -> None:
    """By authority and digest, from the file; with --trust its signature is checked too."""
    fact = ("--fact", "owner not in @sanctions")
    code, _, err = new(files, *fact)
    assert (code, "give its file with --set" in err) == (1, True)
    code, _, _ = new(files, *fact, "--set", "sanctions.set", "--trust", "trust.toml")
    assert code == 0
    found = Request.parse((files / "new.json").read_bytes())
    assert [each.name for each in found.sets] == ["sanctions"]
    other = trust_text(least_version=9)
    (files / "trust.toml").write_text(other, encoding="utf-8")
    code, _, err = new(
        files, *fact, "--set", "sanctions.set", "--trust", "trust.toml", output="again.json"
    )
    assert (code, "asks for 9 at least" in err) == (1, True)


@pytest.mark.parametrize(
    "fact",
    [
        "capacity = 20 MW",
        "capacity >= 20 kWh",
        "height >= 3",
        "capacity in 30..20 MW",
        "owner in {a, b}",
        "",
        "capacity >= 20 MW\n",
    ],
)
def test_a_fact_that_cannot_be_asked(files: Path, fact: str) -> None:
    """Refused from the schema alone, and no file is written."""
    code, out, err = new(files, "--fact", fact)
    assert (code, out) == (1, "")
    assert err.startswith("crossproof: ")
    assert not (files / "new.json").exists()


def test_a_request_is_never_overwritten(files: Path) -> None:
    """The nonce of the one before would be lost."""
    assert new(files, "--fact", "capacity >= 20 MW")[0] == 0
    before = (files / "new.json").read_bytes()
    code, _, err = new(files, "--fact", "capacity >= 30 MW")
    assert (code, "exists" in err) == (1, True)
    assert (files / "new.json").read_bytes() == before
    code, _, err = new(files, "--fact", "capacity >= 20 MW", output="no/such/dir.json")
    assert (code, "No such file" in err) == (1, True)


def test_a_schema_as_a_person_writes_it(files: Path) -> None:
    """Its canonical form, and so its digest, is the same."""
    (files / "schema.json").write_text(SCHEMA_TEXT, encoding="utf-8")
    assert new(files, "--fact", "capacity >= 20 MW")[0] == 0
    found = Request.parse((files / "new.json").read_bytes())
    assert found.documents[0].schema == schema().digest


# --- trust --------------------------------------------------------------------------------------


def add(files: Path, kind: str, seed: int, *more: str, text: str = "") -> tuple[int, str, str]:
    entry = signer_entry(seed)
    return run(
        files,
        *("trust", "add", "mine.toml", f"--{kind}", "--key", str(entry["key"])),
        *("--name-en", str(entry["name_en"]), "--name-zh", str(entry["name_zh"])),
        *("--valid-from", "2020-01-01", "--valid-until", "2100-01-01T00:00:00Z"),
        *more,
        text=text,
    )


def test_a_trust_file_made_by_command(files: Path) -> None:
    """With it the bundle verifies: a custodian, an authority and its two sets."""
    code, _, err = add(
        files,
        "custodian",
        CUSTODIAN,
        *("--schema", "schema.json", "--asset", "cn-pv-*"),
        *("--fingerprint", key_id(public_key(CUSTODIAN))),
    )
    assert (code, err) == (0, "mine.toml: added\n")
    fingerprint = key_id(public_key(AUTHORITY))
    code, _, _ = add(
        files, "authority", AUTHORITY, "--set", "fuels", "--least-version", "2", text=fingerprint
    )
    assert code == 0
    code, _, _ = run(files, "trust", "add", "mine.toml", "--set", f"sanctions={fingerprint}")
    assert code == 0
    trust = Trust.parse((files / "mine.toml").read_bytes())
    assert [(each.name, each.least_version) for each in trust.sets] == [
        ("fuels", 2),
        ("sanctions", 1),
    ]
    verify = [each if each != "trust.toml" else "mine.toml" for each in VERIFY]
    assert run(files, *verify, "--request", "request.json")[0] == 0
    code, out, err = run(files, "trust", "show", "mine.toml")
    assert (code, out) == (0, "")
    assert "示例托管有限公司" in err


@pytest.mark.parametrize("answer", ["", "\n", "0" * 64, key_id(public_key(STRANGER))])
def test_a_key_is_not_trusted_at_first_sight(files: Path, answer: str) -> None:
    """Without the right fingerprint nothing is written, and it is not shown before it is asked."""
    code, out, err = add(files, "custodian", CUSTODIAN, text=answer)
    assert (code, out) == (1, "")
    assert not (files / "mine.toml").exists()
    before, _, _ = err.partition("the key's fingerprint is")
    assert key_id(public_key(CUSTODIAN)) not in before


def test_a_key_from_a_file(files: Path) -> None:
    """A file that holds the base64, with its line end."""
    (files / "key.txt").write_text(f"{signer_entry(AUTHORITY)['key']}\n")
    arguments = ["trust", "add", "mine.toml", "--authority", "--key", "key.txt", "--name-en", "A"]
    arguments += ["--name-zh", "甲", "--valid-from", "2020-01-01", "--valid-until", "2100-01-01"]
    assert run(files, *arguments, "--fingerprint", key_id(public_key(AUTHORITY)))[0] == 0
    (files / "key.txt").write_bytes(b"\xff\n")
    code, _, err = run(files, *arguments, "--fingerprint", key_id(public_key(AUTHORITY)))
    assert (code, "--key" in err) == (1, True)


def test_a_refused_entry_leaves_the_file_as_it_was(files: Path) -> None:
    """The same key a second time."""
    fingerprint = ("--fingerprint", key_id(public_key(CUSTODIAN)))
    assert add(files, "custodian", CUSTODIAN, *fingerprint)[0] == 0
    before = (files / "mine.toml").read_bytes()
    code, _, err = add(files, "custodian", CUSTODIAN, *fingerprint)
    assert (code, "pinned twice" in err) == (1, True)
    assert (files / "mine.toml").read_bytes() == before
    assert [path.name for path in files.iterdir() if path.name.startswith(".")] == []


# --- start-up -----------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    """No curve, no parser, no table for a help text."""
    heavy = ["py_arkworks_bls12381", "flint", "lark", "rich", "cryptography", "rfc8785"]
    program = (
        f"import sys, proofs.cli\nprint([name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


def test_the_commands_are_these() -> None:
    """The help names every command once."""
    result: Result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for name in ("request", "trust", "verify", "inspect", "generators"):
        assert f"\n  {name} " in result.output
