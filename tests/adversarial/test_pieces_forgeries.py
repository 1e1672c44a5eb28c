"""Proofs about sets in pieces that must not pass: spliced, moved, cut otherwise, or about nothing.

The forger here may do what the prover does and leave its checks out.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.naive_membership import START, Statement, make_set
from support.torsion import torsion_point
from support.transcripts import ScriptedTranscript

from proofs import equation, group, labels, membership_pieces
from proofs.equation import Equation
from proofs.errors import CannotProveError, CrossproofError, EncodingError, ProofError
from proofs.group import ORDER, ZERO, Scalar, scalar
from proofs.membership_pieces import pieces_length, prove_pieces, simulate, verify_pieces
from proofs.randomness import ProverRandomness
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

PIECE = 4
MEMBERS = make_set(*range(10, 22))  # three pieces of four
M = 2
POINTS = 48 * 3 * (M + 3)
TAIL = 32 * (M + 3)
INSIDE = Statement(MEMBERS, scalar(15))
OUTSIDE = Statement(MEMBERS, scalar(25))


def _prove(statement: Statement, *, member: bool, size: int = PIECE) -> bytes:
    return prove_pieces(
        Transcript(START),
        statement.value,
        statement.blinding,
        statement.encoding,
        statement.members,
        member=member,
        piece_size=size,
    )


def _equations(
    statement: Statement, proof: bytes, *, member: bool, size: int = PIECE
) -> list[Equation]:
    return verify_pieces(
        Transcript(START),
        statement.commitment,
        statement.encoding,
        statement.members,
        proof,
        member=member,
        piece_size=size,
    )


def _refused(statement: Statement, proof: bytes, *, member: bool = True, size: int = PIECE) -> bool:
    """Whether the verifier refuses, with one of this package's errors and no other."""
    try:
        equation.check(_equations(statement, proof, member=member, size=size))
    except CrossproofError:
        return True
    return False


PROOF = _prove(INSIDE, member=True)
NOT_IN = _prove(OUTSIDE, member=False)


def test_the_proofs_that_are_attacked_are_good() -> None:
    """Otherwise every refusal below would mean nothing."""
    assert not _refused(INSIDE, PROOF)
    assert not _refused(OUTSIDE, NOT_IN, member=False)


# --- false statements ---------------------------------------------------------------------------


