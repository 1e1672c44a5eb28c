"""Facts about sums of multiples of numbers (section "Linear facts").

As for other facts only the canonical text is read: a sentence is taken apart, written again from
what was understood, and compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from independent.second_verifier import encoding
from independent.second_verifier.book import Book
from independent.second_verifier.curve import q
from independent.second_verifier.refusal import MalformedError, well_formed
from independent.second_verifier.schema import NUMBER
from independent.second_verifier.text import plain
from independent.second_verifier.units import kind_of, zeros
from independent.second_verifier.words import STRING, WORD, unquoted

MAX_DIGITS = 62
MAX_ITEMS = 128
RATE = re.compile(
    rf" at ([0-9.]+) ([A-Z]{{3}})/([A-Z]{{3}}) \(({STRING.pattern}|{WORD.pattern}), ([0-9-]+)\)$"
)
DISTANCE = re.compile(r"abs\(([^()<>=]*)\)(?: \* ([1-9][0-9]*))? <= ([^()<>=]*)")
COMPARISON = re.compile(r"([^()<>=]*) ([<>]=) ([^()<>=]*)")


@dataclass(frozen=True)
class Form:
    """Σ coefficient·value + constant ≥ 0, by slots in ascending order."""

    coefficients: tuple[tuple[int, int], ...]
    constant: int


@dataclass(frozen=True)
class Linear:
    """A sentence's one form, or the two of a distance, and the slots of all that it names."""

    forms: tuple[Form, ...]
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """Slots with signed factors in the order written, and the amount in the sentence's unit."""

    items: tuple[tuple[int, int], ...]
    amount: Fraction


@dataclass(frozen=True)
class Rate:
    """1 `base` is `digits`/10^`places` of `quote`."""

    digits: int
    places: int
    quote: str
    base: str


def read_linear(text: str, book: Book) -> Linear:
    """The forms of a sentence in its canonical text."""
    rate, head = _rate(text)
    times, again = "1", ""
    distance = DISTANCE.fullmatch(head)
    comparison = COMPARISON.fullmatch(head)
    if distance is not None:
        left, right = _side(distance[1], book), _side(distance[3], book)
        times = distance[2] or "1"
        well_formed(len(times) <= 60, "too long a factor")
    elif comparison is not None:
        left, right = _side(comparison[1], book), _side(comparison[3], book)
    else:
        raise MalformedError("not a sentence")
    unit = _unit(left, right, rate, book)
    if distance is not None:
        tail = "" if times == "1" else f" * {times}"
        again = f"abs({_spelt(left, unit, book)}){tail} <= {_spelt(right, unit, book)}"
    elif comparison is not None:
        again = f"{_spelt(left, unit, book)} {comparison[2]} {_spelt(right, unit, book)}"
    well_formed(again == head, "not the canonical text")

    slots = tuple(slot for slot, _ in (*left.items, *right.items))
    a, b = _in_steps(left, right, unit, rate, book)
    if distance is not None or comparison is None:
        k = int(times)
        return Linear((_form(b, a, -k, book), _form(b, a, k, book)), slots)
    form = _form(a, b, -1, book) if comparison[2] == ">=" else _form(b, a, -1, book)
    return Linear((form,), slots)


def _rate(text: str) -> tuple[Rate | None, str]:
    found = RATE.search(text)
    if found is None:
        return None, text
    spelt, quote, base, source, day = found.groups()
    well_formed(NUMBER.fullmatch(spelt) is not None and len(spelt) <= 60, "not a rate")
    places = len(spelt.partition(".")[2])
    digits = int(spelt.replace(".", ""))
    well_formed(digits > 0 and places <= 12, "not a rate")
    well_formed(kind_of(quote) != kind_of(base), "a rate between a unit and itself")
    plain(unquoted(source), 100)
    encoding.day(day)
    return Rate(digits, places, quote, base), text[: found.start()]


def _side(text: str, book: Book) -> Side:
    """Attributes with factors and amounts between ` + ` and ` - `; units are judged later."""
    tokens = text.split(" ")
    items: list[tuple[int, int]] = []
    amount, sign, at = Fraction(0), 1, 0
    while True:
        well_formed(at < len(tokens), "a side that ends too early")
        word, at = tokens[at], at + 1
        if NUMBER.fullmatch(word):
            well_formed(len(word) <= 60, "too long a number")
            amount += sign * Fraction(word)
            at += at < len(tokens) and tokens[at] not in "+-"
        else:
            factor = 1
            if tokens[at : at + 1] == ["*"]:
                well_formed(
                    re.fullmatch("[1-9][0-9]{0,59}", "".join(tokens[at + 1 : at + 2])) is not None,
                    "not a factor",
                )
                factor, at = int(tokens[at + 1]), at + 2
            items.append((book.slot(word), sign * factor))
        if at == len(tokens):
            break
        well_formed(tokens[at] in ("+", "-"), "not a sum")
        sign, at = 1 if tokens[at] == "+" else -1, at + 1
    slots = [slot for slot, _ in items]
    well_formed(len(set(slots)) == len(slots), "an attribute twice on a side")
    well_formed(all(book.attribute(slot).numeric for slot in slots), "not a number")
    return Side(tuple(items), amount)


