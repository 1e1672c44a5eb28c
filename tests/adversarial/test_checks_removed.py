"""Every check of the verifier, taken out one at a time: some verdict is then wrong.

The checks are read off the source (`support.mutants`), the verdicts are those of the vectors, the
register of forgeries, and payloads changed field by field (`support.verdicts`). A check that is
added and that no case needs fails here, with its name. `pytest -s` prints the table.
"""

from __future__ import annotations

import ast
import importlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from support.mutants import Check, checks_of, watching, without
from support.verdicts import ACCEPTED, Case, all_cases

import proofs

PROOFS = Path(proofs.__file__ or "").parent

MODULES = (
    "verify",
    "verify_documents",
    "verify_sets",
    "verify_list",
    "verify_many",
    "validity",
    "arguments",
    "set_argument",
    "membership",
    "membership_pieces",
    "range_proof",
    "range_terms",
    "range_digits",
    "norm_linear",
    "opening",
    "equation",
    "bundle",
    "evidence",
    "selection",
    "listing",
    "manifest",
    "list_statement",
    "list_facts",
    "list_classes",
    "parts",
    "attestation",
    "grant",
    "context",
    "claims",
    "policy",
    "envelope",
    "group",
    "sets",
)
"""What a bundle passes through, from its bytes to its verdict."""

ELSEWHERE = {
    "the fact language": (
        "classes evaluate exact expansion fact_hints facts grammar implication linear "
        "linear_reader list_implication narrowing possible statement subjects units"
    ),
    "readers and their small parts": (
        "canonical ids member_type named_set normaliser polynomial_cache principal request "
        "requirements schema schema_author set_polynomial text toml_text trust unicode14 values "
        "witness"
    ),
    "computation without verdicts": (
        "core_arkworks core_py_ecc cores digit_sums derived errors folded_bases generators labels "
        "pedersen randomness tables transcript"
    ),
}
"""Modules that the verifier uses too, whose refusals have tests of their own."""

EQUIVALENT: dict[str, str] = {}
"""Checks without which every verdict stays the same, by `Check.key`, each with its reason."""


@dataclass
class Watched:
    """All cases with their outcomes, and which of them each check refuses."""

    checks: list[Check]
    cases: list[Case]
    outcomes: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def run(cls, checks: list[Check], cases: list[Case]) -> Watched:
        found = cls(checks, cases)

        def reached(place: int) -> None:
            found.refused[place].append(len(found.outcomes))

        with watching(checks, reached):
            for case in cases:
                start = time.perf_counter()
                found.outcomes.append(case.outcome())
                found.seconds.append(time.perf_counter() - start)
        return found

    def candidates(self, place: int) -> list[int]:
        """The cases that could turn out otherwise without the check, the quick ones first."""
        if self.checks[place].kind in ("raise", "call"):
            chosen = set(self.refused[place])
        else:  # a part of a condition: whoever is refused at all
            chosen = {i for i, outcome in enumerate(self.outcomes) if outcome != ACCEPTED}
        return sorted(chosen, key=lambda i: self.seconds[i])

    def without(self, place: int) -> str:
        """What a wrong verdict is, without the check: `accepted`, `refused otherwise`, or none."""
        with without(self.checks[place]):
            for i in self.candidates(place):
                outcome = self.cases[i].outcome()
                if outcome != self.outcomes[i]:
                    return ACCEPTED if outcome == ACCEPTED else "refused otherwise"
        return ""


def test_every_check_is_needed() -> None:
    """Without it, something false is accepted, or refused for another reason."""
    checks = [
        each for name in MODULES for each in checks_of(importlib.import_module(f"proofs.{name}"))
    ]
    watched = Watched.run(checks, all_cases())
    results = [watched.without(place) for place in range(len(checks))]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for check, result in zip(checks, results, strict=True):
        counts[check.module.__name__][result or "nothing"] += 1
    table = Table(title=f"{len(checks)} checks taken out, {len(watched.cases)} cases")
    for column in ("module", "checks", "then accepted", "then refused otherwise", "no difference"):
        table.add_column(column)
    for name, count in counts.items():
        row = (sum(count.values()), count[ACCEPTED], count["refused otherwise"], count["nothing"])
        table.add_row(name, *map(str, row))
    Console(width=120).print(table)
    unneeded = [check.key for check, result in zip(checks, results, strict=True) if not result]
    assert sorted(EQUIVALENT) == sorted(unneeded)


def _imported(start: str) -> set[str]:
    """The modules of `proofs` that a module imports, and those that they import."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        tree = ast.parse((PROOFS / f"{waiting.pop()}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            names = [each.name for each in node.names] if node.module == "proofs" else []
            names += [node.module.removeprefix("proofs.")] * node.module.startswith("proofs.")
            fresh = [name for name in names if name not in found]
            found.update(fresh)
            waiting += fresh
    return found


def test_every_module_of_the_verifier_is_one_or_the_other() -> None:
    """A new module is looked at here, or it is said where."""
    elsewhere = {name for names in ELSEWHERE.values() for name in names.split()}
    used = _imported("verify_many") | {"verify_many"}
    assert used - set(MODULES) == used & elsewhere
    assert set(MODULES) <= used
    assert set(MODULES).isdisjoint(elsewhere)


def test_a_check_that_is_taken_out_is_back_afterwards() -> None:
    """The living functions are as they were, and what is found without a check is not kept."""
    (check,) = (
        each
        for each in checks_of(importlib.import_module("proofs.range_terms"))
        if "base-16 digits" in each.text
    )
    case = next(each for each in all_cases() if each.name == "sixty-three digits")
    refused = case.outcome()
    with without(check):
        assert case.outcome() == ACCEPTED
    assert case.outcome() == refused == "FactError: a range has 1 to 62 base-16 digits, not 63"
