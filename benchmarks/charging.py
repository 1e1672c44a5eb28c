"""Charging piles that are made up: how a portfolio of nine thousand small things may look.

The same number gives the same pile in every run. A table of them is what `crossvault import`
reads; `energy` and `revenue` are of one half-year, the same for all.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

SCHEMA = Path(__file__).parent / "piles" / "charging-pile.schema.json"
NAME = "charging-pile"
ATTRIBUTES = ("pile_code", "operator", "location", "power", "energy", "revenue")
COLUMNS = ("asset", "as_of", "valid_until", *ATTRIBUTES)
AS_OF = "2026-06-30"
VALID_UNTIL = "2028-06-30T00:00:00Z"
_OPERATORS = ("Harbour Charging", "Delta Grid", "Pearl River Energy", "Southern Pile Co., Ltd.")


def piles(first: int, count: int) -> list[dict[str, str]]:
    """So many rows, from the pile of this number on."""
    return [_pile(number) for number in range(first, first + count)]


def write_table(rows: Iterable[dict[str, str]], path: Path) -> None:
    """The rows as a CSV file whose columns `crossvault import` knows without a mapping."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def revenue_fact(rows: Iterable[dict[str, str]]) -> str:
    """That they earned together at least so much: true, and a tenth below what they did."""
    total = sum((Decimal(row["revenue"]) for row in rows), Decimal(0))
    return f"sum(revenue) >= {int(total * 9 / 10)} CNY"


def _pile(number: int) -> dict[str, str]:
    drawn = random.Random(number)
    energy = drawn.randint(500_000, 12_000_000)  # hundredths of a kWh
    price = drawn.randint(80, 160)  # hundredths of a yuan
    return {
        "asset": f"cn-pile-{number:06}",
        "as_of": AS_OF,
        "valid_until": VALID_UNTIL,
        "pile_code": f"CP-{number:06}",
        "operator": drawn.choice(_OPERATORS),
        "location": f"Station {number // 12}",
        "power": str(drawn.choice((7, 30, 60, 120, 180, 480))),
        "energy": _hundredths(energy),
        "revenue": _hundredths(energy * price // 100),
    }


def _hundredths(number: int) -> str:
    return f"{number // 100}.{number % 100:02}"
