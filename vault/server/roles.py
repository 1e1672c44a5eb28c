"""Who may call what: every RPC declares the (jurisdiction, role) pairs that it serves.

A servicer with an RPC that declares nothing does not start, and a call of an RPC that nobody
declared is refused, so a method added in haste is closed and not open. A declaration names roles
that exist; what a caller owns is for the method itself to judge, by the full URI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import ServiceDescriptor

from proofs.principal import ROLES

Pair = tuple[str, str]
Function = TypeVar("Function", bound=Callable[..., Any])

EVERYONE: Final[frozenset[Pair]] = frozenset(
    (jurisdiction, role) for jurisdiction, roles in ROLES.items() for role in roles
)
"""All roles of both sides; still a listed principal with a valid certificate each time."""

_ATTRIBUTE: Final = "__crossvault_serves__"


def serves(*pairs: Pair) -> Callable[[Function], Function]:
    """Declare whom an RPC method serves: `@serves(("cn", "custodian"), ("hk", "spv"))`.

    Raises ValueError for no pair at all, or a role that its jurisdiction does not have.
    """
    if not pairs or not set(pairs) <= EVERYONE:
        raise ValueError(f"serves{pairs!r}: must name at least one existing role, and no other")

    def declare(function: Function) -> Function:
        setattr(function, _ATTRIBUTE, frozenset(pairs))
        return function

    return declare


def declared(servicer: object, service: ServiceDescriptor) -> Mapping[str, frozenset[Pair]]:
    """The table from `/package.Service/Method` to the pairs it serves, for one servicer.

    Raises TypeError naming every RPC of the service that the servicer does not declare, or that
    is no async method (a blocking one would stop all others). The declaration is looked for on
    the method that would run: one that overrides a declared method declares for itself.
    """
    table: dict[str, frozenset[Pair]] = {}
    missing = []
    for method in service.methods:
        function = getattr(servicer, method.name, None)
        pairs = getattr(function, _ATTRIBUTE, None)
        if pairs is None:
            missing.append(method.name)
        elif not (iscoroutinefunction(function) or isasyncgenfunction(function)):
            raise TypeError(f"{type(servicer).__name__}.{method.name} is not async")
        else:
            table[f"/{service.full_name}/{method.name}"] = pairs
    if missing:
        raise TypeError(
            f"{type(servicer).__name__} does not declare whom it serves with "
            f"{', '.join(missing)} of {service.full_name}"
        )
    return table
