"""Implication of facts over a selection, compared with going through all tiny lists."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import bundles
from support.portfolio import Portfolio, holdings

from proofs.errors import CannotProveError, FactError, PolicyError
from proofs.evaluate import evaluate, evaluate_linear
from proofs.facts import Fact, parse_list_fact
from proofs.linear import LinearFact
from proofs.list_facts import CountFact, ListFact
from proofs.list_implication import RowsAbout, bearing_on, implies_over
from proofs.policy import Expectation
from proofs.requirements import Met
from proofs.schema import Attribute, Schema
from proofs.verify import Verified, verify_bundle

Document = Mapping[str, int | None]

_ATTRIBUTES = [
    {
        "name": name,
        "label": name,
        "type": "integer",
        "class": "public",
        "min": least,
        "max": greatest,
        "optional": name == "c",
    }
    for name, least, greatest in (("a", 0, 2), ("b", -1, 1), ("c", 1, 2))
]
TINY = Schema.parse(
    Schema.from_author(
        json.dumps({"name": "tiny", "title": "Tiny", "attributes": _ATTRIBUTES}).encode()
    )
)


def read(text: str) -> ListFact:
    """A sentence over a selection."""
    return parse_list_fact(text, TINY)


def rows_of(present: Sequence[bool]) -> RowsAbout:
    """The documents that have what a fact is about; `present` says which have a `c`."""

    def rows(fact: ListFact) -> list[int]:
        wants = any(each.name == "c" for each in fact.attributes)
        found = [place for place, each in enumerate(present) if each or not wants]
        if not found or (len(found) < len(present) and not fact.present):
            raise CannotProveError("absent")
        return found

    return rows


def provable(fact: ListFact, rows: RowsAbout) -> bool:
    """Whether a proof of it over this list could be made at all."""
    try:
        rows(fact)
    except CannotProveError:
        return False
    return True


def true_of(fact: ListFact, documents: Sequence[Document], rows: RowsAbout) -> bool:
    """Whether a fact is true of a list of documents."""
    sentence = fact.sentence
    if isinstance(sentence, CountFact):
        return sentence.holds(len(documents))
    if not provable(fact, rows):
        return False
    about = [documents[place] for place in rows(fact)]

    def total(_: str, attribute: Attribute) -> int:
        return sum(each[attribute.name] or 0 for each in about)

    if isinstance(sentence, LinearFact) and not fact.each:
        return all(form.holds(total) for form in sentence.forms_over(len(about)))
    return all(_true_of_one(sentence, each) for each in about)


def _true_of_one(sentence: Fact | LinearFact, document: Document) -> bool:
    if isinstance(sentence, LinearFact):
        return evaluate_linear(sentence, lambda _, attribute: document[attribute.name])
    return evaluate(sentence, document[sentence.attribute.name], {})


def by_brute_force(proven: Sequence[ListFact], required: ListFact, present: Sequence[bool]) -> bool:
    """Whether the required fact is true of every list of which the proven ones are."""
    rows = rows_of(present)
    kinds = {
        has: [
            dict(zip("abc", values, strict=True))
            for values in product(range(3), range(-1, 2), (1, 2) if has else (None,))
        ]
        for has in (True, False)
    }
    for documents in product(*(kinds[has] for has in present)):
        if all(true_of(each, documents, rows) for each in proven) and not true_of(
            required, documents, rows
        ):
            return False
    return True


@st.composite
def sentences(draw: st.DrawFn) -> str:
    """Facts about each document, sums, and counts."""
    name, other = draw(st.permutations("abc"))[:2]
    number, factor = draw(st.integers(-1, 6)), draw(st.integers(1, 3))
    relation, bound = draw(st.sampled_from([">=", "<="])), draw(st.integers(1, 2))
    return draw(
        st.sampled_from(
            [
                f"each {name} {relation} {bound}",
                f"each {name} in {{1, 2}}",
                f"each {name} * {factor} {relation} {other} + {number}",
                f"sum({name}) {relation} {number}",
                f"sum({name}) * {factor} {relation} sum({other})",
                f"sum({name}) + sum({other}) {relation} {number}",
                f"sum({name}) * {factor} {relation} count() * {bound}",
                f"abs(sum({name}) - sum({other})) <= {number}",
                f"count() {relation} {bound}",
            ]
        )
    ) + draw(st.sampled_from(["", "", " where present"]))


def _readable(text: str) -> ListFact | None:
    try:
        return read(text)
    except FactError:  # a bound past the schema's, or `where present` of a count
        return None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(sentences(), max_size=3),
    st.lists(sentences(), min_size=1, max_size=3),
    st.lists(st.booleans(), min_size=1, max_size=2),
)
def test_it_never_says_yes_wrongly(
    texts: list[str], required: list[str], present: list[bool]
) -> None:
    """Every yes is true of all lists with these documents present and absent as they are."""
    rows = rows_of(present)
    proven = [found for found in map(_readable, texts) if found and provable(found, rows)]
    for wanted in filter(None, map(_readable, required)):
        if implies_over(proven, wanted, {}, count=len(present), rows_about=rows):
            assert by_brute_force(proven, wanted, present)


@pytest.mark.parametrize(
    ("proven", "required", "expected"),
    [
        (["sum(a) >= 3"], "sum(a) >= 2", True),
        (["sum(a) >= 3"], "sum(a) >= 4", False),
        (["sum(a) >= 3"], "sum(a) * 2 >= 6", True),
        (["sum(a) >= 3"], "sum(a) >= 3 where present", True),  # all documents have it
        (["sum(a) * 2 <= sum(b)"], "sum(a) * 2 <= sum(b) + 1", True),
        (["each a >= 2"], "sum(a) >= 4", True),  # two documents
        (["each a >= 1"], "sum(a) >= 3", False),
        (["each a <= b"], "sum(a) <= sum(b)", True),
        (["each a <= b"], "sum(a) * 2 <= sum(b)", False),  # all of them 1
        (["each a <= b + 1"], "sum(a) <= sum(b) + 1", False),
        (["each a <= b + 1"], "sum(a) <= sum(b) + count() * 1", True),
        (["sum(a) >= 0"], "sum(a) <= 4", True),  # by the bounds of two documents
        (["sum(a) >= 0"], "sum(a) <= 3", False),
        (["sum(a) >= 3", "sum(b) >= sum(a) - 2"], "sum(b) >= 1", True),
        (["sum(a) >= 3"], "count() >= 2", True),
        (["sum(a) >= 3"], "count() >= 3", False),
        (["count() >= 2"], "count() <= 2", True),
        (["sum(a) >= 3"], "each a >= 1", False),  # asked of a document, not of the list
        (["sum(c) >= 2 where present"], "sum(c) >= 1 where present", True),
        (["sum(c) >= 2 where present"], "sum(c) >= 1", False),  # the other has none
        (["sum(c) >= 2 where present"], "sum(a) >= 0", True),
        (["each c >= 2 where present"], "sum(c) >= 2 where present", True),
        (["sum(a) >= 4"], "sum(a) >= 2 where present", True),
        (["sum(a) >= 4"], "sum(a) + sum(c) >= 1 where present", True),  # one document, c is 1
        (["sum(a) >= 4"], "sum(a) + sum(c) >= 2 where present", False),  # over other documents
    ],
)
def test_pairs(proven: list[str], required: str, expected: bool) -> None:
    """Over two documents, of which the second has no `c`."""
    present = [True, False]
    facts, wanted = [read(text) for text in proven], read(required)
    found = implies_over(facts, wanted, {}, count=2, rows_about=rows_of(present))
    assert not expected or by_brute_force(facts, wanted, present)
    assert expected == found


def test_facts_that_bear_on_a_sum() -> None:
    """Those about one of its attributes, and no count."""
    proven = [read(text) for text in ("each a >= 1", "sum(b) >= 0", "count() >= 1")]
    assert bearing_on(proven, read("sum(a) >= 3")) == ["each a >= 1"]


# --- in the procedure ---------------------------------------------------------------------------

SUMS = (
    "sum(capacity) >= 100 MW",
    "each capacity in 1..90 MW",
    "each owner not in @sanctions where present",
)


@pytest.fixture(scope="module")
def bundle() -> bytes:
    """Four documents; one of them has no owner."""
    return Portfolio(holdings(4), facts=SUMS, used=(bundles.named_set("sanctions"),)).build()


def _verify(bundle: bytes, asset: str, *required: str) -> Verified:
    return verify_bundle(
        bundle,
        trust=bundles.trust(),
        expectation=Expectation.for_audience(
            bundles.AUDIENCE, nonce="5a" * 32, assets=[asset], required=required
        ),
        sets=bundles.sets(),
        now=bundles.NOW,
    )


@pytest.mark.parametrize(
    ("required", "met"),
    [
        ("capacity >= 500 kW", "capacity >= 0.5 MW"),
        ("each capacity >= 500 kW", "capacity >= 0.5 MW"),
        ("sum(capacity) >= 90 MW", "sum(capacity) >= 90 MW"),
        ("sum(capacity) <= 360 MW", "sum(capacity) <= 360 MW"),  # 4 of at most 90
        ("count() >= 4", "count() >= 4"),
        ("owner not in @sanctions", "owner not in @sanctions"),
    ],
)
def test_what_a_selection_implies_of_an_asset(bundle: bytes, required: str, met: str) -> None:
    """Of its own document, and of the list that it is in."""
    asset = holdings(4)[3].attestation.asset
    assert _verify(bundle, asset, required).met == (Met(met, asset, "doc"),)


@pytest.mark.parametrize(
    ("required", "message"),
    [
        ("capacity >= 2 MW", "does not follow from capacity in 1..90 MW"),
        ("sum(capacity) >= 101 MW", "does not follow from sum(capacity) >= 100 MW; each"),
        ("count() >= 5", "nothing is proven about it"),
        ("annual_yield >= 7%", "nothing is proven about it"),
        ("sum(annual_yield) >= 7%", "nothing is proven about it"),
        ("size >= 7", "no attribute"),
        ("sum(size) >= 7", "no attribute"),
        ("owner not in @sanctions", "nothing is proven about it"),
    ],
)
def test_what_a_selection_does_not_imply(bundle: bytes, required: str, message: str) -> None:
    """The first document has no owner, and what is said of the others says nothing of it."""
    asset = holdings(4)[0].attestation.asset
    with pytest.raises(PolicyError, match=re.escape(message)):
        _verify(bundle, asset, required)
