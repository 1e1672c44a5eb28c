"""The transcript: every message of every argument of a bundle, and the challenges drawn from it.

One object per bundle. Each item goes in behind a kind, a label and its length, so no two
histories have the same bytes; each challenge depends on all that came before, earlier challenges
included. The arguments use the typed methods below (one per message, which absorb it and return
the challenge that follows), so that what is absorbed, and in which order, stands in this file
alone. Points that came over the wire are absorbed as the bytes that came.

It refuses nothing: an argument decides itself which challenges it cannot use.

SPEC.md, "Transcript".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from proofs import group, labels
from proofs.group import Scalar

_APPEND = b"\x01"
_CHALLENGE = b"\x02"


@lru_cache(maxsize=256)
def _opening(kind: bytes, label: bytes) -> bytes:
    """What stands before every item of one kind and label."""
    return kind + labels.frame(label)


class Transcript:
    """A running SHA-512 over framed items. Not thread-safe; `fork` for a second history."""

    __slots__ = ("_hash",)

    def __init__(self, label: bytes) -> None:
        self._hash = hashlib.sha512(labels.frame(labels.TRANSCRIPT, label))

    def fork(self) -> Transcript:
        """A copy that goes its own way."""
        other = object.__new__(type(self))
        other._hash = self._hash.copy()
        return other

    def adopt(self, other: Transcript) -> None:
        """Continue from where a fork of this transcript has come to."""
        self._hash = other._hash.copy()

    # -- plain items --------------------------------------------------------------------------

    def append_bytes(self, label: bytes, data: bytes) -> None:
        """Absorb bytes of any length."""
        self._hash.update(_opening(_APPEND, label) + len(data).to_bytes(8, "big"))
        self._hash.update(data)

    def append_int(self, label: bytes, value: int) -> None:
        """Absorb a non-negative integer below 2^64 (counts, sizes, indices)."""
        self.append_bytes(label, value.to_bytes(8, "big"))

    def append_scalar(self, label: bytes, value: Scalar) -> None:
        """Absorb a field element."""
        self.append_bytes(label, group.encode_scalar(value))

    def append_point(self, label: bytes, encoding: bytes) -> None:
        """Absorb a point, given as its 48 bytes."""
        if len(encoding) != group.POINT_BYTES:
            raise ValueError("a point is 48 bytes")
        self.append_bytes(label, encoding)

    def append_list(self, label: bytes, items: Sequence[bytes]) -> None:
        """Absorb a list with its length, so that no item can move to a neighbour."""
        self.append_bytes(label, len(items).to_bytes(8, "big") + labels.frame(*items))

    def challenge(self, label: bytes) -> Scalar:
        """A uniform field element (64 bytes reduced) that depends on everything before it."""
        self._hash.update(_opening(_CHALLENGE, label))
        return group.scalar_from_uniform(self._hash.digest())

    def prover_seed(self, witness: bytes, fresh: bytes) -> bytes:
        """64 secret bytes from this history, the witness and fresh randomness; absorbs nothing.

        A prover's generator that repeats itself, or a restored process, then still never uses
        the same randomness for two statements.
        """
        side = self.fork()
        side.append_bytes(labels.PROVER_RANDOMNESS, labels.frame(witness, fresh))
        return side._hash.digest()

    # -- bundle -------------------------------------------------------------------------------

    def bundle_statement(
        self,
        *,
        context: bytes,
        schemas: Sequence[bytes],
        documents: Sequence[bytes],
        grants: Sequence[bytes],
        sets: Sequence[bytes],
        facts: Sequence[bytes],
        statement: bytes,
        commitments: Sequence[bytes],
    ) -> None:
        """All that a bundle's arguments are about, before the first of them."""
        self.append_bytes(b"context", context)
        self.append_list(b"schemas", schemas)
        self.append_list(b"documents", documents)
        self.append_list(b"grants", grants)
        self.append_list(b"sets", sets)
        self.append_list(b"facts", facts)
        self.append_bytes(b"statement", statement)
        self.append_list(b"commitments", commitments)

    def seed(self) -> bytes:
        """64 bytes that depend on everything before; absorbs nothing."""
        return self._hash.digest()

    def part_statement(self, seed: bytes, *, index: int, count: int) -> None:
        """What one part of a proof over a selection is about: the bundle's statement, by `seed` of
        its transcript, and which part of how many this is."""
        self.append_bytes(b"bundle", seed)
        self.append_int(b"part", index)
        self.append_int(b"parts", count)

    # -- opening argument ---------------------------------------------------------------------

    def opening_statement(self, commitment: bytes, *, value: bytes, generators: bytes) -> None:
        """What is claimed: which commitment opens to which value (32 bytes), over which bases."""
        self.append_bytes(b"argument", labels.OPENING)
        self.append_bytes(b"generators", generators)
        self.append_bytes(b"value", value)
        self.append_point(b"V", commitment)

    def opening_commitment(self, commitment: bytes) -> Scalar:
        """A, then c."""
        self.append_point(b"A", commitment)
        return self.challenge(b"c")

    def opening_response(self, response: bytes) -> None:
        """s (32 bytes), before anything that follows."""
        self.append_bytes(b"s", response)

    # -- range argument -----------------------------------------------------------------------

    def range_statement(
        self, commitments: Sequence[bytes], *, digits: int, norm_length: int, generators: bytes
    ) -> None:
        """What is claimed: every commitment, the digits of each, the bases that are used."""
        self.append_bytes(b"argument", labels.RANGE)
        self.append_int(b"digits", digits)
        self.append_int(b"norm length", norm_length)
        self.append_bytes(b"generators", generators)
        self.append_list(b"V", commitments)

    def range_digits(self, multiplicities: bytes, digits: bytes) -> Scalar:
        """M and D, then e."""
        self.append_point(b"M", multiplicities)
        self.append_point(b"D", digits)
        return self.challenge(b"e")

    def range_reciprocals(self, reciprocals: bytes) -> tuple[Scalar, Scalar, Scalar, Scalar]:
        """R, then rho, x, y, lambda."""
        self.append_point(b"R", reciprocals)
        return (
            self.challenge(b"rho"),
            self.challenge(b"x"),
            self.challenge(b"y"),
            self.challenge(b"lambda"),
        )

    def range_blinding(self, blinding: bytes) -> Scalar:
        """S, then t."""
        self.append_point(b"S", blinding)
        return self.challenge(b"t")

    def norm_linear_round(self, cross: bytes, square: bytes) -> Scalar:
        """X and R of one round, then g."""
        self.append_point(b"X", cross)
        self.append_point(b"R", square)
        return self.challenge(b"g")

    def norm_linear_end(self, linear: Sequence[bytes], norm: Sequence[bytes]) -> None:
        """The last vectors in clear (32 bytes each entry), before anything that follows."""
        self.append_list(b"l", linear)
        self.append_list(b"n", norm)

    # -- membership argument ------------------------------------------------------------------

    def membership_statement(
        self,
        commitment: bytes,
        *,
        powers: int,
        member: bool,
        size: int,
        set_digest: bytes,
        generators: bytes,
    ) -> None:
        """What is claimed: of which commitment, in or not in which set, over which bases."""
        self.append_bytes(b"argument", labels.MEMBERSHIP)
        self.append_int(b"powers", powers)
        self.append_bytes(b"polarity", b"member" if member else b"not a member")
        self.append_int(b"size", size)
        self.append_bytes(b"set", set_digest)
        self.append_bytes(b"generators", generators)
        self.append_point(b"V", commitment)

    def membership_commitments(
        self,
        vectors: Sequence[bytes],
        inverse: bytes | None,
        coefficients: Sequence[bytes],
    ) -> Scalar:
        """C, F and F_0, W (where the value is not a member), all D_k, then x."""
        for label, encoding in zip((b"C", b"F", b"F_0"), vectors, strict=True):
            self.append_point(label, encoding)
        if inverse is not None:
            self.append_point(b"W", inverse)
        self.append_list(b"D", coefficients)
        return self.challenge(b"x")

    def membership_responses(self, responses: Sequence[bytes]) -> None:
        """All responses (32 bytes each), before anything that follows."""
        self.append_list(b"responses", responses)

    # -- membership argument over a set in pieces ---------------------------------------------

    def pieces_statement(
        self,
        commitment: bytes,
        *,
        member: bool,
        size: int,
        set_digest: bytes,
        pieces: Sequence[bytes],
        generators: bytes,
    ) -> None:
        """What is claimed: of which commitment and set, and how the set is cut into pieces."""
        self.append_bytes(b"argument", labels.MEMBERSHIP_PIECES)
        self.append_bytes(b"polarity", b"member" if member else b"not a member")
        self.append_int(b"size", size)
        self.append_bytes(b"set", set_digest)
        self.append_list(b"pieces", pieces)
        self.append_bytes(b"generators", generators)
        self.append_point(b"V", commitment)

    def pieces_commitments(
        self, pieces: Sequence[tuple[Sequence[bytes], Sequence[bytes]]]
    ) -> Scalar:
        """Of every piece in order its place, C, F, F_0 and all D_k; then x for all of them."""
        for place, (vectors, coefficients) in enumerate(pieces):
            self.append_int(b"piece", place)
            for label, encoding in zip((b"C", b"F", b"F_0"), vectors, strict=True):
                self.append_point(label, encoding)
            self.append_list(b"D", coefficients)
        return self.challenge(b"x")

    def pieces_responses(
        self, shares: Sequence[bytes], responses: Sequence[Sequence[bytes]]
    ) -> None:
        """The shares of x that were sent and the responses of every piece, in order."""
        self.append_list(b"shares", shares)
        for each in responses:
            self.append_list(b"responses", each)
