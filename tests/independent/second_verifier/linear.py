"""What a comparison of sums says: forms that are not negative (section "Linear facts")."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from independent.second_verifier.book import Book
from independent.second_verifier.curve import q
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.sides import Comparison, Side, read_comparison
from independent.second_verifier.units import kind_of, zeros

MAX_DIGITS = 62


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
class Steps:
    """A side in whole steps: multiples of values, and amounts, plain and per document."""

    terms: dict[int, int]
    amount: int
    per_document: int


def read_linear(text: str, book: Book) -> Linear:
    """A sentence about attributes in its canonical text."""
    comparison = read_comparison(text, book, sums=False)
    return Linear(forms(comparison, book, 1), comparison.slots)


def forms(comparison: Comparison, book: Book, count: int) -> tuple[Form, ...]:
    """The forms of a sentence about this many documents; their bounds are checked."""
    left, right = (_steps(each, comparison, book) for each in (comparison.left, comparison.right))
    if comparison.times is not None:
        k = comparison.times
        return _form(right, left, -k, book, count), _form(right, left, k, book, count)
    if comparison.at_least:
        return (_form(left, right, -1, book, count),)
    return (_form(right, left, -1, book, count),)


def _steps(side: Side, comparison: Comparison, book: Book) -> Steps:
    rate, unit = comparison.rate, comparison.unit

    def exchanged(slot: int) -> bool:
        return rate is not None and kind_of(book.attribute(slot).unit) == kind_of(rate.base)

    def power(slot: int) -> int:
        places = rate.places if rate is not None and exchanged(slot) else 0
        return zeros(book.attribute(slot).unit) - book.attribute(slot).scale - places

    def whole(amount: Fraction) -> int:
        steps = amount * Fraction(10) ** (zeros(unit) - e)
        well_formed(steps.denominator == 1, "an amount that is no whole number of steps")
        return int(steps)

    e = min(zeros(unit), *(power(slot) for slot in comparison.slots))
    digits = rate.digits if rate is not None else 1
    terms = {
        slot: factor * 10 ** (power(slot) - e) * (digits if exchanged(slot) else 1)
        for slot, factor in side.items
    }
    return Steps(terms, whole(side.amount), whole(side.per_document))


def _form(plus: Steps, other: Steps, times: int, book: Book, count: int) -> Form:
    """plus + times·other ≥ 0, divided by what divides all coefficients."""
    total = dict(plus.terms)
    for slot, factor in other.terms.items():
        total[slot] = total.get(slot, 0) + times * factor
    total = {slot: factor for slot, factor in sorted(total.items()) if factor}
    well_formed(bool(total), "nothing left to compare")
    divisor = gcd(*total.values())
    amount = plus.amount + times * other.amount
    amount += count * (plus.per_document + times * other.per_document)
    form = Form(tuple((slot, f // divisor) for slot, f in total.items()), amount // divisor)
    size = sum(
        abs(factor) * count * max(abs(book.attribute(slot).least), abs(book.attribute(slot).most))
        for slot, factor in form.coefficients
    )
    well_formed(2 * (size + abs(form.constant) + 16**MAX_DIGITS) < q, "it could wrap around")
    well_formed(greatest(form, book, count) < 16**MAX_DIGITS, "too large for a range")
    return form


def greatest(form: Form, book: Book, count: int = 1) -> int:
    """The greatest value that the schemas' bounds allow to sums over this many documents."""
    return form.constant + sum(
        count * max(factor * book.attribute(slot).least, factor * book.attribute(slot).most)
        for slot, factor in form.coefficients
    )
