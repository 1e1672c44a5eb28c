"""Special soundness of the norm-linear argument, run: transcripts with other g give the witness."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import pytest
from support import naive_range as naive
from support.extraction import Claim, extract
from support.transcripts import ProgrammedTranscript

from proofs import equation, group, norm_linear
from proofs.equation import Equation
from proofs.generators import G, linear_bases, norm_bases
from proofs.group import ONE, ORDER, Scalar

START = b"crossproof/test/v1"


def random_vector(length: int) -> list[int]:
    return [secrets.randbelow(ORDER) for _ in range(length)]


def scalars(vector: Sequence[int]) -> list[Scalar]:
    return [group.scalar(value) for value in vector]


class Instance:
    """Vectors l and n, the claim about them, and a prover that answers any challenges."""

    def __init__(self, linear: int, norm: int, *, error: int = 0) -> None:
        """With `error`, P holds that much more G than the claim says: a false claim."""
        self.c, self.l, self.n = map(random_vector, (linear, linear, norm))
        self.rho = secrets.randbelow(ORDER)
        self.claim = Claim(scalars(self.c), norm, group.scalar(self.rho))
        value = naive.inner(self.c, self.l) + naive.weighted(self.n, self.n, self.rho**2) + error
        self.opening = [value % ORDER, *self.l, *self.n]
        self.point = naive.combination(self.claim.bases, self.opening)

    def prove(self, gs: Sequence[int]) -> bytes:
        return norm_linear.prove(
            self._transcript(gs),
            constraint=self.claim.constraint,
            linear=scalars(self.l),
            norm=scalars(self.n),
            rho=self.claim.rho,
        )

    def _transcript(self, gs: Sequence[int]) -> ProgrammedTranscript:
        return ProgrammedTranscript(START, {b"g": scalars(gs)})

    def accepts(self, proof: bytes, gs: Sequence[int]) -> bool:
        opening = norm_linear.verify(
            self._transcript(gs),
            proof,
            constraint=self.claim.constraint,
            norm_length=len(self.n),
            rho=self.claim.rho,
        )
        return equation.holds(
            Equation(
                (G, *linear_bases()[: len(self.l)], *norm_bases(len(self.n))),
                [-opening.value, *[-s for s in opening.linear], *[-s for s in opening.norm]],
                [self.point, *opening.points],
                [ONE, *opening.scalars],
            )
        )


# One round with both vectors, one with n alone, two rounds, and two of which one is n alone.
@pytest.mark.parametrize(("linear", "norm"), [(4, 8), (1, 8), (8, 16), (2, 16)])
def test_three_challenges_a_round_give_the_witness(linear: int, norm: int) -> None:
    """P, X and R of every round open over the unfolded bases, P to the prover's own l and n."""
    instance = Instance(linear, norm)

    def rewound(gs: Sequence[int]) -> bytes:
        proof = instance.prove(gs)
        assert instance.accepts(proof, gs)
        return proof

    found = extract(instance.claim, rewound)
    assert found == instance.opening
    assert instance.claim.opens(instance.point, found)
    value, l, n = found[0], found[1 : 1 + linear], found[1 + linear :]  # noqa: E741
    assert value == (naive.inner(instance.c, l) + naive.weighted(n, n, instance.rho**2)) % ORDER


def test_one_challenge_given_twice_is_no_tree() -> None:
    """Two equal challenges are one equation: nothing comes out."""
    instance = Instance(4, 8)
    with pytest.raises(ValueError, match="repeat"):
        extract(instance.claim, instance.prove, (2, 3, 3))


def test_two_challenges_known_beforehand_can_be_answered_and_no_third() -> None:
    """Why one transcript shows nothing: errors in X and R hide a false claim at two chosen g.

    P is one G too many. With e_X and e_R added to X and R the error after the round is
    1 + g·e_X + (g²-1)·e_R, which vanishes at the two, and at no other challenge.
    """
    instance = Instance(4, 8, error=1)
    first, second = 11, 13
    scale = pow(first * second + 1, -1, ORDER)
    errors = {"X": -(first + second) * scale % ORDER, "R'": scale}

    def prove(g: int) -> bytes:
        return naive.fold_prove(
            ProgrammedTranscript(START, {b"g": [group.scalar(g)]}),
            instance.c,
            instance.l,
            instance.n,
            instance.rho,
            [base.point for base in linear_bases()[:4]],
            [base.point for base in norm_bases(8)],
            lambda name, point: point + G.point * group.scalar(errors[name]),
        )

    verdicts = {g: instance.accepts(prove(g), (g,)) for g in (first, second, 17, ORDER - 1)}
    assert verdicts == {first: True, second: True, 17: False, ORDER - 1: False}
