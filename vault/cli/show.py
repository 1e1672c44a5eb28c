"""Tables for people on standard output; every cell is plain text, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proofs.render import Row, print_table

__all__ = ["Row", "print_list", "print_pairs"]


def print_pairs(*rows: Row) -> None:
    """Label and value, one below the other; rows without a value are left out."""
    print_table(Console(), [(label, value) for label, value in rows if value])


def print_list(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, console: Console | None = None
) -> None:
    """A table with a line under its headers; cells may hold several lines."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    (console or Console()).print(table)
