"""What may be asked over a selection: sums and facts about each document, taken together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import NOW

from proofs.attestation import AsOf
from proofs.errors import FactError
from proofs.evaluate import SetMembers, evaluate, evaluate_linear
from proofs.facts import Fact, FactList
from proofs.linear import LinearFact
from proofs.list_classes import check_list_facts
from proofs.list_facts import ListFact
from proofs.listing import Listing, Row
from proofs.schema import Attribute, Schema
from proofs.values import Value


def _schema(greatest: int) -> Schema:
    attributes = [
        {
            "name": name,
            "label": name,
            "type": "integer",
            "class": "public" if name == "p" else "asset",
            "min": 0,
            "max": greatest,
            "optional": name == "c",
        }
        for name in "abcp"
    ]
    text = {"name": "small", "title": "Small", "attributes": attributes}
    return Schema.parse(Schema.from_author(json.dumps(text).encode()))


hundred, small = _schema(100), _schema(3)


def _listing(schema: Schema, count: int, without_c: Iterable[int] = ()) -> Listing:
    absent = set(without_c)
    return Listing(
        schema=schema.digest,
        columns=(0, 1, 2, 3),
        rows=tuple(
            Row(f"{n:032x}", 1, f"cn-pv-{n}", (b"", b"", None if n in absent else b"", b""))
            for n in range(count)
        ),
        digest="0" * 64,
        as_of=AsOf(NOW.date(), NOW.date()),
        same_as_of=True,
        valid_until=NOW,
        attested=(NOW, NOW),
    )


class _Grades:
    """A named set of numbers."""

    type_tag = hundred.attribute("a").type_tag
    members: tuple[Value, ...] = (10, 20, 500)


SETS: dict[str, SetMembers] = {"grades": _Grades()}


@pytest.mark.parametrize(
    ("texts", "count", "message"),
    [
        # One document: its sum is its value.
        (["each a >= 20", "sum(a) <= 20"], 1, "one possible value"),
        (["each a >= 20", "sum(a) <= 21"], 1, ""),
        (["each a >= b", "sum(a) <= sum(b)"], 1, "one possible value of their combination"),
        (["each a >= b", "sum(a) <= sum(b) + 1"], 1, ""),
        (["each a + b >= 100", "each a >= b", "sum(a) <= 50"], 1, "one possible value"),
        # A list's or set's gaps, through a sum: fifty documents are opened at once.
        (["each a in {10, 20}", "sum(a) >= count() * 20 - 9"], 50, "each a: .* 1 possible"),
        (["each a in {10, 20}", "sum(a) >= count() * 20 - 10"], 50, ""),
        (["each a in @grades", "sum(a) >= count() * 20 - 9"], 50, "each a: .* 1 possible"),
        (["each a in @grades", "sum(a) >= count() * 20 - 10"], 50, ""),
        # The same combination, of each document and of the sums.
        (["each a - b >= 10", "sum(a) - sum(b) <= count() * 10"], 7, r"sum\(a\), sum\(b\): .* one"),
        (["each a - b >= 10", "sum(a) - sum(b) <= count() * 10 + 1"], 7, ""),
        (["each a - b <= 10", "each b - a <= 5", "sum(b) - sum(a) >= count() * 5"], 7, "one poss"),
        (["each a - b <= 10", "sum(a) - sum(b) >= count() * 10 - 1"], 7, ""),
        # A sum's bound, carried on by a fact about each document.
        (["each a * 2 - b >= 106", "sum(b) >= 94"], 1, "possible value"),
        # What is public may be shown.
        (["each p >= 20", "sum(p) <= count() * 20"], 9, ""),
        (["each p = 5", "sum(a) + sum(p) >= 105"], 1, "one possible value"),
    ],
)
def test_each_and_all_are_counted_together(texts: list[str], count: int, message: str) -> None:
    """Facts about each document and sums must not open what neither opens alone."""
    facts = FactList.over(texts, hundred)
    _judge(lambda: check_list_facts(facts, hundred, SETS, _listing(hundred, count)), message)


@pytest.mark.parametrize(
    ("texts", "without_c", "message"),
    [
        # All but one have c, and the sums' difference is that one's value.
        (["sum(a) <= 100", "sum(a) + sum(c) >= 300 where present"], [2], ""),
        (["sum(a) <= 81", "sum(a) >= 80", "sum(a) - sum(c) >= 61 where present"], [2], ""),
        (["sum(a) <= 80", "sum(a) >= 79", "sum(c) * 9 + sum(a) <= 9 where present"], [2], ""),
        (["sum(a) <= 50", "sum(a) * 2 - sum(c) >= 100 where present"], [2], "one possible value"),
        (["sum(a) <= 50", "sum(a) * 2 - sum(c) >= 99 where present"], [2], "one possible value"),
        (["sum(a) <= 51", "sum(a) * 2 - sum(c) >= 100 where present"], [2], ""),
        (["sum(a) <= 50", "sum(a) * 2 - sum(c) >= 100 where present"], [], "one possible value"),
        (
            ["each a <= 40", "sum(a) >= 140", "sum(a) + sum(c) <= 100 where present"],
            [3],
            r"sum\(a\): .* one",
        ),
        (["each a <= 40", "sum(a) >= 139", "sum(a) + sum(c) <= 100 where present"], [3], ""),
    ],
)
def test_the_difference_of_sums_counts_as_a_sum(
    texts: list[str], without_c: list[int], message: str
) -> None:
    """Over four documents, and over those of them that have c."""
    facts = FactList.over(texts, hundred)
    listing = _listing(hundred, 4, without_c)
    _judge(lambda: check_list_facts(facts, hundred, {}, listing), message)


def _judge(check: Callable[[], None], message: str) -> None:
    if not message:
        check()
        return
    with pytest.raises(FactError, match=message):
        check()


# --- counted out --------------------------------------------------------------------------------

Document = dict[str, int]


@st.composite
def _about_one(draw: st.DrawFn, terms: tuple[str, str]) -> list[str]:
    """Bounds of one expression, of each document and of the sums."""
    each, total = terms
    ends = st.integers(-4, 10)
    texts = [f"each {each} {draw(st.sampled_from(['>=', '<=']))} {draw(st.integers(0, 3))}"]
    for relation in draw(st.lists(st.sampled_from([">=", "<="]), min_size=1, max_size=2)):
        texts.append(f"{total} {relation} {draw(ends)}")
    return list(dict.fromkeys(texts))


def _documents(count: int, names: str) -> Iterator[tuple[Document, ...]]:
    one = [dict(zip(names, each, strict=True)) for each in product(range(4), repeat=len(names))]
    yield from product(one, repeat=count)


def _true(fact: ListFact, documents: tuple[Document, ...]) -> bool:
    sentence = fact.sentence
    if isinstance(sentence, Fact):
        return all(evaluate(sentence, each[sentence.attribute.name], {}) for each in documents)
    assert isinstance(sentence, LinearFact)
    if fact.each:
        return all(
            evaluate_linear(sentence, lambda _, a, values=each: values[a.name])
            for each in documents
        )

    def total(_: str, attribute: Attribute) -> int:
        return sum(each[attribute.name] for each in documents)

    return all(form.holds(total) for form in sentence.forms_over(len(documents)))


def _read(texts: list[str]) -> FactList[ListFact] | None:
    try:
        return FactList.over(texts, small)
    except FactError:  # past what the schema allows
        return None


@pytest.mark.parametrize(
    ("terms", "names", "value"),
    [
        (("a", "sum(a)"), "a", lambda each: each["a"]),
        (("a - b", "sum(a) - sum(b)"), "ab", lambda each: each["a"] - each["b"]),
        (("a + b", "sum(a) + sum(b)"), "ab", lambda each: each["a"] + each["b"]),
    ],
)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(1, 2))
def test_of_one_expression_the_rule_is_exact(
    terms: tuple[str, str],
    names: str,
    value: Callable[[Document], int],
    data: st.DataObject,
    count: int,
) -> None:
    """What passes leaves two values of it in every document and of its sum; else it is refused."""
    facts = _read(data.draw(_about_one(terms)))
    if facts is None:
        return
    left = [each for each in _documents(count, names) if all(_true(f, each) for f in facts)]
    counts = [len({value(each[place]) for each in left}) for place in range(count)]
    counts.append(len({sum(map(value, each)) for each in left}))
    counts += [len({each[0][name] for each in left}) for name in names]
    try:
        check_list_facts(facts, small, {}, _listing(small, count))
    except FactError:
        passed = False
    else:
        passed = True
    assert (min(counts) >= 2) is passed


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 2))
def test_nothing_is_refused_that_leaves_enough(data: st.DataObject, count: int) -> None:
    """Of whatever facts: a refusal means that something has one value, or none."""
    choices = ["a", "b", "a - b", "a + b", "a * 2 - b"]
    texts: list[str] = []
    for _ in range(data.draw(st.integers(1, 3))):
        chosen = data.draw(st.sampled_from(choices))
        relation = data.draw(st.sampled_from([">=", "<="]))
        if data.draw(st.booleans()):
            texts.append(f"each {chosen} {relation} {data.draw(st.integers(0, 6))}")
        else:
            summed = chosen.replace("a", "sum(a)").replace("b", "sum(b)")
            texts.append(f"{summed} {relation} {data.draw(st.integers(-4, 14))}")
    facts = _read(list(dict.fromkeys(texts)))
    if facts is None:
        return
    try:
        check_list_facts(facts, small, {}, _listing(small, count))
    except FactError:
        pass
    else:
        return
    left = [each for each in _documents(count, "ab") if all(_true(f, each) for f in facts)]
    expressions: list[Callable[[Document], int]] = [
        lambda each: each["a"],
        lambda each: each["b"],
        lambda each: each["a"] - each["b"],
        lambda each: each["a"] + each["b"],
        lambda each: each["a"] * 2 - each["b"],
    ]
    counts = [
        len({each(docs[place]) for docs in left}) for each in expressions for place in range(count)
    ]
    counts += [len({sum(map(each, docs)) for docs in left}) for each in expressions]
    assert min(counts) < 2
