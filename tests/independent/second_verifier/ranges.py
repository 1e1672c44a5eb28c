"""The range argument's verifier, as one equation (section "Range argument")."""

from __future__ import annotations

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
)
from independent.second_verifier.refusal import Refused, well_formed
from independent.second_verifier.transcript import Transcript

LINEAR = ("H", *(f"H_{i}" for i in range(1, 8)))


@dataclass(frozen=True)
class Claim:
    """V* = Σ factor·point + constant·G is in range; the transcript takes `absorbed` of it."""

    absorbed: bytes
    points: tuple[tuple[int, Point], ...]
    constant: int


def norm_length(m: int, nd: int) -> int:
    """N: the power of two that holds all digits, at least 16."""
    N = 16
    while m * nd > N:
        N *= 2
    return N


def shape(m: int, nd: int) -> tuple[int, int, int]:
    """Rounds, and the lengths of the last l and n."""
    rounds, left, n = 0, 8, norm_length(m, nd)
    while left > 2 or n > 4:
        rounds, left, n = rounds + 1, max(left // 2, 1), n // 2
    return rounds, left, n


def size(m: int, nd: int) -> int:
    """Bytes of a proof about m values of nd digits."""
    rounds, linear, norm = shape(m, nd)
    return 4 * POINT + 2 * POINT * rounds + SCALAR * (linear + norm)


def inverse(number: int) -> int:
    return pow(number, -1, q)


def equation(transcript: Transcript, proof: bytes, claims: list[Claim], nd: int) -> Equation:
    """The verifier's equation; the transcript has absorbed all of the proof afterwards."""
    m, N = len(claims), norm_length(len(claims), nd)
    rounds, l_size, n_size = shape(m, nd)
    norm = tuple(f"G_{i}" for i in range(N))
    transcript.absorb("argument", b"crossproof/range/v1")
    transcript.absorb_integer("digits", nd)
    transcript.absorb_integer("norm length", N)
    transcript.absorb("generators", generators_digest(("G", *LINEAR, *norm)))
    transcript.absorb_list("V", [claim.absorbed for claim in claims])

    parts = [proof[at : at + POINT] for at in range(0, POINT * (4 + 2 * rounds), POINT)]
    rest = proof[POINT * len(parts) :]
    scalars = [rest[at : at + SCALAR] for at in range(0, len(rest), SCALAR)]
    well_formed(len(scalars) == l_size + n_size, "not the length of a range argument")
    M, D, R, S, *folded = [point(part) for part in parts]
    numbers = [scalar(each) for each in scalars]
    linear, n = numbers[:l_size], numbers[l_size:]

    transcript.absorb("M", parts[0])
    transcript.absorb("D", parts[1])
    e = transcript.challenge("e")
    transcript.absorb("R", parts[2])
    rho, x, y, lam = (transcript.challenge(name) for name in ("rho", "x", "y", "lambda"))
    transcript.absorb("S", parts[3])
    t = transcript.challenge("t")
    g = []
    for k in range(rounds):
        transcript.absorb("X", parts[4 + 2 * k])
        transcript.absorb("R", parts[5 + 2 * k])
        g.append(transcript.challenge("g"))
    transcript.absorb_list("l", scalars[:l_size])
    transcript.absorb_list("n", scalars[l_size:])
    if 0 in (rho, x, y, lam, t) or any((e + i) % q == 0 for i in range(16)):
        raise Refused(9, "PROOF", "a challenge that is excluded")

    # Public vectors.
    mu = rho * rho % q
    alpha = [0] * N
    on_G = 0
    for j in range(m):
        for i in range(nd):
            at = j * nd + i
            w = pow(inverse(mu), at + 1, q)
            alpha_r = (e + x * w) % q
            alpha_d = pow(lam, j, q) * 16**i * w % q
            alpha[at] = (t * alpha_r + t * t * alpha_d) % q
            on_G += pow(mu, at + 1, q) * (1 + alpha_r * alpha_d)
    for i in range(16):
        alpha_m = -x * pow(inverse(mu), i + 1, q) * inverse(e + i)
        alpha[i] = (alpha[i] + t**3 * alpha_m) % q
    c = [y * pow(t, power, q) % q for power in (-1, 1, 2, 3, 5, 6, 7)] + [0]
    for k in range(rounds):
        if len(c) > 1:
            c = [(c[i] + g[k] * c[i + 1]) % q for i in range(0, len(c), 2)]

    # P, then what the rounds added, then what the last vectors claim.
    found = Equation()
    for factor, each in ((inverse(t), S), (1, M), (t, D), (t * t, R)):
        found.add(factor, each)
    for j, claim in enumerate(claims):
        times = 2 * t**3 * pow(lam, j, q)
        for factor, each in claim.points:
            found.add(times * factor, each)
        found.add_named(times * claim.constant, "G")
    found.add_named(2 * t**3 * on_G, "G")
    for i in range(N):
        found.add_named(alpha[i], norm[i])
    for k in range(rounds):
        found.add(g[k], folded[2 * k])
        found.add(g[k] * g[k] - 1, folded[2 * k + 1])
    mu_last = pow(rho, 2 ** (rounds + 1), q)
    v = sum(a * b for a, b in zip(c, linear, strict=True))
    v += sum(pow(mu_last, i + 1, q) * each * each for i, each in enumerate(n))
    found.add_named(-v, "G")
    for i, name in enumerate(LINEAR):
        factor = linear[i >> rounds]
        for k in range(rounds):
            factor = factor * g[k] % q if i >> k & 1 else factor
        found.add_named(-factor, name)
    for i, name in enumerate(norm):
        factor = n[i >> rounds]
        for k in range(rounds):
            factor = factor * (g[k] if i >> k & 1 else pow(rho, 2**k, q)) % q
        found.add_named(-factor, name)
    return found
