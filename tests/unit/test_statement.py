"""Statements: true of exactly the values of which the facts are true, and written down whole."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import Members, facts, schema, values

from proofs import group
from proofs.errors import CrossproofError, FactError, SetError
from proofs.evaluate import evaluate
from proofs.facts import AtLeast, AtMost, Between, Fact, FactList, parse_fact
from proofs.generators import G
from proofs.pedersen import commit
from proofs.schema import Schema
from proofs.statement import (
    LiteralSet,
    Membership,
    Opening,
    RangeTerm,
    SetRef,
    Statement,
    compile_facts,
    digits_for,
)
from proofs.values import Value, value_scalar

DIGESTS = {"listed": "11" * 32, "ofac-sdn_2": "22" * 32}


def _compile(*texts: str) -> Statement:
    return compile_facts(FactList.parse(texts, schema), schema, DIGESTS)


def _holds(statement: Statement, value: Value, sets: dict[str, Members]) -> bool:
    """What the arguments prove, computed in the clear on scalars."""
    for term in statement.terms:
        attribute = schema.attributes[term.attribute]
        scalar = value_scalar(attribute, value)
        match term:
            case RangeTerm():
                assert isinstance(value, int)
                if not 0 <= term.value(value) < 16**statement.digits:
                    return False
            case Opening():
                if scalar != term.scalar:
                    return False
            case Membership(set=LiteralSet() as literal):
                if (scalar in literal.scalars) != term.member:
                    return False
            case Membership(set=SetRef(name)):
                members = [value_scalar(attribute, member) for member in sets[name].members]
                if (scalar in members) != term.member:
                    return False
    return True


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_statement_is_true_exactly_when_the_facts_are(data: st.DataObject) -> None:
    """Brute force on random values: at, beside and far from every bound and member."""
    attribute = data.draw(st.sampled_from(schema.attributes))
    asked = data.draw(st.lists(facts(attribute), min_size=1, max_size=3))
    member_values = data.draw(st.sets(values(attribute), max_size=3))
    sets = {name: Members(attribute.type_tag, frozenset(member_values)) for name in DIGESTS}
    statement = compile_facts(asked, schema, DIGESTS)
    tried = set(member_values) | {data.draw(values(attribute))}
    for fact in asked:
        for name in ("lo", "hi", "bound", "value"):
            at = getattr(fact.claim, name, None)
            near = [at - 1, at, at + 1] if isinstance(at, int) else [at] if at else []
            tried.update(near)
        tried.update(getattr(fact.claim, "members", ()))
    for value in tried:
        if isinstance(value, int):
            lo, hi = attribute.bounds
            if not lo <= value <= hi:
                continue
        expected = all(evaluate(fact, value, sets) for fact in asked)
        assert expected == _holds(statement, value, sets)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**63))
def test_digits_are_the_fewest_that_hold_the_width(width: int) -> None:
    """16^digits > width, one digit fewer is not enough, and there is at least one."""
    digits = digits_for(width)
    assert 16**digits > width
    assert digits == 1 or 16 ** (digits - 1) <= width


@pytest.mark.parametrize(
    ("width", "digits"), [(0, 1), (15, 1), (16, 2), (255, 2), (256, 3), (2**63, 16), (2**64, 17)]
)
def test_digits_at_the_powers_of_sixteen(width: int, digits: int) -> None:
    """The edges."""
    assert digits == digits_for(width)
    with pytest.raises(FactError):
        digits_for(-1)


def test_facts_become_terms_in_their_order() -> None:
    """Two terms for a range with two ends, one for others; the largest digits for all."""
    statement = _compile(
        "turbines = 5",
        "annual_yield in 0.08..0.12",
        "capacity >= 20 MW",
        "capacity <= 30 MW",
        "province in {Anhui, 广东}",
        "owner not in @listed",
    )
    province = schema.attribute("province")
    encodings = tuple(
        group.encode_scalar(value_scalar(province, text)) for text in ("Anhui", "广东")
    )
    expected = (
        Opening(0, 3, 5, (5).to_bytes(32, "big")),
        RangeTerm(1, 1, 1, 800),
        RangeTerm(1, 1, -1, 1200),
        RangeTerm(2, 0, 1, 20_000),
        RangeTerm(3, 0, -1, 30_000),
        Membership(4, 5, True, LiteralSet(("Anhui", "广东"), encodings, province.type_tag)),
        Membership(5, 7, False, SetRef("listed", "11" * 32)),
    )
    assert (expected, 7) == (statement.terms, statement.digits)
    assert (expected[1:5], expected[5:], expected[:1]) == (
        statement.ranges,
        statement.memberships,
        statement.openings,
    )
    assert statement.attributes == [0, 1, 3, 5, 7]


def test_digits_follow_from_the_facts_and_the_schemas_bounds() -> None:
    """A narrow range is cheap; an open one takes what the bounds allow; no range takes none."""
    assert _compile("turbines in 7..22").digits == 1
    assert _compile("turbines in 7..23").digits == 2
    assert _compile("capacity >= 0 MW").digits == 7  # 10^8 < 16^7
    assert _compile("capacity >= 99999.990 MW").digits == 1
    assert _compile("capacity <= 0.015 MW").digits == 1
    assert _compile("price >= 0 元/kWh").digits == 16
    assert _compile(f"turbines >= {-(2**62)}").digits == 16  # the width is 2^63
    assert _compile("turbines = 5").digits == 0


def test_a_statement_needs_a_pinned_digest_for_every_set() -> None:
    """By name, and 32 bytes of it."""
    fact = parse_fact("owner in @listed", schema)
    for digests in ({}, {"listed": "11"}, {"listed": "1" * 63 + "G"}):
        with pytest.raises(CrossproofError, match="digest"):
            compile_facts([fact], schema, digests)
    with pytest.raises(SetError, match="@listed"):
        compile_facts([fact], schema, {"Listed": "11" * 32})


def test_bounds_are_checked_over_the_integers() -> None:
    """The literal q + 20 is 20 in the field, and the fact would be proven for 25."""
    turbines = schema.attribute("turbines")
    for claim in (
        Between(group.ORDER + 20, group.ORDER + 30),
        AtLeast(2**62 + 1),
        AtMost(-(2**62) - 1),
    ):
        with pytest.raises(FactError):
            compile_facts([Fact(turbines, claim)], schema, {})
    for sign in (0, 2, -2):
        with pytest.raises(ValueError, match="sign"):
            RangeTerm(0, 0, sign, 0)


def test_facts_of_another_schema_are_refused() -> None:
    """The place of an attribute would be another one's."""
    other = Schema.parse(
        Schema.from_author(
            json.dumps(
                {
                    "name": "other",
                    "title": "Other",
                    "attributes": [
                        {"name": "turbines", "label": "n", "type": "integer", "class": "asset"}
                    ],
                }
            ).encode()
        )
    )
    fact = parse_fact("turbines >= 5", other)
    assert (RangeTerm(0, 0, 1, 5),) == compile_facts([fact], other, {}).terms
    with pytest.raises(FactError, match="another schema"):
        compile_facts([fact], schema, {})


