"""What a proof about a set in pieces shows (the extractor, run), and what not (the simulator)."""

from __future__ import annotations

import pytest
from support.naive_membership import START, Statement, make_set
from support.transcripts import ScriptedTranscript

from proofs import equation, group
from proofs.errors import ProofError
from proofs.group import ZERO, Scalar, scalar
from proofs.membership_pieces import prove_pieces, simulate, verify_pieces
from proofs.randomness import ProverRandomness
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

PIECE = 4
MEMBERS = make_set(*range(10, 20))


def _prove(transcript: Transcript, statement: Statement) -> bytes:
    return prove_pieces(
        transcript,
        statement.value,
        statement.blinding,
        statement.encoding,
        statement.members,
        member=True,
        piece_size=PIECE,
    )


def _shares(proof: bytes, pieces: int = 3, m: int = 2) -> list[Scalar]:
    start = 48 * pieces * (m + 3)
    parts = [proof[start + 32 * k : start + 32 * (k + 1)] for k in range(pieces - 1)]
    return list(map(group.decode_scalar, parts))


def _responses(proof: bytes, place: int, pieces: int, m: int) -> list[Scalar]:
    tail = proof[-32 * (m + 3) * pieces :]
    part = tail[32 * (m + 3) * place : 32 * (m + 3) * (place + 1)]
    return [group.decode_scalar(part[k : k + 32]) for k in range(0, len(part), 32)]


def _interpolate(xs: list[Scalar], values: list[Scalar]) -> Scalar:
    """The leading coefficient of the polynomial of degree len(xs) - 1 through these points."""
    total = ZERO
    for i, (x, value) in enumerate(zip(xs, values, strict=True)):
        weight = scalar(1)
        for j, other in enumerate(xs):
            if j != i:
                weight = weight * (x - other)
        total = total + value * weight.inverse()
    return total


@pytest.mark.parametrize("place", [0, 1])
def test_transcripts_with_other_challenges_give_the_member(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extractor, run: m + 1 challenges, one first message, and u, r and its piece come out.

    Some piece must have as many different shares as there are challenges; in it P vanishes at the
    value that its responses give, and in the other one the shares never moved.
    """
    members, m = make_set(*range(20, 28)), 2
    statement = Statement(members, scalar(21 + 4 * place))
    monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(count))
    challenges = [scalar(5), scalar(9), scalar(31)]
    assert len(challenges) == m + 1
    proofs = [_prove(ScriptedTranscript(START, {b"x": x}), statement) for x in challenges]
    assert len({proof[: 48 * 2 * (m + 3)] for proof in proofs}) == 1
    shares = [
        [sent, x - sent]
        for x, proof in zip(challenges, proofs, strict=True)
        for sent in _shares(proof, 2, m)
    ]
    different = [len({int(each[p]) for each in shares}) for p in range(2)]
    assert different == [3, 1] if place == 0 else different == [1, 3]
    xs = [each[place] for each in shares]
    answers = [_responses(proof, place, 2, m) for proof in proofs]
    over = (xs[0] - xs[1]).inverse()
    u, u_squared = ((answers[0][j] - answers[1][j]) * over for j in range(2))
    assert u == statement.value
    assert (answers[0][m] - answers[1][m]) * over == statement.blinding
    assert u_squared == u * u
    piece = members.pieces(PIECE)[place]
    assert piece.polynomial.evaluate([u, u_squared]) == ZERO
    # The same from the last equation: Q(x) has P(u) at x^m, and every D below it.
    Qs = [
        xs[t] * xs[t] * piece.polynomial.evaluate([f * xs[t].inverse() for f in answers[t][:m]])
        for t in range(3)
    ]
    assert _interpolate(xs, Qs) == ZERO


def _simulated(
    commitment: group.Point, pieces: tuple[ScalarSet, ...], shares: list[Scalar]
) -> bytes:
    random = ProverRandomness(Transcript(b"test"), b"")
    answers = [
        simulate(random, commitment, piece.polynomial, share)
        for piece, share in zip(pieces, shares, strict=True)
    ]
    sent = [group.encode_scalar(share) for share in shares[:-1]]
    return b"".join(
        [
            *[first.encode() for first, _ in answers],
            *sent,
            *[response for _, each in answers for response in each],
        ]
    )


@pytest.mark.parametrize("size", [5, 8, 10])
def test_whoever_knows_the_challenge_needs_no_witness(size: int) -> None:
    """Zero knowledge, run: every piece simulated, for a point that nobody can open."""
    V = group.hash_to_point(b"test", b"nobody opens this")
    members = make_set(*range(size))
    pieces = members.pieces(PIECE)
    shares = [group.random_scalar() for _ in pieces]
    proof = _simulated(V, pieces, shares)
    encoding = group.encode_point(V)
    given = (V, encoding, members, proof)
    scripted = ScriptedTranscript(START, {b"x": sum(shares, ZERO)})
    equation.check(verify_pieces(scripted, *given, member=True, piece_size=PIECE))
    with pytest.raises(ProofError):
        equation.check(verify_pieces(Transcript(START), *given, member=True, piece_size=PIECE))


@pytest.mark.parametrize("value", [11, 15, 19])
def test_points_of_all_pieces_are_of_one_kind(value: int) -> None:
    """Real and simulated ones alike lie in the group, are no generator's plain self, and differ."""
    proof = _prove(Transcript(START), Statement(MEMBERS, scalar(value)))
    points = [proof[k : k + 48] for k in range(0, 48 * 15, 48)]
    assert len(group.decode_statement_points(points)) == len(set(points)) == 15
