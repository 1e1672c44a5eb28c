"""How the columns of a table become documents: a small TOML file, or the columns' own names.

    asset = "cn-plant-{id}"                 # a text with cells in it: {column}
    as_of = "2018-06-01"                    # a day, or { from = "…", to = "…" }
    valid_until = "{expiry}T00:00:00Z"      # an instant in UTC
    [attributes]
    capacity = "capacity_mw"                # attribute = "column"

Without a file the columns `asset`, `as_of`, `valid_until` and those of the attributes' own names
are taken, and any other column is refused: a misspelled one would be attested as absent. With a
file, columns that it does not name are left out. An unknown key, a column that the table lacks
and an attribute that the schema lacks are refused, as is a required attribute without a column.

An empty cell is an absent value: for an optional attribute that is attested as such, for a
required one the row is refused. Cells are read exactly as they stand, spaces included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from proofs import canonical
from proofs.attestation import AsOf
from proofs.errors import CrossproofError, SchemaError
from proofs.ids import check_asset
from proofs.schema import Schema, format_day, parse_day
from proofs.values import Value, read_attributes, suggest
from vault.errors import InvalidInputError
from vault.toml_table import Table, read_toml

_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_OWN_COLUMNS: Final = ("asset", "as_of", "valid_until")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with `{column}` in it. `parts` alternates between fixed texts and column names."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, *, where: str) -> Template:
        """Split a text at its columns; InvalidInputError for a brace that stands alone."""
        parts = tuple(_FIELD.split(text))
        if any("{" in part or "}" in part for part in parts[::2]):
            raise InvalidInputError(f"{where}: a brace stands alone; a column is {{name}}")
        return cls(parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose cells it takes."""
        return self.parts[1::2]

    def render(self, row: Mapping[str, str], *, where: str) -> str:
        """The text for one row; SchemaError naming a column whose cell is empty."""
        texts = list(self.parts)
        for place in range(1, len(texts), 2):
            cell = row[texts[place]]
            if not cell:
                raise SchemaError(f"{where}: the column {texts[place]} is empty")
            texts[place] = cell
        return "".join(texts)


