"""The figures of `benchmarks.portfolio`: what was measured, what it may be, and the tables."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.table import Table

from benchmarks.clocks import Spent
from benchmarks.list_proofs import BEYOND, CLIENT, VERIFIER
from benchmarks.show import console, plain_table
from benchmarks.timed_vault import PROVE, STEPS, WHOLE

PROVE_MOST, VERIFY_MOST = 2.0, 1.5
"""Seconds to prove; and to verify beyond what checking signatures and decoding points takes."""
BYTES_MOST = {"attestations": 1600, "manifest": 200}
"""Bytes a document."""

_Value = TypeVar("_Value", float, Spent)


@dataclass(frozen=True, slots=True)
class Listed:
    """A sum over a list; `name` says what the bundle carries. Seconds, medians.

    `client` and `vault` by step, `WHOLE` included; without the service `client` is empty and
    `vault` has `PROVE` alone. `verify` is processor time. `sign` is signing the manifest.
    """

    name: str
    fact: str
    documents: int
    bytes: int
    client: Mapping[str, Spent]
    vault: Mapping[str, Spent]
    verify: Mapping[str, float]
    sign: Spent | None


@dataclass(frozen=True, slots=True)
class Each:
    """A fact about each of `owned` of the documents, proven by so many processes.

    `verify_together`: that many verifiers at once, `verified` documents in all.
    """

    fact: str
    processes: int
    documents: int
    owned: int
    members: int
    set_seconds: float
    bytes: int
    vault: Mapping[str, Spent]
    verify: Mapping[str, float]
    verified: int
    verify_together: Spent


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it. `load` is the machine's load before and after."""

    unit_ms: float
    load: tuple[float, float]
    plants: list[Listed]
    piles: list[Listed]
    each: list[Each]


@dataclass(frozen=True, slots=True)
class Kept:
    """One figure beside what it may be at most."""

    what: str
    measured: float
    most: float
    unit: str

    @property
    def ok(self) -> bool:
        """Whether it is kept."""
        return self.measured <= self.most


def median_of(sums: Sequence[Mapping[str, _Value]]) -> dict[str, _Value]:
    """Step by step."""
    found: dict[str, _Value] = {}
    for step in sums[0]:
        values = [each[step] for each in sums]
        first = values[0]
        if isinstance(first, Spent):
            wall = statistics.median(each.wall for each in values)
            processor = statistics.median(each.processor for each in values)
            found[step] = Spent(wall, processor)
        else:
            found[step] = statistics.median(values)
    return found


def kept(figures: Figures) -> Iterator[Kept]:
    """Every figure that has a limit."""
    largest = max((each.documents for each in figures.piles), default=0)
    listed = [("plants", each) for each in figures.plants]
    listed += [("piles", each) for each in figures.piles if each.documents == largest]
    for what, each in listed:
        where = f"{each.documents:,} {what}, {each.name}"
        yield Kept(f"{where}: proven", each.vault[PROVE].wall, PROVE_MOST, "s")
        yield Kept(f"{where}: verified beyond", each.verify[BEYOND], VERIFY_MOST, "s")
        size = each.bytes / each.documents
        yield Kept(f"{where}: a document", size, BYTES_MOST[each.name], "bytes")


def all_kept(figures: Figures) -> bool:
    """Whether no figure is over."""
    return all(each.ok for each in kept(figures))


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """The power of the size by which a cost grows: the least-squares line of the logarithms."""
    across, up = [math.log(each) for each in sizes], [math.log(each) for each in values]
    slope, _ = statistics.linear_regression(across, up)
    return slope


def print_figures(figures: Figures) -> None:
    """Tables, of 100 columns."""
    out = console()
    unit = figures.unit_ms
    out.print(
        f"t = {unit:.3f} ms, one G1 multiplication; {os.cpu_count()} processors; load "
        f"{figures.load[0]:.1f} before and {figures.load[1]:.1f} after. Medians."
    )
    for each in figures.plants:
        out.print(_steps(each, unit))
    if figures.piles:
        out.print(_sizes(figures.piles))
        for line in _growth(figures.piles):
            out.print(line)
    if figures.each:
        out.print(_rates(figures.each, unit))
        one = figures.each[0]
        out.print(
            f"{one.documents - one.owned:,} have no owner; the set has {one.members:,} members, "
            f"signed in {one.set_seconds:.1f} s;\nthe bundle has {one.bytes:,} bytes. Verifying "
            f"on two: two verifiers at once, each the whole bundle."
        )
    limits = plain_table("Limits", "")
    for heading in ("measured", "at most", ""):
        limits.add_column(heading, justify="right", no_wrap=True)
    for limit in kept(figures):
        verdict = "[green]ok[/]" if limit.ok else "[red]over[/]"
        at_most = f"{limit.most:g} {limit.unit}"
        limits.add_row(limit.what, f"{limit.measured:,.2f}", at_most, verdict)
    out.print(limits)


