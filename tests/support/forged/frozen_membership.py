"""Membership and opening arguments against verifiers whose transcript has a fault.

Each statement is false, and each forger chooses one message after the challenge that should have
depended on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from proofs import equation, generators, group, pedersen
from proofs.errors import ProofError
from proofs.generators import G, H, K
from proofs.group import ORDER, Point, scalar
from proofs.membership import verify_membership
from proofs.opening import verify_opening
from proofs.transcript import Transcript
from support import naive_membership as naive
from support.forgeries import register
from support.forgetful import START, Start, forgetting, knowing, starting
from support.naive_membership import Begun, Statement, linear, make_set, squares

ROOTS = (3, 7, 2**61, ORDER - 4, 0)
MEMBERS = make_set(*ROOTS)
M = 3
INSIDE, OUTSIDE = 7, 8
EPSILON = 987654321

Points = dict[str, Point]
Forged = tuple[Statement, bytes, bool]
"""A false statement, its proof, and the polarity that is claimed."""

Forger = Callable[[Start], Forged]
Change = Callable[[int, Begun, Points, list[Point]], tuple[Points, list[Point]]]


def _evaluated(coefficients: Sequence[int], fs: Sequence[int], x: int) -> int:
    """Q of a polynomial of at most 2^m coefficients, term by term."""
    total = 0
    for index, coefficient in enumerate(coefficients):
        term = coefficient
        for j in range(M):
            term = term * (fs[j] if index >> j & 1 else x) % ORDER
        total += term
    return total % ORDER


def false_squares() -> list[int]:
    """8, 64 and a third that is no square, at which the polynomial's sum vanishes."""
    u, square, _ = squares(OUTSIDE, M)

    def total(last: int) -> int:
        return int(MEMBERS.polynomial.evaluate([scalar(u), scalar(square), scalar(last)]))

    return [u, square, -total(0) * pow(total(1) - total(0), -1, ORDER) % ORDER]


def _proven(
    start: Start, change: Change, *, us: list[int] | None = None, value: int = OUTSIDE
) -> Forged:
    statement, member = Statement(MEMBERS, scalar(value)), value == OUTSIDE
    proof = naive.prove(start(), statement, member=member, us=us, late=change)
    return statement, proof, member


def powers_first(start: Start) -> Forged:
    """Powers of a member; F_0 makes up for V, which holds another value."""

    def change(x: int, _b: Begun, points: Points, D: list[Point]) -> tuple[Points, list[Point]]:
        return points | {"F_0": points["F_0"] + linear((x * (INSIDE - OUTSIDE), G.point))}, D

    return _proven(start, change, us=squares(INSIDE, M))


def square_residue() -> tuple[Point, int]:
    """S_1, and what a false square leaves there as a multiple of x²."""
    _, square, third = false_squares()
    return generators.product_bases(2)[1].point, (square**2 - third) % ORDER


def no_squares_c(start: Start) -> Forged:
    """A root made of powers that are none; C takes back what is left of the square."""

    def change(x: int, _b: Begun, points: Points, D: list[Point]) -> tuple[Points, list[Point]]:
        base, residue = square_residue()
        return points | {"C": points["C"] + linear((x * residue, base))}, D

    return _proven(start, change, us=false_squares())


def no_squares_f(start: Start) -> Forged:
    """A root made of powers that are none; F takes back what is left of the square."""

    def change(x: int, _b: Begun, points: Points, D: list[Point]) -> tuple[Points, list[Point]]:
        base, residue = square_residue()
        return points | {"F": points["F"] + linear((x * x * residue, base))}, D

    return _proven(start, change, us=false_squares())


def coefficient_last(start: Start) -> Forged:
    """The value is no member; D_0 takes P(u)·x^m upon itself."""

    def change(x: int, begun: Begun, points: Points, D: list[Point]) -> tuple[Points, list[Point]]:
        return points, [D[0] + linear((begun.top * pow(x, M, ORDER), K.point)), *D[1:]]

    return _proven(start, change)


