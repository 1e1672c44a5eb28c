"""The file of refused rows: number, line and reason in front of each row's own cells.

The file is made when the first row is refused, and readable by its owner alone: the cells may be
personal data. It has the columns of its table, so that once mended it can be imported itself; a
mapping leaves the first three out.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from vault.client.table import Survey, TableRow
from vault.errors import InvalidInputError

OWN_COLUMNS: Final = ("refused_row", "refused_line", "refused_reason")


class RefusedRows:
    """Writes refused rows to a file, in a `with` block; `count` says how many there were."""

    def __init__(self, path: Path, table: Survey) -> None:
        """Nothing is written yet. Raises InvalidInputError for the table's own file."""
        if path.exists() and path.samefile(table.path):
            raise InvalidInputError(f"{path}: is the table itself; --refused names another file")
        self.path = path
        self.count = 0
        self._columns = tuple(name for name in table.columns if name not in OWN_COLUMNS)
        self._places = tuple(table.columns.index(name) for name in self._columns)
        self._width = len(table.columns)
        self._file: Any = None
        self._writer: Any = None

    def add(self, row: TableRow, reason: str) -> None:
        """Write one row."""
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            os.fchmod(descriptor, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow((*OWN_COLUMNS, *self._columns))
        cells = row.cells
        if len(cells) == self._width:
            cells = tuple(cells[place] for place in self._places)
        self._writer.writerow((row.number, row.line, reason, *cells))
        self.count += 1

    def __enter__(self) -> RefusedRows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
