"""Every forgery of the register against the real verifier; `pytest -s` prints the table.

Each is refused by its own error and no other exception. Those that name a fault of a verifier
come through against a verifier with that fault, so they are forgeries indeed.
"""

from __future__ import annotations

from collections import Counter

import pytest
from rich.console import Console
from rich.table import Table
from support.forged import points, sets, splices, values
from support.forgeries import Forgery, all_forgeries

from proofs.errors import CrossproofError

FORGERIES = all_forgeries()
LEAST = 60


@pytest.mark.parametrize("forgery", FORGERIES, ids=[each.name for each in FORGERIES])
def test_it_is_refused(forgery: Forgery) -> None:
    """With the class and the reason that stand in the register."""
    with pytest.raises(forgery.error, match=forgery.message or None) as caught:
        forgery.attempt()
    assert type(caught.value) is forgery.error


FOOLING = [each for each in FORGERIES if each.fooled is not None]


@pytest.mark.parametrize("forgery", FOOLING, ids=[each.name for each in FOOLING])
def test_a_faulty_verifier_is_fooled(forgery: Forgery) -> None:
    """The control: with the one fault, the same lie passes."""
    assert forgery.fooled is not None
    forgery.fooled()


def test_the_provers_without_a_lie_pass() -> None:
    """What refuses the forgeries is their lie, and not the way in which they are put together."""
    values.with_digits("capacity in 20..60 MW", "annual_yield >= 0.0912", digits=values.as_digit)
    sets.prove_about("fuel", sets.IN, sets.genuine())
    splices.in_order((0, 1))
    points.one_by_one(lambda encoded: encoded, 48, CrossproofError)


def test_how_many_there_are() -> None:
    """At least sixty, none accepted; the table says what each tries and who stops it."""
    table = Table(title=f"{len(FORGERIES)} algebraic forgeries, 0 accepted")
    for column in ("name", "tries", "refused by", "fools"):
        table.add_column(column)
    for each in FORGERIES:
        fools = "a verifier with that fault" if each.fooled else ""
        table.add_row(each.name, each.tries, each.error.__name__, fools)
    for kind, number in sorted(Counter(each.kind for each in FORGERIES).items()):
        table.caption = f"{table.caption or ''}{kind}: {number}  "
    console = Console(width=200)
    console.print(table)
    assert len(FORGERIES) >= LEAST
