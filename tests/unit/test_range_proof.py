"""The range argument: complete, bounded, of exact length, and equal to the naive one."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import naive_range as naive
from support.ranges import START, Committed, commit, random_statement
from support.transcripts import RecordingTranscript, ScriptedTranscript

from proofs import equation, group, norm_linear, range_digits, range_proof
from proofs.errors import CannotProveError, EncodingError, FactError
from proofs.generators import Generator
from proofs.group import ORDER, ZERO, Point, Scalar
from proofs.range_terms import MAX_DIGITS, MAX_TOTAL_DIGITS, Layout
from proofs.transcript import Transcript


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_true_statements_are_proven(data: st.DataObject) -> None:
    """Any values in range, with any shape, prove and verify; both sides end in one state."""
    digits = data.draw(st.integers(min_value=1, max_value=20))
    values = data.draw(
        st.lists(st.integers(min_value=0, max_value=16**digits - 1), min_size=1, max_size=3)
    )
    statement = commit(values, digits)
    prover, verifier = Transcript(START), Transcript(START)
    proof = statement.prove(prover)
    equation.check([statement.equation(proof, verifier)])
    assert len(proof) == range_proof.proof_length(len(values), digits)
    assert prover.challenge(b"next") == verifier.challenge(b"next")


@pytest.mark.parametrize("digits", [1, 15, 16, 17, MAX_DIGITS])
def test_both_ends_of_the_range(digits: int) -> None:
    """0 and 16^digits - 1 are inside."""
    statement = commit([0, 16**digits - 1], digits)
    assert statement.accepts(statement.prove())


@pytest.mark.parametrize(("count", "digits", "expected"), [(1, 16, 576), (8, 16, 832), (1, 1, 576)])
def test_lengths(count: int, digits: int, expected: int) -> None:
    """The published sizes."""
    assert range_proof.proof_length(count, digits) == expected


@pytest.mark.parametrize("value", [-1, 16**4, ORDER - 1, ORDER, ORDER + 5, -(16**4)])
def test_values_outside_are_not_proven(value: int) -> None:
    """The prover refuses by the integer, before any reduction, and does not name the value."""
    statement = commit([7, value], 4)
    with pytest.raises(CannotProveError) as refusal:
        statement.prove()
    assert str(value) not in str(refusal.value)


@pytest.mark.parametrize(
    ("count", "digits"),
    [(1, 0), (1, -1), (1, 63), (1, 64), (0, 16), (MAX_TOTAL_DIGITS // 16 + 1, 16)],
)
def test_bounds(count: int, digits: int) -> None:
    """No digits, 63 or 64 of them (where -1 would pass), no values, or too many: refused."""
    with pytest.raises(FactError):
        Layout.of(count, digits)
    with pytest.raises(FactError):
        range_proof.prove_ranges(
            Transcript(START), [0] * count, [ZERO] * count, [b""] * count, digits=digits
        )
    with pytest.raises(FactError):
        range_proof.verify_ranges(
            Transcript(START), [group.IDENTITY] * count, [b""] * count, b"", digits=digits
        )


def test_range_stays_below_half_the_order() -> None:
    """2·16^digits < q at the bound: no negative value has a representative in the range."""
    assert 2 * 16**MAX_DIGITS < ORDER
    assert Layout.of(MAX_TOTAL_DIGITS // 16, 16).norm_length == MAX_TOTAL_DIGITS


def test_lists_must_pair_up() -> None:
    """Values, blindings and commitments of different numbers are a programming error."""
    with pytest.raises(ValueError, match="as many"):
        range_proof.prove_ranges(Transcript(START), [1], [], [], digits=4)
    with pytest.raises(ValueError, match="as many"):
        range_proof.verify_ranges(Transcript(START), [], [b""], b"", digits=4)


@pytest.mark.parametrize(("count", "digits"), [(1, 3), (1, 16), (2, 9), (3, 16)])
def test_naive_verifier_agrees(count: int, digits: int) -> None:
    """The optimised proof passes the verifier that folds bases, and fails it when changed."""
    statement = random_statement(count, digits)
    proof = statement.prove()
    other = random_statement(count, digits)
    assert naive.verify(Transcript(START), statement.points, proof, digits=digits)
    assert not naive.verify(Transcript(START), other.points, proof, digits=digits)


@pytest.mark.parametrize(("count", "digits"), [(1, 3), (1, 16), (2, 9)])
def test_naive_proofs_are_accepted(count: int, digits: int) -> None:
    """The optimised verifier accepts what the naive prover makes."""
    statement = random_statement(count, digits)
    proof = naive.prove(
        Transcript(START),
        [naive.digits_of(value, digits) for value in statement.values],
        [int(blinding) for blinding in statement.blindings],
        statement.encodings,
    )
    assert statement.accepts(proof)


def test_order_of_absorption() -> None:
    """Statement, M, D, e, R, four challenges, S, t, the rounds, the end: on both sides."""
    statement = random_statement(2, 16)
    prover, verifier = RecordingTranscript(START), RecordingTranscript(START)
    statement.accepts(statement.prove(prover), verifier)
    events = [
        *[("+", label) for label in (b"argument", b"digits", b"norm length", b"generators")],
        *[("+", b"V"), ("+", b"M"), ("+", b"D"), ("?", b"e"), ("+", b"R")],
        *[("?", label) for label in (b"rho", b"x", b"y", b"lambda")],
        *[("+", b"S"), ("?", b"t")],
        *[("+", b"X"), ("+", b"R"), ("?", b"g")] * 3,
        *[("+", b"l"), ("+", b"n")],
    ]
    assert prover.events == events
    assert verifier.events == events


@pytest.mark.parametrize(
    ("label", "value"),
    [(b"e", 0), (b"e", -15), *((label, 0) for label in (b"rho", b"x", b"y", b"lambda", b"t"))],
)
def test_unusable_challenges(label: bytes, value: int) -> None:
    """The prover starts again with new randomness; a verifier that meets one refuses."""
    statement = random_statement(1, 4)
    unusable = group.signed_scalar(value)
    proof = statement.prove(ScriptedTranscript(START, {label: unusable}, once=True))
    assert statement.accepts(proof)
    with pytest.raises(EncodingError, match="challenge"):
        statement.equation(proof, ScriptedTranscript(START, {label: unusable}))


def test_two_proofs_of_one_statement_differ() -> None:
    """Proving draws fresh randomness: nothing of a proof but chance repeats."""
    statement = random_statement(1, 4)
    first, second = statement.prove(), statement.prove()
    pieces = [
        {proof[start : start + 32] for start in range(0, len(proof) - 31, 16)}
        for proof in (first, second)
    ]
    assert pieces[0].isdisjoint(pieces[1])


# -- the opened vectors are independent of the witness ------------------------------------------

BLINDINGS = ("m0", "d0", "r0", "b", "l_S,7", *(f"l_M,{i}" for i in (0, 1, 2, 4, 5, 7)))


class FixedRandomness:
    """Hands out given scalars in the order in which the prover asks."""

    def __init__(self, heads: list[int], s: list[int]) -> None:
        self._queue = [*heads, *s]

    def scalars(self, count: int) -> list[Scalar]:
        taken, self._queue = self._queue[:count], self._queue[count:]
        return [group.scalar(value % ORDER) for value in taken]


def rank(matrix: list[list[int]]) -> int:
    """The rank over the scalar field, by elimination."""
    rows, result = [row[:] for row in matrix], 0
    for column in range(len(matrix[0])):
        pivot = next((i for i in range(result, len(rows)) if rows[i][column] % ORDER), None)
        if pivot is None:
            continue
        rows[result], rows[pivot] = rows[pivot], rows[result]
        inverse = pow(rows[result][column], -1, ORDER)
        for i in range(result + 1, len(rows)):
            factor = rows[i][column] * inverse
            rows[i] = [(a - factor * b) % ORDER for a, b in zip(rows[i], rows[result], strict=True)]
        result += 1
    return result


class Observed:
    """Runs the prover with chosen randomness and challenges, and notes what an observer gets.

    That is l(t), and the logarithms of M, D and R, for a random logarithm of every generator.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, statement: Committed) -> None:
        self.statement = statement
        self.logs: dict[Generator, int] = {}
        self.script = {
            label: group.random_scalar() for label in (b"e", b"rho", b"x", b"y", b"lambda", b"t")
        }
        self.s = [secrets.randbelow(ORDER) for _ in range(16)]
        self.seen: list[int] = []
        self.linear: list[int] = []
        multiply, prove = range_digits.multiply_fixed, norm_linear.prove

        def observe_multiply(bases: list[Generator], scalars: list[Scalar]) -> Point:
            log = 0
            for base, factor in zip(bases, scalars, strict=True):
                log += self.logs.setdefault(base, secrets.randbelow(ORDER)) * int(factor)
            self.seen.append(log % ORDER)
            return multiply(bases, scalars)

        def observe_prove(
            transcript: Transcript,
            *,
            constraint: list[Scalar],
            linear: list[Scalar],
            norm: list[Scalar],
            rho: Scalar,
        ) -> bytes:
            self.linear = [int(entry) for entry in linear]
            return prove(transcript, constraint=constraint, linear=linear, norm=norm, rho=rho)

        # With tables M, D and R are one product each; they are the same points without.
        monkeypatch.setattr(range_digits, "are_looked_up", lambda _: True)
        monkeypatch.setattr(range_digits, "multiply_fixed", observe_multiply)
        monkeypatch.setattr(norm_linear, "prove", observe_prove)

    def run(self, heads: list[int]) -> list[int]:
        self.seen.clear()
        range_proof._prove_once(
            ScriptedTranscript(START, self.script),
            self.statement.values,
            self.statement.blindings,
            Layout.of(1, self.statement.digits),
            FixedRandomness(heads, self.s),
        )
        return [*self.linear, *self.seen]


def test_blinding_has_full_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 11 random scalars to (l(t), M, D, R): affine, of rank 11, so l(t) hides the witness."""
    observed = Observed(monkeypatch, random_statement(1, 4))
    count = len(BLINDINGS)
    base = [secrets.randbelow(ORDER) for _ in range(count)]
    origin = observed.run(base)
    rows = []
    for index in range(count):
        moved = [value + (i == index) for i, value in enumerate(base)]
        rows.append([(b - a) % ORDER for a, b in zip(origin, observed.run(moved), strict=True)])
    assert (len(rows), len(rows[0])) == (11, 11)
    assert rank(rows) == 11
    # The map is affine: two steps at once move by the sum of their differences.
    both = observed.run([value + (i in (3, 5)) for i, value in enumerate(base)])
    expected = [(o + a + b) % ORDER for o, a, b in zip(origin, rows[3], rows[5], strict=True)]
    assert both == expected
    # Without any one of the blindings it would not be.
    for index in range(count):
        assert rank([row for i, row in enumerate(rows) if i != index]) == 10
