"""Linear facts: one text each, exact integers, and true of exactly what the sentence says."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.books import book, subjects
from support.facts import schema as wide

from proofs.errors import CrossproofError, FactError
from proofs.evaluate import evaluate_linear
from proofs.exact import format_decimal
from proofs.facts import AtLeast, AtMost, Between, Fact, FactList, Sentence, parse_fact
from proofs.group import ORDER
from proofs.linear import MAX_MENTIONS, Form, LinearFact
from proofs.schema import Attribute
from proofs.statement import LinearTerm, RangeTerm, compile_facts
from proofs.subjects import SLOTS
from proofs.units import measure

MONEY = ["debt", "price", "last_price"]
RATE = "at 1.0832 HKD/CNY (HKMA, 2026-06-30)"


def linear(text: str) -> LinearFact:
    """A sentence about the three documents that is a linear one."""
    found = parse_fact(text, subjects())
    assert isinstance(found, LinearFact)
    return found


def coefficients(text: str) -> list[tuple[dict[str, int], int]]:
    """What is proven: coefficients by name, and the constant."""
    return [
        ({f"{alias}.{a.name}": each for (alias, a), each in form.coefficients}, form.constant)
        for form in linear(text).forms
    ]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a.debt*100<=a.valuation*60", "a.debt * 100 <= a.valuation * 60"),
        ("100 * a.debt <= 60 * a.valuation", "a.debt * 100 <= a.valuation * 60"),
        ("a.debt + b.debt <= a.valuation", "a.debt + b.debt <= a.valuation"),
        ("2 * a.debt - b.debt >= 5 CNY", "a.debt * 2 - b.debt >= 5 CNY"),
        ("a.debt * 1 - b.debt >= 5.00", "a.debt - b.debt >= 5 CNY"),
        ("a.debt + 5 CNY <= b.debt - 3 CNY", "a.debt + 5 CNY <= b.debt - 3 CNY"),
        ("3 CNY + a.debt - 8 CNY <= b.debt", "a.debt - 5 CNY <= b.debt"),
        ("5 CNY - a.debt <= b.debt", "5 CNY - a.debt <= b.debt"),
        ("-5 CNY - a.debt <= b.debt", "-5 CNY - a.debt <= b.debt"),
        ("5 CNY - a.debt - 5 CNY + b.debt >= a.price", "0 CNY - a.debt + b.debt >= a.price"),
        ("a.debt - b.debt >= -5 CNY", "a.debt - b.debt >= -5 CNY"),
        ("a.debt - b.debt >= 0", "a.debt - b.debt >= 0 CNY"),
        ("a.debt * 2 >= 5 CNY", "a.debt * 2 >= 5 CNY"),
        ("a.debt - b.debt >= 1 万元", "a.debt - b.debt >= 10000 CNY"),
        ("a.valuation - b.debt >= 15000 元", "a.valuation - b.debt >= 1.5 万元"),
        ("a.capacity + 1 GW >= plant.capacity", "a.capacity + 1000000 kW >= plant.capacity"),
        ("abs( a.price - b.price )<=1", "abs(a.price - b.price) <= 1 CNY"),
        ("abs(a.price - b.price) <= 1", "abs(a.price - b.price) <= 1 CNY"),
        ("abs(a.price - b.price) * 1 <= b.price", "abs(a.price - b.price) <= b.price"),
        (
            "abs (a.price - a.last_price) * 10 <= a.last_price",
            "abs(a.price - a.last_price) * 10 <= a.last_price",
        ),
        (f"a.debt <= a.reserve {RATE}", f"a.debt <= a.reserve {RATE}"),
        (
            'a.debt <= 5 HKD at 1.08320 HKD/CNY ("The Bank", 2026-06-30)',
            'a.debt <= 5 HKD at 1.0832 HKD/CNY ("The Bank", 2026-06-30)',
        ),
        (
            'a.debt <= 5 HKD at 2 HKD/CNY ("X", 2026-06-30)',
            "a.debt <= 5 HKD at 2 HKD/CNY (X, 2026-06-30)",
        ),
    ],
)
def test_one_text(text: str, canonical: str) -> None:
    """Factors behind, units always, amounts added up; what is canonical reads back the same."""
    found = linear(text)
    assert canonical == found.text == str(found)
    assert found == linear(canonical)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("a.debt >= 3 + 4 CNY", AtLeast(700)),
        ("a.debt * 1 <= 5 CNY", AtMost(500)),
        ("1 * a.debt <= 5 万元", AtMost(5_000_000)),
        ("a.debt in 1..5 万元", Between(1_000_000, 5_000_000)),
        ("a.debt in 900 元..5 万元", Between(90_000, 5_000_000)),
        ("a.capacity >= 2 MW", AtLeast(2000)),
        ("a.closed >= 2026-01-01 + 30d", AtLeast(20484)),
        ("a.closed in 2026-01-01 - 1d..2026-01-01", Between(20453, 20454)),
    ],
)
def test_a_sentence_about_one_attribute_alone_is_none_of_these(text: str, claim: object) -> None:
    """It has the text that it always had, in the attribute's own unit."""
    found = parse_fact(text, subjects())
    assert isinstance(found, Fact)
    assert claim == found.claim
    assert found == parse_fact(found.text, subjects())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.debt * 100 <= a.valuation * 60", [({"a.debt": -1, "a.valuation": 6000}, 0)]),
        ("a.debt + b.debt <= a.debt * 3", [({"a.debt": 2, "b.debt": -1}, 0)]),
        ("a.price * 3 - a.debt >= 0.5", [({"a.price": 3, "a.debt": -100}, -5000)]),
        ("a.debt * 3 >= 10 CNY", [({"a.debt": 1}, -334)]),
        ("a.debt * 3 <= 10 CNY", [({"a.debt": -1}, 333)]),
        (
            "abs(a.price - a.last_price) * 10 <= a.last_price",
            [({"a.last_price": 11, "a.price": -10}, 0), ({"a.last_price": -9, "a.price": 10}, 0)],
        ),
        (
            "abs(a.price - a.last_price) <= a.price",
            [({"a.last_price": 1}, 0), ({"a.price": 2, "a.last_price": -1}, 0)],
        ),
        ("a.capacity >= plant.capacity", [({"a.capacity": 1, "plant.capacity": -1}, 0)]),
        (
            f"a.reserve >= a.debt + 1 HKD {RATE}",
            [({"a.reserve": 2500, "a.debt": -2708}, -250_000)],
        ),
    ],
)
def test_what_is_proven(text: str, expected: list[tuple[dict[str, int], int]]) -> None:
    """Scales and units aligned exactly, and coefficients without a common divisor."""
    found = coefficients(text)
    if "HKD" in text:
        # Hundredths of both, times 10^4 for the rate's places; divided by what they share.
        (values, constant), (wanted, _) = found[0], expected[0]
        ratio = Fraction(values["a.debt"], values["a.reserve"])
        assert ratio == Fraction(wanted["a.debt"], wanted["a.reserve"]) == Fraction(-10832, 10000)
        assert Fraction(constant, values["a.reserve"]) == -100
        return
    assert expected == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.debt + b.debt = 5 CNY", "the comparisons"),
        ("a.debt + b.debt in 1..5 CNY", "cannot read"),
        ("a.debt-b.debt >= 5", "no attribute 'debt-b.debt'"),
        ("a.debt <= a.capacity", "unit differs: capacity is in kW, not in CNY"),
        ("a.debt <= a.age + b.debt", "unit differs: age is a number, not in CNY"),
        ("a.debt + b.debt <= 5 MW", "unit differs: the attributes are in CNY, the fact says MW"),
        ("a.age + b.age <= 5 CNY", "unit differs: the attributes have none"),
        ("a.debt + b.valuation <= 5", "write the unit"),
        ("a.debt - b.debt >= 0.005 CNY", "steps of 0.01 CNY"),
        ("a.valuation - b.valuation >= 3 元", "steps of 0.01 万元"),
        ("a.debt * 1.5 <= b.debt", "multiply both sides"),
        ("a.debt * 60% <= b.debt", "multiply both sides"),
        ("a.debt * 0 <= b.debt", "multiply both sides"),
        ("a.debt * -2 <= b.debt", "multiply both sides"),
        ("a.debt * 05 <= b.debt", "multiply both sides"),
        ("a.debt * b.debt <= 5", "multiply both sides"),
        ("5 * 3 <= b.debt", "as one number"),
        ("a.debt * " + "9" * 61 + " <= b.debt", "multiply both sides"),
        ("a.debt + a.debt <= b.debt", "write each attribute once"),
        ("a.debt + b.debt <= a.debt + b.debt", "cancel out"),
        ("a.debt + 5 CNY <= a.debt", "cancel out"),
        ("5 CNY <= a.debt + b.debt", "turn the sentence round"),
        ("3 + 4 <= 5", "turn the sentence round"),
        ("a.debt MW + b.debt <= 5", "has its own unit"),
        ("a.code + b.code <= 5", "only numbers add up"),
        ("a.closed + b.debt <= 5", "only numbers add up"),
        ('a.debt + "5" <= b.debt', "without quotes"),
        ("debt + b.debt <= 5", "of which document 'debt' is: a.debt or b.debt"),
        ("closely + b.debt <= 5", "as in plant.capacity"),
        ("c.debt + b.debt <= 5", "no document has the alias 'c'; there are a, b, plant"),
        ("a.dept + b.debt <= 5", "did you mean debt?"),
        ("abs(a.debt) >= 5 CNY", "the comparisons"),
        ("abs(a.debt - b.debt) * a.debt <= 5 CNY", "multiply both sides"),
        ("abs(5 CNY) <= a.debt", "turn the sentence round"),
        ("abs(a.debt - b.debt <= 5", "the comparisons"),
        ("sum(a.debt) >= 5", "about a selection"),
        ("a.debt <= b.debt at 1.0832 HKD/CNY (HKMA, 2026-06-30) x", "cannot read"),
        ("a.debt <= a.reserve", "unit differs: reserve is in HKD, not in CNY"),
        ("a.capacity <= plant.capacity at 2 HKD/CNY (X, 2026-06-30)", "leave the rate out"),
        ("a.debt + plant.capacity <= 5 HKD at 2 HKD/CNY (X, 2026-06-30)", "unit differs"),
        ("a.debt <= 5 CNY at 2 HKD/CNY (X, 2026-06-30)", "unit differs"),
        ("a.debt <= 5 HKD at 0 HKD/CNY (X, 2026-06-30)", "greater than 0"),
        ("a.debt <= 5 HKD at 1e3 HKD/CNY (X, 2026-06-30)", "not a number"),
        ("a.debt <= 5 HKD at 2 HKDCNY (X, 2026-06-30)", "as in `at 1.0832"),
        ("a.debt <= 5 CNY at 2 CNY/CNY (X, 2026-06-30)", "two currencies"),
        ("a.debt <= 5 hkd at 2 hkd/CNY (X, 2026-06-30)", "no currency"),
        ("a.debt <= 5 HKD at 2 HKD/CNY (X, 2026-02-30)", "no day"),
        ('a.debt <= 5 HKD at 2 HKD/CNY ("\\u202e", 2026-06-30)', "source"),
        ("a.debt <= 5 HKD at 2 HKD/CNY (" + "x" * 101 + ", 2026-06-30)", "source"),
        ("a.debt <= 5 HKD at 2 HKD/CNY (2026-06-30)", "cannot read"),
        ("a.closed >= today - 90d", "for whoever asks"),
        ("a.closed >= 2026-01-01 - 90", "as in today - 90d"),
        ("a.closed >= 2026-01-01 - b.debt", "as in today - 90d"),
        ("a.closed >= 2099-12-31 + 2d", "past the greatest"),
        ("a.closed >= 2026-01-01 - 99999d - 99999d - 99999d - 99999d - 99999d - 99999d", ""),
    ],
)
def test_a_wrong_sentence_is_refused_with_what_to_mend(text: str, reason: str) -> None:
    """Inexact, of several kinds, without a number of its own, or in another form."""
    with pytest.raises(FactError) as caught:
        parse_fact(text, subjects())
    assert reason in str(caught.value)


