"""The verdicts on many files: a line each, lined up in 80 cells, and what it comes to.

The line of a verified file names the asset and counts the facts, and says of a selection if the
prover chose it, or if facts leave some of it out; that of a refused one gives the reason, with its
text below. Only verdicts begin a line: names and reasons come from others. The
last line is the verdict on all: ALL VERIFIED only if every file is, and every asset that was named
stands in one of them.

SPEC.md, "Commands".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proofs.errors import CrossproofError
from proofs.policy import Expectation
from proofs.render import print_refused, print_verified
from proofs.render_selection import cautions
from proofs.verify import Verified

Outcome = Verified | CrossproofError

_WIDTHS = (15, 30, 27, 5)  # with a space between two of them, 80
_SHOWN = 3
_VERIFIED = Text("verified 已验证", style="green")
_REFUSED = Text("refused 未通过", style="bold red")


@dataclass(frozen=True, slots=True)
class Summary:
    """How many files were verified, why the others were not, and what nothing was found for.

    `missing` are the assets that were named and that no verified file is about, `unanswered` the
    digests of requests that no verified file answers: perhaps their answers are still to come.
    """

    verified: int
    refused: Counter[str]
    missing: tuple[str, ...]
    unanswered: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether not everything that was asked for is verified."""
        return bool(self.refused or self.missing)


def summary(outcomes: Sequence[Outcome], expected: Expectation) -> Summary:
    """What the outcomes come to, compared with what the verifier expected."""
    verified = [each for each in outcomes if isinstance(each, Verified)]
    about = {asset for each in verified for asset in assets_of(each)}
    answered = {each.context.request for each in verified}
    return Summary(
        len(verified),
        Counter(each.reason for each in outcomes if isinstance(each, CrossproofError)),
        tuple(each for each in expected.assets if each not in about),
        tuple(each for each in expected.requests if each not in answered),
    )


def assets_of(verified: Verified) -> list[str]:
    """The assets that a bundle is about, each once."""
    if verified.selection is not None:
        return list(verified.selection.assets)
    return list(dict.fromkeys(each.attestation.asset for each in verified.documents))


def print_one(console: Console, outcome: Outcome) -> None:
    """The full table of one file, or why it was refused."""
    if isinstance(outcome, CrossproofError):
        print_refused(console, outcome)
    else:
        print_verified(console, outcome)


def print_lines(console: Console, names: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """A line for each file, and below it why it was refused.

    Names and reasons may go on in their own columns; at the left stand verdicts only. Names are
    shown as they are: make them printable before.
    """
    table = _lines(header=True)
    for name, outcome in zip(names, outcomes, strict=True):
        if isinstance(outcome, CrossproofError):
            table.add_row(_REFUSED, Text(name), Text(outcome.reason), "")
            console.print(table)
            reason = Table.grid(padding=(0, 1, 0, 0))
            reason.add_column(width=_WIDTHS[0])
            reason.add_column(overflow="fold", width=sum(_WIDTHS[1:]) + 2)
            reason.add_row("", Text(str(outcome)))
            console.print(reason)
            table = _lines()
        else:
            table.add_row(_VERIFIED, Text(name), Text(_about(outcome)), str(len(outcome.facts)))
    if table.row_count:
        console.print(table)


def _about(verified: Verified) -> str:
    asset, *others = assets_of(verified)
    named = f"{asset} and {len(others)} more" if others else asset
    said = [] if verified.selection is None else cautions(verified.selection)
    return "\n".join([named, *said])


def _lines(*, header: bool = False) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.show_header = header
    titles = ("Verdict 结论", "File 文件", "Asset 资产", "Facts")
    for title, width in zip(titles, _WIDTHS, strict=True):
        justify: Literal["left", "right"] = "right" if title is titles[-1] else "left"
        table.add_column(Text(title, style="bold"), overflow="fold", width=width, justify=justify)
    return table


def print_summary(console: Console, found: Summary) -> None:
    """The totals, and the verdict on all files together."""
    refused = found.refused.total()
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(found.refused.items()))
    console.print(
        Text(f"{found.verified + refused} files 文件: {found.verified} verified 已验证, "),
        Text(f"{refused} refused 未通过" + (f" ({reasons})" if reasons else "")),
        sep="",
    )
    if found.unanswered:
        console.print(
            Text(f"{len(found.unanswered)} requests without an answer here 未见答复的请求")
        )
        for digest in found.unanswered[:_SHOWN]:
            console.print(Text(digest))
    print_missing(console, found)
    if found.failed:
        console.print(Text("NOT ALL VERIFIED 未全部通过验证", style="bold red"))
    else:
        console.print(Text("ALL VERIFIED 全部已验证", style="bold green"))


def print_missing(console: Console, found: Summary) -> None:
    """The assets that were named and that no verified file is about."""
    for asset in found.missing:
        console.print(
            Text(f"no verified file is about 没有通过验证的文件涉及 {asset}", style="bold red")
        )
