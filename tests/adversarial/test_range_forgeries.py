"""What a cheating prover, or a meddler, can do to a range argument: nothing."""

from __future__ import annotations

import secrets

import pytest
from support import naive_range as naive
from support.ranges import START, Committed, commit, random_statement
from support.torsion import torsion_point
from support.transcripts import AlteringTranscript, RecordingTranscript

from proofs import equation, group, pedersen
from proofs.errors import EncodingError, ProofError
from proofs.generators import norm_bases
from proofs.group import ORDER, Point
from proofs.transcript import Transcript


@pytest.fixture(scope="module")
def one() -> tuple[Committed, bytes]:
    statement = random_statement(1, 16)
    return statement, statement.prove()


@pytest.fixture(scope="module")
def three() -> tuple[Committed, bytes]:
    statement = random_statement(3, 9)
    return statement, statement.prove()


ITEMS = [
    (b"argument", 0),
    (b"digits", 0),
    (b"norm length", 0),
    (b"generators", 0),
    (b"V", 0),
    (b"M", 0),
    (b"D", 0),
    (b"R", 0),
    (b"S", 0),
    (b"X", 0),
    (b"R", 1),
    (b"X", 1),
    (b"R", 2),
]


@pytest.mark.parametrize(("label", "occurrence"), ITEMS)
def test_every_absorbed_item_counts(
    one: tuple[Committed, bytes], label: bytes, occurrence: int
) -> None:
    """An item that differs on the verifier's side changes the challenges: refused.

    If the argument did not absorb the item, nothing would differ.
    """
    statement, proof = one
    transcript = AlteringTranscript(START, label=label, occurrence=occurrence)
    assert not statement.accepts(proof, transcript)
    assert transcript.altered


@pytest.mark.parametrize("label", [b"l", b"n"])
def test_the_end_reaches_what_follows(one: tuple[Committed, bytes], label: bytes) -> None:
    """The last vectors change every later challenge of the same transcript."""
    statement, proof = one
    plain, altered = Transcript(START), AlteringTranscript(START, label=label)
    statement.equation(proof, plain)
    statement.equation(proof, altered)
    assert altered.altered
    assert plain.challenge(b"next") != altered.challenge(b"next")


def test_every_byte_counts(one: tuple[Committed, bytes]) -> None:
    """A bit changed in any byte of a proof is refused, with an error of our own."""
    statement, proof = one
    for index in range(len(proof)):
        changed = bytearray(proof)
        changed[index] ^= 1 << secrets.randbelow(8)
        assert not statement.accepts(bytes(changed)), index
    assert statement.accepts(proof)


def test_pieces_cannot_move(one: tuple[Committed, bytes]) -> None:
    """Two points, or two scalars, exchanged are refused."""
    statement, proof = one
    points = [proof[i : i + 48] for i in range(0, 384, 48)]
    scalars = [proof[i : i + 32] for i in range(384, 576, 32)]
    for i in range(1, len(points)):
        swapped = [*points]
        swapped[0], swapped[i] = swapped[i], swapped[0]
        assert not statement.accepts(b"".join([*swapped, *scalars]))
    for i in range(1, len(scalars)):
        swapped = [*scalars]
        swapped[0], swapped[i] = swapped[i], swapped[0]
        assert not statement.accepts(b"".join([*points, *swapped]))


def test_length_is_exact(one: tuple[Committed, bytes]) -> None:
    """Truncated, extended and empty proofs are refused before any work is done for them."""
    statement, proof = one
    for wrong in (b"", proof[:-1], proof + b"\0", proof[:-32], proof + proof[-32:], proof * 2):
        transcript = RecordingTranscript(START)
        with pytest.raises(EncodingError, match="length"):
            statement.equation(wrong, transcript)
        assert transcript.events == []


def test_scalars_are_canonical(one: tuple[Committed, bytes]) -> None:
    """A last entry plus the order is a second spelling: refused."""
    statement, proof = one
    for start in range(384, 576, 32):
        entry = int.from_bytes(proof[start : start + 32], "big")
        if entry + ORDER < 1 << 256:
            second = (entry + ORDER).to_bytes(32, "big")
            with pytest.raises(EncodingError):
                statement.equation(proof[:start] + second + proof[start + 32 :])