def test_many_attributes_are_bounded() -> None:
    """What a sentence of 4,096 characters can hold is work for whoever reads it."""
    names = [f"a{number}" for number in range(64)]
    found = {name: book() for name in names}
    side = " + ".join(f"{name}.debt" for name in names)
    other = " + ".join(f"{name}.price" for name in names)
    fact = parse_fact(f"{side} <= {other}", found)
    assert isinstance(fact, LinearFact)
    assert len(fact.mentions) == MAX_MENTIONS
    with pytest.raises(FactError, match="at most 128"):
        parse_fact(f"{side} <= {other} + a0.last_price", found)


# --- coefficients that could wrap around ---------------------------------------------------------


def test_huge_factors_are_refused() -> None:
    """A multiple of the group's order passes for 0 in the field, whatever the value is."""
    for factor in ("9" * 60, str(ORDER)[:60], "1" + "0" * 58):
        for text in (
            f"turbines * {factor} <= age",
            f"age - turbines * {factor} >= {factor}",
            f"abs(turbines - age) * {factor} <= turbines",
        ):
            with pytest.raises(FactError):
                parse_fact(text, wide)
    assert isinstance(parse_fact("turbines * 9999999999999 <= age", wide), LinearFact)


def test_the_order_itself_is_no_coefficient() -> None:
    """q·debt is 0 for the proof and 4.5 million times q for the reader."""
    debt, price = book().attribute("debt"), book().attribute("price")
    for each in (ORDER, ORDER + 1, ORDER // 2, -ORDER):
        with pytest.raises(FactError, match="too large"):
            Form(((("a", debt), each), (("a", price), 1)), 0)
        with pytest.raises(FactError, match="too large"):
            Form(((("a", debt), 1),), each)
    most = max(map(abs, debt.bounds))
    edge = (16**62 - 1) // most
    assert Form(((("a", debt), edge),), 0).greatest < 16**62
    with pytest.raises(FactError, match="too large"):
        Form(((("a", debt), edge + 1),), 0)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 2**260), st.integers(-(2**260), 2**260))
