"""Sets in pieces: true statements verify, the true piece stays hidden, and only it can be answered.

Pieces are tiny here; what is tried does not depend on their size.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.naive_membership import START, Statement, make_set
from support.transcripts import AlteringTranscript, RecordingTranscript, ScriptedTranscript

from proofs import equation, group, membership, set_argument
from proofs.equation import Equation
from proofs.errors import CannotProveError, ProofError
from proofs.group import ORDER, ZERO, Scalar, scalar
from proofs.membership_pieces import pieces_length, prove_pieces, verify_pieces
from proofs.randomness import ProverRandomness
from proofs.set_argument import membership_length
from proofs.sets import PIECE_SIZE
from proofs.transcript import Transcript

PIECE = 4
MEMBERS = make_set(*range(10, 20))  # pieces of 4, 4 and 2
STATEMENT_LABELS = [b"argument", b"polarity", b"size", b"set", b"pieces", b"generators", b"V"]
FIRST_LABELS = [b"piece", b"C", b"F", b"F_0", b"D"]


def _prove(
    transcript: Transcript, statement: Statement, *, member: bool = True, size: int = PIECE
) -> bytes:
    return prove_pieces(
        transcript,
        statement.value,
        statement.blinding,
        statement.encoding,
        statement.members,
        member=member,
        piece_size=size,
    )


def _equations(
    transcript: Transcript,
    statement: Statement,
    proof: bytes,
    *,
    member: bool = True,
    size: int = PIECE,
) -> list[Equation]:
    return verify_pieces(
        transcript,
        statement.commitment,
        statement.encoding,
        statement.members,
        proof,
        member=member,
        piece_size=size,
    )


def _check(statement: Statement, proof: bytes, *, member: bool = True, size: int = PIECE) -> None:
    equation.check(_equations(Transcript(START), statement, proof, member=member, size=size))


@pytest.mark.parametrize("value", range(9, 21))
def test_every_member_of_every_piece_and_its_neighbours(value: int) -> None:
    """Each value has a proof of exactly the polarity that is true of it, whichever its piece."""
    statement = Statement(MEMBERS, scalar(value))
    member = 10 <= value < 20
    proof = _prove(Transcript(START), statement, member=member)
    assert len(proof) == pieces_length(10, member=member, piece_size=PIECE)
    equations = _equations(Transcript(START), statement, proof, member=member)
    assert len(equations) == 9
    equation.check(equations)
    with pytest.raises(CannotProveError):
        _prove(Transcript(START), statement, member=not member)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(0, ORDER - 1), min_size=2, max_size=9, unique=True),
    st.integers(1, 5),
    st.integers(0, 8),
)
def test_any_cut_of_any_set(values: list[int], size: int, place: int) -> None:
    """Scalars anywhere in the field, in pieces of any size, a last piece of one member included."""
    size = min(size, len(values) - 1)
    statement = Statement(make_set(*values), scalar(values[place % len(values)]))
    _check(statement, _prove(Transcript(START), statement, size=size), size=size)


@pytest.mark.parametrize(
    ("size", "member", "length"),
    [
        (65_537, True, 80 * (16 + 3) + 80 * 5 + 32),
        (65_537, False, 80 * (16 + 3) + 80 * 5 + 2 * 48),
        (200_000, True, 3 * 1520 + 80 * (12 + 3) + 3 * 32),
        (1 << 20, True, 16 * 1520 + 15 * 32),
        (1 << 20, False, 16 * 1568),
        (65_536, False, 1568),
        (65_536, True, 1520),
        (256, True, 880),
    ],
)
def test_lengths_are_fixed_by_size_and_polarity(size: int, member: bool, length: int) -> None:
    """A proof a piece, and all shares of the challenge but the last, of a member."""
    assert membership_length(size, member=member) == length


def test_the_choice_follows_from_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the size of a piece there is one argument, of the same bytes as ever; above, pieces."""
    statement = Statement(make_set(1, 2, 3, 4), scalar(3))
    arguments = (scalar(3), statement.blinding, statement.encoding, statement.members)
    monkeypatch.setattr(set_argument, "PIECE_SIZE", 4)
    single = set_argument.prove_membership(Transcript(START), *arguments, member=True)
    given = (statement.commitment, statement.encoding, statement.members)
    equation.check(membership.verify_membership(Transcript(START), *given, single, member=True))
    equation.check(set_argument.verify_membership(Transcript(START), *given, single, member=True))
    monkeypatch.setattr(set_argument, "PIECE_SIZE", 3)
    called = []
    monkeypatch.setattr(
        "proofs.membership_pieces.prove_pieces", lambda *_, **__: called.append("p") or b""
    )
    monkeypatch.setattr(
        "proofs.membership_pieces.verify_pieces", lambda *_, **__: called.append("v") or []
    )
    set_argument.prove_membership(Transcript(START), *arguments, member=True)
    set_argument.verify_membership(Transcript(START), *given, single, member=True)
    assert called == ["p", "v"]


