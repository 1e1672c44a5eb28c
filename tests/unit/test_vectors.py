"""The stored vectors: each ends in the outcome that it names, and can be made anew."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pytest
from vectors import generate

from proofs import errors
from proofs.canonical import parse_instant
from proofs.errors import CrossproofError
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import verify_bundle

Tree = dict[str, Any]
BASE: Tree = json.loads(generate.BASE.read_text(encoding="utf-8"))
VECTORS: list[Tree] = json.loads(generate.VECTORS.read_text(encoding="utf-8"))


@cache
def trust(name: str) -> Trust:
    return Trust.parse(BASE["trust"][name].encode())


@cache
def named_set(name: str) -> NamedSet:
    return NamedSet.parse(BASE["sets"][name].encode())


def outcome(vector: Tree) -> str:
    """`Verified`, or the name of the class that was raised."""
    data = generate.apply(base64.b64decode(BASE["bundles"][vector["bundle"]]), vector["splices"])
    if vector["request"] is not None:
        expectation = Expectation.for_request(BASE["requests"][vector["request"]].encode())
    else:
        expectation = Expectation.for_audience(vector["audience"], nonce=vector["nonce"])
    try:
        found = verify_bundle(
            data,
            trust=trust(vector["trust"]),
            expectation=expectation,
            sets=[named_set(name) for name in vector["sets"]],
            now=parse_instant(vector["now"]),
        )
    except CrossproofError as error:
        return type(error).__name__
    return type(found).__name__


@pytest.mark.parametrize("vector", VECTORS, ids=[each["name"] for each in VECTORS])
def test_vector(vector: Tree) -> None:
    """One failure, one class; a vector without an attack verifies."""
    assert outcome(vector) == vector["expect"]
    assert (vector["expect"] == "Verified") is (vector["attack"] == "none")


def test_the_list_is_made_again_the_same() -> None:
    """No vector was edited by hand, and the generator says what the file says."""
    assert generate.make_vectors(BASE) == VECTORS


def test_names_are_distinct_and_every_class_of_a_step_occurs() -> None:
    """Every class that a step of the procedure can raise has its vector."""
    assert len({each["name"] for each in VECTORS}) == len(VECTORS)
    wanted = {
        errors.EncodingError,
        errors.SignatureError,
        errors.TrustError,
        errors.BindingError,
        errors.GrantError,
        errors.ContextError,
        errors.SetError,
        errors.FactError,
        errors.ProofError,
    }
    assert {each["expect"] for each in VECTORS} == {"Verified"} | {each.__name__ for each in wanted}


def test_a_new_base_gives_the_same_outcomes() -> None:
    """Nothing hangs on the randomness of the stored bundles."""
    base = generate.make_base()
    assert sorted(base["bundles"]) == sorted(BASE["bundles"])
    fresh = generate.make_vectors(base)
    expected = [(each["name"], each["expect"]) for each in VECTORS]
    assert [(each["name"], each["expect"]) for each in fresh] == expected
