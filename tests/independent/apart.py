"""The schema, the values and the sets of the documents that only the second implementation made."""

from __future__ import annotations

from independent.issuer import Document, attribute, schema, set_file

POWER = attribute("power", "decimal", unit="MW", scale=3, min="-5000", max="100000000")
DEBT = attribute("debt", "decimal", unit="CNY", scale=2, min="0", max="100000000000")
PLANT = schema(
    POWER,
    attribute("small", "decimal", unit="kW", scale=1, min="0", max="1000000"),
    attribute("yield", "decimal", unit="", scale=4, min="-10000", max="100000"),
    attribute("n", "integer", unit="", min="-100", max="1000"),
    DEBT,
    attribute("worth", "decimal", unit="万元", scale=4, min="0", max="1000000000"),
    attribute("loan", "decimal", unit="HKD", scale=2, min="0", max="100000000000"),
    attribute("usd", "decimal", unit="USD", scale=2, min="0", max="100000000000"),
    attribute("pub", "integer", "public", unit="pc", min="0", max="10"),
    attribute("day", "date", precision="day", min="1980-01-01", max="2100-01-01"),
    attribute("prov", "enum", "public", members=["Anhui", "Jiangsu", "a b", "x,y"]),
    attribute("kind", "enum", members=["A", "B", "C"]),
    attribute("fuel", "identifier"),
    attribute("title", "name", "public"),
    attribute("owner", "name", "personal", optional=True),
    attribute("age", "integer", "personal", unit="", min="0", max="150"),
    attribute("huge", "integer", unit="", min=str(-(2**62)), max=str(2**62)),
    attribute("at", "integer", unit="at", min="0", max="100"),
    attribute("big", "decimal", unit="GW", scale=0, min="0", max="9"),
)
NAMES = [each["name"] for each in PLANT["attributes"]]
LOAN = schema(POWER, {**DEBT, "optional": True})

VALUES = (
    30_500, 300, 900, 2, 450, 3, 500, 70_000_000, 3, 20_000, "a b", "A", "GAS", "abc def",
    "person 5", 40, -(2**62), 6, 1,
)  # fmt: skip
PLANTS = (Document("doc", "cn-1", PLANT),)
PLANTS_WITH_VALUES = (Document("doc", "cn-1", PLANT, VALUES),)
SEVERAL = (Document("a", "cn-1", PLANT), Document("b-2", "cn-2", LOAN), Document("c", "cn-3", LOAN))
SEVERAL_WITH_VALUES = (
    Document("a", "cn-1", PLANT, VALUES),
    Document("b-2", "cn-2", LOAN, (20_000, 300)),
    Document("c", "cn-3", LOAN, (10_000, None)),
)

FILES = {
    "fuels": set_file("fuels", "identifier", ["SOLAR", "WIND", "GAS"]),
    "names": set_file("names", "name", [f"person {i}" for i in range(70)]),
    "few": set_file("few", "name", ["a", "b"]),
    "nums": set_file("nums", "integer", [1, 2, 3, 5000, 7]),
    "kinds": set_file("kinds", "enum", ["A", "B", "Z"]),
    "days": set_file("days", "date", [20_000, 20_001]),
    "pows": set_file("pows", "decimal", [20_000, 30_000, 40_500], scale=3, unit="MW"),
    "powkw": set_file("powkw", "decimal", [200], scale=1, unit="kW"),
    "pubs": set_file("pubs", "integer", [1, 2, 3], unit="pc"),
}


def used(texts: list[str]) -> list[str]:
    """The names of the sets that sentences are about."""
    tails = (text.rpartition("@")[2] for text in texts if "@" in text)
    return sorted({name for name in tails if name in FILES})
