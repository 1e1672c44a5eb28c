"""Two verifiers, written apart from each other, say the same about every vector."""

from __future__ import annotations

import ast
import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from independent.second_verifier.procedure import verify
from independent.second_verifier.refusal import Refused

from proofs.canonical import parse_instant
from proofs.errors import CrossproofError
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import verify_bundle

Tree = dict[str, Any]
HERE = Path(__file__).parent
BASE: Tree = json.loads((HERE.parent / "vectors" / "base.json").read_text(encoding="utf-8"))
VECTORS: list[Tree] = json.loads(
    (HERE.parent / "vectors" / "bundles.json").read_text(encoding="utf-8")
)


@cache
def named_set(name: str) -> NamedSet:
    return NamedSet.parse(BASE["sets"][name].encode())


def data_of(vector: Tree) -> bytes:
    """The bundle of the base with the vector's splices, whose places are those before any."""
    data = base64.b64decode(BASE["bundles"][vector["bundle"]])
    for each in sorted(vector["splices"], key=lambda each: -each["at"]):
        tail = data[each["at"] + each["remove"] :]
        data = data[: each["at"]] + base64.b64decode(each["insert"]) + tail
    return data


def first(data: bytes, vector: Tree) -> str:
    """What the project's verifier says: `Verified`, or the name of the class that it raised."""
    request = vector["request"]
    try:
        verify_bundle(
            data,
            trust=Trust.parse(BASE["trust"][vector["trust"]].encode()),
            expectation=Expectation.for_audience(vector["audience"], nonce=vector["nonce"])
            if request is None
            else Expectation.for_request(BASE["requests"][request].encode()),
            sets=[named_set(name) for name in vector["sets"]],
            now=parse_instant(vector["now"]),
        )
    except CrossproofError as error:
        return type(error).__name__
    return "Verified"


def second(data: bytes, vector: Tree) -> str:
    """What the second verifier says, in the same words."""
    request = vector["request"]
    try:
        verify(
            data,
            trust=BASE["trust"][vector["trust"]].encode(),
            now=vector["now"],
            sets=[BASE["sets"][name].encode() for name in vector["sets"]],
            request=None if request is None else BASE["requests"][request].encode(),
            audience=vector["audience"],
            nonce=vector["nonce"],
        )
    except Refused as refusal:
        return f"{refusal.kind.capitalize()}Error"
    return "Verified"


@pytest.mark.parametrize("vector", VECTORS, ids=[each["name"] for each in VECTORS])
def test_both_verifiers_agree(vector: Tree) -> None:
    """The expected outcome is that of both, down to the class of the error."""
    data = data_of(vector)
    assert (vector["expect"],) * 2 == (first(data, vector), second(data, vector))


def test_the_second_verifier_shares_no_code_with_the_first() -> None:
    """Its modules import the standard library, py_ecc, Ed25519 and each other."""
    allowed = {
        "__future__", "base64", "binascii", "collections", "contextlib", "cryptography",
        "dataclasses", "datetime", "fractions", "functools", "hashlib", "independent", "json",
        "math", "py_ecc", "re", "secrets", "tomllib", "typing", "unicodedata",
    }  # fmt: skip
    modules = sorted((HERE / "second_verifier").glob("*.py"))
    found: set[str] = set()
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                found.add(node.module or "")
    ours = {name for name in found if name.startswith("independent")}
    assert {name.partition(".")[0] for name in found} <= allowed
    assert all(name.startswith("independent.second_verifier") for name in ours)
    assert {"py_ecc.optimized_bls12_381"} <= found
    assert len(modules) > 10
