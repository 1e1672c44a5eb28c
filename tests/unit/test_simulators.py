"""Zero knowledge, run: given the challenges first, everything is proven about what nobody knows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.bundles import sets
from support.forging import around, asking, refused
from support.ranges import START, Committed, random_statement
from support.simulators import (
    Programme,
    simulate_membership,
    simulate_opening,
    simulate_range,
)
from support.transcripts import ProgrammedTranscript

from proofs import equation, group
from proofs.arguments import members_of, verify_arguments
from proofs.claims import Claims
from proofs.errors import ProofError
from proofs.generators import G
from proofs.group import Point
from proofs.statement import Statement
from proofs.transcript import Transcript


def nobodys(count: int, digits: int) -> Committed:
    """Commitments that nobody can open."""
    points = [group.hash_to_point(b"crossproof/test/v1", bytes([i])) for i in range(count)]
    return Committed((), (), tuple(points), tuple(map(group.encode_point, points)), digits)


@pytest.mark.parametrize(("count", "digits"), [(1, 1), (1, 16), (2, 9), (3, 16)])
def test_a_range_of_nobodys_value(count: int, digits: int) -> None:
    """Accepted with the challenges that were chosen, refused with those of the transcript."""
    statement, programme = nobodys(count, digits), Programme()
    proof = simulate_range(programme, statement.points, digits)
    assert statement.accepts(proof, ProgrammedTranscript(START, programme))
    assert not statement.accepts(proof, Transcript(START))
    # One other challenge, and it is nothing.
    for label in programme:
        other = Programme({key: list(values) for key, values in programme.items()})
        other[label][0] = group.random_scalar()
        verdict = statement.accepts(proof, ProgrammedTranscript(START, other))
        assert verdict is (count == 1 and label == b"lambda")  # lambda tells values apart


def test_a_simulated_range_looks_like_a_real_one() -> None:
    """The same bytes in number and form, for a value that is known to lie outside too."""
    true, programme = random_statement(1, 16), Programme()
    assert len(simulate_range(programme, true.points, 16)) == len(true.prove())
    outside = replace(true, values=(-1,), points=(true.points[0] - G.point * group.scalar(16**16),))
    proof = simulate_range(programme := Programme(), outside.points, 16)
    assert outside.accepts(proof, ProgrammedTranscript(START, programme))


FALSE = (
    "annual_yield >= 0.0913",
    "capacity in 20..48.499 MW",
    "fuel not in @fuels",
    "owner in @sanctions",
    "fuel in {COAL, GAS}",
    "province = Anhui",
)


class Programmed(Claims):
    """Claims whose transcript draws what was programmed."""

    programme: Programme

    def transcript(self) -> Transcript:
        """Without the statement: no challenge depends on it."""
        return ProgrammedTranscript(START, self.programme)


def test_a_whole_bundle_of_false_facts() -> None:
    """Openings, ranges and memberships of both polarities, on one transcript, and all false."""
    found = asking(*FALSE)
    named = {each.name: each.scalars for each in sets()}

    def prover(claims: Claims, statement: Statement) -> bytes:
        programme = Programme()
        slots = claims.by_slot()
        points = dict(zip(slots, group.decode_statement_points(list(slots.values())), strict=True))

        def derived(constant: int, coefficients: tuple[tuple[int, int], ...]) -> Point:
            return group.multiply(
                [G.point, *(points[slot] for slot, _ in coefficients)],
                [
                    group.signed_scalar(constant),
                    *(group.signed_scalar(factor) for _, factor in coefficients),
                ],
            )

        proof = b"".join(
            simulate_opening(programme, points[each.attribute], each.scalar)
            for each in statement.openings
        )
        proof += simulate_range(
            programme,
            [derived(each.constant, each.coefficients) for each in statement.ranges],
            statement.digits,
        )
        for each in statement.memberships:
            members = members_of(each, named)
            proof += simulate_membership(
                programme, points[each.attribute], members, member=each.member
            )
        programmed = Programmed(
            **{name: getattr(claims, name) for name in claims.__dataclass_fields__}
        )
        object.__setattr__(programmed, "programme", programme)
        equation.check(verify_arguments(programmed, statement, proof, named))
        return proof

    refused(ProofError, "does not verify", around(found, prover))
