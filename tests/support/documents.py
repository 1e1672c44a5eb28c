"""Documents of a small schema with every class and an optional attribute, ready to be sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from proofs.attestation import AsOf
from proofs.schema import Schema
from vault.client.prepare import FileToSeal, PreparedDocument, prepare
from vault.pki import now_utc

_AUTHORED: dict[str, Any] = {
    "name": "plant",
    "title": {"en": "Power plant", "zh": "电站"},
    "attributes": [
        {"name": "code", "type": "identifier", "class": "public"},
        {"name": "started", "type": "date", "class": "public", "min": "1900-01-01"},
        {
            "name": "capacity",
            "type": "decimal",
            "scale": 3,
            "unit": "MW",
            "class": "asset",
            "min": "0",
            "max": "100000",
        },
        {"name": "fuel", "type": "enum", "class": "asset", "members": ["Hydro", "Solar", "Wind"]},
        {"name": "year", "type": "integer", "class": "asset", "optional": True},
        {"name": "owner", "type": "name", "class": "personal", "optional": True},
    ],
}


def plant_schema(name: str = "plant") -> Schema:
    """The schema, optionally under another name."""
    authored = json.loads(json.dumps(_AUTHORED)) | {"name": name}
    for attribute in authored["attributes"]:
        attribute["label"] = {"en": attribute["name"], "zh": attribute["name"]}
        if attribute["type"] == "date":
            attribute["max"] = "2100-01-01"
    return Schema.parse(Schema.from_author(json.dumps(authored).encode()))


PLANT = plant_schema()

VALUES: dict[str, object] = {
    "code": "CN-001",
    "started": "2013-07-01",
    "capacity": "12600.5",
    "fuel": "Hydro",
    "year": 2013,
    "owner": "张三 Owner Canary",
}


def plant(
    asset: str = "cn-plant-1",
    *,
    values: dict[str, object] | None = None,
    files: Sequence[FileToSeal] = (),
    document: str | None = None,
    version: int = 1,
    now: datetime | None = None,
    **changed: object,
) -> PreparedDocument:
    """A prepared document; keyword arguments replace attributes, None leaves one out."""
    attributes = dict(VALUES if values is None else values) | changed
    moment = (now or now_utc()).replace(microsecond=0)
    return prepare(
        PLANT,
        asset=asset,
        as_of=AsOf.day(date(2026, 1, 1)),
        valid_until=moment + timedelta(days=365),
        attributes={name: value for name, value in attributes.items() if value is not None},
        files=files,
        document=document,
        version=version,
    )
