"""Shamir shares, and combining what the signed manifest confirms."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.group import ORDER
from vault.crypto.field import decode_scalar, encode_scalar, random_scalar
from vault.crypto.keys import SideKey, secret_digest
from vault.crypto.shares import (
    MAX_SHARES,
    Combined,
    RejectedShare,
    Share,
    check_quorum,
    combine,
    combine_checked,
    share_digest,
    split,
)
from vault.errors import IntegrityError, InvalidInputError

PLACE: dict[str, Any] = {
    "document": "0123456789abcdef0123456789abcdef",
    "version": 3,
    "part": "asset",
    "side": "hk",
}
EPOCH = 4

quorums = st.integers(2, 9).flatmap(
    lambda n: st.tuples(st.integers(max(2, n // 2 + 1), n), st.just(n))
)


def manifest(shares: tuple[Share, ...], key: SideKey, threshold: int) -> dict[str, Any]:
    """What a signed key manifest says of one side."""
    return {
        "threshold": threshold,
        "share_digests": {
            share.index: share_digest(**PLACE, index=share.index, epoch=EPOCH, share=share)
            for share in shares
        },
        "expected_secret": secret_digest(**PLACE, key=key),
        "epoch": EPOCH,
        **PLACE,
    }


class TestSharing:
    @given(quorums, st.integers(0, ORDER - 1), st.randoms(use_true_random=False))
    @settings(max_examples=40, deadline=None)
    def test_every_quorum_combines(self, quorum: tuple[int, int], scalar: int, random: Any) -> None:
        """Any t shares, in any order, give the secret."""
        t, n = quorum
        key = SideKey(encode_scalar(scalar))
        shares = split(key, t, n)
        assert [share.index for share in shares] == list(range(1, n + 1))
        chosen = random.sample(shares, t)
        assert combine(chosen, t) == key
        assert combine(list(shares), t) == key

    def test_all_quorums_of_three_of_five(self) -> None:
        """Each of the ten quorums gives the secret; pairs give something else."""
        key = SideKey.generate()
        shares = split(key, 3, 5)
        assert {combine(some, 3) for some in itertools.combinations(shares, 3)} == {key}
        assert key not in {combine(some, 2) for some in itertools.combinations(shares, 2)}

    def test_fewer_than_a_quorum_fit_every_secret(self) -> None:
        """t-1 shares say nothing: for any secret there is a sharing with those very shares."""
        shares = split(SideKey.generate(), 2, 3)
        known, other = shares[0], SideKey.generate()
        # The line through (0, other) and the known share, at x = 2.
        value = (2 * known.scalar - other.scalar) % ORDER
        assert combine([known, Share(2, encode_scalar(value))], 2) == other

    def test_sharing_is_fresh(self) -> None:
        """Two sharings of one secret have no share in common, and mixing them fails."""
        key = SideKey.generate()
        one, two = split(key, 2, 3), split(key, 2, 3)
        assert set(one).isdisjoint(two)
        assert combine([one[0], two[1]], 2) != key

    def test_most_holders(self) -> None:
        """255 holders are the most that an index has room for."""
        key = SideKey.generate()
        assert combine(split(key, 128, MAX_SHARES)[-128:], 128) == key

    @pytest.mark.parametrize(
        ("t", "n"), [(1, 1), (0, 3), (1, 3), (2, 4), (4, 3), (-2, 3), (129, 256), (3, 6)]
    )
    def test_quorums_that_give_power_to_a_minority(self, t: int, n: int) -> None:
        """One holder alone, a half, more than there are: refused."""
        with pytest.raises(InvalidInputError):
            split(SideKey.generate(), t, n)
        with pytest.raises(InvalidInputError):
            check_quorum(t, n)

    def test_default_quorum_is_allowed(self) -> None:
        """2 of 2, 2 of 3 and 128 of 255 are quorums."""
        for t, n in [(2, 2), (2, 3), (128, 255)]:
            check_quorum(t, n)

    def test_too_few_or_repeated_shares(self) -> None:
        """Fewer than t shares, or one holder twice, do not combine."""
        shares = split(SideKey.generate(), 3, 5)
        for wrong in (shares[:2], [shares[0], shares[1], shares[0]], []):
            with pytest.raises(InvalidInputError):
                combine(list(wrong), 3)
        with pytest.raises(InvalidInputError):
            combine(shares[:1], 1)

    @pytest.mark.parametrize("index", [0, -1, 256])
    def test_index_range(self, index: int) -> None:
        """Index 0 would be the secret itself; past 255 there is none."""
        with pytest.raises(InvalidInputError):
            Share(index, bytes(32))
        assert Share(255, bytes(32)).index == 255

    @given(st.binary(min_size=30, max_size=34))
    @settings(max_examples=60, deadline=None)
    def test_values_are_read_strictly(self, value: bytes) -> None:
        """Exactly 32 bytes below the order."""
        if len(value) == 32 and int.from_bytes(value, "big") < ORDER:
            assert encode_scalar(decode_scalar(value)) == value
            assert Share(1, value).scalar == int.from_bytes(value, "big")
        else:
            with pytest.raises(InvalidInputError):
                Share(1, value)

    @pytest.mark.parametrize("value", [ORDER, ORDER + 5, 2**256 - 1])
    def test_no_second_spelling_past_the_order(self, value: int) -> None:
        """A value that would reduce to another one is refused, not reduced."""
        with pytest.raises(InvalidInputError):
            Share(1, value.to_bytes(32, "big"))
        with pytest.raises(InvalidInputError):
            encode_scalar(value)

    def test_random_scalars_are_in_the_field(self) -> None:
        """Never zero, never past the order."""
        assert all(0 < random_scalar() < ORDER for _ in range(50))
        with pytest.raises(InvalidInputError):
            encode_scalar(-1)

    def test_no_share_is_printed(self) -> None:
        """A share's representation holds its index only."""
        assert repr(Share(3, bytes([7] * 32))) == "Share(index=3)"


