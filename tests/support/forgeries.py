"""The register of algebraic forgeries: each with a name, what it tries, and how it is refused.

A forgery is a function that ends in a call of the real verifier; the error that it raises is
compared with the one that stands here. Where a faulty verifier would be fooled, `fooled` shows it:
it runs the same forgery against a verifier with that one fault and must come through. The
forgeries themselves stand in `support.forged`, by kind; every module of the package is read.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from proofs.errors import CrossproofError, ProofError

Attempt = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Forgery:
    """One way to lie."""

    kind: str
    name: str
    tries: str
    error: type[CrossproofError]
    message: str
    attempt: Attempt
    fooled: Attempt | None


_REGISTER: dict[str, Forgery] = {}


def register(
    kind: str,
    name: str,
    tries: str,
    attempt: Attempt,
    *,
    error: type[CrossproofError] = ProofError,
    message: str = "does not verify",
    fooled: Attempt | None = None,
) -> None:
    """Add one; ValueError for a name that is taken."""
    if name in _REGISTER:
        raise ValueError(f"two forgeries named {name}")
    _REGISTER[name] = Forgery(kind, name, tries, error, message, attempt, fooled)


def forgery(
    kind: str,
    name: str,
    *,
    error: type[CrossproofError] = ProofError,
    message: str = "does not verify",
    fooled: Attempt | None = None,
) -> Callable[[Attempt], Attempt]:
    """Add a function; what it tries is the first line of its docstring."""

    def add(function: Attempt) -> Attempt:
        tries = (function.__doc__ or "").splitlines()[0]
        register(kind, name, tries, function, error=error, message=message, fooled=fooled)
        return function

    return add


def all_forgeries() -> list[Forgery]:
    """Those of every module of `support.forged`."""
    package = importlib.import_module("support.forged")
    for found in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"support.forged.{found.name}")
    return list(_REGISTER.values())
