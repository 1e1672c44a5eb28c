"""Membership argument: true statements verify, both sides absorb the same, in the given order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import naive_membership as naive
from support.naive_membership import START, Statement, make_set
from support.simulators import Programme, simulate_membership
from support.transcripts import (
    AlteringTranscript,
    ProgrammedTranscript,
    RecordingTranscript,
    ScriptedTranscript,
)

from proofs import equation, group
from proofs.equation import Equation
from proofs.errors import CannotProveError, ProofError
from proofs.group import ORDER, ZERO, Scalar, scalar
from proofs.membership import proof_length, prove_membership, verify_membership
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

MEMBERS = (3, 7, 2**61, ORDER - 4, 0)
ORDER_OF_ABSORPTION = [
    ("+", b"argument"),
    ("+", b"powers"),
    ("+", b"polarity"),
    ("+", b"size"),
    ("+", b"set"),
    ("+", b"generators"),
    ("+", b"V"),
    ("+", b"C"),
    ("+", b"F"),
    ("+", b"F_0"),
    ("+", b"W"),
    ("+", b"D"),
    ("?", b"x"),
    ("+", b"responses"),
]


def _prove(transcript: Transcript, statement: Statement, *, member: bool) -> bytes:
    return prove_membership(
        transcript,
        statement.value,
        statement.blinding,
        statement.encoding,
        statement.members,
        member=member,
    )


def _equations(
    transcript: Transcript, statement: Statement, proof: bytes, *, member: bool
) -> list[Equation]:
    return verify_membership(
        transcript,
        statement.commitment,
        statement.encoding,
        statement.members,
        proof,
        member=member,
    )


def _inside(members: ScalarSet = make_set(*MEMBERS)) -> Statement:  # noqa: B008
    return Statement(members, scalar(7))


def _outside(members: ScalarSet = make_set(*MEMBERS)) -> Statement:  # noqa: B008
    return Statement(members, scalar(8))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 64, 100])
@pytest.mark.parametrize("member", [True, False])
def test_true_statements_verify_at_every_kind_of_size(size: int, member: bool) -> None:
    """Sizes around each power of two, where a coefficient more or less fits, both polarities."""
    members = make_set(*range(10, 10 + size))
    statement = Statement(members, scalar(10 + size - member))
    proof = _prove(Transcript(START), statement, member=member)
    assert len(proof) == proof_length(size, member=member)
    equations = _equations(Transcript(START), statement, proof, member=member)
    assert len(equations) == 3
    equation.check(equations)


@pytest.mark.parametrize("value", MEMBERS)
def test_every_member_is_one(value: int) -> None:
    """Each member of a set, zero and scalars near the order included, is proven to be in it."""
    statement = Statement(make_set(*MEMBERS), scalar(value))
    proof = _prove(Transcript(START), statement, member=True)
    equation.check(_equations(Transcript(START), statement, proof, member=True))


@pytest.mark.parametrize(
    ("size", "member", "length"),
    [
        (1, True, 400),
        (2, False, 448),
        (4, True, 400),
        (5, True, 480),
        (256, True, 880),
        (257, True, 960),
        (4096, True, 1200),
        (16_384, False, 1408),
        (65_536, False, 1568),
    ],
)
def test_lengths_are_fixed_by_size_and_polarity(size: int, member: bool, length: int) -> None:
    """80(m + 3) bytes, and a point more when the value is not a member."""
    assert proof_length(size, member=member) == length


@pytest.mark.parametrize("member", [True, False])
def test_false_statements_are_not_proven(member: bool) -> None:
    """The prover refuses, and says only which way round it is."""
    statement = _outside() if member else _inside()
    with pytest.raises(CannotProveError) as caught:
        _prove(Transcript(START), statement, member=member)
    assert str(caught.value) == f"the value is {'not in' if member else 'in'} the set"


@pytest.mark.parametrize("size", [1, 2, 4, 5, 8, 11])
@pytest.mark.parametrize("member", [True, False])
def test_proofs_of_the_term_by_term_prover_verify(size: int, member: bool) -> None:
    """A prover that computes Q(X) term by term over integers convinces the same verifier."""
    statement = Statement(make_set(*range(size)), scalar(size - member))
    proof = naive.prove(Transcript(START), statement, member=member)
    equation.check(_equations(Transcript(START), statement, proof, member=member))


@pytest.mark.parametrize("member", [True, False])
def test_both_sides_absorb_the_same_in_the_specified_order(member: bool) -> None:
    """Prover and verifier end in the same state; W is absorbed exactly where there is one."""
    statement = _inside() if member else _outside()
    prover, verifier = RecordingTranscript(START), RecordingTranscript(START)
    proof = _prove(prover, statement, member=member)
    _equations(verifier, statement, proof, member=member)
    expected = [event for event in ORDER_OF_ABSORPTION if not member or event[1] != b"W"]
    assert prover.events == expected
    assert verifier.events == expected
    assert prover.challenge(b"next") == verifier.challenge(b"next")


@pytest.mark.parametrize(
    "label", [label for kind, label in ORDER_OF_ABSORPTION[:12] if kind == "+"]
)
def test_every_item_before_the_challenge_matters(label: bytes) -> None:
    """A proof made over a history that differs in one item is refused; left out, it would pass."""
    statement = _outside()
    prover = AlteringTranscript(START, label=label)
    proof = _prove(prover, statement, member=False)
    assert prover.altered
    with pytest.raises(ProofError):
        equation.check(_equations(Transcript(START), statement, proof, member=False))


@pytest.mark.parametrize("member", [True, False])
def test_responses_matter_to_what_follows(member: bool) -> None:
    """Each response is absorbed: the next challenge of the transcript depends on every one."""
    statement = _inside() if member else _outside()
    proof = _prove(Transcript(START), statement, member=member)
    seen = set()
    for place in (None, *range(len(proof) - 1, len(proof) - 32 * 6, -32)):
        data = bytearray(proof)
        if place is not None:
            data[place] ^= 1
        verifier = Transcript(START)
        _equations(verifier, statement, bytes(data), member=member)
        seen.add(int(verifier.challenge(b"next")))
    assert len(seen) == 7


def test_history_before_the_argument_matters() -> None:
    """A proof made in one context is nothing in another."""
    statement = _inside()
    prover, verifier = Transcript(START), Transcript(START)
    prover.append_bytes(b"context", b"audience A")
    verifier.append_bytes(b"context", b"audience B")
    proof = _prove(prover, statement, member=True)
    with pytest.raises(ProofError):
        equation.check(_equations(verifier, statement, proof, member=True))


def test_prover_starts_again_at_the_challenge_zero() -> None:
    """A proof at x = 0 would be refused: the prover draws anew and its proof verifies."""
    statement = _inside()
    prover = ScriptedTranscript(START, {b"x": ZERO}, once=True)
    proof = _prove(prover, statement, member=True)
    verifier = Transcript(START)
    equation.check(_equations(verifier, statement, proof, member=True))
    assert prover.challenge(b"next") == verifier.challenge(b"next")


def test_verifier_refuses_the_challenge_zero() -> None:
    """At x = 0 the commitment V falls out of the equations, so it is no proof."""
    statement = _inside()
    proof = _prove(Transcript(START), statement, member=True)
    with pytest.raises(ProofError, match="zero"):
        _equations(ScriptedTranscript(START, {b"x": ZERO}), statement, proof, member=True)


def test_no_two_proofs_share_randomness() -> None:
    """Two proofs of one statement have no point and no response in common."""
    statement = _outside()
    first, second = (_prove(Transcript(START), statement, member=False) for _ in range(2))
    points = 48 * 7
    shared = [
        k
        for step, places in ((48, range(0, points, 48)), (32, range(points, len(first), 32)))
        for k in places
        if first[k : k + step] == second[k : k + step]
    ]
    assert shared == []


def test_one_false_proof_spoils_a_batch() -> None:
    """Equations of many proofs are checked at once; one that does not hold is noticed."""
    statement = _inside()
    proofs = [_prove(Transcript(START), statement, member=True) for _ in range(4)]
    good = [e for p in proofs for e in _equations(Transcript(START), statement, p, member=True)]
    equation.check(good)
    data = bytearray(proofs[2])
    data[-1] ^= 1
    bad = _equations(Transcript(START), statement, bytes(data), member=True)
    with pytest.raises(ProofError):
        equation.check([*good, *bad])


def _residual(e: Equation) -> group.Point:
    points = [*(generator.point for generator in e.fixed), *e.points]
    return group.multiply(points, [*e.fixed_scalars, *e.scalars])


@pytest.mark.parametrize("member", [True, False])
def test_each_equation_holds_alone(member: bool) -> None:
    """The three equations hold one by one, not only in sum."""
    statement = _inside() if member else _outside()
    proof = _prove(Transcript(START), statement, member=member)
    equations = _equations(Transcript(START), statement, proof, member=member)
    assert [_residual(e) == group.IDENTITY for e in equations] == [True] * 3


def _responses_of(proof: bytes, count: int) -> list[Scalar]:
    tail = proof[-32 * count :]
    return [group.decode_scalar(tail[k : k + 32]) for k in range(0, len(tail), 32)]


def _extract(make: Callable[[Scalar], bytes], xs: list[Scalar], m: int) -> tuple[int, int]:
    """u and r from two accepting transcripts with the same first messages."""
    first, second = (_responses_of(make(x), m + 3) for x in xs)
    over = (xs[0] - xs[1]).inverse()
    return int((first[0] - second[0]) * over), int((first[m] - second[m]) * over)


def test_two_transcripts_give_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Special soundness, run: same first messages, two challenges, and V's opening comes out."""
    statement = _inside()
    monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(count))

    def make(x: Scalar) -> bytes:
        return _prove(ScriptedTranscript(START, {b"x": x}), statement, member=True)

    xs = [scalar(5), scalar(9)]
    assert _extract(make, xs, 3) == (int(statement.value), int(statement.blinding))


@pytest.mark.parametrize("size", [1, 4, 5, 8])
@pytest.mark.parametrize("member", [True, False])
def test_whoever_knows_the_challenge_needs_no_witness(size: int, member: bool) -> None:
    """Zero knowledge, run: a proof about a point that nobody can open, for a challenge known."""
    V = group.hash_to_point(b"test", b"nobody opens this")
    members, programme = make_set(*range(size)), Programme()
    proof = simulate_membership(programme, V, members, member=member)
    encoding = group.encode_point(V)
    scripted = ProgrammedTranscript(START, programme)
    equation.check(verify_membership(scripted, V, encoding, members, proof, member=member))
    real = Transcript(START)
    with pytest.raises(ProofError):
        equation.check(verify_membership(real, V, encoding, members, proof, member=member))
