"""Simulators: accepting proofs made without any witness, by whoever chooses the challenges first.

A simulator draws its challenges into a `Programme` and answers them. With a transcript that draws
these the proof is accepted; with a real one it is refused. So a proof tells nobody more than he
could have written himself.
"""

from __future__ import annotations

from collections.abc import Sequence

from proofs import generators, group, norm_linear
from proofs.generators import G, H, K, linear_bases, norm_bases
from proofs.group import ONE, Point, Scalar, random_scalar
from proofs.range_terms import Layout, constraint, public_vectors, reciprocals
from proofs.sets import ScalarSet
from support.transcripts import ProgrammedTranscript


class Programme(dict[bytes, list[Scalar]]):
    """Challenges chosen before anything else, by label, in the order in which they are drawn."""

    def choose(self, label: bytes) -> Scalar:
        """One more, at random."""
        found = random_scalar()
        self.setdefault(label, []).append(found)
        return found


def _somewhere() -> Point:
    return G.point * random_scalar()


def simulate_opening(programme: Programme, commitment: Point, value: Scalar) -> bytes:
    """s at random, and A from the equation."""
    c, s = programme.choose(b"c"), random_scalar()
    first = group.multiply([H.point, G.point, commitment], [s, c * value, -c])
    return group.encode_point(first) + group.encode_scalar(s)


def simulate_range(programme: Programme, commitments: Sequence[Point], digits: int) -> bytes:
    """l(t), n(t), M, D and R at random, S from the equation, then norm-linear as it is.

    Of the norm-linear argument only its claim's truth is used, so it needs no simulator.
    """
    layout = Layout.of(len(commitments), digits)
    e, t = programme.choose(b"e"), programme.choose(b"t")
    rho, x, y, lam = (programme.choose(label) for label in (b"rho", b"x", b"y", b"lambda"))
    gs = [programme.choose(b"g") for _ in range(layout.inner.rounds)]
    public = public_vectors(layout, e, reciprocals(e), (rho, x, y, lam))

    linear = [random_scalar() for _ in range(generators.LINEAR_LENGTH)]
    norm = [random_scalar() for _ in range(layout.norm_length)]
    m_point, d_point, r_point = (_somewhere() for _ in range(3))
    c = constraint(public.y, t, t.inverse())
    value = norm_linear.weighted_norm(norm, rho.square())
    for left, right in zip(c, linear, strict=True):
        value += left * right
    # t^-1·S is what both sides hold less everything else.
    t2 = t * t
    t3 = t2 * t
    shifts = [*norm]
    for i, (alpha_r, alpha_d) in enumerate(zip(public.alpha_r, public.alpha_d, strict=True)):
        shifts[i] = shifts[i] - t * alpha_r - t2 * alpha_d
    for i, alpha_m in enumerate(public.alpha_m):
        shifts[i] = shifts[i] - t3 * alpha_m
    named = (G, *linear_bases(), *norm_bases(layout.norm_length))
    rest = group.multiply(
        [*(base.point for base in named), m_point, d_point, r_point, *commitments],
        [
            value - t3 * public.constant,
            *linear,
            *shifts,
            -ONE,
            -t,
            -t2,
            *[-(t3 + t3) * weight for weight in public.value_weights],
        ],
    )
    inner = norm_linear.prove(
        ProgrammedTranscript(b"simulator", {b"g": gs}),
        constraint=c,
        linear=linear,
        norm=norm,
        rho=rho,
    )
    heads = (m_point, d_point, r_point, rest * t)
    return b"".join(map(group.encode_point, heads)) + inner


def simulate_membership(
    programme: Programme, commitment: Point, members: ScalarSet, *, member: bool
) -> bytes:
    """Responses, C, D_1 … and W at random; F_0, F and D_0 are what the three equations leave."""
    polynomial = members.polynomial
    m, x = polynomial.powers, programme.choose(b"x")
    fs, (r_0, r_1, tau) = (
        [random_scalar() for _ in range(m)],
        [random_scalar() for _ in range(3)],
    )
    C, W, *later = [H.point * random_scalar() for _ in range(m + 1)]
    F_0 = group.multiply([G.point, H.point, commitment], [fs[0], r_0, -x])
    squares = [fs[j] * fs[j] - x * fs[j + 1] for j in range(m - 1)]
    bases = (*generators.power_bases(m)[1:], *generators.product_bases(m - 1), H)
    F = group.multiply([*(base.point for base in bases), C], [*fs[1:], *squares, r_1, -x])
    powers = group.powers(x, m + 1)
    Q = powers[m] * polynomial.evaluate([f * x.inverse() for f in fs])
    D_0 = group.multiply(
        [K.point if member else W, H.point, *later],
        [Q, tau, *[-power for power in powers[1:m]]],
    )
    if not member:
        D_0 = group.multiply([D_0, K.point], [ONE, -powers[m]])
    points = [C, F, F_0, *([] if member else [W]), D_0, *later]
    return b"".join(
        [*map(group.encode_point, points), *map(group.encode_scalar, [*fs, r_0, r_1, tau])]
    )
