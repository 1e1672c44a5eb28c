"""Public sets: one canonical form and digest, a polynomial that no cache can falsify."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import group, labels, polynomial_cache, sets
from proofs.errors import SetError
from proofs.group import ONE, ORDER, ZERO, Scalar, encode_scalar, scalar
from proofs.set_polynomial import SetPolynomial, power_count
from proofs.sets import MAX_SET_SIZE, PIECE_SIZE, ScalarSet

TAG = b"name"
MAGIC_BYTES = 29


def _set(*values: int, tag: bytes = TAG, cache: Path | None = None) -> ScalarSet:
    return ScalarSet.from_scalars(map(scalar, values), tag, cache=cache)


def _value(polynomial: SetPolynomial, u: Scalar) -> Scalar:
    ys = [u]
    while len(ys) < polynomial.powers:
        ys.append(ys[-1] * ys[-1])
    return polynomial.evaluate(ys)


def _naive_sum(polynomial: SetPolynomial, ys: list[int]) -> int:
    """The sum over all coefficients, term by term; y_{m-1} squared past the last product."""
    total = 0
    for index, coefficient in enumerate(map(int, polynomial.coefficients)):
        term = coefficient
        for j, y in enumerate(ys):
            term = term * y ** (index >> j & 1) % ORDER
        if index >> len(ys):
            term = coefficient * ys[-1] ** 2
        total += term
    return total % ORDER


def test_order_of_the_members_does_not_matter() -> None:
    """The digest is of the sorted list, so two spellings of one set have one name."""
    assert _set(3, 1, 2).digest == _set(1, 2, 3).digest


def test_digest_covers_type_members_and_count() -> None:
    """Another attribute type, member or count is another set."""
    digests = {
        _set(1, 2).digest,
        _set(1, 2, tag=b"identifier").digest,
        _set(1, 3).digest,
        _set(1, 2, 3).digest,
        _set(1).digest,
    }
    assert len(digests) == 5


def test_digest_is_over_the_framed_parts() -> None:
    """The digest is SHA-256 of label, type tag, normaliser version, count and sorted members."""
    body = encode_scalar(ONE) + encode_scalar(scalar(7))
    parts = labels.frame(labels.SET_DIGEST, TAG, b"v1", (2).to_bytes(8, "big"), body)
    assert _set(7, 1).digest == hashlib.sha256(parts).digest()


def test_empty_set_is_refused() -> None:
    """Nothing is a member of it and everything is not: a fact about it says nothing."""
    with pytest.raises(SetError, match="empty"):
        _set()


def test_duplicate_is_refused() -> None:
    """A canonical set has distinct members; a double root would only hide a careless list."""
    with pytest.raises(SetError, match="twice"):
        _set(5, 6, 5)


def test_largest_set_passes_and_a_larger_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """2^20 members are allowed, 16 pieces; one more is refused before anything is sorted."""
    assert (MAX_SET_SIZE, MAX_SET_SIZE // PIECE_SIZE) == (1 << 20, 16)
    monkeypatch.setattr(sets, "MAX_SET_SIZE", 300)
    assert _set(*range(300)).size == 300
    with pytest.raises(SetError, match="301"):
        _set(*range(301))


def test_membership_of_values() -> None:
    """`in` finds exactly the members, zero and the greatest scalar included."""
    members = _set(0, 5, ORDER - 1)
    inside = [value for value in (0, 1, 4, 5, 6, ORDER - 2, ORDER - 1) if scalar(value) in members]
    assert inside == [0, 5, ORDER - 1]
    assert (len(members), members.type_tag) == (3, TAG)
    assert repr(members) == f"ScalarSet(size=3, digest={members.digest.hex()})"


@pytest.mark.parametrize(
    ("size", "powers"), [(1, 2), (2, 2), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (65_536, 16)]
)
def test_powers_cover_every_coefficient(size: int, powers: int) -> None:
    """m = max(2, ceil(log2 N)); N + 1 coefficients fit 2^m products and one square."""
    assert power_count(size) == powers
    assert size + 1 <= 2**powers + 1


def test_no_size_has_no_powers() -> None:
    """A set without members has no argument."""
    with pytest.raises(ValueError, match="one member"):
        power_count(0)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 16, 33])
def test_polynomial_has_the_members_as_roots_and_no_others(size: int) -> None:
    """P is monic of degree N, zero at members, and the plain product elsewhere."""
    values = [(7919 * k + 11) ** 9 % ORDER for k in range(size)]
    polynomial = _set(*values).polynomial
    assert [int(polynomial.coefficients[-1]), len(polynomial.coefficients)] == [1, size + 1]
    assert polynomial.is_full == (size in (4, 8, 16))
    assert [_value(polynomial, scalar(value)) == ZERO for value in values] == [True] * size
    expected = 1
    for value in values:
        expected = expected * (3 - value) % ORDER
    assert int(_value(polynomial, scalar(3))) == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.data())
def test_sums_agree_with_the_term_by_term_ones(size: int, data: st.DataObject) -> None:
    """The matrix products equal the naive sum at arbitrary points and along arbitrary lines."""
    field = st.integers(0, ORDER - 1)
    values = data.draw(st.lists(field, min_size=size, max_size=size, unique=True))
    polynomial = _set(*values).polynomial
    m = polynomial.powers
    ys = data.draw(st.lists(field, min_size=m, max_size=m))
    fs = data.draw(st.lists(field, min_size=m, max_size=m))
    assert int(polynomial.evaluate(list(map(scalar, ys)))) == _naive_sum(polynomial, ys)
    line = polynomial.along_line(list(map(scalar, ys)), list(map(scalar, fs)))
    assert len(line) == m + 1
    z = data.draw(field)
    at_z = sum(int(c) * pow(z, k, ORDER) for k, c in enumerate(line)) % ORDER
    moved = [(y + z * f) % ORDER for y, f in zip(ys, fs, strict=True)]
    assert at_z == _naive_sum(polynomial, moved)


def _cached(directory: Path, members: ScalarSet) -> Path:
    return directory / f"{members.digest.hex()}.poly"


def _coefficients(members: ScalarSet) -> list[int]:
    return list(map(int, members.polynomial.coefficients))


def test_cache_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run reads the polynomial and does not build it; no half file stays behind."""
    first = _set(*range(5, 25), cache=tmp_path / "deep" / "cache")
    expected = _coefficients(first)
    assert [path.name for path in (tmp_path / "deep" / "cache").iterdir()] == [
        f"{first.digest.hex()}.poly"
    ]
    monkeypatch.setattr(polynomial_cache, "from_roots", None)
    assert _coefficients(_set(*range(5, 25), cache=tmp_path / "deep" / "cache")) == expected


