"""The weighted norm-linear argument of Bulletproofs++: knowledge of l and n behind one point.

Statement: P = v·G + <l, H> + <n, G> with v = <c, l> + sum of mu^(i+1)·n_i², mu = rho². Every round
halves both vectors and sends two points; the last short vectors are sent in clear. It hides
nothing by itself: the range argument hands it vectors that are already blinded.

Both sides keep, for every original base, the product of challenges that folding would have put
before it (`folded_bases`), so the prover's two points of a round and the verifier's whole equation
are one multi-scalar multiplication each.

SPEC.md, "Range argument".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul

from proofs import group
from proofs.errors import EncodingError
from proofs.folded_bases import NormBases, extend, odd_blocks, spread
from proofs.generators import G, Generator, linear_bases
from proofs.group import ONE, POINT_BYTES, SCALAR_BYTES, ZERO, Point, Scalar
from proofs.transcript import Transcript

# Below these lengths another round would send more than it saves.
LAST_LINEAR = 2
LAST_NORM = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """How often vectors of the given lengths are halved, and what is left of them."""

    rounds: int
    linear: int
    norm: int

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, linear: int, norm: int) -> Shape:
        """For powers of two, the lengths of l and n; ValueError for other lengths."""
        if any(length < 1 or length & (length - 1) for length in (linear, norm)):
            raise ValueError("lengths are powers of two")
        rounds = 0
        while linear > LAST_LINEAR or norm > LAST_NORM:
            linear, norm, rounds = max(1, linear // 2), max(1, norm // 2), rounds + 1
        return cls(rounds, linear, norm)

    @property
    def proof_bytes(self) -> int:
        """Two points a round, then the last vectors."""
        return 2 * POINT_BYTES * self.rounds + SCALAR_BYTES * (self.linear + self.norm)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the verifier still has to compare: P + <scalars, points> = v·G + <l', H> + <n', G>.

    `linear` and `norm` are the multiples of the original bases, `points` the X and R of all
    rounds.
    """

    value: Scalar
    linear: list[Scalar]
    norm: list[Scalar]
    points: list[Point]
    scalars: list[Scalar]


def weighted_norm(vector: Sequence[Scalar], mu: Scalar) -> Scalar:
    """The sum of mu^(i+1)·vector[i]²."""
    total = ZERO
    for entry in reversed(vector):
        total = (total + entry.square()) * mu
    return total


def prove(
    transcript: Transcript,
    *,
    constraint: Sequence[Scalar],
    linear: Sequence[Scalar],
    norm: Sequence[Scalar],
    rho: Scalar,
) -> bytes:
    """Prove that the P which the transcript fixes opens to l = `linear` and n = `norm`.

    `constraint` is c, as long as l; lengths are powers of two, l at most 8. rho is not zero.
    """
    shape = Shape.of(len(linear), len(norm))
    c, l, n = list(constraint), list(linear), list(norm)  # noqa: E741
    h_bases, norm_side = linear_bases()[: len(l)], NormBases(len(n))
    h_weights = [ONE]
    inverses = _inverse_squarings(rho, shape.rounds)
    parts = []
    for round_index in range(shape.rounds):
        mu = rho.square()
        mu_squared = mu.square()
        n_even, n_odd = n[::2], n[1::2]
        x_value = _weighted_product(n_even, n_odd, mu_squared) * inverses[round_index]
        x_value += x_value
        r_value = weighted_norm(n_odd, mu_squared)
        x_norm = [t for pair in zip(n_odd, n_even, strict=True) for t in pair]
        x_factors = (rho, inverses[round_index])
        x_norm = [entry * x_factors[i & 1] for i, entry in enumerate(x_norm)]
        x_bases: list[Generator] = [G]
        x_scalars: list[Scalar] = []
        r_bases: list[Generator] = [G]
        r_scalars: list[Scalar] = []
        if len(l) > 1:
            l_even, l_odd, c_even, c_odd = l[::2], l[1::2], c[::2], c[1::2]
            x_value += _inner(c_even, l_odd) + _inner(c_odd, l_even)
            r_value += _inner(c_odd, l_odd)
            swapped = [t for pair in zip(l_odd, l_even, strict=True) for t in pair]
            x_bases += h_bases
            x_scalars += spread(swapped, h_weights)
            r_bases += odd_blocks(h_bases, len(h_weights))
            r_scalars += spread(l_odd, h_weights)
        x_point = norm_side.multiply(x_bases, [x_value, *x_scalars], x_norm)
        r_point = norm_side.multiply_odd(r_bases, [r_value, *r_scalars], n_odd)
        x_bytes, r_bytes = group.encode_point(x_point), group.encode_point(r_point)
        parts += [x_bytes, r_bytes]
        g = transcript.norm_linear_round(x_bytes, r_bytes)
        if len(l) > 1:
            l = _fold(l_even, l_odd, g)  # noqa: E741
            c = _fold(c_even, c_odd, g)
            h_weights = extend(h_weights, ONE, g)
        inverse = inverses[round_index]
        n = [even * inverse + odd * g for even, odd in zip(n_even, n_odd, strict=True)]
        norm_side.next_round(rho, g)
        rho = mu
    last_linear = [group.encode_scalar(entry) for entry in l]
    last_norm = [group.encode_scalar(entry) for entry in n]
    transcript.norm_linear_end(last_linear, last_norm)
    return b"".join([*parts, *last_linear, *last_norm])


