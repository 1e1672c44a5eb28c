"""Schemas: what the attributes of a kind of document are called, of what type, class and bounds.

A schema holds no values and is known everywhere by the SHA-256 of its canonical bytes, so two
schemas that differ in a unit or a bound are two schemas. It refuses unknown fields, names that the
fact language reserves, empty or reversed bounds, bounds past +-2^62 (sums of values must stay far
below the group order), members that are not sorted, distinct and normalised, and any text that
could move the cursor of the person who reads it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from proofs import canonical
from proofs.canonical import Fields, Json
from proofs.errors import CrossproofError, EncodingError, SchemaError
from proofs.labels import frame
from proofs.normaliser import NORMALISER_VERSION, normalise, safe_for_display

FORMAT = "crossvault/schema/v1"
MAX_SCHEMA = 256 * 1024
MAX_ATTRIBUTES = 64
MAX_MEMBERS = 256
MAX_SCALE = 18
MAX_TEXT = 1000
MAX_LABEL = 200
VALUE_BOUND = 2**62
"""The greatest size of a scaled value: linear combinations must not wrap around the group order."""

TIME_ZONES = ("Asia/Shanghai", "Asia/Hong_Kong", "UTC")

# Words that the fact language keeps for itself; an attribute called `in` could not be asked about.
RESERVED = frozenset({"in", "not", "and", "or", "sum", "abs", "min", "max", "count"})

_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_SCHEMA_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
# A unit is one bare word of the fact language that no number can run into. Only characters with
# one spelling (Ohm and Kelvin signs have two). No '%': 8.00% is the number 0.0800, and a unit of
# that name would make it a hundred times as much.
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff"
_UNIT_LETTERS = f"A-Za-zΑ-ΡΣ-Ωα-ω{_IDEOGRAPHS}°µ$€£¥"
_UNIT = re.compile(f"[{_UNIT_LETTERS}][{_UNIT_LETTERS}0-9²³·/_-]{{0,31}}")


class AttributeType(StrEnum):
    """How a value is written, normalised and turned into a scalar."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    ENUM = "enum"
    IDENTIFIER = "identifier"
    NAME = "name"


class AttributeClass(StrEnum):
    """What may be asked: public is shown, asset is proven about, personal never leaves."""

    PUBLIC = "public"
    ASSET = "asset"
    PERSONAL = "personal"


