"""Shamir sharing of one side's scalar among its key holders.

A share is the value at x = index (1..n) of a random polynomial of degree t-1 whose constant
term is the secret. Shares carry no proof of their own; every share and the secret have a
labelled digest in the signed key manifest, so a forged, moved or mislabelled share is named and
dropped while an honest quorum goes on (`combine_checked`). `combine` alone believes its input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from vault.crypto import labels
from vault.crypto.field import ORDER, decode_scalar, encode_scalar, random_scalar
from vault.crypto.framing import framed, number, place
from vault.crypto.keys import SideKey, secret_digest
from vault.errors import IntegrityError, InvalidInputError

MAX_SHARES: Final = 255


@dataclass(frozen=True, slots=True)
class Share:
    """The share at `index` (1..255): a scalar as 32 bytes big-endian."""

    index: int
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.index <= MAX_SHARES:
            raise InvalidInputError(f"a share index is between 1 and {MAX_SHARES}", field="index")
        decode_scalar(self.value)

    @property
    def scalar(self) -> int:
        """The value as an integer below the group order."""
        return decode_scalar(self.value)


@dataclass(frozen=True, slots=True)
class RejectedShare:
    """A share that was dropped: the index it claimed, and why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Combined:
    """A side's scalar that its digest confirms, and the shares that had to be dropped."""

    key: SideKey
    rejected: tuple[RejectedShare, ...]


def check_quorum(t: int, n: int) -> None:
    """Refuse a quorum of `t` among `n` unless 2 <= t <= n, 2t > n and n <= 255.

    With t = 1 one holder opens alone; with 2t <= n two disjoint groups each open alone.
    Raises InvalidInputError.
    """
    if not (2 <= t <= n <= MAX_SHARES and 2 * t > n):
        raise InvalidInputError(
            f"a quorum of {t} among {n} holders: it must be at least 2, more than half, "
            f"and of at most {MAX_SHARES}",
            field="threshold",
        )


def split(key: SideKey, t: int, n: int) -> tuple[Share, ...]:
    """Share `key` among `n` holders, any `t` of whom can combine it; indices 1..n.

    Raises InvalidInputError for a quorum that `check_quorum` refuses.
    """
    check_quorum(t, n)
    coefficients = [key.scalar, *(random_scalar() for _ in range(t - 1))]
    shares = []
    for x in range(1, n + 1):
        value = 0
        for coefficient in reversed(coefficients):
            value = (value * x + coefficient) % ORDER
        shares.append(Share(x, encode_scalar(value)))
    return tuple(shares)


def combine(shares: Sequence[Share], t: int) -> SideKey:
    """Interpolate the secret from the first `t` of `shares`.

    Raises InvalidInputError for fewer than `t`, fewer than two, or two at one index. The
    result is whatever the shares say: use `combine_checked` on anything received.
    """
    chosen = list(shares)[:t]
    if len(chosen) < max(t, 2):
        raise InvalidInputError(f"{len(chosen)} shares where {max(t, 2)} are needed")
    if len({share.index for share in chosen}) != len(chosen):
        raise InvalidInputError("two shares at one index")
    secret = 0
    for share in chosen:
        above, below = 1, 1
        for other in chosen:
            if other.index != share.index:
                above = above * other.index % ORDER
                below = below * (other.index - share.index) % ORDER
        secret += share.scalar * above * pow(below, -1, ORDER)
    return SideKey(encode_scalar(secret % ORDER))


def share_digest(
    document: str, version: int, part: str, side: str, index: int, epoch: int, share: Share
) -> bytes:
    """Labelled SHA-256 of a plain share at exactly its place, 32 bytes.

    `index` is the place that the manifest or the sealed message gives; a share that says
    another is refused, or holder 2's share would pass as holder 3's. Raises InvalidInputError.
    """
    if share.index != index:
        raise InvalidInputError("a share at another index than its place", field="index")
    return hashlib.sha256(
        framed(
            labels.SHARE_DIGEST,
            *place(document, version, part, side),
            number(index, "index"),
            number(epoch, "epoch"),
            share.value,
        )
    ).digest()


def combine_checked(
    shares: Iterable[Share],
    *,
    threshold: int,
    share_digests: Mapping[int, bytes],
    expected_secret: bytes,
    document: str,
    version: int,
    part: str,
    side: str,
    epoch: int,
) -> Combined:
    """Combine those of `shares` that the signed manifest confirms, and check the result.

    `share_digests` maps each index to its digest and `expected_secret` is the digest of the
    scalar, both from the manifest. Several shares may claim one index; the honest one counts.
    Raises IntegrityError when fewer than `threshold` are left, naming the dropped ones, or when
    the combined scalar is not the attested one; InvalidInputError for a quorum that
    `check_quorum` refuses.
    """
    check_quorum(threshold, len(share_digests))
    good: dict[int, Share] = {}
    rejected: list[RejectedShare] = []
    for share in shares:
        expected = share_digests.get(share.index)
        if expected is None:
            rejected.append(RejectedShare(share.index, "no holder has this index"))
        elif not compare_digest(
            share_digest(document, version, part, side, share.index, epoch, share), expected
        ):
            rejected.append(RejectedShare(share.index, "not the share of the key manifest"))
        else:
            good[share.index] = share
    if len(good) < threshold:
        dropped = ", ".join(f"{r.index} ({r.reason})" for r in rejected) or "none"
        raise IntegrityError(
            f"{len(good)} good shares of side {side} where {threshold} are needed; "
            f"dropped: {dropped}",
            reason="SHARES",
        )
    key = combine([good[index] for index in sorted(good)], threshold)
    if not compare_digest(secret_digest(document, version, part, side, key), expected_secret):
        raise IntegrityError(
            f"the shares of side {side} fit the key manifest but do not combine to its key: "
            "the custodian's manifest is wrong",
            reason="SHARES",
        )
    return Combined(key, tuple(rejected))
