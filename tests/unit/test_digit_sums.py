"""Sums by digit, and commitments to digits made of them, equal the plain products."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import generators, group
from proofs.digit_sums import BASE, gather, multiply_small, weigh
from proofs.generators import G, linear_bases, multiply_fixed, norm_bases, range_generators
from proofs.group import IDENTITY, Point
from proofs.range_digits import Digits
from proofs.range_terms import Layout

QUICK = settings(max_examples=25, deadline=None)
digits_lists = st.lists(st.integers(0, BASE - 1), max_size=24)


def points(count: int) -> list[Point]:
    return [base.point for base in norm_bases(count)]


@QUICK
@given(digits_lists)
def test_gathered_points_weigh_what_the_product_is(digits: list[int]) -> None:
    """Digits times points, by additions, is the multi-scalar multiplication."""
    bases = norm_bases(len(digits))
    gathered = gather(points(len(digits)), digits)
    assert len(gathered) == BASE
    expected = multiply_fixed(bases, [group.scalar(digit) for digit in digits])
    assert weigh(gathered) == expected


@QUICK
@given(st.lists(st.integers(0, 1 << 20), max_size=12))
def test_small_factors_multiply(factors: list[int]) -> None:
    """Factors of several digits too, zeros among them."""
    bases = norm_bases(len(factors))
    expected = multiply_fixed(bases, [group.scalar(factor) for factor in factors])
    assert multiply_small(points(len(factors)), factors) == expected


def test_no_points_make_the_identity() -> None:
    """An empty sum."""
    assert weigh(gather([], [])) == multiply_small([], []) == IDENTITY


@pytest.mark.parametrize("digit", [-1, BASE])
def test_other_digits_are_refused(digit: int) -> None:
    """-1 would count as the last digit, 16 as none."""
    with pytest.raises(ValueError, match="a digit is 0 to 15"):
        gather(points(1), [digit])


def test_negative_factors_are_refused() -> None:
    """Their digits would never end."""
    with pytest.raises(ValueError, match="not negative"):
        multiply_small(points(2), [1, -1])


def test_as_many_digits_as_points() -> None:
    """A longer list would be cut short."""
    with pytest.raises(ValueError, match="zip"):
        gather(points(2), [1])


@pytest.fixture(scope="module")
def tabled() -> Iterator[None]:
    """Tables of the generators of the smallest range argument."""
    used = range_generators(16)
    generators.use_tables(used)
    yield
    generators.forget_tables(used)


@QUICK
@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=6))
def test_commitments_are_the_plain_products(values: list[int]) -> None:
    """M, D and R over blindings and digits, with few of the digits or all of them."""
    layout = Layout.of(len(values), 4)
    made = Digits(values, layout)
    assert made.digits == [value >> 4 * i & 15 for value in values for i in range(4)]
    assert made.counts == [made.digits.count(digit) for digit in range(BASE)]
    _check(made, layout)


@pytest.mark.usefixtures("tabled")
@pytest.mark.parametrize("value", [0, 0x0123, 0xFFFF])
def test_commitments_are_the_plain_products_with_tables(value: int) -> None:
    """The same, looked up."""
    assert generators.are_looked_up(range_generators(16))
    _check(Digits([value], Layout.of(1, 4)), Layout.of(1, 4))


def test_too_many_generators_are_not_looked_up() -> None:
    """Nor are those of which one has no table."""
    assert not generators.are_looked_up(range_generators(128))
    assert not generators.are_looked_up((G, *norm_bases(17)))


def _check(made: Digits, layout: Layout) -> None:
    bases, linear = norm_bases(layout.norm_length), linear_bases()
    blindings = [group.random_scalar() for _ in range(3)]
    choices = [group.random_scalar() for _ in range(BASE)]
    blinded, real = [G, *linear[:2]], bases[: layout.real]
    assert made.commit_occurrences(blinded, blindings) == multiply_fixed(
        [*blinded, *bases[:BASE]], [*blindings, *made.occurrences]
    )
    assert made.commit_digits(blinded, blindings) == multiply_fixed(
        [*blinded, *real], [*blindings, *made.scalars]
    )
    assert made.commit_chosen(blindings[0], choices) == multiply_fixed(
        [G, *real], [blindings[0], *(choices[digit] for digit in made.digits)]
    )
