"""The membership argument once more, term by term over integers, for provers who may cheat.

`prove` follows the messages of the argument but believes what it is told: the powers of u need
not be powers, the value need not be (or be outside) the set, W and the D_k may be anything. With
honest arguments its proofs verify, which makes it an oracle for the real prover.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from proofs import generators, group
from proofs.generators import G, H, K
from proofs.group import ORDER, Point, Scalar
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

START = b"test"


@dataclass(frozen=True, slots=True)
class Statement:
    """A committed value and a set; what both sides of the argument know, and the opening."""

    members: ScalarSet
    value: Scalar
    blinding: Scalar = field(default_factory=group.random_scalar)

    @property
    def commitment(self) -> Point:
        return G.point * self.value + H.point * self.blinding

    @property
    def encoding(self) -> bytes:
        return group.encode_point(self.commitment)


@dataclass(frozen=True, slots=True)
class Begun:
    """What a prover drew and computed before the challenge; `top` is the X^m term of Q."""

    us: list[int]
    fs: list[int]
    deltas: list[int]
    top: int


Late = Callable[[int, Begun, dict[str, Point], list[Point]], tuple[dict[str, Point], list[Point]]]
"""From x, what was drawn, the named points and the D_k, to other points."""


def make_set(*values: int, tag: bytes = b"name") -> ScalarSet:
    """The set of these integers."""
    return ScalarSet.from_scalars(map(group.scalar, values), tag)


def squares(u: int, count: int) -> list[int]:
    """u, u², u⁴, …"""
    result = [u]
    while len(result) < count:
        result.append(result[-1] ** 2 % ORDER)
    return result


def times(polynomial: Sequence[int], other: Sequence[int]) -> list[int]:
    """The product of two polynomials, constant terms first."""
    result = [0] * (len(polynomial) + len(other) - 1)
    for i, a in enumerate(polynomial):
        for j, b in enumerate(other):
            result[i + j] = (result[i + j] + a * b) % ORDER
    return result


def masked_polynomial(
    coefficients: Sequence[int], us: Sequence[int], fs: Sequence[int]
) -> list[int]:
    """Q(X) = Σ aᵢ Π (uⱼX + fⱼ)^{iⱼ} X^{1-iⱼ}, coefficients from the constant one to X^m."""
    m = len(us)
    total = [0] * (m + 1)
    for index, coefficient in enumerate(coefficients):
        term = [coefficient]
        if index >> m:  # the one coefficient past 2^m - 1
            term = times([coefficient], [0] * (m - 2) + [1])
            for _ in range(2):
                term = times(term, [fs[-1], us[-1]])
        else:
            for j in range(m):
                term = times(term, [fs[j], us[j]] if index >> j & 1 else [0, 1])
        total = [(a + b) % ORDER for a, b in zip(total, term, strict=True)]
    return total


def linear(*terms: tuple[int, Point]) -> Point:
    """The sum of integer multiples of points, one by one."""
    total = group.IDENTITY
    for factor, point in terms:
        total = total + point * group.scalar(factor % ORDER)
    return total


def prove(
    transcript: Transcript,
    statement: Statement,
    *,
    member: bool,
    us: Sequence[int] | None = None,
    w_inverse: int | None = None,
    rho_w: int | None = None,
    errors: dict[str, Point] | None = None,
    alter_d: Callable[[int, Point], Point] = lambda k, point: point,
    late: Late | None = None,
) -> bytes:
    """A proof made by the letter of the specification, true or not.

    `us` are the m "powers" claimed, `w_inverse` and `rho_w` the K and H parts of W, `errors`
    points added to C, F, F_0 or W before they are sent, `alter_d` what happens to D_k (after its
    honest form), `late` what happens to all points once x is known: for transcripts with a fault.
    """
    members = statement.members
    coefficients = [int(a) for a in members.polynomial.coefficients]
    m = max(2, (members.size - 1).bit_length())
    us = squares(int(statement.value), m) if us is None else us
    errors = errors or {}

    def noise() -> int:
        return int(group.random_scalar())

    fs, rhos = [noise() for _ in us], [noise() for _ in us]
    r_1, s_0, s_1 = noise(), noise(), noise()
    rho_w = noise() if rho_w is None else rho_w
    u_bases = [base.point for base in generators.power_bases(m)]
    s_bases = [base.point for base in generators.product_bases(m - 1)]
    h, k_base = H.point, K.point

    crosses = [2 * u * f - f_next for u, (f, f_next) in zip(us, pairwise(fs), strict=False)]
    C = linear(
        *zip(us[1:], u_bases[1:], strict=True), *zip(crosses, s_bases, strict=True), (r_1, h)
    )
    F = linear(
        *zip(fs[1:], u_bases[1:], strict=True),
        *zip([f * f for f in fs[:-1]], s_bases, strict=True),
        (s_1, h),
    )
    F_0 = linear((fs[0], G.point), (s_0, h))
    *deltas, w = masked_polynomial(coefficients, us, fs)
    if w_inverse is None:
        w_inverse = pow(w, -1, ORDER) if w else 0
    W = linear((w_inverse, k_base), (rho_w, h))
    points = {"C": C, "F": F, "F_0": F_0} | ({} if member else {"W": W})
    points = {name: point + errors.get(name, group.IDENTITY) for name, point in points.items()}
    base = k_base if member else points["W"]
    D = [
        alter_d(k, linear((delta, base), (rho, h)))
        for k, (delta, rho) in enumerate(zip(deltas, rhos, strict=True))
    ]

    transcript.membership_statement(
        statement.encoding,
        powers=m,
        member=member,
        size=members.size,
        set_digest=members.digest,
        generators=generators.generators_digest(generators.membership_generators(m)),
    )

    def absorb(history: Transcript) -> int:
        encoded = {name: point.to_compressed_bytes() for name, point in points.items()}
        first = [encoded[name] for name in ("C", "F", "F_0")]
        last = [point.to_compressed_bytes() for point in D]
        return int(history.membership_commitments(first, encoded.get("W"), last))

    if late is not None:
        x = absorb(transcript.fork())
        points, D = late(x, Begun(list(us), fs, deltas, w), points, D)
    x = absorb(transcript)

    tau = sum(pow(x, k, ORDER) * rho for k, rho in enumerate(rhos))
    if not member:
        tau -= pow(x, m, ORDER) * w * rho_w
    responses = [x * u + f for u, f in zip(us, fs, strict=True)]
    responses += [x * int(statement.blinding) + s_0, x * r_1 + s_1, tau]
    scalars = [(response % ORDER).to_bytes(32, "big") for response in responses]
    transcript.membership_responses(scalars)
    sent = [point.to_compressed_bytes() for point in [*points.values(), *D]]
    return b"".join([*sent, *scalars])