def test_cache_directory_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$CROSSPROOF_CACHE names the directory when the caller names none; empty means none."""
    monkeypatch.setenv("CROSSPROOF_CACHE", "")
    members = _set(1, 2, 3)
    assert _coefficients(members) == [ORDER - 6, 11, ORDER - 6, 1]
    monkeypatch.setenv("CROSSPROOF_CACHE", str(tmp_path))
    assert _coefficients(_set(1, 2, 3)) == [ORDER - 6, 11, ORDER - 6, 1]
    assert _cached(tmp_path, members).exists()


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: _flip(data, 0),
        lambda data: _flip(data, MAGIC_BYTES + 31),
        lambda data: _flip(data, len(data) - 1),
        # Right length and canonical, the same coefficients in another order.
        lambda data: data[:MAGIC_BYTES] + data[MAGIC_BYTES + 32 :] + data[MAGIC_BYTES:][:32],
        # The coefficient 0 spelled as the order.
        lambda data: data[:MAGIC_BYTES] + ORDER.to_bytes(32, "big") + data[MAGIC_BYTES + 32 :],
        lambda data: data[:MAGIC_BYTES] + b"\xff" * 32 + data[MAGIC_BYTES + 32 :],
    ],
)
def test_damaged_cache_is_ignored_and_written_anew(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    """No content of the cache file changes the polynomial; a damaged file is replaced."""
    members = _set(0, 3, 5, 8, 13, cache=tmp_path)
    expected = _coefficients(members)
    path = _cached(tmp_path, members)
    good = path.read_bytes()
    assert len(good) == MAGIC_BYTES + 32 * 5
    path.write_bytes(damage(good))
    assert _coefficients(_set(0, 3, 5, 8, 13, cache=tmp_path)) == expected
    assert path.read_bytes() == good


def test_a_cache_keeps_what_was_used_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past so many bytes the file that was not used for longest goes, and no file of others."""
    monkeypatch.setattr(polynomial_cache, "MOST_BYTES", 3 * (MAGIC_BYTES + 64))
    (tmp_path / "notes.txt").write_text("x" * 1000)
    made = [_set(k, k + 1, cache=tmp_path) for k in range(0, 8, 2)]
    for age, members in enumerate(made[:3]):
        assert members.polynomial.size == 2
        os.utime(_cached(tmp_path, members), (age, age))
    assert _set(0, 1, cache=tmp_path).polynomial.size == 2  # the oldest one is read again
    assert made[3].polynomial.size == 2
    left = {path.name for path in tmp_path.iterdir()}
    kept = {_cached(tmp_path, members).name for members in (made[0], made[2], made[3])}
    assert left == {"notes.txt", *kept}


def test_planted_cache_of_another_set_is_ignored(tmp_path: Path) -> None:
    """A well-formed polynomial of another set under this set's name changes no verdict."""
    mine, other = _set(1, 2, 3, 4, cache=tmp_path), _set(1, 2, 3, 9, cache=tmp_path)
    assert mine.polynomial.size == other.polynomial.size
    _cached(tmp_path, mine).write_bytes(_cached(tmp_path, other).read_bytes())
    again = _set(1, 2, 3, 4, cache=tmp_path)
    assert _value(again.polynomial, scalar(9)) != ZERO
    assert _value(again.polynomial, scalar(4)) == ZERO


def test_planted_pipe_is_ignored(tmp_path: Path) -> None:
    """A pipe in the place of the cache file would be waited for; it is replaced by a file."""
    path = _cached(tmp_path, _set(1, 2, 3))
    os.mkfifo(path)
    assert _coefficients(_set(1, 2, 3, cache=tmp_path)) == _coefficients(_set(1, 2, 3))
    assert path.is_file()


def test_cache_that_cannot_be_used_is_no_error(tmp_path: Path) -> None:
    """A file where the directory should be, or a directory where the file should be: built anew."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert _coefficients(_set(4, cache=blocked)) == [ORDER - 4, 1]
    members = _set(6, 7, cache=tmp_path)
    _cached(tmp_path, members).mkdir()
    assert _coefficients(members) == [42, ORDER - 13, 1]
    assert [path for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_polynomial_is_made_once() -> None:
    """The polynomial is kept with the set."""
    members = ScalarSet.from_scalars([group.random_scalar() for _ in range(3)], TAG)
    assert members.polynomial is members.polynomial
