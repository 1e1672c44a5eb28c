"""The norm-linear argument: equal to the naive one, and an opening that holds only if true."""

from __future__ import annotations

import secrets

import pytest
from support import naive_range as naive

from proofs import equation, group, norm_linear
from proofs.equation import Equation
from proofs.errors import EncodingError
from proofs.generators import G, linear_bases, norm_bases
from proofs.group import ONE, ORDER, Point, Scalar
from proofs.norm_linear import Shape
from proofs.transcript import Transcript

START = b"crossproof/test/v1"


def random_vector(length: int) -> list[int]:
    return [secrets.randbelow(ORDER) for _ in range(length)]


def scalars(vector: list[int]) -> list[Scalar]:
    return [group.scalar(value) for value in vector]


class Instance:
    """Random vectors and the point that they open."""

    def __init__(self, linear: int, norm: int) -> None:
        self.c, self.l, self.n = random_vector(linear), random_vector(linear), random_vector(norm)
        self.rho = secrets.randbelow(ORDER)
        self.h = [base.point for base in linear_bases()[:linear]]
        self.g = [base.point for base in norm_bases(norm)]
        self.v = naive.inner(self.c, self.l) + naive.weighted(self.n, self.n, self.rho**2)
        self.point = naive.combination([G.point, *self.h, *self.g], [self.v, *self.l, *self.n])

    def prove(self) -> bytes:
        return norm_linear.prove(
            Transcript(START),
            constraint=scalars(self.c),
            linear=scalars(self.l),
            norm=scalars(self.n),
            rho=group.scalar(self.rho),
        )

    def opening(self, proof: bytes) -> norm_linear.Opening:
        return norm_linear.verify(
            Transcript(START),
            proof,
            constraint=scalars(self.c),
            norm_length=len(self.n),
            rho=group.scalar(self.rho),
        )

    def accepts(self, proof: bytes, point: Point | None = None) -> bool:
        opening = self.opening(proof)
        return equation.holds(
            Equation(
                (G, *linear_bases()[: len(self.l)], *norm_bases(len(self.n))),
                [-opening.value, *[-s for s in opening.linear], *[-s for s in opening.norm]],
                [point or self.point, *opening.points],
                [ONE, *opening.scalars],
            )
        )


LENGTHS = [(8, 16), (8, 32), (8, 64), (2, 4), (1, 8), (4, 16)]


@pytest.mark.parametrize(("linear", "norm"), LENGTHS)
def test_proof_is_the_naive_one(linear: int, norm: int) -> None:
    """Weights over unfolded bases give byte for byte the proof of folded bases."""
    instance = Instance(linear, norm)
    expected = naive.fold_prove(
        Transcript(START),
        instance.c,
        instance.l,
        instance.n,
        instance.rho,
        instance.h,
        instance.g,
    )
    assert instance.prove() == expected
    assert len(expected) == Shape.of(linear, norm).proof_bytes


@pytest.mark.parametrize(("linear", "norm"), LENGTHS)
def test_verdict_is_the_naive_one(linear: int, norm: int) -> None:
    """A true opening is accepted and a point with an error is refused, by both verifiers."""
    instance = Instance(linear, norm)
    proof = instance.prove()
    for point, expected in ((instance.point, True), (instance.point + G.point, False)):
        naive_verdict = naive.fold_verify(
            Transcript(START),
            point,
            proof,
            instance.c,
            instance.rho,
            instance.h,
            instance.g,
        )
        assert (instance.accepts(proof, point), naive_verdict) == (expected, expected)


def test_another_value_is_refused() -> None:
    """v is bound: the same vectors with another multiple of G are not an opening."""
    instance = Instance(8, 16)
    wrong = naive.combination(
        [G.point, *instance.h, *instance.g], [instance.v + 1, *instance.l, *instance.n]
    )
    assert not instance.accepts(instance.prove(), wrong)


def test_length_is_exact() -> None:
    """A proof with a byte more or less is refused before anything is decoded."""
    instance = Instance(8, 16)
    proof = instance.prove()
    for wrong in (proof[:-1], proof + b"\0", b"", proof[:-32], proof + proof[-32:]):
        with pytest.raises(EncodingError, match="length"):
            instance.opening(wrong)


def test_shapes() -> None:
    """Rounds and remainders: a vector of one entry waits while the other goes on."""
    assert Shape.of(8, 16) == Shape(rounds=2, linear=2, norm=4)
    assert Shape.of(8, 32) == Shape(rounds=3, linear=1, norm=4)
    assert Shape.of(8, 128) == Shape(rounds=5, linear=1, norm=4)
    assert Shape.of(2, 4) == Shape(rounds=0, linear=2, norm=4)
    for bad in ((0, 16), (3, 16), (8, 24)):
        with pytest.raises(ValueError, match="powers of two"):
            Shape.of(*bad)


def test_weighted_norm_is_the_formula() -> None:
    """The sum of mu^(i+1)·n_i²."""
    n, mu = random_vector(5), secrets.randbelow(ORDER)
    got = norm_linear.weighted_norm(scalars(n), group.scalar(mu))
    assert int(got) == naive.weighted(n, n, mu)
