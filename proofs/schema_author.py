"""Schemas as a person writes them: ordinary JSON, turned into the one canonical form.

What may be left out gets the widest meaning (no min: -2^62 at the attribute's scale; no `optional`:
not optional); min and max are written as values (`"0.00"`), not scaled; members come in any order.
It refuses JSON floats (their digits are not what was written), unknown fields, and everything
that `proofs.schema` refuses.
"""

from __future__ import annotations

from proofs import canonical
from proofs.canonical import Fields, Json
from proofs.errors import CrossproofError, SchemaError
from proofs.exact import read_decimal
from proofs.normaliser import NORMALISER_VERSION, normalise
from proofs.schema import (
    FORMAT,
    MAX_ATTRIBUTES,
    MAX_MEMBERS,
    MAX_SCALE,
    MAX_SCHEMA,
    MAX_TEXT,
    NUMERIC,
    VALUE_BOUND,
    Attribute,
    AttributeClass,
    AttributeType,
    Schema,
    parse_day,
)

_MAX_NUMBER_TEXT = 64


def schema_from_author(text: bytes) -> Schema:
    """The schema of a JSON file; SchemaError or EncodingError saying which part is wrong."""
    fields = Fields(canonical.parse_loose(text, limit=MAX_SCHEMA, where="schema"), "schema")
    for name, expected in (("format", FORMAT), ("normaliser", NORMALISER_VERSION)):
        if fields.has(name):
            fields.literal(name, expected)
    name = fields.text("name", 64)
    title_en, title_zh = _both_languages(fields, "title")
    time_zone = fields.text("time_zone", 32) if fields.has("time_zone") else "Asia/Shanghai"
    attributes = tuple(
        _attribute(item) for item in fields.objects("attributes", MAX_ATTRIBUTES, least=1)
    )
    fields.end()
    schema = Schema(name, title_en, title_zh, time_zone, attributes)
    # The canonical bytes are what everyone else reads: make sure that they do.
    return Schema.parse(schema.encode())


def _attribute(fields: Fields) -> Attribute:
    name = fields.text("name", 64)
    label_en, label_zh = _both_languages(fields, "label")
    kind = AttributeType(fields.choice("type", [str(item) for item in AttributeType]))
    attribute_class = AttributeClass(fields.choice("class", [str(item) for item in AttributeClass]))
    optional = fields.boolean("optional") if fields.has("optional") else False
    if fields.has("values"):
        fields.integer("values", 1, 1)
    unit, scale = "", 0
    if kind in NUMERIC and fields.has("unit"):
        unit = fields.text("unit", 32, least=0)
    if kind is AttributeType.DECIMAL:
        scale = fields.integer("scale", 0, MAX_SCALE)
    least: int | None = None
    greatest: int | None = None
    if kind in NUMERIC:
        least = _number(fields, "min", scale, -VALUE_BOUND)
        greatest = _number(fields, "max", scale, VALUE_BOUND)
    elif kind is AttributeType.DATE:
        if fields.has("precision"):
            fields.literal("precision", "day")
        least, greatest = _day(fields, "min", "0001-01-01"), _day(fields, "max", "9999-12-31")
    members: tuple[str, ...] = ()
    if kind is AttributeType.ENUM:
        members = _members(fields)
    fields.end()
    return Attribute(
        name=name,
        label_en=label_en,
        label_zh=label_zh,
        type=kind,
        attribute_class=attribute_class,
        optional=optional,
        unit=unit,
        scale=scale,
        least=least,
        greatest=greatest,
        members=members,
    )


def _both_languages(fields: Fields, name: str) -> tuple[str, str]:
    """`{"en": …, "zh": …}`, or one text that serves for both."""
    value = fields.raw(name)
    if isinstance(value, str):
        return value, value
    both = Fields(value, f"{fields.where}.{name}")
    found = both.text("en", 200), both.text("zh", 200)
    both.end()
    return found


def _number(fields: Fields, name: str, scale: int, default: int) -> int:
    if not fields.has(name):
        return default
    value: Json = fields.raw(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise SchemaError(f"{fields.where}.{name}: must be a number, written as a text")
    try:
        return read_decimal(str(value)[: _MAX_NUMBER_TEXT + 1], scale)
    except SchemaError as error:
        raise SchemaError(f"{fields.where}.{name}: {error}") from None


def _day(fields: Fields, name: str, default: str) -> int:
    text = fields.text(name, 10) if fields.has(name) else default
    return parse_day(text, f"{fields.where}.{name}")


def _members(fields: Fields) -> tuple[str, ...]:
    found: list[str] = []
    for text in fields.texts("members", MAX_MEMBERS, MAX_TEXT, least=1):
        try:
            member = normalise("enum", text)
        except CrossproofError as error:
            raise SchemaError(f"{fields.where}.members: {text[:64]!a}: {error}") from None
        if member in found:
            raise SchemaError(f"{fields.where}.members: {member[:64]!r} occurs twice")
        found.append(member)
    return tuple(sorted(found))
