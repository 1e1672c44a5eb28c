"""The portable core, beside the other one and beside py_ecc's own slower road, value by value."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.torsion import torsion_point

from proofs import core_arkworks as fast
from proofs import core_py_ecc as plain
from proofs import group
from proofs.group import ORDER

FIELD = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
    16,
)
TAG = b"crossproof/test/v1"
QUICK = settings(max_examples=60, deadline=None)
SLOW = settings(max_examples=20, deadline=None)

EDGES = [0, 1, 2, 255, 256, 2**64, 2**128 - 1, ORDER // 2, ORDER - 2, ORDER - 1]
integers = st.one_of(st.integers(0, ORDER - 1), st.sampled_from(EDGES))
BOTH: tuple[Any, Any] = (plain, fast)


def outcomes(action: Callable[[Any], object]) -> list[object]:
    """What the action gives on each core, or the kind of error that it raises."""
    found: list[object] = []
    for core in BOTH:
        try:
            found.append(action(core))
        except (ValueError, ZeroDivisionError, TypeError) as error:
            found.append(type(error))
    return found


# --- scalars ------------------------------------------------------------------------------------


@QUICK
@given(integers, integers)
@example(0, ORDER - 1)
def test_scalar_arithmetic(a: int, b: int) -> None:
    """Every operation is the one modulo the order, on both cores."""
    for operation in (operator.add, operator.sub, operator.mul, operator.eq, operator.ne):
        mine, other = outcomes(lambda core, o=operation: o(core.Scalar(a), core.Scalar(b)))
        assert str(mine) == str(other) or int(mine) == int(other) == operation(a, b) % ORDER
    for unary in ("inverse", "square", "__neg__", "to_be_bytes", "to_le_bytes"):
        mine, other = outcomes(lambda core, u=unary: getattr(core.Scalar(a), u)())
        assert mine == other or int(mine) == int(other)
    assert hash(plain.Scalar(a)) == hash(plain.Scalar(a + ORDER))


def test_zero_has_no_inverse() -> None:
    """The same error on both cores."""
    assert outcomes(lambda core: core.Scalar(0).inverse()) == [ZeroDivisionError] * 2


@QUICK
@given(st.binary(max_size=80))
@example(ORDER.to_bytes(32, "big"))
@example((ORDER - 1).to_bytes(32, "big"))
@example(bytes(31))
@example(bytes(33))
def test_scalar_decoding(data: bytes) -> None:
    """The same bytes are a scalar, and the same are refused; reduction takes any."""
    mine, other = outcomes(lambda core: int(core.Scalar.from_be_bytes(data)))
    canonical = len(data) == 32 and int.from_bytes(data, "big") < ORDER
    assert mine == other == (int.from_bytes(data, "big") if canonical else ValueError)
    assert (
        outcomes(lambda core: int(core.Scalar.from_be_bytes_mod_order(data)))
        == [int.from_bytes(data, "big") % ORDER] * 2
    )


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul])
def test_integers_do_not_mix_with_scalars(operation: Callable[[Any, Any], object]) -> None:
    """An integer beside a scalar, or a scalar beside a point, is an error, not a conversion."""
    assert outcomes(lambda core: operation(core.Scalar(3), 5)) == [TypeError] * 2
    assert outcomes(lambda core: operation(5, core.Scalar(3))) == [TypeError] * 2
    assert outcomes(lambda core: operation(core.Point.identity(), 5)) == [TypeError] * 2
    assert (
        outcomes(lambda core: operation(core.Scalar(3), core.Point.identity())) == [TypeError] * 2
    )
    assert outcomes(lambda core: core.Scalar(5) == 5) == [False] * 2
    assert outcomes(lambda core: core.Point.identity() == 0) == [False] * 2


# --- points -------------------------------------------------------------------------------------


@cache
def encodings() -> list[bytes]:
    """Points of the group and off it: hashed ones, of order 3 and 11, sums, and the like."""
    hashed = [fast.Point.hash_to_curve(bytes([i]), TAG) for i in range(3)]
    torsion = [
        fast.Point.from_compressed_bytes_unchecked(group.encode_point(torsion_point(order)))
        for order in (3, 11)
    ]
    points = [*hashed, -hashed[0], *torsion, -torsion[0], hashed[1] + torsion[1]]
    return [point.to_compressed_bytes() for point in points]


def decoded(core: Any, places: Iterable[int | None]) -> list[Any]:
    """The points at these places of the list; None stands for the identity."""
    return [
        core.Point.identity()
        if place is None
        else core.Point.from_compressed_bytes_unchecked(encodings()[place])
        for place in places
    ]


places = st.one_of(st.none(), st.integers(0, 7))


@SLOW
@given(places, places)
@example(0, 0)  # a doubling
@example(0, 3)  # opposite points
@example(4, 4)  # a doubling that is a negation
@example(None, None)
@example(None, 1)
def test_point_arithmetic(first: int | None, second: int | None) -> None:
    """Sums, differences, negatives and comparisons agree, wherever the points lie."""
    for operation in (operator.add, operator.sub):
        mine, other = outcomes(
            lambda core, o=operation: o(*decoded(core, [first, second])).to_compressed_bytes()
        )
        assert mine == other
    mine, other = outcomes(lambda core: operator.eq(*decoded(core, [first, second])))
    assert mine is other is (first == second)
    mine, other = outcomes(lambda core: (-decoded(core, [first])[0]).to_compressed_bytes())
    assert mine == other


@SLOW
@given(st.lists(st.tuples(places, integers), max_size=12))
@example([])
@example([(0, 0), (1, 0)])
@example([(None, 5)])
@example([(0, ORDER - 1), (0, 1)])  # cancels
@example([(0, 7), (3, 7)])  # cancels within one bucket
@example([(4, 3), (5, 11)])  # torsion times its order
@example([(4, ORDER - 1), (7, 2**128)])
def test_multiplication(terms: list[tuple[int | None, int]]) -> None:
    """One multi-scalar multiplication is the other core's, and the sum of lone products."""
    at, factors = [place for place, _ in terms], [factor for _, factor in terms]
    mine, other = outcomes(
        lambda core: core.Point.multiexp_unchecked(
            decoded(core, at), [core.Scalar(factor) for factor in factors]
        ).to_compressed_bytes()
    )
    assert mine == other
    pairs = zip(decoded(plain, at), factors, strict=True)
    alone = sum([p * plain.Scalar(k) for p, k in pairs], plain.Point.identity())
    assert alone.to_compressed_bytes() == mine