NUMERIC = frozenset({AttributeType.INTEGER, AttributeType.DECIMAL})
ORDERED = NUMERIC | {AttributeType.DATE}
"""The types whose scalar is the value itself; the scalar of the others is a hash of the text."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `least` and `greatest` are scaled integers, or days since 1970-01-01."""

    name: str
    label_en: str
    label_zh: str
    type: AttributeType
    attribute_class: AttributeClass
    optional: bool
    unit: str = ""
    scale: int = 0
    least: int | None = None
    greatest: int | None = None
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"attribute {self.name[:64]!a}"
        if _ATTRIBUTE_NAME.fullmatch(self.name) is None:
            raise SchemaError(f"{where}: a name is 1 to 64 of a-z, 0-9 and _, first a letter")
        if self.name in RESERVED:
            raise SchemaError(f"{where}: the fact language keeps this word for itself")
        for label in (self.label_en, self.label_zh):
            check_label(label, where)
        if self.is_numeric:
            check_unit(self.unit, where)
        elif self.unit:
            raise SchemaError(f"{where}: only integer and decimal have a unit")
        if not 0 <= self.scale <= (MAX_SCALE if self.type is AttributeType.DECIMAL else 0):
            raise SchemaError(f"{where}: a decimal has a scale of 0 to {MAX_SCALE}, others none")
        self._check_bounds(where)
        self._check_members(where)

    def _check_bounds(self, where: str) -> None:
        if not self.is_ordered:
            if self.least is not None or self.greatest is not None:
                raise SchemaError(f"{where}: {self.type} has no min and max")
            return
        if self.least is None or self.greatest is None:
            raise SchemaError(f"{where}: {self.type} needs min and max")
        if self.least > self.greatest:
            raise SchemaError(f"{where}: min is greater than max")
        if not -VALUE_BOUND <= self.least <= self.greatest <= VALUE_BOUND:
            raise SchemaError(f"{where}: min and max must lie within +-2^62 at scale {self.scale}")

    def _check_members(self, where: str) -> None:
        if self.type is not AttributeType.ENUM:
            if self.members:
                raise SchemaError(f"{where}: only enum has members")
            return
        if not 1 <= len(self.members) <= MAX_MEMBERS:
            raise SchemaError(f"{where}: an enum has 1 to {MAX_MEMBERS} members")
        for member in self.members:
            if len(member) > MAX_TEXT or _normalise_member(member, where) != member:
                raise SchemaError(f"{where}: member {member[:64]!r} is not in normalised form")
        if list(self.members) != sorted(set(self.members)):
            raise SchemaError(f"{where}: members must be sorted and distinct")

    @property
    def is_numeric(self) -> bool:
        """Whether values are scaled integers with a unit."""
        return self.type in NUMERIC

    @property
    def is_ordered(self) -> bool:
        """Whether ranges make sense: numbers and dates."""
        return self.type in ORDERED

    @property
    def bounds(self) -> tuple[int, int]:
        """Least and greatest value of an ordered attribute; SchemaError for a hashed one."""
        if self.least is None or self.greatest is None:
            raise SchemaError(f"attribute {self.name!r}: {self.type} has no order")
        return self.least, self.greatest

    @property
    def type_tag(self) -> bytes:
        """What a set's elements must be, exactly, to be comparable with this attribute.

        Framed type, scale and unit for numbers, the type alone for others. A set of other type,
        scale or unit shares no scalar with the attribute, and `not in` would be true of anything.
        """
        return type_tag(self.type, scale=self.scale, unit=self.unit)

    def to_json(self) -> dict[str, Json]:
        """The object in a schema's canonical bytes."""
        found: dict[str, Json] = {
            "name": self.name,
            "label": {"en": self.label_en, "zh": self.label_zh},
            "type": str(self.type),
            "class": str(self.attribute_class),
            "optional": self.optional,
            "values": 1,
        }
        if self.is_numeric:
            found["unit"] = self.unit
        if self.type is AttributeType.DECIMAL:
            found["scale"] = self.scale
        if self.is_ordered:
            write = format_day if self.type is AttributeType.DATE else str
            found["min"], found["max"] = (write(bound) for bound in self.bounds)
        if self.type is AttributeType.DATE:
            found["precision"] = "day"
        if self.type is AttributeType.ENUM:
            found["members"] = list(self.members)
        return found

    @classmethod
    def read(cls, fields: Fields) -> Attribute:
        """Read one attribute of a schema's canonical JSON; EncodingError or SchemaError."""
        name = fields.text("name", 64)
        label = fields.object("label")
        label_en, label_zh = label.text("en", MAX_LABEL), label.text("zh", MAX_LABEL)
        label.end()
        kind = AttributeType(fields.choice("type", [str(item) for item in AttributeType]))
        attribute_class = AttributeClass(
            fields.choice("class", [str(item) for item in AttributeClass])
        )
        optional = fields.boolean("optional")
        fields.integer("values", 1, 1)
        unit = fields.text("unit", 32, least=0) if kind in NUMERIC else ""
        scale = fields.integer("scale", 0, MAX_SCALE) if kind is AttributeType.DECIMAL else 0
        least: int | None = None
        greatest: int | None = None
        if kind in NUMERIC:
            least, greatest = _read_integer(fields, "min"), _read_integer(fields, "max")
        elif kind is AttributeType.DATE:
            fields.literal("precision", "day")
            least = parse_day(fields.text("min", 10), f"{fields.where}.min")
            greatest = parse_day(fields.text("max", 10), f"{fields.where}.max")
        members: Sequence[str] = ()
        if kind is AttributeType.ENUM:
            members = fields.texts("members", MAX_MEMBERS, MAX_TEXT, least=1)
        fields.end()
        return cls(
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
            members=tuple(members),
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """An ordered list of 1 to 64 attributes; the order is that of an attestation's commitments."""

    name: str
    title_en: str
    title_zh: str
    time_zone: str
    attributes: tuple[Attribute, ...]
    _encoded: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if _SCHEMA_NAME.fullmatch(self.name) is None:
            raise SchemaError("schema: a name is 1 to 64 of a-z, 0-9, _ and -, first a letter")
        for title in (self.title_en, self.title_zh):
            check_label(title, "schema title")
        if self.time_zone not in TIME_ZONES:
            raise SchemaError(f"schema: the time zone must be one of {', '.join(TIME_ZONES)}")
        if not 1 <= len(self.attributes) <= MAX_ATTRIBUTES:
            raise SchemaError(f"schema: must have 1 to {MAX_ATTRIBUTES} attributes")
        names = [attribute.name for attribute in self.attributes]
        for name in names:
            if names.count(name) > 1:
                raise SchemaError(f"schema: attribute {name!r} occurs twice")
        # Asked for with every document; the fields never change.
        object.__setattr__(self, "_encoded", canonical.dump(self.to_json()))

    @classmethod
    def parse(cls, data: bytes) -> Schema:
        """Read the canonical bytes of a schema; EncodingError or SchemaError."""
        return cls.from_json(canonical.parse(data, limit=MAX_SCHEMA, where="schema"))

    @classmethod
    def from_json(cls, value: Json, where: str = "schema") -> Schema:
        """Read a schema embedded in a canonical document, where it is a plain object."""
        fields = Fields(value, where)
        fields.literal("format", FORMAT)
        name = fields.text("name", 64)
        title = fields.object("title")
        title_en, title_zh = title.text("en", MAX_LABEL), title.text("zh", MAX_LABEL)
        title.end()
        fields.literal("normaliser", NORMALISER_VERSION)
        time_zone = fields.choice("time_zone", TIME_ZONES)
        attributes = tuple(
            Attribute.read(item) for item in fields.objects("attributes", MAX_ATTRIBUTES, least=1)
        )
        fields.end()
        return cls(name, title_en, title_zh, time_zone, attributes)

    def to_json(self) -> dict[str, Json]:
        """The object that stands inside a bundle."""
        return {
            "format": FORMAT,
            "name": self.name,
            "title": {"en": self.title_en, "zh": self.title_zh},
            "normaliser": NORMALISER_VERSION,
            "time_zone": self.time_zone,
            "attributes": [attribute.to_json() for attribute in self.attributes],
        }

    def encode(self) -> bytes:
        """The one spelling of this schema."""
        return self._encoded

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes in hexadecimal: what `sha256sum` prints of the file."""
        return hashlib.sha256(self._encoded).hexdigest()

    def index(self, name: str) -> int:
        """The attribute's place; SchemaError if there is none of this name."""
        for index, attribute in enumerate(self.attributes):
            if attribute.name == name:
                return index
        raise SchemaError(f"schema {self.name!r} has no attribute {name[:64]!a}")

    def attribute(self, name: str) -> Attribute:
        """The attribute of this name; SchemaError if there is none."""
        return self.attributes[self.index(name)]

    @staticmethod
    def from_author(text: bytes) -> bytes:
        """The canonical bytes of a schema that a person wrote; see `proofs.schema_author`."""
        from proofs.schema_author import schema_from_author  # it builds on this module

        return schema_from_author(text).encode()


# --- parts --------------------------------------------------------------------------------------


def type_tag(kind: AttributeType, *, scale: int, unit: str) -> bytes:
    """The tag of a type for set digests: framed name, and scale and unit of numbers."""
    if kind in NUMERIC:
        return frame(kind.encode(), str(scale).encode(), unit.encode())
    return frame(kind.encode())


def check_label(text: str, where: str) -> str:
    """A title or label: 1 to 200 characters that are safe to show to others."""
    if not 1 <= len(text) <= MAX_LABEL:
        raise SchemaError(f"{where}: a label has 1 to {MAX_LABEL} characters")
    try:
        return safe_for_display(text)
    except CrossproofError as error:
        raise SchemaError(f"{where}: label: {error}") from None


def check_unit(unit: str, where: str) -> str:
    """No unit (empty), or one word of 1 to 32 characters such as MW, CNY, tCO2e, m³, 元/kWh."""
    if unit and _UNIT.fullmatch(unit) is None:
        raise SchemaError(
            f"{where}: a unit is one word of up to 32 letters, digits and / - _ · that begins "
            "with a letter, such as MW or 元/kWh; write 8% as the plain number 0.08"
        )
    return unit


def parse_day(text: str, where: str) -> int:
    """Days since 1970-01-01 of `YYYY-MM-DD`; SchemaError for any other spelling."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) is None:
        raise SchemaError(f"{where}: {text[:32]!a} is not a date of the form 2024-01-31")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SchemaError(f"{where}: {text[:32]!a} is no day of the calendar") from None
    return day.toordinal() - _EPOCH


def format_day(days: int) -> str:
    """`YYYY-MM-DD` of days since 1970-01-01."""
    return date.fromordinal(days + _EPOCH).isoformat()


_EPOCH = 719163  # the ordinal of 1970-01-01


def _read_integer(fields: Fields, name: str) -> int:
    text = fields.text(name, 20)
    if _INTEGER.fullmatch(text) is None:
        raise EncodingError(f"{fields.where}.{name}: must be an integer in decimal digits")
    return int(text)


def _normalise_member(member: str, where: str) -> str:
    try:
        return normalise("enum", member)
    except CrossproofError as error:
        raise SchemaError(f"{where}: member {member[:64]!a}: {error}") from None