def test_no_form_can_reach_half_of_the_order(factor: int, constant: int) -> None:
    """|sum| + 16^62 stays below q/2 for every value within the bounds, or there is no form."""
    debt = book().attribute("debt")
    try:
        Form(((("a", debt), factor),), constant)
    except FactError:
        most = factor * max(map(abs, debt.bounds)) + abs(constant)
        assert most + 16**62 >= ORDER // 2 or factor * debt.bounds[1] + constant >= 16**62
        return
    for value in debt.bounds:
        assert abs(factor * value + constant) + 16**62 < ORDER // 2
        assert factor * value + constant < 16**62


# --- drawn sentences -----------------------------------------------------------------------------


@st.composite
def _side(draw: st.DrawFn, *, least: int) -> tuple[str, list[tuple[str, int]], Fraction]:
    """Text, names with factors, and an amount in CNY."""
    names = draw(
        st.lists(
            st.sampled_from(
                [f"{alias}.{name}" for alias in "ab" for name in [*MONEY, "valuation"]]
            ),
            unique=True,
            min_size=least,
            max_size=4,
        )
    )
    words: list[str] = []
    found: list[tuple[str, int]] = []
    amount = Fraction(0)
    for name in names:
        factor = draw(st.integers(1, 3) | st.integers(1, 10**9))
        sign = draw(st.sampled_from([1, -1])) if words else 1
        words.append(("- " if sign < 0 else "+ ") if words else "")
        first = draw(st.booleans())
        shown = f"{factor} * {name}" if first else f"{name} * {factor}"
        words[-1] += name if factor == 1 and draw(st.booleans()) else shown
        found.append((name, sign * factor))
    if not words or draw(st.booleans()):
        cents = draw(st.integers(0, 10**8)) * 100
        unit, per = draw(st.sampled_from([("CNY", 1), ("元", 1), ("万元", 10**4)]))
        cents *= per if per == 1 else 1
        sign = draw(st.sampled_from([1, -1])) if words else 1
        number = format_decimal(cents, 2, shortest=True)
        words.append((("- " if sign < 0 else "+ ") if words else "") + f"{number} {unit}")
        amount = sign * Fraction(cents, 100) * per
    return " ".join(words), found, amount


