"""Sets, parts and statements of true proofs exchanged: false facts under true consent.

As in `test_forgeries_against_verifier`, only the proof can be refused, alone and in a batch.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import naive_membership
from support.bundles import (
    DAY,
    NOW,
    SMALL_FACTS,
    Parts,
    attestation,
    good,
    named_set,
    parts,
)
from support.forging import around, asking, check, honest, moved, opened, refused
from support.torsion import torsion_point

from proofs import canonical, group
from proofs.claims import Claims
from proofs.errors import EncodingError, ProofError
from proofs.group import ORDER, Scalar, encode_point, encode_scalar
from proofs.membership import prove_membership
from proofs.named_set import NamedSet
from proofs.sets import ScalarSet
from proofs.statement import Statement
from proofs.text import text_scalar

DOES_NOT = "does not verify"
ANHUI = text_scalar("enum", "Anhui")


# --- sets ---------------------------------------------------------------------------------------


def under_the_digest(genuine: ScalarSet, members: list[Scalar]) -> ScalarSet:
    """Other members under the digest of a genuine set: what a liar computes with."""
    other = ScalarSet.from_scalars(members, genuine.type_tag)
    other.digest = genuine.digest
    return other


def with_the_owner(found: NamedSet) -> ScalarSet:
    """The set with its first member exchanged for the owner of the document."""
    members = found.header.type.scalars(found.members)
    return under_the_digest(found.scalars, [opened("owner")[0], *members[1:]])


def prover_about(members: ScalarSet, attribute: str, *, member: bool) -> Callable[..., bytes]:
    value, blinding, encoded = opened(attribute)

    def prover(claims: Claims, _statement: Statement) -> bytes:
        return prove_membership(
            claims.transcript(), value, blinding, encoded, members, member=member
        )

    return prover


def test_a_list_of_ones_own_under_the_true_digest() -> None:
    """The prover's set has the value, the count and the digest; the verifier's has the members."""
    prover = prover_about(with_the_owner(named_set()), "owner", member=True)
    refused(ProofError, DOES_NOT, around(asking("owner in @sanctions"), prover))


def test_a_list_without_the_value_under_the_true_digest() -> None:
    """The same for `not in`: solar is on the list of the verifier."""
    genuine = named_set("fuels").scalars
    mine = under_the_digest(genuine, [text_scalar("identifier", word) for word in "ABC"])
    found = asking("fuel not in @fuels")
    refused(ProofError, DOES_NOT, around(found, prover_about(mine, "fuel", member=False)))


def test_a_member_proven_to_be_none() -> None:
    """W of the inverse of zero: whatever it holds."""

    def prover(claims: Claims, _statement: Statement) -> bytes:
        value, blinding, _ = opened("fuel")
        inner = naive_membership.Statement(named_set("fuels").scalars, value, blinding)
        return naive_membership.prove(claims.transcript(), inner, member=False, w_inverse=1)

    refused(ProofError, DOES_NOT, around(asking("fuel not in @fuels"), prover))


def test_a_planted_polynomial(tmp_path: Path) -> None:
    """A cache in which the set has the owner as a root too: the verifier computes its own."""
    found, lie = named_set(), with_the_owner(named_set())
    planted = lie.polynomial.coefficients[:-1]
    path = tmp_path / f"{found.header.digest}.poly"
    path.write_bytes(
        b"crossproof/set-polynomial/v1\n"
        + b"".join([int(each).to_bytes(32, "big") for each in planted])
    )
    held = (NamedSet.parse(found.export(), cache=tmp_path),)
    data = around(asking("owner in @sanctions"), prover_about(lie, "owner", member=True))
    refused(ProofError, DOES_NOT, data, held=held)
    assert path.read_bytes()[29:61] != int(planted[0]).to_bytes(32, "big")


# --- parts of a true proof ----------------------------------------------------------------------


def with_proof(data: bytes, proof: bytes) -> bytes:
    tree = json.loads(data)
    tree["proof"] = base64.b64encode(proof).decode()
    return canonical.dump(tree)


def test_arguments_of_equal_length_exchanged_and_repeated() -> None:
    """Two memberships in sets of three: each stands at its own place of the transcript."""
    data = parts(("fuel in @fuels", "fuel in {GAS, SOLAR, WIND}")).build()
    proof = base64.b64decode(json.loads(data)["proof"])
    first, second = proof[: len(proof) // 2], proof[len(proof) // 2 :]
    assert check(data)
    changed = (second + first, first + first, second + second)
    refused(ProofError, DOES_NOT, *(with_proof(data, each) for each in changed))


def split(proof: bytes) -> list[tuple[int, int]]:
    """Where points stand in the proof of `good()`: opening, ranges, two memberships."""
    places, at = [], 0
    rounds = (len(proof) - 80 - 80 * 5 - (80 * 10 + 48) - 192 - 32 * 5) // 96
    for points, scalars in ((1, 1), (4 + 2 * rounds, 5), (5, 5), (11, 10)):
        places += [(at + 48 * k, 48) for k in range(points)]
        at += 48 * points
        places += [(at + 32 * k, 32) for k in range(scalars)]
        at += 32 * scalars
    assert at == len(proof)
    return places


def altered(change: Callable[[bytes], bytes], length: int) -> list[bytes]:
    data = good()[1]
    proof = base64.b64decode(json.loads(data)["proof"])
    return [
        with_proof(data, proof[:at] + change(proof[at : at + size]) + proof[at + size :])
        for at, size in split(proof)
        if size == length
    ]


@pytest.mark.parametrize("order", [3, 11])
def test_torsion_in_any_point(order: int) -> None:
    """Clearing forgives torsion; the challenges, drawn from the bytes, do not."""
    torsion = torsion_point(order)
    changed = altered(lambda e: encode_point(group.decode_proof_point(e) + torsion), 48)
    assert len(changed) > 25
    refused(ProofError, DOES_NOT, *changed)


def test_the_other_sign_of_any_point() -> None:
    """-P for P, one bit."""
    refused(ProofError, DOES_NOT, *altered(lambda e: bytes([e[0] ^ 0x20]) + e[1:], 48))


def test_the_other_sign_of_any_scalar() -> None:
    """q - s for s, and nothing for s."""
    refused(ProofError, DOES_NOT, *altered(lambda e: encode_scalar(-group.decode_scalar(e)), 32))
    refused(ProofError, DOES_NOT, *altered(lambda _: bytes(32), 32))


def test_the_second_spelling_of_any_scalar() -> None:
    """s + q where 32 bytes hold it, 2^256 - 1 where they do not."""

    def spelt(encoded: bytes) -> bytes:
        other = int.from_bytes(encoded, "big") + ORDER
        return min(other, (1 << 256) - 1).to_bytes(32, "big")

    refused(EncodingError, "scalar", *altered(spelt, 32))


@pytest.mark.parametrize("fill", [b"\xc0", b"\xe0", b"\x40", b"\x00", b"\xff"])
def test_no_point_in_the_place_of_any_point(fill: bytes) -> None:
    """The identity with and without junk, no flags, x past the field."""
    refused(EncodingError, "point", *altered(lambda e: fill + e[1:], 48))


# --- statements exchanged after proving ---------------------------------------------------------


def keeping_the_proof(one: Parts, other: Parts) -> bytes:
    """The second parts, all in order, around the proof of the first."""
    proof = base64.b64decode(json.loads(one.build())["proof"])
    return around(other, lambda _claims, _statement: proof)


def test_another_attestation_with_the_same_commitments() -> None:
    """Another date, version or valid-until: commitments alone would not tell them apart."""
    first = parts(SMALL_FACTS)
    for change in ({"version": 3}, {"valid_until": NOW + 80 * DAY}, {"personal_part": None}):
        second = parts(SMALL_FACTS, attestation=attestation(**change))
        refused(ProofError, DOES_NOT, keeping_the_proof(first, second))


def test_another_grant_of_the_same_request() -> None:
    """A second consent with a later end, under the proof of the first."""
    second = parts(SMALL_FACTS, grant_changes=(("bundle_expires", NOW + 19 * DAY),))
    refused(ProofError, DOES_NOT, keeping_the_proof(parts(SMALL_FACTS), second))


def test_another_end_within_the_grant() -> None:
    """The bundle's own time is nobody's to move."""
    first = parts(SMALL_FACTS)
    refused(ProofError, DOES_NOT, keeping_the_proof(first, moved(first, expires=NOW + 16 * DAY)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("capacity in 20..60 MW",), ("capacity in 20..59 MW",)),
        (("annual_yield >= 0.08",), ("annual_yield <= 0.08",)),
        (("annual_yield >= 0.08",), ("annual_yield >= 0.1",)),
        (
            ("annual_yield >= 0.08", "capacity >= 20 MW"),
            ("capacity >= 20 MW", "annual_yield >= 0.08"),
        ),
        (("fuel in {GAS, SOLAR}",), ("fuel in {COAL, GAS}",)),
        (("fuel in {GAS, SOLAR, WIND}",), ("fuel in @fuels",)),
        (("province = Guangdong",), ("province = Anhui",)),
    ],
)
def test_another_fact_with_a_proof_of_equal_length(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """Bounds, signs, order, members and values were all there before the first challenge."""
    refused(ProofError, DOES_NOT, keeping_the_proof(asking(*before), asking(*after)))


def test_a_fact_cut_off_with_its_argument() -> None:
    """Consent to both lists; the shorter one's proof is not the beginning of the longer one's."""
    both = asking("province = Guangdong", "fuel in @fuels")
    proof = base64.b64decode(json.loads(around(both, honest))["proof"])
    one = asking("province = Guangdong")
    refused(ProofError, DOES_NOT, around(one, lambda _claims, _statement: proof[:80]))
    refused(EncodingError, "cut off", around(one, lambda _claims, _statement: proof))
