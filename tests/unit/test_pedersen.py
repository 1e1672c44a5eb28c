"""Commitments: the formula, and that they add up."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import group, pedersen
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
