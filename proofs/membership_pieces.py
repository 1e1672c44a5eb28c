"""Member, or not a member, of a set in pieces: the membership argument over every piece.

A set of more than 65,536 members is cut into pieces (`ScalarSet.pieces`). Not a member of it is
not a member of each piece: one argument a piece, one after the other. A member of it is a member
of one piece, and which one stays hidden: the proofs of partial knowledge of Cramer, Damgård and
Schoenmakers (CRYPTO 1994). First messages of all pieces are absorbed, then there is one challenge
x, and every piece is answered at a share x_p of it, the shares adding up to x. So one piece cannot
be answered at a share that was chosen before x; every other one is simulated. A proof is

    first message of every piece, x_0 … x_{k-2}, responses of every piece

with x_{k-1} = x - x_0 - … - x_{k-2} left out, so that no share has a second spelling and there is
no sum to be compared. It refuses proofs of another length and shares of zero, and to prove what is
false. What PIECE_SIZE is does not come from any message; other sizes are for tests.

SPEC.md, "Membership in pieces".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from proofs import generators, group, labels
from proofs.equation import Equation
from proofs.errors import CannotProveError, EncodingError, ProofError
from proofs.generators import G, H, K
from proofs.group import POINT_BYTES, SCALAR_BYTES, ZERO, Point, Scalar
from proofs.membership import (
    Begun,
    FirstMessage,
    cut,
    equations,
    proof_length,
    prove_membership,
    vector_bases,
    verify_membership,
)
from proofs.randomness import ProverRandomness
from proofs.set_polynomial import SetPolynomial, power_count
from proofs.sets import PIECE_SIZE, ScalarSet
from proofs.transcript import Transcript


def pieces_length(set_size: int, *, member: bool, piece_size: int = PIECE_SIZE) -> int:
    """Exact bytes of a proof about a set of this size, which takes more than one piece."""
    full, rest = divmod(set_size, piece_size)
    sizes = [piece_size] * full + [rest] * (rest > 0)
    shares = SCALAR_BYTES * (len(sizes) - 1) * member
    return sum(proof_length(size, member=member) for size in sizes) + shares


def prove_pieces(
    transcript: Transcript,
    value: Scalar,
    blinding: Scalar,
    commitment: bytes,
    members: ScalarSet,
    *,
    member: bool,
    piece_size: int = PIECE_SIZE,
) -> bytes:
    """Prove that `value` is (or is not) in the set; `commitment` is value·G + blinding·H, encoded.

    Raises CannotProveError when it is the other way round; the transcript is then spoilt.
    """
    pieces = members.pieces(piece_size)
    if (value in members) is not member:
        raise CannotProveError("the value is " + ("not in" if member else "in") + " the set")
    _absorb_statement(transcript, commitment, members, pieces, member=member)
    if not member:
        return b"".join(
            prove_membership(transcript, value, blinding, commitment, piece, member=False)
            for piece in pieces
        )
    (V,) = group.decode_statement_points([commitment])
    while True:
        attempt = transcript.fork()
        proof = _attempt(attempt, value, blinding, V, pieces)
        if proof is not None:
            transcript.adopt(attempt)
            return proof


def _attempt(
    transcript: Transcript, u: Scalar, r: Scalar, V: Point, pieces: Sequence[ScalarSet]
) -> bytes | None:
    """One run of a member's prover; None in the few cases of q that a share is zero."""
    random = ProverRandomness(
        transcript, labels.frame(group.encode_scalar(u), group.encode_scalar(r))
    )
    true = next(place for place, piece in enumerate(pieces) if u in piece)
    shares = random.scalars(len(pieces))
    if ZERO in shares:
        return None
    begun = Begun(random, u, r, pieces[true].polynomial, member=True)
    answers = [
        (begun.message, [])
        if place == true
        else simulate(random, V, piece.polynomial, shares[place])
        for place, piece in enumerate(pieces)
    ]
    firsts = [first for first, _ in answers]
    x = transcript.pieces_commitments([(each.vectors, each.coefficients) for each in firsts])
    shares[true] = x - sum([*shares[:true], *shares[true + 1 :]], ZERO)
    if shares[true] == ZERO:
        return None
    answers[true] = (begun.message, begun.respond(shares[true]))
    sent = [group.encode_scalar(share) for share in shares[:-1]]
    responses = [each for _, each in answers]
    transcript.pieces_responses(sent, responses)
    encoded = [response for each in responses for response in each]
    return b"".join([*[first.encode() for first in firsts], *sent, *encoded])