def _steps(listed: Listed, unit: float) -> Table:
    over = "attestations" if listed.name == "attestations" else "a manifest"
    title = f"{listed.documents:,} plants, over {over}: {listed.fact}"
    result = plain_table(title, "")
    for heading in ("wall, ms", "processor, ms", "t", "a document, µs"):
        result.add_column(heading, justify="right", no_wrap=True)

    def add(name: str, spent: Spent | None, processor: float) -> None:
        result.add_row(
            name,
            "–" if spent is None else f"{spent.wall * 1e3:,.1f}",
            f"{processor * 1e3:,.1f}",
            f"{processor * 1e3 / unit:,.0f}",
            f"{processor * 1e6 / listed.documents:,.0f}",
        )

    if listed.sign is not None:
        add("[bold]sign and register the manifest, client", listed.sign, listed.sign.processor)
    for part, spent, steps in (
        ("prove: client", listed.client, CLIENT),
        ("prove: vault, with its workers", listed.vault, STEPS),
    ):
        add(f"[bold]{part}", spent[WHOLE], spent[WHOLE].processor)
        for step in steps:
            add(f"  {step}", spent[step], spent[step].processor)
    add("[bold]verify, offline", None, listed.verify[WHOLE])
    for step in VERIFIER:
        add(f"  {step}", None, listed.verify[step])
    return result


def _sizes(piles: Sequence[Listed]) -> Table:
    result = plain_table("Charging piles: sum(revenue) >= …; ms of processors, and wall", "")
    headings = ("bytes\neach", "client", "vault", "vault\nwall", "prove\nwall", "verify", "beyond")
    for heading in headings:
        result.add_column(heading, justify="right", no_wrap=True)
    result.add_column("a document, µs:\nvault", justify="right", no_wrap=True)
    result.add_column("\nverify", justify="right", no_wrap=True)
    for each in sorted(piles, key=lambda each: (each.name, each.documents)):
        vault, client = each.vault.get(WHOLE), each.client.get(WHOLE)
        result.add_row(
            f"{each.documents:,}, {each.name}",
            f"{each.bytes / each.documents:,.1f}",
            "–" if client is None else _ms(client.processor),
            "–" if vault is None else _ms(vault.processor),
            "–" if vault is None else _ms(vault.wall),
            _ms(each.vault[PROVE].wall),
            *(_ms(each.verify[WHOLE]), _ms(each.verify[BEYOND])),
            f"{1e6 * (vault or each.vault[PROVE]).processor / each.documents:,.0f}",
            f"{1e6 * each.verify[WHOLE] / each.documents:,.0f}",
        )
    return result


def _growth(piles: Sequence[Listed]) -> Iterator[str]:
    """How cost grows with the number of documents, for each kind of bundle."""
    for name in dict.fromkeys(each.name for each in piles):
        kind = [each for each in piles if each.name == name]
        sizes = [each.documents for each in kind]
        if len(sizes) < 2:
            continue
        costs = {
            "prove": [each.vault[PROVE].processor for each in kind],
            "vault": [each.vault[WHOLE].processor for each in kind if WHOLE in each.vault],
            "client": [each.client[WHOLE].processor for each in kind if each.client],
            "verify": [each.verify[WHOLE] for each in kind],
            "bytes": [float(each.bytes) for each in kind],
        }
        grown = ", ".join(
            f"{what} {exponent(sizes, values):.2f}" for what, values in costs.items() if values
        )
        yield f"{name}: cost grows with the power of the number of documents: {grown}"


def _rates(each: Sequence[Each], unit: float) -> Table:
    first = each[0]
    result = plain_table(f"{first.fact}: {first.owned:,} of {first.documents:,} plants", "")
    for heading in ("documents/s", "wall, s", "processor\nms each", "t\neach"):
        result.add_column(heading, justify="right", no_wrap=True)
    for one in each:
        on = f"on {one.processes} process{'es' if one.processes > 1 else ''}"
        rows = (
            ("prove", one.owned, one.vault[PROVE]),
            ("the vault: prove, verify, record", one.owned, one.vault[WHOLE]),
            ("verify", one.verified, one.verify_together),
        )
        for what, count, spent in rows:
            used = 1e3 * spent.processor / count
            result.add_row(
                f"{what}, {on}",
                f"{count / spent.wall:,.1f}",
                f"{spent.wall:,.2f}",
                f"{used:,.2f}",
                f"{used / unit:,.1f}",
            )
    return result


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.0f}"
