"""The portable core: the same `Point` and `Scalar` on `py_ecc`, in plain Python.

It needs no compiled wheel, shares no code with the other core, and multiplies thirty to fifty
times slower. The curve's additions and doublings, and the map of RFC 9380, are the library's;
field elements modulo the order, encodings and the multi-scalar multiplication are written out
here. The methods have the names and the behaviour of the other core's, as far as `proofs` uses
them.

The library's own decoder is not used: it does not check the subgroup, and it takes x = 0, which
is on the curve, for the identity. This one refuses points outside the subgroup where one is asked
for, and every spelling but the canonical one. Products are by the integer, on the whole curve.
Nothing is constant in time.

SPEC.md, "Cores".
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from proofs.expansion import expand_message_xmd

_limit = sys.getrecursionlimit()
# Not the sub-package `bls`, whose pairings and signatures take half a second more.
# ruff: noqa: E402 - the imports stand between reading the limit and restoring it
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.optimized_bls12_381.optimized_clear_cofactor import multiply_clear_cofactor_G1
from py_ecc.optimized_bls12_381.optimized_curve import (
    Z1,
    add,
    curve_order,
    double,
    field_modulus,
    is_inf,
    neg,
)
from py_ecc.optimized_bls12_381.optimized_swu import iso_map_G1, optimized_swu_G1

# The import sets it to 100,000 for the whole process, in which deep recursion then crashes the
# interpreter. The library itself goes 400 deep.
sys.setrecursionlimit(_limit)

NAME = "py_ecc"
LIBRARY = "py_ecc"

__all__ = ["LIBRARY", "NAME", "Point", "Scalar"]

_Coordinates = tuple[FQ, FQ, FQ]
"""Projective: (X : Y : Z) stands for (X/Z, Y/Z), Z = 0 for the identity."""

_COMPRESSED, _INFINITY, _LARGER_Y = 0x80, 0x40, 0x20
_X_BITS: Final = (1 << 381) - 1


class Scalar:
    """An element of the field of the group's order; immutable."""

    __slots__ = ("_n",)

    def __init__(self, integer: int) -> None:
        """The integer's remainder; `group.scalar` refuses what would change by it."""
        self._n = integer % curve_order

    @staticmethod
    def from_be_bytes(data: bytes) -> Scalar:
        """32 bytes, big-endian; ValueError for another length or a value not below the order."""
        integer = int.from_bytes(data, "big")
        if len(data) != 32 or integer >= curve_order:
            raise ValueError("not a canonical scalar")
        return Scalar(integer)

    @staticmethod
    def from_be_bytes_mod_order(data: bytes) -> Scalar:
        """Any number of bytes, big-endian, reduced."""
        return Scalar(int.from_bytes(data, "big"))

    def to_be_bytes(self) -> bytes:
        """32 bytes, big-endian."""
        return self._n.to_bytes(32, "big")

    def to_le_bytes(self) -> bytes:
        """32 bytes, little-endian."""
        return self._n.to_bytes(32, "little")

    def inverse(self) -> Scalar:
        """ZeroDivisionError for zero."""
        if not self._n:
            raise ZeroDivisionError("zero has no inverse")
        return Scalar(pow(self._n, -1, curve_order))

    def square(self) -> Scalar:
        """The product with itself."""
        return Scalar(self._n * self._n)

    def __int__(self) -> int:
        return self._n

    def __neg__(self) -> Scalar:
        return Scalar(-self._n)

    def __add__(self, other: Scalar) -> Scalar:
        return Scalar(self._n + other._n) if isinstance(other, Scalar) else NotImplemented

    def __sub__(self, other: Scalar) -> Scalar:
        return Scalar(self._n - other._n) if isinstance(other, Scalar) else NotImplemented

    def __mul__(self, other: Scalar) -> Scalar:
        return Scalar(self._n * other._n) if isinstance(other, Scalar) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self._n == other._n if isinstance(other, Scalar) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._n)

    def __repr__(self) -> str:
        return f"Scalar({self._n})"


