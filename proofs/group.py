"""The group: G1 of BLS12-381 and its scalars, over one of two curve libraries.

`Point` and `Scalar` are the chosen core's own types (`cores`), and everything else of the package
reaches them through this file. It offers few operations: strict encodings, hash to field and to
curve, one multi-scalar multiplication, and clearing of the cofactor. Whichever core it is, the
same bytes are accepted and the same refused. It refuses integers that are not already field
elements (a library would reduce them silently, and `q + 5` would pass for 5), the identity in any
encoding, and every second spelling of a point or scalar.

SPEC.md, "Group and encodings", "Cores".
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from itertools import accumulate, repeat
from operator import mul
from typing import TYPE_CHECKING, Final

from proofs import cores
from proofs.errors import EncodingError
from proofs.expansion import expand_message_xmd, require_tag
from proofs.labels import frame

if TYPE_CHECKING:
    from proofs import core_arkworks as _core
else:
    _core = cores.choose(os.environ)

CORE: Final = _core.NAME
LIBRARY: Final = _core.LIBRARY
Point = _core.Point
Scalar = _core.Scalar

__all__ = [
    "COFACTOR_H",
    "CORE",
    "IDENTITY",
    "LIBRARY",
    "ONE",
    "ORDER",
    "POINT_BYTES",
    "SCALAR_BYTES",
    "ZERO",
    "Point",
    "Scalar",
    "decode_proof_point",
    "decode_scalar",
    "decode_statement_points",
    "encode_point",
    "encode_scalar",
    "hash_to_point",
    "hash_to_scalar",
    "invert_all",
    "is_zero_after_clearing",
    "multiply",
    "powers",
    "random_scalar",
    "random_weight",
    "scalar",
    "scalar_from_uniform",
    "signed_scalar",
]

ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
# Multiplying by 1 - z, z the curve's parameter, maps the curve into the subgroup (RFC 9380, 8.8.1).
COFACTOR_H: Final = 0xD201000000010001
POINT_BYTES: Final = 48
SCALAR_BYTES: Final = 32

ZERO: Final = Scalar(0)
ONE: Final = Scalar(1)
IDENTITY: Final = Point.identity()

_HALF_ORDER = ORDER // 2
_FEW: Final = 64
# The library takes larger windows past these sizes, too large ones at first: so many terms beyond
# cost less by themselves. Measured; the sum is the same.
_WINDOWS_GROW_PAST: Final = ((32, 2), (128, 4), (256, 16))
_COFACTOR = Scalar(COFACTOR_H)


def scalar(value: int) -> Scalar:
    """The field element of an integer in [0, ORDER); ValueError outside, never a reduction."""
    if not 0 <= value < ORDER:
        raise ValueError("integer outside the scalar field")
    return Scalar(value)


def signed_scalar(value: int) -> Scalar:
    """The field element of an integer with |value| < ORDER/2; ValueError outside.

    Below half the order no two integers meet in the field, so a claim about the element is a
    claim about the integer.
    """
    if not -_HALF_ORDER < value < _HALF_ORDER:
        raise ValueError("integer too large for an exact claim")
    return Scalar(value) if value >= 0 else -Scalar(-value)


def random_scalar() -> Scalar:
    """A uniform field element other than zero, from the system's generator."""
    while True:  # from bytes: an integer takes five times as long to convert
        data = secrets.token_bytes(SCALAR_BYTES)
        try:
            found = Scalar.from_be_bytes(bytes([data[0] & 0x7F]) + data[1:])
        except ValueError:  # not below the order: one of ten
            continue
        if found != ZERO:
            return found


def random_weight() -> Scalar:
    """A random 128-bit weight other than zero, for adding up equations of many proofs."""
    while True:  # from bytes: an integer takes five times as long to convert
        weight = Scalar.from_be_bytes(bytes(16) + secrets.token_bytes(16))
        if weight != ZERO:
            return weight


def scalar_from_uniform(data: bytes) -> Scalar:
    """48 or 64 uniform bytes, big-endian, reduced: within 2^-128 of a uniform element."""
    if len(data) not in (48, 64):
        raise ValueError("expected 48 or 64 uniform bytes")
    return Scalar.from_be_bytes_mod_order(data)


def encode_scalar(value: Scalar) -> bytes:
    """32 bytes, big-endian."""
    return value.to_be_bytes()


