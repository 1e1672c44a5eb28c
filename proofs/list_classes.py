"""What may be asked over a selection: the rule of the classes, for sums and for each document.

A sum over a thousand documents can pin every one of them: `sum(x) >= 1000 * greatest` leaves one
value. So what the facts leave of a sum, and through it of one document, is counted by interval
arithmetic and compared with what must stay possible; facts about each document narrow the sums,
and sums what is left of each document. Where one sum is over all documents of another and some
more, the difference counts as a sum over those. Personal attributes stand in no sum. It does not
see what sums tell together whose documents overlap otherwise, and knows nothing of other requests.

SPEC.md, "What may be asked".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from proofs.classes import (
    LEAST_POSSIBLE,
    OneDocument,
    check_combination,
    check_facts,
    check_in_sum,
    check_together,
    check_without_sets,
)
from proofs.errors import FactError
from proofs.evaluate import SetMembers
from proofs.facts import Between, Fact
from proofs.linear import TOTAL, Form, Key, LinearFact
from proofs.list_facts import ListFact
from proofs.list_statement import rows_about
from proofs.listing import Listing
from proofs.narrowing import Bound, Interval, Vector, combinations, narrow, span
from proofs.schema import Attribute, Schema


def check_list_facts(
    facts: Iterable[ListFact], schema: Schema, sets: Mapping[str, SetMembers], listing: Listing
) -> None:
    """FactError unless these facts may be asked together of these documents.

    SetError if a named set does not fit; CannotProveError, BindingError as `rows_about`.
    """
    found = list(facts)
    alone, sums = _split(found)
    if alone:
        check_facts(alone, schema, sets)
    by_rows: dict[frozenset[int], list[LinearFact]] = {}
    for fact, sentence in sums:
        rows = frozenset(rows_about(fact, schema, listing))
        by_rows.setdefault(rows, []).append(sentence)
    one = OneDocument.of(alone, sets)
    totals = {rows: _Totals.of(sentences, len(rows), one) for rows, sentences in by_rows.items()}
    for each in totals.values():
        each.check(one, sets)
    # Two sums whose documents differ by few are, between them, a sum over those few.
    for whole, part in permutations(totals, 2):
        if part < whole:
            totals[whole].without(totals[part], one).check(one, sets)


def check_list_without_documents(
    facts: Iterable[ListFact],
    schema: Schema,
    sets: Mapping[str, SetMembers] | None = None,
) -> None:
    """As `check_list_facts` before anybody knows the documents, and perhaps the named sets.

    What passes may still be refused by `check_list_facts`; never rely on it where something is
    proven.
    """
    alone, _ = _split(list(facts))
    if alone and sets is not None:
        check_facts(alone, schema, sets)
    elif alone:
        check_without_sets(alone, schema)


def _split(
    facts: Sequence[ListFact],
) -> tuple[list[Fact | LinearFact], list[tuple[ListFact, LinearFact]]]:
    alone: list[Fact | LinearFact] = []
    sums: list[tuple[ListFact, LinearFact]] = []
    for fact in facts:
        if isinstance(fact.sentence, LinearFact) and not fact.each:
            for mention in fact.sentence.mentions:
                check_in_sum(mention)
            sums.append((fact, fact.sentence))
        elif fact.each and isinstance(fact.sentence, Fact | LinearFact):
            alone.append(fact.sentence)
    if not alone and not sums:
        # Then no challenge would bind the bundle's context, and its expiry could be moved.
        raise FactError("a count alone proves nothing: ask about the documents too")
    return alone, sums


@dataclass(frozen=True, slots=True)
class _Scaled:
    """A form about one document, as it is true of the sums over so many."""

    form: Form
    count: int

    @property
    def coefficients(self) -> Vector:
        return tuple(((TOTAL, key[1]), each) for key, each in self.form.coefficients)

    @property
    def constant(self) -> int:
        return self.count * self.form.constant


@dataclass(frozen=True, slots=True)
class _Totals:
    """What is left of sums over the same `count` documents, and of combinations of sums."""

    count: int
    sums: Mapping[Key, Interval]
    combined: Mapping[Vector, Interval]

    @classmethod
    def of(cls, sentences: Sequence[LinearFact], count: int, one: OneDocument) -> _Totals:
        """As sentences about sums leave them, and facts about each document."""
        forms: list[Bound] = [
            *(form for sentence in sentences for form in sentence.forms_over(count)),
            *(_Scaled(form, count) for form in one.forms),
        ]
        before: dict[Key, Interval] = {}
        for form in forms:
            for key, _ in form.coefficients:
                lo, hi = _left(one, key[1])
                before[key] = (count * lo, count * hi)
        after = narrow(before, forms)
        return cls(count, after, combinations(after, forms))

    def without(self, part: _Totals, one: OneDocument) -> _Totals:
        """Of the documents that are in these sums and not in those of `part`, all in these."""
        count = self.count - part.count
        ends = {key: _left(one, key[1]) for key in self.sums}
        combined = _combined(one, self.combined, ends)
        return _Totals(
            count,
            {
                key: _difference(each, part.sums[key], count, ends[key])
                for key, each in self.sums.items()
                if key in part.sums
            },
            {
                vector: _difference(each, part.combined[vector], count, combined[vector])
                for vector, each in self.combined.items()
                if vector in part.combined
            },
        )

    def check(self, one: OneDocument, sets: Mapping[str, SetMembers]) -> None:
        """FactError unless enough is left of each sum, of one document, of the combinations."""
        for (_, attribute), (lo, hi) in self.sums.items():
            _check_possible(attribute, hi - lo + 1)
        for vector, (lo, hi) in self.combined.items():
            check_combination(vector, hi - lo + 1)
        # An interval of one document is never shorter than both that of the sum and the one that
        # facts about each document leave. But a list or a set may have few members in it.
        intervals = {
            ("", key[1]): _of_one(each, self.count, _left(one, key[1]))
            for key, each in self.sums.items()
        }
        for (_, attribute), left in narrow(intervals, one.forms).items():
            if left != _left(one, attribute):  # else `check_facts` has counted them
                claims = [*one.claims.get(attribute, ()), Between(*left)]
                check_together(f"each {attribute.name}", attribute, claims, sets)


def _left(one: OneDocument, attribute: Attribute) -> Interval:
    return one.intervals.get(attribute, attribute.bounds)


def _combined(
    one: OneDocument, vectors: Iterable[Vector], ends: Mapping[Key, Interval]
) -> dict[Vector, Interval]:
    """What facts about each document leave of these combinations in one."""
    said = combinations(ends, [_Scaled(form, 1) for form in one.forms])
    return {vector: said.get(vector) or span(vector, ends) for vector in vectors}


def _of_one(total: Interval, count: int, ends: Interval) -> Interval:
    """One document's share: what is left to it when the others take the most, or the least."""
    (lo, hi), (least, greatest) = total, ends
    return (
        max(least, lo - (count - 1) * greatest),
        min(greatest, hi - (count - 1) * least),
    )


def _difference(whole: Interval, part: Interval, count: int, ends: Interval) -> Interval:
    return (
        max(count * ends[0], whole[0] - part[1]),
        min(count * ends[1], whole[1] - part[0]),
    )


def _check_possible(attribute: Attribute, count: int) -> None:
    needed = LEAST_POSSIBLE[attribute.attribute_class]
    if count <= 0:
        raise FactError(f"sum({attribute.name}): no values meet these facts")
    if count < needed:
        raise FactError(
            f"sum({attribute.name}): the facts together leave one possible value; "
            f"at least {needed} must stay possible"
        )
