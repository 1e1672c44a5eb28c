"""Implication of facts, compared with going through all values of tiny documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import Members

from proofs.errors import FactError, SetError
from proofs.evaluate import evaluate, evaluate_linear
from proofs.facts import Fact, FactList, Sentence, parse_fact
from proofs.implication import about, implies
from proofs.linear import LinearFact
from proofs.schema import Attribute, Schema
from proofs.subjects import Documents, Subjects
from proofs.values import Value


def _schema(*attributes: dict[str, object]) -> Schema:
    filled = [{"label": each["name"], "class": "public"} | each for each in attributes]
    text = {"name": "tiny", "title": "Tiny", "attributes": filled}
    return Schema.parse(Schema.from_author(json.dumps(text).encode()))


def _integer(name: str, least: int, greatest: int, *, optional: bool = False) -> dict[str, object]:
    return {
        "name": name,
        "type": "integer",
        "min": least,
        "max": greatest,
        "optional": optional,
    }


ENUM = {"name": "e", "type": "enum", "members": ["A", "B", "C", "D"]}
CODE = {"name": "code", "type": "identifier"}
DAY = {"name": "d", "type": "date", "min": "2026-01-01", "max": "2026-01-06"}
TINY = _schema(
    _integer("x", -2, 3), _integer("o", 0, 4, optional=True), ENUM, CODE, DAY, _integer("one", 5, 5)
)
TEXTS = ("A", "B", "C", "D", "E")


def _domain(attribute: Attribute) -> list[Value | None]:
    """All values; of an attribute without end, those that any fact here knows, and another."""
    values: list[Value | None] = [None] if attribute.optional else []
    if attribute.is_ordered:
        lo, hi = attribute.bounds
        return values + list(range(lo, hi + 1))
    return values + list(attribute.members or (*TEXTS, "ELSEWHERE"))


def _true(fact: Sentence, values: Mapping[str, Value | None], sets: Mapping[str, Members]) -> bool:
    if isinstance(fact, LinearFact):

        def number(_: str, attribute: Attribute) -> int | None:
            value = values[attribute.name]
            assert not isinstance(value, str)
            return value

        return evaluate_linear(fact, number)
    return evaluate(fact, values[fact.attribute.name], sets)


def by_brute_force(
    proven: Sequence[Sentence], required: Sentence, schema: Schema, sets: Mapping[str, Members]
) -> bool:
    """Whether the required fact is true of every document of which the proven ones are."""
    involved = {name for each in (*proven, required) for name in _names(each)}
    attributes = [each for each in schema.attributes if each.name in involved]
    for chosen in product(*map(_domain, attributes)):
        values = {each.name: value for each, value in zip(attributes, chosen, strict=True)}
        if all(_true(each, values, sets) for each in proven) and not _true(required, values, sets):
            return False
    return True


def _names(sentence: Sentence) -> Iterable[str]:
    if isinstance(sentence, LinearFact):
        return [each.attribute.name for each in sentence.mentions]
    return [sentence.attribute.name]


# --- one attribute ------------------------------------------------------------------------------


def _literal(attribute: Attribute) -> st.SearchStrategy[str]:
    if attribute.type == "date":
        return st.integers(1, 6).map(lambda day: f"2026-01-0{day}")
    if attribute.is_ordered:
        return st.integers(*attribute.bounds).map(str)
    return st.sampled_from(attribute.members or TEXTS)


@st.composite
def _claims(draw: st.DrawFn, attribute: Attribute) -> str:
    literal = _literal(attribute)
    listed = st.sets(literal, min_size=1, max_size=5).map(lambda found: ", ".join(sorted(found)))
    kinds = [
        listed.map(lambda texts: f"in {{{texts}}}"),
        st.sampled_from(["in @p", "not in @p", "in @q", "not in @q", "in @r", "not in @r"]),
        literal.map(lambda text: f"= {text}"),
    ]
    if attribute.is_ordered:
        ends = st.tuples(literal, literal).map(sorted)
        if attribute.type != "date":
            ends = st.tuples(literal, literal).map(lambda pair: sorted(pair, key=int))
        kinds += [
            literal.map(lambda text: f">= {text}"),
            literal.map(lambda text: f"<= {text}"),
            ends.map(lambda pair: f"in {pair[0]}..{pair[1]}"),
        ]
    return f"{attribute.name} {draw(st.one_of(kinds))}"


@st.composite
def _sets(draw: st.DrawFn, attribute: Attribute) -> dict[str, Members]:
    values: st.SearchStrategy[Value] = st.sampled_from(TEXTS)
    if attribute.is_ordered:
        lo, hi = attribute.bounds
        values = st.integers(lo - 1, hi + 1)  # members outside the domain count for nothing
    return {
        name: Members(attribute.type_tag, frozenset(draw(st.sets(values, min_size=1, max_size=6))))
        for name in "pqr"
    }


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_about_one_attribute_it_is_exactly_brute_force(data: st.DataObject) -> None:
    """Yes if and only if no value meets the proven facts and not the required one."""
    attribute = data.draw(st.sampled_from(TINY.attributes))
    sets = data.draw(_sets(attribute))
    texts = data.draw(st.lists(_claims(attribute), max_size=4))
    proven = [parse_fact(text, TINY) for text in texts]
    required = parse_fact(data.draw(_claims(attribute)), TINY)
    assert by_brute_force(proven, required, TINY, sets) == implies(proven, required, TINY, sets)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_facts_about_other_attributes_change_nothing(data: st.DataObject) -> None:
    """What is proven of a neighbour says nothing of an attribute."""
    attribute, other = data.draw(st.permutations(TINY.attributes[:5]))[:2]
    sets = data.draw(_sets(attribute))
    required = parse_fact(data.draw(_claims(attribute)), TINY)
    plain = st.sampled_from([f"{other.name} in {{{_first(other)}}}"])
    beside = parse_fact(data.draw(plain), TINY)
    assert implies([], required, TINY, sets) == implies([beside], required, TINY, sets)


def _first(attribute: Attribute) -> str:
    return {"x": "1", "o": "2", "e": "B", "code": "C", "d": "2026-01-03"}[attribute.name]


# --- sums ---------------------------------------------------------------------------------------

NUMBERS = _schema(
    _integer("a", -2, 3),
    _integer("b", 0, 4),
    _integer("c", -3, 1, optional=True),
)


@st.composite
def _sums(draw: st.DrawFn) -> str:
    names = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
    factor = st.integers(1, 3)

    def side(chosen: list[str], amount: int | None) -> str:
        items = [f"{each} * {draw(factor)}" for each in chosen]
        items += [str(amount)] if amount is not None else []
        text = items[0]
        for item in items[1:]:
            text += f" {draw(st.sampled_from('+-'))} {item}"
        return text

    left = side(draw(names), draw(st.none() | st.integers(0, 6)))
    right = side(draw(names | st.just([])), draw(st.integers(-9, 9)))
    if draw(st.integers(0, 5)) == 0:
        return f"abs({left}) * {draw(factor)} <= {right}"
    return f"{left} {draw(st.sampled_from(['>=', '<=']))} {right}"


def _readable(texts: Iterable[str]) -> Iterator[Sentence]:
    for text in texts:
        try:
            yield parse_fact(text, NUMBERS)
        except FactError:  # its attributes cancel out
            continue


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_with_sums_it_never_says_yes_wrongly(data: st.DataObject) -> None:
    """Every yes is true of all documents; that some are missed is said in the specification."""
    plain = st.sampled_from(NUMBERS.attributes).flatmap(_claims)
    plain = plain.filter(lambda text: "@" not in text)
    proven = list(_readable(data.draw(st.lists(_sums() | plain, max_size=4))))
    for required in _readable(data.draw(st.lists(_sums() | plain, min_size=1, max_size=4))):
        if implies(proven, required, NUMBERS, {}):
            assert by_brute_force(proven, required, NUMBERS, {})


@pytest.mark.parametrize(
    ("proven", "required", "expected"),
    [
        (["a + b >= 3"], "a + b >= 2", True),
        (["a + b >= 3"], "a + b >= 4", False),
        (["a + b >= 3"], "a * 2 + b * 2 >= 5", True),  # at least 6
        (["a + b >= 3"], "a * 2 + b * 2 >= 7", False),
        (["a * 2 + b * 2 >= 5"], "a + b >= 3", True),  # whole numbers
        (["a + b >= 3"], "b >= 0 - a + 2", True),  # turned round
        (["a + b >= 3"], "a - b >= -6", True),  # by the bounds alone
        (["a + b >= 5"], "a >= 1", True),  # b is 4 at most
        (["a + b >= 5"], "a >= 2", False),
        (["a + b >= 5", "b <= 3"], "a >= 2", True),
        (["a >= 2", "b >= 3"], "a + b >= 5", True),
        (["a >= 2", "b >= 3"], "a + b >= 6", False),
        (["a >= b", "b - c >= 0"], "a - c >= 0", True),  # one after the other
        (["a >= b"], "a - c >= 0", False),
        (["a + b >= 3", "a >= 1"], "a * 2 + b >= 4", True),  # a sum and a range
        (["abs(a - b) <= 2"], "a - b <= 2", True),
        (["abs(a - b) <= 2"], "abs(a - b) <= 3", True),
        (["abs(a - b) <= 2"], "abs(a - b) <= 1", False),
        (["a - b <= 2", "b - a <= 2"], "abs(a - b) <= 2", True),
        (["a + c >= 0"], "a >= -1", True),  # c is 1 at most
        (["a + b >= 0"], "c <= 1", False),  # c may be absent
        (["c + a >= c + b"], "c <= 1", False),  # c cancels out: it may still be absent
        (["a >= 1"], "a + c <= 4", False),
        (["c in -3..1"], "a + c <= 4", True),
        (["a in {0, 3}", "a + b >= 5"], "a in {3}", True),  # 0 + 4 is too little
        (["a + b >= 8"], "a = 0", True),  # no document at all meets it
    ],
)
def test_sums(proven: list[str], required: str, expected: bool) -> None:
    """What follows from sums, and what does not, one pair for each way of concluding."""
    facts = [parse_fact(text, NUMBERS) for text in proven]
    wanted = parse_fact(required, NUMBERS)
    assert not expected or by_brute_force(facts, wanted, NUMBERS, {})
    assert expected == implies(facts, wanted, NUMBERS, {})


def test_what_is_missed_is_no_and_not_yes() -> None:
    """A sum of two proven sums: no single one is worth taking away alone, and so it is not seen."""
    proven = [parse_fact(text, NUMBERS) for text in ("a + b >= 4", "a - b >= -2")]
    wanted = parse_fact("a >= 1", NUMBERS)
    assert by_brute_force(proven, wanted, NUMBERS, {})
    assert not implies(proven, wanted, NUMBERS, {})


# --- documents, units, sets ---------------------------------------------------------------------

PLANT = _schema(
    {"name": "capacity", "type": "decimal", "scale": 3, "unit": "MW", "min": "0", "max": "1000"},
    {"name": "annual_yield", "type": "decimal", "scale": 4, "min": "-1", "max": "1"},
    {"name": "fuel", "type": "enum", "members": ["Coal", "Hydro", "Solar", "Wind"]},
    {"name": "owner", "type": "name", "class": "personal", "optional": True},
    {"name": "closed", "type": "date", "min": "2000-01-01", "max": "2100-01-01"},
)


def _names_of(*members: str) -> Members:
    return Members(PLANT.attribute("owner").type_tag, frozenset(members))


SETS = {"small": _names_of("ann", "bob"), "big": _names_of("ann", "bob", "cid")}


@pytest.mark.parametrize(
    ("proven", "required", "expected"),
    [
        ("annual_yield in 8.00%..12.00%", "annual_yield >= 7%", True),
        ("annual_yield in 8.00%..12.00%", "annual_yield >= 8.01%", False),
        ("annual_yield in 8.00%..12.00%", "annual_yield in 0.08..0.2", True),
        ("capacity >= 20 MW", "capacity >= 20000 kW", True),
        ("capacity >= 20 MW", "capacity >= 20001 kW", False),
        ("fuel in {Solar, Wind}", "fuel in {Solar, Wind, Hydro}", True),
        ("fuel in {Solar, Wind, Hydro}", "fuel in {Solar, Wind}", False),
        ("fuel = Solar", "fuel in {Solar, Wind}", True),
        ("capacity = 20 MW", "capacity in 10..20 MW", True),
        ("owner not in @big", "owner not in @small", True),
        ("owner not in @small", "owner not in @big", False),
        ("owner in @small", "owner in @big", True),
        ("owner in @big", "owner in @small", False),
        ("owner in @small", "owner not in @big", False),
        ("closed >= 2026-01-01", "closed >= 2026-01-01 - 30d", True),
        ("closed >= 2026-01-01", "closed >= 2026-01-01 + 1d", False),
    ],
)
def test_pairs_that_people_write(proven: str, required: str, expected: bool) -> None:
    """Ranges, units, lists, dates and named sets."""
    facts = [parse_fact(proven, PLANT)]
    assert expected == implies(facts, parse_fact(required, PLANT), PLANT, SETS)


def test_documents_are_told_apart_by_their_alias() -> None:
    """What is proven of one document says nothing of another."""
    both = Subjects.of({"p": PLANT, "q": PLANT})
    proven = [parse_fact("p.capacity >= 20 MW", both)]
    assert implies(proven, parse_fact("p.capacity >= 10 MW", both), both, {})
    assert not implies(proven, parse_fact("q.capacity >= 10 MW", both), both, {})


def test_a_sum_over_documents_bounds_each_of_them() -> None:
    """Intervals go through sums from one document to another."""
    both = Subjects.of({"p": PLANT, "q": PLANT})
    proven = FactList.parse(["p.capacity + q.capacity >= 1500 MW", "q.capacity <= 700 MW"], both)
    assert implies(proven, parse_fact("p.capacity >= 800 MW", both), both, {})
    assert not implies(proven, parse_fact("p.capacity >= 801 MW", both), both, {})


def test_a_set_that_is_not_at_hand_or_of_another_type_is_refused() -> None:
    """Nothing is concluded from a name alone, unless it is the same claim."""
    proven = [parse_fact("owner not in @big", PLANT)]
    wanted = parse_fact("owner not in @small", PLANT)
    with pytest.raises(SetError, match="not at hand"):
        implies(proven, wanted, PLANT, {"big": SETS["big"]})
    fuels = Members(PLANT.attribute("fuel").type_tag, frozenset({"zed"}))
    with pytest.raises(SetError, match="another type"):
        implies(proven, wanted, PLANT, SETS | {"small": fuels})


def test_a_fact_of_another_schema_is_refused() -> None:
    """An attribute of the same name with another scale is another attribute."""
    other = _schema({"name": "capacity", "type": "integer", "unit": "MW", "min": 0, "max": 1000})
    with pytest.raises(FactError, match="another schema"):
        implies([parse_fact("capacity >= 20 MW", other)], _capacity(), PLANT, {})
    with pytest.raises(FactError, match="another schema"):
        implies([], parse_fact("capacity >= 20 MW", other), PLANT, {})


def _capacity() -> Fact:
    found = parse_fact("capacity >= 10 MW", PLANT)
    assert isinstance(found, Fact)
    return found


def test_about_names_the_facts_that_bear_on_a_requirement() -> None:
    """Those about one of its attributes, sums included, and no others."""
    documents: Documents = PLANT
    texts = ["capacity >= 20 MW", "fuel = Solar", "capacity * 2 >= 50 MW"]
    proven = FactList.parse(texts, documents)
    assert about(proven, _capacity()) == ["capacity >= 20 MW", "capacity * 2 >= 50 MW"]
