"""Algebra against the whole verifier: false facts under true consent, by provers of every kind.

The custodian has signed everything that each bundle needs, so only the proof can be refused; and
each is refused alone and in a batch.
"""

from __future__ import annotations

import base64
import json

import pytest
from support import naive_membership, naive_range
from support.bundles import (
    DAY,
    NOW,
    SMALL_FACTS,
    Parts,
    answering,
    named_set,
    parts,
    request,
    witness,
)
from support.forging import around, asking, check, honest, opened, refused

from proofs import canonical, equation, group
from proofs.arguments import verify_arguments
from proofs.canonical import format_instant
from proofs.claims import Claims
from proofs.equation import Equation
from proofs.errors import ProofError
from proofs.generators import G, H
from proofs.group import ONE, ORDER, Point, Scalar, encode_point, encode_scalar
from proofs.labels import frame
from proofs.opening import verify_opening
from proofs.range_proof import prove_ranges
from proofs.statement import Statement
from proofs.text import text_scalar
from proofs.transcript import Transcript
from proofs.witness import scalar_integer

DOES_NOT = "does not verify"
ANHUI = text_scalar("enum", "Anhui")


# --- openings -----------------------------------------------------------------------------------


def test_an_expiry_moved_where_only_values_are_shown() -> None:
    """A holder gives a bundle without ranges and sets all the time that the grant allows.

    It passed while an opening was the blinding itself: no challenge, so nothing bound the context.
    """
    data = parts(("province = Guangdong",)).build()
    assert check(data)
    for field, instant in (("expires", NOW + 20 * DAY), ("not_before", NOW - DAY)):
        tree = json.loads(data)
        tree["context"][field] = format_instant(instant)
        refused(ProofError, DOES_NOT, canonical.dump(tree))


def test_a_shown_value_reused_under_another_consent() -> None:
    """Whoever saw one opening has a second consent, but no second opening."""
    proof = json.loads(parts(("province = Guangdong",)).build())["proof"]
    second = answering(
        parts(SMALL_FACTS), request(("province = Guangdong",), created=NOW - 2 * DAY)
    )
    tree = json.loads(second.build())
    tree["proof"] = proof
    refused(ProofError, DOES_NOT, canonical.dump(tree))


def test_an_opening_simulated_for_a_guessed_challenge() -> None:
    """A made from s and a challenge that somebody hoped for fits that challenge only."""
    _, _, encoded = opened("province")
    (commitment,) = group.decode_statement_points([encoded])

    def prover(_claims: Claims, _statement: Statement) -> bytes:
        s, c = group.random_scalar(), group.random_scalar()
        a = group.multiply([H.point, commitment, G.point], [s, -c, c * ANHUI])
        return encode_point(a) + encode_scalar(s)

    refused(ProofError, DOES_NOT, around(asking("province = Anhui"), prover))


# --- errors that cancel -------------------------------------------------------------------------


def open_with(transcript: Transcript, claimed: Scalar, extra: Scalar) -> tuple[bytes, Scalar]:
    """An opening of the province to any value, with `extra`·G in A; the error, a multiple of G."""
    value, blinding, encoded = opened("province")
    k = group.random_scalar()
    first = encode_point(group.multiply([H.point, G.point], [k, extra]))
    aside = transcript.fork()
    (commitment,) = group.decode_statement_points([encoded])
    unknown = verify_opening(aside, claimed, commitment, encoded, first + bytes(32))
    c = unknown.scalars[1]
    proof = first + encode_scalar(k + c * blinding)
    verify_opening(transcript, claimed, commitment, encoded, proof)
    return proof, extra + c * (value - claimed)


def holds_without_weights(*proven: tuple[Parts, bytes]) -> bool:
    """What a verifier would say that adds up the equations as they are."""
    equations: list[Equation] = []
    for found, data in proven:
        proof = base64.b64decode(json.loads(data)["proof"])

        def collect(claims: Claims, statement: Statement, proof: bytes = proof) -> bytes:
            scalars = {"fuels": named_set("fuels").scalars}
            equations.extend(verify_arguments(claims, statement, proof, scalars))
            return proof

        around(found, collect)
    return equation.holds(equation.combine(equations, weights=[ONE] * len(equations)))


def test_errors_that_cancel_between_two_bundles() -> None:
    """A false opening, and a true one whose A takes the error back: no sum passes them."""
    errors: list[Scalar] = []

    def liar(claims: Claims, _statement: Statement) -> bytes:
        proof, error = open_with(claims.transcript(), ANHUI, group.ZERO)
        errors.append(error)
        return proof

    def helper(claims: Claims, _statement: Statement) -> bytes:
        return open_with(claims.transcript(), opened("province")[0], -errors[0])[0]

    lying, helping = asking("province = Anhui"), asking("province = Guangdong")
    false, other = around(lying, liar), around(helping, helper)
    assert holds_without_weights((lying, false), (helping, other))
    refused(ProofError, DOES_NOT, false, other)
    refused(ProofError, DOES_NOT, other, false, false, other)


