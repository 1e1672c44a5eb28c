"""The part of a document's life (see `leak_life`) in which facts are proven over lists.

One request of an SPV over a list that the custodian chooses by a public attribute, one that is
false, a manifest, and a proof over it; every text that comes of it is kept with the others.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., str]

TRUE = ("sum(capacity) >= 20 MW", "sum(meter) >= 5 kWh", "each owner not in @watch-list")
FALSE = ("sum(capacity) >= 1000 MW", "each operator in @members")
ATTRIBUTES = ("capacity", "meter", "owner", "operator")


def prove_over_lists(
    verifier: Path, custodian: Path, spv: Path, as_bank: Run, as_spv: Run, outside: Run
) -> None:
    """`as_bank` and `as_spv` run `crossvault` as these, `outside` runs `crossproof`."""
    schema, trust = verifier / "leaky-plant.schema.json", verifier / "trust.toml"
    sets = [w for name in ("watch-list", "members") for w in ("--set", verifier / f"{name}.set")]
    chosen = ("--select", "all", "--select", "code=GD-PV-000777")
    for name, facts in (("list", TRUE), ("false-list", FALSE)):
        request = verifier / f"{name}.request.json"
        digest = outside(
            *("request", "new", "--select", schema, *_facts(facts), *sets),
            *("--audience", "Fund", "--purpose", "Diligence", "-o", request),
        ).strip()
        as_spv("request", "submit", request)
        as_bank("request", "show", digest)
        as_bank("request", "show", digest, *chosen)
        code = 0 if facts is TRUE else 1
        approve = ("request", "approve", digest, "--basis", "Contract", "--yes", *chosen)
        as_bank(*approve, code=code)
        bundle = spv / f"{name}.proof.json"
        as_spv("request", "fetch", digest, "-o", bundle, code=code)
        as_spv("request", "show", digest)
        if not code:
            outside("verify", bundle, "--trust", trust, "--request", request, *sets)
            outside("inspect", bundle)
    manifest = custodian / "plants.manifest.json"
    attributes = [word for name in ATTRIBUTES for word in ("--attribute", name)]
    as_bank(
        *("manifest", "sign", "--spv", "Harbour", "--period", "2026-01-01..2026-12-31"),
        *("--schema", "leaky-plant", *attributes, "--select", "all", "--yes", "-o", manifest),
    )
    as_bank("manifest", "show", manifest, "--rows")
    own = ("--audience", "Fund", "--purpose", "Report", "--basis", "Contract")
    as_bank("prove", "--manifest", manifest, *_facts(TRUE), *own, "-o", spv / "own.proof.json")
    as_bank(
        *("prove", "--manifest", manifest, *_facts(FALSE[:1]), *own, "-o", spv / "none"), code=1
    )


def _facts(facts: tuple[str, ...]) -> list[str]:
    return [word for fact in facts for word in ("--fact", fact)]
