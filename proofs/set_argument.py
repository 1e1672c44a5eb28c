"""Membership in a public set of any allowed size: one argument, or one over the set's pieces.

Which of the two follows from the set's own size, for prover and verifier alike, and never from a
message: up to 65,536 members `membership`, beyond that `membership_pieces`.

SPEC.md, "Membership argument" and "Membership in pieces".
"""

from __future__ import annotations

from proofs import membership, membership_pieces
from proofs.equation import Equation
from proofs.group import Point, Scalar
from proofs.sets import PIECE_SIZE, ScalarSet
from proofs.transcript import Transcript


def membership_length(set_size: int, *, member: bool) -> int:
    """Exact bytes of a proof about a set of this size."""
    if set_size <= PIECE_SIZE:
        return membership.proof_length(set_size, member=member)
    return membership_pieces.pieces_length(set_size, member=member)


def prove_membership(
    transcript: Transcript,
    value: Scalar,
    blinding: Scalar,
    commitment: bytes,
    members: ScalarSet,
    *,
    member: bool,
) -> bytes:
    """As `membership.prove_membership`, for sets of every size."""
    prove = (
        membership.prove_membership
        if members.size <= PIECE_SIZE
        else membership_pieces.prove_pieces
    )
    return prove(transcript, value, blinding, commitment, members, member=member)


def verify_membership(
    transcript: Transcript,
    commitment: Point,
    encoding: bytes,
    members: ScalarSet,
    proof: bytes,
    *,
    member: bool,
) -> list[Equation]:
    """As `membership.verify_membership`, for sets of every size."""
    verify = (
        membership.verify_membership
        if members.size <= PIECE_SIZE
        else membership_pieces.verify_pieces
    )
    return verify(transcript, commitment, encoding, members, proof, member=member)
