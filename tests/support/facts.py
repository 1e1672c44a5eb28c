"""A schema with every type and class, and strategies that draw facts and values for it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import strategies as st

from proofs.facts import AtLeast, AtMost, Between, Equal, Fact, InSet, OneOf
from proofs.normaliser import normalise
from proofs.schema import Attribute, AttributeType, Schema
from proofs.values import Value

SCHEMA_FILE = {
    "name": "pv-plant",
    "title": {"en": "Photovoltaic plant", "zh": "光伏电站"},
    "attributes": [
        {
            "name": "capacity",
            "label": {"en": "Capacity", "zh": "装机容量"},
            "type": "decimal",
            "scale": 3,
            "unit": "MW",
            "class": "asset",
            "min": "0",
            "max": "100000",
        },
        {
            "name": "annual_yield",
            "label": {"en": "Annual yield", "zh": "年收益率"},
            "type": "decimal",
            "scale": 4,
            "class": "asset",
            "min": "-1",
            "max": "1",
        },
        {
            "name": "price",
            "label": {"en": "Price", "zh": "电价"},
            "type": "decimal",
            "scale": 18,
            "unit": "元/kWh",
            "class": "public",
        },
        {"name": "turbines", "label": "Turbines", "type": "integer", "class": "public"},
        {
            "name": "commissioned",
            "label": {"en": "Commissioned", "zh": "投产日期"},
            "type": "date",
            "class": "asset",
            "min": "1980-01-01",
            "max": "2099-12-31",
            "optional": True,
        },
        {
            "name": "province",
            "label": {"en": "Province", "zh": "省份"},
            "type": "enum",
            "class": "asset",
            "members": ["广东", "江苏", "Anhui", "Inner Mongolia", "in", "20"],
        },
        {"name": "code", "label": "Code", "type": "identifier", "class": "public"},
        {
            "name": "owner",
            "label": {"en": "Owner", "zh": "业主"},
            "type": "name",
            "class": "personal",
            "optional": True,
        },
        {
            "name": "age",
            "label": "Age",
            "type": "integer",
            "class": "personal",
            "max": 150,
            "min": 0,
        },
    ],
}

SCHEMA = Schema.from_author(json.dumps(SCHEMA_FILE).encode())
schema = Schema.parse(SCHEMA)


_AWKWARD = ["in", "not", "20", "8.00%", "a..b", '"', "\\", 'a"b', "张 三", "@x", "{a, b}", "-", "٣"]


@dataclass(frozen=True, slots=True)
class Members:
    """A named set in memory."""

    type_tag: bytes
    members: frozenset[Value]


def _normal(attribute: Attribute, text: str) -> str | None:
    try:
        return normalise(attribute.type.value, text)  # type: ignore[arg-type]
    except Exception:  # only texts that have a normal form are drawn
        return None


def values(attribute: Attribute) -> st.SearchStrategy[Value]:
    """Values that the attribute admits; bounds and awkward texts come up often."""
    if attribute.is_ordered:
        lo, hi = attribute.bounds
        near = st.sampled_from(sorted({lo, lo + 1, hi - 1, hi, max(lo, min(hi, 0))}))
        return near | st.integers(lo, hi)
    if attribute.type is AttributeType.ENUM:
        return st.sampled_from(attribute.members)
    awkward = st.sampled_from(_AWKWARD)
    drawn = awkward | st.text(min_size=1, max_size=8) | st.text("abc中文 .,\"'", min_size=1)
    return (
        drawn.map(lambda text: _normal(attribute, text))
        .filter(lambda text: text is not None)
        .map(lambda text: text or "x")
    )


def _order(value: Value) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, value)


@st.composite
def facts(draw: st.DrawFn, attribute: Attribute | None = None) -> Fact:
    """Any fact about the schema (or the attribute) that the language can say, allowed or not."""
    chosen = attribute or draw(st.sampled_from(schema.attributes))
    kinds = ["equal", "one_of", "in_set"]
    kind = draw(st.sampled_from(kinds + ["between", "at_least", "at_most"] * chosen.is_ordered))
    one = values(chosen)
    if kind == "equal":
        return Fact(chosen, Equal(draw(one)))
    if kind == "one_of":
        drawn = draw(st.sets(one, min_size=1, max_size=5))
        return Fact(chosen, OneOf(tuple(sorted(drawn, key=_order))))
    if kind == "in_set":
        name = draw(st.sampled_from(["listed", "ofac-sdn_2"]))
        return Fact(chosen, InSet(name, draw(st.booleans())))
    number = one.filter(lambda value: isinstance(value, int))
    a, b = draw(number), draw(number)
    assert isinstance(a, int)
    assert isinstance(b, int)
    if kind == "between":
        return Fact(chosen, Between(min(a, b), max(a, b)))
    return Fact(chosen, AtLeast(a) if kind == "at_least" else AtMost(a))
