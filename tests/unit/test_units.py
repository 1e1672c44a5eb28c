"""Units that differ by a power of ten, rates of exchange, and the names of documents in facts."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.books import book, subjects
from support.facts import facts, schema

from proofs.errors import CrossproofError, FactError
from proofs.facts import Fact, FactList, parse_fact
from proofs.schema import Attribute
from proofs.subjects import SLOTS, Subjects
from proofs.units import Rate, measure, zeros_between


def test_only_units_of_one_kind_can_be_exchanged() -> None:
    """Letters decide: mW is not MW, and kWh no power."""
    known = ["W", "kW", "MW", "GW", "kWh", "GWh", "CNY", "元", "万元", "亿元", "HKD", "万港元"]
    known += ["mW", "Mw", "RMB", "USD", "", "tCO2e", "元/kWh"]
    for one, two in product(known, known):
        zeros = zeros_between(one, two)
        assert (zeros is None) == (measure(one)[0] != measure(two)[0])
        if zeros is not None:
            assert zeros_between(two, one) == -zeros
    assert zeros_between("亿元", "CNY") == 8
    assert zeros_between("GW", "kW") == 6
    assert zeros_between("mW", "MW") is None
    assert zeros_between("USD", "USD") == 0


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 10**20),
    st.text(min_size=1, max_size=12),
    st.sampled_from(["HKD/CNY", "USD/HKD"]),
)
def test_a_rate_reads_back(digits: int, source: str, pair: str) -> None:
    """Any exact rate and any source that can be shown, in quotes where it needs them."""
    number = f"{digits // 10**12}.{digits % 10**12:012}"
    try:
        rate = Rate.read(number, pair, source, "2026-06-30")
    except CrossproofError:
        return
    printed = rate.print(bare=False)
    head, _, rest = printed.partition(" (")
    assert rest.endswith(", 2026-06-30)")
    _, value, names = head.split(" ")
    assert rate == Rate.read(value, names, source, "2026-06-30")
    assert not value.endswith("0") or "." not in value
    quote, base = pair.split("/")
    assert (rate.quote, rate.base) == (quote, base)
    assert rate.mantissa * 10**12 == digits * 10**rate.places


@settings(max_examples=300, deadline=None)
@given(facts(), st.sampled_from(["a", "in", "x-1", "today", "doc"]))
def test_facts_of_one_of_several_documents_read_back(fact: Fact, alias: str) -> None:
    """The sentence is that of an only document behind an alias; it needs one, and the right one."""
    among = Subjects.of({alias: schema, "zz": book()})
    text = f"{alias}.{fact.text}"
    found = parse_fact(text, among)
    assert (found, found.text) == (Fact(fact.attribute, fact.claim, alias), text)
    with pytest.raises(FactError):
        parse_fact(fact.text, among)
    with pytest.raises(FactError, match="no document has the alias 'other'"):
        parse_fact(f"other.{fact.text}", among)
    assert parse_fact(f"{alias}.{fact.text}", {alias: schema}).text == fact.text


def test_slots_are_numbered_by_alias() -> None:
    """64 a document; a number leads back to its attribute."""
    found = subjects()
    for place, (alias, each) in enumerate(found.schemas):
        for index, attribute in enumerate(each.attributes):
            slot = found.slot(alias, attribute)
            assert slot == place * SLOTS + index
            assert found.at(slot) == (alias, attribute)
            assert found.name(slot) == f"{alias}.{attribute.name}"
    alone = Subjects.of(book())
    assert [alone.slot("", each) for each in book().attributes] == list(range(9))
    assert alone.name(0) == "debt"


def test_an_attribute_of_another_document_has_no_slot() -> None:
    """Facts read elsewhere are refused, and so is an alias that is none."""
    stranger: Attribute = schema.attribute("capacity")
    for alias in ("a", "c", ""):
        with pytest.raises(CrossproofError):
            subjects().slot(alias, stranger)


def test_documents_have_distinct_aliases_in_order() -> None:
    """As requests, grants and bundles list them."""
    assert [alias for alias, _ in Subjects.of({"b": book(), "a": book()}).schemas] == ["a", "b"]
    for pairs in ((("b", book()), ("a", book())), (("a", book()), ("a", book())), ()):
        with pytest.raises(FactError):
            Subjects(pairs)
    for alias in ("A", "a.b", "", "1"):
        with pytest.raises(CrossproofError):
            Subjects.of({alias: book()})
    with pytest.raises(FactError, match="1 to 64"):
        Subjects.of({f"d{number}": book() for number in range(65)})


def test_one_fact_about_two_documents_stands_twice() -> None:
    """a's and b's are two facts."""
    found = FactList.parse(["a.debt >= 5", "b.debt >= 5 CNY"], subjects())
    assert found.texts == ["a.debt >= 5 CNY", "b.debt >= 5 CNY"]
    with pytest.raises(FactError, match="stands twice"):
        FactList.parse(["a.debt >= 5", "a.debt >= 0.0005 万元"], subjects())
