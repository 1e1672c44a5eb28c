"""Errors that cancel: between bundles, between arguments, between the equations of one.

Each passes where equations are added up as they are, or with weights that the forger knows; fresh
random weights refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proofs import equation, group
from proofs.equation import Equation
from proofs.generators import K
from proofs.group import ONE, Point, Scalar, scalar
from proofs.membership import verify_membership
from proofs.transcript import Transcript
from support import naive_membership as naive
from support import naive_range
from support.forged.frozen_membership import MEMBERS, OUTSIDE, false_squares, square_residue
from support.forgeries import register
from support.forgetful import START
from support.ranges import commit

ERROR = group.hash_to_point(b"crossproof/test/v1", b"an error that nobody can open")
Made = Callable[[], list[Equation]]


def _added(equations: Sequence[Equation], weights: Sequence[Scalar]) -> None:
    assert not all(equation.holds(each) for each in equations)
    assert equation.holds(equation.combine(equations, weights=weights))


def _add(name: str, tries: str, made: Made, weights: Sequence[int] = ()) -> None:
    def fooled() -> None:
        equations = made()
        known = [scalar(each) for each in weights] or [ONE] * len(equations)
        _added(equations, known)

    register("batch", name, tries, lambda: equation.check(made()), fooled=fooled)


def _range_with(error: Point, name: str = "M") -> Equation:
    """A true argument with an error in one of its points."""
    statement = commit([5], 4)

    def tamper(where: str, point: Point) -> Point:
        return point + error if where == name else point

    proof = naive_range.prove(
        Transcript(START),
        [[5, 0, 0, 0]],
        [int(statement.blindings[0])],
        statement.encodings,
        tamper=tamper,
    )
    return statement.equation(proof)


def _membership_with(errors: dict[str, Point], d_error: Point | None = None) -> list[Equation]:
    statement = naive.Statement(MEMBERS, scalar(7))

    def alter(k: int, point: Point) -> Point:
        return point if d_error is None or k else point + d_error

    proof = naive.prove(Transcript(START), statement, member=True, errors=errors, alter_d=alter)
    return _equations(statement, proof)


def _equations(statement: naive.Statement, proof: bytes) -> list[Equation]:
    return verify_membership(
        Transcript(START),
        statement.commitment,
        statement.encoding,
        statement.members,
        proof,
        member=True,
    )


_add(
    "equal and opposite errors in two range arguments",
    "M of one holds an error, M of the other takes it back.",
    lambda: [_range_with(ERROR), _range_with(-ERROR)],
)
_add(
    "an error shared out over three range arguments",
    "One error, taken back by halves.",
    lambda: [_range_with(ERROR + ERROR), _range_with(-ERROR), _range_with(-ERROR)],
)
_add(
    "errors that cancel at weights that are known",
    "The weights 1, 2, 3 as a counter would give them.",
    lambda: [_range_with(ERROR + ERROR), _range_with(-ERROR), _range_with(group.IDENTITY)],
    (1, 2, 3),
)
_add(
    "an error of a range argument taken back by a membership",
    "M of the one, F_0 of the other.",
    lambda: [_range_with(ERROR), *_membership_with({"F_0": -ERROR})],
)
_add(
    "equal and opposite errors in two memberships",
    "F_0 of one, F_0 of the other.",
    lambda: [*_membership_with({"F_0": ERROR}), *_membership_with({"F_0": -ERROR})],
)
_add(
    "an error of the first equation taken back by the second",
    "F_0 and F of one membership.",
    lambda: _membership_with({"F_0": ERROR, "F": -ERROR}),
)
_add(
    "an error of the second equation taken back by the third",
    "F and D_0 of one membership.",
    lambda: _membership_with({"F": ERROR}, -ERROR),
)
_add(
    "an error of the first equation taken back by the third",
    "F_0 and D_0 of one membership.",
    lambda: _membership_with({"F_0": ERROR}, -ERROR),
)


def _false_square() -> list[Equation]:
    base, residue = square_residue()

    def alter(k: int, point: Point) -> Point:
        return point + naive.linear((residue, base)) if k == 2 else point

    statement = naive.Statement(MEMBERS, scalar(OUTSIDE))
    proof = naive.prove(
        Transcript(START), statement, member=True, us=false_squares(), alter_d=alter
    )
    return _equations(statement, proof)


_add(
    "a false square hidden in D_2",
    "A root made of powers that are none; the sum of all three equations does not see it.",
    _false_square,
)


def _top_hidden_in_the_value() -> list[Equation]:
    """Two proofs of memberships that are none, with multiples of K that cancel in D_0."""
    equations: list[Equation] = []
    for sign in (1, -1):
        statement = naive.Statement(MEMBERS, scalar(7))
        point = K.point * scalar(99)
        error = point if sign == 1 else -point

        def alter(k: int, before: Point, error: Point = error) -> Point:
            return before if k else before + error

        proof = naive.prove(Transcript(START), statement, member=True, alter_d=alter)
        equations += _equations(statement, proof)
    return equations


_add(
    "multiples of K that cancel between two memberships",
    "D_0 of one, D_0 of the other.",
    _top_hidden_in_the_value,
)
