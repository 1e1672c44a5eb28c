"""The proof and what it is bound to: each check by an attack that only it stops.

Where a dishonest prover is needed, `Parts.forge` makes a proof that is right for what stands in
the bundle, so nothing but the named check can refuse it. The numbers are those of SPEC.md,
"Verification procedure".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from support import bundles
from support.bundles import (
    DAY,
    NOW,
    SMALL_FACTS,
    Parts,
    answering,
    attestation,
    good,
    on_document,
    parts,
    request,
    small,
)
from support.checks import (
    changed,
    check,
    few,
    found_bundle,
    refused,
    with_proof,
)
from support.forging import asking
from support.torsion import torsion_point

from proofs import group
from proofs.claims import Claims
from proofs.errors import (
    EncodingError,
    ProofError,
)
from proofs.group import ORDER
from proofs.verify import Verified

# --- 9: the proof -------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", [small, good])
def test_9_another_length(fixture: Callable[[], tuple[Parts, bytes]]) -> None:
    """Cut off or extended, the proof is none of this statement."""
    data = fixture()[1]
    for change in (
        lambda proof: proof[:-1],
        lambda proof: proof[:-32],
        lambda proof: proof + b"\0",
        lambda proof: proof + proof,
    ):
        refused(EncodingError, "bytes, its facts take", with_proof(data, change))


def test_9_a_false_fact() -> None:
    """The proof of a true fact beside a false one, granted and asked for as such."""
    found = asking("annual_yield >= 0.0913")
    refused(ProofError, "does not verify", found_bundle(found))


def test_9_the_proof_of_another_bundle() -> None:
    """Everything is in order but the proof, which was made for another nonce."""
    other = answering(few(), request(SMALL_FACTS, nonce="00" * 32)).build()
    proof = json.loads(other)["proof"]
    data = changed(small()[1], lambda tree: tree.update(proof=proof))
    refused(ProofError, "does not verify", data)


def outside_the_group() -> dict[str, bytes]:
    """Encodings that no honest commitment has: torsion of order 3 and 11, and off the curve."""
    (point,) = group.decode_statement_points([bundles.witness().commitments()[1] or b""])
    off = bytearray(group.encode_point(point))
    while True:
        off[-1] ^= 1
        off[-2] += 1
        try:
            group.decode_proof_point(bytes(off))
        except EncodingError:
            break
    return {
        "order 3": group.encode_point(point + torsion_point(3)),
        "order 11": group.encode_point(point + torsion_point(11)),
        "off the curve": bytes(off),
        "identity": b"\xc0" + bytes(47),
        "wrong flags": bytes([off[0] & 0x7F]) + bytes(off[1:]),
    }


@pytest.mark.parametrize("fault", list(outside_the_group()))
def test_9_a_commitment_outside_the_group(fault: str) -> None:
    """A statement point that no attested value has, signed by the custodian itself."""
    commitments = list(bundles.witness().commitments())
    commitments[1] = outside_the_group()[fault]
    found = few(attestation=attestation(commitments=commitments))
    refused(EncodingError, "commitment|point", found.forge())


def test_9_a_proof_point_in_every_wrong_form() -> None:
    """The first proof point as the identity, off the curve, with wrong flags: never a traceback."""
    for fault, bad in outside_the_group().items():
        data = with_proof(small()[1], lambda proof, bad=bad: bad + proof[48:])  # type: ignore[misc]
        error = ProofError if fault.startswith("order") else EncodingError
        refused(error, "", data)


def test_9_a_scalar_past_the_order() -> None:
    """The same scalar with the group's order added: a second spelling of one proof."""

    def add_order(proof: bytes) -> bytes:
        last = int.from_bytes(proof[-32:], "big") + ORDER
        return proof[:-32] + last.to_bytes(32, "big")

    refused(EncodingError, "scalar", with_proof(small()[1], add_order))


