"""Schemas, and the values of their attributes as integers (section "Schemas and values").

A value is an integer for numbers (scaled) and dates (days since 1970), else a normalised text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from independent.second_verifier import encoding
from independent.second_verifier.curve import q
from independent.second_verifier.encoding import Tree, decimal, frame
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.text import in_normal_form, plain, text_scalar

MAX_SCHEMA = 256 * 1024
MAX_LABEL = 200
MAX_TEXT = 1000
LARGEST = 2**62
RESERVED = {"in", "not", "and", "or", "sum", "abs", "min", "max", "count"}
LETTER = "A-Za-z\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9\u3400-\u4dbf\u4e00-\u9fff°µ$€£¥"
UNIT = f"([{LETTER}][{LETTER}0-9²³·/_-]{{0,31}})?"
COMMON = {"name", "label", "type", "class", "optional", "values"}
FURTHER = {
    "integer": {"unit", "min", "max"},
    "decimal": {"unit", "scale", "min", "max"},
    "date": {"precision", "min", "max"},
    "enum": {"members"},
    "identifier": set(),
    "name": set(),
}

Value = int | str


@dataclass(frozen=True)
class Attribute:
    """One attribute; `least` and `most` of numbers and dates, `members` of enums."""

    name: str
    kind: str
    sensitivity: str
    optional: bool
    unit: str = ""
    scale: int = 0
    least: int = 0
    most: int = 0
    members: tuple[str, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether its values are integers."""
        return self.kind in ("integer", "decimal", "date")

    @property
    def numeric(self) -> bool:
        """Whether it has a scale and a unit."""
        return self.kind in ("integer", "decimal")

    @property
    def type_tag(self) -> bytes:
        """What a set must agree with."""
        return type_tag(self.kind, self.scale, self.unit)

    def scalar(self, value: Value) -> int:
        """What a value is committed as."""
        return value_scalar(self.kind, value)


def type_tag(kind: str, scale: int, unit: str) -> bytes:
    """Type, and of numbers scale and unit."""
    if kind in ("integer", "decimal"):
        return frame(kind.encode(), decimal(scale), unit.encode())
    return frame(kind.encode())


def value_scalar(kind: str, value: Value) -> int:
    """The scalar of a value of a type."""
    return text_scalar(value, kind) if isinstance(value, str) else value % q


@dataclass(frozen=True)
class Schema:
    """A schema and its digest."""

    digest: bytes
    attributes: tuple[Attribute, ...]


def read(value: Any) -> Schema:
    """A schema that stands in a document of canonical JSON."""
    tree = encoding.fields(
        value, {"format", "name", "title", "normaliser", "time_zone", "attributes"}
    )
    data = encoding.write(tree)
    well_formed(len(data) <= MAX_SCHEMA, "a schema too large")
    well_formed(tree["format"] == "crossvault/schema/v1", "another format")
    well_formed(tree["normaliser"] == "v1", "another normaliser")
    encoding.text(tree["name"], encoding.NAME)
    encoding.text(tree["time_zone"], "UTC|Asia/Shanghai|Asia/Hong_Kong")
    _both_languages(tree["title"])
    attributes = tuple(_attribute(each) for each in encoding.listed(tree["attributes"], 1, 64))
    names = {each.name for each in attributes}
    well_formed(len(names) == len(attributes), "an attribute twice")
    return Schema(encoding.sha256(data), attributes)


def _both_languages(value: Any) -> None:
    for each in encoding.fields(value, {"en", "zh"}).values():
        plain(encoding.text(each), MAX_LABEL)


def _attribute(value: Any) -> Attribute:
    well_formed(isinstance(value, dict), "not an object")
    kind = encoding.text(value.get("type"), "|".join(FURTHER))
    tree = encoding.fields(value, COMMON | FURTHER[kind])
    name = encoding.text(tree["name"], "[a-z][a-z0-9_]{0,63}")
    well_formed(name not in RESERVED, "a reserved name")
    _both_languages(tree["label"])
    sensitivity = encoding.text(tree["class"], "public|asset|personal")
    well_formed(isinstance(tree["optional"], bool), "not a truth value")
    well_formed(encoding.integer(tree["values"], 1, 1) == 1, "more than one value")
    least, most = _bounds(kind, tree)
    return Attribute(
        name,
        kind,
        sensitivity,
        tree["optional"],
        unit=encoding.text(tree.get("unit", ""), UNIT),
        scale=encoding.integer(tree.get("scale", 0), 0, 18),
        least=least,
        most=most,
        members=_members(tree) if kind == "enum" else (),
    )


def _bounds(kind: str, tree: Tree) -> tuple[int, int]:
    if "min" not in tree:
        return 0, 0
    if kind == "date":
        well_formed(tree["precision"] == "day", "another precision")
        bounds = encoding.day(tree["min"]), encoding.day(tree["max"])
    else:
        spelling = "0|-?[1-9][0-9]{0,18}"
        bounds = (
            int(encoding.text(tree["min"], spelling)),
            int(encoding.text(tree["max"], spelling)),
        )
    well_formed(-LARGEST <= bounds[0] <= bounds[1] <= LARGEST, "bounds past the greatest integer")
    return bounds


def _members(tree: Tree) -> tuple[str, ...]:
    members = [encoding.text(each) for each in encoding.listed(tree["members"], 1, 256)]
    well_formed(sorted(set(members)) == members, "members unsorted, or one twice")
    well_formed(all(len(each) <= MAX_TEXT for each in members), "too long a member")
    return tuple(in_normal_form(each, "enum") for each in members)


# Numbers as they are spelt in canonical texts


NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")


def scaled(spelt: str, scale: int) -> int:
    """The integer that a number without trailing zeros stands for at a scale."""
    well_formed(
        NUMBER.fullmatch(spelt) is not None and len(spelt) <= 60 and spelt != "-0",
        "not a number in its one spelling",
    )
    whole, _, places = spelt.partition(".")
    well_formed(len(places) <= scale, "more places than the scale")
    return int(whole + places.ljust(scale, "0"))
