"""What version 0.1.0 said of bundles, requests and messages, and what is said today.

`fixtures/before-portfolios` has the commands that were run, when, and all that they printed. Each
is run again with a clock that says the same second.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from support.crossproof import run

from proofs.canonical import parse_instant
from proofs.errors import CrossproofError, GrantError
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import verify_bundle
from vault.v1 import (
    document_pb2,
    holder_pb2,
    proof_pb2,
    record_pb2,
    release_pb2,
    set_pb2,
)

OLD = Path(__file__).parent.parent / "fixtures" / "before-portfolios"
VERDICTS: list[dict[str, Any]] = json.loads((OLD / "verdicts.json").read_text())
NOW = parse_instant(VERDICTS[-1]["at"])
JSON = [each for each in VERDICTS if "--json" in each["arguments"]]
TEXT = [each for each in VERDICTS if each not in JSON and each["code"] != 2]
ASKED = [each for each in TEXT if each["arguments"][0] == "request"]


def named(verdict: dict[str, Any]) -> str:
    """A test's name."""
    return " ".join(each for each in verdict["arguments"] if not each.startswith("Harbour"))


@pytest.fixture
def investor(tmp_path: Path) -> Path:
    """The investor's folder, to write into."""
    return Path(shutil.copytree(OLD / "investor", tmp_path / "investor"))


