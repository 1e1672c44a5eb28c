"""The tables of `make bench`: figures beside their targets, every row, and what dominates.

All fit in 100 columns. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, groupby

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.report import CATEGORIES, OPERATIONS, Figure, Row
from benchmarks.targets import Comparison

WIDTH = 100
UNITS = (
    "t: one G1 multiplication, timed between the repetitions. x: time by the time of the group\n"
    "operations that cannot be avoided. Processor time, medians. batch: one of 64 together.\n"
    "checks: signatures, and decoding of attested points, by themselves."
)


def console() -> Console:
    """Standard output, of this width at least and at most."""
    return Console(width=WIDTH, highlight=False)


def print_rows(rows: Sequence[Row]) -> None:
    """Print one table for each section, and the line that explains the units."""
    out = console()
    for section, group in groupby(rows, key=lambda row: row.section):
        out.print(rows_table(section, group))
    out.print(UNITS)


def targets_table(comparisons: Iterable[Comparison]) -> Table:
    """Measured by at most, and whether that is kept; times in t unless they say s."""
    result = plain_table("Figures to reach: measured / at most", "what", "bytes")
    for heading in ("prove, t", "verify, t", "batch, t"):
        result.add_column(heading, justify="right", no_wrap=True)
    for each in comparisons:
        label = f"{each.label}, tables" if each.tables else each.label
        size = each.bytes
        bytes_cell = (
            "–" if size is None else _verdict(f"{size[0]:,.0f}", f"{size[1]:,}", size).rstrip()
        )
        result.add_row(
            label,
            bytes_cell,
            *(_against(pair, each.unit) for pair in (each.prove, each.verify, each.batch)),
        )
    return result


def rows_table(section: str, rows: Iterable[Row]) -> Table:
    """One section: milliseconds, t and x of every operation that any of its rows has."""
    kept = list(rows)
    operations = [name for name in OPERATIONS if any(row.figures[name] for row in kept)]
    result = plain_table(section.capitalize(), "", "bytes")
    if any(row.each for row in kept):
        result.add_column("each", justify="right", no_wrap=True)
    for operation in operations:
        result.add_column(f"{operation}\nms", justify="right", no_wrap=True)
        result.add_column("\nt", justify="right", no_wrap=True)
        if _has_floor(kept, operation):
            result.add_column("\nx", justify="right", no_wrap=True)
    for row in kept:
        result.add_row(
            row.label,
            "–" if row.bytes is None else f"{row.bytes:,}",
            *([f"{row.each:,.0f}"] if row.each else []),
            *chain.from_iterable(
                _cells(row.figures[name])[: 3 if _has_floor(kept, name) else 2]
                for name in operations
            ),
        )
    return result


def shares_table(rows: Iterable[Row]) -> Table:
    """What part of each operation's time goes where, in percent."""
    result = plain_table("What the time goes to, in %", "")
    for category in CATEGORIES:
        result.add_column(category, justify="right", no_wrap=True)
    for row in rows:
        for operation, parts in row.shares.items():
            result.add_row(
                f"{operation}: {row.label}",
                *(_percent(parts.get(category)) for category in CATEGORIES),
            )
    return result


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    for bound, places in ((1, 3), (10, 2), (100, 1)):
        if abs(value) < bound:
            return f"{value:.{places}f}"
    return f"{value:,.0f}"


def plain_table(title: str, first: str, second: str | None = None) -> Table:
    """No lines but one under the headings; the first column is text, the second is not."""
    result = Table(
        title=title,
        box=box.SIMPLE,
        title_justify="left",
        title_style="bold",
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    result.add_column(first, no_wrap=True)
    if second is not None:
        result.add_column(second, justify="right", no_wrap=True)
    return result


def _has_floor(rows: Iterable[Row], operation: str) -> bool:
    found = (row.figures[operation] for row in rows)
    return any(figure is not None and figure.floor is not None for figure in found)


def _cells(figure: Figure | None) -> tuple[str, str, str]:
    if figure is None:
        return ("–", "–", "–")
    floor = "–" if figure.floor is None else f"{figure.floor:.2f}"
    return (number(figure.ms), number(figure.t), floor)


def _against(pair: tuple[float, float] | None, unit: str) -> str:
    if pair is None:
        return "–"
    measured, most = pair
    shown = f"{measured:.2f} s" if unit == "s" else f"{measured:.1f}"
    return _verdict(shown, f"{most:g}{' s' if unit == 's' else ''}", pair)


def _verdict(measured: str, most: str, pair: tuple[float, float]) -> str:
    word = "[green]ok[/]  " if pair[0] <= pair[1] else "[red]over[/]"
    return f"{measured} / {most} {word}"


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.0f}"
