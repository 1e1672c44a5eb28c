"""Facts over a selection: what is read, what is refused, and the one text of each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.plants import SCHEMA

from proofs.errors import FactError
from proofs.facts import FactList, parse_fact, parse_list_fact


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("sum(capacity) >= 500 MW", "sum(capacity) >= 500 MW"),
        ("sum ( capacity )>=0.5 GW", "sum(capacity) >= 500 MW"),
        ("sum(capacity) >= 500 MW   where  present ", "sum(capacity) >= 500 MW where present"),
        ("sum(capacity) >= count() * 8.50 MW", "sum(capacity) >= count() * 8.5 MW"),
        ("sum(commissioned) >= count()", "sum(commissioned) >= count() * 1"),
        (
            "sum(capacity) >= count() * 8 MW + 5 MW - count() * 10 kW",
            "sum(capacity) >= 5 MW + count() * 7.99 MW",
        ),
        ("sum(commissioned) >= 0 - count() * 3", "sum(commissioned) >= 0 - count() * 3"),
        (
            "sum(capacity) * 100 <= 60 * sum(capacity)",
            "sum(capacity) * 100 <= sum(capacity) * 60",
        ),
        (
            "abs(sum(commissioned) - 3) * 5 <= count() * 2020",
            "abs(sum(commissioned) - 3) * 5 <= count() * 2020",
        ),
        ("count() >= 10", "count() >= 10"),
        ("count( ) <= 0", "count() <= 0"),
        ("owner not in @ofac where present", "each owner not in @ofac where present"),
        ("each owner not in @ofac", "each owner not in @ofac"),
        ("capacity in 3..4 MW", "each capacity in 3..4 MW"),
        ("commissioned * 2 >= 3900", "each commissioned * 2 >= 3900"),
        ("fuel in {Hydro, Coal} where present", "each fuel in {Coal, Hydro} where present"),
        ('plant_name = "where present"', 'each plant_name = "where present"'),
    ],
)
def test_the_canonical_text(typed: str, canonical: str) -> None:
    """What is typed has one text, which reads back to the same fact."""
    fact = parse_list_fact(typed, SCHEMA)
    assert fact.text == canonical
    assert parse_list_fact(canonical, SCHEMA) == fact


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("each sum(capacity) >= 3 MW", "leave `each` out"),
        ("each count() >= 3", "leave `each` out"),
        ("sum(owner) >= 3", "only numbers add up"),
        ("sum(fuel) >= 3", "only numbers add up"),
        ("sum(capacity) >= capacity", "not about both"),
        ("capacity >= sum(capacity)", "not about both"),
        ("capacity >= count() * 3 MW", "stands with sums"),
        ("count() >= 10 where present", "of all documents"),
        ("count() >= 1.5", "whole number"),
        ("count() >= 1234567890", "whole number"),
        ("count() * 2 >= 3", "whole number"),
        ("count() >= sum(capacity)", "whole number"),
        ("sum(capacity) >= count() * capacity", "count\\(\\) times a number"),
        ("sum(capacity) >= 8 kW", "not exact"),
        ("sum(capacity) >= 3 CNY", "unit differs"),
        ("sum(capacity) <= sum(capacity)", "cancel out"),
        ("sum(capacity) + sum(capacity) >= 3 MW", "once on a side"),
        ("sum(nothing) >= 3", "no attribute"),
        ("sum(capacity) in 3..4 MW", "cannot read"),
        ("min(capacity) >= 3 MW", "no min and max"),
        ("each", "ends too early"),
        ("where present", "cannot read"),
        ("sum(capacity) >= 3 MW where absent", "cannot read"),
    ],
)
def test_what_makes_no_sense_is_refused(typed: str, message: str) -> None:
    """With what to mend."""
    with pytest.raises(FactError, match=message):
        parse_list_fact(typed, SCHEMA)


@pytest.mark.parametrize(
    "typed",
    ["sum(capacity) >= 5 MW", "each capacity >= 3 MW", "count() >= 3", "fuel = Coal where present"],
)
def test_facts_about_documents_by_name_have_none_of_it(typed: str) -> None:
    """There is nothing to add up or count."""
    with pytest.raises(FactError, match="about a selection"):
        parse_fact(typed, SCHEMA)


def test_only_the_canonical_text_is_taken_from_what_was_signed() -> None:
    """Without `each`, one fact would have two texts."""
    assert FactList.over(["capacity >= 3 MW"], SCHEMA).texts == ["each capacity >= 3 MW"]
    with pytest.raises(FactError, match="canonical"):
        FactList.over_canonical(["capacity >= 3 MW"], SCHEMA)


@given(
    factor=st.integers(1, 10**6),
    amount=st.integers(-(10**9), 10**9),
    per=st.integers(-(10**9), 10**9),
    count=st.integers(1, 500),
    total=st.integers(-(10**12), 10**12),
    relation=st.sampled_from([">=", "<="]),
)
@settings(max_examples=60, deadline=None)
def test_a_form_says_what_the_sentence_says(
    factor: int, amount: int, per: int, count: int, total: int, relation: str
) -> None:
    """Over every number of documents, in steps of the attribute: exact, floors included."""

    def signed(number: int, prefix: str = "") -> str:
        digits = f"{abs(number) // 100}.{abs(number) % 100:02d} MW"
        return f"{'-' if number < 0 else '+'} {prefix}{digits}"

    text = f"sum(capacity) * {factor} {relation} 0 MW {signed(amount)} {signed(per, 'count() * ')}"
    fact = parse_list_fact(text, SCHEMA)
    assert parse_list_fact(fact.text, SCHEMA) == fact
    right = amount + per * count
    expected = total * factor >= right if relation == ">=" else total * factor <= right
    sentence = fact.sentence
    (form,) = sentence.forms_over(count)  # type: ignore[union-attr]
    assert form.holds(lambda alias, attribute: total) == expected


WORDS = replace(
    SCHEMA,
    attributes=tuple(
        replace(attribute, name=name)
        for attribute in SCHEMA.attributes
        if attribute.name == "capacity"
        for name in ("each", "where", "present")
    ),
)
"""Attributes whose names the language uses too: schemas from before it did may have them."""


@pytest.mark.parametrize(
    "text",
    [
        "each >= 3 MW",
        "each in 3..4 MW",
        "each - present >= 3 MW",
        "each + present >= 3 MW",
        "each * 2 <= where * 3",
        "abs(each - where) <= 3 MW",
        "present >= each",
        "present >= where",
        "where in 3..4 MW",
    ],
)
def test_a_name_that_is_a_word_of_the_language_stays_a_name(text: str) -> None:
    """One sentence about one document as before, and with each mark once over a selection."""
    assert parse_fact(text, WORDS).text == text
    assert parse_list_fact(text, WORDS).text == f"each {text}"
    marked = f"each {text} where present"
    for typed in (marked, f"{text}  where  present", marked.replace(" ", "  ")):
        assert parse_list_fact(typed, WORDS).text == marked
    with pytest.raises(FactError, match="about a selection"):
        parse_fact(f"each {text}", WORDS)
