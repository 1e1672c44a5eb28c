"""Attribute values: what a person or a table writes, as one exact value and one scalar.

A value is a scaled integer (integer, decimal), days since 1970-01-01 (date) or a normalised text
(enum, identifier, name). It refuses, naming the attribute: other types, numbers that are not exact
at the scale or past the schema's bounds, texts over 1,000 characters, with control or format
characters or outside the enum, and attributes that are missing or that the schema does not have.
Messages never repeat the value of a personal attribute.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias, cast

from proofs import group
from proofs.errors import CrossproofError, SchemaError
from proofs.exact import format_decimal, read_decimal, read_decimal_object
from proofs.group import Scalar
from proofs.normaliser import TextKind
from proofs.schema import (
    MAX_TEXT,
    ORDERED,
    Attribute,
    AttributeClass,
    AttributeType,
    Schema,
    format_day,
    parse_day,
)
from proofs.text import normalise, text_scalar

Value: TypeAlias = int | str
RawValue: TypeAlias = "str | int | Decimal"

_SHOWN_PROBLEMS = 20
_QUOTED = ORDERED | {AttributeType.ENUM}  # the types whose refusals quote what was written


def read_value(attribute: Attribute, raw: object) -> Value:
    """The one value of a raw text, integer or Decimal; SchemaError naming the attribute."""
    try:
        return _read(attribute, raw)
    except CrossproofError as error:
        if attribute.attribute_class is AttributeClass.PERSONAL and attribute.type in _QUOTED:
            # The reason quotes the value, and messages end in logs and reports.
            raise SchemaError(
                f"{attribute.name}: not a valid {attribute.type} (personal; value not shown)"
            ) from None
        raise SchemaError(f"{attribute.name}: {error}") from None


def _read(attribute: Attribute, raw: object) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        raise SchemaError(f"must be a text or a number, is {_type_name(raw)}")
    if not attribute.is_ordered:
        if not isinstance(raw, str):
            raise SchemaError(f"{attribute.type} must be written as a text")
        return normal_text(attribute, raw)
    if attribute.type is AttributeType.DATE:
        if not isinstance(raw, str):
            raise SchemaError("a date must be written as a text such as 2024-01-31")
        return check_bounds(attribute, parse_day(raw, "date"))
    if isinstance(raw, str):
        value = read_decimal(raw, attribute.scale)
    elif isinstance(raw, Decimal):
        value = read_decimal_object(raw, attribute.scale)
    else:
        # Bounded before scaling and printing: a huge int prints in quadratic time.
        if raw.bit_length() > 64:
            raise SchemaError("an integer of more than 64 bits")
        value = raw * 10**attribute.scale
    return check_bounds(attribute, value)


def normal_text(attribute: Attribute, raw: str) -> str:
    """The normalised text of an enum, identifier or name, at most 1,000 characters."""
    text = normalise(cast(TextKind, str(attribute.type)), raw)
    if len(text) > MAX_TEXT:
        raise SchemaError(f"a text of {len(text)} characters; at most {MAX_TEXT} are allowed")
    if attribute.type is AttributeType.ENUM and text not in attribute.members:
        raise SchemaError(
            f"{text[:64]!r} is not one of its members{suggest(text, attribute.members)}"
        )
    return text


def check_bounds(attribute: Attribute, value: int) -> int:
    """The same value, if the schema's min and max allow it; SchemaError otherwise."""
    least, greatest = attribute.bounds
    if value < least:
        raise SchemaError(
            f"{format_value(attribute, value)} is below the least, {format_value(attribute, least)}"
        )
    if value > greatest:
        raise SchemaError(
            f"{format_value(attribute, value)} is past the greatest, "
            f"{format_value(attribute, greatest)}"
        )
    return value


def value_scalar(attribute: Attribute, value: Value) -> Scalar:
    """The scalar that is committed to: the integer itself, or the hash of (type, text)."""
    if attribute.is_ordered:
        if not isinstance(value, int):
            raise SchemaError(f"{attribute.name}: the value of type {attribute.type} is an integer")
        try:
            return group.signed_scalar(check_bounds(attribute, value))
        except SchemaError as error:
            raise SchemaError(f"{attribute.name}: {error}") from None
    if not isinstance(value, str):
        raise SchemaError(f"{attribute.name}: the value of type {attribute.type} is a text")
    return text_scalar(cast(TextKind, str(attribute.type)), value)


def format_value(attribute: Attribute, value: Value) -> str:
    """The value as a person reads it, with all places and the unit: `20.000 MW`, `2019-01-01`."""
    if isinstance(value, str):
        return value
    if attribute.type is AttributeType.DATE:
        return format_day(value)
    digits = format_decimal(value, attribute.scale)
    return f"{digits} {attribute.unit}" if attribute.unit else digits


def read_attributes(schema: Schema, mapping: Mapping[str, object]) -> dict[str, Value | None]:
    """Every attribute of the schema in its order, None where an optional one is absent.

    An optional attribute is absent when its key is missing or its value None. Raises SchemaError
    that lists every problem (the first 20), each behind the attribute's name.
    """
    problems: list[str] = []
    names = [attribute.name for attribute in schema.attributes]
    for unknown in [str(key) for key in mapping if key not in names][:_SHOWN_PROBLEMS]:
        problems.append(f"{unknown[:64]!a}: not in schema {schema.name}{suggest(unknown, names)}")
    found: dict[str, Value | None] = {}
    for attribute in schema.attributes:
        raw = mapping.get(attribute.name)
        if raw is None:
            if not attribute.optional:
                problems.append(f"{attribute.name}: missing")
            found[attribute.name] = None
            continue
        try:
            found[attribute.name] = read_value(attribute, raw)
        except SchemaError as error:
            problems.append(str(error))
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        tail = [f"and {more} more"] if more > 0 else []
        raise SchemaError("; ".join(problems[:_SHOWN_PROBLEMS] + tail))
    return found


def suggest(word: str, known: object) -> str:
    """` (did you mean …?)` with the nearest known words, or nothing."""
    words = list(known) if isinstance(known, list | tuple) else []
    near = difflib.get_close_matches(word[:64], words, n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _type_name(raw: object) -> str:
    if isinstance(raw, bool):
        return "true or false"
    names = {float: "a float", list: "a list", dict: "an object", bytes: "bytes"}
    return names.get(type(raw), "something else")
