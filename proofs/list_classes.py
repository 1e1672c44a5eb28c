"""What may be asked over a selection: the rule of the classes, for sums and for each document.

A sum over a thousand documents can pin every one of them: `sum(x) >= 1000 * greatest` leaves one
value. So what the facts leave of a sum, and through it of one document, is counted by interval
arithmetic and compared with what must stay possible. Facts about each document count as they do
for a document alone; personal attributes stand in no sum. It does not see what sums over different
documents (by `where present`) tell together, and knows nothing of other requests.

SPEC.md, "What may be asked".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from proofs.classes import (
    LEAST_POSSIBLE,
    check_combination,
    check_facts,
    check_in_sum,
    check_without_sets,
    intervals_left,
)
from proofs.errors import FactError
from proofs.facts import Fact, SetMembers
from proofs.linear import Key, LinearFact
from proofs.list_facts import ListFact
from proofs.list_statement import rows_about
from proofs.listing import Listing
from proofs.narrowing import Interval, combinations, narrow
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
    left = intervals_left(alone, schema)
    by_rows: dict[tuple[int, ...], list[LinearFact]] = {}
    for fact, sentence in sums:
        rows = tuple(rows_about(fact, schema, listing))
        by_rows.setdefault(rows, []).append(sentence)
    for rows, sentences in by_rows.items():
        _check_sums(sentences, len(rows), left)


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


def _check_sums(
    sentences: Sequence[LinearFact], count: int, left: Mapping[Attribute, Interval]
) -> None:
    """What sums over the same documents leave of each sum, of one document, of combinations."""
    forms = [form for sentence in sentences for form in sentence.forms_over(count)]
    before: dict[Key, Interval] = {}
    for form in forms:
        for key, _ in form.coefficients:
            lo, hi = left.get(key[1], key[1].bounds)
            before[key] = (count * lo, count * hi)
    after = narrow(before, forms)
    for (_, attribute), (lo, hi) in after.items():
        least, greatest = left.get(attribute, attribute.bounds)
        # One document has at least what is missing when all others have the most that they can.
        lowest = max(least, lo - (count - 1) * greatest)
        highest = min(greatest, hi - (count - 1) * least)
        _check_possible(attribute, min(highest - lowest, hi - lo) + 1)
    for vector, (lo, hi) in combinations(after, forms).items():
        check_combination(vector, hi - lo + 1)


def _check_possible(attribute: Attribute, count: int) -> None:
    needed = LEAST_POSSIBLE[attribute.attribute_class]
    if count <= 0:
        raise FactError(f"sum({attribute.name}): no values meet these facts")
    if count < needed:
        raise FactError(
            f"sum({attribute.name}): the facts together leave one possible value; "
            f"at least {needed} must stay possible"
        )