ALTERED: list[tuple[str, Callable[[Claims], Claims]]] = [
    ("audience", lambda c: replace(c, context=replace(c.context, audience="x"))),
    ("purpose", lambda c: replace(c, context=replace(c.context, purpose="x"))),
    ("nonce", lambda c: replace(c, context=replace(c.context, nonce="00" * 32))),
    ("no nonce", lambda c: replace(c, context=replace(c.context, nonce=None))),
    ("request", lambda c: replace(c, context=replace(c.context, request="00" * 32))),
    ("asked at", lambda c: replace(c, context=replace(c.context, requested_at=NOW - 9 * DAY))),
    ("until", lambda c: replace(c, context=replace(c.context, request_expires=NOW + 9 * DAY))),
    ("not before", lambda c: replace(c, context=replace(c.context, not_before=NOW - 9 * DAY))),
    ("expires", lambda c: replace(c, context=replace(c.context, expires=NOW + 9 * DAY))),
    ("schema", lambda c: on_document(c, schema="00" * 32)),
    ("alias", lambda c: on_document(c, alias="other")),
    ("attestation", lambda c: on_document(c, attestation="00" * 32)),
    ("attestation's signer", lambda c: on_document(c, signer="00" * 32)),
    ("grant", lambda c: replace(c, grant="00" * 32)),
    ("grant's signer", lambda c: replace(c, grant_signer="00" * 32)),
    ("a set less", lambda c: replace(c, sets=c.sets[:1])),
    ("a set's name", lambda c: replace(c, sets=(replace(c.sets[0], name="x"), c.sets[1]))),
    (
        "a set's authority",
        lambda c: replace(c, sets=(replace(c.sets[0], authority="00" * 32), c.sets[1])),
    ),
    (
        "a set's digest",
        lambda c: replace(c, sets=(replace(c.sets[0], digest="00" * 32), c.sets[1])),
    ),
    ("a fact less", lambda c: replace(c, facts=c.facts[:-1])),
    ("facts in another order", lambda c: replace(c, facts=(c.facts[1], c.facts[0], *c.facts[2:]))),
    ("statement", lambda c: replace(c, statement=c.statement[:-1])),
    ("a commitment less", lambda c: replace(c, commitments=c.commitments[:-1])),
    (
        "a commitment's place",
        lambda c: replace(c, commitments=((6, c.commitments[0][1]), *c.commitments[1:])),
    ),
    (
        "commitments swapped",
        lambda c: replace(
            c,
            commitments=(
                (c.commitments[0][0], c.commitments[1][1]),
                (c.commitments[1][0], c.commitments[0][1]),
                *c.commitments[2:],
            ),
        ),
    ),
]


def test_9_unaltered_claims_pass() -> None:
    """The way in which the next test alters claims alters nothing else."""
    assert check(parts().forge(alter=lambda claims: claims))


@pytest.mark.parametrize("alter", [each for _, each in ALTERED], ids=[name for name, _ in ALTERED])
def test_9_every_item_of_the_transcript_is_bound(alter: Callable[[Claims], Claims]) -> None:
    """An item that differs on the prover's side only: the proof is refused.

    If the item were left out of the transcript, the proof would pass.
    """
    refused(ProofError, "does not verify", parts().forge(alter=alter))


@pytest.mark.parametrize("fact", ["annual_yield >= 0.08", "province = Guangdong", "fuel in @fuels"])
def test_9_every_kind_of_proof_alone_is_bound(fact: str) -> None:
    """A bundle with a single range, opening or membership is bound to its context too.

    The bundle's own times are under no signature: nothing else keeps a stranger from moving its
    expiry to the latest that the grant allows.
    """
    found = parts((fact,))
    data = found.build()
    assert check(data)
    later = replace(found.context, expires=found.context.expires + DAY)
    moved = changed(data, lambda tree: tree.update(context=later.to_json()))
    refused(ProofError, "does not verify", moved)


def test_only_the_procedure_makes_a_verdict() -> None:
    """`Verified` cannot be built or copied with changes by anyone else."""
    found = check(small()[1])
    with pytest.raises(TypeError, match="verify_bundle alone"):
        Verified(
            bundle=found.bundle,
            context=found.context,
            documents=found.documents,
            custodian=found.custodian,
            grant=found.grant,
            facts=("capacity >= 99 MW",),
            sets=(),
            selection=None,
            met=(),
            checked_at=NOW,
            _token=object(),
        )
    with pytest.raises(ValueError, match="_token"):
        replace(found, facts=("capacity >= 99 MW",))