def _unit(left: Side, right: Side, rate: Rate | None, book: Book) -> str:
    """The unit of all amounts; the kinds of the attributes' units are checked here."""
    slots = [slot for slot, _ in (*left.items, *right.items)]
    well_formed(bool(left.items) and len(slots) <= MAX_ITEMS, "no attribute, or too many")
    units = [book.attribute(slot).unit for slot in slots]
    kinds = {kind_of(each) for each in units}
    if rate is None:
        well_formed(len(kinds) == 1, "units of several kinds")
        return units[0]
    quote, base = kind_of(rate.quote), kind_of(rate.base)
    well_formed(base in kinds and kinds <= {quote, base}, "units that the rate does not name")
    return next((each for each in units if kind_of(each) == quote), rate.quote)


def _spelt(side: Side, unit: str, book: Book) -> str:
    """The canonical text of a side."""
    behind = f" {unit}" if unit else ""
    if not side.items:
        return _number(side.amount) + behind
    parts = []
    if side.items[0][1] < 0:
        parts.append(_number(side.amount) + behind)
    for slot, factor in side.items:
        operator = ("+" if factor > 0 else "-") if parts else ""
        times = "" if abs(factor) == 1 else f" * {abs(factor)}"
        parts.append(f"{operator} {book.spelt(slot)}{times}".strip())
    if side.items[0][1] > 0 and side.amount != 0:
        operator = "+" if side.amount > 0 else "-"
        parts.append(f"{operator} {_number(abs(side.amount))}{behind}")
    return " ".join(parts)


def _number(number: Fraction) -> str:
    """A decimal without trailing zeros; all denominators here divide a power of ten."""
    places = next(n for n in range(61) if (number * 10**n).denominator == 1)
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    return ("-" if number < 0 else "") + whole + ("." + part if part else "")


Steps = tuple[dict[int, int], int]


def _in_steps(left: Side, right: Side, unit: str, rate: Rate | None, book: Book) -> list[Steps]:
    """Both sides as whole multiples of values, and whole constants, of one step."""

    def power(slot: int) -> int:
        return zeros(book.attribute(slot).unit) - book.attribute(slot).scale - places(slot)

    def exchanged(slot: int) -> bool:
        return rate is not None and kind_of(book.attribute(slot).unit) == kind_of(rate.base)

    def places(slot: int) -> int:
        return rate.places if rate is not None and exchanged(slot) else 0

    e = min(zeros(unit), *(power(slot) for slot, _ in (*left.items, *right.items)))
    found = []
    for side in (left, right):
        terms = {
            slot: factor
            * 10 ** (power(slot) - e)
            * (rate.digits if rate is not None and exchanged(slot) else 1)
            for slot, factor in side.items
        }
        constant = side.amount * Fraction(10) ** (zeros(unit) - e)
        well_formed(constant.denominator == 1, "an amount that is no whole number of steps")
        found.append((terms, int(constant)))
    return found


def _form(plus: Steps, other: Steps, times: int, book: Book) -> Form:
    """plus + times·other ≥ 0, divided by what divides all coefficients."""
    total = dict(plus[0])
    for slot, factor in other[0].items():
        total[slot] = total.get(slot, 0) + times * factor
    total = {slot: factor for slot, factor in sorted(total.items()) if factor}
    well_formed(bool(total), "nothing left to compare")
    divisor = gcd(*total.values())
    coefficients = tuple((slot, factor // divisor) for slot, factor in total.items())
    form = Form(coefficients, (plus[1] + times * other[1]) // divisor)
    size = sum(
        abs(factor) * max(abs(book.attribute(slot).least), abs(book.attribute(slot).most))
        for slot, factor in coefficients
    )
    well_formed(2 * (size + abs(form.constant) + 16**MAX_DIGITS) < q, "it could wrap around")
    well_formed(greatest(form, book) < 16**MAX_DIGITS, "too large for a range")
    return form


def greatest(form: Form, book: Book) -> int:
    """The greatest value that the schemas' bounds allow."""
    return form.constant + sum(
        max(factor * book.attribute(slot).least, factor * book.attribute(slot).most)
        for slot, factor in form.coefficients
    )
