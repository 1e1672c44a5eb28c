"""Units that differ by powers of ten (section "Linear facts", "Units and rates")."""

from __future__ import annotations

FAMILIES: dict[str, dict[str, int]] = {
    "power": {"W": 0, "kW": 3, "MW": 6, "GW": 9},
    "energy": {"Wh": 0, "kWh": 3, "MWh": 6, "GWh": 9},
    "CNY": {"CNY": 0, "元": 0, "万元": 4, "亿元": 8},
    "HKD": {"HKD": 0, "港元": 0, "万港元": 4, "亿港元": 8},
}


def kind_of(unit: str) -> str:
    """What a unit measures; every unknown one is a kind of its own."""
    return next((kind for kind, units in FAMILIES.items() if unit in units), f"={unit}")


def zeros(unit: str) -> int:
    """The power of ten between a unit and the smallest of its kind."""
    return FAMILIES.get(kind_of(unit), {}).get(unit, 0)
