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
from functools import lru_cache

from proofs import group
from proofs.claims import Claims
from proofs.derived import (
    Opened,
    derived_encodings,
    derived_opening,
    over_attested,
    placeholder,
)
from proofs.equation import Equation
from proofs.errors import BindingError, CannotProveError, EncodingError, SetError
from proofs.group import Point, Scalar
from proofs.opening import PROOF_BYTES as OPENING_BYTES
from proofs.opening import prove_opening, verify_opening
from proofs.range_proof import proof_length as range_length
from proofs.range_proof import prove_ranges, verify_ranges
from proofs.set_argument import membership_length, prove_membership, verify_membership
from proofs.sets import ScalarSet
from proofs.statement import LiteralSet, Membership, Statement
from proofs.subjects import SLOTS
from proofs.transcript import Transcript
from proofs.witness import Witness

Sets = Mapping[str, ScalarSet]
"""The members of each named set, by its name."""


def prove_arguments(
    claims: Claims, statement: Statement, witnesses: Sequence[Witness], sets: Sets
) -> bytes:
    """The proof's bytes. The witnesses, in the order of the aliases, open the bound commitments.

    Raises:
        CannotProveError: a fact is false.
    """

    def opened(slot: int) -> tuple[Scalar, Scalar]:
        pair = witnesses[slot // SLOTS].values[slot % SLOTS]
        if pair is None:
            raise BindingError("the witness lacks an attested attribute")
        return pair

    return prove_terms(claims.transcript(), statement, claims.by_slot(), opened, sets)


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
    commitments = claims.by_slot()
    points = decode_commitments(commitments)
    return verify_terms(claims.transcript(), statement, commitments, points, proof, sets)


def prove_terms(
    transcript: Transcript,
    statement: Statement,
    commitments: Mapping[int, bytes],
    opened: Opened,
    sets: Sets,
) -> bytes:
    """The proof's bytes. `commitments` and `opened` give what stands in the statement's slots.

    The transcript holds already what the proof is about.

    Raises:
        CannotProveError: a fact is false.
    """
    proof = b""
    for opening in statement.openings:
        value, blinding = opened(opening.attribute)
        if value != opening.scalar:
            raise CannotProveError("the value is not the one that the fact says")
        commitment = commitments[opening.attribute]
        proof += prove_opening(transcript, value, blinding, commitment)
    terms = statement.ranges
    if terms:
        derived = [derived_opening(term, opened) for term in terms]
        proof += prove_ranges(
            transcript,
            [value for value, _ in derived],
            [blinding for _, blinding in derived],
            derived_encodings(terms, commitments),
            digits=statement.digits,
        )
    for membership in statement.memberships:
        value, blinding = opened(membership.attribute)
        proof += prove_membership(
            transcript,
            value,
            blinding,
            commitments[membership.attribute],
            members_of(membership, sets),
            member=membership.member,
        )
    return proof


def verify_terms(
    transcript: Transcript,
    statement: Statement,
    commitments: Mapping[int, bytes],
    points: Mapping[int, Point],
    proof: bytes,
    sets: Sets,
) -> list[Equation]:
    """The equations that hold exactly if the proof is one of this statement.

    `points` are the commitments, decoded as statement points. The equations are NOT yet checked:
    hand them to `equation.check`, apart.

    Raises:
        EncodingError: a proof that is malformed or of another length than the statement's.
        ProofError: a challenge that no honest proof meets.
    """
    parts = _split(proof, statement, sets)
    equations: list[Equation] = []
    for opening in statement.openings:
        place = opening.attribute
        equations.append(
            verify_opening(
                transcript, opening.scalar, points[place], commitments[place], next(parts)
            )
        )
    terms = statement.ranges
    if terms:
        equation = verify_ranges(
            transcript,
            [placeholder(term, points) for term in terms],
            derived_encodings(terms, commitments),
            next(parts),
            digits=statement.digits,
        )
        equations.append(over_attested(equation, terms, points))
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


def decode_commitments(commitments: Mapping[int, bytes]) -> dict[int, Point]:
    """The attested points by slot, each checked to be in the group; EncodingError if one is not."""
    decoded = group.decode_statement_points(commitments.values())
    return dict(zip(commitments, decoded, strict=True))


def proof_lengths(statement: Statement, sets: Sets) -> list[int]:
    """Exact bytes of each argument, in their order."""
    lengths = [OPENING_BYTES] * len(statement.openings)
    if statement.ranges:
        lengths.append(range_length(len(statement.ranges), digits=statement.digits))
    lengths += [
        membership_length(members_of(each, sets).size, member=each.member)
        for each in statement.memberships
    ]
    return lengths


def members_of(membership: Membership, sets: Sets) -> ScalarSet:
    """The set of a membership: written out in the fact, or the named one with its digest.

    Raises:
        SetError: the named set is not at hand, or has another digest than the statement's.
    """
    if isinstance(membership.set, LiteralSet):
        return _written_out(membership.set)
    found = sets.get(membership.set.name)
    if found is None:
        raise SetError(f"the set @{membership.set.name} is not at hand")
    if found.digest.hex() != membership.set.digest:
        raise SetError(f"the set @{membership.set.name} has another digest than the statement's")
    return found


@lru_cache(maxsize=256)  # one list stands in many bundles, and makes a polynomial
def _written_out(members: LiteralSet) -> ScalarSet:
    return ScalarSet.from_scalars(members.scalars, members.type_tag)


def _split(proof: bytes, statement: Statement, sets: Sets) -> Iterator[bytes]:
    """The proof cut into the parts that the statement asks for; nothing may be left over."""
    lengths = proof_lengths(statement, sets)
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
