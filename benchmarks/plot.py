"""Cost against size as a picture: ranges, sets, bundles and portfolios, both axes logarithmic.

One panel for each section, milliseconds on the left and multiples of t on the right. Colours are
operations, dashes are kinds (bits, member or not, attestations or manifest); every line is named
where it ends. It draws what was measured and measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Row

DPI = 150
COLOURS = {"prove": "#b8405e", "verify": "#2e6f9e", "batch": "#3f8f55", "checks": "#8a7f6d"}
NAMES = {
    "prove": "prove",
    "verify": "verify",
    "batch": "verify, in a batch",
    "checks": "signatures and decoding, of verify",
}
ACROSS = 2
TICKS = (1, 2, 5)
APART = 10.0  # points between the names of lines that end near one another
DASHES = ("-", "--", ":", "-.")
AXES = {
    "ranges": "ranges in one proof",
    "sets": "members of the set",
    "bundles": "facts in one bundle",
    "portfolios": "documents",
}
# Lines of every size would lie on one another.
SHOWN = {"ranges": ("64 bits", "8 bits")}


def draw(rows: Sequence[Row], unit_ms: float, path: Path) -> None:
    """Write the picture as a PNG; ImportError without matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sections = [name for name in AXES if any(row.section == name for row in rows)]
    down = -(-len(sections) // ACROSS)
    figure, panels = pyplot.subplots(
        down,
        min(ACROSS, len(sections)),
        figsize=(6.2 * min(ACROSS, len(sections)), 4.8 * down),
        squeeze=False,
        layout="constrained",
    )
    for panel in panels.flat[len(sections) :]:
        panel.set_axis_off()
    ends: dict[Any, list[_End]] = {}
    for panel, section in zip(panels.flat, sections, strict=False):
        chosen = [row for row in rows if row.section == section and not row.tables]
        ends[panel] = _panel(panel, section, chosen, unit_ms)
    handles = [
        pyplot.Line2D([], [], color=colour, marker="o", markersize=4, label=NAMES[name])
        for name, colour in COLOURS.items()
        if any(row.figures[name] for row in rows)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    figure.draw_without_rendering()  # now it is known where the lines end on paper
    for panel, found in ends.items():
        _name(panel, found)
    figure.savefig(path, dpi=DPI)
    pyplot.close(figure)


_End = tuple[float, float, str, str]
"""Milliseconds, size, the line's name, its colour."""


def _panel(panel: Any, section: str, rows: Sequence[Row], unit_ms: float) -> list[_End]:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    found = tuple(dict.fromkeys(row.line for row in rows))
    lines = [name for name in SHOWN.get(section, found) if name in found]
    sizes = sorted({row.size for row in rows if row.line in lines})
    panel.set_xscale("log")
    panel.set_yscale("log")
    ends: list[_End] = []
    for operation, colour in COLOURS.items():
        for line, style in zip(lines, DASHES, strict=False):
            points = sorted(
                (row.size, figure.ms)
                for row in rows
                if row.line == line and (figure := row.figures[operation]) is not None
            )
            if points:
                across, up = zip(*points, strict=True)
                panel.plot(
                    across, up, style, color=colour, marker="o", markersize=3.5, linewidth=1.6
                )
                ends.append((up[-1], across[-1], line, colour))
    panel.set_title(section.capitalize())
    panel.set_xlabel(AXES[section])
    panel.set_ylabel("ms")
    right = panel.secondary_yaxis(
        "right", functions=(lambda ms: ms / unit_ms, lambda t: t * unit_ms)
    )
    plain = FuncFormatter(lambda value, _: f"{value:,g}")
    panel.set_xticks(sizes, labels=[f"{size:,}" for size in sizes])
    panel.xaxis.set_minor_locator(NullLocator())
    for axis in (panel.yaxis, right.yaxis):
        axis.set_major_locator(LogLocator(subs=TICKS))
        axis.set_major_formatter(plain)
        axis.set_minor_formatter(NullFormatter())
    span = sizes[-1] / sizes[0]
    room = 0.3 if len(lines) > 1 else 0.06  # for the names at the ends
    panel.set_xlim(sizes[0] / max(1.15, span**0.05), sizes[-1] * max(1.3, span**room))
    panel.grid(True, which="major", color="#dddddd", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.spines[["top"]].set_visible(False)
    right.set_ylabel("t, multiplications in G1")
    return ends if len(lines) > 1 else []


def _name(panel: Any, ends: Sequence[_End]) -> None:
    """Write the lines' names at their ends, from below, moved up where they would meet."""
    per_point = panel.figure.dpi / 72
    last = float("-inf")
    for up, across, name, colour in sorted(ends):
        height = panel.transData.transform((across, up))[1] / per_point
        last = max(height, last + APART)
        panel.annotate(
            name,
            (across, up),
            xytext=(6, last - height),
            textcoords="offset points",
            color=colour,
            fontsize=8.5,
            va="center",
        )
