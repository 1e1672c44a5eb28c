"""Range arguments against verifiers whose transcript has a fault: Frozen Heart, message by message.

Each statement is false. A transcript that leaves a message out, or draws a challenge that is known
beforehand, lets the forger choose that message last; the real one refuses the same proof.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flint import fmpz_mod_ctx
from flint.utils.flint_exceptions import DomainError

from proofs import equation, group, pedersen
from proofs.generators import G
from proofs.group import ORDER, Point
from proofs.transcript import Transcript
from support import naive_range as naive
from support.forgeries import register
from support.forgetful import START, Start, forgetting, knowing, starting
from support.naive_range import Late, Vector
from support.ranges import Committed, commit

DIGITS = 4
FALSE = 16**DIGITS + 7
"""A value that four digits do not hold."""
SHOWN = [5, 0, 0, 0]
EXCESS = FALSE - 5

Forger = Callable[[Start], tuple[Committed, bytes]]


def _known(start: Start, label: bytes) -> int:
    """The constant that a faulty transcript answers."""
    return int(start().challenge(label))


def _prove(start: Start, statement: Committed, digits: Vector, **options: object) -> bytes:
    blindings = [int(blinding) for blinding in statement.blindings]
    return naive.prove(start(), [digits], blindings, statement.encodings, **options)  # type: ignore[arg-type]


def _false(start: Start, digits: Vector, **options: object) -> tuple[Committed, bytes]:
    statement = commit([FALSE], DIGITS)
    return statement, _prove(start, statement, digits, **options)


def _sum(e: int, entries: Vector) -> int:
    """The sum of 1/(e + entry)."""
    return sum(pow(e + entry, -1, ORDER) for entry in entries) % ORDER


def multiplicities_last(start: Start) -> tuple[Committed, bytes]:
    """One digit of 16^4 + 7; m_0 pays for all reciprocals, once e is known."""

    def late(e: int, m: Vector, d: Vector) -> tuple[Vector, Vector]:
        return [e * _sum(e, d[:DIGITS]) % ORDER, *[0] * (len(m) - 1)], d

    return _false(start, [FALSE, 0, 0, 0], late=Late(digits=late))


def digits_last(start: Start) -> tuple[Committed, bytes]:
    """Two digits that solve both equations, once e is known: a square root in the field."""
    field = fmpz_mod_ctx(ORDER)

    def late(e: int, m: Vector, d: Vector) -> tuple[Vector, Vector]:
        counted = sum(count * pow(e + i, -1, ORDER) for i, count in enumerate(m[:16]))
        # With a = e + d_0 and b = e + d_1: 1/a + 1/b = rest and a + 16b = total.
        rest, total = (counted - 2 * pow(e, -1, ORDER)) % ORDER, (FALSE + 17 * e) % ORDER
        middle = (15 - rest * total) % ORDER
        root = int(field((middle**2 - 4 * rest * total) % ORDER).sqrt())
        a = (root - middle) * pow(2 * rest, -1, ORDER) % ORDER
        b = (total - a) * pow(16, -1, ORDER) % ORDER
        return m, [(a - e) % ORDER, (b - e) % ORDER, 0, 0, *d[DIGITS:]]

    while True:
        try:
            shown = naive.digits_of(secrets.randbelow(16**DIGITS), DIGITS)
            return _false(start, shown, late=Late(digits=late))
        except DomainError:  # no square root, one time in two
            continue


def reciprocals_last(start: Start) -> tuple[Committed, bytes]:
    """True digits of another value; the first reciprocal pays for the difference."""

    def late(public: naive.Statement, _m: Vector, d: Vector, r: Vector) -> Vector:
        price = (public.mu * (public.e + d[0]) + public.x) % ORDER
        return [(r[0] + EXCESS * pow(price, -1, ORDER)) % ORDER, *r[1:]]

    return _false(start, SHOWN, late=Late(reciprocals=late))


def reciprocals_at_a_known_rho(start: Start) -> tuple[Committed, bytes]:
    """One digit of 16^4 + 7 and two reciprocals: their weighted errors cancel at this rho."""

    def late(public: naive.Statement, m: Vector, d: Vector, r: Vector) -> Vector:
        mu, e = public.mu, public.e
        counted = sum(count * pow(e + i, -1, ORDER) for i, count in enumerate(m[:16]))
        # a·r_0 + b·r_1 = mu + mu² and r_0 + r_1 = what is missing in the unweighted sum.
        a, b = mu * (e + d[0]) % ORDER, mu * mu * (e + d[1]) % ORDER
        missing = (counted - r[2] - r[3]) % ORDER
        first = (mu + mu * mu - b * missing) * pow(a - b, -1, ORDER) % ORDER
        return [first, (missing - first) % ORDER, *r[2:]]

    return _false(
        start, [FALSE, 0, 0, 0], multiplicities=[4] + [0] * 15, late=Late(reciprocals=late)
    )


def blinding_at_a_known_y(start: Start) -> tuple[Committed, bytes]:
    """True digits of another value; a multiple of H_1 in R pays for the difference."""
    y = _known(start, b"y")
    linear = [0, 2 * EXCESS * pow(y, -1, ORDER) % ORDER, *[0] * 6]
    return _false(start, SHOWN, linear_r=linear)


def neighbours_at_a_known_lambda(start: Start) -> tuple[Committed, bytes]:
    """Two values whose errors cancel at this lambda: one too large, the other below zero."""
    lam = _known(start, b"lambda")
    statement = commit([5 + lam * EXCESS, 5 - EXCESS], DIGITS)
    blindings = [int(blinding) for blinding in statement.blindings]
    return statement, naive.prove(start(), [SHOWN, SHOWN], blindings, statement.encodings)


def digits_at_x_zero(start: Start) -> tuple[Committed, bytes]:
    """With x = 0 nobody counts reciprocals, and any digit is one."""
    return _false(start, [FALSE, 0, 0, 0], multiplicities=[0] * 16)


class _Shifts:
    """The error of a false value in P is a multiple of G; the named message takes it back."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._t = 0
        self._done = False

    def __call__(self, name: str, challenge: int) -> int:
        if name == "S":
            self._t = challenge
        if name != self._name or self._done:
            return 0
        self._done = True
        factor = {
            "S": pow(self._t, -1, ORDER),
            "X": challenge,
            "R'": challenge * challenge - 1,
        }[name]
        return -2 * pow(self._t, 3, ORDER) * EXCESS * pow(factor, -1, ORDER) % ORDER


