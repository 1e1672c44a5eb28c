"""`crossvault serve` with clocks: after every proof of a custodian's own it writes what each step
took, on the wall and of processors, those of its worker processes included."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks import timed_vault
from benchmarks.clocks import Clocks, Step
from vault import cli
from vault.app import prove_list
from vault.app.answering import Answering
from vault.app.witnesses import Witnesses

_CLOCKS: tuple[Step, ...] = (
    (prove_list, "listed", timed_vault.LIST),
    (Witnesses, "open_all", timed_vault.WITNESSES),
    (prove_list, "_require_provable", timed_vault.EVALUATE),
    (prove_list, "prove_selection", timed_vault.PROVE),
    (prove_list, "verify_bundle", timed_vault.VERIFY),
    (Answering, "_prove", timed_vault.MAKE),
    (Answering, "_answer", timed_vault.ANSWER),
)


def main() -> int:
    """Serve until SIGTERM."""
    clocks, path = Clocks(_processor_seconds), Path(os.environ[timed_vault.STEPS_FILE])
    create = Answering.create

    def timed(*arguments: Any, **named: Any) -> bytes:
        clocks.take()
        with clocks.around(timed_vault.WHOLE):
            bundle = create(*arguments, **named)
        timed_vault.write_steps(path, clocks.take())
        return bundle

    Answering.create = timed  # type: ignore[method-assign]
    with clocks.on(_CLOCKS):
        return cli.run(sys.argv[1:])


def _processor_seconds() -> float:
    """Of this process and of the workers that it has now."""
    used = time.process_time()
    for child in multiprocessing.active_children():
        with suppress(psutil.NoSuchProcess):
            times = psutil.Process(child.pid).cpu_times()
            used += times.user + times.system
    return used


if __name__ == "__main__":
    sys.exit(main())
