"""What may be asked, from schemas and sets alone (section "What may be asked").

Its steps 1 to 4; section "Over a selection" is in `list_classes`, which takes the facts about each
document from here. A set of another type than its attribute's bounds nothing before it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from independent.second_verifier.book import Book
from independent.second_verifier.facts import Between, Equal, Fact, InSet, OneOf, Simple
from independent.second_verifier.linear import Form, Linear
from independent.second_verifier.refusal import need, well_formed
from independent.second_verifier.schema import Value
from independent.second_verifier.signed_sets import SignedSet

LEFT = {"public": 1, "asset": 2, "personal": 64}
ROUNDS = 16

Interval = tuple[int, int]
Key = tuple[tuple[int, int], ...]
Sets = Mapping[str, SignedSet]


def check(facts: Sequence[Fact], book: Book, sets: Sets) -> None:
    """Refuses a list that asks what the class forbids, or leaves too few values."""
    Facts(tuple(facts), book, sets).check()


def both(one: Interval, other: Interval) -> Interval:
    """What lies in two intervals; the first end is past the second where nothing does."""
    return max(one[0], other[0]), min(one[1], other[1])


def narrowed(forms: Sequence[Form], ends: Mapping[int, Interval]) -> dict[int, Interval]:
    """Step 2: intervals cut by forms that none of their values may make negative."""
    left = dict(ends)
    for _ in range(ROUNDS):
        before = dict(left)
        for form in forms:
            most = {slot: max(c * end for end in left[slot]) for slot, c in form.coefficients}
            M = form.constant + sum(most.values())
            for slot, c in form.coefficients:
                low, high = left[slot]
                reach = (M - most[slot]) // abs(c)
                left[slot] = (max(low, -reach), high) if c > 0 else (low, min(high, reach))
        if left == before or any(low > high for low, high in left.values()):
            break
    return left


def key_of(form: Form) -> Key:
    """The coefficients up to sign, the first of them positive."""
    sign = 1 if form.coefficients[0][1] > 0 else -1
    return tuple((slot, sign * c) for slot, c in form.coefficients)


def spread(key: Key, ends: Mapping[int, Interval]) -> Interval:
    """The least and the greatest value of a combination in the intervals."""
    low = sum(min(c * end for end in ends[slot]) for slot, c in key)
    return low, sum(max(c * end for end in ends[slot]) for slot, c in key)


def combinations(forms: Sequence[Form], ends: Mapping[int, Interval]) -> dict[Key, Interval]:
    """Step 4, but for the counting: of two or more attributes, with every form about them."""
    found: dict[Key, Interval] = {}
    for form in forms:
        if len(form.coefficients) > 1:
            key = key_of(form)
            low, high = found.get(key) or spread(key, ends)
            upright = key == form.coefficients
            bound = (-form.constant, high) if upright else (low, form.constant)
            found[key] = both((low, high), bound)
    return found


def enough(ends: Interval, slots: Iterable[int], book: Book) -> None:
    """Refuses an interval with fewer values than a sum or combination of attributes needs."""
    needed = max(LEFT[book.attribute(slot).sensitivity] for slot in slots)
    well_formed(ends[1] - ends[0] + 1 >= needed, "a sum or combination with too few values")


@dataclass(frozen=True)
class Facts:
    """A list of facts, each about one document, with what they leave of its attributes."""

    facts: tuple[Fact, ...]
    book: Book
    sets: Sets

    @cached_property
    def forms(self) -> list[Form]:
        """Of all linear facts, in their order."""
        return [form for fact in self.facts if isinstance(fact, Linear) for form in fact.forms]

    @cached_property
    def slots(self) -> list[int]:
        """All attributes that are named, in the order of the facts."""
        named = [
            slot
            for fact in self.facts
            for slot in (fact.slots if isinstance(fact, Linear) else (fact.slot,))
        ]
        return list(dict.fromkeys(named))

    def check(self) -> None:
        """Sentences by class; then, of each attribute, its sets and its count; combinations."""
        for fact in self.facts:
            well_formed(self.may_be_asked(fact), "a sentence that the class forbids")
        within = {slot for form in self.forms for slot, _ in form.coefficients}
        ends = self.ends_of(within)
        for slot in self.slots:
            for fact in self.about(slot):
                alike = not isinstance(fact, InSet) or self.comparable(fact)
                need(alike, 8, "SET", "a set of another type")
            self.enough_of(slot, ends.get(slot))
        for key, left in combinations(self.forms, ends).items():
            enough(left, (slot for slot, _ in key), self.book)

    def may_be_asked(self, fact: Fact) -> bool:
        """By the table of classes; a personal attribute is in no sum, even if it cancels out."""
        if isinstance(fact, Linear):
            return all(self.book.attribute(slot).sensitivity != "personal" for slot in fact.slots)
        sensitivity = self.book.attribute(fact.slot).sensitivity
        if sensitivity == "public":
            return True
        return isinstance(fact, InSet) or (sensitivity == "asset" and not isinstance(fact, Equal))

    def about(self, slot: int) -> list[Simple]:
        """The facts about this attribute alone."""
        alone = [fact for fact in self.facts if not isinstance(fact, Linear)]
        return [fact for fact in alone if fact.slot == slot]

    def comparable(self, fact: InSet) -> bool:
        """Whether the set is of the attribute's type, scale and unit."""
        return self.sets[fact.name].type_tag == self.book.attribute(fact.slot).type_tag

    def ends_of(self, slots: Iterable[int]) -> dict[int, Interval]:
        """Steps 1 and 2, of these numbers and of all in the forms."""
        inner = {slot for form in self.forms for slot, _ in form.coefficients}
        return narrowed(self.forms, {slot: self.start(slot) for slot in {*slots, *inner}})

    def start(self, slot: int) -> Interval:
        """Step 1: from min to max, cut by what is said about the attribute alone."""
        attribute = self.book.attribute(slot)
        domain = left = attribute.least, attribute.most
        for fact in self.about(slot):
            if isinstance(fact, Between):
                low = domain[0] if fact.low is None else fact.low
                left = both(left, (low, domain[1] if fact.high is None else fact.high))
                continue
            values = self.listed(fact)
            if values is not None:
                numbers = [each for each in values if isinstance(each, int)]
                numbers = [each for each in numbers if domain[0] <= each <= domain[1]]
                # Where the set has no member in the domain, no value is left.
                hull = (min(numbers), max(numbers)) if numbers else (domain[1], domain[0] - 1)
                left = both(left, hull)
        return left

    def listed(self, fact: Simple) -> Iterable[Value] | None:
        """The only values that a fact allows, if it names them."""
        if isinstance(fact, Equal):
            return [fact.value]
        if isinstance(fact, OneOf):
            return fact.values
        if isinstance(fact, InSet) and fact.member and self.comparable(fact):
            return self.sets[fact.name].members
        return None

    def enough_of(self, slot: int, ends: Interval | None) -> None:
        """Refuses facts that leave fewer values than the class needs, with one more range."""
        attribute, about = self.book.attribute(slot), self.about(slot)
        needed = LEFT[attribute.sensitivity]
        if attribute.ordered:
            narrow = self.start(slot) if ends is None else both(self.start(slot), ends)
        lists = [set(each) for each in map(self.listed, about) if each is not None]
        if attribute.kind == "enum":
            lists.append(set(attribute.members))
        gone: set[Value] = set()
        for fact in about:
            if isinstance(fact, InSet) and not fact.member:
                gone |= self.sets[fact.name].members
        if lists:
            left = set.intersection(*lists) - gone
            if attribute.ordered:
                left = {each for each in left if _within(each, narrow)}
            count = len(left)
        elif attribute.ordered:
            gone = {each for each in gone if _within(each, narrow)}
            count = max(0, narrow[1] - narrow[0] + 1 - len(gone))
        else:
            return  # identifiers and names have no end
        well_formed(count >= needed, f"too few values of {attribute.name} stay possible")


def _within(value: Value, ends: Interval) -> bool:
    return isinstance(value, int) and ends[0] <= value <= ends[1]
