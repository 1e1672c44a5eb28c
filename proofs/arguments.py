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
from proofs.group import ZERO, Point, Scalar
from proofs.labels import frame
from proofs.opening import PROOF_BYTES as OPENING_BYTES
from proofs.opening import prove_opening, verify_opening
from proofs.range_proof import proof_length as range_length
from proofs.range_proof import prove_ranges, verify_ranges
from proofs.range_terms import HEAD_POINTS
from proofs.set_argument import membership_length, prove_membership, verify_membership
from proofs.sets import ScalarSet
from proofs.statement import LinearTerm, LiteralSet, Membership, RangeTerm, Statement
from proofs.subjects import SLOTS
from proofs.witness import Witness, scalar_integer

Sets = Mapping[str, ScalarSet]
"""The members of each named set, by its name."""


def prove_arguments(
    claims: Claims, statement: Statement, witnesses: Sequence[Witness], sets: Sets
) -> bytes:
    """The proof's bytes. The witnesses, in the order of the aliases, open the bound commitments.

    Raises:
        CannotProveError: a fact is false.
    """
    transcript = claims.transcript()
    commitments = claims.by_slot()
    proof = b""
    for opening in statement.openings:
        value, blinding = _opened(witnesses, opening.attribute)
        if value != opening.scalar:
            raise CannotProveError("the value is not the one that the fact says")
        commitment = commitments[opening.attribute]
        proof += prove_opening(transcript, value, blinding, commitment)
    terms = statement.ranges
    if terms:
        derived = [_derived(term, witnesses) for term in terms]
        proof += prove_ranges(
            transcript,
            [value for value, _ in derived],
            [blinding for _, blinding in derived],
            _range_encodings(terms, commitments),
            digits=statement.digits,
        )
    for membership in statement.memberships:
        value, blinding = _opened(witnesses, membership.attribute)
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
    commitments = claims.by_slot()
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
            _over_attested(
                verify_ranges(
                    transcript,
                    # In the places of the derived commitments, for now; `_over_attested` says why.
                    [points[term.coefficients[0][0]] for term in statement.ranges],
                    _range_encodings(statement.ranges, commitments),
                    next(parts),
                    digits=statement.digits,
                ),
                statement.ranges,
                points,
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


def _opened(witnesses: Sequence[Witness], slot: int) -> tuple[Scalar, Scalar]:
    pair = witnesses[slot // SLOTS].values[slot % SLOTS]
    if pair is None:
        raise BindingError("the witness lacks an attested attribute")
    return pair


def _derived(term: RangeTerm | LinearTerm, witnesses: Sequence[Witness]) -> tuple[int, Scalar]:
    """Value, over the integers, and blinding of a derived commitment."""
    value, blinding = term.constant, ZERO
    for slot, coefficient in term.coefficients:
        scalar, part = _opened(witnesses, slot)
        value += coefficient * scalar_integer(scalar)
        blinding += part * group.signed_scalar(coefficient)
    return value, blinding


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


def _range_encodings(
    terms: Sequence[RangeTerm | LinearTerm], commitments: Mapping[int, bytes]
) -> list[bytes]:
    """What the range argument absorbs for a derived V*: all that determines it.

    V, sign and bound for V* = sign·(V - bound·G); the constant, and each V with its coefficient,
    for a sum of multiples. So nobody has to compute and encode V*.
    """
    return [
        frame(commitments[term.attribute], str(term.sign).encode(), str(term.bound).encode())
        if isinstance(term, RangeTerm)
        else frame(
            b"linear",
            str(term.constant).encode(),
            *(
                frame(commitments[slot], str(coefficient).encode())
                for slot, coefficient in term.coefficients
            ),
        )
        for term in terms
    ]


def _over_attested(
    equation: Equation, terms: Sequence[RangeTerm | LinearTerm], points: Mapping[int, Point]
) -> Equation:
    """The range equation over the attested V, made from the one with a point for each V*.

    With V* = Σ cᵢVᵢ + k·G, a coefficient a of V* is a·cᵢ of Vᵢ and a·k of G: no point is
    multiplied for it, and an attested V that several terms are about stands once.
    """
    fixed = list(equation.fixed_scalars)
    base = equation.fixed.index(G)
    attested: dict[int, Scalar] = {}
    end = HEAD_POINTS + len(terms)
    for term, weight in zip(terms, equation.scalars[HEAD_POINTS:end], strict=True):
        fixed[base] += weight * group.signed_scalar(term.constant)
        for slot, coefficient in term.coefficients:
            scaled = weight * group.signed_scalar(coefficient)
            attested[slot] = attested[slot] + scaled if slot in attested else scaled
    return Equation(
        equation.fixed,
        fixed,
        [
            *equation.points[:HEAD_POINTS],
            *(points[slot] for slot in attested),
            *equation.points[end:],
        ],
        [*equation.scalars[:HEAD_POINTS], *attested.values(), *equation.scalars[end:]],
    )
