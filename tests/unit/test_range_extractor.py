"""Special soundness of the range argument, run on small instances.

The tree has two challenges lambda, five challenges t below each, and three challenges g in every
round of the norm-linear argument below each of those. From its leaves alone come what M, D, R and
every V hold over the bases, and these are looked at: digits, reciprocals, multiplicities, sums.

Where it stops: e, rho, x and y are not branched over. Nothing new would come out of them; that
their coefficients vanish one by one is counted (SPEC.md, "Why it is sound", 3 and 4), and here it
is checked on what was extracted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from support import naive_range as naive
from support.extraction import Claim, Vector, extract, solve
from support.ranges import START, Committed, commit
from support.transcripts import ProgrammedTranscript, repeat_randomness

from proofs import group, pedersen
from proofs.generators import norm_bases
from proofs.group import ORDER, scalar
from proofs.range_terms import Layout, constraint, public_vectors, reciprocals

TS = (2, 3, 5, 7, 11)
E, RHO, X, Y = 1001, 1002, 1003, 1004

Rewound = Callable[[ProgrammedTranscript], bytes]


@dataclass(frozen=True)
class Found:
    """Vectors over G, H_0 … H_7, G_0 … of what was committed to."""

    multiplicities: Vector
    digits: Vector
    reciprocals: Vector
    combined: Vector
    """The sum of lambda^j·V_j."""


def program(lam: int, t: int, gs: Sequence[int]) -> ProgrammedTranscript:
    answers = {
        label: [scalar(value)]
        for label, value in (
            (b"e", E),
            (b"rho", RHO),
            (b"x", X),
            (b"y", Y),
            (b"lambda", lam),
            (b"t", t),
        )
    }
    return ProgrammedTranscript(START, {**answers, b"g": [scalar(g) for g in gs]})


def extract_at(statement: Committed, rewound: Rewound, lam: int) -> Found:
    """From five t, with the same M, D, R and S; AssertionError where an opening does not fit."""
    layout = Layout.of(len(statement.points), statement.digits)
    challenges = tuple(map(scalar, (RHO, X, Y, lam)))
    public = public_vectors(layout, scalar(E), reciprocals(scalar(E)), challenges)
    heads: set[bytes] = set()

    def at(t: int) -> Vector:
        c = constraint(public.y, scalar(t), scalar(t).inverse())
        claim = Claim(c, layout.norm_length, public.rho)

        def inner(gs: Sequence[int]) -> bytes:
            proof = rewound(program(lam, t, gs))
            assert statement.accepts(proof, program(lam, t, gs))
            heads.add(proof[:192])
            return proof[192:]

        vector = extract(claim, inner)
        # Take away what both sides know: multiples of G and of the norm bases.
        known = [0] * len(vector)
        known[0] = t**3 * int(public.constant)
        for i in range(layout.real):
            known[9 + i] += t * int(public.alpha_r[i]) + t * t * int(public.alpha_d[i])
        for i, alpha in enumerate(public.alpha_m):
            known[9 + i] += t**3 * int(alpha)
        return [(a - b) % ORDER for a, b in zip(vector, known, strict=True)]

    rows = [at(t) for t in TS]
    matrix = [[pow(t, -1, ORDER), 1, t, t * t, 2 * t**3] for t in TS]
    s, m, d, r, v = solve(matrix, rows)
    (head,) = heads
    bases = Claim([group.ONE] * 8, layout.norm_length, group.ONE)
    for place, vector in enumerate((m, d, r, s)):
        sent = group.decode_proof_point(head[48 * place : 48 * place + 48])
        assert bases.opens(sent, vector)
    weights = [pow(lam, j, ORDER) for j in range(len(statement.points))]
    assert bases.opens(naive.combination(statement.points, weights), v)
    return Found(m, d, r, v)


def real(statement: Committed) -> Rewound:
    """The real prover, which draws the same wherever its history is the same."""
    return statement.prove


@pytest.mark.parametrize(("values", "digits"), [((0x0F3,), 3), ((0xC,), 1)])
def test_one_value(monkeypatch: pytest.MonkeyPatch, values: tuple[int, ...], digits: int) -> None:
    """V opens to v and its blinding and to nothing else, v is its digits, and they are digits."""
    repeat_randomness(monkeypatch)
    statement = commit(values, digits)
    found = extract_at(statement, real(statement), 5)
    assert found.combined[:2] == [values[0], int(statement.blindings[0])]
    assert not any(found.combined[2:])
    check_digits(found, values, digits)


def test_two_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lambda tell the two commitments apart; M and D were sent before, and are the same."""
    repeat_randomness(monkeypatch)
    values = (0x4E, 0x00)
    statement = commit(values, 2)
    one, two = (extract_at(statement, real(statement), lam) for lam in (5, 6))
    assert (one.multiplicities, one.digits, one.reciprocals) == (
        two.multiplicities,
        two.digits,
        two.reciprocals,
    )
    opened = solve([[1, 5], [1, 6]], [one.combined, two.combined])
    assert [each[0] for each in opened] == list(values)
    assert [each[1] for each in opened] == [int(blinding) for blinding in statement.blindings]
    assert not any(entry for each in opened for entry in each[2:])
    check_digits(one, values, 2)


