"""The fixed generators: named, derived from public labels, never taken from a message.

Each is a hash to the curve of its own name under one tag, so nobody knows a relation between any
two of them, and anyone can recompute them (`crossproof generators`). They are derived when first
used and kept. Names: `G` and `H` carry value and blinding of a commitment; `H_1`…`H_7` and
`G_0`… are the linear and norm bases of the range argument (`H_0` is `H`); `U_j`, `S_j` and `K`
belong to set membership.

A process that proves or verifies often calls `use_tables`: products over these generators are
then looked up, with the same results. A command that checks one file has no use for it.

SPEC.md, "Generators".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from proofs import group, labels, tables
from proofs.group import IDENTITY, Point, Scalar

LINEAR_LENGTH = 8

# Measured on both sides: n generators with a table, beside r other terms, are cheaper looked up
# while n + 3r <= 100; beyond that one more term of a common multiplication costs less.
_TABLES_PAY_UP_TO = 100
_WEIGHT_OF_OTHERS = 3


class Generator:
    """One named generator. Compared by identity: there is exactly one object for each name."""

    __slots__ = ("_point", "name", "table")

    def __init__(self, name: str) -> None:
        self.name = name
        self.table: tables.Rows | None = None
        self._point: Point | None = None

    @property
    def point(self) -> Point:
        """The point, derived at the first use."""
        if self._point is None:
            self._point = group.hash_to_point(labels.GENERATOR_DST, self.name.encode())
        return self._point

    def encode(self) -> bytes:
        """48 bytes, compressed."""
        return group.encode_point(self.point)

    def __repr__(self) -> str:
        return f"Generator({self.name!r})"


class _Family:
    """The generators `prefix_0`, `prefix_1`, …, grown as far as somebody asked."""

    __slots__ = ("_members", "_prefix")

    def __init__(self, prefix: str, first: Sequence[Generator] = ()) -> None:
        self._prefix = prefix
        self._members = list(first)

    def first(self, count: int) -> tuple[Generator, ...]:
        members = self._members
        while len(members) < count:
            members.append(Generator(f"{self._prefix}_{len(members)}"))
        return tuple(members[:count])


G = Generator("G")
H = Generator("H")
K = Generator("K")

_linear = _Family("H", [H])
_norm = _Family("G")
_membership_powers = _Family("U")
_membership_products = _Family("S")


@lru_cache(maxsize=64)
def norm_bases(count: int) -> tuple[Generator, ...]:
    """G_0 … G_{count-1}."""
    return _norm.first(count)


@lru_cache(maxsize=1)
def linear_bases() -> tuple[Generator, ...]:
    """H_0 = H, H_1 … H_7."""
    return _linear.first(LINEAR_LENGTH)


@lru_cache(maxsize=64)
def power_bases(count: int) -> tuple[Generator, ...]:
    """U_0 … U_{count-1}; set membership uses them from U_1."""
    return _membership_powers.first(count)


@lru_cache(maxsize=64)
def product_bases(count: int) -> tuple[Generator, ...]:
    """S_0 … S_{count-1}."""
    return _membership_products.first(count)


@lru_cache(maxsize=64)
def range_generators(norm_length: int) -> tuple[Generator, ...]:
    """All that a range argument of this norm length uses, in the order of its equation."""
    return (G, *linear_bases(), *norm_bases(norm_length))


@lru_cache(maxsize=64)
def membership_generators(powers: int) -> tuple[Generator, ...]:
    """All that a membership argument over a set of up to 2^powers members uses."""
    return (G, H, K, *power_bases(powers)[1:], *product_bases(powers - 1))


@lru_cache(maxsize=64)
def generators_digest(generators: tuple[Generator, ...]) -> bytes:
    """SHA-256 over count, names and encodings, in order: what a transcript binds."""
    parts = [part for g in generators for part in (g.name.encode(), g.encode())]
    count = len(generators).to_bytes(8, "big")
    return hashlib.sha256(labels.frame(labels.GENERATORS_DIGEST, count, *parts)).digest()


def use_tables(generators: Iterable[Generator]) -> None:
    """Keep tables of these generators for the rest of the process: 3 ms and 0.33 MB for each.

    Those that have one keep it. Another thread may go on multiplying meanwhile.
    """
    for generator in generators:
        if generator.table is None:
            generator.table = tables.build(generator.point)


def forget_tables(generators: Iterable[Generator]) -> None:
    """Give the memory back; products are as they were, and slower."""
    for generator in generators:
        generator.table = None


def multiply_fixed(generators: Sequence[Generator], scalars: Sequence[Scalar]) -> Point:
    """The sum of scalars[i] times generators[i]; ValueError if their numbers differ."""
    return multiply_mixed(generators, scalars, (), ())


def multiply_mixed(
    generators: Sequence[Generator],
    fixed_scalars: Sequence[Scalar],
    points: Sequence[Point],
    scalars: Sequence[Scalar],
) -> Point:
    """fixed_scalars[i]·generators[i] + scalars[i]·points[i], summed, correct on the whole curve.

    ValueError if the numbers differ. Where tables are kept and pay, their generators are looked
    up; all other terms share one multiplication.
    """
    if len(generators) != len(fixed_scalars) or len(points) != len(scalars):
        raise ValueError("as many scalars as generators and points")
    looked_up: list[tuple[tables.Rows, Scalar]] = []
    rest_points, rest_scalars = [*points], [*scalars]
    for generator, factor in zip(generators, fixed_scalars, strict=True):
        table = generator.table  # read once: another thread may set it between two reads
        if table is None:
            rest_points.append(generator.point)
            rest_scalars.append(factor)
        else:
            looked_up.append((table, factor))
    if len(looked_up) + _WEIGHT_OF_OTHERS * len(rest_points) > _TABLES_PAY_UP_TO:
        return group.multiply(
            [*points, *[generator.point for generator in generators]], [*scalars, *fixed_scalars]
        )
    start = group.multiply(rest_points, rest_scalars) if rest_points else IDENTITY
    return tables.add_up(looked_up, start)


def are_looked_up(generators: Sequence[Generator]) -> bool:
    """Whether products over these are looked up: all have tables, and so few that it pays."""
    return len(generators) <= _TABLES_PAY_UP_TO and all(
        generator.table is not None for generator in generators
    )
