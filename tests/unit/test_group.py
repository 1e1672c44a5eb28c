"""The group: encodings, integers, hashing, multiplication and clearing, against py_ecc."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.torsion import times, torsion_point

from proofs import group
from proofs.errors import EncodingError
from proofs.group import ORDER

FIELD = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf"
    "6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
    16,
)
QUICK = settings(max_examples=30, deadline=None)
elements = st.integers(min_value=0, max_value=ORDER - 1)


def some_point(seed: bytes = b"p") -> group.Point:
    return group.hash_to_point(b"crossproof/test/v1", seed)


def to_oracle(point: group.Point) -> object:
    from py_ecc.bls.point_compression import decompress_G1

    if point == group.IDENTITY:
        return None
    return decompress_G1(int.from_bytes(group.encode_point(point), "big"))


def oracle_encoding(point: object) -> bytes:
    from py_ecc.bls.point_compression import compress_G1

    return int(compress_G1(point)).to_bytes(48, "big")


class TestIntegers:
    @QUICK
    @given(elements)
    def test_scalar_round_trip(self, value: int) -> None:
        """A field element encodes as its integer, 32 bytes big-endian, and decodes again."""
        encoded = group.encode_scalar(group.scalar(value))
        assert encoded == value.to_bytes(32, "big")
        assert group.decode_scalar(encoded) == group.scalar(value)

    @pytest.mark.parametrize("value", [-1, ORDER, ORDER + 5, 1 << 300])
    def test_scalar_refuses_what_it_would_reduce(self, value: int) -> None:
        """An integer outside the field is refused, not taken for its remainder."""
        with pytest.raises(ValueError, match="outside"):
            group.scalar(value)

    @pytest.mark.parametrize("value", [0, 1, -1, ORDER // 2 - 1, 1 - ORDER // 2, -(2**62)])
    def test_signed_scalar_is_the_remainder(self, value: int) -> None:
        """Small negative integers become their remainder modulo the order."""
        assert int(group.signed_scalar(value)) == value % ORDER

    @pytest.mark.parametrize("value", [ORDER // 2, -(ORDER // 2), ORDER - 1, ORDER + 5])
    def test_signed_scalar_refuses_the_ambiguous(self, value: int) -> None:
        """At half the order and beyond, two integers would meet in one element."""
        with pytest.raises(ValueError, match="too large"):
            group.signed_scalar(value)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            bytes(31),
            bytes(33),
            ORDER.to_bytes(32, "big"),
            (ORDER + 1).to_bytes(32, "big"),
            b"\xff" * 32,
        ],
    )
    def test_decode_scalar_refuses_second_spellings(self, data: bytes) -> None:
        """Wrong lengths and values that are not reduced are refused."""
        with pytest.raises(EncodingError):
            group.decode_scalar(data)

    @QUICK
    @given(st.binary(min_size=64, max_size=64))
    def test_uniform_bytes_are_reduced(self, data: bytes) -> None:
        """64 bytes are a big-endian integer modulo the order."""
        assert int(group.scalar_from_uniform(data)) == int.from_bytes(data, "big") % ORDER

    def test_uniform_bytes_must_be_enough(self) -> None:
        """Fewer bytes would make a biased element."""
        with pytest.raises(ValueError, match="uniform"):
            group.scalar_from_uniform(bytes(32))

    def test_random_elements_differ_and_are_not_zero(self) -> None:
        """Fresh elements and weights repeat with negligible probability and are never zero."""
        drawn = [group.random_scalar() for _ in range(32)]
        weights = [group.random_weight() for _ in range(32)]
        assert len({int(s) for s in drawn + weights}) == 64
        assert group.ZERO not in drawn + weights
        assert all(int(weight) < 1 << 128 for weight in weights)

    @QUICK
    @given(st.lists(st.integers(min_value=1, max_value=ORDER - 1), max_size=20))
    def test_invert_all_is_inversion(self, values: list[int]) -> None:
        """One shared inversion gives each element's own inverse."""
        got = [int(s) for s in group.invert_all([group.scalar(v) for v in values])]
        assert got == [pow(v, -1, ORDER) for v in values]

    def test_invert_all_refuses_zero(self) -> None:
        """A zero among the elements has no inverse and spoils none of the others silently."""
        with pytest.raises(ZeroDivisionError):
            group.invert_all([group.ONE, group.ZERO])

    def test_powers(self) -> None:
        """base^0 … base^(count-1)."""
        assert [int(p) for p in group.powers(group.scalar(3), 5)] == [1, 3, 9, 27, 81]
        assert group.powers(group.scalar(3), 0) == []


