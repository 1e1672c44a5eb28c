"""What may be asked over a selection (section "What may be asked", "Over a selection")."""

from __future__ import annotations

from collections.abc import Sequence

from independent.second_verifier import classes
from independent.second_verifier.book import Book
from independent.second_verifier.classes import NEEDED, Interval, Sets
from independent.second_verifier.facts import Fact
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
    groups: dict[tuple[int, ...], list[Form]] = {}
    for fact, rows in zip(facts, about, strict=True):
        if isinstance(fact, Sum) and rows:
            groups.setdefault(rows, []).extend(forms(fact.comparison, book, len(rows)))
    for rows, group in groups.items():
        _check_group(group, len(rows), inner, book)


def _check_group(group: list[Form], n: int, inner: Sequence[Fact], book: Book) -> None:
    """All sentences about sums over the same n rows, together."""
    slots = {slot for form in group for slot, _ in form.coefficients}
    of_one = _left_of_one(slots, inner, book)
    sums: dict[int, Interval] = {slot: (n * of_one[slot][0], n * of_one[slot][1]) for slot in slots}
    classes.narrow(group, sums)
    for slot in sorted(slots):
        needed = NEEDED[book.attribute(slot).sensitivity]
        low, high = sums[slot]
        well_formed(high - low + 1 >= needed, "a sum with too few values")
        least, most = of_one[slot]
        least, most = max(least, low - (n - 1) * most), min(most, high - (n - 1) * least)
        well_formed(most - least + 1 >= needed, "a sum that leaves one document too few values")
    classes.check_combinations(group, sums, book)


def _left_of_one(slots: set[int], inner: Sequence[Fact], book: Book) -> dict[int, Interval]:
    """The intervals that the facts about each document leave, by steps 1 and 2."""
    linear = [form for fact in inner if isinstance(fact, Linear) for form in fact.forms]
    all_slots = slots | {slot for form in linear for slot, _ in form.coefficients}
    found = {
        slot: classes.hull(
            slot,
            [each for each in inner if not isinstance(each, Linear) and each.slot == slot],
            book,
        )
        for slot in all_slots
    }
    classes.narrow(linear, found)
    return found
