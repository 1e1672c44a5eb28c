"""What linear facts leave possible: never less than there is, and the class rule upon it."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.books import book, subjects

from proofs.classes import check_facts, check_without_sets
from proofs.errors import FactError
from proofs.evaluate import evaluate_linear
from proofs.facts import FactList, parse_fact
from proofs.linear import LinearFact
from proofs.narrowing import combinations, narrow
from proofs.schema import Schema

SMALL = 6


def _schema(kinds: dict[str, str], least: int = 0, greatest: int = SMALL) -> Schema:
    attributes = [
        {
            "name": name,
            "label": name,
            "type": "integer",
            "class": kind,
            "min": least,
            "max": greatest,
        }
        for name, kind in kinds.items()
    ]
    text = {"name": "small", "title": "Small", "attributes": attributes}
    return Schema.parse(Schema.from_author(json.dumps(text).encode()))


small = _schema({"x": "asset", "y": "asset", "z": "asset", "p": "public", "q": "public"})


@st.composite
def _texts(draw: st.DrawFn) -> list[str]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        names = draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=3, unique=True))
        words = " ".join(
            (draw(st.sampled_from(["+ ", "- "])) if place else "")
            + f"{name} * {draw(st.integers(2 if len(names) == 1 else 1, 4))}"
            for place, name in enumerate(names)
        )
        relation, bound = draw(st.sampled_from([">=", "<="])), draw(st.integers(-12, 24))
        found.append(f"{words} {relation} {bound}")
    return list(dict.fromkeys(found))


@settings(max_examples=200, deadline=None)
@given(_texts())
def test_narrowing_loses_no_possible_value(texts: list[str]) -> None:
    """Every point that meets all facts lies in the intervals, and so does each combination."""
    facts = [parse_fact(text, small) for text in texts]
    linear = [fact for fact in facts if isinstance(fact, LinearFact)]
    if len(linear) < len(facts):
        return
    forms = [form for fact in linear for form in fact.forms]
    keys = {("", small.attribute(name)): (0, SMALL) for name in "xyz"}
    narrowed = narrow(keys, forms)
    combined = combinations(narrowed, forms)
    for point in product(range(SMALL + 1), repeat=3):
        values = dict(zip("xyz", point, strict=True))
        if not all(evaluate_linear(fact, lambda _, a, v=values: v[a.name]) for fact in linear):
            continue
        for key, (lo, hi) in narrowed.items():
            assert lo <= values[key[1].name] <= hi
        for vector, (lo, hi) in combined.items():
            assert lo <= sum(each * values[key[1].name] for key, each in vector) <= hi


@settings(max_examples=100, deadline=None)
@given(_texts())
def test_one_fact_narrows_exactly(texts: list[str]) -> None:
    """The interval of one fact begins and ends at values that can occur, given the rest free."""
    fact = parse_fact(texts[0], small)
    if not isinstance(fact, LinearFact):
        return
    keys = {("", small.attribute(name)): (0, SMALL) for name in "xyz"}
    narrowed = narrow(keys, fact.forms)
    points = [dict(zip("xyz", point, strict=True)) for point in product(range(SMALL + 1), repeat=3)]
    met = [each for each in points if evaluate_linear(fact, lambda _, a, v=each: v[a.name])]
    if not met:
        assert any(lo > hi for lo, hi in narrowed.values())
        return
    for key, interval in narrowed.items():
        seen = [values[key[1].name] for values in met]
        assert interval == (min(seen), max(seen))


ALLOWED = [
    ["x + y <= 7"],
    ["x + y >= 10", "x + y <= 11"],
    ["x - y >= 0", "y - x >= -1"],
    ["x * 2 >= 5", "x <= 4"],
    ["abs(x - y) <= 1"],
    ["x + y >= 11"],
    ["p + q >= 12"],
    ["p + q >= 3", "p + q <= 3"],
    ["p * 2 >= 12"],
    ["x in {1, 3}", "x + y <= 9"],
]
REFUSED = [
    (["x + y >= 12"], "x: the facts together leave 1 possible"),
    (["x + y >= 13"], "no value"),
    (["x + y >= 10", "x + y <= 10"], "one possible value of their combination"),
    (["x - y >= 0", "y - x >= 0"], "one possible value of their combination"),
    (["x * 2 - y * 2 >= 0", "x - y <= 0"], "one possible value of their combination"),
    (["x * 2 - y >= 3", "x * 4 - y * 2 <= 7"], "one possible value of their combination"),
    (["abs(x - y) <= 0"], "one possible value of their combination"),
    (["abs(x - 3) <= 0"], "x: the facts together leave 1 possible"),
    (["x * 2 >= 11"], "x: the facts together leave 1 possible"),
    (["x * 2 >= 7", "x * 2 <= 9"], "x: the facts together leave 1 possible"),
    (["x + y >= 8", "y <= 2"], "x: the facts together leave 1 possible"),
    (["x + y <= 5", "y >= 5"], "x: the facts together leave 1 possible"),
    (["x + y >= 8", "y in {1, 2}"], "x: the facts together leave 1 possible"),
    (["x >= y", "y >= z", "z >= 6"], "possible"),
    (["x + p >= 12"], "x: the facts together leave 1 possible"),
    (["x - p >= 0", "p - x >= 0"], "one possible value of their combination"),
    (["x - y >= 7"], "no value"),
    (["x + y >= 3", "x + y <= 2"], "no value meets"),
    (["x in {1, 3}", "x + y >= 8"], "x: the facts together leave 1 possible"),
]


@pytest.mark.parametrize("texts", ALLOWED, ids=" and ".join)
def test_what_leaves_two_values_of_everything_may_be_asked(texts: list[str]) -> None:
    """Attributes of class asset, and their combinations; of public ones one value is enough."""
    facts = FactList.parse(texts, small)
    check_facts(facts, small, {})
    check_without_sets(facts, small)


@pytest.mark.parametrize(
    ("texts", "reason"), REFUSED, ids=[" and ".join(each) for each, _ in REFUSED]
)
def test_an_opening_in_disguise_is_refused(texts: list[str], reason: str) -> None:
    """One fact, several, chains of them, and both sides of one combination however multiplied."""
    facts = FactList.parse(texts, small)
    for check in (lambda: check_facts(facts, small, {}), lambda: check_without_sets(facts, small)):
        with pytest.raises(FactError, match=reason):
            check()


def test_personal_attributes_stay_out_of_sums() -> None:
    """Beside numbers of other classes, too; the alias is in the message."""
    for text in ("a.age + b.age >= 90", "a.age * 2 >= 40", "abs(a.age - b.age) <= 20"):
        with pytest.raises(FactError, match=r"a\.age: the attribute is personal"):
            check_facts(FactList.parse([text], subjects()), subjects(), {})


def test_two_documents_are_counted_apart() -> None:
    """Facts about a.debt leave b.debt as free as it was."""
    apart = ["a.debt >= 5 CNY", "b.debt <= 5 CNY"]
    check_facts(FactList.parse(apart, subjects()), subjects(), {})
    with pytest.raises(FactError, match=r"a\.debt: the facts together leave 1"):
        check_facts(
            FactList.parse(["a.debt >= 5 CNY", "a.debt <= 5 CNY"], subjects()), subjects(), {}
        )


def test_facts_that_narrow_one_another_for_ever_end() -> None:
    """Each round takes one step of 10^12; the rule is about 16 of them."""
    endless = ["a.debt + 0.01 CNY <= b.debt", "b.debt + 0.01 CNY <= a.debt"]
    facts = FactList.parse(endless, subjects())
    with pytest.raises(FactError, match="no values meet"):
        check_facts(facts, subjects(), {})
    lagging = ["a.debt * 2 + 0.01 CNY <= b.debt * 2 + a.price", "b.debt + 0.01 CNY <= a.debt"]
    check_facts(FactList.parse(lagging, subjects()), subjects(), {})


def test_what_is_not_seen() -> None:
    """The limit that the specification states: two combinations that cross pin both values."""
    crossing = ["x + y >= 6", "x + y <= 7", "x - y >= 0", "x - y <= 1", "x * 3 + y >= 13"]
    facts = FactList.parse(crossing, small)
    met = [
        (x, y)
        for x, y in product(range(SMALL + 1), repeat=2)
        if all(
            isinstance(fact, LinearFact)
            and evaluate_linear(fact, lambda _, a, v={"x": x, "y": y}: v[a.name])
            for fact in facts
        )
    ]
    assert met == [(4, 3)]
    check_facts(facts, small, {})


def test_facts_of_another_schema_are_refused() -> None:
    """Its bounds would be another's."""
    other = _schema({"x": "asset", "y": "asset"}, greatest=SMALL + 1)
    facts = FactList.parse(["x + y >= 5"], other)
    with pytest.raises(FactError, match="another schema"):
        check_facts(facts, small, {})
    with pytest.raises(FactError, match="another schema"):
        check_facts(FactList.parse(["a.debt + b.debt >= 5"], subjects()), book(), {})
