"""Of sentences that are nearly facts, both verifiers take and refuse the same.

As in `test_same_refusals` the proofs are stand-ins, so a sentence that is taken ends in PROOF, and
in ENCODING where the two compile it to statements of different sizes.
"""

from __future__ import annotations

from collections import Counter

import pytest
from independent.apart import FILES, PLANTS, used
from independent.both import first, second
from independent.issuer import AUDIENCE, NONCE, NOW, issue
from independent.second_verifier.curve import Equation
from independent.sentences import SENTENCES, Drawer

COUNT = 300


@pytest.fixture(autouse=True)
def no_sum_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Equation, "vanishes", lambda self: False)


def outcomes(texts: list[str]) -> tuple[str, str]:
    """What both say of a list of facts."""
    case = issue(texts, PLANTS, FILES, use=used(texts))
    given = {"trust": case.trust, "sets": case.sets, "now": NOW}
    asked = {"audience": AUDIENCE, "nonce": NONCE}
    return first(case.bundle, **given, **asked), second(case.bundle, **given, **asked)


def test_sentences_are_taken_and_refused_alike() -> None:
    """Damaged sentences, sums of all shapes, and lists that leave too few values."""
    drawer, said, found = Drawer(1), Counter[str](), []
    for _ in range(COUNT):
        texts = drawer.texts()
        one, other = outcomes(texts)
        said[one] += 1
        found += [] if one == other else [(texts, one, other)]
    assert found == []
    assert said["ProofError"] > COUNT // 10
    assert said["FactError"] > COUNT // 10


def test_whole_sentences_are_mostly_taken() -> None:
    """The drawer starts from sentences that mean something."""
    taken = [text for text in SENTENCES if outcomes([text]) == ("ProofError", "ProofError")]
    assert len(SENTENCES) - 10 < len(taken)
