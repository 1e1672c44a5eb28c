"""The part of the demonstration that is about a whole portfolio: a table, a manifest, one proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vault.cli.stage import Stage

SPV: Final = "Harbour Solar SPV 1 海桥光伏一号"
ATTRIBUTES: Final = ("capacity", "annual_yield", "owner")
FACTS: Final = (
    "sum(capacity) >= 170 MW",
    "sum(annual_yield) >= count() * 8.50%",
    "each owner not in @sample-sanctions",
)


def prove_portfolio(stage: Stage, custodian: Sequence[str], given: Sequence[str]) -> str:
    """Import plants, sign the list of them all, and prove about all; the name of the bundle.

    `custodian` are the options that say who acts, `given` those for whom and why.
    """
    stage.say("A whole portfolio: five plants more, a signed list of all, one proof 整个资产组合")
    stage.crossvault("import", "samples/pv-portfolio.csv", "--schema", "pv-plant", *custodian)
    attributes = [
        w for name in ("capacity", "annual_yield", "owner") for w in ("--attribute", name)
    ]
    stage.crossvault(
        *("manifest", "sign", "--spv", SPV, "--period", "2026-01-01..2026-12-31"),
        *("--schema", "pv-plant", *attributes, "--select", "all", "--yes"),
        *("-o", "pv-portfolio.manifest.json", *custodian),
    )
    facts = [word for fact in FACTS for word in ("--fact", fact)]
    bundle = "pv-portfolio.proof.json"
    stage.crossvault(
        *("prove", "--manifest", "pv-portfolio.manifest.json", *facts, *given),
        *("-o", bundle, *custodian),
    )
    return bundle
