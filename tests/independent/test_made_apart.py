"""Bundles that are made from the specification alone are believed by both verifiers, or by none."""

from __future__ import annotations

import pytest
from independent.apart import DEBT, FILES, PLANTS_WITH_VALUES, POWER, SEVERAL_WITH_VALUES, used
from independent.both import first, second
from independent.issuer import AUDIENCE, NONCE, NOW, Document, issue, schema

TRUE = [
    ["pub = 3 pc", 'prov = "a b"', 'title = "abc def"'],
    ["power in 20..60 MW", "yield >= 0.08", "day <= 2030-01-01", "debt <= 5 CNY"],
    ["kind in {A, B}", "n in {-3, 2, 10}", "power in {20, 30.5} MW", "fuel in {A, B, C, GAS}"],
    ["fuel in @fuels", "n in @nums", "title not in @few", "owner in @names", "n >= 1", "n <= 4"],
    ["day in @days", "title not in @names", "pub in {3} pc", "huge <= 0"],
    [
        "abs(debt - worth) <= debt",
        'debt + loan <= 5000 HKD at 1.0832 HKD/CNY ("H K", 2026-06-30)',
        "0 MW - power <= small - 5 MW",
        "at >= 5 at",
        "n + yield <= 3",
    ],
]
AMONG_SEVERAL = ["a.debt + b-2.debt <= 100000000 CNY", "c.power >= 5 MW", "a.fuel in @fuels"]
FALSE = [["power in 40..60 MW"], ["pub = 4 pc"], ["n in {-3, 10}"], ["owner not in @names"],
         ["debt * 2 <= worth - 4 CNY"]]  # fmt: skip


def outcomes(texts: list[str], documents: tuple[Document, ...]) -> tuple[str, str]:
    """What both say of a bundle that the second prover makes about these facts."""
    case = issue(texts, documents, FILES, use=used(texts))
    return (
        first(
            case.bundle,
            trust=case.trust,
            sets=case.sets,
            now=NOW,
            audience=AUDIENCE,
            nonce=NONCE,
        ),
        second(case.bundle, trust=case.trust, sets=case.sets, now=NOW, request=case.request),
    )


@pytest.mark.parametrize("texts", TRUE, ids=[each[0] for each in TRUE])
def test_true_facts_are_believed_by_both(texts: list[str]) -> None:
    """Every kind of sentence, type of attribute and spelling of a set."""
    assert outcomes(texts, PLANTS_WITH_VALUES) == ("Verified", "Verified")


def test_facts_about_several_documents_are_believed_by_both() -> None:
    """Aliases, slots past the first document, two documents of one schema, an absent value."""
    assert outcomes(AMONG_SEVERAL, SEVERAL_WITH_VALUES) == ("Verified", "Verified")


@pytest.mark.parametrize("texts", FALSE, ids=[each[0] for each in FALSE])
def test_false_facts_are_believed_by_none(texts: list[str]) -> None:
    """The same prover, about what is not so."""
    assert outcomes(texts, PLANTS_WITH_VALUES) == ("ProofError", "ProofError")


def test_an_attribute_that_cancels_out_needs_no_commitment() -> None:
    """It is in the sentence and in no term, so it may be absent; a personal one is refused."""
    loan = {**DEBT, "name": "left", "optional": True}
    document = Document("doc", "cn-1", schema(POWER, DEBT, loan), (20_000, 300, None))
    assert outcomes(["left + debt >= left"], (document,)) == ("Verified", "Verified")
    assert outcomes(["age + n >= age"], PLANTS_WITH_VALUES) == ("FactError", "FactError")