def _shifted(name: str) -> Forger:
    def forge(start: Start) -> tuple[Committed, bytes]:
        return _false(start, SHOWN, late=Late(shift=_Shifts(name)))

    forge.__doc__ = f"True digits of another value; a multiple of G in {name} pays for it."
    return forge


def commitment_last(start: Start) -> tuple[Committed, bytes]:
    """An error of epsilon·G in S; V is what makes up for it, once t is known."""
    epsilon, seen = secrets.randbelow(ORDER), []

    def tamper(name: str, point: Point) -> Point:
        return point + G.point * group.scalar(epsilon) if name == "S" else point

    def note(name: str, challenge: int) -> int:
        if name == "S":
            seen.append(challenge)
        return 0

    honest = commit([5], DIGITS)
    proof = _prove(start, honest, SHOWN, tamper=tamper, late=Late(shift=note))
    value = (5 - epsilon * pow(2 * pow(seen[0], 4, ORDER), -1, ORDER)) % ORDER
    assert value >= 16**DIGITS
    point = pedersen.commit(group.scalar(value), honest.blindings[0])
    solved = Committed((value,), honest.blindings, (point,), (group.encode_point(point),), DIGITS)
    return solved, proof


def _add(name: str, tries: str, fault: Start, forge: Forger) -> None:
    def attempt() -> None:
        # Made for the faulty verifier, and made for ours.
        for start in (fault, starting(Transcript)):
            statement, proof = forge(start)
            found = statement.equation(proof, Transcript(START))
            assert not equation.holds(found)
        equation.check([found])

    def fooled() -> None:
        statement, proof = forge(fault)
        assert any(not 0 <= value < 16**DIGITS for value in statement.values)
        equation.check([statement.equation(proof, fault())])

    register("frozen heart: range", name, tries, attempt, fooled=fooled)


def without(method: str, parameter: str) -> Start:
    """Transcripts that leave this item out."""
    return starting(forgetting(method, parameter))


LEFT_OUT: dict[tuple[str, str], Forger] = {
    ("range_statement", "commitments"): commitment_last,
    ("range_digits", "multiplicities"): multiplicities_last,
    ("range_digits", "digits"): digits_last,
    ("range_reciprocals", "reciprocals"): reciprocals_last,
    ("range_blinding", "blinding"): _shifted("S"),
    ("norm_linear_round", "cross"): _shifted("X"),
    ("norm_linear_round", "square"): _shifted("R'"),
}
"""The forgery that leaving an item out allows."""

for _item, _forge in LEFT_OUT.items():
    _add(
        f"{_item[1]} of {_item[0]} absorbed after the challenge",
        (_forge.__doc__ or "").splitlines()[0],
        without(*_item),
        _forge,
    )

for _name, _label, _forge in (
    ("multiplicities", "e", multiplicities_last),
    ("digits", "e", digits_last),
    ("reciprocals", "rho", reciprocals_at_a_known_rho),
    ("blinding of R", "y", blinding_at_a_known_y),
    ("two values", "lambda", neighbours_at_a_known_lambda),
    ("S", "t", _shifted("S")),
    ("X", "g", _shifted("X")),
    ("R of a round", "g", _shifted("R'")),
):
    _add(
        f"{_name} chosen for a range argument whose {_label} is known",
        (_forge.__doc__ or "").splitlines()[0],
        knowing(**{_label: 1234567}),
        _forge,
    )