@dataclass(frozen=True, slots=True)
class RowDocument:
    """What one row says, checked against the schema: everything that a document needs.

    `texts` are the cells as they were written, `values` what they are, None where absent.
    """

    asset: str
    as_of: AsOf
    valid_until: datetime
    texts: Mapping[str, str] = field(repr=False)
    values: Mapping[str, Value | None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A mapping bound to one schema and one table: nothing in it is unknown to either."""

    schema: Schema
    columns: tuple[str, ...]
    asset: Template
    as_of: tuple[Template, Template]
    valid_until: Template
    attributes: Mapping[str, str]

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """Columns of the table that go into no document."""
        used = {*self.attributes.values(), *self.asset.columns, *self.valid_until.columns}
        for template in self.as_of:
            used.update(template.columns)
        return tuple(name for name in self.columns if name not in used)

    @property
    def absent_attributes(self) -> tuple[str, ...]:
        """Optional attributes that no column fills."""
        return tuple(a.name for a in self.schema.attributes if a.name not in self.attributes)

    def document(self, cells: Sequence[str], *, now: datetime) -> RowDocument:
        """Read one row. Raises SchemaError that lists all of its problems."""
        row = dict(zip(self.columns, cells, strict=True))
        problems: list[str] = []
        asset, as_of, valid_until = "", None, None
        try:
            asset = check_asset(self.asset.render(row, where="asset"), where="asset")
        except CrossproofError as error:
            problems.append(str(error))
        try:
            as_of = self._as_of(row)
        except CrossproofError as error:
            problems.append(str(error))
        try:
            text = self.valid_until.render(row, where="valid_until")
            valid_until = canonical.parse_instant(text, "valid_until")
            if valid_until <= now:
                raise SchemaError(f"valid_until: {text} has passed already")
        except CrossproofError as error:
            problems.append(str(error))
        texts = {name: row[column] for name, column in self.attributes.items() if row[column]}
        values: dict[str, Value | None] = {}
        try:
            values = read_attributes(self.schema, texts)
            if not texts:
                raise SchemaError("every cell is empty: there is nothing to attest")
        except CrossproofError as error:
            problems.append(str(error))
        if problems or as_of is None or valid_until is None:
            raise SchemaError("; ".join(problems))
        return RowDocument(asset, as_of, valid_until, texts, values)

    def _as_of(self, row: Mapping[str, str]) -> AsOf:
        first, last = (
            _day(template.render(row, where="as_of"), where="as_of") for template in self.as_of
        )
        if first > last:
            raise SchemaError("as_of: ends before it begins")
        return AsOf(first, last)


def read_mapping(
    data: bytes, schema: Schema, columns: Sequence[str], *, where: str
) -> ColumnMapping:
    """Read a mapping file for a schema and a table's columns.

    Raises:
        InvalidInputError: not TOML, or naming the key, column or attribute that is not known.
    """
    raw = read_toml(data, where=where)
    table = Table({name: _as_text(value) for name, value in raw.items()}, where=where)
    asset = table.text("asset")
    as_of = raw.get("as_of")
    if isinstance(as_of, dict):
        table.table("as_of")
        span = Table(
            {name: _as_text(value) for name, value in as_of.items()}, where=f"{where}: as_of"
        )
        days = (span.text("from"), span.text("to"))
        span.end()
    else:
        days = (table.text("as_of"),) * 2
    valid_until = table.text("valid_until")
    attributes = _attributes(raw.get("attributes"), where=where)
    table.table("attributes")
    table.end()
    return _bind(
        schema,
        columns,
        asset=asset,
        as_of=days,
        valid_until=valid_until,
        attributes=attributes,
        where=where,
    )


def own_names(schema: Schema, columns: Sequence[str], *, where: str) -> ColumnMapping:
    """The mapping of a table whose columns are called what they are.

    Raises:
        InvalidInputError: a column is missing, or stands for nothing.
    """
    names = {attribute.name for attribute in schema.attributes}
    clash = sorted(names.intersection(_OWN_COLUMNS))
    if clash:
        raise InvalidInputError(
            f"{where}: schema {schema.name} has an attribute {clash[0]}; give a mapping"
        )
    for name in _OWN_COLUMNS:
        if name not in columns:
            raise InvalidInputError(
                f"{where}: no column {name}; add it, or give a mapping that says what it is"
            )
    for column in columns:
        if column not in names and column not in _OWN_COLUMNS:
            raise InvalidInputError(
                f"{where}: column {column!a} is no attribute of schema {schema.name}"
                f"{suggest(column, sorted(names))}; a mapping can leave it out"
            )
    return _bind(
        schema,
        columns,
        asset="{asset}",
        as_of=("{as_of}", "{as_of}"),
        valid_until="{valid_until}",
        attributes={name: name for name in columns if name in names},
        where=where,
    )


def _bind(
    schema: Schema,
    columns: Sequence[str],
    *,
    asset: str,
    as_of: tuple[str, ...],
    valid_until: str,
    attributes: Mapping[str, str],
    where: str,
) -> ColumnMapping:
    first, last = (Template.parse(text, where=f"{where}: as_of") for text in as_of)
    mapping = ColumnMapping(
        schema=schema,
        columns=tuple(columns),
        asset=Template.parse(asset, where=f"{where}: asset"),
        as_of=(first, last),
        valid_until=Template.parse(valid_until, where=f"{where}: valid_until"),
        attributes=dict(attributes),
    )
    wanted = [
        *(("asset", name) for name in mapping.asset.columns),
        *(("as_of", name) for template in mapping.as_of for name in template.columns),
        *(("valid_until", name) for name in mapping.valid_until.columns),
        *((f"attributes.{name}", column) for name, column in attributes.items()),
    ]
    for key, column in wanted:
        if column not in mapping.columns:
            raise InvalidInputError(
                f"{where}: {key}: the table has no column {column!a}"
                f"{suggest(column, list(columns))}"
            )
    names = [attribute.name for attribute in schema.attributes]
    for name in attributes:
        if name not in names:
            raise InvalidInputError(
                f"{where}: {name!a} is no attribute of schema {schema.name}{suggest(name, names)}"
            )
    for attribute in schema.attributes:
        if not attribute.optional and attribute.name not in attributes:
            raise InvalidInputError(
                f"{where}: {attribute.name} is required by schema {schema.name}, and no column "
                f"gives it"
            )
    _check_constants(mapping, where=where)
    return mapping


def _check_constants(mapping: ColumnMapping, *, where: str) -> None:
    """What no cell changes is wrong for every row, and is said once."""
    try:
        for template in mapping.as_of:
            if not template.columns:
                _day(template.render({}, where="as_of"), where="as_of")
        if not mapping.valid_until.columns:
            canonical.parse_instant(mapping.valid_until.render({}, where=""), "valid_until")
    except CrossproofError as error:
        raise InvalidInputError(f"{where}: {error}") from None


def _attributes(raw: object, *, where: str) -> dict[str, str]:
    if not isinstance(raw, dict) or not raw:
        raise InvalidInputError(f'{where}: a table [attributes] with lines attribute = "column"')
    for name, column in raw.items():
        if not isinstance(column, str):
            raise InvalidInputError(f"{where}: attributes.{name[:64]!a}: must name a column")
    return dict(raw)


def _as_text(value: Any) -> Any:
    """TOML has days and instants of its own; both become the texts that they stand for."""
    if isinstance(value, datetime):
        try:
            if value.tzinfo is not None and not value.microsecond:
                return canonical.format_instant(value.astimezone(UTC))
        except OverflowError:
            pass  # an hour before the first year is no instant
        return value
    return value.isoformat() if isinstance(value, date) else value


def _day(text: str, *, where: str) -> date:
    return date.fromisoformat(format_day(parse_day(text, where)))
