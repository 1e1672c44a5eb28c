"""Special soundness of the membership argument, run: m + 1 transcripts give u, r and P(u).

The extractor gets proofs that share their first messages and answer different challenges. It
knows nothing of the prover, and computes the verifier's Q term by term over integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from support import naive_membership as naive
from support.extraction import interpolate, solve
from support.naive_membership import START, Statement, linear, make_set, squares
from support.transcripts import ScriptedTranscript, repeat_randomness

from proofs import equation, generators, group
from proofs.errors import ProofError
from proofs.generators import G, H, K
from proofs.group import ORDER, Point, scalar
from proofs.membership import prove_membership, verify_membership

Rewound = Callable[[int], bytes]


def accepts(statement: Statement, proof: bytes, x: int, *, member: bool) -> bool:
    """The real verifier's verdict at the challenge x."""
    transcript = ScriptedTranscript(START, {b"x": scalar(x)})
    equations = verify_membership(
        transcript,
        statement.commitment,
        statement.encoding,
        statement.members,
        proof,
        member=member,
    )
    try:
        equation.check(equations)
    except ProofError:
        return False
    return True


@dataclass(frozen=True)
class Parts:
    """A proof cut up: points in their order, and the m + 3 responses."""

    points: list[Point]
    responses: list[int]

    @classmethod
    def of(cls, proof: bytes, m: int, *, member: bool) -> Parts:
        ends = 48 * (m + 3 + (not member))
        points = [group.decode_proof_point(proof[k : k + 48]) for k in range(0, ends, 48)]
        tail = [int.from_bytes(proof[k : k + 32], "big") for k in range(ends, len(proof), 32)]
        return cls(points, tail)


@dataclass(frozen=True)
class Extracted:
    """u, r, and what the last equation says: P(u), and the multiple of H beside it."""

    u: int
    r: int
    powers: list[int]
    top: int
    slant: int


def evaluate(coefficients: Sequence[int], m: int, fs: Sequence[int], x: int) -> int:
    """Q(x) = the sum of a_i times f̄_j where bit j of i is 1 and x where it is 0."""
    total = 0
    for index, coefficient in enumerate(coefficients):
        term = coefficient
        if index >> m:  # the one coefficient past 2^m - 1
            term *= pow(x, m - 2, ORDER) * fs[-1] ** 2
        else:
            for j in range(m):
                term = term * (fs[j] if index >> j & 1 else x) % ORDER
        total += term
    return total % ORDER


def extract(
    statement: Statement, rewound: Rewound, xs: Sequence[int], *, member: bool
) -> Extracted:
    """From accepting proofs at these m + 1 challenges; AssertionError where they do not fit."""
    polynomial = statement.members.polynomial
    m = polynomial.powers
    proofs = [rewound(x) for x in xs]
    assert len({proof[: 48 * (m + 3 + (not member))] for proof in proofs}) == 1
    parts = [Parts.of(proof, m, member=member) for proof in proofs]
    points = parts[0].points
    columns = list(zip(*(each.responses for each in parts), strict=True))

    # Two challenges give slope and constant of a response, and all the others lie on that line.
    lines = [
        tuple(row[0] for row in solve([[xs[0], 1], [xs[1], 1]], [[column[0]], [column[1]]]))
        for column in columns[: m + 2]
    ]
    for (slope, constant), column in zip(lines, columns, strict=False):
        assert [(slope * x + constant) % ORDER for x in xs] == list(column)
    (us, fs), (r, s_0), (r_1, s_1) = zip(*lines[:m], strict=True), lines[m], lines[m + 1]

    # The first equation: V and F_0 open.
    assert linear((us[0], G.point), (r, H.point)) == statement.commitment
    assert linear((fs[0], G.point), (s_0, H.point)) == points[2]

    # The second: C and F open, and the multiple of S_j has no term in x².
    crosses = [2 * u * f - f_next for u, (f, f_next) in zip(us, pairwise(fs), strict=False)]
    bases = [base.point for base in generators.power_bases(m)[1:]]
    bases += [base.point for base in generators.product_bases(m - 1)]
    for point, head, tail, blinding in (
        (points[0], us[1:], crosses, r_1),
        (points[1], fs[1:], [f * f for f in fs[:-1]], s_1),
    ):
        terms = zip([*head, *tail], bases, strict=True)
        assert linear(*terms, (blinding, H.point)) == point
    assert list(us) == squares(us[0], m)

    # The third: Q and τ̄ are polynomials of degree m; coefficient k < m opens D_k.
    coefficients = [int(a) for a in polynomial.coefficients]
    q = interpolate(
        xs,
        [
            evaluate(coefficients, m, each.responses[:m], x)
            for each, x in zip(parts, xs, strict=True)
        ],
    )
    tau = interpolate(xs, columns[m + 2])
    base, commitments = (K.point, points[3:]) if member else (points[3], points[4:])
    for k, point in enumerate(commitments):
        assert linear((q[k], base), (tau[k], H.point)) == point
    # And what is left at x^m is the claim: 0 = P(u)K + τH, or K = P(u)W + τH.
    rest = group.IDENTITY if member else K.point
    assert linear((q[m], base), (tau[m], H.point)) == rest
    return Extracted(us[0], r, list(us), q[m], tau[m])


