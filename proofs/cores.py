"""Which curve library stands behind `group`.

`arkworks` is compiled and fast; `py_ecc` is plain Python, runs wherever Python does, and is a
second, independent implementation to check with. The environment variable `CROSSPROOF_CORE` says
which; without it the first is taken that is installed. Both accept and refuse the same bytes and
derive the same generators, so a choice changes no verdict.

An unknown name is refused, and so is a named library that is not installed: whoever asked for one
core must not get the other's answer.

SPEC.md, "Cores".
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Final

from proofs.errors import CrossproofError

VARIABLE: Final = "CROSSPROOF_CORE"

MODULES: Final = {"arkworks": "proofs.core_arkworks", "py_ecc": "proofs.core_py_ecc"}
"""The modules that import a curve library, the preferred one first; nothing else does."""


class CoreError(CrossproofError):
    """`CROSSPROOF_CORE` names no core, or no curve library is installed."""

    reason = "CORE"


def choose(environment: Mapping[str, str]) -> ModuleType:
    """The module of the core to use. CoreError when there is none.

    The module is imported here and not before: `py_ecc` takes a third of a second.
    """
    wanted = environment.get(VARIABLE) or None
    if wanted is not None and wanted not in MODULES:
        raise CoreError(f"{VARIABLE} is {wanted!r}; it may be {' or '.join(MODULES)}")
    for name in MODULES if wanted is None else [wanted]:
        try:
            return importlib.import_module(MODULES[name])
        except ImportError:
            continue
    raise CoreError(
        "no curve library is installed: add py-arkworks-bls12381 or py-ecc"
        if wanted is None
        else f"{VARIABLE} is {wanted!r}, and its library is not installed"
    )
