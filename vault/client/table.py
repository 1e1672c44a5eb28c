"""Reading a CSV table strictly and as a stream: a header line, then rows of text cells.

`survey` reads the table once before anything is done with it, so that a table that is broken in
its last line is refused before its first row is stored. It refuses, naming the line: bytes that
are not UTF-8 (a byte order mark is allowed), NUL bytes, quotes that do not close, a header with
empty, repeated or unprintable names, and lines without end. A row with too few or too many cells,
or with an over-long one, is given out with its problem, for the report of refused rows. Cells are
neither trimmed nor interpreted here.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from proofs.errors import CrossproofError
from proofs.normaliser import safe_for_display
from vault.errors import InvalidInputError, NotFoundError

MAX_CELL: Final = 32_767
"""Characters of one cell, as in the spreadsheets that tables come from."""

MAX_RECORD: Final = 1 << 20
"""Bytes of one row; more is a quote that never closes, or no table."""

MAX_COLUMNS: Final = 1000
_MAX_NAME: Final = 200
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number without the header, the line of the file that it begins on, its cells.

    `problem` says why the row cannot be used as it stands, and is None where it can.
    """

    number: int
    line: int
    cells: tuple[str, ...] = field(repr=False)
    problem: str | None


@dataclass(frozen=True, slots=True)
class Survey:
    """A table that was read once from end to end: its columns, how many rows, which bytes.

    `digest` is SHA-256 of the file. It is one of plain values: it stays in memory.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    digest: bytes = field(repr=False)


def survey(path: Path) -> Survey:
    """Read the whole table for its form. Raises NotFoundError or InvalidInputError."""
    with _open(path) as file:
        reading = _Reading(file, path)
        count = sum(1 for _ in reading.rows())
        return Survey(path, reading.columns, count, reading.digest())


def read_rows(table: Survey) -> Iterator[TableRow]:
    """The rows of a surveyed table, one after the other.

    Raises InvalidInputError at the end when the file is no longer the one that was surveyed.
    """
    with _open(table.path) as file:
        reading = _Reading(file, table.path)
        if reading.columns != table.columns:
            raise _changed(table.path)
        yield from reading.rows()
        if reading.digest() != table.digest:
            raise _changed(table.path)


class _Reading:
    """One pass over an open file."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._hash = hashlib.sha256()
        self._line = 0
        self._record = 0  # bytes of the record that is being read
        self._reader = csv.reader(self._lines(), strict=True)
        self.columns = self._header()

    def digest(self) -> bytes:
        """SHA-256 of what was read so far: of the file, after the last row."""
        return self._hash.digest()

    def rows(self) -> Iterator[TableRow]:
        """All rows after the header; empty lines are none."""
        number = 0
        while True:
            line = self._line + 1
            cells = self._next()
            if cells is None:
                return
            if not cells:
                continue
            number += 1
            yield TableRow(number, line, tuple(cells), self._problem(cells))

    def _header(self) -> tuple[str, ...]:
        names = self._next()
        if not names:
            raise self._refuse(1, "the first line must name the columns, and is empty")
        if len(names) > MAX_COLUMNS:
            raise self._refuse(1, f"{len(names)} columns; at most {MAX_COLUMNS} are allowed")
        seen: set[str] = set()
        for place, name in enumerate(names, start=1):
            if not name.strip():
                raise self._refuse(1, f"column {place} has no name")
            try:
                safe_for_display(name, limit=_MAX_NAME)
            except CrossproofError as error:
                raise self._refuse(1, f"the name of column {place}: {error}") from None
            if name in seen:
                raise self._refuse(1, f"two columns are named {name!a}")
            seen.add(name)
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            raise self._refuse(1, "the columns of a table are separated by commas")
        return tuple(names)

    def _problem(self, cells: list[str]) -> str | None:
        expected = len(self.columns)
        if len(cells) != expected:
            return f"{len(cells)} cells, and the header names {expected} columns"
        for name, cell in zip(self.columns, cells, strict=True):
            if len(cell) > MAX_CELL:
                return f"column {name}: {len(cell):,} characters; at most {MAX_CELL:,} are allowed"
        return None

    def _next(self) -> list[str] | None:
        start = self._line + 1
        self._record = 0
        try:
            return next(self._reader, None)
        except csv.Error as error:
            where = start if start == self._line else self._line
            raise self._refuse(where, f"{error} (in the row that begins in line {start})") from None

    def _lines(self) -> Iterator[str]:
        """Decoded lines with their ends, each bounded before it is read."""
        while True:
            line = self._file.readline(MAX_RECORD + 1)
            if not line:
                return
            self._hash.update(line)
            if self._line == 0:
                if line.startswith(_UTF16):
                    raise self._refuse(1, "this is UTF-16; save the table as UTF-8")
                line = line.removeprefix(_BOM)
            self._line += 1
            self._record += len(line)
            if self._record > MAX_RECORD:
                raise self._refuse(
                    self._line, f"a row of more than {MAX_RECORD:,} bytes; does a quote not close?"
                )
            if b"\0" in line:
                raise self._refuse(self._line, "a NUL byte; this is no text")
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise self._refuse(
                    self._line,
                    f"not UTF-8 (byte 0x{line[error.start]:02x} at {error.start + 1}); save the "
                    f"table as UTF-8",
                ) from None

    def _refuse(self, line: int, problem: str) -> InvalidInputError:
        return InvalidInputError(f"{self._path}, line {line}: {problem}", field="table")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such file") from None


def _changed(path: Path) -> InvalidInputError:
    return InvalidInputError(f"{path}: was changed while it was read; import it again")
