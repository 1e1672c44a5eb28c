"""Bundles about selections: made apart from the first implementation, and one thing changed.

As in `test_same_refusals`, proofs of the second part are stand-ins whose sum is left out.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from independent.apart import FILES, NAMES, PLANT, VALUES, used
from independent.both import first, second
from independent.issuer import (
    AUDIENCE,
    AUTHORITY,
    NONCE,
    NOW,
    Chosen,
    Document,
    Edit,
    attribute,
    issue,
    schema,
    unchanged,
)
from independent.second_verifier.curve import Equation
from independent.second_verifier.encoding import Tree
from independent.sentences import Drawer

OWNER = NAMES.index("owner")
MANIFEST = ("power", "yield", "n", "fuel", "owner")
PROVER, REQUEST, ASKED = Chosen(), Chosen("request"), Chosen("manifest")
WITH_MANIFEST = (Chosen("manifest", MANIFEST), Chosen("prover", MANIFEST))
REMOVED = object()


def rows(count: int, *, known: bool = False, absent: tuple[int, ...] = ()) -> list[Document]:
    """Documents of different assets, some without an owner."""
    found = []
    for index in range(count):
        values: list[Any] = list(VALUES)
        values[OWNER] = None if index in absent else values[OWNER]
        values[0] += 10 * index
        found.append(Document("", f"cn-{index:03}", PLANT, values if known else ()))
    return found


def outcomes(
    texts: list[str],
    documents: list[Document],
    chosen: Chosen,
    edit: Edit = unchanged,
    now: str = NOW,
) -> tuple[str, str]:
    """What both say of a selection."""
    use = used([text.removesuffix(" where present") for text in texts])
    case = issue(texts, documents, FILES, use=use, chosen=chosen, edit=edit)
    given = {"trust": case.trust, "sets": case.sets, "now": now}
    asked = {"audience": AUDIENCE, "nonce": NONCE}
    return first(case.bundle, **given, **asked), second(case.bundle, **given, **asked)


@pytest.mark.parametrize("chosen", [REQUEST, WITH_MANIFEST[0]], ids=lambda each: each.by)
def test_true_facts_over_a_selection_are_believed_by_both(chosen: Chosen) -> None:
    """Sums, an average, a count, facts about each, some where present; both kinds of evidence."""
    texts = [
        "sum(power) >= 60 MW",
        "sum(yield) >= count() * 0.08",
        "count() <= 3",
        "each fuel in @fuels",
        "each owner not in @few where present",
        "each n in {2, 5}",
    ]
    documents = rows(2, known=True, absent=(1,))
    assert outcomes(texts, documents, chosen) == ("Verified", "Verified")


def test_false_facts_over_a_selection_are_believed_by_none() -> None:
    """A sum that is one step short."""
    documents = rows(2, known=True)
    assert outcomes(["sum(power) >= 61.011 MW"], documents, PROVER) == ("ProofError", "ProofError")
    assert outcomes(["sum(power) >= 61.01 MW"], documents, PROVER) == ("Verified", "Verified")


@pytest.fixture
def _no_sum_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Equation, "vanishes", lambda self: False)


def without_owners(absent: tuple[int, ...], *, place: int = OWNER) -> Edit:
    """Takes the owners, or another attribute, of some rows out of stand-in attestations."""
    counted = iter(range(1000))

    def edit(part: str, tree: Tree) -> None:
        if part == "attestation" and next(counted) in absent:
            marks = tree["presence"]
            tree["presence"] = marks[:place] + "0" + marks[place + 1 :]
            tree["commitments"] = tree["commitments"][64:]

    return edit


SENTENCES = [
    "count() >= 3", "count() <= 2", "count() >= 03", "count() >= 1000000000", "count() = 3",
    "count() >= 3 where present", "sum(n) >= count()", "sum(n) >= count() * 1",
    "sum(n) >= count() * 0", "sum(n) >= 0 + count() * 1", "sum(n) >= 0 - count() * 1",
    "sum(n) >= count() * -1", "sum(n) >= 5 + count() * 1", "sum(n) >= count() * 1 + 5",
    "0 - sum(n) + count() * 1 <= 5", "count() * 1 - sum(n) <= 5", "0 + sum(n) >= 5",
    "sum(n) + 3 - count() * 1 >= 5", "sum(n) + n >= 5", "sum(n) + sum(n) >= 5", "n >= 5",
    "each each n >= 5", "each sum(n) >= 5", "sum(age) >= 5", "sum(day) >= 5",
    "sum(power) >= 5 kW", "sum(power) >= 5 MW where present", "each owner in @names",
    "each owner in @names where present", "each owner in @few where present", "sum(n) >= 3000",
    "sum(n) >= 2998", "sum(n) >= 2999", "sum(n) <= -300", "sum(pub) <= -1 pc",
    "sum(huge) * 1" + "0" * 54 + " >= sum(n)", "sum(huge) * 1" + "0" * 53 + " >= sum(n)",
    "abs(sum(n) - count() * 3) * 2 <= sum(yield)", "sum(n) in 3..5",
    'each title = "a where present"',
    "sum(debt) <= 5 HKD + count() * 5 HKD at 1.1 HKD/CNY (x, 2026-01-01)",
    "sum(power) >= count() * 0.00001 MW", "sum(power) >= count() * 0.001 MW",
]  # fmt: skip
TOGETHER = [
    ["sum(n) >= 5", "sum(n) <= 5"], ["sum(n) >= 5", "sum(n) <= 6"],
    ["each n >= 5", "sum(n) <= 15"], ["each n >= 5", "sum(n) <= 16"],
    ["each n in {5, 6}", "sum(n) <= 15"], ["each n in @nums", "sum(n) <= 3"],
    ["sum(n) + sum(yield) >= 5", "sum(n) + sum(yield) <= 5"], ["count() >= 2", "count() <= 1"],
    ["each n + yield >= 1010", "sum(n) >= 3000"], ["sum(n) * 2 >= 11", "sum(n) <= 6"],
    ["each power - small >= 0 MW", "sum(power) <= 5 MW"], ["sum(n) >= 2996", "each n <= 999"],
    ["each owner not in @names where present", "each owner in @names where present"],
    ["each n in {5, 9}", "sum(n) >= 24"], ["each n in {5, 9}", "sum(n) >= 23"],
    ["each n in @nums", "sum(n) >= 18"], ["each n in @nums", "sum(n) >= 17"],
    ["each n - yield >= 3", "sum(n) - sum(yield) <= 9"], ["each n - yield >= 3", "sum(n) <= 4"],
    ["each n - yield >= 3", "sum(n) - sum(yield) <= 9.0001"],
    ["each small - power >= 0 kW", "sum(power) >= 300 kW", "sum(small) <= 300 kW"],
    ["count() <= 2", "each kind in {A}"], ["each owner in @names", "each power in @powkw"],
]  # fmt: skip


@pytest.mark.usefixtures("_no_sum_of_points")
def test_sentences_over_a_selection_are_taken_and_refused_alike() -> None:
    """Canonical forms, absences, classes, and lists that leave too few values."""
    found, said = [], Counter[str]()
    for texts in [*([each] for each in SENTENCES), *TOGETHER]:
        for absent in ((), (1,)):
            one, other = outcomes(texts, rows(3), PROVER, without_owners(absent))
            said[one] += 1
            found += [] if one == other else [(texts, absent, one, other)]
    assert found == []
    assert {"ProofError", "FactError", "BindingError", "SetError"} <= said.keys()


@pytest.mark.usefixtures("_no_sum_of_points")
def test_drawn_sentences_over_a_selection_are_taken_and_refused_alike() -> None:
    """Those of documents, made into sums and facts about each."""
    drawer, found, said = Drawer(9), [], Counter[str]()
    for _ in range(150):
        texts = list(dict.fromkeys(over_a_list(each, drawer.draw) for each in drawer.texts()))
        one, other = outcomes(texts, rows(2), PROVER)
        said[one] += 1
        found += [] if one == other else [(texts, one, other)]
    assert found == []
    assert said["ProofError"] > 10


TWO = schema(
    attribute("a", "integer", unit="", min="0", max="100"),
    attribute("c", "integer", unit="", min="0", max="100", optional=True),
)
OVER_SOME = [
    [f"sum(a) <= {most}", f"sum(a) * 2 - sum(c) >= {least} where present"]
    for most in (49, 50, 51)
    for least in (98, 99, 100, 101)
] + [
    ["each a <= 40", f"sum(a) >= {least}", "sum(a) + sum(c) <= 80 where present"]
    for least in (118, 119, 120)
] + [
    [f"each a + c <= {most} where present", "sum(a) >= 101", "sum(a) <= 102"] for most in (1, 2)
]  # fmt: skip


@pytest.mark.usefixtures("_no_sum_of_points")
def test_sums_whose_rows_hold_one_another_are_taken_and_refused_alike() -> None:
    """Sums over all documents, over those that have an attribute, and what is between them."""
    said, found = Counter[str](), []
    for texts, absent in product(OVER_SOME, ((), (1,), (0, 2))):
        documents = [Document("", f"cn-{index}", TWO) for index in range(3)]
        one, other = outcomes(texts, documents, PROVER, without_owners(absent, place=1))
        said[one] += 1
        found += [] if one == other else [(texts, absent, one, other)]
    assert found == []
    assert min(said["ProofError"], said["FactError"]) > 10


def over_a_list(text: str, draw: random.Random) -> str:
    """A sentence about one document, as one about all of them or about sums."""
    if draw.random() < 0.5:
        text = f"each {text}"
    else:
        words = [f"sum({word})" if word in NAMES else word for word in text.split(" ")]
        text = " ".join(words)
    return text + (" where present" if draw.random() < 0.2 else "")


Change = tuple[str, str, Any, tuple[Chosen, ...]]
INSTANTS = [
    "2026-06-01T00:00:00Z", "2026-06-15T12:05:01Z", "2026-06-29T00:00:00Z", "2025-01-01T00:00:00Z",
    "2029-01-01T00:00:00Z", "x",
]  # fmt: skip
LISTS = (PROVER, REQUEST, ASKED)


def changes() -> Iterator[Change]:
    """The part, the place in it, what is put there, and in which bundles."""
    tables: list[tuple[tuple[Chosen, ...], str, dict[str, list[Any]]]] = [
        (WITH_MANIFEST, "manifest", {
            "signed_at": INSTANTS, "valid_until": INSTANTS, "attested.first": INSTANTS,
            "attested.last": INSTANTS, "spv": ["", "other", 5], "period.from": ["2026-01-02", "x"],
            "serial": [0, 2**31 - 1, 2**31], "schema": ["0" * 64], "as_of.same": [False, 1],
            "attributes": [[], ["yield", "power", "n", "fuel", "owner"], ["power"], ["x"]],
            "count": [2, 4, 0, 16_385], "attestations": ["0" * 64], "rows": ["0" * 64],
            "extra": [1],
        }),
        (WITH_MANIFEST, "bundle", {
            "selection.rows": ["", "AAAA"], "selection.manifest": [REMOVED, 5],
            "selection.manifest.signatures": [[]], "selection.manifest.payloadType": ["x"],
            "selection.spv": ["other", REMOVED], "selection.keyid": ["0" * 64],
            "selection.chosen_by": ["prover", "request", "manifest", "x"], "documents": [[]],
            "selection": [5, {}], "schemas": [[]],
        }),
        (LISTS, "bundle", {
            "selection.attested": [[], 5], "selection.attested.0": [REMOVED],
            "selection.attested.1": [REMOVED, 5],
            "selection.attested.0.sig": ["AAAA", "A" * 86 + "=="],
            "selection.attested.0.payload": ["", "AAAA"], "selection.spv": ["x"],
            "selection.keyid": ["0" * 64, AUTHORITY.key_id, "x"],
            "selection.chosen_by": ["prover", "request", "manifest", "x"],
        }),
        (LISTS, "attestation", {
            "asset": ["cn-000", "de-1", "cn-zzz"], "document": ["0" * 32], "version": [0, 2],
            "attested_at": INSTANTS, "valid_until": INSTANTS,
        }),
        ((*LISTS[:2], WITH_MANIFEST[0]), "grant", {
            "selection.count": [2, 0, 16_385], "selection.attestations": ["0" * 64, "x"],
            "selection.manifest": ["0" * 64, REMOVED, "x"], "selection": [REMOVED, 5],
            "documents": [[]],
        }),
        ((*LISTS[:2], WITH_MANIFEST[0]), "request", {
            "selection.schema": ["0" * 64], "selection.assets": [["cn-000"], REMOVED],
            "selection.spv": ["x"], "selection.period": [REMOVED], "selection": [REMOVED],
        }),
        ((PROVER, WITH_MANIFEST[0]), "trust", {
            "custodian.0.assets": [["cn-000", "cn-001"], ["cn-00*"]], "custodian.0.schemas": [[]],
            "custodian.0.valid_from": ["2026-06-01T00:00:01Z", "2026-06-02T00:00:01Z"],
            "custodian.0.valid_until": ["2026-06-02T00:00:00Z"],
        }),
    ]  # fmt: skip
    for kinds, part, table in tables:
        for path, values in table.items():
            yield from ((part, path, value, kinds) for value in values)


def changing(part: str, path: str, value: Any) -> Edit:
    """Puts a value at a place of a part, where there is that place."""
    *way, last = (int(key) if key.isdigit() else key for key in path.split("."))

    def edit(name: str, tree: Any) -> None:
        for key in way if name == part else ():
            has = key < len(tree) if isinstance(tree, list) else key in tree
            if not has:
                return
            tree = tree[key]
        if name == part and value is REMOVED:
            if last in range(len(tree)) or last in tree:
                del tree[last]
        elif name == part:
            tree[last] = value

    return edit


@pytest.mark.usefixtures("_no_sum_of_points")
def test_one_change_of_a_selection() -> None:
    """Manifests, rows, signed lists, grants, requests and scopes: both refuse it alike."""
    found, said = [], Counter[str]()
    for part, path, value, kinds in changes():
        for chosen in kinds:
            one, other = outcomes(["sum(n) >= 3"], rows(3), chosen, changing(part, path, value))
            said[one] += 1
            found += [] if one == other else [(part, path, value, chosen, one, other)]
    assert found == []
    refusing = ("Encoding", "Signature", "Trust", "Binding", "Grant", "Context", "Proof")
    assert {f"{name}Error" for name in refusing} <= said.keys()
