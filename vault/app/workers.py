"""What runs in a process that proves parts: the tables that it keeps, and when it ends.

A part holds values and blindings. It has no text form here, because a pool may put the arguments
of a task that failed into its log. Imports nothing that a vault needs and a worker does not.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from proofs import generators
from proofs.errors import CrossproofError

TABLES: Final = (*generators.range_generators(64), *generators.membership_generators(16))
"""What a process that proves often keeps tables of: ranges of 64 digits, every set; 35 MB."""

log = logging.getLogger(__name__)


class Work:
    """One call, ready to be sent to a worker. Its text tells nothing of what it holds."""

    __slots__ = ("_arguments", "_function")

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._function = function
        self._arguments = arguments

    def __repr__(self) -> str:
        return "<a part of a proof>"

    def __reduce__(self) -> tuple[type[Work], tuple[Callable[..., Any], tuple[Any, ...]]]:
        return Work, (self._function, self._arguments)

    def __call__(self) -> Any:
        return self._function(*self._arguments)


@dataclass(frozen=True, slots=True)
class Raised:
    """What a part raised, as an answer: a pool writes what it sees raised into its log, with its
    text, and that of a refusal tells about values."""

    error: Exception = field(repr=False)


def run(work: Work) -> Any:
    """What a worker runs: the part, with tables of generators that it builds at its first.

    The part's answer, or `Raised`.
    """
    generators.use_tables(TABLES)
    try:
        return work()
    except Exception as error:
        if not isinstance(error, CrossproofError):
            # A bug: its type and place say where, its text could quote a value.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            kind = type(error).__name__
            log.error("a part raised %s at %s:%s", kind, frame.filename, frame.lineno)
        return Raised(error)


def start_process() -> None:
    """What a process of a pool does first: it lives as long as the vault, and no longer."""
    # An interrupt at a terminal reaches the whole group: the vault ends, and its pool with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A vault that was killed cannot close its pool, and a process waiting for parts would wait
    for ever, with what it last proved in its memory."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