def test_multiplication_of_many() -> None:
    """Wide windows too: a hundred points, some of them equal."""
    factors = [int.from_bytes(hashlib.sha256(bytes([i])).digest(), "big") for i in range(100)]
    mine, other = outcomes(
        lambda core: core.Point.multiexp_unchecked(
            decoded(core, [i % 8 for i in range(100)]), [core.Scalar(k) for k in factors]
        ).to_compressed_bytes()
    )
    assert mine == other


def test_multiplication_refuses_different_lengths() -> None:
    """Nothing is cut short, whoever calls."""
    for count in (0, 2):
        with pytest.raises(ValueError, match="zip"):
            plain.Point.multiexp_unchecked(decoded(plain, [0]), [plain.Scalar(1)] * count)


def test_equal_points_in_other_coordinates() -> None:
    """Comparison and hash are of the point, not of its coordinates."""
    first, second = decoded(plain, [0, 1])
    same = (first + second) - second
    assert same == first
    assert hash(same) == hash(first)
    assert same != second
    nothing = first - first
    assert nothing == plain.Point.identity() == plain.Point.identity() + nothing
    assert nothing != first
    assert nothing.to_compressed_bytes() == b"\xc0" + bytes(47)


def test_the_identity_in_any_coordinates_equals_itself_only() -> None:
    """The library doubles the identity to (0:0:0), which its own comparison finds equal to all."""
    from py_ecc.optimized_bls12_381 import Z1, double, eq

    degenerate = double(double(Z1))
    (point,) = decoded(plain, [0])
    assert eq(degenerate, point._at)
    assert plain.Point(degenerate) != point
    assert point != plain.Point(degenerate)
    assert plain.Point(degenerate) == plain.Point.identity()


