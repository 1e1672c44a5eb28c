"""Calls for workers of a pool: found by name in another process, as parts of proofs are."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from proofs import generators
from proofs.errors import CannotProveError


def square(number: int) -> int:
    """Some work."""
    return number * number


def refuse(text: str) -> None:
    """What a part does that cannot be proven."""
    raise CannotProveError(text)


def process() -> int:
    """Which process works."""
    return os.getpid()


def parent() -> int:
    """Which process started the one that works."""
    return os.getppid()


def has_tables() -> bool:
    """Whether this process keeps tables of generators."""
    return generators.G.table is not None


def die_once(mark: Path, number: int) -> int:
    """Kill the process that works, the first time that anyone asks; else some work."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return square(number)
    os.kill(os.getpid(), signal.SIGKILL)
    return -1


def die(number: int) -> int:
    """Kill the process that works, every time."""
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def wait_for(path: Path) -> None:
    """Work until a file is there."""
    while not path.exists():
        time.sleep(0.01)


def started(mark: Path, number: int) -> int:
    """Leave a mark that names this process, and work for a moment."""
    mark.with_name(f"{mark.name}.{os.getpid()}").touch()
    time.sleep(0.05)
    return square(number)


def refuse_about(value: int) -> None:
    """A refusal that tells about a value, as those of parts do."""
    raise CannotProveError(f"the value is {value}")


def add_one(number: int) -> int:
    """Raises TypeError for a text."""
    return 1 + number
