"""Bases with weights, folded or not, give the points that folding in every round would."""

from __future__ import annotations

import pytest
from support.ranges import START, random_statement

from proofs import equation, folded_bases, group, norm_linear
from proofs.folded_bases import FOLD_FROM, NormBases, odd_blocks
from proofs.generators import G, linear_bases, norm_bases
from proofs.group import Point, Scalar
from proofs.range_terms import Layout
from proofs.transcript import Transcript


def randoms(count: int) -> list[Scalar]:
    return [group.random_scalar() for _ in range(count)]


@pytest.fixture(params=[8, 1 << 20], ids=["folds", "never folds"])
def fold_from(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """From how many bases on they are folded."""
    monkeypatch.setattr(folded_bases, "FOLD_FROM", request.param)
    return int(request.param)


@pytest.mark.usefixtures("fold_from")
def test_every_round_is_the_naive_one() -> None:
    """The prover's sums over all folded bases, and over the odd ones, round by round."""
    bases, naive = NormBases(64), [base.point for base in norm_bases(64)]
    while True:
        blinding, entries = randoms(1), randoms(len(naive))
        expected = group.multiply([G.point, *naive], [*blinding, *entries])
        assert bases.multiply([G], blinding, entries) == expected
        if len(naive) == 1:
            break
        odd = naive[1::2]
        expected = group.multiply([G.point, *odd], [*blinding, *entries[: len(odd)]])
        assert bases.multiply_odd([G], blinding, entries[: len(odd)]) == expected
        even_factor, odd_factor = randoms(2)
        bases.next_round(even_factor, odd_factor)
        naive = [
            group.multiply([even, after], [even_factor, odd_factor])
            for even, after in zip(naive[::2], odd, strict=True)
        ]


@pytest.mark.parametrize("length", [16, 64, FOLD_FROM])
def test_folding_changes_no_byte(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument has no randomness of its own: whenever bases are folded, the proof is one."""
    linear, norm, (rho,) = randoms(8), randoms(length), randoms(1)
    constraint = randoms(8)
    proofs = set()
    for fold_from in (8, FOLD_FROM, 1 << 20):
        monkeypatch.setattr(folded_bases, "FOLD_FROM", fold_from)
        transcript = Transcript(START)
        proofs.add(
            norm_linear.prove(transcript, constraint=constraint, linear=linear, norm=norm, rho=rho)
        )
    assert len(proofs) == 1


def test_a_proof_with_folded_bases_verifies() -> None:
    """Past the size from which bases are folded, the verifier's weights fit the prover's points."""
    statement = random_statement(16, 16)
    assert Layout.of(16, 16).norm_length == FOLD_FROM
    proof = statement.prove()
    equation.check([statement.equation(proof)])
    assert not statement.accepts(proof[:48] + proof[96:144] + proof[96:])


def test_odd_blocks() -> None:
    """The second of every two blocks."""
    assert odd_blocks(linear_bases(), 2) == [linear_bases()[i] for i in (2, 3, 6, 7)]
    nothing: list[Point] = []
    assert odd_blocks(nothing, 4) == nothing
