"""Public sets of scalars in one canonical form: distinct, sorted by their big-endian bytes.

The digest names the set in requests, grants and transcripts. It covers the attribute's type with
scale and unit, so a list of names can never stand for a list of identifiers, and a list in cents
never for one in yuan. Refused are the empty set, a duplicate (merging is the business of whoever
makes a list, and is said there), and more than 65,536 members.

SPEC.md, "Sets".
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from proofs import group, labels
from proofs.errors import SetError
from proofs.group import Scalar
from proofs.normaliser import NORMALISER_VERSION
from proofs.set_polynomial import SetPolynomial, load_or_build

MAX_SET_SIZE = 65_536


class ScalarSet:
    """A public set. Make one with `from_scalars`; its members cannot be changed afterwards."""

    __slots__ = ("_cache", "_encodings", "_polynomial", "_type_tag", "digest")

    digest: bytes
    """32 bytes: SHA-256 over label, type tag, normaliser version, count and sorted members."""

    def __init__(self, encodings: tuple[bytes, ...], type_tag: bytes, cache: Path | None) -> None:
        if not encodings:
            raise SetError("an empty set: nothing is a member of it and everything is not")
        if len(encodings) > MAX_SET_SIZE:
            raise SetError(f"a set of {len(encodings)} members, at most {MAX_SET_SIZE} are allowed")
        self._encodings = tuple(sorted(encodings))
        for before, after in pairwise(self._encodings):
            if before == after:
                raise SetError("a set lists one member twice")
        self._type_tag = type_tag
        self._cache = cache
        self._polynomial: SetPolynomial | None = None
        self.digest = hashlib.sha256(
            labels.frame(
                labels.SET_DIGEST,
                type_tag,
                NORMALISER_VERSION.encode(),
                self.size.to_bytes(8, "big"),
                b"".join(self._encodings),
            )
        ).digest()

    @classmethod
    def from_scalars(
        cls, members: Iterable[Scalar], type_tag: bytes, *, cache: Path | None = None
    ) -> ScalarSet:
        """The set of these 1 to 65,536 distinct scalars, in any order; SetError otherwise.

        `type_tag` spells the attribute's type with its scale and unit. `cache` is a directory
        where the polynomial may be kept between runs (default: $CROSSPROOF_CACHE, or nowhere).
        """
        return cls(tuple([group.encode_scalar(member) for member in members]), type_tag, cache)

    @property
    def size(self) -> int:
        """The number of members."""
        return len(self._encodings)

    @property
    def type_tag(self) -> bytes:
        """The attribute type that the members have."""
        return self._type_tag

    @property
    def polynomial(self) -> SetPolynomial:
        """The product of (X - member), made at the first use and kept."""
        if self._polynomial is None:
            self._polynomial = load_or_build(self._encodings, self.digest, self._cache)
        return self._polynomial

    def __contains__(self, value: Scalar) -> bool:
        encoding = group.encode_scalar(value)
        place = bisect_left(self._encodings, encoding)
        return place < self.size and self._encodings[place] == encoding

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"ScalarSet(size={self.size}, digest={self.digest.hex()})"
