"""How much work over selections goes on at a time: each piece may need half a gigabyte for minutes.

A caller has a share of the slots, and half of them are for callers that have none yet, so that one
custodian or two cannot keep the others from theirs for hours. What finds no slot is refused at once
and not queued: a queue would hold the threads of other calls.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from proofs.principal import Principal
from vault.errors import ExhaustedError


class Slots:
    """So many at a time, and so many of one caller. Safe to share between threads."""

    def __init__(self, total: int = 4, per_caller: int = 2) -> None:
        self._total = total
        self._per_caller = per_caller
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def enter(self, caller: Principal) -> Iterator[None]:
        """Hold a slot; ExhaustedError (TOO_MANY_PROOFS) when there is none left."""
        with self._lock:
            taken, own = self._taken.total(), self._taken[caller.uri]
            further = own > 0 and (own >= self._per_caller or 2 * taken >= self._total)
            if taken >= self._total or further:
                raise ExhaustedError(
                    "too many proofs about many documents at once; try again when one is done",
                    reason="TOO_MANY_PROOFS",
                )
            self._taken[caller.uri] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[caller.uri] -= 1
