"""Two verifiers, written apart from each other, say the same about every vector."""

from __future__ import annotations

import ast
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from independent.both import first, second

Tree = dict[str, Any]
HERE = Path(__file__).parent
BASE: Tree = json.loads((HERE.parent / "vectors" / "base.json").read_text(encoding="utf-8"))
VECTORS: list[Tree] = json.loads(
    (HERE.parent / "vectors" / "bundles.json").read_text(encoding="utf-8")
)


def data_of(vector: Tree) -> bytes:
    """The bundle of the base with the vector's splices, whose places are those before any."""
    data = base64.b64decode(BASE["bundles"][vector["bundle"]])
    for each in sorted(vector["splices"], key=lambda each: -each["at"]):
        tail = data[each["at"] + each["remove"] :]
        data = data[: each["at"]] + base64.b64decode(each["insert"]) + tail
    return data


@pytest.mark.parametrize("vector", VECTORS, ids=[each["name"] for each in VECTORS])
def test_both_verifiers_agree(vector: Tree) -> None:
    """The expected outcome is that of both, down to the class of the error."""
    asked = {
        "trust": BASE["trust"][vector["trust"]].encode(),
        "sets": [BASE["sets"][name].encode() for name in vector["sets"]],
        "now": vector["now"],
        "request": BASE["requests"][vector["request"]].encode() if vector["request"] else None,
        "audience": vector["audience"],
        "nonce": vector["nonce"],
    }
    data = data_of(vector)
    assert (vector["expect"],) * 2 == (first(data, **asked), second(data, **asked))


def test_the_second_verifier_shares_no_code_with_the_first() -> None:
    """It, its prover and its issuer import py_ecc, Ed25519, the standard library, each other."""
    allowed = {
        "__future__", "base64", "binascii", "collections", "contextlib", "cryptography",
        "dataclasses", "datetime", "decimal", "fractions", "functools", "hashlib", "independent",
        "itertools", "json", "math", "py_ecc", "re", "secrets", "tomllib", "typing", "unicodedata",
    }  # fmt: skip
    apart = sorted((HERE / "second_verifier").glob("*.py"))
    provers = ("second_prover", "pieces_prover", "proving")
    apart += [HERE / f"{name}.py" for name in (*provers, "issuer")]
    found: set[str] = set()
    for module in apart:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    assert {name.partition(".")[0] for name in found} <= allowed
    ours = {name for name in found if name.startswith("independent")}
    assert {name.split(".")[1] for name in ours} <= {"second_verifier", *provers}
    assert "py_ecc.optimized_bls12_381.add" in found
    assert len(apart) > 10