def inverse_last(start: Start) -> Forged:
    """The value is a member and P(u) has no inverse; W is what the equation leaves for it."""

    def change(x: int, begun: Begun, points: Points, D: list[Point]) -> tuple[Points, list[Point]]:
        q = sum(pow(x, k, ORDER) * delta for k, delta in enumerate(begun.deltas)) % ORDER
        return points | {
            "W": points["W"] + linear((pow(x, M, ORDER) * pow(q, -1, ORDER), K.point))
        }, D

    return _proven(start, change, value=INSIDE)


def commitment_last(start: Start) -> Forged:
    """A true proof with an error in F_0; V is what makes up for it."""
    seen: list[int] = []

    def note(x: int, _b: Begun, points: Points, D: list[Point]) -> tuple[Points, list[Point]]:
        seen.append(x)
        return points, D

    honest, error = Statement(MEMBERS, scalar(INSIDE)), {"F_0": linear((EPSILON, G.point))}
    proof = naive.prove(start(), honest, member=True, errors=error, late=note)
    value = (INSIDE - EPSILON * pow(seen[0], -1, ORDER)) % ORDER
    return replace(honest, value=scalar(value)), proof, True


def set_last(start: Start) -> Forged:
    """A proof about one list; the last member of another is solved for, once x is known."""
    seen: list[tuple[int, Begun]] = []

    def change(x: int, begun: Begun, points: Points, D: list[Point]) -> tuple[Points, list[Point]]:
        seen.append((x, begun))
        return points, D

    statement, proof, _ = _proven(start, change)
    x, begun = seen[0]
    fs = [(x * u + f) % ORDER for u, f in zip(begun.us, begun.fs, strict=True)]
    target = sum(pow(x, k, ORDER) * delta for k, delta in enumerate(begun.deltas)) % ORDER
    kept = ROOTS[:-1]
    rest = [1]
    for root in kept:
        rest = naive.times(rest, [-root, 1])
    # Q of (X - s)·rest is Q of X·rest, less s times Q of rest.
    slope = _evaluated(rest, fs, x)
    last = (_evaluated([0, *rest], fs, x) - target) * pow(slope, -1, ORDER) % ORDER
    return replace(statement, members=make_set(*kept, last)), proof, True


def _add(name: str, fault: Start, forge: Forger) -> None:
    def check(forged: Forged, transcript: Transcript) -> None:
        statement, proof, member = forged
        equations = verify_membership(
            transcript,
            statement.commitment,
            statement.encoding,
            statement.members,
            proof,
            member=member,
        )
        equation.check(equations)

    def attempt() -> None:
        # Made for ours, and made for the faulty verifier.
        try:
            check(forge(starting(Transcript)), Transcript(START))
        except ProofError:
            check(forge(fault), Transcript(START))

    def fooled() -> None:
        statement, proof, member = forge(fault)
        assert (statement.value in statement.members) is not member
        check((statement, proof, member), fault())

    tries = (forge.__doc__ or "").splitlines()[0]
    register(
        "frozen heart: membership",
        name,
        tries,
        attempt,
        fooled=fooled,
    )


# --- openings -----------------------------------------------------------------------------------

Opened = tuple[group.Scalar, Point, bytes]
"""The value that is claimed, V, and the proof."""
Opener = Callable[[Start], Opened]


def _challenge(start: Start, commitment: bytes, value: int, first: bytes) -> int:
    """What the faulty transcript draws after A."""
    transcript = start()
    used = generators.generators_digest((G, H))
    encoded = group.encode_scalar(scalar(value))
    transcript.opening_statement(commitment, value=encoded, generators=used)
    return int(transcript.opening_commitment(first))


