"""What may be asked over a selection (section "What may be asked", "Over a selection")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from independent.second_verifier.book import Book
from independent.second_verifier.classes import (
    Facts,
    Interval,
    Key,
    Sets,
    both,
    combinations,
    enough,
    narrowed,
    spread,
)
from independent.second_verifier.linear import Form, forms
from independent.second_verifier.list_facts import Each, ListFact, Sum
from independent.second_verifier.refusal import well_formed

Rows = frozenset[int]


def check_each(facts: Sequence[ListFact], book: Book, sets: Sets) -> Document:
    """Refuses sentences that a class forbids, and facts about each that leave too few values."""
    named: set[int] = set()
    for fact in facts:
        if isinstance(fact, Sum):
            classes = {book.attribute(slot).sensitivity for slot in fact.slots}
            well_formed("personal" not in classes, "a sum of personal values")
            named.update(fact.slots)
    each = Facts(tuple(fact.fact for fact in facts if isinstance(fact, Each)), book, sets)
    each.check()
    return Document(each, each.ends_of(named))


def check_sums(facts: Sequence[ListFact], about: Sequence[tuple[int, ...]], one: Document) -> None:
    """Refuses sums, each over at least one row, that leave too few values."""
    asked: dict[Rows, list[Form]] = {}
    for fact, rows in zip(facts, about, strict=True):
        if isinstance(fact, Sum):
            found = forms(fact.comparison, one.facts.book, len(rows))
            asked.setdefault(frozenset(rows), []).extend(found)
    sums = {rows: summed(one, of_sums, len(rows)) for rows, of_sums in asked.items()}
    for total in sums.values():
        total.check()
    for whole, part in permutations(sums, 2):
        if part < whole:
            difference(sums[whole], sums[part]).check()


@dataclass(frozen=True)
class Document:
    """The facts about each document, and the intervals that they leave of the numbers."""

    facts: Facts
    ends: Mapping[int, Interval]

    def of_combination(self, key: Key) -> Interval:
        """Its values in one document, by step 4."""
        found = combinations(self.facts.forms, self.ends)
        return found[key] if key in found else spread(key, self.ends)


@dataclass(frozen=True)
class Total:
    """What is left of sums over the same rows, and of combinations of sums."""

    one: Document
    rows: int
    of_attributes: Mapping[int, Interval]
    of_combinations: Mapping[Key, Interval]

    def check(self) -> None:
        """The counting of step a, and all of step b."""
        facts, book = self.one.facts, self.one.facts.book
        for slot, ends in self.of_attributes.items():
            enough(ends, [slot], book)
        for key, ends in self.of_combinations.items():
            enough(ends, (slot for slot, _ in key), book)
        shares = {}
        for slot, (least, greatest) in self.of_attributes.items():
            low, high = self.one.ends[slot]
            share = least - (self.rows - 1) * high, greatest - (self.rows - 1) * low
            shares[slot] = both(share, (low, high))
        for slot, ends in narrowed(facts.forms, shares).items():
            facts.enough_of(slot, ends)


def summed(one: Document, of_sums: Sequence[Form], n: int) -> Total:
    """Step a, but for the counting."""
    of_each = [Form(form.coefficients, n * form.constant) for form in one.facts.forms]
    everything = [*of_sums, *of_each]
    slots = sorted({slot for form in everything for slot, _ in form.coefficients})
    ends = narrowed(everything, {slot: _times(n, one.ends[slot]) for slot in slots})
    return Total(one, n, ends, combinations(everything, ends))


def difference(whole: Total, part: Total) -> Total:
    """Step c: the sums over the rows that are in the whole alone."""
    one, n = whole.one, whole.rows - part.rows

    def rest(more: Interval, less: Interval, alone: Interval) -> Interval:
        return both((more[0] - less[1], more[1] - less[0]), _times(n, alone))

    attributes = {
        slot: rest(ends, part.of_attributes[slot], one.ends[slot])
        for slot, ends in whole.of_attributes.items()
        if slot in part.of_attributes
    }
    combined = {
        key: rest(ends, part.of_combinations[key], one.of_combination(key))
        for key, ends in whole.of_combinations.items()
        if key in part.of_combinations
    }
    return Total(one, n, attributes, combined)


def _times(n: int, ends: Interval) -> Interval:
    return n * ends[0], n * ends[1]
