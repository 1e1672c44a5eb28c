"""The group, its encodings, and one sum of multiples of points (sections "Group", "Generators").

All curve arithmetic is py_ecc's; points are its projective triples. Points are decoded here,
because py_ecc takes x = 0 for a misspelt identity. Cofactors are cleared by the plain integer:
py_ecc's `multiply` knows no endomorphism.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from independent.second_verifier.encoding import frame
from independent.second_verifier.refusal import well_formed
from py_ecc.bls.hash import expand_message_xmd
from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.bls.point_compression import compress_G1
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.optimized_bls12_381 import Z1, add, curve_order, double, field_modulus, is_inf, multiply

q: int = curve_order
CLEARING = 0xD201000000010001
POINT, SCALAR = 48, 32
GENERATOR_TAG = b"crossproof/generator/BLS12381G1_XMD:SHA-256_SSWU_RO_/v1"

Point = Any


def point(data: bytes) -> Point:
    """A point of the curve, perhaps outside the subgroup; never the identity."""
    well_formed(len(data) == POINT and data[0] >> 6 == 0b10, "not a compressed point")
    x = int.from_bytes(data, "big") % 2**381
    well_formed(x < field_modulus, "x past the field")
    square = (x**3 + 4) % field_modulus
    y = pow(square, (field_modulus + 1) // 4, field_modulus)
    well_formed(y * y % field_modulus == square, "not on the curve")
    larger = bool(data[0] >> 5 & 1)
    if (2 * y > field_modulus) is not larger:
        y = field_modulus - y
    return FQ(x), FQ(y), FQ(1)


@lru_cache(maxsize=4096)
def commitment(data: bytes) -> Point:
    """A point of the subgroup."""
    found = point(data)
    well_formed(is_inf(multiply(found, q)), "outside the subgroup")
    return found


def encode(found: Point) -> bytes:
    """The 48 bytes of a point."""
    return compress_G1(found).to_bytes(POINT, "big")


def scalar(data: bytes) -> int:
    """An integer below the order, from 32 bytes."""
    well_formed(len(data) == SCALAR, "not 32 bytes")
    number = int.from_bytes(data, "big")
    well_formed(number < q, "past the order")
    return number


def scalar_bytes(number: int) -> bytes:
    """32 bytes of an integer below the order."""
    return number.to_bytes(SCALAR, "big")


def hash_to_scalar(label: str, *parts: bytes) -> int:
    """RFC 9380's hash_to_field with 48 bytes, the label as its tag."""
    spread = expand_message_xmd(frame(*parts), label.encode(), 48, hashlib.sha256)
    return int.from_bytes(spread, "big") % q


@cache
def generator(name: str) -> Point:
    """The point that a name hashes to."""
    return hash_to_G1(name.encode("ascii"), GENERATOR_TAG, hashlib.sha256)


@cache
def generator_bytes(name: str) -> bytes:
    """The encoding of a generator."""
    return encode(generator(name))


@cache
def generators_digest(names: tuple[str, ...]) -> bytes:
    """What an argument absorbs of the generators that it uses, in their order."""
    parts = [part for name in names for part in (name.encode(), generator_bytes(name))]
    label = b"crossproof/generators-digest/v1"
    return hashlib.sha256(frame(label, len(names).to_bytes(8, "big"), *parts)).digest()


class Equation:
    """A sum of multiples of generators (by name) and of other points, that ought to vanish."""

    def __init__(self) -> None:
        self.named: dict[str, int] = {}
        self.others: list[tuple[int, Point]] = []

    def add_named(self, factor: int, name: str) -> None:
        """Adds a multiple of a generator."""
        self.named[name] = (self.named.get(name, 0) + factor) % q

    def add(self, factor: int, other: Point) -> None:
        """Adds a multiple of a point of the curve; the factor is reduced once, here."""
        self.others.append((factor % q, other))

    def add_equation(self, weight: int, other: Equation) -> None:
        """Adds another equation, times a weight."""
        for name, factor in other.named.items():
            self.add_named(weight * factor, name)
        for factor, each in other.others:
            self.add(weight * factor, each)

    def vanishes(self) -> bool:
        """Whether the sum is the identity once it is cleared into the subgroup."""
        terms = [(factor, generator(name)) for name, factor in self.named.items()]
        return bool(is_inf(multiply(sum_of_multiples(terms + self.others), CLEARING)))


def added(points: Iterable[Point]) -> Point:
    """A plain sum."""
    total = Z1
    for each in points:
        total = add(total, each)
    return total


def sum_of_multiples(terms: Iterable[tuple[int, Point]], window: int = 5) -> Point:
    """Pippenger's sum: one bucket for each value of a window of bits."""
    pairs = list(terms)
    total = Z1
    for shift in range(255 - 255 % window, -1, -window):
        for _ in range(window):
            total = double(total)
        buckets = [Z1] * (1 << window)
        for factor, each in pairs:
            index = factor >> shift & ((1 << window) - 1)
            if index:
                buckets[index] = add(buckets[index], each)
        running = Z1
        for bucket in reversed(buckets[1:]):
            running = add(running, bucket)
            total = add(total, running)
    return total
