"""What the members of a named set are: texts of one kind, dates, or numbers with scale and unit.

Members are read as the attributes that they are compared with: normalised, or exact at the scale,
refused with their place otherwise. Each has one spelling in a file and one place in the order.

SPEC.md, "Signed sets".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from proofs.errors import CrossproofError, SetError
from proofs.group import Scalar
from proofs.normaliser import TextKind, normalise
from proofs.schema import (
    MAX_TEXT,
    NUMERIC,
    VALUE_BOUND,
    Attribute,
    AttributeClass,
    AttributeType,
    type_tag,
)
from proofs.text import text_scalar
from proofs.values import Value, format_value, read_value, value_scalar


@dataclass(frozen=True, slots=True)
class MemberType:
    """What the members are: a type, with scale and unit for numbers. Equal types, equal `tag`."""

    type: AttributeType
    scale: int = 0
    unit: str = ""

    @classmethod
    def of(cls, attribute: Attribute) -> MemberType:
        """The type whose sets this attribute can be compared with."""
        return cls(attribute.type, attribute.scale, attribute.unit)

    @property
    def tag(self) -> bytes:
        """As `Attribute.type_tag`."""
        return type_tag(self.type, scale=self.scale, unit=self.unit)

    @property
    def _as_attribute(self) -> Attribute | None:
        """An attribute that takes every value of an ordered type; None for texts."""
        if self.type is AttributeType.DATE:
            bounds = (-719162, 2932896)  # 0001-01-01 and 9999-12-31
        elif self.type in NUMERIC:
            bounds = (-VALUE_BOUND, VALUE_BOUND)
        else:
            return None
        return Attribute(
            name="member",
            label_en="member",
            label_zh="成员",
            type=self.type,
            attribute_class=AttributeClass.PUBLIC,
            optional=False,
            unit=self.unit,
            scale=self.scale,
            least=bounds[0],
            greatest=bounds[1],
        )

    def read(self, raw: Iterable[str]) -> list[Value]:
        """Each text as a value: normalised, or exact at the scale. SetError names the place."""
        return list(self.read_each(raw))

    def read_each(self, raw: Iterable[str]) -> Iterator[Value]:
        """As `read`, one by one."""
        attribute = self._as_attribute
        for number, text in enumerate(raw, 1):
            try:
                if attribute is not None:
                    value = read_value(attribute, text)
                elif len(text) > MAX_TEXT:
                    raise SetError(f"longer than {MAX_TEXT} characters")
                else:
                    value = normalise(cast(TextKind, str(self.type)), text)
            except CrossproofError as error:
                raise SetError(f"member {number}: {error}") from None
            yield value

    def scalars(self, values: Sequence[Value]) -> list[Scalar]:
        """What commitments to these values carry."""
        attribute = self._as_attribute
        if attribute is not None:
            return [value_scalar(attribute, value) for value in values]
        kind = cast(TextKind, str(self.type))
        return [text_scalar(kind, cast(str, value)) for value in values]

    def write(self, value: Value) -> str:
        """The one line of a value in a file: no unit, all places."""
        attribute = self._as_attribute
        if attribute is None or self.type is AttributeType.DATE:
            return format_value(attribute, value) if attribute else cast(str, value)
        return format_value(attribute, value).removesuffix(f" {self.unit}")


def merge(values: Iterable[Value]) -> tuple[list[Value], int]:
    """Distinct values in their order, and how many duplicates were merged."""
    given = list(values)
    distinct = sorted(set(given), key=place)
    return distinct, len(given) - len(distinct)


def describe(member_type: MemberType) -> str:
    """`decimal(2) CNY`, `date`, …"""
    scale = f"({member_type.scale})" if member_type.type is AttributeType.DECIMAL else ""
    unit = f" {member_type.unit}" if member_type.unit else ""
    return f"{member_type.type}{scale}{unit}"


def place(value: Value) -> tuple[int, str]:
    """Texts by code point, numbers and dates by size."""
    return (value, "") if isinstance(value, int) else (0, value)
