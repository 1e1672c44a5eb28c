"""Named sets as facts see them, and whether facts are true of values.

Whoever judges facts takes a set by `named_set`, which refuses one of another type than the
attribute. Truth is for the custodian's side and for tests: proofs are made from statements.

SPEC.md, "Fact language".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from proofs.errors import FactError, SetError
from proofs.facts import AtLeast, AtMost, Between, Equal, Fact, InSet, OneOf
from proofs.linear import LinearFact
from proofs.schema import Attribute
from proofs.values import Value, suggest


class SetMembers(Protocol):
    """A named set as facts see it: values of one exact type."""

    @property
    def type_tag(self) -> bytes:
        """The type of the members; see `Attribute.type_tag`."""

    @property
    def members(self) -> Collection[Value]:
        """Normalised texts or scaled integers."""


def named_set(name: str, attribute: Attribute, sets: Mapping[str, SetMembers]) -> SetMembers:
    """The set of this name; SetError if it is not at hand or of another type than the attribute.

    No member of a set of another type, scale or unit equals any value: without this check
    `not in` would be true of everything.
    """
    found = sets.get(name)
    if found is None:
        raise SetError(f"the set @{name} is not at hand{suggest(name, list(sets))}")
    if found.type_tag != attribute.type_tag:
        raise SetError(f"the set @{name} is of another type than {attribute.name}")
    return found


def evaluate_linear(fact: LinearFact, value: Callable[[str, Attribute], int | None]) -> bool:
    """Whether a linear fact is true of these values; where one is absent (None) it is not."""
    values = {each.key: value(*each.key) for each in fact.mentions}
    present = {key: each for key, each in values.items() if each is not None}
    if len(present) < len(values):
        return False
    return all(form.holds(lambda *key: present[key]) for form in fact.forms)


def evaluate(fact: Fact, value: Value | None, sets: Mapping[str, SetMembers]) -> bool:
    """Whether the fact is true of the value; of an absent one (None) no fact is."""
    if value is None:
        return False
    match fact.claim:
        case Between(lo, hi):
            return lo <= _number(value) <= hi
        case AtLeast(bound):
            return _number(value) >= bound
        case AtMost(bound):
            return _number(value) <= bound
        case Equal(expected):
            return value == expected
        case OneOf(members):
            return value in members
        case InSet(name, member):
            return (value in named_set(name, fact.attribute, sets).members) == member


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise FactError("a range needs numbers or dates")
    return value
