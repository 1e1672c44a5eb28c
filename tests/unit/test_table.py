"""Tables are read strictly, as a stream, and refused with the line that is wrong."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.client import table
from vault.errors import InvalidInputError, NotFoundError


def read(tmp_path: Path, data: bytes) -> tuple[table.Survey, list[table.TableRow]]:
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    found = table.survey(path)
    return found, list(table.read_rows(found))


def refusal(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    with pytest.raises(InvalidInputError) as caught:
        table.survey(path)
    return str(caught.value).removeprefix(f"{path}, ")


def test_rows_have_numbers_and_lines(tmp_path: Path) -> None:
    """A quoted cell may hold line breaks; numbers count rows, lines are those of the file."""
    found, rows = read(tmp_path, b'a,b\n1,"x\ny"\n\n2,z\n')
    assert found.columns == ("a", "b")
    assert found.rows == 2
    assert [(r.number, r.line, r.cells, r.problem) for r in rows] == [
        (1, 2, ("1", "x\ny"), None),
        (2, 5, ("2", "z"), None),
    ]


@pytest.mark.parametrize(
    "data",
    [
        "id,名称\n1,光伏电站\n".encode(),
        b"\xef\xbb\xbf" + "id,名称\n1,光伏电站\n".encode(),
        "id,名称\r\n1,光伏电站\r\n".encode(),
        "id,名称\n1,光伏电站".encode(),
    ],
    ids=["plain", "byte order mark", "CRLF", "no last line end"],
)
def test_spellings_of_one_table(tmp_path: Path, data: bytes) -> None:
    """A byte order mark, Windows line ends and a missing last one change no cell."""
    found, rows = read(tmp_path, data)
    assert found.columns == ("id", "名称")
    assert [r.cells for r in rows] == [("1", "光伏电站")]


def test_cells_are_not_trimmed(tmp_path: Path) -> None:
    """A space in a cell is part of it: whether it may stand there is the schema's to say."""
    _, rows = read(tmp_path, b"a,b\n 1 ,\n")
    assert rows[0].cells == (" 1 ", "")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "line 1: the first line must name the columns, and is empty"),
        (b"\na,b\n", "line 1: the first line must name the columns, and is empty"),
        (b"a,b,a\n", "line 1: two columns are named 'a'"),
        (b"a,,b\n", "line 1: column 2 has no name"),
        (b"a;b\n1;2\n", "line 1: the columns of a table are separated by commas"),
        (
            b"a,b\n1,2\n3,\xb5\n",
            "line 3: not UTF-8 (byte 0xb5 at 3); save the table as UTF-8",
        ),
        (b"a,b\n1,\x002\n", "line 2: a NUL byte; this is no text"),
        ("a,b\n".encode("utf-16"), "line 1: this is UTF-16; save the table as UTF-8"),
    ],
)
def test_broken_tables(tmp_path: Path, data: bytes, expected: str) -> None:
    """What is no table is refused whole, with the line."""
    assert refusal(tmp_path, data) == expected


@pytest.mark.parametrize("data", [b'a,b\n1,"x\n2,y\n', b'a,b\n1,"x"y\n', b"a,b\n1,x\ry\n"])
def test_quotes_and_line_breaks_out_of_place(tmp_path: Path, data: bytes) -> None:
    """After a quote that does not close nobody knows what a cell is: the table is refused."""
    assert "(in the row that begins in line 2)" in refusal(tmp_path, data)


def test_control_characters_in_the_header(tmp_path: Path) -> None:
    """Names of columns are shown on terminals; none may move the cursor."""
    assert "the name of column 2" in refusal(tmp_path, b"a,\x1b[2J\n")


def test_rows_of_another_length_are_given_with_their_problem(tmp_path: Path) -> None:
    """A ragged row goes to the report of refused rows and stops nothing."""
    _, rows = read(tmp_path, b"a,b\n1\n1,2,3\n1,2\n")
    assert [r.problem for r in rows] == [
        "1 cells, and the header names 2 columns",
        "3 cells, and the header names 2 columns",
        None,
    ]


def test_over_long_cells(tmp_path: Path) -> None:
    """One character past the bound is a problem of the row; ten megabytes are none of a table."""
    _, rows = read(tmp_path, b"a,b\n1," + b"x" * table.MAX_CELL + b"\n")
    assert rows[0].problem is None
    _, rows = read(tmp_path, b"a,b\n1," + b"x" * (table.MAX_CELL + 1) + b"\n")
    assert rows[0].problem == "column b: 32,768 characters; at most 32,767 are allowed"
    expected = "line 2: a row of more than 1,048,576 bytes; does a quote not close?"
    assert refusal(tmp_path, b"a,b\n1," + b"x" * 10_000_000 + b"\n") == expected
    assert "in line 2" in refusal(tmp_path, b'a,b\n1,"' + b"x\n" * 5_000_000)


def test_a_table_that_changes_meanwhile(tmp_path: Path) -> None:
    """What was counted and checked is what is read, or the reading ends with a refusal."""
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,2\n")
    found = table.survey(path)
    path.write_bytes(b"a,b\n1,3\n")
    with pytest.raises(InvalidInputError, match="was changed while it was read"):
        list(table.read_rows(found))
    path.write_bytes(b"a,c\n1,2\n")
    with pytest.raises(InvalidInputError, match="was changed while it was read"):
        list(table.read_rows(found))


def test_no_such_file(tmp_path: Path) -> None:
    """A missing file is a refusal like any other."""
    with pytest.raises(NotFoundError):
        table.survey(tmp_path / "none.csv")


@given(
    rows=st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20),
            min_size=2,
            max_size=2,
        ),
        max_size=20,
    )
)
@settings(max_examples=60, deadline=None)
def test_what_a_writer_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Any cells that the standard writer quotes come back as they were."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    _, found = read(tmp_path_factory.mktemp("t"), text.getvalue().encode())
    assert [list(row.cells) for row in found] == rows


@given(data=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever the bytes, a table comes out or our own refusal."""
    path = tmp_path_factory.mktemp("t") / "table.csv"
    path.write_bytes(data)
    try:
        found = table.survey(path)
    except InvalidInputError:
        return
    assert len(list(table.read_rows(found))) == found.rows