def _in_cny(attribute: Attribute, value: int) -> Fraction:
    return Fraction(value, 10**attribute.scale) * 10 ** measure(attribute.unit)[1]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_drawn_sentences_read_back_and_mean_what_they_say(data: st.DataObject) -> None:
    """print ∘ parse is idempotent; evaluation is arithmetic on fractions; compiling is evaluating.

    The values are drawn around the edge, where a sum that is off by one step shows.
    """
    left, left_parts, left_amount = data.draw(_side(least=1))
    right, right_parts, right_amount = data.draw(_side(least=0))
    relation = data.draw(st.sampled_from([">=", "<="]))
    times = data.draw(st.none() | st.integers(1, 50))
    text = f"{left} {relation} {right}" if times is None else f"abs({left}) * {times} <= {right}"
    try:
        fact = parse_fact(text, subjects())
    except FactError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        known = ("cancel out", "greatest", "least", "large", "exact")
        assert any(word in refusal for word in known)
        return
    assert fact == parse_fact(fact.text, subjects())
    if isinstance(fact, Fact):
        return
    values: dict[tuple[str, str], int] = {}
    for key in {each.key for each in fact.mentions}:
        lo, hi = key[1].bounds
        near = st.integers(0, 20) | st.integers(lo, min(hi, 10**6)) | st.integers(lo, hi)
        values[key[0], key[1].name] = data.draw(near)

    def total(parts: list[tuple[str, int]], amount: Fraction) -> Fraction:
        for name, factor in parts:
            alias, _, attribute = name.partition(".")
            value = values[alias, attribute]
            amount += factor * _in_cny(book().attribute(attribute), value)
        return amount

    one, two = total(left_parts, left_amount), total(right_parts, right_amount)
    if times is not None:
        expected = abs(one) * times <= two
    else:
        expected = one >= two if relation == ">=" else one <= two

    def value(alias: str, attribute: Attribute) -> int:
        return values[alias, attribute.name]

    assert expected == evaluate_linear(fact, value)
    try:
        statement = compile_facts([fact], subjects(), {})
    except FactError:
        assert not expected  # a sum that is always negative has no digits
        return
    proven = []
    for term in statement.ranges:
        assert isinstance(term, LinearTerm)
        derived = term.constant
        for slot, coefficient in term.coefficients:
            alias, attribute = subjects().at(slot)
            derived += coefficient * value(alias, attribute)
        proven.append(0 <= derived < 16**statement.digits)
    assert expected == all(proven)


