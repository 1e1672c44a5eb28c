"""Facts read in their canonical text (section "Fact language").

Only canonical texts are of use to a verifier, so this reader knows no other spelling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from independent.second_verifier import encoding
from independent.second_verifier.book import Book
from independent.second_verifier.linear import Linear, read_linear
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.schema import MAX_TEXT, Attribute, Value, scaled
from independent.second_verifier.text import in_normal_form, plain
from independent.second_verifier.words import item, items, unquoted

MAX_FACT = 4096
NAME = "([a-z][a-z0-9_.-]*)"
ABOUT_ONE = re.compile(f"{NAME} (not in @|in @|in {{|in |= )")
COMPARED = re.compile(f"{NAME} (>= |<= )(?=-?[0-9][^ ]*(?: [^ ]+)?$)")


@dataclass(frozen=True)
class Between:
    """low ≤ value ≤ high; an end that is None is open."""

    slot: int
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Equal:
    """The value, shown."""

    slot: int
    value: Value


@dataclass(frozen=True)
class OneOf:
    """One of the listed values."""

    slot: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class InSet:
    """In, or not in, the named set."""

    slot: int
    name: str
    member: bool


Simple = Between | Equal | OneOf | InSet
Fact = Simple | Linear


def sentence(text: str) -> str:
    """A text that may be a sentence at all."""
    return plain(text, MAX_FACT)


def read(text: str, book: Book) -> Fact:
    """What a canonical text says."""
    sentence(text)
    head = ABOUT_ONE.match(text) or COMPARED.match(text)
    if head is None:
        return read_linear(text, book)
    slot, form, rest = book.slot(head[1]), head[2], text[head.end() :]
    attribute = book.attribute(slot)
    if form.endswith("@"):
        encoding.text(rest, encoding.NAME)
        return InSet(slot, rest, form.startswith("in"))
    fact: Simple
    if form == "in {":
        spelt, rest = items(rest)
        values = [literal(each, attribute) for each in spelt]
        well_formed(sorted(set(values)) == values, "not sorted, or one twice")
        fact = OneOf(slot, tuple(values))
    elif form == "= ":
        first, rest = item(rest)
        fact = Equal(slot, literal(first, attribute))
    else:
        first, rest = item(rest)
        low = _end(first, attribute)
        fact = Between(slot, low, None) if form == ">= " else Between(slot, None, low)
        if form == "in ":
            well_formed(rest.startswith(".."), "not a range")
            last, rest = item(rest[2:])
            fact = Between(slot, low, _end(last, attribute))
    well_formed(rest == (f" {attribute.unit}" if attribute.unit else ""), "not the unit")
    return fact


def _end(spelt: str, attribute: Attribute) -> int:
    value = literal(spelt, attribute)
    well_formed(isinstance(value, int), "no order among texts")
    return int(value)


def literal(spelt: str, attribute: Attribute) -> Value:
    """A value of the attribute, within its bounds or members, in its one spelling."""
    if attribute.ordered:
        number = encoding.day(spelt) if attribute.kind == "date" else scaled(spelt, attribute.scale)
        well_formed(attribute.least <= number <= attribute.most, "past the schema's bounds")
        return number
    value = in_normal_form(unquoted(spelt), attribute.kind)
    well_formed(len(value) <= MAX_TEXT, "too long a text")
    well_formed(attribute.kind != "enum" or value in attribute.members, "not a member")
    return value