@pytest.mark.parametrize("index", range(8))
def test_points_are_never_the_identity(one: tuple[Committed, bytes], index: int) -> None:
    """The identity in the place of any point is refused."""
    statement, proof = one
    identity = b"\xc0" + bytes(47)
    with pytest.raises(EncodingError):
        statement.equation(proof[: 48 * index] + identity + proof[48 * index + 48 :])


class TestAnotherStatement:
    def test_commitments(self, three: tuple[Committed, bytes]) -> None:
        """A proof does not carry over to other commitments, or to another order of them."""
        statement, proof = three
        other = random_statement(3, 9)
        turned = Committed(
            statement.values,
            statement.blindings,
            statement.points[::-1],
            statement.encodings[::-1],
            9,
        )
        assert not other.accepts(proof)
        assert not turned.accepts(proof)

    def test_points_and_encodings(self, three: tuple[Committed, bytes]) -> None:
        """Neither points under other encodings nor encodings over other points are accepted."""
        statement, proof = three
        other = random_statement(3, 9)
        for points, encodings in (
            (other.points, statement.encodings),
            (statement.points, other.encodings),
        ):
            mixed = Committed((), (), points, encodings, 9)
            assert not mixed.accepts(proof)

    def test_digits(self, one: tuple[Committed, bytes]) -> None:
        """A wider range in the same number of bytes is not a narrower one."""
        statement = commit([3], 15)
        proof = statement.prove()
        assert statement.accepts(proof)
        assert not statement.accepts(proof, digits=16)
        assert not statement.accepts(proof, digits=14)
        assert not one[0].accepts(one[1], digits=15)

    def test_history(self, one: tuple[Committed, bytes]) -> None:
        """A proof made after one history is not one after another."""
        statement, proof = one
        later = Transcript(START)
        later.append_bytes(b"context", b"another audience")
        assert not statement.accepts(proof, later)
        assert not statement.accepts(proof, Transcript(b"crossproof/other/v1"))


def forge(
    statement: Committed, digits: list[list[int]], multiplicities: list[int] | None = None
) -> bytes:
    """The naive prover, with digits that it does not question."""
    return naive.prove(
        Transcript(START),
        digits,
        [int(blinding) for blinding in statement.blindings],
        statement.encodings,
        multiplicities=multiplicities,
    )


class TestFalseStatements:
    def test_the_forger_can_prove_what_is_true(self) -> None:
        """The control: with honest digits its proofs pass."""
        statement = commit([0x1F], 4)
        assert statement.accepts(forge(statement, [[15, 1, 0, 0]]))

    @pytest.mark.parametrize(
        ("value", "digits"),
        [
            (-1, [15, 15, 15, 15]),  # the digits of 16^4 - 1
            (-1, [-1, 0, 0, 0]),  # a digit that is none
            (16**4, [0, 0, 0, 16]),  # one too large
            (16**4, [0, 0, 0, 0]),
            (0x1F, [31, 0, 0, 0]),  # in range, by a digit that is none
            (ORDER - 16**4, [0, 0, 0, -16]),
            (5, [6, 0, 0, 0]),  # the digits of another value
        ],
    )
    def test_dishonest_digits(self, value: int, digits: list[int]) -> None:
        """Digits outside 0 … 15, or of another value, are refused."""
        statement = commit([value], 4)
        assert not statement.accepts(forge(statement, [digits]))

    @pytest.mark.parametrize(
        "multiplicities",
        [[0] * 16, [4] + [0] * 15, [3, 1] + [0] * 14, [0] * 15 + [4], [3] + [0] * 15],
    )
    def test_dishonest_multiplicities(self, multiplicities: list[int]) -> None:
        """No multiplicities make up for the digit 16, or for ones that were miscounted."""
        outside = commit([16**4], 4)
        assert not outside.accepts(forge(outside, [[0, 0, 0, 16]], multiplicities))
        inside = commit([0x0011], 4)
        assert not inside.accepts(forge(inside, [[1, 1, 0, 0]], multiplicities))

    def test_one_false_value_among_true_ones(self) -> None:
        """Aggregation does not hide a value: errors of two values do not cancel either."""
        statement = commit([1, -1, 7], 4)
        assert not statement.accepts(forge(statement, [[1, 0, 0, 0], [15] * 4, [7, 0, 0, 0]]))
        statement = commit([6, 4], 4)
        assert not statement.accepts(forge(statement, [[5, 0, 0, 0], [5, 0, 0, 0]]))

    def test_swapped_witness(self) -> None:
        """The real prover with another commitment's opening makes nothing that passes."""
        statement, other = commit([5], 4), commit([5], 4)
        mixed = Committed(other.values, other.blindings, statement.points, statement.encodings, 4)
        assert not statement.accepts(mixed.prove())


