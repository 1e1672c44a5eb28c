"""Mappings bind a table's columns to a schema, and refuse what is unknown to either."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from support.plants import COLUMNS, MAPPING, SCHEMA, plant

from proofs.attestation import AsOf
from proofs.errors import SchemaError
from vault.client.mapping import ColumnMapping, own_names, read_mapping
from vault.errors import InvalidInputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(text: str, columns: tuple[str, ...] = COLUMNS) -> ColumnMapping:
    return read_mapping(text.encode(), SCHEMA, columns, where="m.toml")


def changed(old: str, new: str) -> str:
    assert old in MAPPING
    return MAPPING.replace(old, new)


def test_a_row_becomes_a_document() -> None:
    """Templates take cells, attributes their columns, and numbers are exact at their scale."""
    found = read(MAPPING).document(plant(7, capacity="12.5", owner="Ertan"), now=NOW)
    assert found.asset == "cn-plant-7"
    assert found.as_of == AsOf.day(date(2018, 6, 1))
    assert found.valid_until == datetime(2038, 6, 1, tzinfo=UTC)
    assert found.values == {
        "plant_id": "7",
        "plant_name": "plant 7",
        "fuel": "Hydro",
        "capacity": 1250,
        "commissioned": 2010,
        "owner": "ertan",
    }


def test_an_empty_cell_is_absent_where_that_is_allowed() -> None:
    """An empty optional cell is None; an empty required one refuses the row, by its name."""
    mapping = read(MAPPING)
    found = mapping.document(plant(1, owner="", commissioned=""), now=NOW)
    assert (found.values["owner"], found.values["commissioned"]) == (None, None)
    assert "owner" not in found.texts
    with pytest.raises(SchemaError, match=r"^capacity: missing$"):
        mapping.document(plant(1, capacity=""), now=NOW)


def test_all_problems_of_a_row_are_named() -> None:
    """Whoever mends a table reads everything at once."""
    with pytest.raises(SchemaError) as caught:
        read(MAPPING).document(plant(1, id="", capacity="1.234", fuel="Hydra"), now=NOW)
    text = str(caught.value)
    assert "asset: the column id is empty" in text
    assert "capacity: 1.234 is not exact at scale 2" in text
    assert "fuel: 'Hydra' is not one of its members (did you mean Hydro?)" in text
    assert "plant_id: missing" in text


def test_no_personal_value_in_a_reason() -> None:
    """Reasons end in files and terminals; a personal cell is not repeated in them."""
    with pytest.raises(SchemaError) as caught:
        read(MAPPING).document(plant(1, owner="Zhang\u200bSan"), now=NOW)
    assert "owner" in str(caught.value)
    assert "Zhang" not in str(caught.value)


def test_asset_ids_are_checked() -> None:
    """A cell cannot bring a character into an asset id that none may hold."""
    with pytest.raises(SchemaError, match="asset: an asset id is"):
        read(MAPPING).document(plant(1, id="1 or 2"), now=NOW)


def test_days_and_instants_from_columns() -> None:
    """Dates of a row may come from its cells, as a span too; a row that expired is refused."""
    columns = (*COLUMNS, "year", "end")
    text = changed('as_of = "2018-06-01"', 'as_of = { from = "{year}-01-01", to = "{year}-12-31" }')
    text = text.replace('"2038-06-01T00:00:00Z"', '"{end}T00:00:00Z"')
    mapping = read(text, columns)
    found = mapping.document((*plant(1), "2019", "2031-01-31"), now=NOW)
    assert found.as_of == AsOf(date(2019, 1, 1), date(2019, 12, 31))
    assert found.valid_until == datetime(2031, 1, 31, tzinfo=UTC)
    with pytest.raises(SchemaError, match=r"valid_until: .* has passed already"):
        mapping.document((*plant(1), "2019", "2025-12-31"), now=NOW)
    with pytest.raises(SchemaError, match="as_of: '19-01-01' is not a date"):
        mapping.document((*plant(1), "19", "2031-01-31"), now=NOW)


def test_toml_days_and_instants() -> None:
    """TOML's own days and instants are as good as texts of them."""
    text = changed('"2018-06-01"', "2018-06-01").replace(
        '"2038-06-01T00:00:00Z"', "2038-06-01T08:00:00+08:00"
    )
    found = read(text).document(plant(1), now=NOW)
    assert found.as_of == AsOf.day(date(2018, 6, 1))
    assert found.valid_until == datetime(2038, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("asset =", "assets =", "asset is missing"),
        ("[attributes]", 'basis = "x"\n[attributes]', "unknown setting 'basis'"),
        ("{id}", "{ident}", "asset: the table has no column 'ident'"),
        ("{id}", "{id", "a brace stands alone"),
        ("capacity_mw", "capacity_mv", "no column 'capacity_mv' (did you mean capacity_mw?)"),
        (
            "owner =",
            "ovner =",
            "'ovner' is no attribute of schema tiny-plant (did you mean owner?)",
        ),
        ('fuel = "fuel"', "", "fuel is required by schema tiny-plant, and no column gives it"),
        ('fuel = "fuel"', "fuel = 3", "attributes.'fuel': must name a column"),
        ('"2018-06-01"', '"1st of June"', "as_of: '1st of June' is not a date"),
        ("2038-06-01T00:00:00Z", "2038-06-01", "valid_until: "),
        ('"2038-06-01T00:00:00Z"', "0001-01-01T00:00:00+08:00", "valid_until must be a text"),
        ('"2038-06-01T00:00:00Z"', "2038-06-01T00:00:00", "valid_until must be a text"),
        ('"2018-06-01"', '{ from = "2018-06-01" }', "as_of: to is missing"),
        ('"2018-06-01"', '{ from = "2018-06-01", to = "2018-06-02", x = 1 }', "unknown setting"),
        ('"cn-plant-{id}"', "5", "asset must be a text"),
        ("[attributes]", "[attributes", "not TOML"),
        ("[attributes]", "[attributes" + ".a" * 1_000_000 + "]", "more than 256 points"),
    ],
)
def test_refused_mappings(old: str, new: str, expected: str) -> None:
    """Each refusal names the key, the column or the attribute."""
    with pytest.raises(InvalidInputError) as caught:
        read(changed(old, new))
    assert expected in str(caught.value)
    assert str(caught.value).startswith("m.toml")


