"""Step 9: the arguments of a bundle on one transcript, and all equations in one sum."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from independent.second_verifier import opening, ranges, sets
from independent.second_verifier.bundle import Bundle
from independent.second_verifier.curve import Equation, Point
from independent.second_verifier.documents import Attestation
from independent.second_verifier.encoding import decimal, frame, sha256, write
from independent.second_verifier.refusal import need, well_formed
from independent.second_verifier.statement import (
    LinearTerm,
    MembershipTerm,
    OpeningTerm,
    RangeTerm,
    Statement,
)
from independent.second_verifier.transcript import Transcript


@dataclass(frozen=True)
class Committed:
    """An attested commitment as a point and as the bytes that came."""

    point: Point
    encoded: bytes


def begin(
    bundle: Bundle,
    attestations: tuple[Attestation, ...],
    statement: Statement,
    commitments: Mapping[int, Committed],
) -> Transcript:
    """The transcript with everything that the proof is about."""
    transcript = Transcript("crossproof/bundle/v1")
    transcript.absorb("context", write(bundle.context.tree))
    transcript.absorb_list("schemas", (each.digest for each in bundle.schemas))
    transcript.absorb_list(
        "documents",
        (
            frame(
                entry.alias.encode(),
                entry.kind.encode(),
                sha256(entry.envelope.payload),
                entry.envelope.key_id,
                attestation.schema,
            )
            for entry, attestation in zip(bundle.documents, attestations, strict=True)
        ),
    )
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


def check(
    transcript: Transcript,
    proof: bytes,
    statement: Statement,
    commitments: Mapping[int, Committed],
) -> None:
    """Refuses unless the proof has its length, is well-formed, and all equations hold."""
    openings = [term for term in statement.terms if isinstance(term, OpeningTerm)]
    claims = [
        claim(term, commitments)
        for term in statement.terms
        if isinstance(term, RangeTerm | LinearTerm)
    ]
    memberships = [term for term in statement.terms if isinstance(term, MembershipTerm)]
    sizes = [opening.SIZE] * len(openings)
    sizes += [ranges.size(len(claims), statement.digits)] if claims else []
    sizes += [sets.size(len(term.scalars), term.member) for term in memberships]
    well_formed(len(proof) == sum(sizes), "not the length of the proof")
    parts = []
    for size in sizes:
        parts.append(proof[:size])
        proof = proof[size:]
    remaining = iter(parts)

    equations: list[Equation] = []
    for shown in openings:
        committed = commitments[shown.slot]
        equations.append(
            opening.equation(
                transcript, next(remaining), shown.scalar, committed.point, committed.encoded
            )
        )
    if claims:
        equations.append(ranges.equation(transcript, next(remaining), claims, statement.digits))
    for term in memberships:
        committed = commitments[term.slot]
        equations += sets.equations(
            transcript,
            next(remaining),
            term.scalars,
            term.digest,
            term.member,
            committed.point,
            committed.encoded,
        )
    total = Equation()
    for index, each in enumerate(equations):
        total.add_equation(1 + secrets.randbelow(2**128 - 1) if index else 1, each)
    need(total.vanishes(), 9, "PROOF", "the equations do not hold")


def claim(term: RangeTerm | LinearTerm, commitments: Mapping[int, Committed]) -> ranges.Claim:
    """What the range argument says of a term, in attested commitments."""
    if isinstance(term, RangeTerm):
        V = commitments[term.slot]
        absorbed = frame(V.encoded, decimal(term.sign), decimal(term.bound))
        return ranges.Claim(absorbed, ((term.sign, V.point),), -term.sign * term.bound)
    pairs = [(c, commitments[slot]) for slot, c in term.form.coefficients]
    absorbed = frame(
        b"linear",
        decimal(term.form.constant),
        *(frame(V.encoded, decimal(c)) for c, V in pairs),
    )
    return ranges.Claim(absorbed, tuple((c, V.point) for c, V in pairs), term.form.constant)
