"""Declarations of whom an RPC serves: complete, or the servicer does not start."""

from __future__ import annotations

from typing import Any

import pytest

from vault.server.roles import EVERYONE, declared, serves
from vault.v1 import set_pb2

SETS = set_pb2.DESCRIPTOR.services_by_name["SetService"]
METHODS = [method.name for method in SETS.methods]


def servicer(**methods: Any) -> object:
    """An object with these methods."""
    return type("SomeServicer", (), methods)()


@serves(("cn", "custodian"), ("hk", "spv"))
async def declared_method(self: object, request: Any, context: Any) -> None:
    """An async method that declares."""


async def silent_method(self: object, request: Any, context: Any) -> None:
    """An async method that declares nothing."""


@serves(("cn", "auditor"))
def blocking_method(self: object, request: Any, context: Any) -> None:
    """A method that would block the loop."""


def test_every_method_of_the_service_is_in_the_table() -> None:
    """The table names the methods as they are called on the wire, with their pairs."""
    found = declared(servicer(**dict.fromkeys(METHODS, declared_method)), SETS)
    pairs = frozenset({("cn", "custodian"), ("hk", "spv")})
    assert found == {f"/vault.v1.SetService/{name}": pairs for name in METHODS}


@pytest.mark.parametrize("left_out", METHODS)
def test_one_undeclared_method_stops_the_servicer(left_out: str) -> None:
    """A method without a declaration, or no method at all, is named."""
    methods: dict[str, Any] = dict.fromkeys(METHODS, declared_method)
    for broken in ({**methods, left_out: silent_method}, {**methods, left_out: None}):
        with pytest.raises(TypeError, match=left_out):
            declared(servicer(**broken), SETS)


def test_an_override_declares_for_itself() -> None:
    """Overriding a declared method does not inherit its declaration."""
    base = type("Base", (), dict.fromkeys(METHODS, declared_method))
    derived = type("Derived", (base,), {METHODS[0]: silent_method})
    assert set(declared(base(), SETS)) == {f"/vault.v1.SetService/{name}" for name in METHODS}
    with pytest.raises(TypeError, match=METHODS[0]):
        declared(derived(), SETS)


def test_a_blocking_method_is_refused() -> None:
    """A method that is not async would stop every other call."""
    methods: dict[str, Any] = dict.fromkeys(METHODS, declared_method)
    with pytest.raises(TypeError, match="not async"):
        declared(servicer(**{**methods, METHODS[0]: blocking_method}), SETS)


@pytest.mark.parametrize(
    "pairs",
    [(), (("hk", "custodian"),), (("hk", "vault"),), (("cn", "spv"),), (("us", "holder"),)],
)
def test_a_declaration_names_existing_roles(pairs: tuple[tuple[str, str], ...]) -> None:
    """No pair at all, and roles that a side does not have, are refused where they are written."""
    with pytest.raises(ValueError, match="existing role"):
        serves(*pairs)
    assert ("cn", "custodian") in EVERYONE
    assert ("hk", "custodian") not in EVERYONE
