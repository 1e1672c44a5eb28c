"""Lists made again from their source: the signed members, all of them, or a refusal that counts."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import (
    ASSET,
    AUTHORITY,
    STRANGER,
    good,
    named_set,
    private_key,
    schema,
    sets,
    trust_text,
)
from support.crossproof import run

from proofs import envelope
from proofs.canonical import dump
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError, SetError
from proofs.named_set import NamedSet
from proofs.request import Request
from proofs.set_source import read_texts, rebuild

SANCTIONS = named_set("sanctions")
FUELS = named_set("fuels")


def _signed(named: NamedSet, members: list[str], *, version: int) -> NamedSet:
    """Another version of a set, with other members."""
    first = named.header
    header = NamedSet.make_header(
        first.type.read(members),
        name=first.name,
        version=version,
        member_type=first.type,
        issued=first.issued,
        valid_until=first.valid_until,
        source=first.source,
        as_of=first.as_of,
    )
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    return NamedSet.assemble(Envelope.parse(signed), first.type.read(members))


# --- reading a source ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "table", "column", "expected"),
    [
        ("a\nb\n\n  \nc", False, None, ["a", "b", "c"]),
        ("\ufeffa\r\nb\r\n", False, None, ["a", "b"]),
        ("name,id\nA,1\nB,2\n", True, None, ["A", "B"]),
        ("name,id\nA,1\nB,2\n", True, "id", ["1", "2"]),
        ('name,id\n"A, Ltd",1\n,2\nB\n', True, "name", ["A, Ltd", "B"]),
        ('name\n"two\nlines"\n', True, None, ["two\nlines"]),
    ],
)
def test_texts_and_tables(data: str, table: bool, column: str | None, expected: list[str]) -> None:
    """Lines that are not empty, or the cells of the named or the first column."""
    found = read_texts(data.encode(), table=table, column=column, where="x")
    assert found == expected


@pytest.mark.parametrize(
    ("data", "table", "column", "message"),
    [
        (b"\xff\n", False, None, "UTF-8 .byte 0"),
        (b"\n\n", False, None, "no members"),
        (b"", True, None, "no columns"),
        (b"name\n", True, None, "no members"),
        (b"name,id\nA,1\n", True, "ID", "0 columns 'ID'; it has 'name', 'id'"),
        (b"name,name\nA,1\n", True, "name", "2 columns"),
        (b'name\n"A\n', True, None, "line"),
        (b"name\n" + b"A" * 200_000, True, None, "after line 1"),
    ],
)
def test_refuses_a_source(data: bytes, table: bool, column: str | None, message: str) -> None:
    """What cannot be read, holds nothing, or could be read in two ways, by an error of ours."""
    with pytest.raises(SetError, match=message):
        read_texts(data, table=table, column=column, where="x.csv")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.booleans(), st.none() | st.text(max_size=5))
def test_noise_is_read_or_refused(data: bytes, table: bool, column: str | None) -> None:
    """No bytes make anything but texts or an error of this package."""
    with contextlib.suppress(CrossproofError):
        assert all(read_texts(data, table=table, column=column, where="x"))


# --- the same list ------------------------------------------------------------------------------


def test_the_signed_list_in_another_spelling_is_rebuilt() -> None:
    """Order, case, width and repetitions of the source do not matter; the members are its own."""
    texts = [str(member).upper() for member in reversed(SANCTIONS.members)]
    (found,) = rebuild([SANCTIONS], [*texts, texts[0]], where="list.csv")
    assert found == replace(SANCTIONS, scalars=found.scalars, rebuilt_from="list.csv")
    assert found.scalars.digest == SANCTIONS.scalars.digest
    assert found.members is not SANCTIONS.members


def test_the_header_alone_is_enough() -> None:
    """No member comes from the authority."""
    texts = list(map(str, SANCTIONS.members))
    (found,) = rebuild([SANCTIONS.envelope], texts, where="list.csv")
    assert (found.header, found.members) == (SANCTIONS.header, SANCTIONS.members)


@pytest.mark.parametrize("whole", [True, False])
def test_a_list_that_differs_is_refused_and_counted(whole: bool) -> None:
    """One more and one less are two that differ; without the signed texts only sizes are known."""
    texts = ["somebody else", *map(str, SANCTIONS.members[1:])]
    with pytest.raises(SetError) as caught:
        rebuild([SANCTIONS if whole else SANCTIONS.envelope], texts, where="list.csv")
    said = str(caught.value)
    assert said.startswith("@sanctions: list.csv is not the list that was signed as version ")
    if whole:
        gone = SANCTIONS.members[0]
        assert "2 entries differ" in said
        assert '1 only in it (such as "somebody else")' in said
        assert f'1 only among the signed (such as "{gone}")' in said
    else:
        count = f"{SANCTIONS.header.count:,}"
        assert f"it has {count} entries, {count} were signed" in said


def test_an_entry_that_cannot_be_read_is_named() -> None:
    """A list with something invisible in it is none."""
    with pytest.raises(SetError, match=r"list\.csv: member 2: .*200B"):
        rebuild([SANCTIONS], ["good", "b\u200bad"], where="list.csv")


def test_the_version_with_these_members_is_found() -> None:
    """Of several versions those that the source is, and no other one; the newest is compared."""
    older = _signed(FUELS, ["COAL", "HYDRO"], version=1)
    newest = _signed(FUELS, ["GAS"], version=9)
    again = _signed(FUELS, ["COAL", "HYDRO"], version=2)
    found = rebuild([older, newest, again], ["hydro", "coal"], where="x")
    assert [each.header.version for each in found] == [1, 2]
    with pytest.raises(SetError, match="version 9"):
        rebuild([older, newest, again], ["hydro"], where="x")


# --- the command --------------------------------------------------------------------------------

VERIFY = ("verify", "good.proof.json", "--trust", "trust.toml", "--request", "request.json")
FILES = ("--set", "fuels.set", "--set", "sanctions.set")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A bundle about two sets, both signed, and the source of one: a table of two columns."""
    (tmp_path / "good.proof.json").write_bytes(good()[1])
    (tmp_path / "request.json").write_bytes(good()[0].request.data)
    (tmp_path / "trust.toml").write_text(trust_text(), encoding="utf-8")
    for each in sets():
        (tmp_path / f"{each.name}.set").write_bytes(each.export())
        (tmp_path / f"{each.name}.header").write_bytes(each.envelope.encode() + b"\n")
    rows = "".join(f'{n},"{member}"\n' for n, member in enumerate(SANCTIONS.members))
    (tmp_path / "sdn.csv").write_text(f"number,name\n{rows}", encoding="utf-8")
    (tmp_path / "sdn.txt").write_text("\n".join(map(str, SANCTIONS.members)), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("head", ["sanctions.set", "sanctions.header"])
@pytest.mark.parametrize("source", ["sdn.csv:name", "sdn.txt", "./sdn.csv:name"])
def test_a_bundle_is_verified_with_a_list_of_ones_own(files: Path, head: str, source: str) -> None:
    """The verdict says from which file, for people and for machines, and of which set."""
    options = ("--set", "fuels.set", "--set", head, "--set", f"sanctions={source}")
    code, _, said = run(files, *VERIFY, *options)
    name = source.partition(":")[0].removeprefix("./")
    assert code == 0, said
    assert f"rebuilt 已重建 from {name}: the same list" in said
    assert said.count("rebuilt") == 1
    code, out, _ = run(files, *VERIFY, *options, "--json")
    by_name = {each["name"]: each["rebuilt_from"] for each in json.loads(out)["sets"]}
    assert by_name == {"fuels": None, "sanctions": name}


def test_a_request_is_made_with_a_list_of_ones_own(files: Path) -> None:
    """Who asks need not take the members from anyone either; the request names the signed set."""
    (files / "schema.json").write_bytes(schema().encode())
    ask = ("request", "new", "--schema", "schema.json", "--asset", ASSET, "--audience", "A")
    ask += ("--purpose", "P", "--fact", "owner not in @sanctions", "-o", "new.json")
    options = ("--set", "sanctions.header", "--set", "sanctions=sdn.txt", "--trust", "trust.toml")
    code, _, said = run(files, *ask, *options)
    assert code == 0, said
    assert Request.parse((files / "new.json").read_bytes()).sets == (SANCTIONS.reference,)


def test_without_a_source_nothing_is_rebuilt(files: Path) -> None:
    """The line stands only where somebody looked."""
    code, _, said = run(files, *VERIFY, *FILES)
    assert (code, "rebuilt" in said) == (0, False)


def test_a_source_that_differs_is_refused(files: Path) -> None:
    """One row changed: not verified, although the signed set itself is at hand."""
    table = files / "sdn.csv"
    table.write_text(table.read_text().replace(str(SANCTIONS.members[0]), "nobody"))
    code, out, said = run(files, *VERIFY, *FILES, "--set", "sanctions=sdn.csv:name")
    assert (code, out) == (1, "")
    assert "2 entries differ" in said


def test_another_version_beside_the_source_is_not_believed(files: Path) -> None:
    """A bundle about the signed version is refused where the source is another version."""
    other = _signed(SANCTIONS, ["somebody", "else"], version=1)
    (files / "other.set").write_bytes(other.export())
    (files / "other.txt").write_text("else\nsomebody\n")
    options = (*FILES, "--set", "other.set", "--set", "sanctions=other.txt")
    code, _, said = run(files, *VERIFY, *options)
    assert code == 1
    assert "another version" in said


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--set", "sanctions=sdn.csv"), 1, "signed set's file or its header"),
        (("--set", "sanctions.header"), 1, "only its header"),
        (("--set", "sanctions=missing.csv"), 2, "missing.csv"),
        (("--set", "sanctions.set", "--set", "sanctions=sdn.csv:nome"), 1, "0 columns 'nome'"),
        (("--set", "sanctions.set", "--set", "sanctions=sdn.csv"), 1, "entries differ"),
        (("--set", "no.set"), 2, "no.set"),
        (("--set", "sdn.csv"), 1, "crossproof:"),
    ],
)
def test_what_cannot_be_used_is_said(
    files: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    """Wrong usage is 2, a list that is not the signed one 1, without a traceback."""
    found, _, said = run(files, *VERIFY, *options)
    assert (found, "Traceback" in said) == (code, False)
    assert message in said.replace("\n", " ")


def test_a_file_whose_name_reads_as_a_source(files: Path) -> None:
    """`./a=b.set` is a file; a colon is no column where there is a file of that name."""
    (files / "a=fuels.set").write_bytes(FUELS.export())
    (files / "sdn.csv:name").write_text("\n".join(map(str, SANCTIONS.members)))
    options = (
        "--set",
        "./a=fuels.set",
        "--set",
        "sanctions.set",
        "--set",
        "sanctions=sdn.csv:name",
    )
    code, _, said = run(files, *VERIFY, *options)
    assert code == 0, said
    assert "sdn.csv:name" in said


def test_a_forged_header_is_not_believed(files: Path) -> None:
    """Whoever rebuilds a list still needs the authority's word for it."""
    header = replace(SANCTIONS.header, version=99)
    forged = envelope.sign(PayloadType.SET, header.encode(), private_key(STRANGER))
    (files / "forged.header").write_bytes(forged + b"\n")
    options = ("--set", "fuels.set", "--set", "forged.header", "--set", "sanctions=sdn.txt")
    code, _, said = run(files, *VERIFY, *options)
    assert code == 1
    assert "NOT VERIFIED" in said
    grant = envelope.sign(PayloadType.GRANT, dump({"a": 1}), private_key(AUTHORITY))
    (files / "forged.header").write_bytes(grant + b"\n")
    code, _, said = run(files, *VERIFY, *options)
    assert code == 1
    assert "not as a set" in said
