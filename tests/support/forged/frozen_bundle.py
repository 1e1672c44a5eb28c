"""Whole bundles, and all that is absorbed before their arguments: one thing exchanged afterwards.

Each proof is honest. A verifier that leaves an item of the statement out takes it for a proof
about another item in its place; ours does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from proofs import canonical, equation
from proofs.arguments import verify_arguments
from proofs.canonical import format_instant
from proofs.claims import Claims
from proofs.statement import Statement
from proofs.transcript import Transcript
from support.bundles import DAY, NOW, SMALL_FACTS, Parts, attestation, on_document, parts, sets
from support.forgeries import register
from support.forgetful import forgetting, verifying_with
from support.forging import around, asking, check, honest, moved

FACTS = ("province = Guangdong", "annual_yield >= 0.08", "fuel in @fuels")
METHOD = "bundle_statement"

CHANGES: dict[str, Callable[[Claims], Claims]] = {
    "context": lambda c: replace(c, context=replace(c.context, audience="Somebody Else")),
    "documents": lambda c: on_document(c, attestation="00" * 32),
    "grants": lambda c: replace(c, grant="00" * 32),
    "sets": lambda c: replace(c, sets=(replace(c.sets[0], authority="00" * 32),)),
    "facts": lambda c: replace(c, facts=("province = Anhui", *c.facts[1:])),
    "statement": lambda c: replace(c, statement=c.statement + b"and more"),
    "commitments": lambda c: replace(c, commitments=(*c.commitments, (60, c.commitments[0][1]))),
}
"""By parameter: the same claims with another item of that kind."""


@cache
def _proven(parameter: str, *, forgetful: bool) -> tuple[Claims, Statement, bytes]:
    """Claims, statement and an honest proof, by a prover with the verifier's transcript."""
    caught: list[tuple[Claims, Statement, bytes]] = []

    def prover(claims: Claims, statement: Statement) -> bytes:
        proof = honest(claims, statement)
        caught.append((claims, statement, proof))
        return proof

    with verifying_with(forgetting(METHOD, parameter) if forgetful else Transcript):
        around(asking(*FACTS), prover)
    return caught[0]


def _exchange(parameter: str, *, forgetful: bool) -> None:
    claims, statement, proof = _proven(parameter, forgetful=forgetful)
    named = {each.name: each.scalars for each in sets()}
    changed = CHANGES[parameter](claims)
    with verifying_with(forgetting(METHOD, parameter) if forgetful else Transcript):
        equation.check(verify_arguments(changed, statement, proof, named))


for _parameter in CHANGES:
    register(
        "frozen heart: bundle",
        f"{_parameter} of the statement exchanged after proving",
        "An honest proof, for the same arguments about something else.",
        lambda parameter=_parameter: _exchange(parameter, forgetful=False),
        fooled=lambda parameter=_parameter: _exchange(parameter, forgetful=True),
    )


# --- bundles, with everything signed anew that has to be ----------------------------------------


def _later(data: bytes, found: Parts) -> bytes:
    tree = json.loads(data)
    tree["context"]["expires"] = format_instant(found.context.expires + DAY)
    return canonical.dump(tree)


def _with_parts_of(data: bytes, other: Parts) -> bytes:
    """The proof of one bundle in another one."""
    tree = json.loads(other.build())
    tree["proof"] = json.loads(data)["proof"]
    return canonical.dump(tree)


def _whole(parameters: tuple[str, ...], change: Callable[[bytes, Parts], bytes]) -> None:
    """Prove, change, verify; with a transcript that forgets these parameters, if there are any."""
    found = parts(SMALL_FACTS)
    with verifying_with(forgetting(METHOD, *parameters) if parameters else Transcript):
        data = found.build()
        check(change(data, found))


def _add(
    name: str, tries: str, parameters: tuple[str, ...], change: Callable[[bytes, Parts], bytes]
) -> None:
    register(
        "frozen heart: bundle",
        name,
        tries,
        lambda: _whole((), change),
        fooled=lambda: _whole(parameters, change),
    )


_add(
    "a bundle given another day to live",
    "The expiry is under no signature: a holder moves it within the grant.",
    ("context",),
    _later,
)
_add(
    "swapped attestation with the same commitments",
    "The same document as of another version, consent and all, around the old proof.",
    ("documents", "grants"),
    lambda data, _: _with_parts_of(data, parts(SMALL_FACTS, attestation=attestation(version=3))),
)
_add(
    "a stale attestation replaced by one with a later end",
    "The same commitments, valid for longer, around the old proof.",
    ("documents", "grants"),
    lambda data, _: _with_parts_of(
        data, parts(SMALL_FACTS, attestation=attestation(valid_until=NOW + 80 * DAY))
    ),
)
_add(
    "a second grant around the first one's proof",
    "Another consent to the same request, with a later end.",
    ("grants",),
    lambda data, _: _with_parts_of(
        data, parts(SMALL_FACTS, grant_changes=(("bundle_expires", NOW + 19 * DAY),))
    ),
)
_add(
    "a proof moved to another beginning",
    "A bundle that was not yet valid when it was made.",
    ("context",),
    lambda data, found: _with_parts_of(data, moved(found, not_before=NOW - DAY / 2)),
)
