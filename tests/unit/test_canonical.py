"""Canonical JSON: one spelling of every value, and a bounded refusal of everything else."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from proofs import canonical
from proofs.canonical import Fields
from proofs.errors import EncodingError

LIMIT = 1 << 20

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(values)
def test_what_is_written_reads_back(value: object) -> None:
    """parse is the inverse of dump."""
    assert value == canonical.parse(canonical.dump(value), limit=LIMIT)


@settings(max_examples=300, deadline=None)
@given(values, st.randoms(use_true_random=False))
def test_every_other_spelling_is_refused(value: object, choose: random.Random) -> None:
    """Spaces, key order and escapes make another text of the same value: refused, value or not."""
    plain = canonical.dump(value)
    keys = list(value) if isinstance(value, dict) else []
    choose.shuffle(keys)
    shuffled = {key: value[key] for key in keys} if isinstance(value, dict) else value
    other = json.dumps(
        shuffled,
        ensure_ascii=choose.random() < 0.5,
        indent=choose.choice([None, 1]),
        separators=choose.choice([(",", ":"), (", ", ": "), (" ,", " :")]),
    ).encode()
    assume(other != plain)
    with pytest.raises(EncodingError):
        canonical.parse(other, limit=LIMIT)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf{}")
@example(b'"\\ud800"')
@example(b'"\xed\xa0\x80"')
def test_any_bytes_are_read_to_the_letter_or_refused(data: bytes) -> None:
    """Whatever is accepted prints back byte for byte; nothing else but EncodingError is raised."""
    try:
        value = canonical.parse(data, limit=LIMIT)
    except EncodingError:
        return
    assert data == canonical.dump(value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"NaN", "not an integer"),
        (b"[Infinity]", "not an integer"),
        (b"-Infinity", "not an integer"),
        (b"1e400", "not an integer"),
        (b"1.0", "not an integer"),
        (b"1E2", "not an integer"),
        (b"-0", "canonical"),
        (b"01", "not JSON"),
        (b"9007199254740992", "2\\^53"),
        (b"-9007199254740992", "2\\^53"),
        (b"1" * 100_000, "2\\^53"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":1,"\\u0061":2}', "twice"),
        (b'{"b":1,"a":2}', "canonical"),
        (b'"\\u0061"', "canonical"),
        (b'"\\/"', "canonical"),
        (b' "a"', "canonical"),
        (b'"a"\n', "canonical"),
        (b'"a" "b"', "not JSON"),
        (b'"\x00"', "not JSON"),
        (b'"\xff"', "UTF-8"),
        (b'"\xc0\xaf"', "UTF-8"),
        (b'"\\ud800"', "canonical"),
        (b"\xef\xbb\xbf1", "byte order mark"),
        (b"", "not JSON"),
        (b'"open', "closing quote"),
        (b'"' + b'\\"' * 200_000, "closing quote"),
        (b"[" * 10_000 + b"]" * 10_000, "deeper"),
        (b"[" * 1_000_000, "deeper"),
        (b'{"a":' * 10_000, "deeper"),
        (b"]" * 1000, "not JSON"),
    ],
)
def test_hostile_texts_are_refused_with_the_reason(data: bytes, reason: str) -> None:
    """Each second spelling and each stack or memory trap has its own clear refusal."""
    with pytest.raises(EncodingError, match=reason):
        canonical.parse(data, limit=4 << 20)


def test_depth_is_counted_outside_texts_only() -> None:
    """32 levels are read, 33 are not, and brackets inside a text do not count."""
    deepest = b"[" * 32 + b"]" * 32
    assert deepest == canonical.dump(canonical.parse(deepest, limit=LIMIT))
    with pytest.raises(EncodingError, match="deeper"):
        canonical.parse(b"[" + deepest + b"]", limit=LIMIT)
    assert canonical.parse(b'"' + b"[" * 99 + b'\\""', limit=LIMIT) == "[" * 99 + '"'


def test_values_are_counted_outside_texts_only() -> None:
    """131,072 values are read, one more is not, and commas inside a text do not count."""
    most = b"[" + b",".join([b"0"] * canonical.MAX_VALUES) + b"]"
    assert len(canonical.parse(most, limit=1 << 20)) == canonical.MAX_VALUES  # type: ignore[arg-type]
    with pytest.raises(EncodingError, match="values"):
        canonical.parse(b'[0,"\\"",' + most[1:], limit=1 << 20)
    text = b'["' + b",[{" * 100_000 + b'\\""]'
    assert canonical.parse(text, limit=1 << 20) == [",[{" * 100_000 + '"']


@settings(max_examples=300, deadline=None)
@given(st.text('[]{},"a', max_size=60), st.integers(1, 40))
def test_shape_is_judged_alike_with_escapes_and_without(piece: str, times: int) -> None:
    """Texts without escapes are cut at their quotes, others scanned: one outcome for both."""
    text = piece * times

    def outcome(judged: str) -> str:
        try:
            canonical._check_shape(judged, "JSON")
        except EncodingError as error:
            return str(error)
        return "taken"

    assert outcome(text) == outcome('"\\n"' + text)


@pytest.mark.parametrize("value", [b"[]", b"{}", b"0", b'""', b'{"\xc3\xa9":0}'])
def test_many_small_values_are_refused_before_they_are_read(value: bytes) -> None:
    """4 MiB of them took seconds, most of all with keys that sort by UTF-16 units."""
    data = b"[" + b",".join([value] * ((4 << 20) // (len(value) + 1) - 1)) + b"]"
    with pytest.raises(EncodingError, match="more than 131072 values"):
        canonical.parse(data, limit=4 << 20)


def test_length_is_judged_first() -> None:
    """One byte over the limit is refused, whatever the bytes are."""
    assert canonical.parse(b"[]", limit=2) == []
    with pytest.raises(EncodingError, match="3 bytes, more than the 2"):
        canonical.parse(b"\xff\xff\xff", limit=2)
    with pytest.raises(EncodingError, match="3 bytes, more than the 2"):
        canonical.parse_loose(b"\xff\xff\xff", limit=2)


@pytest.mark.parametrize("value", [1.0, float("nan"), [{"a": 0.5}], 2**53, {1: 2}, "\ud800", b"a"])
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    """Floats, wide integers, other keys than texts and lone surrogates have no spelling."""
    with pytest.raises(EncodingError):
        canonical.dump(value)


def test_a_value_nested_too_deep_is_not_written() -> None:
    """dump never writes what parse would refuse."""
    nested: list[object] = []
    for _ in range(40):
        nested = [nested]
    with pytest.raises(EncodingError, match="deeper"):
        canonical.dump(nested)


def test_loose_reading_takes_other_spellings_of_the_same_values_only() -> None:
    """A file that a person wrote may have spaces and escapes, but no repeated key and no float."""
    assert canonical.parse_loose(b'{ "b": 1,\n "a": "\\u0041" }', limit=99) == {"b": 1, "a": "A"}
    for data in (b'{"a":1,"a":1}', b"1.5", b"[NaN]", b"[" * 99):
        with pytest.raises(EncodingError):
            canonical.parse_loose(data, limit=99)


def test_decimals_come_as_their_digits() -> None:
    """With `decimals_as_text` no digit passes through a float."""
    data = b"[12.50, 1e400, 0.1, 123456789012345678901234567890, 7]"
    expected = ["12.50", "1e400", "0.1", "123456789012345678901234567890", 7]
    assert expected == canonical.parse_loose(data, limit=99, decimals_as_text=True)
    with pytest.raises(EncodingError, match="NaN"):
        canonical.parse_loose(b"NaN", limit=99, decimals_as_text=True)


# --- instants -----------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59)))
def test_instants_read_back(moment: datetime) -> None:
    """Writing cuts fractions; reading gives the same second in UTC."""
    aware = moment.replace(tzinfo=UTC, microsecond=0)
    text = canonical.format_instant(moment.replace(tzinfo=UTC))
    assert (20, aware) == (len(text), canonical.parse_instant(text))


def test_instants_of_other_zones_are_written_in_utc() -> None:
    """One moment has one text, and a moment without a zone has none."""
    east = timezone(timedelta(hours=8))
    assert canonical.format_instant(datetime(2024, 2, 1, tzinfo=east)) == "2024-01-31T16:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        canonical.format_instant(datetime(2024, 2, 1))


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31",
        "2024-01-31T00:00:00",
        "2024-01-31T00:00:00+00:00",
        "2024-01-31t00:00:00z",
        "2024-01-31T00:00:00.0Z",
        "2024-02-30T00:00:00Z",
        "2024-01-31T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "２０２４-01-31T00:00:00Z",
        "2024-01-31T00:00:00Z\n",
        "",
    ],
)
def test_other_spellings_of_instants_are_refused(text: str) -> None:
    """No zone but Z, no fraction, no leap second, no day that does not exist, ASCII digits."""
    with pytest.raises(EncodingError):
        canonical.parse_instant(text)


# --- base64, hashing ----------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_base64_reads_back(data: bytes) -> None:
    """decode is the inverse of encode."""
    text = canonical.encode_base64(data)
    assert data == canonical.decode_base64(text, limit=40, where="x")


@pytest.mark.parametrize(
    "text", ["AB==", "AA=", "AA", "A===", "AA==\n", " AA==", "AA==AA==", "-_=="]
)
def test_other_spellings_of_base64_are_refused(text: str) -> None:
    """Unused bits, missing padding, white space and the URL alphabet are second spellings."""
    assert canonical.decode_base64("AA==", limit=1, where="x") == b"\0"
    with pytest.raises(EncodingError):
        canonical.decode_base64(text, limit=100, where="x")


def test_base64_is_bounded_before_it_is_decoded() -> None:
    """Bytes over the limit are refused, at the exact byte."""
    assert canonical.decode_base64("YWJjZA==", limit=4, where="x") == b"abcd"
    for limit in (3, 0):
        with pytest.raises(EncodingError, match="more than"):
            canonical.decode_base64("YWJjZA==", limit=limit, where="x")
    # Of the length that 2 bytes take, without their padding: 3 bytes.
    with pytest.raises(EncodingError, match="more than 2 bytes"):
        canonical.decode_base64("YWJj", limit=2, where="x")


def test_labelled_hashes_tell_their_parts_apart() -> None:
    """Moving a byte between label and parts, or between parts, changes the digest."""
    split = [(b"ab", b"c", b""), (b"a", b"bc", b""), (b"ab", b"", b"c"), (b"abc", b"", b"")]
    digests = {canonical.sha256_label(label, *parts) for label, *parts in split}
    assert (4, {32}) == (len(digests), {len(digest) for digest in digests})


# --- fields -------------------------------------------------------------------------------------


def test_fields_read_each_kind() -> None:
    """Each reader returns its value; end is silent when nothing is left."""
    fields = Fields(
        {
            "text": "光伏",
            "integer": 7,
            "boolean": True,
            "hex": "00ff",
            "base64": "AAE=",
            "instant": "2024-01-31T00:00:00Z",
            "array": [1, "b"],
            "texts": ["a"],
            "object": {"inner": 1},
            "objects": [{}],
            "choice": "hk",
            "format": "x/v1",
        },
        "thing",
    )
    assert fields.text("text", 2) == "光伏"
    assert fields.integer("integer", 7, 7) == 7
    assert fields.boolean("boolean") is True
    assert fields.hex("hex", 2) == "00ff"
    assert fields.base64("base64", 2) == b"\x00\x01"
    assert datetime(2024, 1, 31, tzinfo=UTC) == fields.instant("instant")
    assert fields.array("array", 2) == [1, "b"]
    assert fields.texts("texts", 1, 1) == ["a"]
    inner = fields.object("object")
    assert inner.integer("inner", 0, 1) == 1
    inner.end()
    fields.objects("objects", 1)[0].end()
    assert fields.choice("choice", ["cn", "hk"]) == "hk"
    fields.literal("format", "x/v1")
    assert (fields.has("text"), fields.has("absent")) == (True, False)
    assert fields.optional_text("absent", 1) is None
    assert fields.optional_hex("absent", 1) is None
    assert fields.optional_instant("absent") is None
    assert fields.optional_text("text", 2) == "光伏"
    fields.end()


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("", lambda f: f.text("x", 3)),
        ("abcd", lambda f: f.text("x", 3)),
        (1, lambda f: f.text("x", 3)),
        (None, lambda f: f.text("x", 3)),
        (None, lambda f: f.optional_text("x", 3)),
        (True, lambda f: f.integer("x", 0, 9)),
        (10, lambda f: f.integer("x", 0, 9)),
        (-1, lambda f: f.integer("x", 0, 9)),
        ("1", lambda f: f.integer("x", 0, 9)),
        (1, lambda f: f.boolean("x")),
        ("00FF", lambda f: f.hex("x", 2)),
        ("00f", lambda f: f.hex("x", 2)),
        ("00ff\n", lambda f: f.hex("x", 2)),
        ("AB==", lambda f: f.base64("x", 9)),
        ("2024-01-31", lambda f: f.instant("x")),
        ([1, 2], lambda f: f.array("x", 1)),
        ([], lambda f: f.array("x", 1, least=1)),
        ({}, lambda f: f.array("x", 1)),
        ([""], lambda f: f.texts("x", 1, 1)),
        ([1], lambda f: f.texts("x", 1, 1)),
        ([], lambda f: f.object("x")),
        (["a"], lambda f: f.objects("x", 1)),
        ("us", lambda f: f.choice("x", ["cn", "hk"])),
        (1, lambda f: f.choice("x", ["cn", "hk"])),
        ("x/v2", lambda f: f.literal("x", "x/v1")),
        ("a", lambda f: f.integer("y", 0, 9)),
    ],
)
def test_fields_of_another_form_are_refused_by_name(value: object, read: object) -> None:
    """The refusal names the field where it stands."""
    with pytest.raises(EncodingError, match=r"thing\.[xy]"):
        read(Fields({"x": value}, "thing"))  # type: ignore[operator, dict-item]


def test_unknown_fields_are_refused() -> None:
    """A field that this version does not know may change what a later one says."""
    fields = Fields({"a": 1, "sp\ny": 2}, "thing")
    fields.integer("a", 0, 9)
    with pytest.raises(EncodingError, match=r"thing: unknown field 'sp\\ny'"):
        fields.end()


def test_only_objects_have_fields() -> None:
    """A list or a text in an object's place is refused."""
    for value in ([], "a", None, 1):
        with pytest.raises(EncodingError, match="thing: must be a JSON object"):
            Fields(value, "thing")  # type: ignore[arg-type]


