"""Checking many bundles with one multi-scalar multiplication, and naming the bad ones by halving.

Every bundle passes all steps but its equations alone; then the equations of all are added up,
each times a fresh random weight, and checked at once. When the sum does not vanish, the bundles
are halved again and again, with new weights each time: `bad` of n bundles cost some
2·bad·log2(n) multiplications, most of them short. A bundle's outcome is the one that it has
alone. It reads no file, and keeps of a bundle its verdict and its equations only.

SPEC.md, "Many bundles".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from proofs import equation
from proofs.equation import Equation
from proofs.errors import CrossproofError, ProofError
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import Checked, Verified, check_all_but_equations


def verify_many(
    bundles: Iterable[bytes | CrossproofError],
    *,
    trust: Trust,
    expectation: Expectation,
    sets: Sequence[NamedSet],
    now: datetime,
) -> list[Verified | CrossproofError]:
    """Check several bundles, each on its own merits, with one multiplication for all of them.

    The outcomes stand in the order of the bundles and are those of `verify_bundle`. What could
    not be read comes as an error in the place of its bytes, and keeps its place.
    """
    outcomes: list[Checked | CrossproofError] = []
    for data in bundles:
        if isinstance(data, CrossproofError):
            outcomes.append(data)
            continue
        try:
            checked = check_all_but_equations(
                data, trust=trust, expectation=expectation, sets=sets, now=now
            )
        except CrossproofError as error:
            outcomes.append(error)
        else:
            outcomes.append(checked)
    holding = iter(hold_each([each.equations for each in outcomes if isinstance(each, Checked)]))
    return [
        each
        if isinstance(each, CrossproofError)
        else each.if_proven
        if next(holding)
        else ProofError("the proof does not verify")
        for each in outcomes
    ]


def hold_each(groups: Sequence[Sequence[Equation]]) -> list[bool]:
    """For each group whether all its equations hold: one check if all do, else by halving."""
    verdicts = [True] * len(groups)
    # Ranges of groups, and whether one in it is already known to fail.
    waiting = [(0, len(groups), False)] if groups else []
    while waiting:
        first, end, fails = waiting.pop()
        if not fails and _hold(groups[first:end]):
            continue
        if end - first == 1:
            verdicts[first] = False
            continue
        middle = (first + end) // 2
        if _hold(groups[first:middle]):
            # The sum over both failed, and a sum that should vanish always does: so it is here.
            waiting.append((middle, end, True))
        else:
            waiting.append((middle, end, False))
            waiting.append((first, middle, True))
    return verdicts


def _hold(groups: Sequence[Sequence[Equation]]) -> bool:
    try:
        equation.check([each for group in groups for each in group])
    except ProofError:
        return False
    return True
