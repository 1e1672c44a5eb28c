"""Commitments: the formula, and that they add up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import generators, group, pedersen
from proofs.generators import G, H
from proofs.group import ORDER

elements = st.integers(min_value=0, max_value=ORDER - 1).map(group.scalar)
QUICK = settings(max_examples=20, deadline=None)


@QUICK
@given(elements, elements)
def test_commitment_is_the_formula(value: group.Scalar, blinding: group.Scalar) -> None:
    """V = value·G + blinding·H, zeros included."""
    assert pedersen.commit(value, blinding) == G.point * value + H.point * blinding


@QUICK
@given(elements, elements, elements, elements)
def test_commitments_add_up(
    a: group.Scalar, r: group.Scalar, b: group.Scalar, s: group.Scalar
) -> None:
    """The sum of two commitments commits to the sum, with the sum of the blindings."""
    assert pedersen.commit(a, r) + pedersen.commit(b, s) == pedersen.commit(a + b, r + s)


def test_values_and_blindings_are_not_interchangeable() -> None:
    """Another value, or another blinding, is another commitment."""
    one, two = group.scalar(1), group.scalar(2)
    points = pedersen.commit_many([(one, two), (two, one), (one, one), (two, two)])
    assert len({group.encode_point(point) for point in points}) == 4
    assert points[0] == pedersen.commit(one, two)


@pytest.fixture
def tables() -> Iterator[None]:
    """Tables for one test only."""
    pedersen.use_tables()
    yield
    generators.forget_tables(pedersen.BASES)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("value", "blinding"),
    [(0, 0), (1, 0), (0, 1), (255, 256), (ORDER - 1, ORDER - 1), (2**62, ORDER // 3), (-5, 7)],
)
def test_tables_give_the_same_commitments(value: int, blinding: int) -> None:
    """Looked-up multiples add up to the product, at every edge."""
    v, r = group.scalar(value % ORDER), group.scalar(blinding)
    assert pedersen.commit(v, r) == G.point * v + H.point * r


@pytest.mark.usefixtures("tables")
def test_tables_give_the_same_encodings() -> None:
    """The same bytes for random pairs, with tables and without."""
    pairs = [(group.random_scalar(), group.random_scalar()) for _ in range(20)]
    with_tables = [group.encode_point(point) for point in pedersen.commit_many(pairs)]
    generators.forget_tables(pedersen.BASES)
    assert [group.encode_point(point) for point in pedersen.commit_many(pairs)] == with_tables