def simulate(
    random: ProverRandomness, V: Point, polynomial: SetPolynomial, x: Scalar
) -> tuple[FirstMessage, list[bytes]]:
    """First message and responses of a member's argument at a challenge known beforehand.

    With a distribution exactly that of a real prover's who meets this challenge: C, D_1 … and the
    responses are uniform there, whatever the witness, and F_0, F and D_0 what the equations leave.
    """
    m = polynomial.powers
    *fs, r_0, r_1, tau, c = random.scalars(m + 4)
    later = random.scalars(m - 1)
    powers = group.powers(x, m)
    x_inverse = x.inverse()
    Q = powers[-1] * x * polynomial.evaluate([f * x_inverse for f in fs])
    squares = [fs[j] * fs[j] - x * fs[j + 1] for j in range(m - 1)]
    C = generators.multiply_fixed((H,), [c])
    F = generators.multiply_fixed(vector_bases(m), [*fs[1:], *squares, r_1 - x * c])
    F_0 = generators.multiply_mixed((G, H), [fs[0], r_0], [V], [-x])
    rest = sum([xk * d for xk, d in zip(powers[1:], later, strict=True)], ZERO)
    D = [
        generators.multiply_fixed((K, H), [Q, tau - rest]),
        *[generators.multiply_fixed((H,), [d]) for d in later],
    ]
    first = FirstMessage(
        tuple(map(group.encode_point, (C, F, F_0))), None, tuple(map(group.encode_point, D))
    )
    return first, [group.encode_scalar(each) for each in (*fs, r_0, r_1, tau)]


def verify_pieces(
    transcript: Transcript,
    commitment: Point,
    encoding: bytes,
    members: ScalarSet,
    proof: bytes,
    *,
    member: bool,
    piece_size: int = PIECE_SIZE,
) -> list[Equation]:
    """Three equations a piece that hold exactly when the proof is right. NOT yet checked.

    As `verify_membership`: V decoded as a statement point from `encoding`; hand the equations,
    apart, to `equation.check`. Raises EncodingError for a wrong length, point or scalar,
    ProofError for a challenge or share that is zero.
    """
    pieces = members.pieces(piece_size)
    if len(proof) != pieces_length(members.size, member=member, piece_size=piece_size):
        raise EncodingError("a membership proof of another length than its set's pieces ask for")
    _absorb_statement(transcript, encoding, members, pieces, member=member)
    if not member:
        parts = _split(proof, [proof_length(each.size, member=False) for each in pieces])
        return [
            each
            for piece, part in zip(pieces, parts, strict=True)
            for each in verify_membership(
                transcript, commitment, encoding, piece, part, member=False
            )
        ]
    counts = [each.polynomial.powers + 3 for each in pieces]
    heads = [POINT_BYTES * count for count in counts]
    tails = [SCALAR_BYTES * count for count in counts]
    split = _split(proof, [*heads, *[SCALAR_BYTES] * (len(pieces) - 1), *tails])
    sent = split[len(pieces) : -len(pieces)]
    answers = [
        cut(head + tail, piece.size, member=True)
        for piece, head, tail in zip(
            pieces, split[: len(pieces)], split[-len(pieces) :], strict=True
        )
    ]
    x = transcript.pieces_commitments([(each.vectors, each.coefficients) for each, _ in answers])
    transcript.pieces_responses(sent, [responses for _, responses in answers])
    shares = [group.decode_scalar(each) for each in sent]
    shares.append(x - sum(shares, ZERO))
    if ZERO in shares:
        raise ProofError("a membership proof with a share of the challenge that is zero")
    return [
        each
        for piece, share, (first, responses) in zip(pieces, shares, answers, strict=True)
        for each in equations(commitment, piece.polynomial, first, share, responses)
    ]


def _split(proof: bytes, lengths: Sequence[int]) -> list[bytes]:
    ends = accumulate(lengths)
    return [proof[end - length : end] for length, end in zip(lengths, ends, strict=True)]


def _absorb_statement(
    transcript: Transcript,
    commitment: bytes,
    members: ScalarSet,
    pieces: Sequence[ScalarSet],
    *,
    member: bool,
) -> None:
    if len(pieces) < 2:
        raise ValueError("a set of one piece has an argument of its own")
    used = generators.membership_generators(power_count(pieces[0].size))
    transcript.pieces_statement(
        commitment,
        member=member,
        size=members.size,
        set_digest=members.digest,
        pieces=[
            labels.frame(
                power_count(each.size).to_bytes(8, "big"), each.size.to_bytes(8, "big"), each.digest
            )
            for each in pieces
        ],
        generators=generators.generators_digest(used),
    )
