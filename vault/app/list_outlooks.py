"""How facts over a selection stand, for the eyes of the custodian whose documents it is of.

Each fact is evaluated on the witnesses before anything is proven: a false one, or one about an
attribute that is absent somewhere, is told with the assets that stand in its way. Nobody else is
told, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from proofs.facts import FactList
from proofs.group import Scalar
from proofs.linear import LinearFact
from proofs.list_facts import CountFact, ListFact
from proofs.named_set import NamedSet
from proofs.schema import Attribute, Schema
from proofs.witness import Witness, scalar_integer
from vault.app.prove import Outlook, predicate
from vault.model import StoredVersion

_NAMED = 3
"""Assets that a reason names; of the others it gives the number."""


def list_outlooks(
    facts: FactList[ListFact],
    schema: Schema,
    versions: Sequence[StoredVersion],
    witnesses: Sequence[Witness],
    sets: Mapping[str, NamedSet],
) -> list[Outlook]:
    """Every fact against the witnesses of the list, in the order of the list."""
    places = {attribute: place for place, attribute in enumerate(schema.attributes)}

    def column(attribute: Attribute) -> list[Scalar | None]:
        pairs = (each.values[places[attribute]] for each in witnesses)
        return [None if pair is None else pair[0] for pair in pairs]

    assets = [each.asset for each in versions]
    found: list[Outlook] = []
    for fact in facts:
        detail = _detail(fact, assets, column, sets)
        found.append(Outlook(fact.text, not detail, detail))
    return found


def _detail(
    fact: ListFact,
    assets: Sequence[str],
    column: Callable[[Attribute], list[Scalar | None]],
    sets: Mapping[str, NamedSet],
) -> str:
    """Why a fact cannot be proven; empty when it can."""
    if isinstance(fact.sentence, CountFact):
        return "" if fact.sentence.holds(len(assets)) else "the fact is false"
    columns = {attribute: column(attribute) for attribute in fact.attributes}
    absent = [
        place
        for place in range(len(assets))
        if any(values[place] is None for values in columns.values())
    ]
    if absent and not fact.present:
        names = ", ".join(attribute.name for attribute in columns)
        some = _some([assets[place] for place in absent])
        return f"{names} is absent in {some} (`where present` would leave those out)"
    left_out = set(absent)
    kept = [place for place in range(len(assets)) if place not in left_out]
    if not kept:
        return "no document of the list has its attributes"
    if fact.each:
        holds = _of_one(fact, columns, sets)
        false = [assets[place] for place in kept if not holds(place)]
        return f"the fact is false of {_some(false)}" if false else ""
    assert isinstance(fact.sentence, LinearFact)  # noqa: S101 - all other kinds are above
    sums = {
        attribute: sum(_number(values[place]) for place in kept)
        for attribute, values in columns.items()
    }
    forms = fact.sentence.forms_over(len(kept))
    true = all(form.holds(lambda _, attribute: sums[attribute]) for form in forms)
    return "" if true else "the fact is false"


def _of_one(
    fact: ListFact,
    columns: Mapping[Attribute, Sequence[Scalar | None]],
    sets: Mapping[str, NamedSet],
) -> Callable[[int], bool]:
    sentence = fact.sentence
    if isinstance(sentence, LinearFact):
        forms = sentence.forms

        def linear(place: int) -> bool:
            return all(
                form.holds(lambda _, attribute: _number(columns[attribute][place]))
                for form in forms
            )

        return linear
    if isinstance(sentence, CountFact):
        raise TypeError("a count is of no single document")
    (values,) = columns.values()
    holds = predicate(sentence, sets)

    def alone(place: int) -> bool:
        value = values[place]
        return value is not None and holds(value)

    return alone


def _number(value: Scalar | None) -> int:
    if value is None:
        raise TypeError("an absent value was not left out")
    return scalar_integer(value)


def _some(assets: Sequence[str]) -> str:
    if len(assets) == 1:
        return assets[0]
    shown = ", ".join(assets[:_NAMED])
    more = len(assets) - _NAMED
    return f"{len(assets)} documents ({shown}{f' and {more} more' if more > 0 else ''})"
