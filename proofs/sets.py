"""Public sets of scalars in one canonical form: distinct, sorted by their big-endian bytes.

The digest names the set in requests, grants and transcripts. It covers the attribute's type with
scale and unit, so a list of names can never stand for a list of identifiers, and a list in cents
never for one in yuan. A set of more than 65,536 members is cut into pieces of that many, in the
order of the list, each a set with a digest and a polynomial of its own; where the cuts lie follows
from the list alone. Refused are the empty set, a duplicate (merging is the business of whoever
makes a list, and is said there), and more than 16 pieces: a proof about a set of 2^20 members has
25 KB, and its first verification builds 16 polynomials in 25 seconds and 700 MB.

SPEC.md, "Sets".
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from proofs import group, labels
from proofs.errors import SetError
from proofs.group import Scalar
from proofs.normaliser import NORMALISER_VERSION
from proofs.polynomial_cache import load, load_or_build
from proofs.set_polynomial import SetPolynomial

PIECE_SIZE = 1 << 16
MAX_SET_SIZE = 1 << 20


Near: TypeAlias = "Callable[[], Iterable[ScalarSet]]"
"""Gives sets that may have nearly the same members. Asked late, so that it keeps none of them."""


class ScalarSet:
    """A public set. Make one with `from_scalars`; its members cannot be changed afterwards."""

    __slots__ = ("_cache", "_near", "_pieces", "_polynomial", "_type_tag", "digest", "encodings")

    encodings: tuple[bytes, ...]
    """The members as 32 bytes each, in the canonical order."""

    digest: bytes
    """32 bytes: SHA-256 over label, type tag, normaliser version, count and sorted members."""

    def __init__(
        self,
        encodings: tuple[bytes, ...],
        type_tag: bytes,
        cache: Path | None,
        near: Near = tuple,
    ) -> None:
        if not encodings:
            raise SetError("an empty set: nothing is a member of it and everything is not")
        if len(encodings) > MAX_SET_SIZE:
            raise SetError(f"a set of {len(encodings)} members, at most {MAX_SET_SIZE} are allowed")
        self.encodings = tuple(sorted(encodings))
        for before, after in pairwise(self.encodings):
            if before == after:
                raise SetError("a set lists one member twice")
        self._type_tag = type_tag
        self._cache = cache
        self._near = near
        self._pieces: dict[int, tuple[ScalarSet, ...]] = {}
        self._polynomial: SetPolynomial | None = None
        self.digest = hashlib.sha256(
            labels.frame(
                labels.SET_DIGEST,
                type_tag,
                NORMALISER_VERSION.encode(),
                self.size.to_bytes(8, "big"),
                b"".join(self.encodings),
            )
        ).digest()

    @classmethod
    def from_scalars(
        cls,
        members: Iterable[Scalar],
        type_tag: bytes,
        *,
        cache: Path | None = None,
        near: Near = tuple,
    ) -> ScalarSet:
        """The set of these 1 to 2^20 distinct scalars, in any order; SetError otherwise.

        `type_tag` spells the attribute's type with its scale and unit. `cache` is a directory
        where polynomials may be kept between runs (default: $CROSSPROOF_CACHE, or nowhere).
        `near` gives other versions of the set, and is asked when a polynomial is needed: where
        few members differ, theirs is changed instead of building a new one.
        """
        encodings = tuple([group.encode_scalar(member) for member in members])
        return cls(encodings, type_tag, cache, near)

    @property
    def size(self) -> int:
        """The number of members."""
        return len(self.encodings)

    @property
    def type_tag(self) -> bytes:
        """The attribute type that the members have."""
        return self._type_tag

    @property
    def polynomial(self) -> SetPolynomial:
        """The product of (X - member), made at the first use and kept.

        ValueError for a set in pieces: there each piece has one.
        """
        if self.size > PIECE_SIZE:
            raise ValueError("a set in pieces has a polynomial for each piece")
        if self._polynomial is None:
            self._polynomial = load_or_build(
                self.encodings, self.digest, self._cache, near=partial(_same_place, self._near, 0)
            )
        return self._polynomial

    def ready_polynomial(self) -> SetPolynomial | None:
        """The polynomial, if it was made or lies in the cache."""
        if self._polynomial is None:
            self._polynomial = load(self.encodings, self.digest, self._cache)
        return self._polynomial

    def pieces(self, piece_size: int = PIECE_SIZE) -> tuple[ScalarSet, ...]:
        """The list cut after every `piece_size` members, each piece a set; or the set itself.

        A member that is put in moves the last of its piece, and of every later one, to the next:
        each of them differs from the earlier version's by two members.
        """
        if self.size <= piece_size:
            return (self,)
        if piece_size not in self._pieces:
            self._pieces[piece_size] = tuple(
                ScalarSet(
                    self.encodings[start : start + piece_size],
                    self._type_tag,
                    self._cache,
                    partial(_same_place, self._near, place, piece_size),
                )
                for place, start in enumerate(range(0, self.size, piece_size))
            )
        return self._pieces[piece_size]

    def __contains__(self, value: Scalar) -> bool:
        encoding = group.encode_scalar(value)
        place = bisect_left(self.encodings, encoding)
        return place < self.size and self.encodings[place] == encoding

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"ScalarSet(size={self.size}, digest={self.digest.hex()})"


def _same_place(near: Near, place: int, piece_size: int = PIECE_SIZE) -> list[ScalarSet]:
    """The pieces of the near sets at one place."""
    return [piece for each in near() for piece in each.pieces(piece_size)[place : place + 1]]
