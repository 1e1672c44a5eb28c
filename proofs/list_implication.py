"""Whether facts over a selection imply another one over it: sums, and counts.

Which documents the list has is public, and which of an attribute's values are absent; so a count
is counted, and a sum over some documents follows from facts about the sums over the same ones, and
from what is proven of each of them: n values of at least 5 come to at least 5n, and where each
debt is at most each valuation, so are their sums. The answer is never yes wrongly, and misses what
`proofs.implication` misses, and whatever sums over other documents say of these.

SPEC.md, "What a verifier may require".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from proofs.errors import BindingError, CannotProveError, FactError
from proofs.evaluate import SetMembers
from proofs.facts import Fact
from proofs.implication import contradictory, form_follows, forms_of, intervals_of
from proofs.linear import TOTAL, Form, Key, LinearFact
from proofs.list_facts import CountFact, ListFact
from proofs.narrowing import Interval, narrow

RowsAbout = Callable[[ListFact], Collection[int]]
"""The places of the documents that a fact is about; CannotProveError if one lacks what it names,
BindingError if nobody can tell."""


def implies_over(
    proven: Sequence[ListFact],
    required: ListFact,
    sets: Mapping[str, SetMembers],
    *,
    count: int,
    rows_about: RowsAbout,
) -> bool:
    """Whether every list of `count` documents of which the proven facts are true meets it.

    False for a required fact about each document: those are asked of documents, by their assets.

    Raises:
        SetError: a named set that matters is not at hand, or is of another type.
    """
    if isinstance(required.sentence, CountFact):
        return required.sentence.holds(count)
    if not isinstance(required.sentence, LinearFact) or required.each:
        return False
    try:
        rows = frozenset(rows_about(required))
        wanted = required.sentence.forms_over(len(rows))
    except (CannotProveError, BindingError, FactError):
        return False  # it could not be proven of this list either
    known = _sums_over(rows, proven, rows_about)
    alone = [
        fact.sentence
        for fact in proven
        if fact.each
        and isinstance(fact.sentence, Fact | LinearFact)
        and rows.issubset(rows_about(fact))
    ]
    try:
        lifted = [_over(len(rows), form) for form in forms_of(alone)]
    except FactError:  # so many that the sum could wrap around: it says nothing
        lifted = []
    keys = [key for form in (*wanted, *known, *lifted) for key, _ in form.coefficients]
    each = intervals_of(alone, forms_of(alone), [("", attribute) for _, attribute in keys], sets)
    sums = {key: _times(len(rows), each["", key[1]]) for key in keys}
    narrowed = narrow(sums, known)
    if contradictory(each) or contradictory(narrowed):
        return True
    return all(form_follows(form, [*known, *lifted], narrowed) for form in wanted)


def bearing_on(proven: Sequence[ListFact], required: ListFact) -> list[str]:
    """The proven facts that speak of an attribute of the required one, as texts."""
    wanted = set(required.attributes)
    return [each.text for each in proven if not wanted.isdisjoint(each.attributes)]


def _sums_over(
    rows: frozenset[int], proven: Sequence[ListFact], rows_about: RowsAbout
) -> list[Form]:
    """What is proven of sums over exactly these documents."""
    return [
        form
        for fact in proven
        if isinstance(fact.sentence, LinearFact)
        and not fact.each
        and frozenset(rows_about(fact)) == rows
        for form in fact.sentence.forms_over(len(rows))
    ]


def _over(count: int, form: Form) -> Form:
    """What is true of each of so many documents, added up."""
    summed: list[tuple[Key, int]] = [((TOTAL, key[1]), each) for key, each in form.coefficients]
    return Form(tuple(summed), count * form.constant, count)


def _times(count: int, interval: Interval) -> Interval:
    return count * interval[0], count * interval[1]
