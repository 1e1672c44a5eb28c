"""Schemas: one canonical form, and a refusal of every attribute that could not be meant."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import SCHEMA, SCHEMA_FILE, schema

from proofs import canonical
from proofs.errors import CrossproofError, SchemaError
from proofs.labels import frame
from proofs.schema import (
    Attribute,
    AttributeClass,
    AttributeType,
    Schema,
    check_unit,
    format_day,
    parse_day,
)


def _plain() -> dict[str, Any]:
    value = canonical.parse(SCHEMA, limit=1 << 20)
    assert isinstance(value, dict)
    return copy.deepcopy(value)


def test_a_schema_reads_back_and_is_known_by_its_bytes() -> None:
    """encode is the inverse of parse, and the digest is that of the file."""
    assert schema.encode() == SCHEMA
    assert hashlib.sha256(SCHEMA).hexdigest() == schema.digest
    assert schema == Schema.from_json(_plain())


def test_attributes_are_found_by_name() -> None:
    """In their order; an unknown name is refused."""
    assert (schema.index("capacity"), schema.index("province")) == (0, 5)
    assert schema.attribute("capacity").label_zh == "装机容量"
    with pytest.raises(SchemaError, match="no attribute 'x'"):
        schema.attribute("x")


def test_an_author_may_leave_out_what_has_a_widest_meaning() -> None:
    """min and max are values, members are sorted, one label serves both languages."""
    capacity, price, turbines = (schema.attribute(n) for n in ("capacity", "price", "turbines"))
    assert capacity.bounds == (0, 100_000_000)
    assert price.bounds == (-(2**62), 2**62)
    assert (turbines.unit, turbines.label_en, turbines.label_zh) == ("", "Turbines", "Turbines")
    members = schema.attribute("province").members
    assert tuple(sorted(members)) == members
    assert (capacity.optional, schema.attribute("owner").optional) == (False, True)
    assert schema.time_zone == "Asia/Shanghai"


def test_an_authors_file_may_be_the_canonical_one_in_its_own_spelling() -> None:
    """White space and key order do not matter; the result is the same schema."""
    text = json.dumps(SCHEMA_FILE, indent=2, ensure_ascii=True, sort_keys=True).encode()
    assert Schema.from_author(text) == SCHEMA


def test_types_are_told_apart_by_their_tag() -> None:
    """Scale and unit are part of a number's type; the tag is framed, so nothing runs together."""
    tags = {attribute.name: attribute.type_tag for attribute in schema.attributes}
    assert frame(b"decimal", b"3", b"MW") == tags["capacity"]
    assert frame(b"date") == tags["commissioned"]
    assert frame(b"name") == tags["owner"]
    assert frame(b"integer", b"0", b"") == tags["turbines"] == tags["age"]
    assert len(set(tags.values())) == 8


Edit = Callable[[dict[str, Any]], object]


def _set(index: int, **changes: object) -> Edit:
    return lambda value: value["attributes"][index].update(changes)


