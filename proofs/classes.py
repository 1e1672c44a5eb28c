"""What may be asked: the rule of the classes, on all facts about an attribute taken together.

Facts that leave one value possible are an opening in disguise: `>= 20` with `<= 20`, a set of one
name, a set of all members but one. So the values that the schema allows are counted after all
facts of one list, and must be at least 2 for an `asset` attribute and 64 for a `personal` one. It
refuses, from schema and public sets alone and before any value is looked at: `=` of what is not
`public`, anything but named sets about `personal`, facts that no value can meet, and sets of
another type. Linear facts count as the ranges that they imply for each attribute, and each
combination that they bound counts as an attribute does. It does not know what other requests have
asked; answers to several add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proofs.errors import FactError
from proofs.evaluate import SetMembers
from proofs.facts import AtLeast, AtMost, Between, Claim, Equal, Fact, InSet, OneOf, Sentence
from proofs.linear import TOTAL, Form, Key, LinearFact, Mention
from proofs.narrowing import Interval, combinations, narrow
from proofs.possible import Possible
from proofs.schema import Attribute, AttributeClass
from proofs.subjects import Documents, Subjects
from proofs.values import Value

LEAST_POSSIBLE: dict[AttributeClass, int] = {
    AttributeClass.PUBLIC: 1,
    AttributeClass.ASSET: 2,
    AttributeClass.PERSONAL: 64,
}
"""How many values must stay possible when all facts of a list are known to be true."""


def check_facts(
    facts: Iterable[Sentence], documents: Documents, sets: Mapping[str, SetMembers]
) -> None:
    """FactError unless these facts may be asked together; SetError if a named set does not fit."""
    _check(list(facts), Subjects.of(documents), sets)


def check_without_sets(facts: Iterable[Sentence], documents: Documents) -> None:
    """As `check_facts`, for somebody who does not hold the named sets: those facts count as open.

    What passes may still be refused by `check_facts`; never rely on it where something is proven.
    """
    _check(list(facts), Subjects.of(documents), None)


def _check(
    sentences: list[Sentence], subjects: Subjects, sets: Mapping[str, SetMembers] | None
) -> None:
    claims: dict[Key, list[Claim]] = {}
    forms: list[Form] = []
    for sentence in sentences:
        if isinstance(sentence, LinearFact):
            for each in sentence.mentions:
                subjects.slot(each.alias, each.attribute)
                check_in_sum(each)
                claims.setdefault(each.key, [])
            forms += sentence.forms
        else:
            subjects.slot(sentence.alias, sentence.attribute)
            _check_alone(sentence)
            claims.setdefault((sentence.alias, sentence.attribute), []).append(sentence.claim)
    narrowed = _narrowed(claims, forms, sets)
    for (alias, attribute), found in claims.items():
        if (interval := narrowed.get((alias, attribute))) is not None:
            found = [*found, Between(*interval)]
        check_together(_name((alias, attribute)), attribute, found, sets)
    for vector, (lo, hi) in combinations(narrowed, forms).items():
        check_combination(vector, hi - lo + 1)


def _narrowed(
    claims: Mapping[Key, list[Claim]],
    forms: list[Form],
    sets: Mapping[str, SetMembers] | None,
) -> Mapping[Key, Interval]:
    """What ranges, lists and linear facts leave of each attribute of a linear fact."""
    involved = {key for form in forms for key, _ in form.coefficients}
    return narrow({key: _interval(key[1], claims[key], sets) for key in involved}, forms)


def _interval(
    attribute: Attribute, claims: Iterable[Claim], sets: Mapping[str, SetMembers] | None
) -> Interval:
    """What ranges, lists and sets leave of a number or date, as one interval.

    A set that is not at hand or of another type is for `check_together` to refuse.
    """
    lo, hi = attribute.bounds
    for claim in claims:
        match claim:
            case Between(least, greatest):
                lo, hi = max(lo, least), min(hi, greatest)
            case AtLeast(bound):
                lo = max(lo, bound)
            case AtMost(bound):
                hi = min(hi, bound)
            case Equal(value):
                lo, hi = max(lo, _number(value)), min(hi, _number(value))
            case OneOf(members):
                numbers = [_number(each) for each in members]
                lo, hi = max(lo, min(numbers)), min(hi, max(numbers))
            case InSet(name, True) if sets is not None and name in sets:
                least, greatest = _ends(attribute, sets[name])
                lo, hi = max(lo, least), min(hi, greatest)
    return lo, hi


def _ends(attribute: Attribute, found: SetMembers) -> Interval:
    """The least and the greatest member within the domain; reversed where there is none."""
    lo, hi = attribute.bounds
    if found.type_tag != attribute.type_tag:
        return lo, hi
    inside = [value for value in found.members if isinstance(value, int) and lo <= value <= hi]
    return (min(inside), max(inside)) if inside else (hi, lo - 1)


@dataclass(frozen=True, slots=True)
class OneDocument:
    """What facts about each document say of one: claims by attribute, and linear forms.

    `intervals` are what they leave of every number or date that they are about.
    """

    claims: Mapping[Attribute, list[Claim]]
    forms: tuple[Form, ...]
    intervals: Mapping[Attribute, Interval]

    @classmethod
    def of(cls, sentences: Iterable[Sentence], sets: Mapping[str, SetMembers]) -> OneDocument:
        """Of sentences without aliases, which `check_facts` took."""
        claims: dict[Attribute, list[Claim]] = {}
        forms: list[Form] = []
        for sentence in sentences:
            if isinstance(sentence, LinearFact):
                for each in sentence.mentions:
                    claims.setdefault(each.attribute, [])
                forms += sentence.forms
            else:
                claims.setdefault(sentence.attribute, []).append(sentence.claim)
        intervals = {
            ("", attribute): _interval(attribute, found, sets)
            for attribute, found in claims.items()
            if attribute.is_ordered
        }
        narrowed = narrow(intervals, forms)
        return cls(claims, tuple(forms), {key[1]: each for key, each in narrowed.items()})


def check_in_sum(mention: Mention) -> None:
    """FactError if an attribute is personal: of those, nothing adds up."""
    if mention.attribute.attribute_class is AttributeClass.PERSONAL:
        raise FactError(
            f"{mention.name}: the attribute is personal; only `in @set` and `not in @set` "
            "may be asked"
        )


def check_combination(vector: tuple[tuple[Key, int], ...], count: int) -> None:
    """FactError unless so many values of a combination of attributes may be left."""
    least = max(LEAST_POSSIBLE[attribute.attribute_class] for (_, attribute), _ in vector)
    if count >= least:
        return
    names = ", ".join(_name(key) for key, _ in vector)
    if count <= 0:
        raise FactError(f"{names[:200]}: no values meet these facts, whatever the documents say")
    raise FactError(
        f"{names[:200]}: the facts together leave one possible value of their combination; "
        f"at least {least} must stay possible"
    )


def _name(key: Key) -> str:
    alias, attribute = key
    if alias == TOTAL:
        return f"sum({attribute.name})"
    return f"{alias}.{attribute.name}" if alias else attribute.name


def _check_alone(fact: Fact) -> None:
    attribute, claim = fact.attribute, fact.claim
    if isinstance(claim, Equal) and attribute.attribute_class is not AttributeClass.PUBLIC:
        raise FactError(
            f"{fact.name}: `=` shows the value, and the attribute is "
            f"{attribute.attribute_class}; only public attributes may be shown"
        )
    if attribute.attribute_class is AttributeClass.PERSONAL and not isinstance(claim, InSet):
        raise FactError(
            f"{fact.name}: the attribute is personal; only `in @set` and `not in @set` may be asked"
        )


def check_together(
    name: str, attribute: Attribute, claims: list[Claim], sets: Mapping[str, SetMembers] | None
) -> None:
    """FactError unless the claims about one attribute leave as many values as its class needs."""
    count = possible_values(attribute, claims, sets)
    least = LEAST_POSSIBLE[attribute.attribute_class]
    if count is None or count >= least:
        return
    if count == 0:
        raise FactError(f"{name}: no value meets these facts, whatever the document says")
    raise FactError(
        f"{name}: the facts together leave {count} possible "
        f"value{'s' if count > 1 else ''}; at least {least} must stay possible for "
        f"{attribute.attribute_class} attributes"
    )


def possible_values(
    attribute: Attribute, claims: Iterable[Claim], sets: Mapping[str, SetMembers] | None
) -> int | None:
    """How many values of the schema's domain meet all claims; None when there is no end of them.

    Identifiers and names have no finite domain. With `sets` None, claims about named sets count
    as open.
    """
    known = [each for each in claims if sets is not None or not isinstance(each, InSet)]
    return Possible.of(attribute, known, sets or {}).count


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise FactError("a set of numbers holds a text")
    return value
