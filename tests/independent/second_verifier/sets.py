"""Sets of scalars and the verifier of membership (sections "Sets", "Membership argument")."""

from __future__ import annotations

from functools import cache

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
from independent.second_verifier.refusal import Refused, well_formed
from independent.second_verifier.transcript import Transcript

MAX_MEMBERS = 65_536


def set_digest(type_tag: bytes, scalars: tuple[int, ...]) -> bytes:
    """The digest of distinct scalars, which are sorted here by their encodings."""
    ordered = sorted(scalars)
    well_formed(1 <= len(ordered) <= MAX_MEMBERS, "an empty set, or one that is too large")
    well_formed(len(set(ordered)) == len(ordered), "a member twice")
    members = b"".join(scalar_bytes(each) for each in ordered)
    count = len(ordered).to_bytes(8, "big")
    return labelled_hash("crossproof/set-digest/v1", type_tag, b"v1", count, members)


@cache
def coefficients(scalars: tuple[int, ...]) -> list[int]:
    """a₀ … a_N of Π(X − s), one factor after the other."""
    found = [1]
    for s in scalars:
        found = [(low - s * high) % q for low, high in zip([0, *found], [*found, 0], strict=True)]
    return found


def powers(count: int) -> int:
    """m: how many squarings reach the set's degree."""
    return max(2, (count - 1).bit_length())


def size(count: int, member: bool) -> int:
    """Bytes of a proof."""
    return 80 * (powers(count) + 3) + (0 if member else POINT)


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
    N, m = len(scalars), powers(len(scalars))
    names = ("G", "H", "K", *(f"U_{j}" for j in range(1, m)), *(f"S_{j}" for j in range(m - 1)))
    transcript.absorb("argument", b"crossproof/membership/v1")
    transcript.absorb_integer("powers", m)
    transcript.absorb("polarity", b"member" if member else b"not a member")
    transcript.absorb_integer("size", N)
    transcript.absorb("set", digest)
    transcript.absorb("generators", generators_digest(names))
    transcript.absorb("V", encoded)

    count = 3 + (not member) + m
    parts = [proof[at : at + POINT] for at in range(0, POINT * count, POINT)]
    rest = proof[POINT * count :]
    responses = [rest[at : at + SCALAR] for at in range(0, len(rest), SCALAR)]
    C, F, F_0, *others = [point(part) for part in parts]
    *f, r_0, r_1, tau = [scalar(each) for each in responses]
    D = others if member else others[1:]

    transcript.absorb("C", parts[0])
    transcript.absorb("F", parts[1])
    transcript.absorb("F_0", parts[2])
    if not member:
        transcript.absorb("W", parts[3])
    transcript.absorb_list("D", parts[-m:])
    x = transcript.challenge("x")
    if x == 0:
        raise Refused(9, "PROOF", "a challenge that is zero")
    transcript.absorb_list("responses", responses)

    # Q: a coefficient times one factor for each bit of its index.
    a = coefficients(scalars)
    Q = 0
    for i in range(min(2**m, N + 1)):
        product = a[i]
        for j in range(m):
            product = product * (f[j] if i >> j & 1 else x) % q
        Q += product
    if 2**m == N:
        Q += pow(x, m - 2, q) * f[m - 1] ** 2

    first, second, third = Equation(), Equation(), Equation()
    first.add(x, V)
    first.add(1, F_0)
    first.add_named(-f[0], "G")
    first.add_named(-r_0, "H")
    second.add(x, C)
    second.add(1, F)
    for j in range(1, m):
        second.add_named(-f[j], f"U_{j}")
    for j in range(m - 1):
        second.add_named(x * f[j + 1] - f[j] * f[j], f"S_{j}")
    second.add_named(-r_1, "H")
    for k in range(m):
        third.add(pow(x, k, q), D[k])
    if member:
        third.add_named(-Q, "K")
    else:
        third.add_named(pow(x, m, q), "K")
        third.add(-Q, others[0])
    third.add_named(-tau, "H")
    return [first, second, third]