def _drop(index: int, name: str) -> Edit:
    return lambda value: value["attributes"][index].pop(name)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda v: v.update(extra=1), "unknown field"),
        (lambda v: v.update(format="crossvault/schema/v2"), "format"),
        (lambda v: v.update(normaliser="v2"), "normaliser"),
        (lambda v: v.update(time_zone="Mars/Olympus"), "time_zone"),
        (lambda v: v.update(name="PV"), "name"),
        (lambda v: v["title"].update(en="a\u202eb"), r"U\+202E"),
        (lambda v: v["title"].pop("zh"), "missing"),
        (lambda v: v["title"].update(en="x" * 201), "title.en"),
        (lambda v: v.update(attributes=[]), "1 to 64"),
        (lambda v: v.update(attributes=v["attributes"] * 20), "1 to 64"),
        (lambda v: v["attributes"].append(v["attributes"][0]), "occurs twice"),
        (_set(0, extra=1), "unknown field"),
        (_set(0, name="Capacity"), "name"),
        (_set(0, name="a-b"), "name"),
        (_set(0, name="in"), "keeps this word"),
        (_set(0, name="sum"), "keeps this word"),
        (_set(0, label={"en": "a\u200bb", "zh": "x"}), r"U\+200B"),
        (_set(0, label={"en": "", "zh": "x"}), "label.en"),
        (_set(0, type="float"), "type"),
        (_set(0, **{"class": "secret"}), "class"),
        (_set(0, optional=1), "optional"),
        (_set(0, values=2), "values"),
        (_set(0, unit="M W"), "unit"),
        (_set(0, unit="%"), "unit"),
        (_set(0, unit="20"), "unit"),
        (_set(0, unit="M\u0301W"), "unit"),
        (_drop(0, "unit"), "unit: missing"),
        (_set(0, scale=19), "scale"),
        (_set(0, scale=-1), "scale"),
        (_set(0, scale=True), "scale"),
        (_drop(0, "scale"), "scale: missing"),
        (_set(3, scale=2), "unknown field"),
        (_set(0, min=0), "min"),
        (_set(0, min="00"), "decimal digits"),
        (_set(0, min="-0"), "decimal digits"),
        (_set(0, min="1.5"), "decimal digits"),
        (_set(0, min="1e3"), "decimal digits"),
        (_set(0, min="100000001"), "min is greater"),
        (_set(0, max=str(2**62 + 1)), r"2\^62"),
        (_set(0, min=str(-(2**62) - 1)), r"2\^62"),
        (_drop(0, "max"), "max: missing"),
        (_set(4, min="1980-1-1"), "not a date"),
        (_set(4, min="1980-02-30"), "no day"),
        (_set(4, precision="second"), "precision"),
        (_set(4, unit="d"), "unknown field"),
        (_set(5, members=[]), "1 to 256"),
        (_set(5, members=["b", "a"]), "sorted"),
        (_set(5, members=["a", "a"]), "sorted"),
        (_set(5, members=["Ａ"]), "normalised"),
        (_set(5, members=[" a"]), "normalised"),
        (_set(5, members=["a\u200b"]), r"U\+200B"),
        (_set(5, members=[str(i).rjust(3, "0") for i in range(257)]), "1 to 256"),
        (_set(6, members=["a"]), "unknown field"),
        (_set(6, min="0"), "unknown field"),
        (_set(7, unit="x"), "unknown field"),
    ],
)
def test_other_schemas_are_refused(edit: Edit, reason: str) -> None:
    """One change each; the refusal says which part it is."""
    value = _plain()
    edit(value)
    with pytest.raises(CrossproofError, match=reason):
        Schema.parse(canonical.dump(value))


_replacements = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**53 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 8), st.data())
def test_any_field_of_any_form_is_read_or_refused(place: int, data: st.DataObject) -> None:
    """One field replaced or dropped: our errors only, and what is read prints back the same."""
    value = _plain()
    target = data.draw(st.sampled_from([value, value["title"], value["attributes"][place]]))
    name = data.draw(st.sampled_from(sorted(target)))
    if data.draw(st.booleans()):
        target[name] = data.draw(_replacements)
    else:
        del target[name]
    changed = canonical.dump(value)
    with contextlib.suppress(CrossproofError):
        assert changed == Schema.parse(changed).encode()
    with contextlib.suppress(CrossproofError):
        authored = Schema.from_author(changed)
        assert authored == Schema.parse(authored).encode()


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_set(0, min=0.5), "write a decimal as a text"),
        (_set(0, min="0.0005"), "not exact"),
        (_set(0, min="x"), "not a number"),
        (_set(0, max="9" * 61), "60 characters"),
        (_set(0, max=True), "must be a number"),
        (_set(0, maximum="5"), "unknown field"),
        (_set(5, members=["a", "Ａ", "A"]), "occurs twice"),
        (_set(5, members=["a\x07"]), r"U\+0007"),
        (_set(4, max="tomorrow"), "not a date"),
        (_set(4, precision="second"), "precision"),
        (_set(0, label=5), "object"),
        (_set(0, label={"en": "x"}), "zh: missing"),
        (lambda v: v.update(format="other"), "format"),
        (lambda v: v.update(time_zone="Mars/Olympus"), "time zone"),
    ],
)
def test_an_authors_mistakes_are_named(edit: Edit, reason: str) -> None:
    """What a person may get wrong in the file is refused with the place."""
    value = copy.deepcopy(SCHEMA_FILE)
    edit(value)
    with pytest.raises(CrossproofError, match=reason):
        Schema.from_author(json.dumps(value).encode())


