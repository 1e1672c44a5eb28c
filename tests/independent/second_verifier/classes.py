"""What may be asked, from schemas and sets alone (section "What may be asked")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from independent.second_verifier.book import Book
from independent.second_verifier.facts import Between, Equal, Fact, InSet, OneOf
from independent.second_verifier.linear import Form, Linear
from independent.second_verifier.refusal import need, well_formed
from independent.second_verifier.schema import Value
from independent.second_verifier.signed_sets import SignedSet

NEEDED = {"public": 1, "asset": 2, "personal": 64}
ROUNDS = 16

Interval = tuple[int, int]
Sets = Mapping[str, SignedSet]


def check(facts: Sequence[Fact], book: Book, sets: Sets) -> None:
    """Refuses a list that asks what the class forbids, or leaves too few values."""
    by_slot: dict[int, list[Fact]] = {}
    forms: list[Form] = []
    for fact in facts:
        if isinstance(fact, Linear):
            forms.extend(fact.forms)
            for slot in fact.slots:
                by_slot.setdefault(slot, [])
                sensitivity = book.attribute(slot).sensitivity
                well_formed(sensitivity != "personal", "a sum of personal values")
            continue
        sensitivity = book.attribute(fact.slot).sensitivity
        allowed = isinstance(fact, InSet) or sensitivity == "public"
        allowed = allowed or (sensitivity == "asset" and not isinstance(fact, Equal))
        well_formed(allowed, "a sentence that the class forbids")
        by_slot.setdefault(fact.slot, []).append(fact)
    slots = {slot for form in forms for slot, _ in form.coefficients}
    intervals = {slot: hull(slot, by_slot.get(slot, []), book, sets) for slot in slots}
    narrow(forms, intervals)
    for slot in slots:
        low, high = intervals[slot]
        by_slot[slot].append(Between(slot, low, high))
    for slot, about in by_slot.items():
        for each in about:
            if isinstance(each, InSet):
                same = sets[each.name].type_tag == book.attribute(slot).type_tag
                need(same, 8, "SET", "a set of another type")
        check_count(slot, about, book, sets)
    for key, ends in combinations(forms, intervals).items():
        check_combination(key, ends, book)


def check_count(slot: int, about: Sequence[Fact], book: Book, sets: Sets) -> None:
    """Refuses facts about one attribute that leave fewer values than its class needs."""
    count = _count(slot, about, book, sets)
    needed = NEEDED[book.attribute(slot).sensitivity]
    well_formed(count is None or count >= needed, "too few values stay possible")


def hull(slot: int, about: Sequence[Fact], book: Book, sets: Sets) -> Interval:
    """The interval of a number, cut by the ranges, values, lists and sets about it."""
    least, most = book.attribute(slot).least, book.attribute(slot).most
    low, high = book.attribute(slot).least, book.attribute(slot).most
    for fact in about:
        ends: list[Value] = []
        if isinstance(fact, Between):
            low = low if fact.low is None else max(low, fact.low)
            high = high if fact.high is None else min(high, fact.high)
        elif isinstance(fact, Equal):
            ends = [fact.value]
        elif isinstance(fact, OneOf):
            ends = list(fact.values)
        elif isinstance(fact, InSet) and fact.member:
            if sets[fact.name].type_tag != book.attribute(slot).type_tag:
                continue  # refused when its values are counted
            members = [v for v in sets[fact.name].members if isinstance(v, int)]
            ends = [v for v in members if least <= v <= most]
            if not ends:
                low, high = max(low, most), min(high, least - 1)
        numbers = [each for each in ends if isinstance(each, int)]
        if numbers:
            low, high = max(low, min(numbers)), min(high, max(numbers))
    return low, high


def _ends(form: Form, intervals: Mapping[int, Interval]) -> list[Interval]:
    """Of each coefficient times its value, the least and the greatest."""
    pairs = [(c * intervals[slot][0], c * intervals[slot][1]) for slot, c in form.coefficients]
    return [(min(pair), max(pair)) for pair in pairs]


def narrow(forms: Sequence[Form], intervals: dict[int, Interval]) -> None:
    """Cuts the intervals by the forms, in rounds, until nothing changes."""
    for _ in range(ROUNDS):
        before = dict(intervals)
        for form in forms:
            greatest = [high for _, high in _ends(form, intervals)]
            M = form.constant + sum(greatest)
            for (slot, c), most in zip(form.coefficients, greatest, strict=True):
                low, high = intervals[slot]
                if c > 0:
                    low = max(low, -((M - most) // c))
                else:
                    high = min(high, (M - most) // -c)
                intervals[slot] = low, high
        if intervals == before or any(low > high for low, high in intervals.values()):
            return


def _count(slot: int, about: Sequence[Fact], book: Book, sets: Sets) -> int | None:
    """How many values fulfil all facts about an attribute; None for without end."""
    attribute = book.attribute(slot)
    low, high = attribute.least, attribute.most
    listed: set[Value] | None = set(attribute.members) if attribute.kind == "enum" else None
    excluded: set[Value] = set()
    for fact in about:
        within: set[Value] | frozenset[Value] | None = None
        if isinstance(fact, Between):
            low = low if fact.low is None else max(low, fact.low)
            high = high if fact.high is None else min(high, fact.high)
        elif isinstance(fact, Equal):
            within = {fact.value}
        elif isinstance(fact, OneOf):
            within = set(fact.values)
        elif isinstance(fact, InSet) and fact.member:
            within = sets[fact.name].members
        elif isinstance(fact, InSet):
            excluded |= sets[fact.name].members
        if within is not None:
            listed = set(within) if listed is None else listed & within
    if listed is not None:
        left = listed - excluded
        return sum(1 for v in left if not isinstance(v, int) or low <= v <= high)
    if not attribute.ordered:
        return None
    gone = sum(1 for v in excluded if isinstance(v, int) and low <= v <= high)
    return max(0, high - low + 1 - gone)


Key = tuple[tuple[int, int], ...]


def combinations(forms: Sequence[Form], intervals: Mapping[int, Interval]) -> dict[Key, Interval]:
    """The values of each combination of two or more attributes."""
    found: dict[Key, Interval] = {}
    for form in forms:
        if len(form.coefficients) < 2:
            continue
        sign = 1 if form.coefficients[0][1] > 0 else -1
        key = tuple((slot, sign * c) for slot, c in form.coefficients)
        low, high = found.get(key) or reach(key, intervals)
        # sign·combination + constant ≥ 0
        if sign > 0:
            low = max(low, -form.constant)
        else:
            high = min(high, form.constant)
        found[key] = low, high
    return found


def reach(key: Key, intervals: Mapping[int, Interval]) -> Interval:
    """The least and the greatest value of a combination."""
    ends = _ends(Form(key, 0), intervals)
    return sum(a for a, _ in ends), sum(b for _, b in ends)


def check_combination(key: Key, ends: Interval, book: Book) -> None:
    """Refuses a combination of which too few values are left."""
    classes = {book.attribute(slot).sensitivity for slot, _ in key}
    needed = NEEDED["asset" if "asset" in classes else "public"]
    well_formed(ends[1] - ends[0] + 1 >= needed, "a combination with too few values")
