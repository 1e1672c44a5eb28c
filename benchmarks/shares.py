"""Where the time of an operation goes: multiplications, decoding, hashing, and all the rest.

A few named functions are wrapped with clocks while an operation runs, and each second counts for
the innermost of them. What none of them takes is the rest: arithmetic in the field, and Python
between the operations; the single additions and products there are too many and too cheap to be
timed one by one. A function that has gone counts as rest too. Wrapping adds a microsecond a call,
so shares are shown in whole percents.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.report import CATEGORIES, REST
from proofs import canonical, group, prove, tables, verify_documents
from proofs.attestation import Attestation
from proofs.bundle import Bundle
from proofs.envelope import Envelope
from proofs.facts import FactList
from proofs.grant import Grant
from proofs.request import Request
from proofs.set_polynomial import SetPolynomial
from proofs.transcript import Transcript

_LONG_ENOUGH = 0.03

_CLOCKS: tuple[tuple[Any, str, str], ...] = (
    (group, "multiply", "multiply"),
    (tables, "add_up", "multiply"),
    (group, "decode_proof_point", "decode"),
    (group, "decode_statement_points", "decode"),
    (group, "encode_point", "decode"),
    (Transcript, "append_bytes", "hash"),
    (Transcript, "append_list", "hash"),
    (Transcript, "challenge", "hash"),
    (Transcript, "prover_seed", "hash"),
    (SetPolynomial, "evaluate", "set"),
    (SetPolynomial, "along_line", "set"),
    (Envelope, "verify", "sign"),
    (Bundle, "parse", "read"),
    (Envelope, "parse", "read"),
    (Attestation, "parse", "read"),
    (Grant, "parse", "read"),
    (Request, "parse", "read"),
    (Request, "build", "read"),
    (canonical, "parse", "read"),
    (canonical, "dump", "read"),
    (FactList, "parse_canonical", "facts"),
    (verify_documents, "check_facts", "facts"),
    (verify_documents, "compile_facts", "facts"),
    (prove, "check_facts", "facts"),
    (prove, "compile_facts", "facts"),
)


def shares(action: Callable[[], object]) -> dict[str, float]:
    """The part of each category in the time of `action`, of 1; those with a share, in order.

    Once is enough for what takes a while; what is over at once is repeated.
    """
    spent = dict.fromkeys(CATEGORIES, 0.0)
    whole = 0.0
    with _clocks(spent):
        while whole < _LONG_ENOUGH:
            start = time.process_time()
            action()
            whole += time.process_time() - start
    spent[REST] = whole - sum(spent.values())
    return {name: value / whole for name, value in spent.items() if value > 0}


@contextmanager
def _clocks(spent: dict[str, float]) -> Iterator[None]:
    """Wrap the functions; one that runs inside another's time takes its own out of it."""
    inside = [0.0]
    clocks = [each for each in _CLOCKS if each[1] in each[0].__dict__]
    originals = [(owner, name, owner.__dict__[name]) for owner, name, _ in clocks]
    for owner, name, category in clocks:
        setattr(owner, name, _wrapped(owner.__dict__[name], category, spent, inside))
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _wrapped(original: Any, category: str, spent: dict[str, float], inside: list[float]) -> Any:
    kind = type(original) if isinstance(original, classmethod | staticmethod) else None
    function = original.__func__ if kind else original

    def timed(*arguments: Any, **named: Any) -> Any:
        inside.append(0.0)
        start = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            took = time.process_time() - start
            spent[category] += took - inside.pop()
            inside[-1] += took

    return kind(timed) if kind else timed
