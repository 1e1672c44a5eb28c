"""Batched equations: all hold or the batch is refused, and errors cannot cancel."""

from __future__ import annotations

import pytest
from support.torsion import torsion_point

from proofs import equation, group, pedersen
from proofs.equation import Equation
from proofs.errors import ProofError
from proofs.generators import G, H, K
from proofs.group import ONE


def opening(error: int = 0, extra: group.Point = group.IDENTITY) -> Equation:
    """V - value·G - blinding·H + error·G + extra = 0, true if error is 0 and extra torsion."""
    value, blinding = group.random_scalar(), group.random_scalar()
    point = pedersen.commit(value, blinding)
    return Equation(
        (G, H), [-value + group.signed_scalar(error), -blinding], [point, extra], [ONE, ONE]
    )


def test_true_equations_hold() -> None:
    """One, or many, over shared and over different generators."""
    other = Equation((K, G, K), [ONE, group.ZERO, -ONE], [], [])
    equation.check([opening()])
    equation.check([opening(), opening(), other])


def test_one_false_equation_spoils_the_batch() -> None:
    """A single false equation among true ones is refused, at any place."""
    for place in range(3):
        batch = [opening(), opening()]
        batch.insert(place, opening(1))
        with pytest.raises(ProofError):
            equation.check(batch)


def test_errors_do_not_cancel() -> None:
    """Errors +1 and -1 cancel under equal weights, and not under the weights of `check`."""
    batch = [opening(1), opening(-1)]
    assert equation.holds(equation.combine(batch, weights=[ONE, ONE]))
    with pytest.raises(ProofError):
        equation.check(batch)


def test_single_and_batched_verdicts_agree_on_torsion() -> None:
    """Torsion is cleared in a batch as it is alone, and never turns a false sum into a true one."""
    for order in (3, 11):
        torsion = torsion_point(order)
        equation.check([opening(extra=torsion)])
        equation.check([opening(extra=torsion), opening()])
        with pytest.raises(ProofError):
            equation.check([opening(1, extra=torsion)])


def test_nothing_checked_is_not_success() -> None:
    """An empty list is refused."""
    with pytest.raises(ValueError, match="no equation"):
        equation.check([])


def test_terms_and_weights_must_pair_up() -> None:
    """Scalars without points, or weights without equations, would be dropped silently."""
    with pytest.raises(ValueError, match="as many"):
        Equation((G,), [], [], [])
    with pytest.raises(ValueError, match="as many"):
        Equation((), [], [], [ONE])
    with pytest.raises(ValueError, match="shorter"):
        equation.combine([opening()], weights=[])


def test_a_fold_is_one_equation_that_stands_for_all() -> None:
    """It holds if all do, may be one of many again, and hides no error behind another's."""
    folded = equation.fold(opening() for _ in range(3))
    assert len(folded.fixed) == 2
    equation.check([folded])
    equation.check([folded, opening()])
    for errors in ((1,), (0, 1), (1, -1)):
        with pytest.raises(ProofError):
            equation.check([opening(), equation.fold(opening(error) for error in errors)])
