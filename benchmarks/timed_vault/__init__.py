"""The vault's process with clocks around the steps of a proof over a selection.

It runs in place of `crossvault serve` and is otherwise the same: see `__main__`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.clocks import Spent
from vault.cli.processes import ServerProcess

STEPS_FILE: Final = "CROSSVAULT_BENCH_STEPS"
LIST = "read the list and compare it with the grant"
WITNESSES = "load and open the witnesses"
EVALUATE = "evaluate the facts"
PROVE = "prove"
VERIFY = "verify the bundle itself"
RECORD = "record bundle and documents"
REST = "everything else"
WHOLE = "whole"
ANSWER, MAKE = "answer", "make"
"""Steps that others are taken from: all but reading the request; all of that before the record."""
STEPS = (LIST, WITNESSES, EVALUATE, PROVE, VERIFY, RECORD, REST)


class TimedVault(ServerProcess):
    """That of the site in a folder. It needs the folder that holds `benchmarks` as its own."""

    module = "benchmarks.timed_vault"

    def __init__(self, site: Path) -> None:
        self._steps = site / "steps.jsonl"
        super().__init__(site, environment={STEPS_FILE: str(self._steps)})

    def last(self) -> dict[str, Spent]:
        """The steps of its last proof, which add up to `WHOLE`, and that."""
        last = self._steps.read_text(encoding="utf-8").splitlines()[-1]
        spent = {name: Spent(**each) for name, each in json.loads(last).items()}
        found = {step: spent.get(step, Spent()) for step in STEPS}
        found[RECORD] = spent[ANSWER] - spent[MAKE]
        found[REST] = spent[WHOLE] - sum(found.values(), Spent())
        return {**found, WHOLE: spent[WHOLE]}


def write_steps(path: Path, spent: Mapping[str, Spent]) -> None:
    """Add the line that `TimedVault.last` reads."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({name: asdict(each) for name, each in spent.items()}) + "\n")
