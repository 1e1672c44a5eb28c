"""Facts about each document and sums, drawn over small domains: both verifiers judge them alike.

Most lists leave a value or two more or fewer than a class needs, over all documents or over those
that have an attribute. Proofs are stand-ins whose sum of points is left out.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from independent.both import first, second
from independent.issuer import (
    AUDIENCE,
    NONCE,
    NOW,
    Chosen,
    Document,
    Edit,
    attribute,
    issue,
    schema,
    set_file,
)
from independent.second_verifier.curve import Equation
from independent.second_verifier.encoding import Tree

BOUNDS = {"a": (0, 6), "b": (-3, 3), "c": (0, 6), "p": (0, 4), "z": (5, 5)}
CLASSES = {"p": "public"}
SMALL = schema(
    *(
        attribute(
            name, "integer", CLASSES.get(name, "asset"), unit="", min=str(low), max=str(high),
            **({"optional": True} if name == "c" else {}),
        )
        for name, (low, high) in BOUNDS.items()
    )
)  # fmt: skip
OPTIONAL = list(BOUNDS).index("c")
SETS = {
    "some": set_file("some", "integer", [0, 3, 6, 9]),
    "others": set_file("others", "integer", [1, 2, 5]),
    "outside": set_file("outside", "integer", [50, 60]),
    "apart": set_file("apart", "integer", [1, 2], unit="MW"),
}


@pytest.fixture(autouse=True)
def no_sum_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Equation, "vanishes", lambda self: False)


def without(absent: list[int]) -> Edit:
    """Takes the optional attribute out of the attestations of these rows."""
    counted = iter(range(1000))

    def edit(part: str, tree: Tree) -> None:
        if part == "attestation" and next(counted) in absent:
            marks = tree["presence"]
            tree["presence"] = marks[:OPTIONAL] + "0" + marks[OPTIONAL + 1 :]
            tree["commitments"] = tree["commitments"][64:]

    return edit


def outcomes(texts: list[str], n: int, absent: list[int]) -> tuple[str, str]:
    """What both say of these facts about n documents."""
    use = sorted({word[1:] for text in texts for word in text.split() if word.startswith("@")})
    documents = [Document("", f"cn-{index}", SMALL) for index in range(n)]
    case = issue(texts, documents, SETS, use=use, chosen=Chosen(), edit=without(absent))
    given: dict[str, Any] = {"trust": case.trust, "sets": case.sets, "now": NOW}
    given |= {"audience": AUDIENCE, "nonce": NONCE}
    return first(case.bundle, **given), second(case.bundle, **given)


def comparison(draw: random.Random, names: list[str], n: int, *, sums: bool) -> str:
    """A canonical comparison near the least, the middle or the greatest that n documents allow."""
    chosen = sorted(draw.sample(names, min(len(names), draw.choice([1, 1, 2, 2, 3]))))
    factors = [draw.choice([1, 1, 1, 2, 3, -1, -2]) for _ in chosen]
    factors[0] = abs(factors[0])
    low = n * sum(min(c * end for end in BOUNDS[a]) for a, c in zip(chosen, factors, strict=True))
    high = n * sum(max(c * end for end in BOUNDS[a]) for a, c in zip(chosen, factors, strict=True))
    text = ""
    for name, c in zip(chosen, factors, strict=True):
        text += (" + " if c > 0 else " - ") if text else ""
        text += (f"sum({name})" if sums else name) + (f" * {abs(c)}" if abs(c) > 1 else "")
    amount = draw.choice([low, high, (low + high) // 2, draw.randint(low - 1, high + 1)])
    return f"{text} {draw.choice(['>=', '<='])} {amount + draw.randint(-2, 2)}"


def mixed(draw: random.Random, n: int) -> list[str]:
    """Up to four sentences, some with `where present`."""
    texts = []
    for _ in range(draw.choice([1, 2, 2, 3, 3, 4])):
        names = [*"abp", *("c" * (draw.random() < 0.5)), *("z" * (draw.random() < 0.06))]
        kind = draw.random()
        if kind < 0.55:
            text = comparison(draw, names, n, sums=True)
        elif kind < 0.8:
            text = "each " + comparison(draw, names, 1, sums=False)
        else:
            some = ["@some", "@others", "{0, 2, 3}", "{1, 2}", "1..3"]
            rare = ["@outside", "@apart"] if draw.random() < 0.2 else []
            within = draw.choice(some + rare)
            negated = within.startswith("@") and draw.random() < 0.3
            text = f"each {draw.choice('aabpc')} {'not ' * negated}in {within}"
        about_some = "c" in text.removeprefix("each ")
        texts.append(text + " where present" * (draw.random() < (0.85 if about_some else 0.1)))
    if draw.random() < 0.05:
        texts.append(draw.choice(["each b + z >= z", "sum(a) + sum(z) >= sum(z)"]))
    return list(dict.fromkeys(texts))


def crossing(draw: random.Random, n: int, absent: list[int]) -> list[str]:
    """One combination of each, in all rows, and in those that have what cancels out."""
    sign = draw.choice("+-")
    texts = []
    for _ in range(draw.choice([1, 1, 2])):
        bounded = [
            f"each a {sign} b {draw.choice(['>=', '<='])} {draw.randint(1, 5)}",
            f"each b in {draw.choice(['0..3', '2..3', '-1..1'])}",
        ]
        texts.append(bounded[draw.random() < 0.3])
    for _ in range(draw.choice([1, 2, 2])):
        left = draw.choice([f"sum(a) {sign} sum(b)"] * 3 + ["sum(a)"])
        texts.append(f"{left} {draw.choice(['>=', '<='])} {draw.randint(-3, 9 * n)}")
    for _ in range(draw.choice([1, 2, 2])):
        left = draw.choice([f"sum(a) {sign} sum(b)"] * 3 + ["sum(b)"])
        amount = draw.randint(1, 9 * max(1, n - len(absent)))
        relation = draw.choice([">=", "<="])
        texts.append(f"{left} + sum(c) {relation} sum(c) + {amount} where present")
    return list(dict.fromkeys(texts))


def test_drawn_sums_over_small_domains_are_judged_alike() -> None:
    """Every class of refusal, and lists that are taken."""
    draw, found, said = random.Random(5), [], Counter[str]()
    for _ in range(220):
        n = draw.choice([1, 2, 2, 3, 4])
        absent = [row for row in range(n) if draw.random() < 0.3]
        texts = mixed(draw, n)
        one, other = outcomes(texts, n, absent)
        said[one] += 1
        found += [] if one == other else [(texts, n, absent, one, other)]
    assert found == []
    assert {"ProofError", "FactError", "BindingError", "SetError"} == said.keys()
    assert min(said["ProofError"], said["FactError"]) > 50


def test_drawn_sums_over_rows_within_rows_are_judged_alike() -> None:
    """What is left of the rows between two sums, and of a combination in one document."""
    draw, found, said = random.Random(6), [], Counter[str]()
    for _ in range(200):
        n = draw.choice([2, 2, 3, 4])
        absent = sorted(draw.sample(range(n), draw.choice([1, 1, n - 1])))
        texts = crossing(draw, n, absent)
        one, other = outcomes(texts, n, absent)
        said[one] += 1
        found += [] if one == other else [(texts, n, absent, one, other)]
    assert found == []
    assert min(said["ProofError"], said["FactError"]) > 30


IN_TURN = ["each c in {0, 1, 6}", "each c - a >= 0", "each a - b >= 0"]
DECIDED = [
    # What is absent from a sum is said before the sums are judged; from a fact about each, after.
    (["sum(c) >= 1", "sum(a) >= 12"], [1], "BindingError"),
    (["each c >= 1", "sum(a) >= 12"], [1], "FactError"),
    (["sum(c) >= 1 where present", "sum(a) >= 12"], [0, 1], "BindingError"),
    (["count() >= 3", "sum(a) >= 12"], [], "FactError"),
    (["sum(c) >= 1", "each a in {3, 4}", "each a <= 3"], [1], "FactError"),
    # A set of another type cuts nothing before it is refused.
    (["each b + a >= 5", "each a in @apart"], [], "SetError"),
    # One value is too few also where an attribute cancels out, but not in a sum.
    (["each b + z >= z"], [], "FactError"),
    (["sum(b) + sum(z) >= sum(z)"], [], "ProofError"),
    # A combination that differs by rows lies within what each document's facts leave of it.
    (
        ["each a + b >= 1", "sum(a) + sum(b) <= 6",
         "sum(a) + sum(b) + sum(c) >= sum(c) + 5 where present"], [1], "FactError",
    ),
    (
        ["each a + b >= 1", "sum(a) + sum(b) <= 6",
         "sum(a) + sum(b) + sum(c) >= sum(c) + 4 where present"], [1], "ProofError",
    ),
    # What is left of one document is narrowed in as many rounds as at first.
    ([*IN_TURN, "sum(b) >= 5"], [], "FactError"),
    ([*IN_TURN, "sum(b) >= 4"], [], "ProofError"),
]  # fmt: skip


@pytest.mark.parametrize(("texts", "absent", "expected"), DECIDED)
def test_what_the_rule_says_at_its_edges(
    texts: list[str], absent: list[int], expected: str
) -> None:
    """Each is decided by one sentence of the specification."""
    assert (expected, expected) == outcomes(texts, 2, absent)
