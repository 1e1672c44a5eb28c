"""Provers of the three arguments, written from the specification alone; nothing hides their time.

They serve to make bundles that the first implementation had no part in. Values and blindings are
those of the commitments; a false claim gives a proof that no verifier takes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from independent.second_verifier import ranges, sets
from independent.second_verifier.curve import (
    Point,
    encode,
    generator,
    generators_digest,
    q,
    scalar_bytes,
    sum_of_multiples,
)
from independent.second_verifier.polynomials import from_roots
from independent.second_verifier.transcript import Transcript

Vector = list[int]
Laurent = dict[int, int]


def drawn() -> int:
    """A uniform scalar."""
    return secrets.randbelow(q)


def combined(terms: Sequence[tuple[int, str]]) -> Point:
    """A sum of multiples of generators."""
    return sum_of_multiples((factor % q, generator(name)) for factor, name in terms)


def commit(value: int, blinding: int) -> bytes:
    """V = v·G + r·H, encoded."""
    return encode(combined([(value, "G"), (blinding, "H")]))


def prove_opening(transcript: Transcript, value: int, blinding: int, encoded: bytes) -> bytes:
    """A and s (section "Opening argument")."""
    transcript.absorb("argument", b"crossproof/opening/v1")
    transcript.absorb("generators", generators_digest(("G", "H")))
    transcript.absorb("value", scalar_bytes(value))
    transcript.absorb("V", encoded)
    k = drawn()
    A = encode(combined([(k, "H")]))
    transcript.absorb("A", A)
    s = scalar_bytes((k + transcript.challenge("c") * blinding) % q)
    transcript.absorb("s", s)
    return A + s


# Range argument


def weighted(a: Vector, b: Vector, mu: int) -> int:
    """⟨a, b⟩_μ."""
    return sum(pow(mu, i + 1, q) * x * y for i, (x, y) in enumerate(zip(a, b, strict=True))) % q


def prove_range(
    transcript: Transcript,
    absorbed: Sequence[bytes],
    values: Sequence[int],
    blindings: Sequence[int],
    nd: int,
) -> bytes:
    """M, D, R, S, the rounds, l and n (section "Range argument")."""
    N = ranges.norm_length(len(values), nd)
    norm = tuple(f"G_{i}" for i in range(N))
    transcript.absorb("argument", b"crossproof/range/v1")
    transcript.absorb_integer("digits", nd)
    transcript.absorb_integer("norm length", N)
    transcript.absorb("generators", generators_digest(("G", *ranges.LINEAR, *norm)))
    transcript.absorb_list("V", absorbed)
    messages: list[bytes] = []

    def send(label: str, terms: Sequence[tuple[int, str]]) -> None:
        messages.append(encode(combined(terms)))
        transcript.absorb(label, messages[-1])

    real = [value >> 4 * i & 15 for value in values for i in range(nd)]
    d = real + [0] * (N - len(real))
    m = [real.count(i) for i in range(16)] + [0] * (N - 16)
    m_0, d_0, r_0, b = drawn(), drawn(), drawn(), drawn()
    l_M = [0 if i in (3, 6) else drawn() for i in range(8)]
    send("M", [(m_0, "G"), *zip(l_M, ranges.LINEAR, strict=True), *zip(m, norm, strict=True)])
    send("D", [(d_0, "G"), (b, "H_3"), *zip(d, norm, strict=True)])
    e = transcript.challenge("e")
    r = [ranges.inverse(e + digit) for digit in real] + [0] * (N - len(real))
    send("R", [(r_0, "G"), *zip(r, norm, strict=True)])
    rho, x, y, lam = (transcript.challenge(name) for name in ("rho", "x", "y", "lambda"))
    mu = rho * rho % q

    alpha_r, alpha_d, alpha_m = [0] * N, [0] * N, [0] * N
    w = [pow(ranges.inverse(mu), i + 1, q) for i in range(N)]
    for at in range(len(real)):
        j, i = divmod(at, nd)
        alpha_r[at] = (e + x * w[at]) % q
        alpha_d[at] = pow(lam, j, q) * 16**i * w[at] % q
    for i in range(16):
        alpha_m[i] = -x * w[i] * ranges.inverse(e + i) % q
    s = [drawn() for _ in range(N)]
    n_at: dict[int, Vector] = {
        -1: s,
        0: m,
        1: [(a + c) % q for a, c in zip(d, alpha_r, strict=True)],
        2: [(a + c) % q for a, c in zip(r, alpha_d, strict=True)],
        3: alpha_m,
    }
    heads = 2 * sum(pow(lam, j, q) * each for j, each in enumerate(blindings)) % q
    l_at: dict[int, Vector] = {0: l_M, 1: [0, 0, 0, b, 0, 0, 0, 0], 3: [heads] + [0] * 7}
    powers = (-1, 1, 2, 3, 5, 6, 7)
    E: Laurent = {0: -m_0, 1: -d_0, 2: -r_0}
    for a, left in n_at.items():
        for c, right in n_at.items():
            E[a + c] = E.get(a + c, 0) + weighted(left, right, mu)
    for a, left in l_at.items():
        for i, power in enumerate(powers):
            E[a + power] = E.get(a + power, 0) + y * left[i]
    l_S = [-E[power - 1] * ranges.inverse(y) % q for power in powers] + [drawn()]
    send("S", [(E[-1], "G"), *zip(l_S, ranges.LINEAR, strict=True), *zip(s, norm, strict=True)])
    t = transcript.challenge("t")

    def at_t(parts: dict[int, Vector]) -> Vector:
        size = len(next(iter(parts.values())))
        return [sum(pow(t, k, q) * each[i] for k, each in parts.items()) % q for i in range(size)]

    c = [y * pow(t, power, q) % q for power in powers] + [0]
    l, n = at_t({-1: l_S, **l_at}), at_t(n_at)  # noqa: E741 - the paper's letter
    messages += _norm_linear(transcript, rho, c, l, n, norm)
    return b"".join(messages)


def _norm_linear(
    transcript: Transcript,
    rho: int,
    c: Vector,
    l: Vector,  # noqa: E741
    n: Vector,
    norm: Sequence[str],
) -> list[bytes]:
    """X and R of each round, then what is left of l and n."""
    H, G = [generator(name) for name in ranges.LINEAR], [generator(name) for name in norm]
    sent: list[bytes] = []
    while len(l) > 2 or len(n) > 4:
        mu = rho * rho % q
        even, odd, inverse = n[0::2], n[1::2], ranges.inverse(rho)
        v_X = 2 * inverse * weighted(even, odd, mu * mu % q)
        v_R = weighted(odd, odd, mu * mu % q)
        x_terms = [*zip((rho * each for each in odd), G[0::2], strict=True)]
        x_terms += zip((inverse * each for each in even), G[1::2], strict=True)
        r_terms = [*zip(odd, G[1::2], strict=True)]
        if len(l) > 1:
            pairs = range(0, len(l), 2)
            v_X += sum(c[i] * l[i + 1] + c[i + 1] * l[i] for i in pairs)
            v_R += sum(c[i + 1] * l[i + 1] for i in pairs)
            x_terms += [(l[i + 1], H[i]) for i in pairs] + [(l[i], H[i + 1]) for i in pairs]
            r_terms += [(l[i + 1], H[i + 1]) for i in pairs]
        for label, v, terms in (("X", v_X, x_terms), ("R", v_R, r_terms)):
            all_terms = [(v, generator("G")), *terms]
            sent.append(encode(sum_of_multiples((k % q, each) for k, each in all_terms)))
            transcript.absorb(label, sent[-1])
        g = transcript.challenge("g")
        if len(l) > 1:
            c = [(c[i] + g * c[i + 1]) % q for i in range(0, len(c), 2)]
            H = [sum_of_multiples([(1, H[i]), (g, H[i + 1])]) for i in range(0, len(H), 2)]
            l = [(l[i] + g * l[i + 1]) % q for i in range(0, len(l), 2)]  # noqa: E741
        n = [(inverse * a + g * b) % q for a, b in zip(even, odd, strict=True)]
        G = [sum_of_multiples([(rho, G[i]), (g, G[i + 1])]) for i in range(0, len(G), 2)]
        rho = mu
    for label, vector in (("l", l), ("n", n)):
        sent.append(b"".join(scalar_bytes(each) for each in vector))
        transcript.absorb_list(label, [scalar_bytes(each) for each in vector])
    return sent


# Membership argument


def prove_membership(
    transcript: Transcript,
    scalars: tuple[int, ...],
    digest: bytes,
    member: bool,
    value: int,
    blinding: int,
    encoded: bytes,
) -> bytes:
    """C, F, F₀, perhaps W, the D_k, and the responses (section "Membership argument")."""
    m = sets.powers(len(scalars))
    transcript.absorb("argument", b"crossproof/membership/v1")
    transcript.absorb_integer("powers", m)
    transcript.absorb("polarity", sets.polarity(member))
    transcript.absorb_integer("size", len(scalars))
    transcript.absorb("set", digest)
    transcript.absorb("generators", generators_digest(sets.names(m)))
    transcript.absorb("V", encoded)
    first = First.draw(scalars, member, value, blinding)
    first.sent.absorb(transcript)
    x = transcript.challenge("x")
    responses = first.responses(x)
    transcript.absorb_list("responses", responses)
    return b"".join([*first.sent.encoded, *responses])


@dataclass(frozen=True)
class First:
    """What a prover of membership sends before the challenge, and what it keeps for after it."""

    sent: sets.Sent
    lines: Sequence[tuple[int, int]]
    powers_of_x: Sequence[int]

    @classmethod
    def draw(cls, scalars: tuple[int, ...], member: bool, value: int, blinding: int) -> First:
        """With new randomness."""
        m = sets.powers(len(scalars))
        u = [pow(value, 2**j, q) for j in range(m)]
        f, rho = [drawn() for _ in range(m)], [drawn() for _ in range(m)]
        r_1, s_0, s_1, rho_W = drawn(), drawn(), drawn(), drawn()
        C = [(u[j], f"U_{j}") for j in range(1, m)] + [(r_1, "H")]
        C += [(2 * u[j] * f[j] - f[j + 1], f"S_{j}") for j in range(m - 1)]
        F = [(f[j], f"U_{j}") for j in range(1, m)] + [(s_1, "H")]
        F += [(f[j] * f[j], f"S_{j}") for j in range(m - 1)]
        points = [combined(each) for each in (C, F, [(f[0], "G"), (s_0, "H")])]
        Q = _coefficients_of_x(scalars, u, f)
        w, base = Q[m], generator("K")
        if not member:
            # For a member there is no inverse, and whatever stands here proves nothing.
            base = combined([(pow(w or 1, -1, q), "K"), (rho_W, "H")])
            points.append(base)
        points += [sum_of_multiples([(Q[k], base), (rho[k], generator("H"))]) for k in range(m)]
        last = 0 if member else -w * rho_W
        return cls(
            sets.Sent(points, [encode(each) for each in points], member),
            [*zip(u, f, strict=True), (blinding, s_0), (r_1, s_1)],
            [*rho, last],
        )

    def responses(self, x: int) -> list[bytes]:
        """f̄₀ …, r̄₀, r̄₁, τ̄."""
        found = [x * slope + at_zero for slope, at_zero in self.lines]
        found.append(sum(pow(x, k, q) * each for k, each in enumerate(self.powers_of_x)))
        return [scalar_bytes(each % q) for each in found]


def _coefficients_of_x(scalars: tuple[int, ...], u: Vector, f: Vector) -> Vector:
    """Q as a polynomial in X: one bit of the index after the other, each halves the vector."""
    m, a = len(u), from_roots(scalars)
    left = [[each] for each in a[: 2**m]]
    for slope, at_zero in zip(u, f, strict=True):
        left += [[0] * len(left[0])] * (len(left) % 2)
        left = [
            [
                (shifted + slope * up + at_zero * high) % q
                for shifted, up, high in zip([0, *even], [0, *odd], [*odd, 0], strict=True)
            ]
            for even, odd in zip(left[::2], left[1::2], strict=True)
        ]
    Q = left[0]
    if 2**m == len(scalars):
        square = _times([f[m - 1], u[m - 1]], [f[m - 1], u[m - 1]])
        for k, each in enumerate(square):
            Q[m - 2 + k] = (Q[m - 2 + k] + each) % q
    return Q


def _times(a: Vector, b: Vector) -> Vector:
    found = [0] * (len(a) + len(b) - 1)
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            found[i + j] = (found[i + j] + left * right) % q
    return found
