"""The fact language: one canonical sentence for each fact, and a mendable refusal for the rest."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.facts import Members, facts, schema, values

from proofs.errors import CrossproofError, FactError, SetError
from proofs.evaluate import evaluate
from proofs.facts import AtLeast, AtMost, Between, Equal, Fact, FactList, InSet, OneOf, parse_fact
from proofs.grammar import parser
from proofs.normaliser import safe_for_display
from proofs.schema import check_unit
from proofs.values import format_value

_TOKENS = [
    "capacity",
    "code",
    "owner",
    "in",
    "not",
    ">=",
    "<=",
    "=",
    "{",
    "}",
    ",",
    "@",
    "..",
    "5",
    "MW",
    '"x"',
    '"',
    "a",
    "2019-01-01",
    "*",
    "(",
    "\\",
    "，",
    "8%",
]


def _fact(name: str, claim: object) -> Fact:
    return Fact(schema.attribute(name), claim)  # type: ignore[arg-type]


@settings(max_examples=500, deadline=None)
@given(facts())
def test_a_printed_fact_reads_back(fact: Fact) -> None:
    """parse(print(f)) = f, for every fact there is: awkward texts, bounds and units included."""
    assert fact == parse_fact(fact.text, schema)


@settings(max_examples=300, deadline=None)
@given(facts(), st.data())
def test_loose_spellings_mean_the_same(fact: Fact, data: st.DataObject) -> None:
    """More spaces between words change nothing, and the canonical text comes out again."""
    loose = fact.text.replace(" in ", data.draw(st.sampled_from([" in  ", "   in "])), 1)
    loose = " " * data.draw(st.integers(0, 3)) + loose + " " * data.draw(st.integers(0, 3))
    assert fact.text == parse_fact(loose, schema).text


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=30)
    | st.text('capity_x ={}@.,"-<>0123456789%MWkin\\', max_size=40)
    | st.lists(st.sampled_from(_TOKENS), max_size=12).map(" ".join)
)
@example('code = "\\ud800"')
@example("code = \ud800")
def test_any_text_is_a_fact_or_refused_readably(text: str) -> None:
    """Hostile text raises our errors only, in a bounded and printable message."""
    try:
        fact = parse_fact(text, schema)
    except CrossproofError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert fact == parse_fact(fact.text, schema)
    assert (len(refusal) < 600, refusal.isprintable()) == (True, True)


@pytest.mark.parametrize(
    ("text", "fact", "canonical"),
    [
        (
            "annual_yield in 8.00%..12.00%",
            _fact("annual_yield", Between(800, 1200)),
            "annual_yield in 0.08..0.12",
        ),
        ("capacity >= 20 MW", _fact("capacity", AtLeast(20_000)), "capacity >= 20 MW"),
        ("capacity>=20.500", _fact("capacity", AtLeast(20_500)), "capacity >= 20.5 MW"),
        ("price <= 0.38 元/kWh", _fact("price", AtMost(38 * 10**16)), "price <= 0.38 元/kWh"),
        (
            "commissioned >= 2019-01-01",
            _fact("commissioned", AtLeast(17897)),
            "commissioned >= 2019-01-01",
        ),
        ("turbines in -5..5", _fact("turbines", Between(-5, 5)), "turbines in -5..5"),
        ("turbines = -0", _fact("turbines", Equal(0)), "turbines = 0"),
        (
            "turbines in {3,1,2,2}",
            _fact("turbines", OneOf((1, 2, 3))),
            "turbines in {1, 2, 3}",
        ),
        (
            "capacity in {30, 20} MW",
            _fact("capacity", OneOf((20_000, 30_000))),
            "capacity in {20, 30} MW",
        ),
        (
            'province in {江苏, "Inner Mongolia",Anhui, 广东}',
            _fact("province", OneOf(("Anhui", "Inner Mongolia", "广东", "江苏"))),
            'province in {Anhui, "Inner Mongolia", 广东, 江苏}',
        ),
        ("province in {in, 20}", _fact("province", OneOf(("20", "in"))), "province in {20, in}"),
        ("code = ab12", _fact("code", Equal("AB12")), "code = AB12"),
        ('code = "\\u0041\\u4e2d"', _fact("code", Equal("A中")), "code = A中"),
        ('code = "a..b"', _fact("code", Equal("A..B")), 'code = "A..B"'),
        (
            "owner not in @ofac-sdn",
            _fact("owner", InSet("ofac-sdn", member=False)),
            "owner not in @ofac-sdn",
        ),
        ("owner in @x", _fact("owner", InSet("x", member=True)), "owner in @x"),
    ],
)
def test_sentences_mean_what_they_say(text: str, fact: Fact, canonical: str) -> None:
    """Numbers are exact at the scale, units are added, texts normalised, sets sorted."""
    assert (fact, canonical) == (parse_fact(text, schema), fact.text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("capacity >= 20 kWh", "unit differs: the attribute is in MW, the fact says kWh"),
        ("capacity >= 20.5 kW", "the literal 20.5 is not exact at scale 0"),
        ("capacity in 20..30 mw", "unit differs: the attribute is in MW, the fact says mw"),
        ("capacity in {20} kV", "unit differs"),
        ("turbines >= 5 MW", "unit differs: the attribute has none, the fact says MW"),
        ("commissioned >= 2019-01-01 d", "unit differs"),
        ("annual_yield >= 8.005%", "the literal 8.005% is not exact at scale 4"),
        ("turbines >= 1.5", "the literal 1.5 is not exact at scale 0"),
        ("capasity >= 20 MW", "no attribute 'capasity' (did you mean capacity?)"),
        ("Capacity >= 20 MW", "did you mean capacity?"),
        ("装机容量 >= 20", "did you mean capacity?"),
        ("zzz >= 20", "no attribute 'zzz'"),
        ("capacity >= 100001", "100001.000 MW is past the greatest, 100000.000 MW"),
        ("capacity >= -1", "below the least"),
        ("turbines >= 4611686018427387905", "past the greatest"),
        (f"turbines in {2**255 + 20}..{2**255 + 30}", "60 characters"),
        ("turbines >= 9999999999999999999999", "past the greatest"),
        ("commissioned >= 1979-12-31", "below the least, 1980-01-01"),
        ("capacity in 30..20 MW", "30..20 has its ends reversed"),
        ("owner >= 5", "of type name have no order"),
        ("province in Anhui..Guangdong", "of type enum have no order"),
        ("code <= 5", "of type identifier have no order"),
        ("province in {Guangdong}", "not one of its members"),
        ("province = Anhu", "did you mean Anhui?"),
        ("owner = Li Si", 'in quotes: "Li Si"'),
        ("province in {Inner Mongolia}", "put texts of several words in quotes"),
        ('turbines = "3"', "write the integer without quotes"),
        ('code = "\\q"', "JSON rules"),
        ('code = "', "both quotes"),
        ('code = ""', "empty"),
        ("capacity > 20", "the comparisons are"),
        ("capacity == 20", "the comparisons are"),
        ("capacity != 20", "the comparisons are"),
        ("capacity ≥ 20", "the comparisons are"),
        ("capacity >= 20MW", "put a space between the number and its unit"),
        ("capacity >= 1,000 MW", "without thousands separators"),
        ("capacity >= 1e4 MW", "without an exponent"),
        ("capacity >= NaN", "not a number"),
        ("turbines >= ５", "double quotes"),
        ("turbines >= 05", "leading zeros"),
        ("turbines in 8...9", "not a number"),
        ("commissioned >= 20190101", "not a date"),
        ("commissioned >= 2019-02-29", "no day"),
        ("province in {广东，江苏}", "write ',' instead of the full-width '，'"),
        ("province in {}", "literals in braces"),
        ("province in {Anhui,}", "literals in braces"),
        ("province in {Anhui", "ends too early"),
        ("capacity", "ends too early"),
        ("capacity in", "ends too early"),
        ("capacity not @x", "write not in @set"),
        ("owner not in {a}", "a fact is"),
        ("owner in @Ofac", "not the name of a set"),
        ("owner in @-x", "not the name of a set"),
        ("turbines * 100 = 5", "the comparisons"),
        ("sum(turbines) >= 5", "about a selection"),
        ("turbines inx 3..4", "a fact is"),
        ("turbines in3..4", "a fact is"),
        ("", "empty fact"),
        ("   ", "empty fact"),
        ("turbines\n>= 3", "U+000A"),
        ("turbines\t>= 3", "U+0009"),
        ("code = a\u200bb", "U+200B"),
        ('code = "a\u202eb"', "U+202E"),
        ('code = "a\\u202eb"', "U+202E"),
        ('code = "\\u0007"', "U+0007"),
        ('code = "\\ud800"', "U+D800"),
        ("code = \ud800", "U+D800"),
        ("code = " + "x" * 1001, "1001 characters"),
        ("x" * 4097, "4097 characters; at most 4096"),
        ("x" * 10_000_000, "10000000 characters; at most 4096"),
    ],
)
def test_a_wrong_sentence_is_refused_with_what_to_mend(text: str, reason: str) -> None:
    """Units, exactness, bounds, near names, quotes, hidden characters, and length before all."""
    with pytest.raises(FactError) as caught:
        parse_fact(text, schema)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "piece", ["{", '"', "(", "\\", "..", "in ", ">=", '"\\', "a,", "not ", "%"]
)
def test_the_longest_hostile_sentence_is_refused(piece: str) -> None:
    """4,096 characters of any sign of the language are read once and refused."""
    for head in ("", "turbines in ", "turbines in {", 'code = "', "code = "):
        text = (head + piece * 4096)[:4096]
        with pytest.raises(FactError):
            parse_fact(text, schema)


def test_the_longest_list_reads_back() -> None:
    """Two thousand literals fit; a text that is too long in its canonical form does not."""
    fact = parse_fact("turbines in {" + ",".join(str(n % 10) for n in range(2040)) + "}", schema)
    assert fact.text == "turbines in {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}"
    with pytest.raises(FactError, match="over 4096 characters in full"):
        parse_fact("turbines in {" + ",".join(str(n) for n in range(1000, 1800)) + "}", schema)


def test_a_unit_is_always_one_word() -> None:
    """Every character that a unit may have is one of a bare word, is safe, and has one spelling."""
    word = parser().get_terminal("WORD").pattern.to_regexp()
    units = [chr(code) for code in range(0x20, 0x11000) if _is_unit("a" + chr(code))]
    assert "".join(units) == unicodedata.normalize("NFC", "".join(units))
    assert [sign for sign in units if re.fullmatch(word, sign) is None] == []
    assert "".join(units) == safe_for_display("".join(units), limit=len(units))
    assert len(units) > 27_000


def _is_unit(unit: str) -> bool:
    try:
        return check_unit(unit, "x") == unit
    except CrossproofError:
        return False


# --- lists --------------------------------------------------------------------------------------


def test_a_list_keeps_its_order_and_names_its_sets_once() -> None:
    """The order of the facts is the order of the proof."""
    texts = ["owner not in @b", "capacity >= 20 MW", "code in @a", "owner in @b"]
    found = FactList.parse_canonical(texts, schema)
    assert (texts, ["b", "a"], 4) == (found.texts, found.set_names, len(found))
    assert texts == [str(fact) for fact in found]


def test_lists_are_bounded_and_distinct() -> None:
    """1 to 64 facts, and the same fact in another spelling is the same fact."""
    many = [f"turbines >= {number}" for number in range(65)]
    assert len(FactList.parse(many[:64], schema)) == 64
    for texts in ([], many):
        with pytest.raises(FactError, match="1 to 64"):
            FactList.parse(texts, schema)
    with pytest.raises(FactError, match="stands twice"):
        FactList.parse(["capacity >= 20 MW", "capacity>=20.0"], schema)
    with pytest.raises(FactError, match="1 to 64"):
        FactList(())


def test_only_canonical_texts_are_taken_from_what_was_signed() -> None:
    """One fact, one text, one digest."""
    for text in ("capacity>=20 MW", "capacity >= 20", "capacity >= 20.0 MW", " code in @a"):
        assert len(FactList.parse([text], schema)) == 1
        with pytest.raises(FactError, match="not in canonical form"):
            FactList.parse_canonical([text], schema)


# --- evaluating ---------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_evaluation_is_what_the_sentence_says(data: st.DataObject) -> None:
    """Against the canonical text, read by hand with the values' own order."""
    attribute = data.draw(st.sampled_from(schema.attributes))
    fact = data.draw(facts(attribute))
    value = data.draw(values(attribute))
    members = frozenset(data.draw(st.sets(values(attribute), max_size=4)) | {value})
    held = data.draw(st.sampled_from([members, members - {value}]))
    sets = {name: Members(attribute.type_tag, held) for name in ("listed", "ofac-sdn_2")}
    claim = fact.claim
    expected = {
        Between: lambda: claim.lo <= value <= claim.hi,
        AtLeast: lambda: value >= claim.bound,
        AtMost: lambda: value <= claim.bound,
        Equal: lambda: format_value(attribute, claim.value) == format_value(attribute, value),
        OneOf: lambda: any(value == member for member in claim.members),
        InSet: lambda: (value in held) is claim.member,
    }[type(claim)]()
    assert expected == evaluate(fact, value, sets)
    assert evaluate(fact, None, sets) is False


def test_a_set_that_does_not_fit_is_refused() -> None:
    """Missing, or of another type: `not in` would be true of everything."""
    fact = parse_fact("owner not in @listed", schema)
    good = Members(schema.attribute("owner").type_tag, frozenset({"li si"}))
    other = Members(schema.attribute("code").type_tag, frozenset({"li si"}))
    assert (
        evaluate(fact, "wang wu", {"listed": good}),
        evaluate(fact, "li si", {"listed": good}),
    ) == (True, False)
    with pytest.raises(SetError, match="of another type"):
        evaluate(fact, "li si", {"listed": other})
    with pytest.raises(SetError, match=r"not at hand \(did you mean listed2\?\)"):
        evaluate(fact, "li si", {"listed2": good})
