"""What may be asked over a selection (section "What may be asked", "Over a selection")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from independent.second_verifier import classes
from independent.second_verifier.book import Book
from independent.second_verifier.classes import NEEDED, Interval, Key, Sets
from independent.second_verifier.facts import Between, Fact
from independent.second_verifier.linear import Form, Linear, forms
from independent.second_verifier.list_facts import Each, ListFact, Sum
from independent.second_verifier.refusal import well_formed


def check(
    facts: Sequence[ListFact], about: Sequence[tuple[int, ...]], book: Book, sets: Sets
) -> None:
    """Refuses what the class of an attribute forbids, and what leaves too few values."""
    for fact in facts:
        for slot in fact.slots if isinstance(fact, Sum) else ():
            well_formed(book.attribute(slot).sensitivity != "personal", "a sum of personal values")
    inner = [fact.fact for fact in facts if isinstance(fact, Each)]
    classes.check(inner, book, sets)
    one = One.of(inner, book, sets)
    groups: dict[tuple[int, ...], list[Form]] = {}
    for fact, rows in zip(facts, about, strict=True):
        if isinstance(fact, Sum) and rows:
            groups.setdefault(rows, []).extend(forms(fact.comparison, book, len(rows)))
    totals = {frozenset(rows): Totals.of(group, len(rows), one) for rows, group in groups.items()}
    for each in totals.values():
        each.check(one)
    for whole in totals:
        for part in totals:
            if part < whole:
                totals[whole].minus(totals[part], one).check(one)


@dataclass(frozen=True)
class One:
    """What the facts about each document say of one of them, by steps 1 and 2."""

    book: Book
    sets: Sets
    facts: Sequence[Fact]
    forms: Sequence[Form]
    ends: Mapping[int, Interval]

    @classmethod
    def of(cls, inner: Sequence[Fact], book: Book, sets: Sets) -> One:
        """With an interval for every number of the schema."""
        linear = [form for fact in inner if isinstance(fact, Linear) for form in fact.forms]
        alone = [fact for fact in inner if not isinstance(fact, Linear)]
        ends = {
            slot: classes.hull(slot, [each for each in alone if each.slot == slot], book, sets)
            for slot in range(len(book.documents[0][1].attributes))
            if book.attribute(slot).ordered
        }
        classes.narrow(linear, ends)
        return cls(book, sets, alone, linear, ends)

    def combination(self, key: Key) -> Interval:
        """What is left of a combination in one document."""
        return classes.combinations(self.forms, self.ends).get(key) or classes.reach(key, self.ends)


@dataclass(frozen=True)
class Totals:
    """Sums over the same n rows, and combinations of sums, with what is left of each."""

    n: int
    sums: Mapping[int, Interval]
    combined: Mapping[Key, Interval]

    @classmethod
    def of(cls, about_sums: Sequence[Form], n: int, one: One) -> Totals:
        """Step a, but for the counting."""
        times = [Form(each.coefficients, n * each.constant) for each in one.forms]
        all_forms = [*about_sums, *times]
        slots = {slot for form in all_forms for slot, _ in form.coefficients}
        sums = {slot: (n * one.ends[slot][0], n * one.ends[slot][1]) for slot in slots}
        classes.narrow(all_forms, sums)
        return cls(n, sums, classes.combinations(all_forms, sums))

    def minus(self, part: Totals, one: One) -> Totals:
        """Step c: the sums over the rows that `part` lacks."""
        n = self.n - part.n

        def rest(whole: Interval, less: Interval, ends: Interval) -> Interval:
            low, high = whole[0] - less[1], whole[1] - less[0]
            return max(low, n * ends[0]), min(high, n * ends[1])

        both = self.sums.keys() & part.sums.keys()
        keys = self.combined.keys() & part.combined.keys()
        return Totals(
            n,
            {slot: rest(self.sums[slot], part.sums[slot], one.ends[slot]) for slot in both},
            {
                key: rest(self.combined[key], part.combined[key], one.combination(key))
                for key in keys
            },
        )

    def check(self, one: One) -> None:
        """The counting: of sums, of combinations, and of one document's share (step b)."""

        def share(total: Interval, ends: Interval) -> Interval:
            low = total[0] - (self.n - 1) * ends[1]
            high = total[1] - (self.n - 1) * ends[0]
            return max(ends[0], low), min(ends[1], high)

        for slot, (low, high) in self.sums.items():
            needed = NEEDED[one.book.attribute(slot).sensitivity]
            well_formed(high - low + 1 >= needed, "a sum with too few values")
        for key, total in self.combined.items():
            classes.check_combination(key, total, one.book)
        left = {slot: share(total, one.ends[slot]) for slot, total in self.sums.items()}
        classes.narrow(one.forms, left)
        for slot, (low, high) in left.items():
            about = [each for each in one.facts if each.slot == slot]
            classes.check_count(slot, [*about, Between(slot, low, high)], one.book, one.sets)