class TestPoints:
    def test_round_trip(self) -> None:
        """Both decoders give back the point that was encoded."""
        point = some_point()
        encoded = group.encode_point(point)
        assert group.decode_statement_points([encoded, encoded]) == [point, point]
        assert group.decode_proof_point(encoded) == point

    def test_identity_has_no_encoding(self) -> None:
        """The identity is refused when written."""
        with pytest.raises(ValueError, match="identity"):
            group.encode_point(group.IDENTITY)

    BAD = (
        b"",
        bytes(48),
        b"\x80" + bytes(46),
        b"\x80" + bytes(48),
        b"\xc0" + bytes(47),  # the identity
        b"\xc0" + bytes(46) + b"\x01",  # the identity with a tail, which the library accepts
        b"\xe0" + bytes(47),
        b"\x00" + bytes(46) + b"\x04",  # no compression flag
        (1 << 383 | FIELD).to_bytes(48, "big"),  # x = p
        (1 << 383 | (FIELD + 4)).to_bytes(48, "big"),  # a second spelling of x = 4
        (1 << 383 | 1).to_bytes(48, "big"),  # x = 1 is not on the curve
    )

    @pytest.mark.parametrize("data", BAD)
    def test_decoders_refuse(self, data: bytes) -> None:
        """Wrong length, flags, the identity, x not reduced and x off the curve are refused."""
        with pytest.raises(EncodingError):
            group.decode_proof_point(data)
        with pytest.raises(EncodingError):
            group.decode_statement_points([data])

    @settings(max_examples=100, deadline=None)
    @given(st.binary(min_size=48, max_size=48))
    def test_decoding_is_canonical(self, data: bytes) -> None:
        """Any 48 bytes are refused or encode again to themselves."""
        try:
            point = group.decode_proof_point(data)
        except EncodingError:
            return
        assert group.encode_point(point) == data

    @pytest.mark.parametrize("order", [3, 11])
    def test_statement_points_are_in_the_subgroup(self, order: int) -> None:
        """A point with torsion is refused in a statement and decoded in a proof."""
        torsion = torsion_point(order)
        assert times(torsion, order) == group.IDENTITY
        for point in (torsion, some_point() + torsion):
            encoded = group.encode_point(point)
            with pytest.raises(EncodingError):
                group.decode_statement_points([encoded])
            assert group.decode_proof_point(encoded) == point

    @pytest.mark.parametrize("order", [3, 11])
    def test_clearing(self, order: int) -> None:
        """Clearing forgets the torsion and nothing else."""
        torsion = torsion_point(order)
        assert group.is_zero_after_clearing(group.IDENTITY)
        assert group.is_zero_after_clearing(torsion)
        assert not group.is_zero_after_clearing(some_point())
        assert not group.is_zero_after_clearing(some_point() + torsion)

    @pytest.mark.parametrize("order", [3, 11])
    def test_multiply_is_exact_outside_the_subgroup(self, order: int) -> None:
        """Multiplication is by the integer, also of a point that has torsion."""
        point = some_point() + torsion_point(order)
        factor = secrets.randbelow(ORDER)
        assert group.multiply([point], [group.scalar(factor)]) == times(point, factor)

    @pytest.mark.parametrize("count", [1, 2, 32, 33, 34, 35, 64, 65, 128, 129, 132, 133, 257, 273])
    @pytest.mark.parametrize("ones", [(), (0,), (0, -1)])
    def test_multiply_is_one_sum_however_it_is_cut(self, count: int, ones: tuple[int, ...]) -> None:
        """Sizes at which terms are taken apart, factors of one, points with torsion."""
        base, step = some_point() + torsion_point(3), some_point(b"step")
        points = [base]
        while len(points) < count:
            points.append(points[-1] + step)
        factors = [secrets.randbelow(ORDER) for _ in points]
        for place in ones:
            factors[place] = 1
        slope = sum(place * factor for place, factor in enumerate(factors))
        expected = times(base, sum(factors)) + times(step, slope)
        given = list(points), [group.scalar(factor) for factor in factors]
        assert group.multiply(*given) == expected
        assert (len(given[0]), len(given[1])) == (count, count)  # the caller's lists stay whole

    def test_multiply_refuses_different_lengths(self) -> None:
        """A list that is too short would drop terms."""
        with pytest.raises(ValueError, match="as many"):
            group.multiply([some_point()], [])
        assert group.multiply([], []) == group.IDENTITY


class TestOracle:
    """py_ecc is an independent implementation of the same curve."""

    def test_multiplication(self) -> None:
        """A sum of three multiples is the oracle's."""
        from py_ecc.optimized_bls12_381 import add, multiply

        points = [some_point(bytes([i])) for i in range(3)]
        factors = [secrets.randbelow(ORDER) for _ in points]
        expected = None
        for point, factor in zip(points, factors, strict=True):
            term = multiply(to_oracle(point), factor)
            expected = term if expected is None else add(expected, term)
        got = group.multiply(points, [group.scalar(f) for f in factors])
        assert group.encode_point(got) == oracle_encoding(expected)

    def test_hash_to_point(self) -> None:
        """Hash to curve is RFC 9380's suite, as the oracle has it."""
        import hashlib

        from py_ecc.bls.hash_to_curve import hash_to_G1

        label, message = b"crossproof/test/v1", b"any message"
        expected = oracle_encoding(hash_to_G1(message, label, hashlib.sha256))
        assert group.encode_point(group.hash_to_point(label, message)) == expected

    def test_hash_to_scalar(self) -> None:
        """Hash to field is expand_message_xmd of the framed parts, 48 bytes, reduced."""
        import hashlib

        from py_ecc.bls.hash import expand_message_xmd

        label = b"crossproof/test/v1"
        framed = (2).to_bytes(8, "big") + b"ab" + (1).to_bytes(8, "big") + b"c"
        uniform = expand_message_xmd(framed, label, 48, hashlib.sha256)
        expected = int.from_bytes(uniform, "big") % ORDER
        assert int(group.hash_to_scalar(label, b"ab", b"c")) == expected
        assert int(group.hash_to_scalar(label, b"a", b"bc")) != expected

    def test_order_and_cofactor(self) -> None:
        """The constants are the oracle's order and 1 - z."""
        from py_ecc.optimized_bls12_381 import curve_order

        assert curve_order == ORDER
        assert FIELD % ORDER == (1 - group.COFACTOR_H) % ORDER  # the trace is z + 1, p = z mod q

    def test_label_has_a_length(self) -> None:
        """RFC 9380 bounds the tag; an empty one would separate nothing."""
        for label in (b"", b"x" * 256):
            with pytest.raises(ValueError, match="label"):
                group.hash_to_scalar(label, b"")
