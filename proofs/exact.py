"""Decimal texts as scaled integers, exactly or not at all.

`12.50` at scale 3 is 12500. It refuses what has no exact integer at the scale, exponents (one
number would have many spellings, and 1e400 would fill memory), thousands separators, leading
zeros, a plus sign, and every digit that is not one of 0 to 9. Nothing is ever rounded.
"""

from __future__ import annotations

import re
from decimal import Decimal

from proofs.errors import SchemaError

MAX_DIGITS = 60  # in one literal: three times what the widest value needs

_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(%?)", re.ASCII)


def read_decimal(text: str, scale: int, *, percent: bool = False) -> int:
    """The integer text * 10^scale; SchemaError when it is none.

    With `percent`, a `%` at the end divides by 100: `8.00%` at scale 4 is 800.
    """
    shown = ascii(text if len(text) <= 64 else text[:61] + "...")[1:-1]
    if len(text) > MAX_DIGITS:
        raise SchemaError(f"{shown}: a number of more than {MAX_DIGITS} characters")
    match = _DECIMAL.fullmatch(text)
    if match is None or (match[4] and not percent):
        raise SchemaError(f"{shown!r} is not a number{_hint(text)}")
    sign, whole, fraction, _ = match.groups(default="")
    places = scale - (2 if match[4] else 0)
    digits, places = whole + fraction, places - len(fraction)
    if places < 0:
        cut = digits[places:].rjust(-places, "0")
        if cut.strip("0"):
            raise SchemaError(f"{shown} is not exact at scale {scale}")
        digits, places = digits[:places] or "0", 0
    value = int(digits + "0" * places)
    return -value if sign else value


def read_decimal_object(value: Decimal, scale: int) -> int:
    """The integer value * 10^scale of a Decimal; SchemaError for NaN, infinities, inexactness."""
    if not value.is_finite():
        raise SchemaError(f"{value} is not a number")
    exponent = value.as_tuple().exponent
    # Bounded before it is written out: Decimal("1e400") is four characters, not four hundred.
    if not isinstance(exponent, int) or not -MAX_DIGITS <= exponent <= MAX_DIGITS:
        raise SchemaError(f"{value} has too many digits")
    return read_decimal(format(value, "f"), scale)


def format_decimal(value: int, scale: int, *, shortest: bool = False) -> str:
    """The decimal text of a scaled integer, with all its places or with no trailing zeros."""
    digits = str(abs(value)).rjust(scale + 1, "0")
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    if shortest:
        fraction = fraction.rstrip("0")
    return ("-" if value < 0 else "") + whole + (f".{fraction}" if fraction else "")


def _hint(text: str) -> str:
    if "," in text or "_" in text or "'" in text:
        return ": write it without thousands separators"
    if re.fullmatch(r"[-+0-9.]+[eE][-+]?[0-9]+", text):
        return ": write it out without an exponent"
    if text.endswith("%"):
        return ": write 8% as 0.08"
    if re.fullmatch(r"-?0[0-9.]+", text):
        return ": write it without leading zeros"
    if re.fullmatch(r"[0-9.]+ ?[-–~/] ?[0-9.]+", text):
        return ": a range, where one number must stand"
    if re.match(r"-?[0-9][0-9.]*[^0-9.]", text):
        return ": put a space between the number and its unit"
    return ""
