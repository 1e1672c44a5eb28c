"""Whether facts that were proven imply another one: what `--require` asks.

Of one attribute nothing is missed: the values that the schema's own domain and all facts about
it leave possible are compared, exactly, with those that the required fact admits. Linear facts
narrow the attributes that they are about by interval arithmetic, and a required linear fact
follows if a proven one, or several in turn, times a factor above 0, leaves a rest that the
attributes' ranges keep above -1 (its value is whole). The answer is never yes wrongly. It is no,
though yes would be true, where linear facts have to be combined in a way that this search does
not try, where narrowing takes more than its rounds, or where gaps in a set matter to a sum.

It knows sentences about documents by name; `proofs.list_implication` those over a selection.

SPEC.md, "What a verifier may require".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs.evaluate import SetMembers
from proofs.facts import Fact, Sentence
from proofs.linear import Form, Key, LinearFact
from proofs.narrowing import Interval, narrow
from proofs.possible import Possible
from proofs.subjects import Documents, Subjects


def implies(
    proven: Iterable[Sentence],
    required: Sentence,
    documents: Documents,
    sets: Mapping[str, SetMembers],
) -> bool:
    """Whether every document of which the proven facts are true meets the required one.

    Attributes lie within their schema's domain; an optional one may be absent, and then no fact
    about it is true, unless a proven fact is about it. A set's name means the same set in all.

    Raises:
        FactError: a fact was read against another schema.
        SetError: a named set that matters is not at hand, or is of another type.
    """
    subjects = Subjects.of(documents)
    known = list(proven)
    for sentence in (*known, required):
        for key in _keys(sentence):
            subjects.slot(*key)
    if required in known:
        return True
    if isinstance(required, LinearFact):
        return _linear_follows(known, required, sets)
    if isinstance(required, Fact):
        return _fact_follows(known, required, sets)
    return False


def about(proven: Iterable[Sentence], required: Sentence) -> list[str]:
    """The proven facts that speak of an attribute of the required one, as texts."""
    wanted = set(_keys(required))
    return [each.text for each in proven if not wanted.isdisjoint(_keys(each))]


def _keys(sentence: Sentence) -> list[Key]:
    if isinstance(sentence, LinearFact):
        return [each.key for each in sentence.mentions]
    return [(sentence.alias, sentence.attribute)] if isinstance(sentence, Fact) else []


def _present(known: Iterable[Sentence]) -> set[Key]:
    """The attributes that cannot be absent: those that a proof was about.

    One that cancels out of a sum stands in the sentence and in no proof.
    """
    found: set[Key] = set()
    for each in known:
        if isinstance(each, LinearFact):
            found.update(key for form in each.forms for key, _ in form.coefficients)
        else:
            found.update(_keys(each))
    return found


# --- one attribute ------------------------------------------------------------------------------


def _fact_follows(
    known: Sequence[Sentence], required: Fact, sets: Mapping[str, SetMembers]
) -> bool:
    key = (required.alias, required.attribute)
    if required.attribute.optional and key not in _present(known):
        return False
    forms = forms_of(known)
    left = _left(known, key, sets)
    if forms and required.attribute.is_numeric:
        intervals = intervals_of(known, forms, [key], sets)
        if contradictory(intervals):
            return True
        left = left.narrowed(intervals[key])
    return left.meets(required.attribute, required.claim, sets)


def _left(known: Sequence[Sentence], key: Key, sets: Mapping[str, SetMembers]) -> Possible:
    claims = [
        each.claim
        for each in known
        if isinstance(each, Fact) and (each.alias, each.attribute) == key
    ]
    return Possible.of(key[1], claims, sets)


# --- sums ---------------------------------------------------------------------------------------


def forms_of(known: Iterable[Sentence]) -> list[Form]:
    """What the linear facts among sentences about documents say."""
    return [form for each in known if isinstance(each, LinearFact) for form in each.forms]


def intervals_of(
    known: Sequence[Sentence],
    forms: Sequence[Form],
    keys: Iterable[Key],
    sets: Mapping[str, SetMembers],
) -> dict[Key, Interval]:
    """What facts and forms leave of these attributes, and of all that the forms are about."""
    involved = dict.fromkeys(keys)
    for form in forms:
        involved.update(dict.fromkeys(key for key, _ in form.coefficients))
    return narrow({key: _left(known, key, sets).ends for key in involved}, forms)


def contradictory(intervals: Mapping[Key, Interval]) -> bool:
    """Whether no values meet the proven facts: then they imply everything."""
    return any(lo > hi for lo, hi in intervals.values())


def _linear_follows(
    known: Sequence[Sentence], required: LinearFact, sets: Mapping[str, SetMembers]
) -> bool:
    present = _present(known)
    if any(key[1].optional and key not in present for key in _keys(required)):
        return False
    forms = forms_of(known)
    wanted = [key for form in required.forms for key, _ in form.coefficients]
    intervals = intervals_of(known, forms, wanted, sets)
    return contradictory(intervals) or all(
        form_follows(form, forms, intervals) for form in required.forms
    )


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left to show when multiples of proven forms were taken away: that it is above -1."""

    coefficients: Mapping[Key, Fraction]
    constant: Fraction

    def less(self, factor: Fraction, form: Form) -> _Rest:
        """Without factor (above 0) times a form that is proven to be at least 0."""
        found = dict(self.coefficients)
        for key, each in form.coefficients:
            found[key] = found.get(key, Fraction(0)) - factor * each
        kept = {key: each for key, each in found.items() if each}
        return _Rest(kept, self.constant - factor * form.constant)

    def least(self, intervals: Mapping[Key, Interval]) -> Fraction:
        """Its least value in the intervals."""
        return self.constant + sum(
            min(each * bound for bound in intervals[key]) for key, each in self.coefficients.items()
        )


def form_follows(form: Form, proven: Sequence[Form], intervals: Mapping[Key, Interval]) -> bool:
    """Whether it is at least 0 where the proven ones are, in these intervals; no yes is wrong."""
    rest = _Rest({key: Fraction(each) for key, each in form.coefficients}, Fraction(form.constant))
    least = rest.least(intervals)
    for each in (*proven, *proven):
        # Whole values make a whole sum: above -1 is at least 0.
        if least > -1:
            return True
        # As a function of the factor the least value is concave, with corners where an attribute
        # drops out: the best factor is one of these. Of equally good ones the greatest goes on
        # to the next form, as in a >= b, b >= c.
        factors = {
            rest.coefficients[key] / coefficient
            for key, coefficient in each.coefficients
            if key in rest.coefficients
        }
        tried = [rest, *(rest.less(factor, each) for factor in sorted(factors) if factor > 0)]
        least, _, rest = max(
            (each.least(intervals), place, each) for place, each in enumerate(tried)
        )
    return least > -1