def test_an_error_taken_back_by_the_range_argument() -> None:
    """The same within one bundle: M of the ranges holds the false opening's error."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        transcript = claims.transcript()
        proof, error = open_with(transcript, ANHUI, group.ZERO)
        value, blinding, encoded = opened("annual_yield")
        (term,) = statement.ranges
        digits = naive_range.digits_of(term.value(scalar_integer(value)), statement.digits)

        def tamper(name: str, point: Point) -> Point:
            return point - G.point * error if name == "M" else point

        return proof + naive_range.prove(
            transcript, [digits], [int(blinding)], [shown(encoded, 1, term.bound)], tamper=tamper
        )

    found = asking("annual_yield >= 0.08", "province = Anhui")
    data = around(found, prover)
    assert holds_without_weights((found, data))
    refused(ProofError, DOES_NOT, data)


def test_an_error_taken_back_by_the_membership_argument() -> None:
    """The same with F_0 of a membership."""

    def prover(claims: Claims, _statement: Statement) -> bytes:
        transcript = claims.transcript()
        proof, error = open_with(transcript, ANHUI, group.ZERO)
        value, blinding, _ = opened("fuel")
        inner = naive_membership.Statement(named_set("fuels").scalars, value, blinding)
        errors = {"F_0": -(G.point * error)}
        return proof + naive_membership.prove(transcript, inner, member=True, errors=errors)

    found = asking("fuel in @fuels", "province = Anhui")
    data = around(found, prover)
    assert holds_without_weights((found, data))
    refused(ProofError, DOES_NOT, data)


# --- ranges -------------------------------------------------------------------------------------


def shown(encoded: bytes, sign: int, bound: int) -> bytes:
    """What the range argument absorbs for a derived commitment."""
    return frame(encoded, str(sign).encode(), str(bound).encode())


def encodings_of(statement: Statement) -> list[bytes]:
    commitments = witness().commitments()
    return [
        shown(commitments[term.attribute] or b"", term.sign, term.bound)
        for term in statement.ranges
    ]


def test_the_half_of_a_range_that_is_true_proven_twice() -> None:
    """48.5 is at least 20; that it is at most 40 is not shown by showing the first again."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        value, blinding, _ = opened("capacity")
        low = scalar_integer(value) - statement.ranges[0].bound
        return prove_ranges(
            claims.transcript(),
            [low, low],
            [blinding, blinding],
            encodings_of(statement),
            digits=statement.digits,
        )

    refused(ProofError, DOES_NOT, around(asking("capacity in 20..48.499 MW"), prover))


def test_the_halves_of_a_range_exchanged() -> None:
    """The order of the terms is part of the statement."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        value, blinding, _ = opened("capacity")
        terms = statement.ranges[::-1]
        return prove_ranges(
            claims.transcript(),
            [term.value(scalar_integer(value)) for term in terms],
            [term.blinding(blinding) for term in terms],
            encodings_of(statement)[::-1],
            digits=statement.digits,
        )

    refused(ProofError, DOES_NOT, around(asking("capacity in 20..60 MW"), prover))


def test_a_neighbours_value() -> None:
    """The yield is at least 4 when the capacity's commitment stands in its place."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        value, blinding, encoded = opened("capacity")
        (term,) = statement.ranges
        return prove_ranges(
            claims.transcript(),
            [term.value(scalar_integer(value))],
            [blinding],
            [shown(encoded, 1, term.bound)],
            digits=statement.digits,
        )

    refused(ProofError, DOES_NOT, around(asking("annual_yield >= 4"), prover))


@pytest.mark.parametrize("low", [[ORDER - 1, 0], [15, ORDER - 1]])
def test_a_negative_difference_as_digits(low: list[int]) -> None:
    """-1 as one digit, and as 15 - 16."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        _, blinding, _ = opened("annual_yield")
        return naive_range.prove(
            claims.transcript(),
            [[*low, *[0] * (statement.digits - 2)]],
            [int(blinding)],
            encodings_of(statement),
            multiplicities=[statement.digits - 1, *[0] * 14, 1],
        )

    refused(ProofError, DOES_NOT, around(asking("annual_yield >= 0.0913"), prover))


def test_another_number_of_digits_in_a_proof_of_equal_length() -> None:
    """Up to 16 digits a proof has one length; the number is bound all the same."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        value, blinding, _ = opened("annual_yield")
        (term,) = statement.ranges
        return prove_ranges(
            claims.transcript(),
            [term.value(scalar_integer(value))],
            [blinding],
            encodings_of(statement),
            digits=statement.digits + 1,
        )

    refused(ProofError, DOES_NOT, around(asking("annual_yield >= 0.08"), prover))


# --- what passes --------------------------------------------------------------------------------


def test_what_the_forgers_build_around_true_proofs_passes() -> None:
    """The helpers of this file lie only where a test says so."""
    found = asking("province = Guangdong", "fuel in @fuels", "capacity in 20..60 MW")
    assert len(check(around(found, honest)).facts) == 3

    def naive(claims: Claims, statement: Statement) -> bytes:
        transcript = claims.transcript()
        proof, error = open_with(transcript, opened("province")[0], group.ZERO)
        assert error == group.ZERO
        value, blinding, _ = opened("capacity")
        proof += naive_range.prove(
            transcript,
            [
                naive_range.digits_of(term.value(scalar_integer(value)), statement.digits)
                for term in statement.ranges
            ],
            [int(term.blinding(blinding)) for term in statement.ranges],
            encodings_of(statement),
        )
        value, blinding, _ = opened("fuel")
        inner = naive_membership.Statement(named_set("fuels").scalars, value, blinding)
        return proof + naive_membership.prove(transcript, inner, member=True)

    assert check(around(found, naive))
