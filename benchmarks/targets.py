"""The figures that the proofs are to reach, and the rows that are compared with them.

Times are at most so many G1 multiplications. A target for a process with tables is compared with
the row measured with tables, one for a process without them with the other; where only one is
given, both rows are. Polynomials, once per set, have a target in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.report import Row


@dataclass(frozen=True, slots=True)
class Target:
    """At most: bytes; multiples of t to prove, to verify, and to verify in a batch of 64.

    `label` is how the table says it, `row` the name of the measured row. `prove_s` and `verify_s`
    are seconds.
    """

    label: str
    row: str
    tables: bool = False
    bytes: int | None = None
    prove: float | None = None
    verify: float | None = None
    batch: float | None = None
    prove_s: float | None = None
    verify_s: float | None = None


def _both(
    label: str, row: str, size: int, prove: float, verify: float, batch: float
) -> list[Target]:
    return [
        Target(label, row, False, size, prove, verify, batch),
        Target(label, row, True, size, prove, verify),
    ]


_ONE = "1 range of 64 bits"
TARGETS: tuple[Target, ...] = (
    Target("one 64-bit range", _ONE, False, 576, 50, 14, 4),
    Target("one 64-bit range", _ONE, True, 576, 33, 10),
    *_both("eight 64-bit ranges", "8 ranges of 64 bits", 832, 310, 38, 11),
    *_both("member of 256", "member of 256", 880, 32, 13, 3),
    *_both("member of 4,096", "member of 4,096", 1200, 52, 18, 4),
    *_both("not member of 16,384", "not member of 16,384", 1410, 80, 23, 9),
    Target("polynomial of 65,536", "polynomial of 65,536", prove_s=2, verify_s=2),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One target beside its row; each pair is (measured, at most), None where nothing is asked."""

    label: str
    tables: bool
    bytes: tuple[float, float] | None
    prove: tuple[float, float] | None
    verify: tuple[float, float] | None
    batch: tuple[float, float] | None
    unit: str
    """`t` or `s`: of the three times."""


def compare(rows: Iterable[Row]) -> list[Comparison]:
    """Every target whose row was measured, in the order of the targets."""
    measured = {(row.name, row.tables): row for row in rows}
    found = []
    for target in TARGETS:
        row = measured.get((target.row, target.tables))
        if row is None:
            continue
        if target.prove_s is not None:
            found.append(
                Comparison(
                    target.label,
                    target.tables,
                    None,
                    _pair(row.prove and row.prove.ms / 1e3, target.prove_s),
                    _pair(row.verify and row.verify.ms / 1e3, target.verify_s),
                    None,
                    "s",
                )
            )
            continue
        found.append(
            Comparison(
                target.label,
                target.tables,
                _pair(row.bytes, target.bytes),
                _pair(row.prove and row.prove.t, target.prove),
                _pair(row.verify and row.verify.t, target.verify),
                _pair(row.batch and row.batch.t, target.batch),
                "t",
            )
        )
    return found


def _pair(measured: float | None, most: float | None) -> tuple[float, float] | None:
    return None if measured is None or most is None else (measured, most)
