"""Everything that the tests know to have one verdict: vectors, forgeries, malformed payloads.

A case is run and ends in an outcome, a text: `accepted`, or the class and the message of the
refusal. Cases are deterministic: run again, they end in the same one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from vectors import generate

from proofs import canonical, envelope, equation, group, opening, range_proof
from proofs.attestation import AsOf, Attestation, personal_part_digest
from proofs.bundle import Bundle
from proofs.canonical import parse_instant
from proofs.equation import Equation
from proofs.errors import CrossproofError
from proofs.generators import G
from proofs.grant import Grant
from proofs.group import ONE, ORDER, ZERO
from proofs.membership import proof_length, prove_membership, verify_membership
from proofs.named_set import NamedSet
from proofs.norm_linear import Shape
from proofs.policy import Expectation
from proofs.range_terms import Layout
from proofs.request import Request
from proofs.sets import ScalarSet
from proofs.transcript import Transcript
from proofs.trust import Trust
from proofs.verify import verify_bundle
from support import bundles, verdicts_lists, verdicts_steps
from support.forgeries import all_forgeries
from support.forgetful import START

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is accepted or refused."""

    name: str
    run: Callable[[], object]

    def outcome(self) -> str:
        """Whatever is raised counts: a foreign exception is a wrong outcome too."""
        try:
            self.run()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ACCEPTED


def all_cases() -> list[Case]:
    """Every case, each under a name of its own."""
    found = [*_vectors(), *_forgeries(), *_payloads(), *_programming(), *_readers()]
    for module in (verdicts_steps, verdicts_lists):
        found += [Case(name, run) for name, run in module.cases()]
    assert len({each.name for each in found}) == len(found)
    return found


# --- vectors and forgeries ----------------------------------------------------------------------


@cache
def _base() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(generate.BASE.read_text(encoding="utf-8"))
    return found


def _vectors() -> Iterator[Case]:
    for vector in json.loads(generate.VECTORS.read_text(encoding="utf-8")):
        yield Case(f"vector {vector['name']}", lambda vector=vector: _verify(vector))


def _verify(vector: dict[str, Any]) -> None:
    base = _base()
    data = generate.apply(base64.b64decode(base["bundles"][vector["bundle"]]), vector["splices"])
    if vector["request"] is not None:
        expectation = Expectation.for_request(base["requests"][vector["request"]].encode())
    else:
        expectation = Expectation.for_audience(vector["audience"], nonce=vector["nonce"])
    verify_bundle(
        data,
        trust=Trust.parse(base["trust"][vector["trust"]].encode()),
        expectation=expectation,
        sets=[NamedSet.parse(base["sets"][name].encode()) for name in vector["sets"]],
        now=parse_instant(vector["now"]),
    )


def _forgeries() -> Iterator[Case]:
    for each in all_forgeries():
        # Those that go through all places of a proof take long, and few of them say it all.
        if "any point of a proof" in each.name and not each.name.startswith("the identity with"):
            continue
        yield Case(f"forgery {each.name}", each.attempt)


# --- payloads, with every field changed in turn -------------------------------------------------

JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    "",
    "x",
    ".x",
    "X" * 600,
    "00" * 32,
    "0" * 31 + "x",
    "2026-01-01",
    "2026-02-30",
    "2020-W01-1",
    "20260101",
    "1999-01-01T00:00:00Z",
    "9000-01-01T00:00:00Z",
    "spiffe://example.org/hk/holder/one",
    "a\u200bb",
    "AA==",
    "AAAA",
    "0000000",
    "1111112",
    [],
    {},
    [1],
)


def _paths(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(tree, dict | list):
        steps = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for step, inner in steps:
            yield from _paths(inner, (*path, step))


def _changed(data: bytes, *, depth: int = 9) -> Iterator[tuple[str, bytes]]:
    """Every node replaced by junk, removed, doubled; a field more in every object."""
    places = [path for path in _paths(json.loads(data)) if len(path) <= depth]
    for path in [(), *places]:
        for number, junk in enumerate((*JUNK, "remove", "double", "extend")):
            tree = json.loads(data)
            at: Any = tree
            for step in path[:-1]:
                at = at[step]
            here = at[path[-1]] if path else tree
            if number < len(JUNK):
                if not path:
                    continue
                at[path[-1]] = junk
            elif junk == "remove" and path:
                del at[path[-1]]
            elif junk == "double" and isinstance(here, list):
                here.extend(here)
            elif junk == "extend" and isinstance(here, dict):
                here["zz"] = "1"
            else:
                continue
            try:
                yield f"{'.'.join(map(str, path))} {number}", canonical.dump(tree)
            except CrossproofError:
                continue


def _payloads() -> Iterator[Case]:
    found, data = bundles.small()
    payloads: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
        "attestation": (found.attestation, _read_attestation),
        "grant": (found.grant, Grant.parse),
        "request": (bundles.good()[0].request.data, Request.parse),
        "bundle": (data, Bundle.parse),
        **verdicts_lists.payloads(),
    }
    for name, (payload, read) in payloads.items():
        for what, changed in _changed(payload, depth=3 if name == "bundle" else 9):
            yield Case(f"{name} {what}", lambda read=read, data=changed: read(data))