class Point:
    """A point of the curve, in the prime-order subgroup or not; immutable."""

    __slots__ = ("_at",)

    def __init__(self, at: _Coordinates) -> None:
        """Coordinates are believed: points come from the constructors below."""
        self._at = at

    @staticmethod
    def identity() -> Point:
        """The neutral element."""
        return Point(Z1)

    @staticmethod
    def hash_to_curve(message: bytes, tag: bytes) -> Point:
        """RFC 9380, suite BLS12381G1_XMD:SHA-256_SSWU_RO_; ValueError as `expand_message_xmd`."""
        uniform = expand_message_xmd(message, tag, 128)
        first, second = (
            iso_map_G1(*optimized_swu_G1(FQ(int.from_bytes(half, "big"))))
            for half in (uniform[:64], uniform[64:])
        )
        return Point(multiply_clear_cofactor_G1(add(first, second)))

    @staticmethod
    def from_compressed_bytes(data: bytes) -> Point:
        """48 bytes, canonical, on the curve, in the subgroup; ValueError otherwise."""
        point = Point.from_compressed_bytes_unchecked(data)
        if not is_inf(_multiply([(point._at, curve_order)])):
            raise ValueError("outside the subgroup")
        return point

    @staticmethod
    def from_compressed_bytes_unchecked(data: bytes) -> Point:
        """48 bytes, canonical, on the curve and not the identity; ValueError otherwise."""
        if len(data) != 48 or data[0] & (_COMPRESSED | _INFINITY) != _COMPRESSED:
            raise ValueError("not a compressed point")
        x = int.from_bytes(data, "big") & _X_BITS
        if x >= field_modulus:
            raise ValueError("a coordinate is not reduced")
        square = (x * x * x + 4) % field_modulus
        y = pow(square, (field_modulus + 1) // 4, field_modulus)
        if y * y % field_modulus != square:
            raise ValueError("not on the curve")
        # y is not zero: the number of points is odd, so none has order 2.
        if (2 * y > field_modulus) is not bool(data[0] & _LARGER_Y):
            y = field_modulus - y
        return Point((FQ(x), FQ(y), FQ.one()))

    def to_compressed_bytes(self) -> bytes:
        """48 bytes; the identity is the infinity flag and zeros."""
        if is_inf(self._at):
            return bytes([_COMPRESSED | _INFINITY]) + bytes(47)
        X, Y, Z = map(int, self._at)
        over = pow(Z, -1, field_modulus)
        y = Y * over % field_modulus
        data = bytearray((X * over % field_modulus).to_bytes(48, "big"))
        data[0] |= _COMPRESSED | (_LARGER_Y if 2 * y > field_modulus else 0)
        return bytes(data)

    @staticmethod
    def multiexp_unchecked(points: Sequence[Point], scalars: Sequence[Scalar]) -> Point:
        """The sum of scalars[i] times points[i]; ValueError if their numbers differ."""
        pairs = zip(points, scalars, strict=True)
        return Point(_multiply((point._at, int(factor)) for point, factor in pairs))

    def __neg__(self) -> Point:
        return Point(neg(self._at))

    def __add__(self, other: Point) -> Point:
        return Point(add(self._at, other._at)) if isinstance(other, Point) else NotImplemented

    def __sub__(self, other: Point) -> Point:
        return Point(add(self._at, neg(other._at))) if isinstance(other, Point) else NotImplemented

    def __mul__(self, factor: Scalar) -> Point:
        if not isinstance(factor, Scalar):
            return NotImplemented
        return Point(_multiply([(self._at, int(factor))]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Point):
            return NotImplemented
        # Not the library's `eq`: what it doubles the identity to, it finds equal to every point.
        return is_inf(add(self._at, neg(other._at)))

    def __hash__(self) -> int:
        return hash(self.to_compressed_bytes())

    def __repr__(self) -> str:
        return f"Point({self.to_compressed_bytes().hex()})"


def _multiply(terms: Iterable[tuple[_Coordinates, int]]) -> _Coordinates:
    """The sum of the multiples by non-negative integers, by Pippenger's buckets.

    Factors are read in windows of some bits, the highest first. In each window the points with
    the same digit are added up, and the sum of digit times bucket comes from the running sum of
    the buckets, the highest first. The library's addition is complete, so equal and opposite
    points need no care.
    """
    kept = [(at, factor) for at, factor in terms if factor]
    length = max((factor.bit_length() for _, factor in kept), default=0)
    width = min(range(1, 12), key=lambda w: -(-length // w) * (len(kept) + (2 << w)))
    total: _Coordinates = Z1
    for shift in reversed(range(0, length, width)):
        if not is_inf(total):
            for _ in range(width):
                total = double(total)
        buckets: list[_Coordinates] = [Z1] * (1 << width)
        for at, factor in kept:
            digit = factor >> shift & (1 << width) - 1
            if digit:
                buckets[digit] = add(buckets[digit], at)
        running: _Coordinates = Z1
        for bucket in buckets[:0:-1]:
            running = add(running, bucket)
            total = add(total, running)
    return total
