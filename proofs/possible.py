"""The values of one attribute that its schema's domain and facts about it leave possible.

Exactly those: ranges, lists, named sets and exclusions are intersected, and whether a further
claim is true of all that is left is answered without counting past the size of a set. Facts about
several attributes are not seen here; `proofs.implication` turns them into intervals.

SPEC.md, "What may be asked" and "What a verifier may require".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from proofs.errors import FactError
from proofs.evaluate import SetMembers, named_set
from proofs.facts import AtLeast, AtMost, Between, Claim, Equal, InSet, OneOf
from proofs.narrowing import Interval
from proofs.schema import Attribute, AttributeType
from proofs.values import Value


@dataclass(frozen=True, slots=True)
class Possible:
    """The values that are left: those listed, else an interval or (None) all texts, but `excluded`.

    Identifiers and names have no end. Made by `of`.
    """

    listed: frozenset[Value] | None
    interval: Interval | None
    excluded: frozenset[Value]

    @classmethod
    def of(
        cls, attribute: Attribute, claims: Iterable[Claim], sets: Mapping[str, SetMembers]
    ) -> Possible:
        """What the attribute's domain and the claims leave, each claim being true.

        Raises:
            SetError: a named set is not at hand, or of another type.
            FactError: a set of numbers holds a text.
        """
        listed: set[Value] | None = None
        excluded: set[Value] = set()
        interval = attribute.bounds if attribute.is_ordered else None
        if attribute.type is AttributeType.ENUM:
            listed = set(attribute.members)
        for claim in claims:
            match claim:
                case Between() | AtLeast() | AtMost():
                    interval = _cut(interval, claim)
                    continue
                case Equal(value):
                    members: Collection[Value] = (value,)
                case OneOf(values):
                    members = values
                case InSet(name, member):
                    members = named_set(name, attribute, sets).members
                    if not member:
                        excluded.update(members)
                        continue
            listed = set(members) if listed is None else listed.intersection(members)
        return cls._simplest(listed, interval, excluded)

    @classmethod
    def _simplest(
        cls, listed: set[Value] | None, interval: Interval | None, excluded: set[Value]
    ) -> Possible:
        if listed is not None:
            kept = (value for value in listed - excluded if _within(value, interval))
            return cls(frozenset(kept), None, frozenset())
        if interval is None:
            return cls(None, None, frozenset(excluded))
        lo, hi = interval
        while lo <= hi and lo in excluded:
            lo += 1
        while lo <= hi and hi in excluded:
            hi -= 1
        inside = frozenset(value for value in excluded if _within(value, (lo, hi)))
        return cls(None, (lo, hi), inside)

    @property
    def count(self) -> int | None:
        """How many there are; None when there is no end of them."""
        if self.listed is not None:
            return len(self.listed)
        if self.interval is None:
            return None
        lo, hi = self.interval
        return max(0, hi - lo + 1 - len(self.excluded))

    @property
    def ends(self) -> Interval:
        """Least and greatest number; reversed when none is left."""
        if self.interval is not None:
            return self.interval
        numbers = [each for each in self.listed or () if isinstance(each, int)]
        return (min(numbers), max(numbers)) if numbers else (1, 0)

    def narrowed(self, interval: Interval) -> Possible:
        """What of it lies in the interval."""
        lo, hi = self.ends
        cut = max(lo, interval[0]), min(hi, interval[1])
        return self._simplest(
            None if self.listed is None else set(self.listed), cut, set(self.excluded)
        )

    def all_in(self, members: Collection[Value]) -> bool:
        """Whether no value is left but members."""
        allowed = frozenset(members)
        if self.listed is not None:
            return self.listed <= allowed
        if self.interval is None:
            return False
        lo, hi = self.interval
        if hi - lo + 1 - len(self.excluded) > len(allowed):
            return False
        return all(value in allowed or value in self.excluded for value in range(lo, hi + 1))

    def none_in(self, members: Iterable[Value]) -> bool:
        """Whether no member is left."""
        if self.listed is not None:
            return self.listed.isdisjoint(members)
        return not any(
            value not in self.excluded and _within(value, self.interval) for value in members
        )

    def meets(self, attribute: Attribute, claim: Claim, sets: Mapping[str, SetMembers]) -> bool:
        """Whether the claim is true of every value that is left; SetError as `of`."""
        match claim:
            case Between() | AtLeast() | AtMost():
                lo, hi = self.ends
                return lo > hi or _cut((lo, hi), claim) == (lo, hi)
            case Equal(value):
                return self.all_in((value,))
            case OneOf(members):
                return self.all_in(members)
            case InSet(name, member):
                found = named_set(name, attribute, sets).members
                return self.all_in(found) if member else self.none_in(found)


def _cut(interval: Interval | None, claim: Between | AtLeast | AtMost) -> Interval:
    if interval is None:
        raise TypeError("a range of texts")  # no fact of this kind can be read
    lo, hi = interval
    match claim:
        case Between(least, greatest):
            return max(lo, least), min(hi, greatest)
        case AtLeast(bound):
            return max(lo, bound), hi
        case AtMost(bound):
            return lo, min(hi, bound)


def _within(value: Value, interval: Interval | None) -> bool:
    if interval is None:
        return isinstance(value, str)
    if not isinstance(value, int):
        raise FactError("a set of numbers holds a text")
    return interval[0] <= value <= interval[1]