@pytest.fixture
def again(investor: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command in the second in which it ran before; code, output and errors."""
    monkeypatch.setenv("COLUMNS", "80")

    def repeat(verdict: dict[str, Any]) -> tuple[int, str, str]:
        for module in ("cli_verify", "cli_request"):
            monkeypatch.setattr(f"proofs.{module}.clock", lambda: parse_instant(verdict["at"]))
        return run(investor, *verdict["arguments"])

    return repeat


# --- commands -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [each for each in TEXT if each not in ASKED], ids=named)
def test_the_same_is_said_of_one_file(verdict: dict[str, Any], again: Any) -> None:
    """To the last character, verified or refused."""
    assert again(verdict) == (verdict["code"], verdict["stdout"], verdict["stderr"])


@pytest.mark.parametrize("verdict", ASKED, ids=named)
def test_the_same_request_is_written(
    verdict: dict[str, Any], investor: Path, again: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same nonce, byte for byte."""
    file = investor / verdict["arguments"][-1]
    before = file.read_bytes()
    file.unlink()
    monkeypatch.setattr("proofs.ids.new_nonce", lambda: json.loads(before)["nonce"])
    assert again(verdict) == (0, verdict["stdout"], verdict["stderr"])
    assert file.read_bytes() == before


def missing(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """Where something is gone or different that was said before; what is new is no matter."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in before.items():
            if key in now:
                yield from missing(value, now[key], f"{where}.{key}")
            else:
                yield f"{where}.{key}"
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from missing(one, other, f"{where}[{place}]")
    elif before != now:
        yield where


def lines(text: str) -> list[Any]:
    """One JSON object a line."""
    return [json.loads(each) for each in text.splitlines()]


@pytest.mark.parametrize("verdict", JSON, ids=named)
def test_machines_find_all_that_they_found(verdict: dict[str, Any], again: Any) -> None:
    """Every field with the same value, in as many lines, and the same exit code."""
    code, out, err = again(verdict)
    assert (code, err) == (verdict["code"], verdict["stderr"])
    assert list(missing(lines(verdict["stdout"]), lines(out))) == []


def test_a_lost_field_would_be_noticed() -> None:
    """The comparison sees what is gone, what differs, and what is shorter."""
    before = {"a": [{"b": 1, "c": 2}], "d": [1]}
    now = {"a": [{"b": 2, "e": 3}], "d": [1, 2], "f": 4}
    assert list(missing(before, now)) == [".a[0].b", ".a[0].c", ".d"]
    assert list(missing(before, before | {"g": 5})) == []


def test_wrong_usage_is_wrong_usage(again: Any) -> None:
    """With the same advice."""
    (verdict,) = (each for each in VERDICTS if each["code"] == 2)
    code, out, err = again(verdict)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == verdict["stderr"].splitlines()[-1]


# --- bundles ------------------------------------------------------------------------------------


def check(bundle: bytes, name: str, **changes: Any) -> Any:
    """Verify a bundle with what was kept for it."""
    expectation = (
        Expectation.for_request((OLD / "investor" / f"{name}.request.json").read_bytes())
        if name in ("north", "both", "words")
        else Expectation.for_audience("Harbour Bridge Fund 海桥基金", nonce=None)
    )
    given: dict[str, Any] = {
        "trust": Trust.parse((OLD / "investor/trust.toml").read_bytes()),
        "expectation": expectation,
        "sets": [NamedSet.parse((OLD / "investor/sanctions.set").read_bytes())],
        "now": NOW,
    }
    return verify_bundle(bundle, **(given | changes))


@pytest.mark.parametrize("name", ["north", "both", "words", "own", "other"])
def test_bundles_of_then_verify_as_they_are(name: str) -> None:
    """By today's verifier, until they expire, and not with a bit changed in the proof."""
    bundle = (OLD / "investor" / f"{name}.proof.json").read_bytes()
    assert check(bundle, name).selection is None
    content = json.loads(bundle)
    proof = bytearray(base64.b64decode(content["proof"]))
    proof[-1] ^= 1
    changed = bundle.replace(content["proof"].encode(), base64.b64encode(bytes(proof)))
    with pytest.raises(CrossproofError):
        check(changed, name)
    with pytest.raises(GrantError, match="expired"):
        check(bundle, name, now=NOW + timedelta(days=400))


# --- messages -----------------------------------------------------------------------------------

TODAY = (document_pb2, holder_pb2, proof_pb2, record_pb2, release_pb2, set_pb2)
STREAMED = {
    "AddSet": (True, False),
    "ApproveProofRequest": (False, True),
    "CreateProof": (False, True),
    "FetchBundle": (False, True),
    "GetSet": (False, True),
}
"""Calls that had one message each way; about one document or a short list they still have."""


def fields(messages: Any, where: str) -> dict[tuple[str, int], tuple[int, int, str]]:
    """Number, and so meaning, of every field of these messages and those within."""
    found: dict[tuple[str, int], tuple[int, int, str]] = {}
    message: DescriptorProto
    for message in messages:
        name = f"{where}.{message.name}"
        for each in message.field:
            found[name, each.number] = (each.type, each.label, each.type_name)
        found |= fields(message.nested_type, name)
    return found


def described(files: Any) -> tuple[Mapping[Any, Any], Mapping[Any, Any], Mapping[Any, Any]]:
    """Fields, members of enumerations, and calls."""
    content: dict[Any, Any] = {}
    members: dict[Any, Any] = {}
    calls: dict[Any, Any] = {}
    for file in files:
        content |= fields(file.message_type, file.package)
        members |= {(e.name, v.number): v.name for e in file.enum_type for v in e.value}
        calls |= {
            (service.name, each.name): (
                (each.input_type, each.output_type),
                (each.client_streaming, each.server_streaming),
            )
            for service in file.service
            for each in service.method
        }
    return content, members, calls


def test_clients_of_then_are_understood() -> None:
    """Every field, member and call of then has its number and type; one message became several
    only where these may be one."""
    before = FileDescriptorSet.FromString((OLD / "messages.binpb").read_bytes())
    today = [FileDescriptorProto.FromString(each.DESCRIPTOR.serialized_pb) for each in TODAY]
    content, members, calls = described(
        each for each in before.file if each.package.startswith("vault")
    )
    now = described(today)
    assert len(content) > 100
    assert {key: now[0].get(key) for key in content} == content
    assert {key: now[1].get(key) for key in members} == members
    assert {key: now[2][key][0] for key in calls} == {key: each[0] for key, each in calls.items()}
    changed = {name: now[2][service, name][1] for service, name in calls}
    changed = {name: changed[name] for (_, name), each in calls.items() if changed[name] != each[1]}
    assert changed == STREAMED