def spelt(x: int, flags: int) -> bytes:
    return (flags << 376 | x).to_bytes(48, "big")


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(min_size=48, max_size=48), st.integers(0, 400).map(lambda x: spelt(x, 0x80))
    )
)
@example(spelt(FIELD, 0x80))  # x = p, a second spelling of zero
@example(spelt(FIELD + 4, 0x80))
@example(spelt(FIELD - 1, 0xA0))
@example(spelt(0, 0x80))  # of order 3
@example(spelt(0, 0xA0))
@example(spelt(4, 0xA0))
@example(spelt(4, 0x20))  # no compression flag
def test_decoding_any_bytes(data: bytes) -> None:
    """The cores accept and refuse the same bytes, with the subgroup checked or not."""
    if data[0] & 0xC0 != 0x80:  # the other core takes some of these; `group` asks neither
        for name in ("from_compressed_bytes", "from_compressed_bytes_unchecked"):
            with pytest.raises(ValueError, match="compressed"):
                getattr(plain.Point, name)(data)
        return
    for name in ("from_compressed_bytes", "from_compressed_bytes_unchecked"):
        mine, other = outcomes(
            lambda core, n=name: getattr(core.Point, n)(data).to_compressed_bytes()
        )
        assert mine == other
        assert mine in (data, ValueError)


@pytest.mark.parametrize("place", range(8))
def test_subgroup(place: int) -> None:
    """Only points of the prime-order subgroup pass the strict decoder."""
    inside = place < 4
    mine, other = outcomes(
        lambda core: core.Point.from_compressed_bytes(encodings()[place]).to_compressed_bytes()
    )
    assert mine == other == (encodings()[place] if inside else ValueError)


@pytest.mark.parametrize("length", [0, 1, 47, 49, 96])
def test_lengths(length: int) -> None:
    """A point is 48 bytes."""
    data = (encodings()[0] * 2)[:length]
    for name in ("from_compressed_bytes", "from_compressed_bytes_unchecked"):
        assert outcomes(lambda core, n=name: getattr(core.Point, n)(data)) == [ValueError] * 2


# --- against the library's own road -------------------------------------------------------------


@SLOW
@given(st.binary(max_size=100), st.binary(min_size=1, max_size=255))
def test_hash_to_curve(message: bytes, tag: bytes) -> None:
    """Both cores, and py_ecc's complete suite, hash to one point."""
    from py_ecc.bls.hash_to_curve import hash_to_G1
    from py_ecc.bls.point_compression import compress_G1

    expected = int(compress_G1(hash_to_G1(message, tag, hashlib.sha256))).to_bytes(48, "big")
    assert (
        outcomes(lambda core: core.Point.hash_to_curve(message, tag).to_compressed_bytes())
        == [expected] * 2
    )


@pytest.mark.parametrize("tag", [b"", b"x" * 256])
def test_hash_to_curve_refuses_tags(tag: bytes) -> None:
    """No empty tag, and none that the RFC would hash first."""
    with pytest.raises(ValueError, match="label"):
        plain.Point.hash_to_curve(b"", tag)


@pytest.mark.parametrize("place", [0, 1, 2, 3, 5, 7])
def test_the_librarys_decoder_agrees(place: int) -> None:
    """Its point is ours, also off the subgroup, which it does not check."""
    from py_ecc.bls.point_compression import compress_G1, decompress_G1

    data = encodings()[place]
    point = decompress_G1(int.from_bytes(data, "big"))
    assert int(compress_G1(point)).to_bytes(48, "big") == data
    assert decoded(plain, [place])[0] == plain.Point(point)


@pytest.mark.parametrize("place", [4, 6])
def test_why_the_librarys_decoder_is_not_used(place: int) -> None:
    """It takes x = 0, which is on the curve, for the identity; the cores do not."""
    from py_ecc.bls.point_compression import decompress_G1

    data = encodings()[place]
    assert data[1:] == bytes(47)
    with pytest.raises(ValueError, match="b_flag"):
        decompress_G1(int.from_bytes(data, "big"))
    assert decoded(plain, [place])[0].to_compressed_bytes() == data
