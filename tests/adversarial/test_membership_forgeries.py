"""Membership proofs that must not pass: false statements, borrowed proofs, changed bytes.

The forger here follows the argument's messages with a prover of its own (`naive_membership`), so
each test fails when the one check that it is about is taken out.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import naive_membership as naive
from support.naive_membership import START, Statement, make_set, squares
from support.torsion import torsion_point

from proofs import equation, generators, group
from proofs.equation import Equation
from proofs.errors import CrossproofError, EncodingError, ProofError
from proofs.group import ONE, ORDER, Point, scalar
from proofs.membership import proof_length, prove_membership, verify_membership
from proofs.transcript import Transcript

MEMBERS = make_set(3, 7, 2**61, ORDER - 4, 0)
INSIDE = Statement(MEMBERS, scalar(7))
OUTSIDE = Statement(MEMBERS, scalar(8))
M = 3
POINTS = 3 + M


def _proof(statement: Statement, *, member: bool) -> bytes:
    return prove_membership(
        Transcript(START),
        statement.value,
        statement.blinding,
        statement.encoding,
        statement.members,
        member=member,
    )


MEMBER_PROOF = _proof(INSIDE, member=True)
OTHER_PROOF = _proof(OUTSIDE, member=False)


def _equations(statement: Statement, proof: bytes, *, member: bool) -> list[Equation]:
    return verify_membership(
        Transcript(START),
        statement.commitment,
        statement.encoding,
        statement.members,
        proof,
        member=member,
    )


def _verify(statement: Statement, proof: bytes, *, member: bool) -> None:
    equation.check(_equations(statement, proof, member=member))


def _refused(statement: Statement, proof: bytes, *, member: bool) -> bool:
    """Whether the verifier refuses, with one of this package's errors and no other."""
    try:
        _verify(statement, proof, member=member)
    except CrossproofError:
        return True
    return False


def _accepted_unweighted(equations: list[Equation]) -> bool:
    """What a verifier would say that adds the equations up as they are."""
    return equation.holds(equation.combine(equations, weights=[ONE] * len(equations)))


def test_member_proof_for_a_non_member() -> None:
    """A prover that runs the argument on a value outside the set convinces nobody."""
    proof = naive.prove(Transcript(START), OUTSIDE, member=True)
    with pytest.raises(ProofError):
        _verify(OUTSIDE, proof, member=True)


@pytest.mark.parametrize("w_inverse", [0, 1, ORDER - 1, 12345])
def test_non_member_proof_for_a_member(w_inverse: int) -> None:
    """Whatever W holds, P(u)·W = K has no solution when P(u) is zero."""
    proof = naive.prove(Transcript(START), INSIDE, member=False, w_inverse=w_inverse)
    with pytest.raises(ProofError):
        _verify(INSIDE, proof, member=False)


def test_non_member_proof_with_another_inverse() -> None:
    """W must hold the inverse of P(u), and not some other value."""
    proof = naive.prove(Transcript(START), OUTSIDE, member=False, w_inverse=5)
    with pytest.raises(ProofError):
        _verify(OUTSIDE, proof, member=False)


def test_powers_that_are_not_squares() -> None:
    """A false root is found when u_2 is chosen freely; the vector equation refuses it."""
    us = _false_powers()
    proof = naive.prove(Transcript(START), OUTSIDE, member=True, us=us)
    equations = _equations(OUTSIDE, proof, member=True)
    assert [equation.holds(e) for e in equations] == [True, False, True]
    with pytest.raises(ProofError):
        equation.check(equations)


def _false_powers() -> list[int]:
    """u, u² and a third element, no square of the second, at which P's sum vanishes."""
    u, square, _ = squares(int(OUTSIDE.value), M)

    def total(last: int) -> int:
        return int(MEMBERS.polynomial.evaluate([scalar(u), scalar(square), scalar(last)]))

    constant, slope = total(0), (total(1) - total(0)) % ORDER
    third = -constant * pow(slope, -1, ORDER) % ORDER
    assert total(third) == 0
    assert third != square**2 % ORDER
    return [u, square, third]


def test_powers_that_are_not_of_the_committed_value() -> None:
    """Powers of a member in C, with V of a non-member: the two are tied by f̄_0."""
    proof = naive.prove(Transcript(START), OUTSIDE, member=True, us=squares(7, M))
    with pytest.raises(ProofError):
        _verify(OUTSIDE, proof, member=True)