@pytest.mark.parametrize("pretended", range(3))
def test_a_value_in_no_piece(pretended: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prover that says of any piece it is the true one meets an equation that does not hold."""
    with pytest.raises(CannotProveError):
        _prove(OUTSIDE, member=True)
    real = ScalarSet.__contains__
    place = MEMBERS.pieces(PIECE)[pretended]
    monkeypatch.setattr(
        ScalarSet,
        "__contains__",
        lambda self, value: self is MEMBERS or self is place or real(self, value),
    )
    proof = _prove(OUTSIDE, member=True)
    assert _refused(OUTSIDE, proof)


def test_all_pieces_simulated() -> None:
    """Shares that were all chosen beforehand add up to the challenge once in q times."""
    random = ProverRandomness(Transcript(b"test"), b"")
    shares = random.scalars(3)
    answers = [
        simulate(random, OUTSIDE.commitment, piece.polynomial, share)
        for piece, share in zip(MEMBERS.pieces(PIECE), shares, strict=True)
    ]
    proof = b"".join(
        [
            *[first.encode() for first, _ in answers],
            *[group.encode_scalar(share) for share in shares[:2]],
            *[response for _, each in answers for response in each],
        ]
    )
    known = ScriptedTranscript(START, {b"x": sum(shares, ZERO)})
    given = (OUTSIDE.commitment, OUTSIDE.encoding, MEMBERS, proof)
    equation.check(verify_pieces(known, *given, member=True, piece_size=PIECE))
    assert _refused(OUTSIDE, proof)


def test_one_challenge_for_all_pieces_is_what_refuses_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were the last share read from the proof and the sum not compared, outsiders would pass."""
    random = ProverRandomness(Transcript(b"test"), b"")
    shares = random.scalars(3)
    answers = [
        simulate(random, OUTSIDE.commitment, piece.polynomial, share)
        for piece, share in zip(MEMBERS.pieces(PIECE), shares, strict=True)
    ]
    together = [
        each
        for piece, share, (first, responses) in zip(
            MEMBERS.pieces(PIECE), shares, answers, strict=True
        )
        for each in membership_pieces.equations(
            OUTSIDE.commitment, piece.polynomial, first, share, responses
        )
    ]
    equation.check(together)


def test_the_piece_that_holds_the_value_is_passed_over() -> None:
    """Not a member, with the argument about another piece in the place of the one that matters."""
    pieces = MEMBERS.pieces(PIECE)
    transcript = Transcript(START)
    membership_pieces._absorb_statement(transcript, INSIDE.encoding, MEMBERS, pieces, member=False)
    proof = b"".join(
        membership_pieces.prove_membership(
            transcript, INSIDE.value, INSIDE.blinding, INSIDE.encoding, piece, member=False
        )
        for piece in (pieces[0], pieces[0], pieces[2])
    )
    assert len(proof) == len(NOT_IN)
    assert _refused(INSIDE, proof, member=False)


# --- moved parts --------------------------------------------------------------------------------


def _pieces_of(proof: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
    head = POINTS // 3
    firsts = [proof[k : k + head] for k in range(0, POINTS, head)]
    sent = [proof[POINTS : POINTS + 32], proof[POINTS + 32 : POINTS + 64]]
    start = POINTS + 64
    return firsts, sent, [proof[k : k + TAIL] for k in range(start, len(proof), TAIL)]


def _joined(firsts: list[bytes], sent: list[bytes], answers: list[bytes]) -> bytes:
    return b"".join([*firsts, *sent, *answers])


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("what", [("first",), ("answer",), ("first", "answer")])
def test_a_piece_of_another_proof(place: int, what: tuple[str, ...]) -> None:
    """A first message, an answer or both, of a second proof of the same statement."""
    firsts, sent, answers = _pieces_of(PROOF)
    other_firsts, _, other_answers = _pieces_of(_prove(INSIDE, member=True))
    if "first" in what:
        firsts[place] = other_firsts[place]
    if "answer" in what:
        answers[place] = other_answers[place]
    assert _refused(INSIDE, _joined(firsts, sent, answers))


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (0, 2)])
def test_pieces_in_another_order(one: int, other: int) -> None:
    """Whole pieces exchanged, with their shares where those are sent."""
    firsts, sent, answers = _pieces_of(PROOF)
    for each in (firsts, answers):
        each[one], each[other] = each[other], each[one]
    if other < 2:
        sent[one], sent[other] = sent[other], sent[one]
    assert _refused(INSIDE, _joined(firsts, sent, answers))
    part = len(NOT_IN) // 3
    parts = [NOT_IN[k : k + part] for k in range(0, len(NOT_IN), part)]
    parts[one], parts[other] = parts[other], parts[one]
    assert _refused(OUTSIDE, b"".join(parts), member=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda a, b: (a + scalar(1), b),
        lambda a, b: (a, b + scalar(1)),
        lambda a, b: (a + scalar(1), b - scalar(1)),
        lambda a, b: (b, a),
        lambda a, b: (a + b, b),
    ],
)
def test_shares_that_do_not_add_up(
    change: Callable[[Scalar, Scalar], tuple[Scalar, Scalar]],
) -> None:
    """A share moved, with or without another one making up for it."""
    firsts, sent, answers = _pieces_of(PROOF)
    moved = change(*map(group.decode_scalar, sent))
    assert _refused(INSIDE, _joined(firsts, list(map(group.encode_scalar, moved)), answers))


def test_a_share_past_the_order() -> None:
    """Each share has one spelling."""
    for start in (POINTS, POINTS + 32):
        value = int.from_bytes(PROOF[start : start + 32], "big")
        altered = PROOF[:start] + (value + ORDER).to_bytes(32, "big") + PROOF[start + 32 :]
        with pytest.raises(EncodingError):
            _equations(INSIDE, altered, member=True)


# --- another set, another cut -------------------------------------------------------------------