def decode_scalar(data: bytes) -> Scalar:
    """The inverse of `encode_scalar`; EncodingError for another length or a value >= ORDER."""
    try:
        return Scalar.from_be_bytes(data)
    except ValueError:
        raise EncodingError("a scalar is 32 bytes, big-endian, below the group order") from None


def encode_point(point: Point) -> bytes:
    """48 bytes compressed. The identity has no encoding here: ValueError."""
    data = point.to_compressed_bytes()
    if data[0] & 0x40:
        raise ValueError("the identity has no encoding")
    return data


def decode_statement_points(encodings: Iterable[bytes]) -> list[Point]:
    """Points of a statement: canonical, on the curve, in the prime-order subgroup.

    EncodingError otherwise. A commitment with torsion would make a claim about a point that no
    attested value has.
    """
    points = []
    for data in encodings:
        _require_compressed(data)
        try:
            points.append(Point.from_compressed_bytes(data))
        except ValueError:
            raise EncodingError("a commitment is not a point of the group") from None
    return points


def decode_proof_point(data: bytes) -> Point:
    """A point of a proof: canonical and on the curve. EncodingError otherwise.

    The subgroup is not checked: every equation over such points is compared with the identity
    only after `is_zero_after_clearing`.
    """
    _require_compressed(data)
    try:
        return Point.from_compressed_bytes_unchecked(data)
    except ValueError:
        raise EncodingError("a point of the proof is not on the curve") from None


def hash_to_scalar(label: bytes, *parts: bytes) -> Scalar:
    """RFC 9380 hash_to_field into the scalar field (SHA-256, 48 bytes) of the framed parts."""
    return scalar_from_uniform(expand_message_xmd(frame(*parts), label, 48))


def hash_to_point(label: bytes, message: bytes) -> Point:
    """RFC 9380, suite BLS12381G1_XMD:SHA-256_SSWU_RO_, with the label as its tag."""
    require_tag(label)
    return Point.hash_to_curve(message, label)


def multiply(points: Sequence[Point], scalars: Sequence[Scalar]) -> Point:
    """The sum of scalars[i] times points[i], correct on the whole curve.

    A library that cut the longer list short would drop terms of an equation: lists of different
    lengths are a ValueError.
    """
    if len(points) != len(scalars):
        raise ValueError("as many scalars as points")
    points, scalars, whole = [*points], [*scalars], IDENTITY
    if len(points) <= _FEW and ONE in scalars:  # a lone equation has one such term
        place = scalars.index(ONE)
        whole = points.pop(place)
        del scalars[place]
        if not points:
            return whole
    for edge, beyond in _WINDOWS_GROW_PAST:
        if edge < len(points) <= edge + beyond:
            whole += Point.multiexp_unchecked(points[edge:], scalars[edge:])
            del points[edge:], scalars[edge:]
            break
    return whole + Point.multiexp_unchecked(points, scalars)


def is_zero_after_clearing(point: Point) -> bool:
    """Whether the point's component in the prime-order subgroup is the identity.

    By the plain multi-scalar multiplication: the library's `*` may use an endomorphism that is a
    multiplication by the scalar only inside the subgroup. The identity, to which every honest
    proof comes, has nothing to clear.
    """
    return point == IDENTITY or Point.multiexp_unchecked([point], [_COFACTOR]) == IDENTITY


def powers(base: Scalar, count: int) -> list[Scalar]:
    """base^0 … base^(count-1)."""
    return list(accumulate(repeat(base, count - 1), mul, initial=ONE)) if count > 0 else []


def invert_all(values: Sequence[Scalar]) -> list[Scalar]:
    """The inverses, with one inversion in all (Montgomery); ZeroDivisionError if one is zero."""
    product, before = ONE, []
    for value in values:
        before.append(product)
        product = product * value
    inverse = product.inverse()
    result = []
    for value, prefix in zip(reversed(values), reversed(before), strict=True):
        result.append(inverse * prefix)
        inverse = inverse * value
    result.reverse()
    return result


def _require_compressed(data: bytes) -> None:
    # Without this the library takes 0xc0 followed by anything for the identity.
    if len(data) != POINT_BYTES or data[0] & 0xC0 != 0x80:
        raise EncodingError("a point is 48 bytes, compressed, and not the identity")
