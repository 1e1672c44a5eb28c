"""Units that differ by a power of ten, and declared rates of exchange: exact or refused.

One table says which units measure the same and how many zeros lie between them; every other unit
equals itself only. A rate of exchange stands in the fact, with its source and day, and is part of
what is signed and shown: nothing is looked up, and whether the rate is a fair one is for the
reader to judge.

SPEC.md, "Units and rates".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from proofs.errors import CrossproofError, FactError
from proofs.exact import format_decimal, read_decimal
from proofs.fact_hints import shown
from proofs.normaliser import safe_for_display
from proofs.schema import format_day, parse_day

MAX_SOURCE = 100
_RATE_PLACES = 12
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)

_TABLE: dict[str, tuple[str, int]] = {
    "W": ("W", 0),
    "kW": ("W", 3),
    "MW": ("W", 6),
    "GW": ("W", 9),
    "Wh": ("Wh", 0),
    "kWh": ("Wh", 3),
    "MWh": ("Wh", 6),
    "GWh": ("Wh", 9),
    "CNY": ("CNY", 0),
    "元": ("CNY", 0),
    "万元": ("CNY", 4),
    "亿元": ("CNY", 8),
    "HKD": ("HKD", 0),
    "港元": ("HKD", 0),
    "万港元": ("HKD", 4),
    "亿港元": ("HKD", 8),
}


def measure(unit: str) -> tuple[str, int]:
    """What a unit measures, by its smallest unit, and the zeros that it has more."""
    return _TABLE.get(unit, (unit, 0))


def zeros_between(unit: str, base: str) -> int | None:
    """The n of 1 unit = 10^n base; None if the two do not measure the same."""
    (kind, zeros), (base_kind, base_zeros) = measure(unit), measure(base)
    return zeros - base_zeros if kind == base_kind else None


@dataclass(frozen=True, slots=True)
class Rate:
    """1 `base` = mantissa · 10^-places `quote`, said to be so by `source` on `day`."""

    mantissa: int
    places: int
    quote: str
    base: str
    source: str
    day: int

    def __post_init__(self) -> None:
        if self.mantissa <= 0:
            raise FactError("a rate of exchange is greater than 0")
        for unit in (self.quote, self.base):
            if _CURRENCY.fullmatch(unit) is None:
                raise FactError(f"{shown(unit)} is no currency such as CNY")
        if self.quote == self.base:
            raise FactError("a rate of exchange is between two currencies")
        try:
            safe_for_display(self.source, limit=MAX_SOURCE)
        except CrossproofError as error:
            raise FactError(f"the source of the rate: {error}") from None

    @classmethod
    def read(cls, number: str, pair: str, source: str, day: str) -> Rate:
        """From the words of `at 1.0832 HKD/CNY (source, date)`; FactError or SchemaError."""
        quote, slash, base = pair.partition("/")
        if not slash:
            raise FactError("write the rate as in `at 1.0832 HKD/CNY (source, 2026-06-30)`")
        mantissa = read_decimal(number, _RATE_PLACES)
        places = _RATE_PLACES
        while places and mantissa % 10 == 0:
            mantissa, places = mantissa // 10, places - 1
        return cls(mantissa, places, quote, base, source, parse_day(day, "the day of the rate"))

    def print(self, *, bare: bool) -> str:
        """The words at the end of the sentence; `bare` if the source needs no quotes."""
        number = format_decimal(self.mantissa, self.places)
        source = self.source if bare else json.dumps(self.source, ensure_ascii=False)
        return f"at {number} {self.quote}/{self.base} ({source}, {format_day(self.day)})"