def _read_attestation(data: bytes) -> None:
    found = Attestation.parse(data)
    found.check_schema(bundles.schema())


# --- what only a caller could get wrong ---------------------------------------------------------


def _programming() -> Iterator[Case]:
    members = ScalarSet.from_scalars([group.scalar(7)], b"name")
    point = group.encode_point(G.point)
    a_bytes = b"\0" * 5

    def membership(data: bytes, *, member: bool) -> None:
        verify_membership(Transcript(START), G.point, point, members, data, member=member)

    yield Case("an equation with too few points", lambda: Equation((G,), [ONE], [], [ONE]))
    yield Case("an equation with too many names", lambda: Equation((G, G), [ONE], [], []))
    yield Case("no equation", lambda: equation.check([]))
    yield Case("lengths that are no powers", lambda: Shape.of(3, 16))
    yield Case("a norm of no length", lambda: Shape.of(8, 0))
    yield Case("no digits", lambda: Layout.of(1, 0))
    yield Case("sixty-three digits", lambda: Layout.of(1, 63))
    yield Case("no values", lambda: Layout.of(0, 16))
    yield Case("too many digits in all", lambda: Layout.of(1025, 16))
    yield Case(
        "ranges of unequal lists",
        lambda: range_proof.verify_ranges(Transcript(START), [], [point], b"", digits=4),
    )
    yield Case(
        "values of unequal lists",
        lambda: range_proof.prove_ranges(Transcript(START), [1], [], [], digits=4),
    )
    for value in (-1, 16**4):
        yield Case(
            f"proving {value}",
            lambda value=value: range_proof.prove_ranges(
                Transcript(START), [value], [ONE], [point], digits=4
            ),
        )
    for member in (True, False):
        yield Case(
            f"proving the other of {member}",
            lambda member=member: prove_membership(
                Transcript(START),
                group.scalar(8 if member else 7),
                ONE,
                point,
                members,
                member=member,
            ),
        )
        length = proof_length(1, member=member)
        for size in (length - 1, length + 1):
            yield Case(
                f"a membership of {size} bytes",
                lambda size=size, member=member: membership(bytes(size), member=member),
            )
    for size in (79, 81):
        yield Case(
            f"an opening of {size} bytes",
            lambda size=size: opening.verify_opening(
                Transcript(START), ONE, G.point, point, (point + bytes(33))[:size]
            ),
        )
    for name, call in (
        ("a scalar past the order", lambda: group.scalar(ORDER)),
        ("a scalar below zero", lambda: group.scalar(-1)),
        ("half the order", lambda: group.signed_scalar(ORDER // 2 + 1)),
        ("the identity encoded", lambda: group.encode_point(group.IDENTITY)),
        ("a sum of unequal lists", lambda: group.multiply([G.point], [])),
        ("too few uniform bytes", lambda: group.scalar_from_uniform(a_bytes)),
        ("the inverse of zero", lambda: group.invert_all([ONE, ZERO])),
        ("a point of 47 bytes", lambda: group.decode_proof_point(point[:47])),
        ("a label of no bytes", lambda: group.hash_to_point(b"", b"")),
        (
            "days that end before they begin",
            lambda: AsOf(bundles.date(2026, 2, 1), bundles.date(2026, 1, 1)),
        ),
        (
            "a short blinding of a part",
            lambda: personal_part_digest(bytes(31), bundles.root_cid(1)),
        ),
        ("a part that is no CID", lambda: personal_part_digest(bytes(32), "b")),
    ):
        yield Case(name, call)


# --- the verifier's own words -------------------------------------------------------------------


def _readers() -> Iterator[Case]:
    for name, call in (
        ("an audience that hides", lambda: Expectation.for_audience("a\u200b", nonce=None)),
        ("a nonce that is none", lambda: Expectation.for_audience("a", nonce="5A" * 32)),
    ):
        yield Case(name, call)
    for place, kind in (("grant", envelope.PayloadType.GRANT), ("set", envelope.PayloadType.SET)):
        signed = json.loads(bundles.small()[1])["grants"][0]
        for what, changed in _changed(canonical.dump(signed)):
            yield Case(f"envelope as {place} {what}", lambda c=changed, k=kind: _open(c, k))


def _open(data: bytes, kind: envelope.PayloadType) -> None:
    found = envelope.Envelope.parse(data)
    key = bundles.trust().custodian(found.keyid).key
    found.verify(key, kind)
