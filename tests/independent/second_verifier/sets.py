"""Sets of scalars and the verifier of membership (sections "Sets", "Membership argument")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from independent.second_verifier.curve import (
    POINT,
    SCALAR,
    Equation,
    Point,
    generators_digest,
    point,
    q,
    scalar,
    scalar_bytes,
)
from independent.second_verifier.encoding import labelled_hash
from independent.second_verifier.polynomials import from_roots, over_bits
from independent.second_verifier.refusal import Refused, well_formed
from independent.second_verifier.transcript import Transcript

MAX_MEMBERS = 2**20


def set_digest(type_tag: bytes, scalars: tuple[int, ...]) -> bytes:
    """The digest of distinct scalars, which are sorted here by their encodings."""
    ordered = sorted(scalars)
    well_formed(1 <= len(ordered) <= MAX_MEMBERS, "an empty set, or one that is too large")
    well_formed(len(set(ordered)) == len(ordered), "a member twice")
    members = b"".join(scalar_bytes(each) for each in ordered)
    count = len(ordered).to_bytes(8, "big")
    return labelled_hash("crossproof/set-digest/v1", type_tag, b"v1", count, members)


def powers(count: int) -> int:
    """m: how many squarings reach the set's degree."""
    return max(2, (count - 1).bit_length())


def names(m: int) -> tuple[str, ...]:
    """The generators of an argument about m powers, in their order."""
    return ("G", "H", "K", *(f"U_{j}" for j in range(1, m)), *(f"S_{j}" for j in range(m - 1)))


def polarity(member: bool) -> bytes:
    """How the transcript says on which side of the set the value is."""
    return b"member" if member else b"not a member"


def size(count: int, member: bool) -> int:
    """Bytes of a proof."""
    return 80 * (powers(count) + 3) + (0 if member else POINT)


@dataclass(frozen=True)
class Sent:
    """The first messages of a proof, as points and as the bytes that came; W where it stands."""

    points: Sequence[Point]
    encoded: Sequence[bytes]
    member: bool

    @classmethod
    def read(cls, data: bytes, member: bool) -> Sent:
        """C, F, F₀, perhaps W, and the D_k, from exactly their bytes."""
        encoded = [data[at : at + POINT] for at in range(0, len(data), POINT)]
        return cls([point(each) for each in encoded], encoded, member)

    def absorb(self, transcript: Transcript) -> None:
        """All of them, in their order."""
        first = ("C", "F", "F_0") if self.member else ("C", "F", "F_0", "W")
        for label, each in zip(first, self.encoded, strict=False):
            transcript.absorb(label, each)
        transcript.absorb_list("D", self.encoded[len(first) :])


@dataclass(frozen=True)
class Responses:
    """f̄₀ …, r̄₀, r̄₁ and τ̄."""

    f: Sequence[int]
    r_0: int
    r_1: int
    tau: int
    encoded: Sequence[bytes]

    @classmethod
    def read(cls, data: bytes) -> Responses:
        """From exactly their bytes."""
        encoded = [data[at : at + SCALAR] for at in range(0, len(data), SCALAR)]
        *f, r_0, r_1, tau = [scalar(each) for each in encoded]
        return cls(f, r_0, r_1, tau, encoded)


def equations(
    transcript: Transcript,
    proof: bytes,
    scalars: tuple[int, ...],
    digest: bytes,
    member: bool,
    V: Point,
    encoded: bytes,
) -> list[Equation]:
    """The three equations, each of which gets a weight of its own."""
    m = powers(len(scalars))
    transcript.absorb("argument", b"crossproof/membership/v1")
    transcript.absorb_integer("powers", m)
    transcript.absorb("polarity", polarity(member))
    transcript.absorb_integer("size", len(scalars))
    transcript.absorb("set", digest)
    transcript.absorb("generators", generators_digest(names(m)))
    transcript.absorb("V", encoded)

    points = POINT * (3 + (not member) + m)
    sent, responses = Sent.read(proof[:points], member), Responses.read(proof[points:])
    sent.absorb(transcript)
    x = transcript.challenge("x")
    transcript.absorb_list("responses", responses.encoded)
    return three(scalars, V, sent, x, responses)


def three(
    scalars: tuple[int, ...], V: Point, sent: Sent, x: int, responses: Responses
) -> list[Equation]:
    """The equations at a challenge, or at a piece's share of one; never at zero."""
    if x == 0:
        raise Refused(9, "PROOF", "a challenge that is zero")
    N, m, f = len(scalars), powers(len(scalars)), responses.f
    C, F, F_0, *others = sent.points
    Q = over_bits(from_roots(scalars), x, f)
    if 2**m == N:
        Q += pow(x, m - 2, q) * f[m - 1] ** 2

    first, second, third = Equation(), Equation(), Equation()
    first.add(x, V)
    first.add(1, F_0)
    first.add_named(-f[0], "G")
    first.add_named(-responses.r_0, "H")
    second.add(x, C)
    second.add(1, F)
    for j in range(1, m):
        second.add_named(-f[j], f"U_{j}")
    for j in range(m - 1):
        second.add_named(x * f[j + 1] - f[j] * f[j], f"S_{j}")
    second.add_named(-responses.r_1, "H")
    for k, D in enumerate(others[-m:]):
        third.add(pow(x, k, q), D)
    if sent.member:
        third.add_named(-Q, "K")
    else:
        third.add_named(pow(x, m, q), "K")
        third.add(-Q, others[0])
    third.add_named(-responses.tau, "H")
    return [first, second, third]
