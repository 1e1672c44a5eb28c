"""The arguments of a bundle, one after the other on one transcript: openings, ranges, sets.

Both sides walk the compiled statement in the same order: every opening, one aggregated range
argument for all ranges, then the memberships in the order of their facts. The bytes have exactly
the length that the statement asks for. It believes what it is given (commitments attested, sets
of the right type and digest); `verify` and `prove` see to that. The verifier's part gives back
equations and has decided nothing before they are checked.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from proofs import group
from proofs.claims import Claims
from proofs.equation import Equation
from proofs.errors import BindingError, CannotProveError, EncodingError, SetError
from proofs.generators import G
from proofs.group import Scalar
from proofs.labels import frame
from proofs.membership import proof_length as membership_length
from proofs.membership import prove_membership, verify_membership
from proofs.opening import PROOF_BYTES as OPENING_BYTES
from proofs.opening import prove_opening, verify_opening
from proofs.range_proof import proof_length as range_length
from proofs.range_proof import prove_ranges, verify_ranges
from proofs.range_terms import HEAD_POINTS
from proofs.sets import ScalarSet
from proofs.statement import LiteralSet, Membership, RangeTerm, Statement
from proofs.witness import Witness, scalar_integer

Sets = Mapping[str, ScalarSet]
"""The members of each named set, by its name."""


def prove_arguments(claims: Claims, statement: Statement, witness: Witness, sets: Sets) -> bytes:
    """The proof's bytes. The witness opens the bound commitments.

    Raises:
        CannotProveError: a fact is false.
    """
    transcript = claims.transcript()
    commitments = claims.by_attribute()
    proof = b""
    for opening in statement.openings:
        value, blinding = _opened(witness, opening.attribute)
        if value != opening.scalar:
            raise CannotProveError("the value is not the one that the fact says")
        commitment = commitments[opening.attribute]
        proof += prove_opening(transcript, value, blinding, commitment)
    terms = statement.ranges
    if terms:
        opened = [_opened(witness, term.attribute) for term in terms]
        proof += prove_ranges(
            transcript,
            [term.value(scalar_integer(v)) for term, (v, _) in zip(terms, opened, strict=True)],
            [term.blinding(r) for term, (_, r) in zip(terms, opened, strict=True)],
            _range_encodings(terms, commitments),
            digits=statement.digits,
        )
    for membership in statement.memberships:
        value, blinding = _opened(witness, membership.attribute)
        proof += prove_membership(
            transcript,
            value,
            blinding,
            commitments[membership.attribute],
            members_of(membership, sets),
            member=membership.member,
        )
    return proof


def verify_arguments(
    claims: Claims, statement: Statement, proof: bytes, sets: Sets
) -> list[Equation]:
    """The equations that hold exactly if the proof is one of this statement about these claims.

    They are NOT yet checked: hand them to `equation.check`, apart.

    Raises:
        EncodingError: a commitment outside the group, or a proof that is malformed or of another
            length than the statement's.
        ProofError: a challenge that no honest proof meets.
    """
    parts = _split(proof, statement, sets)
    commitments = claims.by_attribute()
    transcript = claims.transcript()
    points = dict(
        zip(commitments, group.decode_statement_points(commitments.values()), strict=True)
    )
    equations: list[Equation] = []
    for opening in statement.openings:
        place = opening.attribute
        equations.append(
            verify_opening(
                transcript, opening.scalar, points[place], commitments[place], next(parts)
            )
        )
    if statement.ranges:
        equations.append(
            _shifted(
                verify_ranges(
                    transcript,
                    [points[term.attribute] for term in statement.ranges],
                    _range_encodings(statement.ranges, commitments),
                    next(parts),
                    digits=statement.digits,
                ),
                statement.ranges,
            )
        )
    for membership in statement.memberships:
        equations += verify_membership(
            transcript,
            points[membership.attribute],
            commitments[membership.attribute],
            members_of(membership, sets),
            next(parts),
            member=membership.member,
        )
    return equations


def members_of(membership: Membership, sets: Sets) -> ScalarSet:
    """The set of a membership: written out in the fact, or the named one with its digest.

    Raises:
        SetError: the named set is not at hand, or has another digest than the statement's.
    """
    if isinstance(membership.set, LiteralSet):
        return ScalarSet.from_scalars(membership.set.scalars, membership.set.type_tag)
    found = sets.get(membership.set.name)
    if found is None:
        raise SetError(f"the set @{membership.set.name} is not at hand")
    if found.digest.hex() != membership.set.digest:
        raise SetError(f"the set @{membership.set.name} has another digest than the statement's")
    return found


def _opened(witness: Witness, attribute: int) -> tuple[Scalar, Scalar]:
    pair = witness.values[attribute]
    if pair is None:
        raise BindingError("the witness lacks an attested attribute")
    return pair


def _split(proof: bytes, statement: Statement, sets: Sets) -> Iterator[bytes]:
    """The proof cut into the parts that the statement asks for; nothing may be left over."""
    lengths = [OPENING_BYTES] * len(statement.openings)
    if statement.ranges:
        lengths.append(range_length(len(statement.ranges), digits=statement.digits))
    lengths += [
        membership_length(members_of(each, sets).size, member=each.member)
        for each in statement.memberships
    ]
    if len(proof) != sum(lengths):
        raise EncodingError(
            f"the proof has {len(proof)} bytes, its facts take {sum(lengths)}: "
            "cut off, extended, or of other facts"
        )
    parts, at = [], 0
    for length in lengths:
        parts.append(proof[at : at + length])
        at += length
    return iter(parts)


def _range_encodings(terms: Sequence[RangeTerm], commitments: Mapping[int, bytes]) -> list[bytes]:
    """What the range argument absorbs for V* = sign·(V - bound·G): V, sign and bound.

    They determine V*, so nobody has to compute and encode it.
    """
    return [
        frame(commitments[term.attribute], str(term.sign).encode(), str(term.bound).encode())
        for term in terms
    ]


def _shifted(equation: Equation, terms: Sequence[RangeTerm]) -> Equation:
    """The range equation for the V*, made from the one that has the attested V in their place.

    With V* = sign·(V - bound·G), a coefficient c of V* is sign·c of V and -sign·bound·c of G:
    no point is multiplied for it.
    """
    fixed, scalars = list(equation.fixed_scalars), list(equation.scalars)
    base = equation.fixed.index(G)
    for place, term in enumerate(terms, HEAD_POINTS):
        if term.sign < 0:
            scalars[place] = -scalars[place]
        fixed[base] -= scalars[place] * group.signed_scalar(term.bound)
    return Equation(equation.fixed, fixed, equation.points, scalars)