class TestDigests:
    def test_digest_is_of_exactly_its_place(self) -> None:
        """One share has another digest at every other place."""
        share = Share(2, bytes([1] * 32))
        good: dict[str, Any] = {**PLACE, "index": 2, "epoch": EPOCH, "share": share}
        changes: list[dict[str, Any]] = [
            {},
            {"document": PLACE["document"][::-1]},
            {"version": 4},
            {"part": "personal", "side": "cn"},
            {"side": "cn"},
            {"epoch": 5},
            {"index": 1, "share": Share(1, share.value)},
            {"share": Share(2, bytes([2] * 32))},
        ]
        digests = {share_digest(**{**good, **change}) for change in changes}
        assert len(digests) == len(changes)

    def test_a_share_at_another_index_is_refused(self) -> None:
        """Holder 2's share cannot be given a digest as holder 3's."""
        with pytest.raises(InvalidInputError):
            share_digest(**PLACE, index=3, epoch=EPOCH, share=Share(2, bytes(32)))


class TestCombineChecked:
    def test_honest_shares_combine(self) -> None:
        """All shares, or a quorum: the key, nobody named."""
        key = SideKey.generate()
        shares = split(key, 2, 3)
        said = manifest(shares, key, 2)
        assert combine_checked(shares, **said) == Combined(key, ())
        assert combine_checked(shares[1:], **said) == Combined(key, ())

    def test_wrong_shares_are_named_and_dropped(self) -> None:
        """A forged share and one of a stranger do not keep an honest quorum from opening."""
        key = SideKey.generate()
        shares = split(key, 2, 3)
        forged, stranger = Share(1, bytes(32)), Share(7, bytes(32))
        opened = combine_checked([forged, stranger, *shares[1:]], **manifest(shares, key, 2))
        assert opened == Combined(
            key,
            (
                RejectedShare(1, "not the share of the key manifest"),
                RejectedShare(7, "no holder has this index"),
            ),
        )

    def test_a_moved_share_is_dropped(self) -> None:
        """Holder 1's share under holder 2's index, and shares that changed places."""
        key = SideKey.generate()
        shares = split(key, 2, 3)
        moved = [Share(2, shares[0].value), Share(1, shares[1].value), *shares]
        opened = combine_checked(moved, **manifest(shares, key, 2))
        assert (opened.key, [r.index for r in opened.rejected]) == (key, [2, 1])

    def test_forged_and_honest_share_of_one_index(self) -> None:
        """A forgery next to the honest share of the same holder spoils nothing, in any order."""
        key = SideKey.generate()
        shares = split(key, 2, 2)
        forged = Share(1, bytes(32))
        for order in ([forged, *shares], [*shares, forged]):
            opened = combine_checked(order, **manifest(shares, key, 2))
            assert (opened.key, [r.index for r in opened.rejected]) == (key, [1])

    def test_too_few_good_shares(self) -> None:
        """Without a quorum the dropped shares are named and nothing opens."""
        key = SideKey.generate()
        shares = split(key, 2, 3)
        with pytest.raises(IntegrityError, match=r"1 good shares.*dropped: 1 \(not the share"):
            combine_checked([Share(1, bytes(32)), shares[1]], **manifest(shares, key, 2))
        with pytest.raises(IntegrityError, match="dropped: none"):
            combine_checked([], **manifest(shares, key, 2))

    @pytest.mark.parametrize(
        "change",
        [{"version": 4}, {"epoch": 5}, {"side": "cn"}, {"document": "f" * 32}],
        ids=lambda change: next(iter(change)),
    )
    def test_shares_of_another_place_are_dropped(self, change: dict[str, Any]) -> None:
        """Shares that are right elsewhere are wrong here."""
        key = SideKey.generate()
        shares = split(key, 2, 3)
        with pytest.raises(IntegrityError):
            combine_checked(shares, **{**manifest(shares, key, 2), **change})

    def test_the_secret_itself_is_checked(self) -> None:
        """Shares that fit the manifest but combine to another scalar are refused."""
        key = SideKey.generate()
        shares = split(key, 2, 3)
        said = manifest(shares, SideKey.generate(), 2)
        with pytest.raises(IntegrityError, match="custodian"):
            combine_checked(shares, **said)

    @pytest.mark.parametrize("threshold", [0, 1, 4])
    def test_the_quorum_is_not_believed(self, threshold: int) -> None:
        """A manifest whose threshold is none of a quorum is refused."""
        key = SideKey.generate()
        shares = split(key, 2, 3)
        with pytest.raises(InvalidInputError):
            combine_checked(shares, **manifest(shares, key, threshold))
