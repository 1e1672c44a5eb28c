"""The vault's own look at a fact, on committed scalars, agrees with the language's meaning."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import Members, facts, values

from proofs.evaluate import evaluate
from proofs.sets import ScalarSet
from proofs.values import value_scalar
from vault.app.prove import holds


@dataclass(frozen=True)
class NamedMembers:
    """A named set as the vault holds it: members, and their scalars."""

    type_tag: bytes
    members: frozenset
    scalars: ScalarSet


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_holds_says_what_evaluate_says(data: st.DataObject) -> None:
    """For any fact, value and set: true of the scalar exactly when true of the value."""
    fact = data.draw(facts())
    value = data.draw(values(fact.attribute))
    # Claims drawn near the value, and sets that sometimes have it: both answers come up.
    drawn = data.draw(st.sets(values(fact.attribute), min_size=1, max_size=4))
    members = frozenset(drawn | ({value} if data.draw(st.booleans()) else set()))
    tag = fact.attribute.type_tag
    scalars = ScalarSet.from_scalars(
        [value_scalar(fact.attribute, each) for each in sorted(members, key=str)], tag
    )
    name = fact.set_name or "listed"
    expected = evaluate(fact, value, {name: Members(tag, members)})
    named = {name: NamedMembers(tag, members, scalars)}
    assert expected == holds(fact, value_scalar(fact.attribute, value), named)  # type: ignore[arg-type]