@pytest.mark.parametrize("member", [True, False])
@pytest.mark.parametrize(
    "others",
    [
        range(11, 23),
        (10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 30),
        (1, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21),
    ],
)
def test_another_set(others: range | tuple[int, ...], member: bool) -> None:
    """Of the same size, with the value on the same side, and most pieces the same."""
    proven = INSIDE if member else OUTSIDE
    other = Statement(make_set(*others), proven.value, proven.blinding)
    assert _refused(other, PROOF if member else NOT_IN, member=member)


@pytest.mark.parametrize("member", [True, False])
def test_another_cut(member: bool) -> None:
    """The same set in pieces of another size, of the same length of proof: 12 = 4 + 4 + 4 = 3·4.

    Where the lengths differ, that refuses; where they do not, the list of pieces does.
    """
    statement = INSIDE if member else OUTSIDE
    for size in (3, 5, 6, 11):
        assert _refused(statement, PROOF if member else NOT_IN, member=member, size=size)
    ten = Statement(make_set(*range(10, 20)), statement.value, statement.blinding)
    lengths = {pieces_length(10, member=member, piece_size=size) for size in (4, 5)}
    assert len(lengths) == 2
    eight = Statement(make_set(*range(10, 18)), statement.value, statement.blinding)
    proofs = {size: _prove(eight, member=member, size=size) for size in (3, 4)}
    assert _refused(eight, proofs[3], member=member, size=4)
    assert not _refused(ten, _prove(ten, member=member, size=5), member=member, size=5)


def test_a_cut_of_the_same_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of the same sizes with other members in them: the digests tell them apart."""
    mixed = [make_set(*range(start, 22, 3)) for start in (10, 11, 12)]
    assert [each.size for each in mixed] == [4, 4, 4]
    real = ScalarSet.pieces
    with monkeypatch.context() as patch:
        patch.setattr(
            ScalarSet,
            "pieces",
            lambda self, size=PIECE: tuple(mixed) if self is MEMBERS else real(self, size),
        )
        proof = _prove(INSIDE, member=True)
        assert not _refused(INSIDE, proof)
    assert _refused(INSIDE, proof)


def test_polarity() -> None:
    """A proof of one polarity is none of the other."""
    assert _refused(INSIDE, PROOF, member=False)
    assert _refused(OUTSIDE, NOT_IN, member=True)


def test_arguments_of_the_pieces_alone() -> None:
    """Not in each piece, proven piece by piece without the whole set's statement before it."""
    transcript = Transcript(START)
    parts = [
        membership_pieces.prove_membership(
            transcript, OUTSIDE.value, OUTSIDE.blinding, OUTSIDE.encoding, piece, member=False
        )
        for piece in MEMBERS.pieces(PIECE)
    ]
    assert _refused(OUTSIDE, b"".join(parts), member=False)


# --- bytes --------------------------------------------------------------------------------------


def test_every_truncation_and_extension() -> None:
    """Only the exact length is read."""
    for length in range(0, len(PROOF), 7):
        assert _refused(INSIDE, PROOF[:length])
    for tail in (b"\0", PROOF[-32:], PROOF[:48], PROOF):
        assert _refused(INSIDE, PROOF + tail)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8 * len(PROOF) - 1))
def test_bit_flips(bit: int) -> None:
    """No bit can be changed, of no piece."""
    changed = bytearray(PROOF)
    changed[bit // 8] ^= 1 << bit % 8
    assert _refused(INSIDE, bytes(changed))


@pytest.mark.parametrize("place", range(0, POINTS, 48))
def test_torsion_added_afterwards(place: int) -> None:
    """A point moved off the subgroup changes the challenge, in the true piece and in the others."""
    point = group.decode_proof_point(PROOF[place : place + 48]) + torsion_point(11)
    changed = PROOF[:place] + group.encode_point(point) + PROOF[place + 48 :]
    assert _refused(INSIDE, changed)


def test_the_label_is_not_the_single_arguments() -> None:
    """No statement of one argument is one of the other."""
    assert labels.MEMBERSHIP_PIECES != labels.MEMBERSHIP
    with pytest.raises((EncodingError, ProofError)):
        equation.check(
            membership_pieces.verify_membership(
                Transcript(START),
                INSIDE.commitment,
                INSIDE.encoding,
                MEMBERS,
                PROOF,
                member=True,
            )
        )