def first_message_last(start: Start) -> Opened:
    """A is what s and the challenge leave, for a value of one's choice."""
    point = pedersen.commit(scalar(OUTSIDE), group.random_scalar())
    c = _challenge(start, group.encode_point(point), INSIDE, G.encode())
    s = group.random_scalar()
    first = group.multiply(
        [H.point, G.point, point], [s, scalar(c * INSIDE % ORDER), scalar(-c % ORDER)]
    )
    return scalar(INSIDE), point, group.encode_point(first) + group.encode_scalar(s)


def _with_an_error(start: Start, claimed: int, held: Callable[[int], int]) -> tuple[int, Opened]:
    """A = kH + epsilon·G: right for the value claimed where V holds what `held` makes of c."""
    k, blinding = group.random_scalar(), group.random_scalar()
    first = group.encode_point(group.multiply([H.point, G.point], [k, scalar(EPSILON)]))
    before = pedersen.commit(scalar(held(1)), blinding)
    c = _challenge(start, group.encode_point(before), claimed, first)
    point = pedersen.commit(scalar(held(c)), blinding)
    proof = first + group.encode_scalar(k + scalar(c) * blinding)
    return c, (scalar(claimed), point, proof)


def opened_commitment_last(start: Start) -> Opened:
    """A holds an error; V is what makes up for it."""
    _, found = _with_an_error(
        start, INSIDE, lambda c: (INSIDE - EPSILON * pow(c, -1, ORDER)) % ORDER
    )
    return found


def opened_value_last(start: Start) -> Opened:
    """A holds an error; the value claimed is what makes up for it."""
    c, (_, point, proof) = _with_an_error(start, INSIDE, lambda _c: INSIDE)
    return scalar((INSIDE + EPSILON * pow(c, -1, ORDER)) % ORDER), point, proof


def _add_opening(name: str, fault: Start, forge: Opener) -> None:
    def check(opened: Opened, transcript: Transcript) -> None:
        value, point, proof = opened
        equation.check([verify_opening(transcript, value, point, group.encode_point(point), proof)])

    register(
        "frozen heart: opening",
        name,
        (forge.__doc__ or "").splitlines()[0],
        lambda: check(forge(fault), Transcript(START)),
        fooled=lambda: check(forge(fault), fault()),
    )


# --- the lists ----------------------------------------------------------------------------------

LEFT_OUT: dict[tuple[str, str, int | None], Forger] = {
    ("membership_statement", "commitment", None): commitment_last,
    ("membership_statement", "set_digest", None): set_last,
    ("membership_commitments", "vectors", 0): no_squares_c,
    ("membership_commitments", "vectors", 1): no_squares_f,
    ("membership_commitments", "vectors", 2): powers_first,
    ("membership_commitments", "inverse", None): inverse_last,
    ("membership_commitments", "coefficients", None): coefficient_last,
}
OPENING_LEFT_OUT: dict[tuple[str, str], Opener] = {
    ("opening_statement", "commitment"): opened_commitment_last,
    ("opening_statement", "value"): opened_value_last,
    ("opening_commitment", "commitment"): first_message_last,
}
"""The forgery that leaving an item out allows."""

for (_method, _parameter, _place), _forge in LEFT_OUT.items():
    _which = _parameter if _place is None else ("C", "F", "F_0")[_place]
    _add(
        f"{_which} of {_method} absorbed after the challenge",
        starting(forgetting(_method, _parameter, place=_place)),
        _forge,
    )
for (_method, _parameter), _opener in OPENING_LEFT_OUT.items():
    _add_opening(
        f"{_parameter} of {_method} absorbed after the challenge",
        starting(forgetting(_method, _parameter)),
        _opener,
    )
for _forge in (powers_first, no_squares_c, no_squares_f, coefficient_last, inverse_last, set_last):
    _add(f"a membership argument whose x is known ({_forge.__name__})", knowing(x=1234567), _forge)
_add_opening("an opening whose challenge is known", knowing(c=1234567), first_message_last)
