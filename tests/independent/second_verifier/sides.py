"""The text of a comparison: two sides, a distance's factor, a rate (section "Linear facts").

A sentence is taken apart, written again from what was understood, and compared. In facts over a
selection every attribute stands in `sum(…)`, and a side may have a second amount, per document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from independent.second_verifier import encoding
from independent.second_verifier.book import Book
from independent.second_verifier.refusal import MalformedError, well_formed
from independent.second_verifier.schema import NUMBER
from independent.second_verifier.text import plain
from independent.second_verifier.units import kind_of
from independent.second_verifier.words import STRING, WORD, unquoted

MAX_ITEMS = 128
MAX_NUMBER = 60
FACTOR = re.compile("[1-9][0-9]{0,59}")
RATE = re.compile(
    rf" at ([0-9.]+) ([A-Z]{{3}})/([A-Z]{{3}}) \(({STRING.pattern}|{WORD.pattern}), ([0-9-]+)\)$"
)
DISTANCE = re.compile(r"abs\(([^<>=]*)\)(?: \* ([1-9][0-9]*))? <= ([^<>=]*)")
COMPARISON = re.compile(r"([^<>=]*) ([<>]=) ([^<>=]*)")


@dataclass(frozen=True)
class Side:
    """Slots with signed factors as written, and amounts (plain, per document) in one unit."""

    items: tuple[tuple[int, int], ...]
    amount: Fraction
    per_document: Fraction


@dataclass(frozen=True)
class Rate:
    """1 `base` is `digits`/10^`places` of `quote`."""

    digits: int
    places: int
    quote: str
    base: str


@dataclass(frozen=True)
class Comparison:
    """`left` is at least `right` (or at most); a distance has the factor of its absolute value."""

    left: Side
    right: Side
    at_least: bool
    times: int | None
    unit: str
    rate: Rate | None

    @property
    def slots(self) -> tuple[int, ...]:
        """All attributes in the order written; one on both sides stands twice."""
        return tuple(slot for slot, _ in (*self.left.items, *self.right.items))


def read_comparison(text: str, book: Book, *, sums: bool) -> Comparison:
    """A sentence in its canonical text, about attributes or about their sums."""
    rate, head = _rate(text)
    distance, comparison = DISTANCE.fullmatch(head), COMPARISON.fullmatch(head)
    if distance is not None:
        times = distance[2] or "1"
        well_formed(len(times) <= MAX_NUMBER, "too long a factor")
        left, right = _side(distance[1], book, sums), _side(distance[3], book, sums)
        found = Comparison(left, right, False, int(times), _unit(left, right, rate, book), rate)
        tail = "" if times == "1" else f" * {times}"
        sides = [_spelt(each, found.unit, book, sums) for each in (left, right)]
        again = f"abs({sides[0]}){tail} <= {sides[1]}"
    elif comparison is not None:
        left, right = _side(comparison[1], book, sums), _side(comparison[3], book, sums)
        at_least = comparison[2] == ">="
        found = Comparison(left, right, at_least, None, _unit(left, right, rate, book), rate)
        sides = [_spelt(each, found.unit, book, sums) for each in (left, right)]
        again = f"{sides[0]} {comparison[2]} {sides[1]}"
    else:
        raise MalformedError("not a sentence")
    well_formed(again == head, "not the canonical text")
    return found


def _rate(text: str) -> tuple[Rate | None, str]:
    found = RATE.search(text)
    if found is None:
        return None, text
    spelt, quote, base, source, day = found.groups()
    well_formed(NUMBER.fullmatch(spelt) is not None and len(spelt) <= MAX_NUMBER, "not a rate")
    places = len(spelt.partition(".")[2])
    digits = int(spelt.replace(".", ""))
    well_formed(digits > 0 and places <= 12, "not a rate")
    well_formed(kind_of(quote) != kind_of(base), "a rate between a unit and itself")
    plain(unquoted(source), 100)
    encoding.day(day)
    return Rate(digits, places, quote, base), text[: found.start()]


def _side(text: str, book: Book, sums: bool) -> Side:
    """Attributes with factors and amounts between ` + ` and ` - `; units are judged later."""
    tokens = text.split(" ")
    items: list[tuple[int, int]] = []
    amounts = [Fraction(0), Fraction(0)]
    sign, at = 1, 0
    while True:
        well_formed(at < len(tokens), "a side that ends too early")
        word, at = tokens[at], at + 1
        counted = sums and word == "count()"
        if counted:
            well_formed(tokens[at : at + 1] == ["*"] and at + 1 < len(tokens), "not an amount")
            word, at = tokens[at + 1], at + 2
        if counted or NUMBER.fullmatch(word):
            well_formed(NUMBER.fullmatch(word) is not None, "not an amount")
            well_formed(len(word) <= MAX_NUMBER, "too long a number")
            amounts[counted] += sign * Fraction(word)
            at += at < len(tokens) and tokens[at] not in ("+", "-")
        else:
            factor = "1"
            if tokens[at : at + 1] == ["*"]:
                factor = "".join(tokens[at + 1 : at + 2])
                well_formed(FACTOR.fullmatch(factor) is not None, "not a factor")
                at += 2
            items.append((_slot(word, book, sums), sign * int(factor)))
        if at == len(tokens):
            break
        well_formed(tokens[at] in ("+", "-"), "not a sum")
        sign, at = 1 if tokens[at] == "+" else -1, at + 1
    slots = [slot for slot, _ in items]
    well_formed(len(set(slots)) == len(slots), "an attribute twice on a side")
    well_formed(all(book.attribute(slot).numeric for slot in slots), "not a number")
    return Side(tuple(items), *amounts)


def _slot(word: str, book: Book, sums: bool) -> int:
    if sums:
        well_formed(word.startswith("sum(") and word.endswith(")"), "not a sum")
        word = word[4:-1]
    return book.slot(word)


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


def _spelt(side: Side, unit: str, book: Book, sums: bool) -> str:
    """The canonical text of a side."""
    behind = f" {unit}" if unit else ""
    parts: list[str] = []

    def put(positive: bool, text: str) -> None:
        operator = ("+ " if positive else "- ") if parts else ""
        parts.append(operator + text)

    amount, per_document = side.amount, side.per_document
    first_is_subtracted = bool(side.items) and side.items[0][1] < 0
    alone = not side.items and (amount != 0 or per_document <= 0)
    if first_is_subtracted or alone:
        parts.append(_number(amount) + behind)
    for slot, factor in side.items:
        name = f"sum({book.spelt(slot)})" if sums else book.spelt(slot)
        put(factor > 0, name + ("" if abs(factor) == 1 else f" * {abs(factor)}"))
    if side.items and not first_is_subtracted and amount != 0:
        put(amount > 0, _number(abs(amount)) + behind)
    if per_document != 0:
        put(per_document > 0, f"count() * {_number(abs(per_document))}{behind}")
    return " ".join(parts)


def _number(number: Fraction) -> str:
    """A decimal without trailing zeros; all denominators here divide a power of ten."""
    places = next(n for n in range(61) if (number * 10**n).denominator == 1)
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    return ("-" if number < 0 else "") + whole + ("." + part if part else "")