def real(statement: Statement, monkeypatch: pytest.MonkeyPatch, *, member: bool) -> Rewound:
    """The real prover, run again with the same randomness up to the challenge."""
    repeat_randomness(monkeypatch)

    def rewound(x: int) -> bytes:
        proof = prove_membership(
            ScriptedTranscript(START, {b"x": scalar(x)}),
            statement.value,
            statement.blinding,
            statement.encoding,
            statement.members,
            member=member,
        )
        assert accepts(statement, proof, x, member=member)
        return proof

    return rewound


def product_over(members: Iterable[int], u: int) -> int:
    """P(u) as the product over the members, with none of the code that the argument uses."""
    product = 1
    for root in members:
        product = product * (u - root) % ORDER
    return product


@pytest.mark.parametrize("size", [1, 4, 5, 8, 9])
def test_a_member(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """u and r come out, u's powers are powers, and P(u) = 0."""
    statement = Statement(make_set(*range(10, 10 + size)), scalar(10 + size // 2))
    m = statement.members.polynomial.powers
    found = extract(
        statement, real(statement, monkeypatch, member=True), range(2, m + 3), member=True
    )
    assert (found.u, found.r) == (int(statement.value), int(statement.blinding))
    assert (found.top, found.slant) == (0, 0)
    assert product_over(range(10, 10 + size), found.u) == 0


@pytest.mark.parametrize("size", [1, 4, 5, 8, 9])
def test_not_a_member(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """u and r come out, and K = P(u)·W + τ·H, so that P(u) is not zero."""
    statement = Statement(make_set(*range(10, 10 + size)), scalar(9))
    m = statement.members.polynomial.powers
    found = extract(
        statement, real(statement, monkeypatch, member=False), range(2, m + 3), member=False
    )
    assert (found.u, found.r) == (int(statement.value), int(statement.blinding))
    assert found.top == product_over(range(10, 10 + size), found.u) != 0


def _remainder(xs: Sequence[int], m: int) -> list[int]:
    """x^m modulo the product of (X - x): the polynomial of lower degree that is x^m at all xs."""
    return interpolate(xs, [pow(x, m, ORDER) for x in xs])


def test_m_challenges_known_beforehand_can_be_answered_and_no_other() -> None:
    """Why it takes m + 1: with P(u)·x^m written as a polynomial of lower degree at m known x.

    The forger's D_k hold its coefficients, so a value outside the set passes at all m of them.
    """
    members = (3, 7, 2**61, ORDER - 4, 0)
    statement = Statement(make_set(*members), scalar(8))
    m = statement.members.polynomial.powers
    known = range(2, 2 + m)
    remainder = _remainder(known, m)
    top = product_over(members, 8)

    def prove(x: int) -> bytes:
        return naive.prove(
            ScriptedTranscript(START, {b"x": scalar(x)}),
            statement,
            member=True,
            alter_d=lambda k, point: point + linear((top * remainder[k], K.point)),
        )

    verdicts = [accepts(statement, prove(x), x, member=True) for x in (*known, 2 + m, 77)]
    assert verdicts == [*[True] * m, False, False]


def test_m_transcripts_are_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one challenge fewer no polynomial fits the D_k: Q has degree m."""
    statement = Statement(make_set(*range(5)), scalar(9))
    m = statement.members.polynomial.powers
    with pytest.raises(AssertionError):
        extract(
            statement, real(statement, monkeypatch, member=False), range(2, m + 2), member=False
        )