def verify(
    transcript: Transcript,
    proof: bytes,
    *,
    constraint: Sequence[Scalar],
    norm_length: int,
    rho: Scalar,
) -> Opening:
    """Replay a proof of exactly its length; EncodingError for any other bytes.

    It returns what remains to be compared and judges nothing itself.
    """
    c = list(constraint)
    shape = Shape.of(len(c), norm_length)
    if len(proof) != shape.proof_bytes:
        raise EncodingError("the range argument has another length than its statement")
    h_weights, g_weights = [ONE], [ONE]
    points, scalars = [], []
    for index in range(shape.rounds):
        start = 2 * POINT_BYTES * index
        x_bytes = proof[start : start + POINT_BYTES]
        r_bytes = proof[start + POINT_BYTES : start + 2 * POINT_BYTES]
        points += [group.decode_proof_point(x_bytes), group.decode_proof_point(r_bytes)]
        g = transcript.norm_linear_round(x_bytes, r_bytes)
        scalars += [g, g.square() - ONE]
        if len(c) > 1:
            c = _fold(c[::2], c[1::2], g)
            h_weights = extend(h_weights, ONE, g)
        g_weights = extend(g_weights, rho, g)
        rho = rho.square()
    start = 2 * POINT_BYTES * shape.rounds
    encoded = [proof[i : i + SCALAR_BYTES] for i in range(start, len(proof), SCALAR_BYTES)]
    last = [group.decode_scalar(item) for item in encoded]
    transcript.norm_linear_end(encoded[: shape.linear], encoded[shape.linear :])
    l, n = last[: shape.linear], last[shape.linear :]  # noqa: E741
    return Opening(
        value=_inner(c, l) + weighted_norm(n, rho.square()),
        linear=spread(l, h_weights),
        norm=spread(n, g_weights),
        points=points,
        scalars=scalars,
    )


def _inner(a: Sequence[Scalar], b: Sequence[Scalar]) -> Scalar:
    return sum(map(mul, a, b), ZERO)


def _weighted_product(a: Sequence[Scalar], b: Sequence[Scalar], mu: Scalar) -> Scalar:
    """The sum of mu^(i+1)·a[i]·b[i]."""
    total = ZERO
    for left, right in zip(reversed(a), reversed(b), strict=True):
        total = (total + left * right) * mu
    return total


def _fold(even: Sequence[Scalar], odd: Sequence[Scalar], g: Scalar) -> list[Scalar]:
    return [a + b * g for a, b in zip(even, odd, strict=True)]


def _inverse_squarings(rho: Scalar, count: int) -> list[Scalar]:
    """1/rho, 1/rho², 1/rho⁴, … for the rounds."""
    result = [rho.inverse()]
    while len(result) < count:
        result.append(result[-1].square())
    return result