_PIECES = ["a.debt", "b.debt", "a.age", "plant.capacity", "debt", "5", "5 CNY", "-3", "abs(", ")"]
_PIECES += ["+", "-", "*", ">=", "<=", "=", "at", "1.5", "HKD/CNY", "(", ",", "2026-01-01", "today"]
_PIECES += ["90d", "a.closed", "in", "..", '"x"', "万元", "999999999999999999999999"]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join))
def test_any_words_are_a_fact_or_refused_readably(text: str) -> None:
    """Hostile text raises our errors only, in a bounded and printable message."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    try:
        fact: Sentence = parse_fact(text, subjects(), now=now)
    except CrossproofError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert fact == parse_fact(fact.text, subjects())
    assert (len(refusal) < 700, refusal.isprintable()) == (True, True)


# --- absent values, days, places -----------------------------------------------------------------


def test_nothing_is_true_of_an_absent_value() -> None:
    """A sum with a part missing is no sum, even where the part could not change the verdict."""
    fact = linear("a.reserve + b.reserve >= 0 HKD")
    assert evaluate_linear(fact, lambda alias, _: 5)
    assert not evaluate_linear(fact, lambda alias, _: None if alias == "b" else 5)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC), "2026-04-01"),
        (datetime(2026, 6, 30, 16, 0, tzinfo=UTC), "2026-04-02"),
    ],
)
def test_today_is_the_day_in_the_schemas_time_zone(now: datetime, day: str) -> None:
    """At 16:00 UTC the next day has begun in Shanghai; the text has the date itself."""
    found = FactList.parse(["a.closed >= today - 90d", "b.debt >= 5"], subjects(), now=now)
    assert found.texts == [f"a.closed >= {day}", "b.debt >= 5 CNY"]
    with pytest.raises(FactError, match="whoever asks"):
        FactList.parse_canonical(["a.closed >= today - 90d"], subjects())


def test_terms_are_about_slots() -> None:
    """64 a document, in the order of the aliases; a fact about one attribute stays a range."""
    statement = compile_facts(
        FactList.parse(["b.debt >= 5", "plant.capacity + a.capacity >= 3 MW"], subjects()),
        subjects(),
        {},
    )
    places = [SLOTS * 1 + 0, 5, SLOTS * 2 + 0]
    one, two = statement.terms
    assert isinstance(one, RangeTerm)
    assert isinstance(two, LinearTerm)
    assert (one.attribute, one.bound) == (places[0], 500)
    assert two == LinearTerm(1, ((places[1], 1), (places[2], 1)), -3000)
    assert statement.attributes == [5, SLOTS, 2 * SLOTS]
