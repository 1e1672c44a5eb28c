"""Linear facts: sums of multiples of numbers, compared, over one or several documents.

`debt * 100 <= valuation * 60` is about integers from the beginning: every attribute has a whole
factor, every amount is exact in the fact's smallest step, and what is proven is that one
combination with integer coefficients is not negative. `abs(x - y) * k <= z` is two of these. Over
a selection the attributes are sums, `sum(debt) * 100 <= sum(valuation) * 60`. It refuses whatever
is not exact, units that measure different things, attributes that are not numbers or cancel out,
and coefficients so large that the combination could pass for another number in the field.

SPEC.md, "Linear facts".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Final, TypeAlias

from proofs import group
from proofs.errors import FactError
from proofs.exact import format_decimal
from proofs.grammar import bare_word
from proofs.range_terms import BASE, MAX_DIGITS
from proofs.schema import Attribute
from proofs.selection import MAX_LISTED
from proofs.units import Rate, measure, zeros_between

MAX_MENTIONS = 128
"""Attributes in one sentence: 64 documents on both sides."""

TOTAL: Final = "sum()"
"""Where an alias stands, for the sum of an attribute over a selection; no document is called so."""

Key: TypeAlias = tuple[str, Attribute]
"""Which attribute: the alias (empty for an only document, or `TOTAL`), and the attribute."""


@dataclass(frozen=True, slots=True)
class Mention:
    """factor * attribute, on one side of a sentence; below 0 where it is subtracted."""

    alias: str
    attribute: Attribute
    factor: int

    def __post_init__(self) -> None:
        if not self.attribute.is_numeric:
            raise FactError(f"{self.name} is of type {self.attribute.type}; only numbers add up")
        if not self.factor:
            raise FactError(f"{self.name} times 0 says nothing")

    @property
    def key(self) -> Key:
        """Which attribute it is."""
        return self.alias, self.attribute

    @property
    def name(self) -> str:
        """The attribute as the sentence calls it."""
        if self.alias == TOTAL:
            return f"sum({self.attribute.name})"
        return f"{self.alias}.{self.attribute.name}" if self.alias else self.attribute.name


@dataclass(frozen=True, slots=True)
class Side:
    """Mentions, an amount in the fact's smallest step, and one for each document of a selection."""

    mentions: tuple[Mention, ...]
    amount: int
    per_document: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """The sum of coefficient · value, and `constant`, is at least 0: over the integers.

    The values are the scaled integers that are committed to. Coefficients are distinct by
    attribute, not 0, and have no common divisor; neither they nor the constant can carry the sum
    around the order of the group, for values within the bounds that the schemas attest, and sums
    over `count` documents.
    """

    coefficients: tuple[tuple[Key, int], ...]
    constant: int
    count: int = 1

    def __post_init__(self) -> None:
        if self.size + BASE**MAX_DIGITS >= group.ORDER // 2:
            raise FactError("its factors are too large: the sum could wrap around")
        if self.greatest >= BASE**MAX_DIGITS:
            raise FactError(f"its factors are too large: more than {MAX_DIGITS} digits to prove")

    @classmethod
    def of(cls, summands: Iterable[tuple[Key, int]], constant: int, count: int = 1) -> Form:
        """Summands of one attribute added up, and divided by what all coefficients share.

        c·u + k >= 0 is u >= -k/c, and for an integer u that is u + floor(k/c) >= 0.
        """
        total: dict[Key, int] = {}
        for key, coefficient in summands:
            total[key] = total.get(key, 0) + coefficient
        kept = [(key, coefficient) for key, coefficient in total.items() if coefficient]
        if not kept:
            raise FactError("its attributes cancel out: nothing is left to be proven")
        common = gcd(*(coefficient for _, coefficient in kept))
        return cls(tuple((key, each // common) for key, each in kept), constant // common, count)

    def bounds(self, key: Key) -> tuple[int, int]:
        """Least and greatest value of a summand's attribute, or of its sum."""
        lo, hi = key[1].bounds
        return (self.count * lo, self.count * hi) if key[0] == TOTAL else (lo, hi)

    @property
    def size(self) -> int:
        """The greatest absolute value that any partial sum can have."""
        return abs(self.constant) + sum(
            abs(coefficient) * max(map(abs, self.bounds(key)))
            for key, coefficient in self.coefficients
        )

    @property
    def greatest(self) -> int:
        """The greatest value of the whole that the schemas' bounds allow."""
        return self.constant + sum(
            max(coefficient * bound for bound in self.bounds(key))
            for key, coefficient in self.coefficients
        )

    def holds(self, value: Callable[[str, Attribute], int]) -> bool:
        """Whether it is true of these values."""
        total = sum(coefficient * value(*key) for key, coefficient in self.coefficients)
        return total + self.constant >= 0


@dataclass(frozen=True)
class LinearFact:
    """left <= right, left >= right, or |left| * times <= right. Made by `parse_fact` only.

    `relation` is `<=` or `>=`; `times` is None but for `abs`, whose relation is `<=`.
    """

    left: Side
    right: Side
    relation: str
    times: int | None
    rate: Rate | None

    def __post_init__(self) -> None:
        if not self.left.mentions:
            raise FactError("the left side names no attribute: turn the sentence round")
        if len(self.mentions) > MAX_MENTIONS:
            raise FactError(f"{len(self.mentions)} attributes; at most {MAX_MENTIONS} are allowed")
        for side in (self.left, self.right):
            if len({each.key for each in side.mentions}) != len(side.mentions):
                raise FactError("write each attribute once on a side, with one factor")
        over = {each.alias == TOTAL for each in self.mentions}
        if len(over) > 1:
            raise FactError("a sentence is about sums, or about each document, not about both")
        if not self.is_total and (self.left.per_document or self.right.per_document):
            raise FactError("count() stands with sums: sum(x) >= count() * 5")
        self.scale.check()
        _ = self.forms_over(MAX_LISTED if self.is_total else 1)  # every refusal comes now

    @property
    def is_total(self) -> bool:
        """Whether it is about sums over a selection."""
        return self.mentions[0].alias == TOTAL

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """All of both sides, in their order."""
        return self.left.mentions + self.right.mentions

    @cached_property
    def scale(self) -> Scale:
        """The units of the sentence."""
        return Scale(tuple(each.attribute for each in self.mentions), self.rate)

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """What is proven of documents: one combination that is not negative, two for `abs`."""
        if self.is_total:
            raise ValueError("a sentence about sums is proven over a number of documents")
        return self.forms_over(1)

    def forms_over(self, count: int) -> tuple[Form, ...]:
        """What is proven where sums are over so many documents.

        Raises:
            FactError: a sum over so many could wrap around, or the attributes cancel out.
        """

        def amount(side: Side) -> int:
            return side.amount + side.per_document * count

        left, right = self._summands(self.left), self._summands(self.right)
        if self.times is None:
            sign = 1 if self.relation == ">=" else -1
            summands = [(key, sign * each) for key, each in left]
            summands += [(key, -sign * each) for key, each in right]
            constant = sign * (amount(self.left) - amount(self.right))
            return (Form.of(summands, constant, count),)
        both = []
        for sign in (-self.times, self.times):
            summands = right + [(key, sign * each) for key, each in left]
            constant = amount(self.right) + sign * amount(self.left)
            both.append(Form.of(summands, constant, count))
        return tuple(both)

    def _summands(self, side: Side) -> list[tuple[Key, int]]:
        return [
            (each.key, each.factor * self.scale.steps(each.attribute)) for each in side.mentions
        ]

    @property
    def text(self) -> str:
        """The canonical sentence; `parse_fact` reads it back to an equal fact."""
        left, right = self._print(self.left), self._print(self.right)
        if self.times is not None:
            left = f"abs({left})" + (f" * {self.times}" if self.times != 1 else "")
        rate = f" {self.rate.print(bare=bare_word(self.rate.source))}" if self.rate else ""
        return f"{left} {self.relation} {right}{rate}"

    @property
    def set_name(self) -> None:
        """No linear fact is about a named set."""
        return None

    def _print(self, side: Side) -> str:
        words: list[str] = []

        def amount(sign: str) -> None:
            number = format_decimal(abs(side.amount), self.scale.places, shortest=True)
            words.extend([sign, f"{number} {self.scale.unit}".rstrip()])

        # No sentence begins with a minus; an amount in front, if it is 0, makes room for one.
        first = not side.mentions or side.mentions[0].factor < 0
        if first:
            amount("-" if side.amount < 0 else "+")
        for each in side.mentions:
            factor = abs(each.factor)
            words.append("-" if each.factor < 0 else "+")
            words.append(each.name if factor == 1 else f"{each.name} * {factor}")
        if not first and side.amount:
            amount("-" if side.amount < 0 else "+")
        if side.per_document:
            number = format_decimal(abs(side.per_document), self.scale.places, shortest=True)
            each_one = f"count() * {number} {self.scale.unit}".rstrip()
            # An amount of 0 in front says nothing, but that something is subtracted from it.
            if not side.mentions and not side.amount and side.per_document > 0:
                words.clear()
            words.extend(["-" if side.per_document < 0 else "+", each_one])
        head = f"-{words[1]}" if words[0] == "-" else words[1]
        return " ".join([head, *words[2:]])

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Scale:
    """The units of one sentence: its smallest step, and how its amounts are written."""

    attributes: tuple[Attribute, ...]
    rate: Rate | None

    def check(self) -> None:
        """FactError unless all attributes measure the same, or a rate leads from one to another."""
        kinds = {measure(each.unit)[0]: each for each in self.attributes}
        if self.rate is not None:
            if self.rate.base not in kinds:
                raise FactError(f"no attribute is in {self.rate.base}: leave the rate out")
            kinds.pop(self.rate.base)
            kinds.pop(self.rate.quote, None)
            wanted = self.rate.quote
        else:
            wanted = measure(self.attributes[0].unit)[0]
            kinds.pop(wanted)
        for each in kinds.values():
            raise FactError(
                f"unit differs: {each.name} is {f'in {each.unit}' if each.unit else 'a number'}, "
                f"not {f'in {wanted}' if wanted else 'a number'} as the rest"
            )

    @cached_property
    def unit(self) -> str:
        """The unit in which amounts are written."""
        if self.rate is None:
            return self.attributes[0].unit
        units = [each.unit for each in self.attributes]
        return next((u for u in units if measure(u)[0] == self.rate.quote), self.rate.quote)

    @cached_property
    def least(self) -> int:
        """The smallest step is 10 to this of the smallest unit of the kind."""
        return min([measure(self.unit)[1], *map(self._zeros, self.attributes)])

    @property
    def places(self) -> int:
        """Decimal places of an amount in `unit`."""
        return measure(self.unit)[1] - self.least

    def steps(self, attribute: Attribute) -> int:
        """How many smallest steps one scaled unit of an attribute is."""
        factor = self.rate.mantissa if self._exchanged(attribute) and self.rate else 1
        zeros = self._zeros(attribute) - self.least  # never below 0
        return factor * int(10**zeros)

    def amount_places(self, unit: str | None) -> int:
        """The scale at which an amount in this unit is a number of smallest steps.

        None is an amount without a unit, which has that of the attributes if they agree.
        """
        if unit is None:
            if len({each.unit for each in self.attributes} | {self.unit}) > 1:
                raise FactError("write the unit: the attributes have several")
            return self.places
        zeros = zeros_between(unit, self.unit)
        if zeros is None:
            kind = f"the attributes are in {self.unit}" if self.unit else "the attributes have none"
            raise FactError(f"unit differs: {kind}, the fact says {unit}")
        return self.places + zeros

    def _zeros(self, attribute: Attribute) -> int:
        zeros = measure(attribute.unit)[1] - attribute.scale
        return zeros - self.rate.places if self._exchanged(attribute) and self.rate else zeros

    def _exchanged(self, attribute: Attribute) -> bool:
        return self.rate is not None and measure(attribute.unit)[0] == self.rate.base