class TestTorsion:
    """Cofactor torsion: harmless where the prover adds it, useless, and refused from a meddler."""

    @staticmethod
    def adding(name: str, torsion: Point) -> naive.Tamper:
        return lambda where, point: point + torsion if where == name else point

    @pytest.mark.parametrize("order", [3, 11])
    @pytest.mark.parametrize("name", ["M", "D", "R", "S", "X", "R'"])
    def test_added_by_the_prover(self, name: str, order: int) -> None:
        """It changes no verdict: what is true passes, what is false does not."""
        torsion = torsion_point(order)
        statement = commit([0x1F], 4)
        for digits, expected in (([15, 1, 0, 0], True), ([31, 0, 0, 0], False)):
            proof = naive.prove(
                Transcript(START),
                [digits],
                [int(blinding) for blinding in statement.blindings],
                statement.encodings,
                tamper=self.adding(name, torsion),
            )
            verdict = statement.accepts(proof)
            other = random_statement(1, 4)
            batch = [statement.equation(proof), other.equation(other.prove())]
            try:
                equation.check(batch)
                batched = True
            except ProofError:
                batched = False
            assert (verdict, batched) == (expected, expected)

    @pytest.mark.parametrize("order", [3, 11])
    def test_added_afterwards(self, one: tuple[Committed, bytes], order: int) -> None:
        """Every encoding is absorbed: torsion added to a finished proof is refused."""
        statement, proof = one
        torsion = torsion_point(order)
        for index in range(8):
            start = 48 * index
            point = group.decode_proof_point(proof[start : start + 48])
            moved = group.encode_point(point + torsion)
            assert not statement.accepts(proof[:start] + moved + proof[start + 48 :])

    @pytest.mark.parametrize("order", [3, 11])
    def test_in_a_commitment(self, one: tuple[Committed, bytes], order: int) -> None:
        """A commitment with torsion never gets as far as an argument."""
        encoded = group.encode_point(one[0].points[0] + torsion_point(order))
        with pytest.raises(EncodingError):
            group.decode_statement_points([encoded])


def test_a_batch_is_as_strict_as_its_members(
    one: tuple[Committed, bytes], three: tuple[Committed, bytes]
) -> None:
    """True proofs of different shapes pass together; one false one spoils them."""
    true = [one[0].equation(one[1]), three[0].equation(three[1])]
    equation.check(true)
    with pytest.raises(ProofError):
        equation.check([*true, random_statement(1, 16).equation(one[1])])


def test_why_commitments_must_be_attested() -> None:
    """The limit: a commitment with a component along G_0 frees one digit from its check.

    The argument is sound for commitments in the span of G and H only. Here V = 16^4·G + γH + G_0/2
    passes as a value below 16^4: its last digit is 0, and the multiplicity 1 of that digit
    and the stray half let the reciprocal of the first digit, far past 15, be zero. Hence every
    commitment of a statement is an attested one, or a sum of such; without the stray component
    the same digits are refused.
    """
    blinding, half = group.random_scalar(), pow(2, -1, ORDER)
    digits = [[16**4 - 0x110, 1, 1, 0]]
    honest = commit([16**4], 4)
    assert not honest.accepts(forge(honest, digits, [1, 2] + [0] * 14))
    stray = norm_bases(1)[0].point * group.scalar(half)
    point = pedersen.commit(group.scalar(16**4), blinding) + stray
    statement = Committed((16**4,), (blinding,), (point,), (group.encode_point(point),), 4)
    proof = naive.prove(
        Transcript(START),
        digits,
        [int(blinding)],
        statement.encodings,
        multiplicities=[1, 2] + [0] * 14,
        stray=half,
    )
    assert statement.accepts(proof)
