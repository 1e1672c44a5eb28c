"""Values: exact, bounded, normalised, or refused with the attribute's name."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import schema
from support.facts import values as drawn_values

from proofs import group
from proofs.errors import SchemaError
from proofs.schema import Attribute
from proofs.text import text_scalar
from proofs.values import format_value, read_attributes, read_value, value_scalar

GOOD: dict[str, object] = {
    "capacity": "20.5",
    "annual_yield": Decimal("0.0825"),
    "price": "0.38",
    "turbines": 0,
    "commissioned": "2019-01-01",
    "province": "广东",
    "code": "91350100m000100y43",
    "owner": "张 三",
    "age": 44,
}


def test_a_document_is_read_in_the_schemas_order() -> None:
    """Every attribute has its exact value; what is optional may be absent, or None."""
    expected = {
        "capacity": 20500,
        "annual_yield": 825,
        "price": 380_000_000_000_000_000,
        "turbines": 0,
        "commissioned": 17897,
        "province": "广东",
        "code": "91350100M000100Y43",
        "owner": "张 三",
        "age": 44,
    }
    found = read_attributes(schema, dict(reversed(list(GOOD.items()))))
    assert list(expected.items()) == list(found.items())
    absent = {key: raw for key, raw in GOOD.items() if key != "owner"} | {"commissioned": None}
    assert expected | {"owner": None, "commissioned": None} == read_attributes(schema, absent)


def test_all_problems_are_listed_at_once() -> None:
    """A person mends a file in one go."""
    bad = {**GOOD, "capasity": 1, "capacity": "20.5555", "province": "广", "turbines": None}
    del bad["code"]
    with pytest.raises(SchemaError) as caught:
        read_attributes(schema, bad)
    expected = [
        "'capasity': not in schema pv-plant (did you mean capacity?)",
        "capacity: 20.5555 is not exact at scale 3",
        "turbines: missing",
        "province: '广' is not one of its members (did you mean 广东?)",
        "code: missing",
    ]
    assert expected == str(caught.value).split("; ")


def test_a_flood_of_unknown_attributes_makes_a_short_message() -> None:
    """Twenty of them are named."""
    flood = {f"unknown_{number}" + "x" * 1000: 1 for number in range(10_000)}
    with pytest.raises(SchemaError) as caught:
        read_attributes(schema, {**GOOD, **flood})
    assert len(str(caught.value)) < 3000


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("capacity", "20.5555", "not exact"),
        ("capacity", "-0.001", "below the least, 0.000 MW"),
        ("capacity", "100000.001", "past the greatest, 100000.000 MW"),
        ("capacity", 100001, "past the greatest"),
        ("capacity", 10**4000, "64 bits"),
        ("capacity", 1.5, "a float"),
        ("capacity", float("nan"), "a float"),
        ("capacity", "NaN", "not a number"),
        ("capacity", "1e400", "exponent"),
        ("capacity", Decimal("NaN"), "not a number"),
        ("capacity", Decimal("1e400"), "too many digits"),
        ("capacity", True, "true or false"),
        ("capacity", [1], "a list"),
        ("capacity", {"a": 1}, "an object"),
        ("capacity", b"1", "bytes"),
        ("capacity", "20 MW", "not a number"),
        ("turbines", "1.5", "not exact"),
        ("turbines", str(2**62 + 1), "past the greatest"),
        ("turbines", str(-(2**62) - 1), "below the least"),
        ("commissioned", "2019-1-1", "not a date"),
        ("commissioned", "2019-02-29", "no day"),
        ("commissioned", "1979-12-31", "below the least, 1980-01-01"),
        ("commissioned", 17897, "as a text"),
        ("province", "Hunan", "not one of its members"),
        ("province", 5, "as a text"),
        ("code", "", "empty"),
        ("code", "  ", ""),
        ("code", "a\u200bb", r"U\+200B"),
        ("code", "a\nb", r"U\+000A"),
        ("code", "a\u202eb", r"U\+202E"),
        ("code", "\ud800", r"U\+D800"),
        ("code", "x" * 1001, "1001 characters; at most 1000"),
        ("owner", "x" * 10_000_000, "10000000 characters, at most"),
        ("code", "\ufdfa" * 100, "characters"),
        ("owner", "\x1b[2J", r"U\+001B"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, raw: object, reason: str) -> None:
    """Type, exactness, bounds, members, length and hidden characters; the message is bounded."""
    with pytest.raises(SchemaError, match=f"^{name}: .*{reason}") as caught:
        read_value(schema.attribute(name), raw)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("raw", ["8613800138000", "x1380", 151, "1.5", "-1"])
def test_a_personal_value_is_not_repeated(raw: object) -> None:
    """Messages end in logs and reports, so a refused personal number is not in them."""
    with pytest.raises(SchemaError) as caught:
        read_value(schema.attribute("age"), raw)
    assert str(caught.value) == "age: not a valid integer (personal; value not shown)"


attributes = st.sampled_from(schema.attributes)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_printed_value_reads_back(data: st.DataObject) -> None:
    """format_value without its unit is a raw text of the same value."""
    attribute: Attribute = data.draw(attributes)
    value = data.draw(drawn_values(attribute))
    text = format_value(attribute, value)
    if attribute.unit:
        assert text.endswith(" " + attribute.unit)
        text = text.removesuffix(" " + attribute.unit)
    assert value == read_value(attribute, text)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_scalars_are_integers_or_hashes(data: st.DataObject) -> None:
    """A number's scalar is the number modulo the order; a text's is the hash of its type and it."""
    attribute: Attribute = data.draw(attributes)
    value = data.draw(drawn_values(attribute))
    if isinstance(value, int):
        expected = group.scalar(value % group.ORDER)
    else:
        expected = text_scalar(attribute.type.value, value)  # type: ignore[arg-type]
    assert expected == value_scalar(attribute, value)


def test_a_value_of_the_wrong_kind_has_no_scalar() -> None:
    """Neither an integer for a text nor one past the bounds, where it would wrap around."""
    for name, value in [
        ("capacity", "20"),
        ("code", 20),
        ("capacity", group.ORDER + 20),
        ("capacity", -1),
    ]:
        with pytest.raises(SchemaError, match=f"^{name}: "):
            value_scalar(schema.attribute(name), value)  # type: ignore[arg-type]
