"""Pieces of sets and changed sets: where the cuts lie, and polynomials that follow a change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import group, polynomial_cache
from proofs.group import ORDER, ZERO, Scalar, encode_scalar, scalar
from proofs.polynomial_cache import MOST_CHANGES, load_or_build
from proofs.set_polynomial import SetPolynomial, agrees, from_roots
from proofs.sets import Near, ScalarSet

TAG = b"name"
FIELD = st.integers(0, ORDER - 1)


def _set(values: Sequence[int], cache: Path | None = None, near: Near = tuple) -> ScalarSet:
    return ScalarSet.from_scalars(map(scalar, values), TAG, cache=cache, near=near)


def _polynomial(values: Sequence[int]) -> SetPolynomial:
    return from_roots([encode_scalar(scalar(value)) for value in values])


def _coefficients(polynomial: SetPolynomial) -> list[int]:
    return list(map(int, polynomial.coefficients))


# --- the cut ------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(FIELD, min_size=1, max_size=30, unique=True), st.integers(1, 12))
def test_pieces_are_the_list_cut_in_order(values: list[int], size: int) -> None:
    """All full but the last, together exactly the list, each with the digest of its members."""
    whole = _set(values)
    pieces = whole.pieces(size)
    assert [each for piece in pieces for each in piece.encodings] == list(whole.encodings)
    assert [piece.size for piece in pieces[:-1]] == [size] * (len(pieces) - 1)
    assert 1 <= pieces[-1].size <= size
    assert [piece.digest for piece in pieces] == [
        ScalarSet(piece.encodings, TAG, None).digest for piece in pieces
    ]
    assert whole.pieces(size) is pieces or pieces == (whole,)


def test_a_small_set_is_its_own_piece() -> None:
    """Nothing is cut that need not be."""
    members = _set(range(10))
    assert members.pieces() == (members,)
    assert members.pieces(10) == (members,)


def test_the_order_of_the_input_moves_no_cut() -> None:
    """Two spellings of one set have the same pieces."""
    one, other = _set(range(10)).pieces(3), _set(list(reversed(range(10)))).pieces(3)
    assert [piece.digest for piece in one] == [piece.digest for piece in other]


def test_pieces_are_cached_each_by_its_digest(tmp_path: Path) -> None:
    """A file a piece, read again by whoever has the same piece, alone or in another set."""
    for piece in _set(range(10), tmp_path).pieces(4):
        assert piece.polynomial.size == piece.size
    names = {f"{piece.digest.hex()}.poly" for piece in _set(range(10)).pieces(4)}
    assert {path.name for path in tmp_path.iterdir()} == names
    alone = _set(range(4), tmp_path)
    assert alone.ready_polynomial() is not None
    assert _set(range(5), tmp_path).ready_polynomial() is None


# --- one member more or less --------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(FIELD, min_size=2, max_size=20, unique=True), st.data())
def test_changed_polynomials_are_those_of_the_changed_set(
    values: list[int], data: st.DataObject
) -> None:
    """Adding, removing and both give, coefficient by coefficient, what building gives."""
    *before, new = values
    gone = data.draw(st.sampled_from(before))
    whole = _polynomial(before)
    assert _coefficients(whole.with_member(scalar(new))) == _coefficients(_polynomial(values))
    if len(before) > 1:
        rest = [value for value in before if value != gone]
        without = whole.without_member(scalar(gone))
        assert _coefficients(without) == _coefficients(_polynomial(rest))
        assert (without.size, without.powers) == (len(rest), _polynomial(rest).powers)
    exchanged = [value for value in values if value != gone]
    both = whole.changed([scalar(new)], [scalar(gone)])
    assert _coefficients(both) == _coefficients(_polynomial(exchanged))


@pytest.mark.parametrize("size", [3, 4, 5, 7, 8, 9])
def test_changes_across_a_power_of_two(size: int) -> None:
    """Where the number of powers changes, the sums over the coefficients follow."""
    values = list(range(5, 5 + size))
    u, powers = scalar(77), [scalar(77)]
    while len(powers) < 5:
        powers.append(powers[-1] * powers[-1])
    for changed, expected in (
        (_polynomial(values).with_member(scalar(1)), [*values, 1]),
        (_polynomial(values).without_member(scalar(5)), values[1:]),
    ):
        product = scalar(1)
        for value in expected:
            product = product * (u - scalar(value))
        assert changed.evaluate(powers[: changed.powers]) == product


def test_no_change_is_none() -> None:
    """Nothing added and nothing removed leaves every coefficient."""
    assert _coefficients(_polynomial([3, 4]).changed([], [])) == [12, ORDER - 7, 1]


def test_a_division_with_a_rest_is_refused() -> None:
    """Who is not in the set cannot leave it: the quotient would be another set's."""
    whole = _polynomial([3, 4, 5])
    for removed in ([6], [3, 6], [3, 3], [3, 4, 5, 6]):
        with pytest.raises(ValueError, match="removed"):
            whole.changed([], list(map(scalar, removed)))