def test_error_of_the_vector_equation_hidden_in_the_last() -> None:
    """Added up without weights, D_2 would swallow the multiple of S_1 that a false square leaves.

    The forgery is run: the plain sum accepts it, independent weights refuse it.
    """
    us = _false_powers()
    residue = scalar((us[1] ** 2 - us[2]) % ORDER)
    hidden = generators.product_bases(M - 1)[1].point * residue

    def alter(k: int, point: Point) -> Point:
        return point + hidden if k == 2 else point

    proof = naive.prove(Transcript(START), OUTSIDE, member=True, us=us, alter_d=alter)
    equations = _equations(OUTSIDE, proof, member=True)
    assert [equation.holds(e) for e in equations] == [True, False, False]
    assert _accepted_unweighted(equations)
    with pytest.raises(ProofError):
        equation.check(equations)


@pytest.mark.parametrize(("name", "k", "sign"), [("F_0", 0, -1), ("F", 0, -1), ("C", 1, -1)])
def test_errors_that_cancel_between_equations(name: str, k: int, sign: int) -> None:
    """One point added in one equation and taken away in another is noticed."""
    error = group.hash_to_point(b"test", b"error")

    def alter(index: int, point: Point) -> Point:
        return point - error if index == k else point

    proof = naive.prove(Transcript(START), INSIDE, member=True, errors={name: error}, alter_d=alter)
    equations = _equations(INSIDE, proof, member=True)
    assert _accepted_unweighted(equations)
    with pytest.raises(ProofError):
        equation.check(equations)


def test_errors_that_cancel_between_proofs() -> None:
    """Two false proofs whose errors are opposite do not pass together."""
    error = group.hash_to_point(b"test", b"error")
    proofs = [
        naive.prove(Transcript(START), INSIDE, member=True, errors={"F_0": shift})
        for shift in (error, -error)
    ]
    equations = [e for proof in proofs for e in _equations(INSIDE, proof, member=True)]
    assert _accepted_unweighted(equations)
    with pytest.raises(ProofError):
        equation.check(equations)


def test_swapped_polarity() -> None:
    """A proof of one polarity is none of the other, as it is or with W cut out or put in."""
    w_at = 3 * 48
    without = OTHER_PROOF[:w_at] + OTHER_PROOF[w_at + 48 :]
    with_k = MEMBER_PROOF[:w_at] + generators.K.encode() + MEMBER_PROOF[w_at:]
    assert not _refused(OUTSIDE, OTHER_PROOF, member=False)
    assert not _refused(INSIDE, MEMBER_PROOF, member=True)
    assert _refused(OUTSIDE, OTHER_PROOF, member=True)
    assert _refused(OUTSIDE, without, member=True)
    assert _refused(INSIDE, MEMBER_PROOF, member=False)
    assert _refused(INSIDE, with_k, member=False)


@pytest.mark.parametrize(
    "other",
    [
        make_set(3, 7, 2**61, ORDER - 4, 1),
        make_set(3, 7, 2**61, ORDER - 4, 0, tag=b"identifier"),
        make_set(3, 7, 2**61, ORDER - 4, 0, 5),
        make_set(7),
    ],
    ids=["same size", "same members, other type", "one more", "one"],
)
def test_another_set(other: naive.ScalarSet) -> None:
    """A proof about one set says nothing about another, even one that holds the value too."""
    assert _refused(Statement(other, INSIDE.value, INSIDE.blinding), MEMBER_PROOF, member=True)
    assert _refused(Statement(other, OUTSIDE.value, OUTSIDE.blinding), OTHER_PROOF, member=False)


def test_another_commitment() -> None:
    """A proof belongs to its commitment: another blinding, or another value, and it is nothing."""
    same_value = Statement(MEMBERS, INSIDE.value)
    other_member = Statement(MEMBERS, scalar(3), INSIDE.blinding)
    assert _refused(same_value, MEMBER_PROOF, member=True)
    assert _refused(other_member, MEMBER_PROOF, member=True)


@pytest.mark.parametrize("w", [0xC0, 0xE0, 0x40], ids=hex)
@pytest.mark.parametrize("tail", [0, 1])
def test_identity_as_inverse(w: int, tail: int) -> None:
    """W = O would turn the last equation into one that V does not enter; it has no encoding."""
    place = 3 * 48
    identity = bytes([w]) + bytes(46) + bytes([tail])
    proof = OTHER_PROOF[:place] + identity + OTHER_PROOF[place + 48 :]
    with pytest.raises(EncodingError):
        _verify(OUTSIDE, proof, member=False)


