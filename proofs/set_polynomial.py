"""The polynomial P(X) whose roots are a set's members, and the two sums over its coefficients.

Coefficient i is read with the bits of i, P(u) = Σ aᵢ Π yⱼ^{iⱼ} at yⱼ = u^{2^j}. The membership
argument needs this sum at arbitrary y (the verifier) and along a line y + zf (the prover). Both
factor: with the coefficients as a matrix of 2^h rows and 2^l columns they are a product
(vector of the high bits) · matrix · (vector of the low bits), which flint computes natively.

A polynomial may come from a file of an earlier run. A file is believed only when it is of exact
length and canonical form and agrees with the product of (X - member) at a fresh random point,
which a wrong one does with probability below 2^-238; else it is ignored and written anew. So a
damaged or planted file costs time and never changes a verdict.

SPEC.md, "Sets" and "Membership argument".
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

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

CACHE_VARIABLE: Final = "CROSSPROOF_CACHE"
_MAGIC: Final = b"crossproof/set-polynomial/v1\n"

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


def load_or_build(members: Sequence[bytes], digest: bytes, directory: Path | None) -> SetPolynomial:
    """The polynomial of these members (32 bytes each), from the cache where there is a good one.

    `digest` is the set's and names the file. A cache that cannot be read or written is no error.
    """
    if directory is None and (named := os.environ.get(CACHE_VARIABLE)):
        directory = Path(named)
    roots = [_FIELD(int.from_bytes(member, "big")) for member in members]
    if directory is None:
        return SetPolynomial(_build(roots))
    path = directory / f"{digest.hex()}.poly"
    coefficients = _load(path, roots)
    if coefficients is None:
        coefficients = _build(roots)
        with contextlib.suppress(OSError):
            _store(path, coefficients)
    return SetPolynomial(coefficients)


def _build(roots: Sequence[fmpz_mod]) -> Sequence[fmpz]:
    """Coefficients of Π (X - root), by a product tree over pairs."""
    level = [
        _POLYNOMIALS([a * b, -(a + b), _ONE]) for a, b in zip(roots[::2], roots[1::2], strict=False)
    ]
    if len(roots) % 2:
        level.append(_POLYNOMIALS([-roots[-1], _ONE]))
    while len(level) > 1:
        last = level[-1:] if len(level) % 2 else []
        level = [a * b for a, b in zip(level[::2], level[1::2], strict=False)] + last
    return [fmpz(int(coefficient)) for coefficient in level[0].coeffs()]


def _load(path: Path, roots: Sequence[fmpz_mod]) -> Sequence[fmpz] | None:
    """The cached coefficients, or None unless they are surely the right ones."""
    expected = len(_MAGIC) + 32 * len(roots)
    try:
        if not path.is_file():  # opening a planted pipe would wait for ever
            return None
        with path.open("rb") as file:
            data = file.read(expected + 1)  # bounded, and a longer file is seen to be longer
    except OSError:
        return None
    if len(data) != expected or not data.startswith(_MAGIC):
        return None
    integers = [int.from_bytes(data[k : k + 32], "big") for k in range(len(_MAGIC), expected, 32)]
    if max(integers) >= ORDER:
        return None
    coefficients = [*map(fmpz, integers), fmpz(1)]
    point, product = secrets.randbelow(ORDER), 1
    for root in roots:
        product = product * (point - int(root)) % ORDER
    claimed = _POLYNOMIALS([*coefficients])(_FIELD(point))
    return coefficients if claimed == product else None


def _store(path: Path, coefficients: Sequence[fmpz]) -> None:
    """Write all but the leading coefficient, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b"".join([int(coefficient).to_bytes(32, "big") for coefficient in coefficients[:-1]])
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + data)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


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