def test_the_public_path_cuts_at_65536() -> None:
    """Neither side takes the size of a piece from anywhere but the constant."""
    assert PIECE_SIZE == 65_536
    members = make_set(*range(PIECE_SIZE + 1))
    assert [piece.size for piece in members.pieces()] == [65_536, 1]
    with pytest.raises(ValueError, match="each piece"):
        _ = members.polynomial


def test_a_set_of_one_piece_is_not_for_this() -> None:
    """There is one way to prove about a small set, not two."""
    statement = Statement(make_set(1, 2, 3), scalar(2))
    with pytest.raises(ValueError, match="one piece"):
        _prove(Transcript(START), statement)


# --- what is absorbed ---------------------------------------------------------------------------


def test_both_sides_absorb_the_same_in_the_specified_order() -> None:
    """Statement, first messages of all pieces, one challenge, shares, responses of all pieces."""
    statement = Statement(MEMBERS, scalar(15))
    prover, verifier = RecordingTranscript(START), RecordingTranscript(START)
    proof = _prove(prover, statement)
    _equations(verifier, statement, proof)
    expected = [("+", label) for label in [*STATEMENT_LABELS, *FIRST_LABELS * 3]]
    expected += [("?", b"x"), ("+", b"shares"), *[("+", b"responses")] * 3]
    assert prover.events == expected
    assert verifier.events == expected
    assert prover.challenge(b"next") == verifier.challenge(b"next")


def test_outsiders_absorb_the_cut_and_then_each_argument() -> None:
    """Not a member: the statement about the whole set, then an argument of its own a piece."""
    statement = Statement(MEMBERS, scalar(25))
    prover, verifier = RecordingTranscript(START), RecordingTranscript(START)
    proof = _prove(prover, statement, member=False)
    _equations(verifier, statement, proof, member=False)
    assert prover.events == verifier.events
    assert [label for _, label in prover.events[:7]] == STATEMENT_LABELS
    assert prover.events.count(("?", b"x")) == 3
    assert prover.challenge(b"next") == verifier.challenge(b"next")


@pytest.mark.parametrize("member", [True, False])
@pytest.mark.parametrize("label", STATEMENT_LABELS)
def test_every_item_of_the_statement_matters(label: bytes, member: bool) -> None:
    """A proof made over a history that differs in one item is refused; left out, it would pass."""
    statement = Statement(MEMBERS, scalar(15 if member else 25))
    prover = AlteringTranscript(START, label=label)
    proof = _prove(prover, statement, member=member)
    assert prover.altered
    with pytest.raises(ProofError):
        _check(statement, proof, member=member)


@pytest.mark.parametrize("label", FIRST_LABELS)
@pytest.mark.parametrize("place", range(3))
def test_every_first_message_matters(label: bytes, place: int) -> None:
    """Of the true piece and of the others: each was fixed before the challenge."""
    statement = Statement(MEMBERS, scalar(15))
    prover = AlteringTranscript(START, label=label, occurrence=place)
    proof = _prove(prover, statement)
    assert prover.altered
    with pytest.raises(ProofError):
        _check(statement, proof)


def test_shares_and_responses_matter_to_what_follows() -> None:
    """Each is absorbed: the next challenge of the transcript depends on every one."""
    statement = Statement(MEMBERS, scalar(15))
    proof = _prove(Transcript(START), statement)
    count = 2 + sum(m + 3 for m in (2, 2, 2))
    seen = set()
    for place in (None, *range(len(proof) - 1, len(proof) - 32 * count, -32)):
        data = bytearray(proof)
        if place is not None:
            data[place] ^= 1
        verifier = Transcript(START)
        _equations(verifier, statement, bytes(data))
        seen.add(int(verifier.challenge(b"next")))
    assert len(seen) == count + 1