# --- the fast writer ----------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(max_size=3) | st.sampled_from("abc"), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_the_fast_writer_writes_what_the_plain_one_does(value: object) -> None:
    """For every value, keys outside ASCII included, the bytes are those of the rfc8785 package."""
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(EncodingError):
            canonical.dump(value)
    else:
        assert canonical.dump(value) == expected


@settings(max_examples=300, deadline=None)
@given(values, st.booleans())
@example([True, 1, "1", None, {"a": []}], True)
def test_the_quick_reader_reads_what_the_plain_one_does(value: object, ascii_only: bool) -> None:
    """The same values of the same types, whichever of the two takes them."""
    data = json.dumps(value, ensure_ascii=ascii_only, sort_keys=True, separators=(",", ":"))
    try:
        found = canonical.parse(data.encode(), limit=LIMIT)
    except EncodingError:
        return
    assert repr(found) == repr(canonical.parse_loose(data.encode(), limit=LIMIT))
    assert canonical.spell(found) == data.encode()


def test_keys_that_sort_differently_are_left_to_the_plain_writer() -> None:
    """U+10000 comes before U+FFFF by UTF-16 units and after it by code points."""
    value = {"\uffff": 1, "\U00010000": 2}
    assert canonical.dump(value) == '{"\U00010000":2,"\uffff":1}'.encode()
