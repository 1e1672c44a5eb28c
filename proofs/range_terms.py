"""What prover and verifier of the range argument compute alike: lengths and public vectors.

`Layout` follows from the statement, `Public` from the challenges e, rho, x, y and lambda. It
refuses parameters at which the claim would not be about integers, more digits than one proof may
have, and challenges at which the argument is not defined.

SPEC.md, "Range argument".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from operator import mul

from proofs import group
from proofs.errors import FactError
from proofs.generators import LINEAR_LENGTH
from proofs.group import POINT_BYTES, ZERO, Scalar
from proofs.norm_linear import Shape

BASE = 16
# 2·16^digits < q holds up to 63, and at 64 the value -1 would pass; one digit is kept in reserve.
MAX_DIGITS = 62
# Digits of all values together: bounds the work that a statement can ask for.
MAX_TOTAL_DIGITS = 1 << 14
HEAD_POINTS = 4  # M, D, R, S

# Powers of T that weight the linear vector, one for each of H_0 … H_6; H_7 has none.
CONSTRAINT_POWERS = (-1, 1, 2, 3, 5, 6, 7)

_MIN_NORM = 16
_DIGIT_SCALARS = [group.scalar(digit) for digit in range(BASE)]
_SIXTEEN = group.scalar(BASE)


class UnusableChallengeError(Exception):
    """A challenge at which the argument is not defined: the prover starts again (2^-250)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`count` values of `digits` digits; `real` digits in all, padded to `norm_length`."""

    count: int
    digits: int
    real: int
    norm_length: int
    inner: Shape

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, count: int, digits: int) -> Layout:
        """FactError for parameters out of bounds."""
        if not 1 <= digits <= MAX_DIGITS:
            raise FactError(f"a range has 1 to {MAX_DIGITS} base-16 digits, not {digits}")
        real = count * digits
        if not 1 <= real <= MAX_TOTAL_DIGITS:
            raise FactError(f"one proof has 1 to {MAX_TOTAL_DIGITS} digits in all, not {real}")
        norm_length = max(_MIN_NORM, 1 << (real - 1).bit_length())
        return cls(count, digits, real, norm_length, Shape.of(LINEAR_LENGTH, norm_length))

    @property
    def proof_bytes(self) -> int:
        """M, D, R and S, then the norm-linear argument."""
        return HEAD_POINTS * POINT_BYTES + self.inner.proof_bytes


@dataclass(frozen=True, slots=True)
class Public:
    """Public vectors of one run, without their zero entries.

    `mu` is rho²; `mu_powers[i]` is mu^(i+1) and `weights[i]` its inverse; `value_weights[j]` is
    lambda^j; for the real digits `places` is lambda^j·16^i (digit i of value j), `alpha_r` is
    e + x·weights[i] and `alpha_d` places[i]·weights[i]; `alpha_m` (16 entries) is
    -x·weights[i]/(e + i). `constant` is 2(the sum of mu^(i+1) over the real digits +
    <alpha_r, alpha_d> weighted by mu).
    """

    rho: Scalar
    y: Scalar
    mu_powers: list[Scalar]
    value_weights: list[Scalar]
    alpha_r: list[Scalar]
    alpha_d: list[Scalar]
    alpha_m: list[Scalar]
    constant: Scalar


def reciprocals(e: Scalar) -> list[Scalar]:
    """1/(e + i) for i < 16; UnusableChallengeError when e is one of 0, -1 … -15."""
    try:
        return group.invert_all([e + digit for digit in _DIGIT_SCALARS])
    except ZeroDivisionError:
        raise UnusableChallengeError from None


def usable(challenge: Scalar) -> Scalar:
    """The challenge, unless it is zero: UnusableChallengeError."""
    if challenge == ZERO:
        raise UnusableChallengeError
    return challenge


def public_vectors(
    layout: Layout,
    e: Scalar,
    inverses: list[Scalar],
    challenges: tuple[Scalar, Scalar, Scalar, Scalar],
) -> Public:
    """From e, its `reciprocals` and (rho, x, y, lambda)."""
    rho, x, y, lam = map(usable, challenges)
    real = layout.real
    mu = rho.square()
    mu_powers = group.powers(mu, layout.norm_length + 1)[1:]
    weights = group.powers(mu.inverse(), max(real, BASE) + 1)[1:]
    value_weights = group.powers(lam, layout.count)
    sixteens = group.powers(_SIXTEEN, layout.digits)
    places = [weight * sixteen for weight in value_weights for sixteen in sixteens]
    x_weights = [x * weight for weight in weights]
    alpha_r = [e + entry for entry in x_weights[:real]]
    # mu^(i+1) and the weight inside alpha_d cancel, which leaves <alpha_r, places>.
    half = sum(mu_powers[:real], sum(map(mul, alpha_r, places), ZERO))
    return Public(
        rho=rho,
        y=y,
        mu_powers=mu_powers,
        value_weights=value_weights,
        alpha_r=alpha_r,
        alpha_d=list(map(mul, places, weights)),
        alpha_m=[-(a * b) for a, b in zip(x_weights, inverses, strict=False)],
        constant=half + half,
    )


def constraint(y: Scalar, t: Scalar, t_inverse: Scalar) -> list[Scalar]:
    """c(t) = y·(1/t, t, t², t³, t⁵, t⁶, t⁷, 0)."""
    power = group.powers(t, 8)
    return [*(y * (t_inverse if p < 0 else power[p]) for p in CONSTRAINT_POWERS), ZERO]