@pytest.mark.parametrize("order", [3, 11])
def test_torsion_as_inverse_of_a_member(order: int) -> None:
    """W that vanishes when the cofactor is cleared is no inverse of zero either."""
    torsion = {"W": torsion_point(order)}
    proof = naive.prove(
        Transcript(START), INSIDE, member=False, w_inverse=0, rho_w=0, errors=torsion
    )
    with pytest.raises(ProofError):
        _verify(INSIDE, proof, member=False)


@pytest.mark.parametrize("order", [3, 11])
@pytest.mark.parametrize("name", ["C", "F", "F_0", "W", "D"])
def test_torsion_of_the_prover_changes_no_verdict(order: int, name: str) -> None:
    """A prover's torsion helps no false statement and spoils no true one."""
    torsion = torsion_point(order)

    def alter(k: int, point: Point) -> Point:
        return point + torsion if name == "D" else point

    errors = {} if name == "D" else {name: torsion}
    for statement, refused in ((OUTSIDE, False), (INSIDE, True)):
        proof = naive.prove(
            Transcript(START), statement, member=False, errors=errors, alter_d=alter
        )
        assert _refused(statement, proof, member=False) is refused


@pytest.mark.parametrize("order", [3, 11])
@pytest.mark.parametrize("index", range(POINTS + 1))
def test_torsion_added_afterwards(order: int, index: int) -> None:
    """Clearing would forgive torsion in a point; the challenge, drawn from its bytes, does not."""
    start = 48 * index
    point = group.decode_proof_point(OTHER_PROOF[start : start + 48])
    moved = (point + torsion_point(order)).to_compressed_bytes()
    proof = OTHER_PROOF[:start] + moved + OTHER_PROOF[start + 48 :]
    with pytest.raises(ProofError):
        _verify(OUTSIDE, proof, member=False)


@pytest.mark.parametrize("index", range(M + 3))
def test_second_spelling_of_a_response(index: int) -> None:
    """A response written as itself plus the group order is refused: one proof, one spelling."""
    start = 48 * POINTS + 32 * index
    value = int.from_bytes(MEMBER_PROOF[start : start + 32], "big")
    spelled = (value + ORDER).to_bytes(32, "big")
    proof = MEMBER_PROOF[:start] + spelled + MEMBER_PROOF[start + 32 :]
    with pytest.raises(EncodingError):
        _verify(INSIDE, proof, member=True)


@pytest.mark.parametrize("index", range(POINTS))
def test_second_sign_of_a_point(index: int) -> None:
    """The other point with the same x is another point."""
    start = 48 * index
    proof = bytearray(MEMBER_PROOF)
    proof[start] ^= 0x20
    with pytest.raises(ProofError):
        _verify(INSIDE, bytes(proof), member=True)


def test_every_truncation_and_extension() -> None:
    """Only the exact length is read: every prefix, and every extension tried, is refused."""
    for length in range(len(MEMBER_PROOF)):
        assert _refused(INSIDE, MEMBER_PROOF[:length], member=True)
    for tail in (b"\0", MEMBER_PROOF[-32:], MEMBER_PROOF[:48], MEMBER_PROOF):
        assert _refused(INSIDE, MEMBER_PROOF + tail, member=True)


def test_every_bit_flip() -> None:
    """No bit of a non-membership proof can be changed: all 3,584 flips are refused."""
    statement = Statement(make_set(3, 7), scalar(8))
    proof = _proof(statement, member=False)
    assert len(proof) == proof_length(2, member=False) == 448
    passed = []
    for bit in range(8 * len(proof)):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        if not _refused(statement, bytes(changed), member=False):
            passed.append(bit)
    assert passed == []


def test_two_points_or_responses_exchanged() -> None:
    """Neighbouring parts of a proof do not commute."""
    passed = []
    starts = [(48 * k, 48) for k in range(POINTS - 1)]
    starts += [(48 * POINTS + 32 * k, 32) for k in range(M + 2)]
    for start, width in starts:
        first, second = start + width, start + 2 * width
        swapped = MEMBER_PROOF[first:second] + MEMBER_PROOF[start:first]
        proof = MEMBER_PROOF[:start] + swapped + MEMBER_PROOF[second:]
        if not _refused(INSIDE, proof, member=True):
            passed.append(start)
    assert passed == []


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=480, max_size=480), st.integers(0, 480))
def test_noise_is_refused_without_a_traceback(noise: bytes, start: int) -> None:
    """Random bytes in any tail of a proof raise this package's errors and no others."""
    proof = MEMBER_PROOF[:start] + noise[start:]
    assert proof == MEMBER_PROOF or _refused(INSIDE, proof, member=True)
