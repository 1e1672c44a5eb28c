"""Membership in a set of any size (section "Membership in pieces").

The size of a piece is the caller's, so that the argument can be tried on small sets; a bundle's is
always `PIECE`.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from independent.second_verifier import sets
from independent.second_verifier.curve import (
    POINT,
    SCALAR,
    Equation,
    Point,
    generators_digest,
    q,
    scalar,
)
from independent.second_verifier.encoding import frame
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.transcript import Transcript

PIECE, MAX_PIECES = 65_536, 16


@dataclass(frozen=True)
class Listed:
    """A whole set with its digest, and how it is cut; one of a single piece is not cut."""

    scalars: tuple[int, ...]
    digest: bytes
    type_tag: bytes
    _: KW_ONLY
    piece_size: int

    @property
    def sizes(self) -> list[int]:
        """Of each piece; only the last one may have fewer than the others."""
        full, left = divmod(len(self.scalars), self.piece_size)
        found = [self.piece_size] * full + [left] * (left > 0)
        well_formed(len(found) <= MAX_PIECES, "too many pieces")
        return found

    def pieces(self) -> list[tuple[tuple[int, ...], bytes]]:
        """Each piece with its digest, in the order of the sorted list."""
        ordered, found = sorted(self.scalars), []
        for count in self.sizes:
            piece, ordered = tuple(ordered[:count]), ordered[count:]
            found.append((piece, sets.set_digest(self.type_tag, piece)))
        return found


def size(whole: Listed, member: bool) -> int:
    """Bytes of a proof."""
    each = sum(sets.size(count, member) for count in whole.sizes)
    return each + (SCALAR * (len(whole.sizes) - 1) if member else 0)


def begin(transcript: Transcript, whole: Listed, member: bool, encoded: bytes) -> None:
    """Absorbs what both polarities begin with."""
    pieces = whole.pieces()
    described = [
        frame(_integer(sets.powers(len(piece))), _integer(len(piece)), digest)
        for piece, digest in pieces
    ]
    transcript.absorb("argument", b"crossproof/membership-pieces/v1")
    transcript.absorb("polarity", sets.polarity(member))
    transcript.absorb_integer("size", len(whole.scalars))
    transcript.absorb("set", whole.digest)
    transcript.absorb_list("pieces", described)
    generators = sets.names(sets.powers(len(pieces[0][0])))
    transcript.absorb("generators", generators_digest(generators))
    transcript.absorb("V", encoded)


def equations(
    transcript: Transcript, proof: bytes, whole: Listed, member: bool, V: Point, encoded: bytes
) -> list[Equation]:
    """All equations of a proof that has its length; each gets a weight of its own."""
    if len(whole.sizes) == 1:
        given = (whole.scalars, whole.digest, member, V, encoded)
        return sets.equations(transcript, proof, *given)
    begin(transcript, whole, member, encoded)
    if member:
        return _of_a_member(transcript, proof, whole, V)
    found = []
    for piece, digest in whole.pieces():
        length = sets.size(len(piece), member)
        given = (piece, digest, member, V, encoded)
        found += sets.equations(transcript, proof[:length], *given)
        proof = proof[length:]
    return found


def _of_a_member(transcript: Transcript, proof: bytes, whole: Listed, V: Point) -> list[Equation]:
    """Of one piece or another: the shares, the last of which is computed, add up to x."""
    counts = [sets.powers(each) for each in whole.sizes]
    sent = []
    for m in counts:
        sent.append(sets.Sent.read(proof[: POINT * (m + 3)], True))
        proof = proof[POINT * (m + 3) :]
    spelt = [proof[SCALAR * p :][:SCALAR] for p in range(len(counts) - 1)]
    shares = [scalar(each) for each in spelt]
    proof = proof[SCALAR * len(shares) :]
    responses = []
    for m in counts:
        responses.append(sets.Responses.read(proof[: SCALAR * (m + 3)]))
        proof = proof[SCALAR * (m + 3) :]

    for number, each in enumerate(sent):
        transcript.absorb_integer("piece", number)
        each.absorb(transcript)
    x = transcript.challenge("x")
    transcript.absorb_list("shares", spelt)
    for answered in responses:
        transcript.absorb_list("responses", answered.encoded)
    shares.append((x - sum(shares)) % q)
    found = []
    for (piece, _), each, share, answered in zip(
        whole.pieces(), sent, shares, responses, strict=True
    ):
        found += sets.three(piece, V, each, share, answered)
    return found


def _integer(number: int) -> bytes:
    return number.to_bytes(8, "big")
