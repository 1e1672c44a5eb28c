"""A small schema of power plants, its mapping, and rows made up for it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from proofs.schema import Schema

COLUMNS = ("id", "name", "fuel", "capacity_mw", "commissioned", "owner", "remarks")

MAPPING = """\
asset = "cn-plant-{id}"
as_of = "2018-06-01"
valid_until = "2038-06-01T00:00:00Z"

[attributes]
plant_id = "id"
plant_name = "name"
fuel = "fuel"
capacity = "capacity_mw"
commissioned = "commissioned"
owner = "owner"
"""


def _attribute(name: str, kind: str, klass: str, optional: bool, **more: object) -> object:
    label = {"en": name.replace("_", " "), "zh": "属性"}
    common = {"name": name, "label": label, "type": kind, "class": klass}
    return {**common, "optional": optional, "values": 1, **more}


AUTHORED = json.dumps(
    {
        "name": "tiny-plant",
        "title": {"en": "Plant", "zh": "电厂"},
        "normaliser": "v1",
        "time_zone": "Asia/Shanghai",
        "attributes": [
            _attribute("plant_id", "identifier", "public", False),
            _attribute("plant_name", "name", "asset", False),
            _attribute("fuel", "enum", "asset", False, members=["Coal", "Hydro", "Solar"]),
            _attribute(
                "capacity", "decimal", "asset", False, scale=2, unit="MW", min="0.01", max="99999"
            ),
            _attribute("commissioned", "integer", "asset", True, unit="", min="1900", max="2100"),
            _attribute("owner", "name", "personal", True),
        ],
    }
).encode()
"""The schema as a person writes it."""

SCHEMA_BYTES = Schema.from_author(AUTHORED)
SCHEMA = Schema.parse(SCHEMA_BYTES)


def plant(
    number: int,
    *,
    id: str | None = None,  # noqa: A002 - the column's name
    fuel: str = "Hydro",
    capacity: str = "100",
    commissioned: str = "2010",
    owner: str = "Ertan Hydropower",
) -> tuple[str, ...]:
    """The cells of one plant."""
    return (
        str(number) if id is None else id,
        f"Plant {number}",
        fuel,
        capacity,
        commissioned,
        owner,
        "made up",
    )


def csv_bytes(rows: Iterable[Iterable[str]], *, columns: Iterable[str] = COLUMNS) -> bytes:
    """A CSV file of these rows under their header."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue().encode()
