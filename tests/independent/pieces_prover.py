"""A prover of membership in pieces, written from the specification alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from independent.second_prover import First, drawn, prove_membership
from independent.second_verifier import pieces, sets
from independent.second_verifier.curve import (
    Equation,
    Point,
    encode,
    generator,
    point,
    q,
    scalar_bytes,
    sum_of_multiples,
)
from independent.second_verifier.transcript import Transcript


def prove(
    transcript: Transcript,
    whole: pieces.Listed,
    member: bool,
    value: int,
    blinding: int,
    encoded: bytes,
) -> bytes:
    """The proof for a set of one piece or of several (section "Membership in pieces")."""
    if len(whole.sizes) == 1:
        given = (whole.scalars, whole.digest, member)
        return prove_membership(transcript, *given, value, blinding, encoded)
    pieces.begin(transcript, whole, member, encoded)
    cut = whole.pieces()
    if not member:
        return b"".join(
            prove_membership(transcript, *each, member, value, blinding, encoded) for each in cut
        )
    # For a value in no piece the first is taken, and its proof proves nothing.
    t = next((p for p, (piece, _) in enumerate(cut) if value in piece), 0)
    first = First.draw(cut[t][0], member, value, blinding)
    V = point(encoded)
    others = {p: Simulated.at(drawn(), each, V) for p, (each, _) in enumerate(cut) if p != t}
    sent = [first.sent if p == t else others[p].sent for p in range(len(cut))]
    for number, each in enumerate(sent):
        transcript.absorb_integer("piece", number)
        each.absorb(transcript)
    x = transcript.challenge("x")
    own = (x - sum(each.share for each in others.values())) % q
    shares = [scalar_bytes(own if p == t else others[p].share) for p in range(len(cut) - 1)]
    answers = [
        first.responses(own) if p == t else others[p].responses.encoded for p in range(len(cut))
    ]
    transcript.absorb_list("shares", shares)
    for answered in answers:
        transcript.absorb_list("responses", answered)
    points = [each for message in sent for each in message.encoded]
    return b"".join([*points, *shares, *(each for answered in answers for each in answered)])


@dataclass(frozen=True)
class Simulated:
    """A piece's messages and responses that fit one share, whatever V commits to."""

    share: int
    sent: sets.Sent
    responses: sets.Responses

    @classmethod
    def at(cls, share: int, piece: tuple[int, ...], V: Point) -> Simulated:
        """C and D₁ … from logarithms to the base H; F₀, F, D₀ from what the equations leave."""
        m = sets.powers(len(piece))
        scalars = [drawn() for _ in range(m + 3)]
        responses = sets.Responses.read(b"".join(map(scalar_bytes, scalars)))
        multiples = [sum_of_multiples([(drawn(), generator("H"))]) for _ in range(m)]
        C, D = multiples[0], multiples[1:]
        # What an equation comes to with O for the point that is looked for, whose factor is 1.
        O = sum_of_multiples([])  # noqa: E741
        guess = sets.Sent([C, O, O, O, *D], [], True)
        first, second, third = sets.three(piece, V, guess, share, responses)
        F_0, F, D_0 = (negated(each) for each in (first, second, third))
        points = [C, F, F_0, D_0, *D]
        return cls(share, sets.Sent(points, [encode(each) for each in points], True), responses)


def negated(equation: Equation) -> Point:
    """The point that makes a sum vanish."""
    named: Sequence[tuple[int, Point]] = [
        (-factor % q, generator(name)) for name, factor in equation.named.items()
    ]
    return sum_of_multiples([*named, *((-factor % q, each) for factor, each in equation.others)])
