"""The class rule: what stays possible when all facts are known, against counting it out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import Members, schema

from proofs.classes import LEAST_POSSIBLE, check_facts, check_without_sets, possible_values
from proofs.errors import CrossproofError, FactError, SetError
from proofs.evaluate import evaluate
from proofs.facts import AtLeast, AtMost, Between, Claim, Equal, Fact, FactList, InSet, OneOf
from proofs.schema import Attribute, AttributeClass, Schema
from proofs.values import Value

SMALL = 90  # values of the small domains: past the 64 that a personal attribute needs


def _small_schema() -> Schema:
    attributes = []
    for kind in AttributeClass:
        attributes += [
            {
                "name": f"number_{kind}",
                "label": "n",
                "type": "integer",
                "class": kind,
                "min": -10,
                "max": SMALL - 11,
            },
            {
                "name": f"word_{kind}",
                "label": "w",
                "type": "enum",
                "class": kind,
                "members": [f"m{number:02}" for number in range(SMALL)],
            },
        ]
    text = {"name": "small", "title": "Small", "attributes": attributes}
    return Schema.parse(Schema.from_author(json.dumps(text).encode()))


small = _small_schema()


def _domain(attribute: Attribute) -> list[Value]:
    if attribute.is_ordered:
        lo, hi = attribute.bounds
        return list(range(lo, hi + 1))
    return list(attribute.members)


def _around(draw: st.DrawFn, domain: list[Value], sizes: list[int]) -> frozenset[Value]:
    """A set whose size is near one of those that the rule turns on."""
    size = draw(st.sampled_from(sizes))
    chosen: list[Value] = draw(st.permutations(domain))[:size]
    # Members that no value of the domain can be: they must not count.
    strange: list[Value] = [1000, -1000] if isinstance(domain[0], int) else ["x1", "x2"]
    return frozenset(chosen) | frozenset(strange)


@st.composite
def _asked(draw: st.DrawFn) -> tuple[Attribute, list[Fact], dict[str, Members]]:
    attribute = draw(st.sampled_from(small.attributes))
    domain = _domain(attribute)
    sizes = [0, 1, 2, 3, 25, 26, 27, 63, 64, 65, SMALL]
    sets = {name: Members(attribute.type_tag, _around(draw, domain, sizes)) for name in ("a", "b")}
    claims: list[Claim] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["set", "set", "equal", "one_of", "range", "least", "most"]))
        one = draw(st.sampled_from(domain))
        two = draw(st.sampled_from(domain))
        if kind in ("range", "least", "most") and isinstance(one, int) and isinstance(two, int):
            ends = Between(min(one, two), max(one, two))
            claims.append({"range": ends, "least": AtLeast(one), "most": AtMost(one)}[kind])
        elif kind == "equal":
            claims.append(Equal(one))
        elif kind == "one_of":
            claims.append(OneOf(tuple(sorted({one, two}, key=str))))
        else:
            claims.append(InSet(draw(st.sampled_from(["a", "b"])), draw(st.booleans())))
    return attribute, [Fact(attribute, claim) for claim in claims], sets


@settings(max_examples=400, deadline=None)
@given(_asked())
def test_the_rule_agrees_with_counting_out(
    asked: tuple[Attribute, list[Fact], dict[str, Members]],
) -> None:
    """Brute force over the whole domain: count the values of which all facts are true."""
    attribute, asked_facts, sets = asked
    count = sum(
        all(evaluate(fact, value, sets) for fact in asked_facts) for value in _domain(attribute)
    )
    claims = [fact.claim for fact in asked_facts]
    assert count == possible_values(attribute, claims, sets)
    kind = attribute.attribute_class
    allowed = (
        count >= LEAST_POSSIBLE[kind]
        and {
            AttributeClass.PUBLIC: True,
            AttributeClass.ASSET: not any(isinstance(claim, Equal) for claim in claims),
            AttributeClass.PERSONAL: all(isinstance(claim, InSet) for claim in claims),
        }[kind]
    )
    try:
        check_facts(asked_facts, small, sets)
    except FactError:
        assert not allowed
    else:
        assert allowed


def _check(texts: list[str], sets: dict[str, Members] | None = None) -> None:
    check_facts(FactList.parse(texts, schema), schema, sets or {})


def _owners(count: int) -> Members:
    tag = schema.attribute("owner").type_tag
    return Members(tag, frozenset(f"owner {number}" for number in range(count)))


def _ages(members: set[int]) -> Members:
    return Members(schema.attribute("age").type_tag, frozenset(members))


def test_only_public_attributes_are_shown() -> None:
    """`=` of a public attribute is an opening; of others it is refused by name."""
    _check(["turbines = 5"])
    for text in ("capacity = 5 MW", "province = Anhui"):
        with pytest.raises(FactError, match=r"^(capacity|province): `=` shows the value"):
            _check([text])


def test_of_what_is_personal_only_named_sets_are_asked() -> None:
    """No ranges, no lists in the fact, no value."""
    _check(["owner not in @s"], {"s": _owners(1)})
    for text in ("age >= 18", "age in 1..100", "owner in {a, b}", "age in {1, 2}"):
        with pytest.raises(FactError, match="personal; only"):
            _check([text])
    with pytest.raises(FactError, match="owner: `=` shows the value"):
        _check(["owner = a"])


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        (["capacity in 20..20.001 MW"], 2),
        (["capacity in 20..20 MW"], 1),
        (["capacity >= 20 MW", "capacity <= 20.001 MW"], 2),
        (["capacity >= 20 MW", "capacity <= 20 MW"], 1),
        (["capacity in 0..20 MW", "capacity in 20..30 MW"], 1),
        (["capacity >= 99999.999 MW"], 2),
        (["capacity >= 100000 MW"], 1),
        (["capacity <= 0 MW"], 1),
        (["capacity in {20, 30} MW"], 2),
        (["capacity in {20, 30} MW", "capacity >= 25 MW"], 1),
        (["capacity in {20} MW"], 1),
        (["province in {Anhui, 广东}"], 2),
        (["province in {Anhui, 广东}", "province in {Anhui, 江苏}"], 1),
        (["province in {Anhui}"], 1),
        (["commissioned >= 2019-01-01", "commissioned <= 2019-01-02"], 2),
        (["commissioned >= 2019-01-01", "commissioned <= 2019-01-01"], 1),
    ],
)
def test_one_possible_value_is_an_opening_in_disguise(texts: list[str], left: int) -> None:
    """Two values must stay possible for an asset attribute, over all facts and the bounds."""
    if left >= 2:
        _check(texts)
        return
    with pytest.raises(FactError, match="leave 1 possible value; at least 2"):
        _check(texts)


def test_set_facts_count_with_the_others() -> None:
    """All members but one is the same as the one."""
    attribute = schema.attribute("province")
    one_left, two_left = (
        Members(attribute.type_tag, frozenset(attribute.members[count:])) for count in (1, 2)
    )
    _check(["province not in @s"], {"s": two_left})
    with pytest.raises(FactError, match="leave 1 possible value"):
        _check(["province not in @s"], {"s": one_left})


def test_a_personal_attribute_keeps_64_possible_values() -> None:
    """63 names are too few, 64 are enough; exclusions are counted with the domain."""
    _check(["owner in @s"], {"s": _owners(64)})
    with pytest.raises(FactError, match="leave 63 possible values; at least 64"):
        _check(["owner in @s"], {"s": _owners(63)})
    with pytest.raises(FactError, match="leave 63 possible values"):
        _check(["owner in @s", "owner not in @t"], {"s": _owners(64), "t": _owners(1)})
    domain = set(range(151))
    _check(["age not in @s"], {"s": _ages(domain - set(range(64)))})
    with pytest.raises(FactError, match="leave 63 possible values"):
        _check(["age not in @s"], {"s": _ages(domain - set(range(63)))})
    with pytest.raises(FactError, match="leave 63 possible values"):
        _check(["age in @s"], {"s": _ages(set(range(63)) | set(range(200, 300)))})


def test_facts_that_nothing_meets_are_refused_for_every_class() -> None:
    """A contradiction says nothing; better to say so than to leave it pending."""
    for texts in (["turbines >= 5", "turbines <= 4"], ["capacity >= 5", "capacity <= 4"]):
        with pytest.raises(FactError, match="no value meets these facts"):
            _check(texts)


def test_attributes_are_counted_apart() -> None:
    """Facts about one attribute do not narrow another."""
    _check(["capacity >= 20 MW", "annual_yield <= 0.1", "province in {Anhui, 广东}"])


def test_sets_must_be_there_and_of_the_type() -> None:
    """Refused whatever the class."""
    code = Members(schema.attribute("code").type_tag, frozenset({"a", "b"}))
    with pytest.raises(SetError, match="not at hand"):
        _check(["owner not in @s"])
    with pytest.raises(SetError, match="another type"):
        _check(["owner not in @s"], {"s": code})
    for tag in (b"", b"integer"):
        with pytest.raises(SetError, match="another type"):
            _check(["turbines in @s"], {"s": Members(tag, frozenset({1}))})
    broken = Members(schema.attribute("turbines").type_tag, frozenset({"a"}))
    with pytest.raises(FactError, match="holds a text"):
        _check(["turbines not in @s"], {"s": broken})


def test_without_the_sets_the_rest_of_the_rule_holds() -> None:
    """An asker who holds no sets learns of everything else at once."""
    good = FactList.parse(["owner not in @s", "owner in @t", "capacity >= 20"], schema)
    check_without_sets(good, schema)
    for texts in (["age >= 18"], ["capacity = 5"], ["capacity >= 20", "capacity <= 20"]):
        with pytest.raises(FactError):
            check_without_sets(FactList.parse(texts, schema), schema)


def test_facts_of_another_schema_are_refused() -> None:
    """A fact read against other bounds or another class is another fact."""
    attribute = small.attributes[0]
    with pytest.raises(CrossproofError):
        check_facts([Fact(attribute, AtLeast(0))], schema, {})
    renamed = Fact(schema.attribute("age"), AtLeast(0))
    public = Schema(
        schema.name,
        schema.title_en,
        schema.title_zh,
        schema.time_zone,
        tuple(
            Attribute(
                name=each.name,
                label_en=each.label_en,
                label_zh=each.label_zh,
                type=each.type,
                attribute_class=AttributeClass.PUBLIC,
                optional=each.optional,
                unit=each.unit,
                scale=each.scale,
                least=each.least,
                greatest=each.greatest,
                members=each.members,
            )
            for each in schema.attributes
        ),
    )
    with pytest.raises(FactError, match="another schema"):
        check_facts([renamed], public, {})