def test_no_two_proofs_share_randomness() -> None:
    """Two proofs of one statement have no point, no share and no response in common."""
    statement = Statement(MEMBERS, scalar(15))
    first, second = (_prove(Transcript(START), statement) for _ in range(2))
    points = 48 * 15
    shared = [
        k
        for step, places in ((48, range(0, points, 48)), (32, range(points, len(first), 32)))
        for k in places
        if first[k : k + step] == second[k : k + step]
    ]
    assert shared == []


# --- challenges that cannot be used -------------------------------------------------------------


def _shares(proof: bytes, pieces: int = 3, m: int = 2) -> list[Scalar]:
    start = 48 * pieces * (m + 3)
    parts = [proof[start + 32 * k : start + 32 * (k + 1)] for k in range(pieces - 1)]
    return list(map(group.decode_scalar, parts))


@pytest.mark.parametrize("place", range(3))
def test_verifier_refuses_a_share_of_zero(place: int) -> None:
    """At x_p = 0 the commitment falls out of that piece's equations: sent or left out, no proof."""
    statement = Statement(MEMBERS, scalar(15))
    proof = _prove(Transcript(START), statement)
    if place < 2:
        start = 48 * 15 + 32 * place
        altered = proof[:start] + bytes(32) + proof[start + 32 :]
        transcript = Transcript(START)
    else:
        altered = proof
        transcript = ScriptedTranscript(START, {b"x": sum(_shares(proof), ZERO)})
    with pytest.raises(ProofError, match="share"):
        _equations(transcript, statement, altered)


def test_prover_starts_again_when_a_share_comes_out_as_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its first shares known, a challenge is made that leaves the true piece nothing; once."""
    statement = Statement(MEMBERS, scalar(15))
    drawn: list[list[Scalar]] = []
    real = ProverRandomness.scalars

    def scalars(self: ProverRandomness, count: int) -> list[Scalar]:
        found = real(self, count)
        if count == 3:  # the shares, and nothing else, come in threes
            drawn.append(found)
        return found

    class Cornering(Transcript):
        __slots__ = ()

        def challenge(self, label: bytes) -> Scalar:
            fresh = super().challenge(label)
            shares = drawn[-1]
            # The true piece is the second: what the others leave of this challenge is zero.
            return shares[0] + shares[2] if len(drawn) == 1 else fresh

    monkeypatch.setattr(ProverRandomness, "scalars", scalars)
    prover = Cornering(START)
    proof = _prove(prover, statement)
    assert len(drawn) == 2
    verifier = Transcript(START)
    equation.check(_equations(verifier, statement, proof))
    assert Transcript.challenge(prover, b"next") == verifier.challenge(b"next")


def test_prover_starts_again_when_a_share_is_drawn_as_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A simulated piece cannot have it either."""
    statement = Statement(MEMBERS, scalar(15))
    real, times = ProverRandomness.scalars, []

    def scalars(self: ProverRandomness, count: int) -> list[Scalar]:
        found = real(self, count)
        if count == 3:
            times.append(count)
            if len(times) == 1:
                found[2] = ZERO
        return found

    monkeypatch.setattr(ProverRandomness, "scalars", scalars)
    _check(statement, _prove(Transcript(START), statement))
    assert len(times) == 2


def test_one_false_proof_spoils_a_batch() -> None:
    """Equations of many proofs are checked at once; one that does not hold is noticed."""
    statement = Statement(MEMBERS, scalar(15))
    make: Callable[[], bytes] = lambda: _prove(Transcript(START), statement)  # noqa: E731
    proofs = [make() for _ in range(3)]
    good = [e for p in proofs for e in _equations(Transcript(START), statement, p)]
    equation.check(good)
    data = bytearray(proofs[2])
    data[-1] ^= 1
    with pytest.raises(ProofError):
        equation.check([*good, *_equations(Transcript(START), statement, bytes(data))])
