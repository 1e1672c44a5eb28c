"""False values in ranges: what lies just outside, what wraps around, what is no digit.

The arguments are made by a prover that questions nothing, over the real transcript.
"""

from __future__ import annotations

from collections.abc import Callable

from proofs import equation, group, pedersen
from proofs.claims import Claims
from proofs.errors import EncodingError, FactError
from proofs.generators import norm_bases
from proofs.group import ORDER, Scalar
from proofs.labels import frame
from proofs.opening import verify_opening
from proofs.range_proof import prove_ranges
from proofs.statement import RangeTerm, Statement
from proofs.transcript import Transcript
from proofs.witness import scalar_integer
from support import naive_range as naive
from support.bundles import witness
from support.checks import found_bundle
from support.forgeries import forgery, register
from support.forgetful import START, knowing
from support.forging import around, asking, check, opened
from support.naive_range import Late, Vector
from support.ranges import Committed, commit

DIGITS = 4
TOP = 16**DIGITS


def _argument(
    statement: Committed, digits: list[Vector], transcript: Transcript, **options: object
) -> bytes:
    blindings = [int(blinding) for blinding in statement.blindings]
    return naive.prove(transcript, digits, blindings, statement.encodings, **options)  # type: ignore[arg-type]


def _lie(values: list[int], digits: list[Vector], **options: object) -> None:
    statement = commit(values, len(digits[0]))
    proof = _argument(statement, digits, Transcript(START), **options)
    equation.check([statement.equation(proof)])


def _add(name: str, tries: str, values: list[int], digits: list[Vector], **options: object) -> None:
    register("value", name, tries, lambda: _lie(values, digits, **options))