def test_a_root_twice_is_refused() -> None:
    """A member is not put in again, nor two that are one; one that left may come back."""
    whole = _polynomial([3, 4, 5])
    for added in ([4], [6, 6]):
        with pytest.raises(ValueError, match="added"):
            whole.changed(list(map(scalar, added)), [])
    assert _coefficients(whole.changed([scalar(4)], [scalar(4)])) == _coefficients(whole)


def test_the_last_member_does_not_leave() -> None:
    """The empty set has no argument."""
    with pytest.raises(ValueError, match="at least one"):
        _polynomial([3]).without_member(scalar(3))


@given(st.lists(FIELD, min_size=1, max_size=6, unique=True), FIELD)
@settings(max_examples=25, deadline=None)
def test_agreement_is_of_the_members_and_no_others(values: list[int], other: int) -> None:
    """The comparison at a random point tells the right coefficients from all others tried."""
    right = _polynomial(values).coefficients
    members = [encode_scalar(scalar(value)) for value in values]
    assert agrees(right, members)
    assert agrees(right, [encode_scalar(scalar(other)), *members[1:]]) == (other == values[0])


# --- from another version of the set ------------------------------------------------------------


@pytest.fixture
def no_building(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, building from the members is a failure."""

    def build(members: Sequence[bytes]) -> SetPolynomial:
        raise AssertionError("built")

    monkeypatch.setattr(polynomial_cache, "from_roots", build)


@pytest.mark.parametrize(
    "values", [range(101), range(99), [*range(50), *range(51, 100), 777], range(100)]
)
def test_a_new_version_is_not_built(
    values: Sequence[int], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Members added, removed, exchanged: changed from the version at hand, and cached."""
    before = _set(range(100))
    assert before.polynomial.size == 100
    expected = _coefficients(_polynomial(list(values)))
    request.getfixturevalue("no_building")
    after = _set(values, tmp_path, near=lambda: [before])
    assert _coefficients(after.polynomial) == expected
    again = _set(values, tmp_path).ready_polynomial()
    assert again is not None
    assert _coefficients(again) == expected


def test_a_version_in_the_cache_is_at_hand(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The earlier version's polynomial may lie in the cache; its members are enough to find it."""
    assert _set(range(20), tmp_path).polynomial.size == 20
    request.getfixturevalue("no_building")
    earlier = _set(range(20), tmp_path)
    assert _set(range(21), tmp_path, near=lambda: [earlier]).polynomial.size == 21


def test_pieces_follow_the_pieces_at_their_place(request: pytest.FixtureRequest) -> None:
    """A member put in at the front moves one member over every cut; no piece is built anew."""
    before = _set(range(100, 130))
    assert [piece.polynomial.size for piece in before.pieces(8)] == [8, 8, 8, 6]
    values = [1, *range(100, 130)]
    expected = [_coefficients(_polynomial(values[start : start + 8])) for start in range(0, 31, 8)]
    request.getfixturevalue("no_building")
    after = _set(values, near=lambda: [before])
    assert [_coefficients(piece.polynomial) for piece in after.pieces(8)] == expected
    moved = [
        len(set(new.encodings) ^ set(old.encodings))
        for new, old in zip(after.pieces(8), before.pieces(8), strict=True)
    ]
    assert moved == [2, 2, 2, 1]


def test_a_set_that_grows_past_one_piece(request: pytest.FixtureRequest) -> None:
    """The first piece follows the whole earlier set; a piece that is new has nothing to follow."""
    before = _set(range(100, 108))
    assert before.polynomial.size == 8
    request.getfixturevalue("no_building")
    first, second = _set([*range(100, 108), 200], near=lambda: [before]).pieces(8)
    assert first.polynomial.size == 8
    with pytest.raises(AssertionError, match="built"):
        _ = second.polynomial


def test_a_set_too_far_away_is_built() -> None:
    """Past so many members that differ, changing is no cheaper; nor where none is at hand."""
    far = _set(range(1000, 1000 + MOST_CHANGES))
    assert far.polynomial.size == MOST_CHANGES
    assert _coefficients(_set([1, 2], near=lambda: [far]).polynomial) == [2, ORDER - 3, 1]
    unbuilt = _set([1, 2, 3])
    assert _coefficients(_set([1, 2], near=lambda: [unbuilt]).polynomial) == [2, ORDER - 3, 1]
    assert unbuilt.ready_polynomial() is None


def test_neighbours_are_asked_late_and_only_when_needed(tmp_path: Path) -> None:
    """Not when the set is made, and not when the cache has its polynomial."""
    asked: list[str] = []

    def near() -> list[ScalarSet]:
        asked.append("near")
        return []

    members = _set([1, 2], tmp_path, near=near)
    assert asked == []
    assert members.polynomial.size == 2
    assert asked == ["near"]
    assert _set([1, 2], tmp_path, near=near).polynomial.size == 2
    assert asked == ["near"]


class _Liar:
    """A neighbour whose polynomial is not that of its members."""

    def __init__(self, members: Sequence[int], polynomial: SetPolynomial) -> None:
        self.encodings = [encode_scalar(scalar(each)) for each in members]
        self._polynomial = polynomial

    def ready_polynomial(self) -> SetPolynomial:
        return self._polynomial


@pytest.mark.parametrize("roots", [[1, 2, 3, 9], [1, 2, 9, 8], [1, 2, 3]])
def test_a_neighbour_that_lies_changes_nothing(roots: list[int]) -> None:
    """Its polynomial divides, or does not, or gives another set's: the right one is built."""
    wanted = _set([1, 2, 3])
    liar = _Liar([1, 2, 3, 4], _polynomial(roots))
    found = load_or_build(wanted.encodings, wanted.digest, None, near=lambda: [liar])
    assert _coefficients(found) == _coefficients(_polynomial([1, 2, 3]))
    other = _Liar([1, 2], _polynomial([1, 9]))
    found = load_or_build(wanted.encodings, wanted.digest, None, near=lambda: [other])
    assert _coefficients(found) == _coefficients(_polynomial([1, 2, 3]))


def test_a_random_change_of_a_larger_set() -> None:
    """The sums used in proofs are those of the changed set."""
    values: list[Scalar] = [group.random_scalar() for _ in range(300)]
    before = ScalarSet.from_scalars(values, TAG)
    assert before.polynomial.size == 300
    after = ScalarSet.from_scalars([*values[7:], group.random_scalar()], TAG, near=lambda: [before])
    ys = [values[9]]
    while len(ys) < after.polynomial.powers:
        ys.append(ys[-1] * ys[-1])
    assert after.polynomial.evaluate(ys) == ZERO
