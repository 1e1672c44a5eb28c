"""The range argument as the specification writes it: integers modulo q, folded bases, no tricks.

Prover and verifier share with the real ones only the transcript and the encodings. The prover
takes digits and multiplicities as they are given and never looks whether they are honest, so it
is the forger of the tests too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proofs import group
from proofs.generators import G, generators_digest, linear_bases, norm_bases, range_generators
from proofs.group import ORDER, Point
from proofs.transcript import Transcript

q = ORDER

Vector = list[int]
Tamper = Callable[[str, Point], Point]


def honest(_name: str, point: Point) -> Point:
    return point


@dataclass(frozen=True)
class Late:
    """What a forger still changes once it knows the challenge that should have come later.

    `digits` gets e, m and d and gives m and d; `reciprocals` the public vectors, m, d and r, and
    gives r; `shift` gets a name (`S`, `X`, `R'`) and t or g, and gives a multiple of G to add. The
    changed message must leave its challenge alone, so a faulty transcript is needed for it.
    """

    digits: Callable[[int, Vector, Vector], tuple[Vector, Vector]] | None = None
    reciprocals: Callable[[Statement, Vector, Vector, Vector], Vector] | None = None
    shift: Callable[[str, int], int] = lambda _name, _challenge: 0


ON_TIME = Late()


def combination(points: Sequence[Point], scalars: Sequence[int]) -> Point:
    return group.multiply(points, [group.scalar(s % q) for s in scalars])


def times_g(factor: int) -> Point:
    return combination([G.point], [factor])


def inner(a: Vector, b: Vector) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True)) % q


def weighted(a: Vector, b: Vector, mu: int) -> int:
    return sum(pow(mu, i + 1, q) * x * y for i, (x, y) in enumerate(zip(a, b, strict=True))) % q


def base_points(norm_length: int) -> tuple[Point, list[Point], list[Point]]:
    return (
        G.point,
        [base.point for base in linear_bases()],
        [base.point for base in norm_bases(norm_length)],
    )


class Statement:
    """Lengths and the public vectors, each written out with its zeros."""

    def __init__(self, count: int, digits: int) -> None:
        self.count, self.digits, self.real = count, digits, count * digits
        self.length = 16
        while self.length < self.real:
            self.length *= 2

    def absorb(self, transcript: Transcript, encodings: Sequence[bytes]) -> None:
        transcript.range_statement(
            encodings,
            digits=self.digits,
            norm_length=self.length,
            generators=generators_digest(range_generators(self.length)),
        )

    def draw(self, transcript: Transcript, r_bytes: bytes, e: int) -> None:
        self.e = e
        self.rho, self.x, self.y, self.lam = map(int, transcript.range_reciprocals(r_bytes))
        self.mu = self.rho**2 % q
        places = range(self.length)
        w = [pow(self.mu, -(i + 1), q) for i in places]
        real = [i < self.real for i in places]
        self.alpha_r = [(e + self.x * w[i]) % q if real[i] else 0 for i in places]
        self.alpha_d = [
            pow(self.lam, i // self.digits, q) * 16 ** (i % self.digits) * w[i] % q
            if real[i]
            else 0
            for i in places
        ]
        self.alpha_m = [-self.x * w[i] * pow(e + i, -1, q) % q if i < 16 else 0 for i in places]

    def constraint(self, t: int) -> Vector:
        return [self.y * pow(t, p, q) % q for p in (-1, 1, 2, 3, 5, 6, 7)] + [0]

    def constant(self) -> int:
        powers = sum(pow(self.mu, i + 1, q) for i in range(self.real))
        return 2 * (powers + weighted(self.alpha_r, self.alpha_d, self.mu)) % q


def digits_of(value: int, count: int) -> Vector:
    return [value >> 4 * i & 15 for i in range(count)]


def count_digits(digits: Vector) -> Vector:
    return [digits.count(i) for i in range(16)]


def fold_prove(
    transcript: Transcript,
    c: Vector,
    l: Vector,  # noqa: E741
    n: Vector,
    rho: int,
    h: list[Point],
    g: list[Point],
    tamper: Tamper = honest,
    late: Late = ON_TIME,
) -> bytes:
    """The norm-linear argument with bases folded in every round."""
    out = b""
    while len(l) > 2 or len(n) > 4:
        mu = rho * rho % q
        inverse = pow(rho, -1, q)
        n0, n1, g0, g1 = n[::2], n[1::2], g[::2], g[1::2]
        v_x = 2 * inverse * weighted(n0, n1, mu * mu) % q
        v_r = weighted(n1, n1, mu * mu)
        x_point = combination(g0 + g1, [rho * a for a in n1] + [inverse * a for a in n0])
        r_point = combination(g1, n1)
        split = len(l) > 1
        if split:
            l0, l1, c0, c1, h0, h1 = l[::2], l[1::2], c[::2], c[1::2], h[::2], h[1::2]
            v_x += inner(c0, l1) + inner(c1, l0)
            v_r += inner(c1, l1)
            x_point += combination(h0 + h1, l1 + l0)
            r_point += combination(h1, l1)
        x_point = tamper("X", x_point + combination([G.point], [v_x]))
        r_point = tamper("R'", r_point + combination([G.point], [v_r]))
        early = map(group.encode_point, (x_point, r_point))
        z = int(transcript.fork().norm_linear_round(*early))
        x_bytes = group.encode_point(x_point + times_g(late.shift("X", z)))
        r_bytes = group.encode_point(r_point + times_g(late.shift("R'", z)))
        out += x_bytes + r_bytes
        z = int(transcript.norm_linear_round(x_bytes, r_bytes))
        if split:
            l = [(a + z * b) % q for a, b in zip(l0, l1, strict=True)]  # noqa: E741
            c = [(a + z * b) % q for a, b in zip(c0, c1, strict=True)]
            h = [combination([a, b], [1, z]) for a, b in zip(h0, h1, strict=True)]
        n = [(inverse * a + z * b) % q for a, b in zip(n0, n1, strict=True)]
        g = [combination([a, b], [rho, z]) for a, b in zip(g0, g1, strict=True)]
        rho = mu
    last = [v.to_bytes(32, "big") for v in l], [v.to_bytes(32, "big") for v in n]
    transcript.norm_linear_end(*last)
    return out + b"".join(last[0] + last[1])


def fold_verify(
    transcript: Transcript,
    point: Point,
    proof: bytes,
    c: Vector,
    rho: int,
    h: list[Point],
    g: list[Point],
) -> bool:
    """Fold the bases and the point, then compare with the vectors in clear."""
    while len(h) > 2 or len(g) > 4:
        x_bytes, r_bytes, proof = proof[:48], proof[48:96], proof[96:]
        x_point, r_point = map(group.decode_proof_point, (x_bytes, r_bytes))
        z = int(transcript.norm_linear_round(x_bytes, r_bytes))
        point += combination([x_point, r_point], [z, z * z - 1])
        if len(h) > 1:
            c = [(a + z * b) % q for a, b in zip(c[::2], c[1::2], strict=True)]
            h = [combination([a, b], [1, z]) for a, b in zip(h[::2], h[1::2], strict=True)]
        g = [combination([a, b], [rho, z]) for a, b in zip(g[::2], g[1::2], strict=True)]
        rho = rho * rho % q
    entries = [proof[i : i + 32] for i in range(0, len(proof), 32)]
    l, n = entries[: len(h)], entries[len(h) :]  # noqa: E741
    transcript.norm_linear_end(l, n)
    linear, norm = [int.from_bytes(b, "big") for b in l], [int.from_bytes(b, "big") for b in n]
    v = inner(c, linear) + weighted(norm, norm, rho * rho)
    claimed = combination([G.point, *h, *g], [v, *linear, *norm])
    return group.is_zero_after_clearing(point - claimed)


def prove(
    transcript: Transcript,
    digits: list[Vector],
    blindings: Vector,
    encodings: Sequence[bytes],
    *,
    multiplicities: Vector | None = None,
    stray: int = 0,
    tamper: Tamper = honest,
    linear_r: Vector | None = None,
    late: Late = ON_TIME,
) -> bytes:
    """A proof from the digits of every value, whatever they are.

    With `stray`, the first commitment holds that multiple of G_0 as well, and the first digit
    uses it to get out of its check. `linear_r` is what R holds over H, for nothing.
    """
    statement = Statement(len(digits), len(digits[0]))
    length = statement.length
    g0, h, g = base_points(length)
    statement.absorb(transcript, encodings)

    def fresh() -> int:
        return secrets.randbelow(q)

    def pad(vector: Vector) -> Vector:
        return [*vector, *[0] * (length - len(vector))]

    flat = [digit for value in digits for digit in value]
    m = pad(count_digits(flat) if multiplicities is None else multiplicities)
    d = pad(flat)
    m0, d0, r0, b = fresh(), fresh(), fresh(), fresh()
    l_m = [0 if i in (3, 6) else fresh() for i in range(8)]
    l_d = [b if i == 3 else 0 for i in range(8)]
    l_r = linear_r or [0] * 8

    def commit(name: str, head: int, linear: Vector, norm: Vector) -> bytes:
        point = combination([g0, *h, *g], [head, *linear, *norm])
        return group.encode_point(tamper(name, point))

    out = [commit("M", m0, l_m, m), commit("D", d0, l_d, d)]
    if late.digits:
        m, d = map(pad, late.digits(int(transcript.fork().range_digits(*out)), m, d))
        out = [commit("M", m0, l_m, m), commit("D", d0, l_d, d)]
    e = int(transcript.range_digits(out[0], out[1]))
    r = pad([pow(e + digit, -1, q) for digit in d[: statement.real]])
    r[0] = r[0] * (1 - 2 * stray * m[0]) % q
    out.append(commit("R", r0, l_r, r))
    if late.reciprocals:
        statement.draw(transcript.fork(), out[2], e)
        out[2] = commit("R", r0, l_r, late.reciprocals(statement, m, d, r))
        r = late.reciprocals(statement, m, d, r)
    statement.draw(transcript, out[2], e)
    blinding = 2 * sum(pow(statement.lam, j, q) * x for j, x in enumerate(blindings)) % q

    s = [fresh() for _ in range(length)]
    rows = [
        s,
        m,
        [(a + b) % q for a, b in zip(d, statement.alpha_r, strict=True)],
        [(a + b) % q for a, b in zip(r, statement.alpha_d, strict=True)],
        [(a + 2 * stray) % q if i == 0 else a for i, a in enumerate(statement.alpha_m)],
    ]
    # E(T) by multiplying polynomials: powers -2 … 10.
    error = dict.fromkeys(range(-2, 11), 0)
    for i, left in enumerate(rows):
        for j, right in enumerate(rows):
            error[i + j - 2] += weighted(left, right, statement.mu)
    l_rows = [l_m, l_d, l_r, [blinding] + [0] * 7]
    for power, row in enumerate(l_rows):
        for c_power, entry in zip((-1, 1, 2, 3, 5, 6, 7), row, strict=False):
            error[c_power + power] += statement.y * entry
    for power, head in enumerate((m0, d0, r0)):
        error[power] -= head
    l_s = [-error[p - 1] * pow(statement.y, -1, q) % q for p in (-1, 1, 2, 3, 5, 6, 7)]
    l_s.append(fresh())
    early = commit("S", error[-1], l_s, s)
    shift = late.shift("S", int(transcript.fork().range_blinding(early)))
    out.append(commit("S", error[-1] + shift, l_s, s))
    t = int(transcript.range_blinding(out[3]))

    l_t = [
        sum(pow(t, power, q) * row[i] for power, row in enumerate([l_s, *l_rows], start=-1)) % q
        for i in range(8)
    ]
    n_t = [
        sum(pow(t, power, q) * row[i] for power, row in enumerate(rows, start=-1)) % q
        for i in range(length)
    ]
    inner_proof = fold_prove(
        transcript, statement.constraint(t), l_t, n_t, statement.rho, h, g, tamper, late
    )
    return b"".join(out) + inner_proof


def verify(
    transcript: Transcript, commitments: Sequence[Point], proof: bytes, *, digits: int
) -> bool:
    """Form P(t) and fold."""
    statement = Statement(len(commitments), digits)
    g0, h, g = base_points(statement.length)
    statement.absorb(transcript, [group.encode_point(v) for v in commitments])
    heads = [proof[i : i + 48] for i in range(0, 192, 48)]
    m_point, d_point, r_point, s_point = map(group.decode_proof_point, heads)
    e = int(transcript.range_digits(heads[0], heads[1]))
    statement.draw(transcript, heads[2], e)
    t = int(transcript.range_blinding(heads[3]))
    shift = [
        t * a + t**2 * b + t**3 * c
        for a, b, c in zip(statement.alpha_r, statement.alpha_d, statement.alpha_m, strict=True)
    ]
    point = combination([s_point, m_point, d_point, r_point], [pow(t, -1, q), 1, t, t * t])
    point += combination(
        commitments, [2 * t**3 * pow(statement.lam, j, q) for j in range(len(commitments))]
    )
    point += combination([g0, *g], [t**3 * statement.constant(), *shift])
    c = statement.constraint(t)
    return fold_verify(transcript, point, proof[192:], c, statement.rho, h, g)