def check_digits(found: Found, values: Sequence[int], count: int) -> None:
    """What the argument claims, on the extracted vectors alone."""
    real_digits = len(values) * count
    digits, reciprocal = found.digits[9 : 9 + real_digits], found.reciprocals[9 : 9 + real_digits]
    assert all(0 <= digit < 16 for digit in digits)
    for place, value in enumerate(values):
        own = digits[place * count : (place + 1) * count]
        assert sum(16**i * digit for i, digit in enumerate(own)) == value
    assert [(E + d) * r % ORDER for d, r in zip(digits, reciprocal, strict=True)] == [1] * len(
        digits
    )
    assert found.multiplicities[9:] == naive.count_digits(digits)
    counted = sum(m * pow(E + i, -1, ORDER) for i, m in enumerate(found.multiplicities[9:]))
    assert (sum(reciprocal) - counted) % ORDER == 0
    # Nothing stands at the padding, and nothing of the blindings reaches T³.
    assert not any(found.digits[9 + real_digits :])
    assert not any(found.reciprocals[9 + real_digits :])
    assert (found.multiplicities[1 + 3], found.digits[1 + 2], found.reciprocals[1 + 1]) == (0, 0, 0)


def test_of_the_one_forgery_that_passes_it_finds_the_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commitment that nobody attested, 16^4·G + γH + G_0/2, passes as four digits.

    The extractor is not fooled: V opens with a half of G_0, and the first digit is none.
    """
    blinding, half = scalar(77), pow(2, -1, ORDER)
    stray = norm_bases(1)[0].point * scalar(half)
    point = pedersen.commit(scalar(16**4), blinding) + stray
    statement = Committed((16**4,), (blinding,), (point,), (group.encode_point(point),), 4)
    lie = [16**4 - 0x110, 1, 1, 0]

    def rewound(transcript: ProgrammedTranscript) -> bytes:
        drawn = iter(range(10**6, 10**7))
        monkeypatch.setattr(naive, "secrets", Repeating(drawn))
        return naive.prove(
            transcript,
            [lie],
            [int(blinding)],
            statement.encodings,
            multiplicities=[1, 2] + [0] * 14,
            stray=half,
        )

    found = extract_at(statement, rewound, 5)
    assert found.combined[:2] == [16**4, 77]
    assert found.combined[9] == half
    assert found.digits[9:13] == lie
    assert (E + lie[0]) * found.reciprocals[9] % ORDER != 1


class Repeating:
    """A generator that starts over in every run."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers

    def randbelow(self, _bound: int) -> int:
        return next(self._numbers)
