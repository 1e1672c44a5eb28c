"""The polynomial of a set, and its sum over products of bits (section "Sets").

A tree of products: short ones term by term, long ones as one product of two long numbers, in
whose digits the coefficients stand apart (Kronecker). The numbers are decimal because Python's
`decimal` multiplies them by a number-theoretic transform and its integers do not: the 65,536 roots
of a full piece take ten seconds, not hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from functools import lru_cache

from independent.second_verifier.curve import q

SHORT = 64
DIGITS = len(str(q))


@lru_cache(maxsize=64)
def from_roots(roots: tuple[int, ...]) -> tuple[int, ...]:
    """a₀ … a_N of Π(X − s)."""
    return tuple(_tree(roots))


def _tree(roots: Sequence[int]) -> list[int]:
    if len(roots) > SHORT:
        half = len(roots) // 2
        return product(_tree(roots[:half]), _tree(roots[half:]))
    found = [1]
    for s in roots:
        found = [(low - s * high) % q for low, high in zip([0, *found], [*found, 0], strict=True)]
    return found


def product(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """The product of two polynomials whose coefficients are below q."""
    count = len(a) + len(b) - 1
    # A coefficient of the product has fewer terms than this many digits can count.
    width = 2 * DIGITS + len(str(min(len(a), len(b))))
    context = Context(prec=width * (count + 1), Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
    left, right = (
        Decimal("".join([str(each).rjust(width, "0") for each in reversed(factor)]))
        for factor in (a, b)
    )
    digits = str(context.multiply(left, right)).rjust(width * count, "0")
    return [int(digits[at - width : at]) % q for at in range(width * count, 0, -width)]


def over_bits(a: Sequence[int], x: int, f: Sequence[int]) -> int:
    """Σ aᵢ Πⱼ (fⱼ if bit j of i is 1, x if it is 0), over i < 2^|f|, of at most 2^|f| + 1 aᵢ.

    One bit after the other, the lowest first: each halves the vector, so it is two
    multiplications a coefficient.
    """
    left = list(a[: 2 ** len(f)])
    for each in f:
        left.extend([0] * (len(left) % 2))
        left = [
            (x * low + each * high) % q for low, high in zip(left[::2], left[1::2], strict=True)
        ]
    return left[0]