def test_an_author_may_say_that_a_date_is_a_day() -> None:
    """It is the only precision, so it changes nothing."""
    value = copy.deepcopy(SCHEMA_FILE)
    _set(4, precision="day")(value)
    assert Schema.from_author(json.dumps(value).encode()) == SCHEMA


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attributes": ()}, "1 to 64 attributes"),
        ({"attributes": schema.attributes * 9}, "1 to 64 attributes"),
        ({"title_en": ""}, "1 to 200 characters"),
        ({"title_zh": "名" * 201}, "1 to 200 characters"),
    ],
)
def test_no_schema_is_made_that_nobody_could_read(changes: dict[str, Any], reason: str) -> None:
    """What a file may not hold, code cannot make either."""
    with pytest.raises(SchemaError, match=reason):
        replace(schema, **changes)


def test_a_large_file_is_refused_before_it_is_read() -> None:
    """256 KiB are the most."""
    with pytest.raises(CrossproofError, match="more than"):
        Schema.from_author(b" " * (256 * 1024 + 1))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"unit": "MW"}, "only integer and decimal have a unit"),
        ({"scale": 1}, "scale"),
        ({"least": 1, "greatest": 2}, "no min and max"),
        ({"members": ("a",)}, "only enum"),
        ({"type": AttributeType.ENUM}, "1 to 256"),
        ({"type": AttributeType.INTEGER}, "needs min and max"),
    ],
)
def test_an_attribute_holds_only_what_its_type_has(changes: dict[str, Any], reason: str) -> None:
    """Also when it is built in Python."""
    base: dict[str, Any] = {
        "name": "x",
        "label_en": "x",
        "label_zh": "x",
        "type": AttributeType.NAME,
        "attribute_class": AttributeClass.ASSET,
        "optional": False,
    }
    assert Attribute(**base).name == "x"
    with pytest.raises(SchemaError, match=reason):
        Attribute(**{**base, **changes})
    with pytest.raises(SchemaError, match="no order"):
        _ = Attribute(**base).bounds


@pytest.mark.parametrize("unit", ["", "MW", "CNY", "元/kWh", "tCO2e", "m³", "°C", "¥", "μg"])
def test_units_of_the_field_are_accepted(unit: str) -> None:
    """Latin, Chinese, Greek, degrees and currencies."""
    assert unit == check_unit(unit, "x")


@pytest.mark.parametrize(
    "unit", ["%", "k%", "5x", "a b", "a.b", "a*b", "a\n", "-x", "a" * 33, "\u0387"]
)
def test_units_that_a_fact_could_not_hold_are_refused(unit: str) -> None:
    """What would read as a number, a sign of the language or two words."""
    with pytest.raises(SchemaError, match="unit"):
        check_unit(unit, "x")


def test_days_count_from_1970() -> None:
    """Before and after; one spelling."""
    days = {"1970-01-01": 0, "1969-12-31": -1, "2000-02-29": 11016, "0001-01-01": -719162}
    for text, number in days.items():
        assert (number, text) == (parse_day(text, "x"), format_day(number))
    for text in (
        "1970-1-1",
        "19700101",
        "1970-W01-4",
        "1900-02-29",
        "0000-01-01",
        "１970-01-01",
        "",
    ):
        with pytest.raises(SchemaError):
            parse_day(text, "x")
