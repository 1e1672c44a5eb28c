"""Decimal texts are exact scaled integers, or refused."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.errors import SchemaError
from proofs.exact import format_decimal, read_decimal, read_decimal_object

scales = st.integers(0, 18)
scaled = st.integers(-(2**62), 2**62)


@settings(max_examples=200, deadline=None)
@given(scaled, scales, st.booleans())
def test_what_is_printed_reads_back(value: int, scale: int, shortest: bool) -> None:
    """Both printed forms are exact at the scale, and the shorter one has no trailing zero."""
    text = format_decimal(value, scale, shortest=shortest)
    assert value == read_decimal(text, scale)
    assert not (shortest and "." in text and text.endswith(("0", ".")))


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?%?", fullmatch=True), scales)
def test_reading_is_the_rational_number_or_a_refusal(text: str, scale: int) -> None:
    """Against arithmetic of fractions: exact when it is an integer at the scale, refused when not.

    In particular nothing is rounded and `%` is a division by a hundred.
    """
    number = Fraction(text.rstrip("%")) / (100 if text.endswith("%") else 1) * 10**scale
    if number.denominator == 1:
        assert number == read_decimal(text, scale, percent=True)
    else:
        with pytest.raises(SchemaError, match="not exact"):
            read_decimal(text, scale, percent=True)


def test_percent_and_zeros() -> None:
    """8.00% is 800 at scale 4, and -0 is 0; 8.005% and, without percent, 8% are refused."""
    assert (read_decimal("8.00%", 4, percent=True), read_decimal("0.08", 4)) == (800, 800)
    assert tuple(read_decimal(text, 2) for text in ("-0", "0.00", "0.000000")) == (0, 0, 0)
    with pytest.raises(SchemaError, match=r"8\.005% is not exact at scale 4"):
        read_decimal("8.005%", 4, percent=True)
    with pytest.raises(SchemaError, match=r"write 8% as 0\.08"):
        read_decimal("8%", 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a number"),
        ("-", "not a number"),
        (".5", "not a number"),
        ("5.", "not a number"),
        ("+5", "not a number"),
        ("--5", "not a number"),
        ("NaN", "not a number"),
        ("Infinity", "not a number"),
        ("5 ", "not a number"),
        ("5\n", "not a number"),
        ("٣", "not a number"),
        ("５", "not a number"),
        ("0x10", "not a number"),
        ("1_000", "thousands"),
        ("1,000", "thousands"),
        ("1e400", "exponent"),
        ("-1E-3", "exponent"),
        ("007", "leading zeros"),
        ("-01.5", "leading zeros"),
        ("1" * 61, "60 characters"),
        ("1" * 10_000_000, "60 characters"),
    ],
)
def test_other_spellings_are_refused_with_what_to_write(text: str, reason: str) -> None:
    """Each refusal says what to mend, in a bounded message."""
    with pytest.raises(SchemaError, match=reason) as caught:
        read_decimal(text, 2)
    assert len(str(caught.value)) < 200


@settings(max_examples=200, deadline=None)
@given(st.decimals(allow_nan=True, allow_infinity=True), scales)
def test_decimals_are_exact_or_refused(value: Decimal, scale: int) -> None:
    """Against fractions, for every Decimal there is."""
    try:
        found = read_decimal_object(value, scale)
    except SchemaError:
        if value.is_finite() and abs(value.adjusted()) < 20:
            assert (Fraction(value) * 10**scale).denominator > 1 or len(format(value, "f")) > 60
        return
    assert found == Fraction(value) * 10**scale


@pytest.mark.parametrize("text", ["NaN", "sNaN", "-Infinity", "1e400", "1e-400", "1E+999999"])
def test_extreme_decimals_are_refused_before_they_are_written_out(text: str) -> None:
    """A short spelling never becomes a long number."""
    with localcontext():
        value = Decimal(text)
    with pytest.raises(SchemaError):
        read_decimal_object(value, 2)
    assert read_decimal_object(Decimal("1.5"), 2) == 150
    assert read_decimal_object(Decimal("1E+2"), 2) == 10000