@settings(max_examples=20, deadline=None)
@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62), st.sampled_from([1, -1]))
def test_the_derived_commitment_opens_to_the_derived_value(
    value: int, bound: int, sign: int
) -> None:
    """V* = sign (V - bound G) commits to sign (v - bound) under sign times the blinding."""
    term = RangeTerm(0, 0, sign, bound)
    blinding = group.random_scalar()
    commitment = commit(group.signed_scalar(value), blinding)
    expected = commit(group.signed_scalar(term.value(value)), term.blinding(blinding))
    shifted = commitment - G.point * group.signed_scalar(bound)
    assert expected == (shifted if sign == 1 else -shifted)


def test_every_part_of_a_statement_is_in_its_encoding() -> None:
    """Statements that differ in one number, order, polarity, set or digest differ in bytes."""
    texts = [
        ("turbines >= 5",),
        ("turbines >= 6",),
        ("turbines <= 5",),
        ("turbines in 5..6",),
        ("turbines = 5",),
        ("turbines in {5}",),
        ("turbines in {5, 6}",),
        ("turbines in @listed",),
        ("turbines not in @listed",),
        ("turbines in @ofac-sdn_2",),
        ("age in @listed",),
        ("owner in @listed",),
        ("turbines >= 5", "turbines <= 5"),
        ("turbines <= 5", "turbines >= 5"),
        ("turbines = 5", "turbines >= 5"),
        ("turbines >= 5", "turbines = 5"),
        ("age in {5}",),
        ("code in {A}",),
        ("owner in {a}",),
    ]
    encoded = [_compile(*each).encode() for each in texts]
    encoded.append(
        compile_facts(FactList.parse(texts[7], schema), schema, {"listed": "33" * 32}).encode()
    )
    encoded.append(Statement(_compile("turbines >= 5").terms, 17).encode())
    literal = LiteralSet((5,), ((5).to_bytes(32, "big"),), schema.attribute("age").type_tag)
    for tag in (literal.type_tag, schema.attribute("capacity").type_tag):
        term = Membership(0, 0, True, replace(literal, type_tag=tag))
        encoded.append(Statement((term,), 0).encode())
    for one, two in combinations(encoded, 2):
        assert one != two
        # Framed: no encoding is the start of another, so what follows cannot complete it.
        assert not one.startswith(two)
        assert not two.startswith(one)
    assert encoded[0] == _compile("turbines>=5").encode()
