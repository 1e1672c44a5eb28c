"""Facts over a selection (sections "Fact language" and "From facts to statements")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from independent.second_verifier import facts
from independent.second_verifier.book import Book
from independent.second_verifier.facts import Fact, InSet
from independent.second_verifier.linear import Linear, forms
from independent.second_verifier.selection import MAX_LISTED
from independent.second_verifier.sides import Comparison, read_comparison

COUNTED = re.compile(r"count\(\) ([<>]=) (0|[1-9][0-9]{0,8})")
PRESENT = " where present"


@dataclass(frozen=True)
class Each:
    """A sentence about every document, or about those that have its attributes."""

    fact: Fact
    present: bool

    @property
    def slots(self) -> tuple[int, ...]:
        """The attributes that it names, by their places in the schema."""
        return self.fact.slots if isinstance(self.fact, Linear) else (self.fact.slot,)


@dataclass(frozen=True)
class Sum:
    """A comparison of sums over the documents."""

    comparison: Comparison
    present: bool

    @property
    def slots(self) -> tuple[int, ...]:
        """The attributes that it names."""
        return self.comparison.slots


@dataclass(frozen=True)
class Count:
    """How many documents there are; it has no term."""

    at_least: bool
    number: int

    def holds(self, count: int) -> bool:
        """Whether it is true of a list of this length."""
        return count >= self.number if self.at_least else count <= self.number


ListFact = Each | Sum | Count


def read(text: str, book: Book) -> ListFact:
    """What a canonical text says of a selection under its one schema."""
    facts.sentence(text)
    counted = COUNTED.fullmatch(text)
    if counted is not None:
        return Count(counted[1] == ">=", int(counted[2]))
    present = text.endswith(PRESENT)
    sentence = text.removesuffix(PRESENT)
    if sentence.startswith("each "):
        return Each(facts.read(sentence.removeprefix("each "), book), present)
    comparison = read_comparison(sentence, book, sums=True)
    # Nobody knows the number of documents yet, so the greatest has to fit.
    forms(comparison, book, MAX_LISTED)
    return Sum(comparison, present)


def set_of(fact: ListFact) -> InSet | None:
    """The sentence about a named set, if it is one."""
    inner = fact.fact if isinstance(fact, Each) else None
    return inner if isinstance(inner, InSet) else None


def rows_of(fact: ListFact, presences: list[str]) -> tuple[int, ...]:
    """The rows that a sentence is about: all, or with `where present` those that have it all."""
    if isinstance(fact, Count) or not fact.present:
        return tuple(range(len(presences)))
    return tuple(
        row
        for row, presence in enumerate(presences)
        if all(presence[slot] == "1" for slot in fact.slots)
    )


def can_hold(fact: ListFact, rows: tuple[int, ...], presences: list[str]) -> bool:
    """Whether the list lets a sentence be true, as far as anybody sees: marks and numbers."""
    if isinstance(fact, Count):
        return fact.holds(len(presences))
    return bool(rows) and all(presences[row][slot] == "1" for row in rows for slot in fact.slots)