_add("-1 as one digit", "The digit q - 1.", [-1], [[-1, 0, 0, 0]])
_add("-1 as all fifteens", "The digits of 16^nd - 1.", [-1], [[15] * 4])
_add("-1 as 15 - 16", "A digit that takes back more than it gives.", [-1], [[15, -1, 0, 0]])
_add("16^nd by the digit 16", "One digit too large.", [TOP], [[0, 0, 0, 16]])
_add("16^nd as nothing", "The digits of what is left of it.", [TOP], [[0] * 4])
_add("2^64 in sixteen digits", "The digit 16 in front.", [2**64], [[0] * 15 + [16]])
_add("2^64 as nothing", "What 64 bits leave of it.", [2**64], [[0] * 16])
_add("-16^nd", "The digit -16 in front.", [-TOP], [[0, 0, 0, -16]])
_add(
    "half the order",
    "A value that is neither small nor the negative of one.",
    [ORDER // 2],
    [[15] * 4],
)
_add("a value in range by no digits", "31 = 31, where 31 = 1·16 + 15.", [31], [[31, 0, 0, 0]])
_add("the digits of another value", "6 for 5.", [5], [[6, 0, 0, 0]])
_add(
    "one false value among true ones",
    "Two of three are in range.",
    [1, -1, 7],
    [[1, 0, 0, 0], [15] * 4, [7, 0, 0, 0]],
)
_add(
    "two values whose errors cancel",
    "6 and 4 by the digits of 5 and 5.",
    [6, 4],
    [[5, 0, 0, 0], [5, 0, 0, 0]],
)
_add(
    "multiplicities without the digit that is none",
    "No multiplicity for the digit 16.",
    [TOP],
    [[0, 0, 0, 16]],
    multiplicities=[3] + [0] * 15,
)
_add(
    "multiplicities of the padding digits",
    "Thirteen zeros are padding, and are counted.",
    [0x123],
    [[3, 2, 1]],
    multiplicities=[13, 1, 1, 1] + [0] * 12,
)


@forgery("value", "reciprocals at the padding digits, and counted")
def padding_reciprocals() -> None:
    """Padding that is treated as digits on both sides of the count."""

    def late(public: naive.Statement, _m: Vector, _d: Vector, r: Vector) -> Vector:
        return [*r[:3], *[pow(public.e, -1, ORDER)] * (len(r) - 3)]

    _lie(
        [0x123],
        [[3, 2, 1]],
        multiplicities=[13, 1, 1, 1] + [0] * 12,
        late=Late(reciprocals=late),
    )


@forgery("value", "the reciprocal of another digit")
def another_reciprocal() -> None:
    """31 as a digit, with the reciprocal and the multiplicity of 15."""

    def late(public: naive.Statement, _m: Vector, _d: Vector, r: Vector) -> Vector:
        return [pow(public.e + 15, -1, ORDER), *r[1:]]

    _lie(
        [31],
        [[31, 0, 0, 0]],
        multiplicities=[3] + [0] * 14 + [1],
        late=Late(reciprocals=late),
    )


@forgery(
    "value",
    "-1 in 64 digits",
    error=FactError,
    message="1 to 62",
    fooled=lambda: _sixty_four(naive=True),
)
def minus_one_in_64_digits() -> None:
    """16^64 is past the order, so every element of the field has 64 digits."""
    _sixty_four(naive=False)


def _sixty_four(*, naive: bool) -> None:
    from support import naive_range

    statement = commit([-1], 64)
    proof = _argument(statement, [naive_range.digits_of(ORDER - 1, 64)], Transcript(START))
    if naive:
        accepted = naive_range.verify(Transcript(START), statement.points, proof, digits=64)
        assert accepted
    else:
        equation.check([statement.equation(proof)])


# --- challenges at which a claim says nothing ---------------------------------------------------


def _at_zero(label: str, values: list[int], digits: list[Vector], *, careless: bool) -> None:
    start = knowing(**{label: 0})
    statement = commit(values, DIGITS)
    proof = _argument(statement, digits, start(), multiplicities=[0] * 16)
    if careless:
        assert naive.verify(start(), statement.points, proof, digits=DIGITS)
    else:
        equation.check([statement.equation(proof, start())])


register(
    "value",
    "the challenge x zero",
    "Nobody counts reciprocals, and every digit is one.",
    lambda: _at_zero("x", [TOP + 7], [[TOP + 7, 0, 0, 0]], careless=False),
    error=EncodingError,
    message="challenge that no proof has",
    fooled=lambda: _at_zero("x", [TOP + 7], [[TOP + 7, 0, 0, 0]], careless=True),
)


def _lambda_zero(*, careless: bool) -> None:
    start = knowing(**{"lambda": 0})
    statement = commit([5, -1], DIGITS)
    proof = _argument(statement, [[5, 0, 0, 0], [7, 0, 0, 0]], start())
    if careless:
        assert naive.verify(start(), statement.points, proof, digits=DIGITS)
    else:
        equation.check([statement.equation(proof, start())])


register(
    "value",
    "the challenge lambda zero",
    "All values but the first are multiplied away.",
    lambda: _lambda_zero(careless=False),
    error=EncodingError,
    message="challenge that no proof has",
    fooled=lambda: _lambda_zero(careless=True),
)


@forgery("value", "the challenge of an opening zero", message="challenge zero")
def opening_at_zero() -> None:
    """V is multiplied away, so A = sH opens anything."""
    s = group.random_scalar()
    point = pedersen.commit(group.scalar(8), group.random_scalar())
    proof = group.encode_point(pedersen.commit(group.ZERO, s)) + group.encode_scalar(s)
    encoded = group.encode_point(point)
    equation.check([verify_opening(knowing(c=0)(), group.scalar(7), point, encoded, proof)])


# --- whole bundles ------------------------------------------------------------------------------


def shown(statement: Statement) -> list[bytes]:
    """What the range argument absorbs for the derived commitments of single ranges."""
    commitments = witness().commitments()
    return [
        frame(commitments[each.attribute] or b"", str(each.sign).encode(), str(each.bound).encode())
        for each in statement.ranges
        if isinstance(each, RangeTerm)
    ]


Digits = Callable[[int, int], Vector]
"""From the true value of a term and the number of digits to digits that are claimed."""


def with_digits(*facts: str, digits: Digits) -> None:
    """Every term's digits are those of the true value where it is in range, else `digits`."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        rows, blindings = [], []
        for term in statement.ranges:
            assert isinstance(term, RangeTerm)
            value, blinding = _opened(term.attribute)
            true, count = term.value(scalar_integer(value)), statement.digits
            rows.append(
                naive.digits_of(true, count) if 0 <= true < 16**count else digits(true, count)
            )
            blindings.append(int(term.blinding(blinding)))
        return naive.prove(claims.transcript(), rows, blindings, shown(statement))

    check(around(asking(*facts), prover))


def _opened(place: int) -> tuple[Scalar, Scalar]:
    pair = witness().values[place]
    assert pair is not None
    return pair


def as_digit(value: int, count: int) -> Vector:
    return [value, *[0] * (count - 1)]


def _wrapped(value: int, count: int) -> Vector:
    return naive.digits_of(value % 16**count, count)


for _name, _tries, _fact in (
    ("lo - 1", "48.5 MW is at least 48.501 MW.", "capacity in 48.501..60 MW"),
    ("hi + 1", "48.5 MW is at most 48.499 MW.", "capacity in 20..48.499 MW"),
    ("one step below a bound", "9.12 % is at least 9.13 %.", "annual_yield >= 0.0913"),
    ("one step above a bound", "9.12 % is at most 9.11 %.", "annual_yield <= 0.0911"),
    (
        "a day too late",
        "It began on 18 June, not on the 17th.",
        "commissioned <= 2021-06-17",
    ),
):
    register(
        "value", f"{_name}, as a digit", _tries, lambda f=_fact: with_digits(f, digits=as_digit)
    )
    register("value", f"{_name}, wrapped", _tries, lambda f=_fact: with_digits(f, digits=_wrapped))


def _literal(fact: str) -> None:
    check(found_bundle(asking(fact)))


for _name, _tries, _fact in (
    ("q + 5 as a bound", "In the field it is 5.", f"annual_yield >= {ORDER + 5}"),
    ("q + 20 … q + 30", "In the field it holds 25.", f"capacity in {ORDER + 20}..{ORDER + 30} MW"),
    ("-q + 5 as a bound", "In the field it is 5.", f"annual_yield >= -{ORDER - 5}"),
    ("2^64 as a bound", "Past what an attribute may be.", f"annual_yield >= {2**64}"),
    ("a range with its ends exchanged", "hi - lo is negative.", "capacity in 60..20 MW"),
):
    register(
        "value",
        _name,
        _tries,
        lambda f=_fact: _literal(f),
        error=FactError,
        message="literal|past|ends",
    )


@forgery("value", "a compiled bound of q + 20", error=FactError, message="wrap around")
def compiled_bound() -> None:
    """Past the fact language, in the statement itself."""
    RangeTerm(0, 0, 1, ORDER + 20)


@forgery("value", "the value of a neighbour")
def neighbour() -> None:
    """The yield is at least 4 with the capacity's commitment in its place."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        value, blinding, encoded = opened("capacity")
        (term,) = statement.ranges
        assert isinstance(term, RangeTerm)
        return prove_ranges(
            claims.transcript(),
            [term.value(scalar_integer(value))],
            [blinding],
            [frame(encoded, b"1", str(term.bound).encode())],
            digits=statement.digits,
        )

    check(around(asking("annual_yield >= 4"), prover))


HALF = pow(2, -1, ORDER)
LIE = [TOP - 0x110, 1, 1, 0]


def _stray(*, attested: bool) -> None:
    """V = 16^4·G + γH + G_0/2 passes alone; the attested V has no such component."""
    honest = commit([TOP], DIGITS)
    point = honest.points[0] + norm_bases(1)[0].point * group.scalar(HALF)
    mine = Committed(
        honest.values, honest.blindings, (point,), (group.encode_point(point),), DIGITS
    )
    options = {"multiplicities": [1, 2] + [0] * 14, "stray": HALF}
    proof = _argument(mine, [LIE], Transcript(START), **options)
    equation.check([(honest if attested else mine).equation(proof)])


register(
    "value",
    "a commitment with half a G_0 that nobody attested",
    "The stray half frees the first digit from its check.",
    lambda: _stray(attested=True),
    fooled=lambda: _stray(attested=False),
)
