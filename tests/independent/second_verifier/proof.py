"""Step 9: the arguments of a bundle, on one transcript or one for each part; all in one sum."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from independent.second_verifier import opening, pieces, ranges
from independent.second_verifier.bundle import Bundle
from independent.second_verifier.curve import Equation, Point, added
from independent.second_verifier.encoding import decimal, frame, labelled_hash, sha256, write
from independent.second_verifier.list_statement import ListStatement
from independent.second_verifier.refusal import need, well_formed
from independent.second_verifier.statement import (
    LinearTerm,
    MembershipTerm,
    OpeningTerm,
    RangeTerm,
    Statement,
    SumTerm,
)
from independent.second_verifier.transcript import Transcript

Ranged = RangeTerm | LinearTerm | SumTerm


@dataclass(frozen=True)
class Committed:
    """An attested commitment as a point and as the bytes that came."""

    point: Point
    encoded: bytes


Commitments = Mapping[int, Committed]


def begin(
    bundle: Bundle,
    documents: Sequence[bytes],
    statement: Statement | ListStatement,
    commitments: Commitments,
) -> Transcript:
    """The transcript with everything that the proof is about."""
    transcript = Transcript("crossproof/bundle/v1")
    transcript.absorb("context", write(bundle.context.tree))
    transcript.absorb_list("schemas", (each.digest for each in bundle.schemas))
    transcript.absorb_list("documents", documents)
    transcript.absorb_list("grants", [frame(sha256(bundle.grant.payload), bundle.grant.key_id)])
    transcript.absorb_list(
        "sets",
        (
            frame(
                each["name"].encode(),
                bytes.fromhex(each["authority"]),
                bytes.fromhex(each["digest"]),
            )
            for each in bundle.sets
        ),
    )
    transcript.absorb_list("facts", (each.encode() for each in bundle.facts))
    transcript.absorb("statement", statement.encoded())
    transcript.absorb_list(
        "commitments",
        (frame(slot.to_bytes(8, "big"), commitments[slot].encoded) for slot in sorted(commitments)),
    )
    return transcript


def transcripts(whole: Transcript, statement: Statement | ListStatement) -> list[Transcript]:
    """The transcript of each part; documents by alias have one part, on the whole one."""
    if isinstance(statement, Statement):
        return [whole]
    found = []
    for number in range(len(statement.parts)):
        part = Transcript("crossproof/part/v1")
        part.absorb("bundle", whole.seed())
        part.absorb_integer("part", number)
        part.absorb_integer("parts", len(statement.parts))
        found.append(part)
    return found


def check(
    whole: Transcript,
    proof: bytes,
    statement: Statement | ListStatement,
    commitments: Commitments,
) -> None:
    """Refuses unless the proof has its length, is well-formed, and all equations hold."""
    parts = statement.parts if isinstance(statement, ListStatement) else (statement,)
    sizes = [sum(_sizes(part)) for part in parts]
    well_formed(len(proof) == sum(sizes), "not the length of the proof")
    equations: list[Equation] = []
    for part, transcript, size in zip(parts, transcripts(whole, statement), sizes, strict=True):
        equations += _equations(part, transcript, proof[:size], commitments)
        proof = proof[size:]
    total = Equation()
    for index, each in enumerate(equations):
        total.add_equation(1 + secrets.randbelow(2**128 - 1) if index else 1, each)
    need(total.vanishes(), 9, "PROOF", "the equations do not hold")


def _sizes(part: Statement) -> list[int]:
    """Of each argument of a part, in the order in which they stand."""
    sizes = [opening.SIZE for term in part.terms if isinstance(term, OpeningTerm)]
    count = sum(isinstance(term, Ranged) for term in part.terms)
    sizes += [ranges.size(count, part.digits)] if count else []
    memberships = [term for term in part.terms if isinstance(term, MembershipTerm)]
    return sizes + [pieces.size(listed(term), term.member) for term in memberships]


def listed(term: MembershipTerm) -> pieces.Listed:
    """The set of a term, cut as every bundle's is."""
    return pieces.Listed(term.scalars, term.digest, term.type_tag, piece_size=pieces.PIECE)


def _equations(
    part: Statement, transcript: Transcript, proof: bytes, commitments: Commitments
) -> list[Equation]:
    arguments = []
    for size in _sizes(part):
        arguments.append(proof[:size])
        proof = proof[size:]
    remaining = iter(arguments)
    found: list[Equation] = []
    for shown in part.terms:
        if isinstance(shown, OpeningTerm):
            V = commitments[shown.slot]
            found.append(
                opening.equation(transcript, next(remaining), shown.scalar, V.point, V.encoded)
            )
    claims = [claim(term, commitments) for term in part.terms if isinstance(term, Ranged)]
    if claims:
        found.append(ranges.equation(transcript, next(remaining), claims, part.digits))
    for term in part.terms:
        if isinstance(term, MembershipTerm):
            V = commitments[term.slot]
            given = (listed(term), term.member, V.point, V.encoded)
            found += pieces.equations(transcript, next(remaining), *given)
    return found


def claim(term: Ranged, commitments: Commitments) -> ranges.Claim:
    """What the range argument says of a term, in attested commitments."""
    if isinstance(term, RangeTerm):
        V = commitments[term.slot]
        absorbed = frame(V.encoded, decimal(term.sign), decimal(term.bound))
        return ranges.Claim(absorbed, ((term.sign, V.point),), -term.sign * term.bound)
    constant = term.form.constant
    if isinstance(term, LinearTerm):
        pairs = [(c, commitments[slot]) for slot, c in term.form.coefficients]
        items = [frame(V.encoded, decimal(c)) for c, V in pairs]
        absorbed = frame(b"linear", decimal(constant), *items)
        return ranges.Claim(absorbed, tuple((c, V.point) for c, V in pairs), constant)
    items, points = [], []
    for place, c in term.form.coefficients:
        summands = [commitments[slot] for slot in term.slots_of(place)]
        digest = labelled_hash("crossproof/summands/v1", *(V.encoded for V in summands))
        items.append(frame(digest, decimal(c)))
        points.append((c, added(V.point for V in summands)))
    return ranges.Claim(frame(b"sum", decimal(constant), *items), tuple(points), constant)