def test_what_is_left_out_is_known() -> None:
    """Columns in no document and attributes without a column can be shown before an import."""
    mapping = read(changed('owner = "owner"', ""))
    assert mapping.unused_columns == ("owner", "remarks")
    assert mapping.absent_attributes == ("owner",)


OWN = ("asset", "as_of", "valid_until", "plant_id", "plant_name", "fuel", "capacity")


def test_columns_of_the_own_names() -> None:
    """Without a mapping, columns are what they are called."""
    mapping = own_names(SCHEMA, OWN, where="t.csv")
    cells = ("cn-plant-1", "2018-06-01", "2038-06-01T00:00:00Z", "1", "Ertan", "Hydro", "3300")
    found = mapping.document(cells, now=NOW)
    assert (found.asset, found.values["capacity"]) == ("cn-plant-1", 330_000)
    assert mapping.absent_attributes == ("commissioned", "owner")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (OWN[1:], "no column asset"),
        (
            (*OWN, "ovner"),
            "column 'ovner' is no attribute of schema tiny-plant (did you mean owner",
        ),
        (OWN[:-1], "capacity is required"),
    ],
)
def test_refused_own_names(columns: tuple[str, ...], expected: str) -> None:
    """A misspelled column would be attested as absent, so an unknown one is refused."""
    with pytest.raises(InvalidInputError) as caught:
        own_names(SCHEMA, columns, where="t.csv")
    assert expected in str(caught.value)
