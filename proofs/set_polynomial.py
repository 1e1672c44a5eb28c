"""The polynomial P(X) whose roots are a set's members, and the two sums over its coefficients.

Coefficient i is read with the bits of i, P(u) = Σ aᵢ Π yⱼ^{iⱼ} at yⱼ = u^{2^j}. The membership
argument needs this sum at arbitrary y (the verifier) and along a line y + zf (the prover). Both
factor: with the coefficients as a matrix of 2^h rows and 2^l columns they are a product
(vector of the high bits) · matrix · (vector of the low bits), which flint computes natively.

A set that gains or loses a member keeps its polynomial but for a multiplication by, or a division
by, X - member: `changed` does that, and refuses a division that leaves a rest.

SPEC.md, "Sets" and "Membership argument".
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from flint import (
    fmpz,
    fmpz_mat,
    fmpz_mod,
    fmpz_mod_ctx,
    fmpz_mod_mat,
    fmpz_mod_poly,
    fmpz_mod_poly_ctx,
)

from proofs import group
from proofs.group import ORDER, SCALAR_BYTES, Scalar

_FIELD = fmpz_mod_ctx(ORDER)
_POLYNOMIALS = fmpz_mod_poly_ctx(_FIELD)
_ONE = _FIELD(1)
_ZERO = _FIELD(0)
_MODULUS = fmpz(ORDER)
_SPAN = fmpz(1) << 8 * SCALAR_BYTES


def power_count(size: int) -> int:
    """m = max(2, ⌈log₂ size⌉): how many powers u, u², u⁴, … reach every coefficient."""
    if size < 1:
        raise ValueError("a set has at least one member")
    return max(2, (size - 1).bit_length())


class SetPolynomial:
    """P(X) of degree `size`, monic, as a matrix of coefficients."""

    __slots__ = ("_high", "_low", "_matrix", "_modular", "coefficients", "powers", "size")

    def __init__(self, coefficients: Sequence[fmpz]) -> None:
        """Coefficients from the constant to the leading one, each in [0, ORDER)."""
        self.coefficients = coefficients
        self.size = len(coefficients) - 1
        self.powers = power_count(self.size)
        self._low = self.powers // 2
        self._high = self.powers - self._low
        # A set of exactly 2^m members has 2^m + 1 coefficients. The leading one, 1, stays out of
        # the matrix; its monomial is y_{m-1} squared.
        square = list(coefficients[: 1 << self.powers])
        square += [fmpz(0)] * ((1 << self.powers) - len(square))
        self._matrix = fmpz_mat(1 << self._high, 1 << self._low, square)
        self._modular: fmpz_mod_mat | None = None

    @property
    def is_full(self) -> bool:
        """Whether the leading term lies past the last of the 2^m products of powers."""
        return self.size == 1 << self.powers

    def with_member(self, member: Scalar) -> SetPolynomial:
        """That of the set with one member more: a multiplication by X - member."""
        return self.changed([member], [])

    def without_member(self, member: Scalar) -> SetPolynomial:
        """That of the set with one member less: a division by X - member."""
        return self.changed([], [member])

    def changed(self, added: Sequence[Scalar], removed: Sequence[Scalar]) -> SetPolynomial:
        """That of the set without `removed` and with `added`, in time linear in the size.

        ValueError where a removed one is no member (the division leaves a rest), an added one is
        a member already, and where nothing would be left.
        """
        whole = _POLYNOMIALS([*self.coefficients])
        divisor = _product(list(map(_FIELD, _integers(removed))))
        quotient, rest = divmod(whole, divisor)
        if not rest.is_zero():
            raise ValueError("a member to be removed is none")
        roots = list(map(_FIELD, _integers(added)))
        if any(quotient(root) == 0 for root in roots) or len(set(map(int, roots))) < len(roots):
            raise ValueError("a member to be added is one already")
        return SetPolynomial(_canonical(quotient * _product(roots)))

    def evaluate(self, ys: Sequence[Scalar]) -> Scalar:
        """Σ aᵢ Π yⱼ^{iⱼ} at m arbitrary elements; P(u) when yⱼ = u^{2^j}."""
        # Over the integers: one reduction of the sum is cheaper than one of every entry.
        elements = _integers(ys)
        low = fmpz_mat(1 << self._low, 1, _products(elements[: self._low]))
        high = fmpz_mat(1, 1 << self._high, _products(elements[self._low :]))
        total = (high * (self._matrix * low))[0, 0]
        if self.is_full:
            total += elements[-1] * elements[-1]
        return _scalar(total % _MODULUS)

    def along_line(self, ys: Sequence[Scalar], fs: Sequence[Scalar]) -> list[Scalar]:
        """The m + 1 coefficients in z of `evaluate` at y + zf, constant one first."""
        if self._modular is None:
            self._modular = fmpz_mod_mat(self._matrix, _FIELD)
        pairs = zip(_integers(ys), _integers(fs), strict=True)
        lines = [_POLYNOMIALS([*pair]) for pair in pairs]
        low = _product_rows(lines[: self._low])
        high = _product_rows(lines[self._low :])
        parts = high.transpose() * (self._modular * low)
        totals = [_ZERO] * (self.powers + 1)
        for i in range(self._high + 1):
            for j in range(self._low + 1):
                totals[i + j] += parts[i, j]
        if self.is_full:
            for k, coefficient in enumerate((lines[-1] * lines[-1]).coeffs()):
                totals[k] += coefficient
        return [_scalar(total) for total in totals]


def from_roots(members: Sequence[bytes]) -> SetPolynomial:
    """Π (X - s) over these scalars (32 bytes each), by a product tree."""
    return SetPolynomial(_canonical(_product([_FIELD(int.from_bytes(s, "big")) for s in members])))


def agrees(coefficients: Sequence[fmpz], members: Sequence[bytes]) -> bool:
    """Whether this monic polynomial equals Π (X - s) at a point that is drawn here.

    One of the members' number as its degree that is not theirs does so with probability below
    2^-234, which is enough to believe coefficients that somebody else may have written.
    """
    point, product = secrets.randbelow(ORDER), 1
    for member in members:
        product = product * (point - int.from_bytes(member, "big")) % ORDER
    return int(_POLYNOMIALS([*coefficients])(_FIELD(point))) == product


def _product(roots: Sequence[fmpz_mod]) -> fmpz_mod_poly:
    """Π (X - root), from pairs upwards; 1 for no roots."""
    level = [
        _POLYNOMIALS([a * b, -(a + b), _ONE]) for a, b in zip(roots[::2], roots[1::2], strict=False)
    ]
    if len(roots) % 2:
        level.append(_POLYNOMIALS([-roots[-1], _ONE]))
    while len(level) > 1:
        last = level[-1:] if len(level) % 2 else []
        level = [a * b for a, b in zip(level[::2], level[1::2], strict=False)] + last
    return level[0] if level else _POLYNOMIALS([_ONE])


def _canonical(polynomial: fmpz_mod_poly) -> Sequence[fmpz]:
    return [fmpz(int(coefficient)) for coefficient in polynomial.coeffs()]


def _integers(values: Sequence[Scalar]) -> list[fmpz]:
    """The scalars as integers of flint, taken over in one piece: each alone takes twice as long."""
    encoded = b"".join([group.encode_scalar(value) for value in reversed(values)])
    rest, result = fmpz(int.from_bytes(encoded, "big")), []
    for _ in values:
        rest, integer = divmod(rest, _SPAN)
        result.append(integer)
    return result


def _scalar(element: fmpz | fmpz_mod) -> Scalar:
    return group.decode_scalar(int(element).to_bytes(32, "big"))


def _products(factors: Sequence[fmpz]) -> list[fmpz]:
    """All 2^k products of a subset of k factors, reduced, indexed by the subset's bits."""
    products = [fmpz(1)]
    for factor in factors:
        products += [product * factor % _MODULUS for product in products]
    return products


def _product_rows(lines: Sequence[fmpz_mod_poly]) -> fmpz_mod_mat:
    """`_products` of k linear polynomials, as the rows of a 2^k by k + 1 matrix."""
    products = [_POLYNOMIALS([_ONE])]
    for line in lines:
        products += [product * line for product in products]
    entries: list[fmpz_mod] = []
    for product in products:
        row = product.coeffs()
        entries += row
        entries += [_ZERO] * (len(lines) + 1 - len(row))
    return fmpz_mod_mat(len(products), len(lines) + 1, entries, _FIELD)
