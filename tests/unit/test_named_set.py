"""Signed sets: the file is the envelope and the members, and neither can change alone."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import (
    AUTHORITY,
    DAY,
    NOW,
    STRANGER,
    named_set,
    private_key,
    public_key,
    schema,
    trust,
)

from proofs import canonical, envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError, EncodingError, SetError, SignatureError
from proofs.named_set import MemberType, NamedSet, SetHeader, describe, merge
from proofs.schema import AttributeType
from proofs.verify_sets import check_named_set

NAMES = MemberType(AttributeType.NAME)
YUAN = MemberType(AttributeType.DECIMAL, 2, "CNY")
DATES = MemberType(AttributeType.DATE)


def made(member_type: MemberType, raw: list[str], **changes: object) -> NamedSet:
    members, _ = merge(member_type.read(raw))
    values: dict[str, object] = {
        "name": "list",
        "version": 1,
        "member_type": member_type,
        "issued": NOW - DAY,
        "valid_until": NOW + DAY,
        "source": "A register",
        "as_of": date(2026, 6, 1),
    }
    header = NamedSet.make_header(members, **(values | changes))  # type: ignore[arg-type]
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    return NamedSet.assemble(Envelope.parse(signed), members)


@pytest.mark.parametrize(
    ("member_type", "raw", "lines"),
    [
        (NAMES, ["Zhang  Wei", "ＡＣＭＥ Ltd", "zhang wei"], ["acme ltd", "zhang wei"]),
        (MemberType(AttributeType.IDENTIFIER), ["ab-1", " AB-2"], ["AB-1", "AB-2"]),
        (MemberType(AttributeType.ENUM), ["Wind", "Solar"], ["Solar", "Wind"]),
        (YUAN, ["10", "-2.5", "9.00"], ["-2.50", "9.00", "10.00"]),
        (MemberType(AttributeType.INTEGER, 0, "MW"), ["10", "9"], ["9", "10"]),
        (DATES, ["2026-01-02", "1960-05-01"], ["1960-05-01", "2026-01-02"]),
    ],
)
def test_a_file_of_every_type(member_type: MemberType, raw: list[str], lines: list[str]) -> None:
    """Normalised, merged, ordered, exported and read back."""
    found = made(member_type, raw)
    exported = found.export()
    assert exported.decode().split("\n")[1:] == [*lines, ""]
    again = NamedSet.parse(exported)
    assert (again.header, again.members) == (found.header, found.members)
    assert again.scalars.digest == found.scalars.digest
    assert again.reference == found.reference


def test_merging_says_how_many() -> None:
    """Two spellings of one name are one member."""
    assert merge(NAMES.read(["A", "a", "ａ", "b"])) == (["a", "b"], 2)


def test_the_digest_covers_type_scale_and_unit() -> None:
    """The same lines in another unit are another set."""
    digests = {
        made(each, ["1", "2"]).header.digest
        for each in (
            YUAN,
            MemberType(AttributeType.DECIMAL, 3, "CNY"),
            MemberType(AttributeType.DECIMAL, 2, "USD"),
            MemberType(AttributeType.INTEGER),
            NAMES,
            MemberType(AttributeType.IDENTIFIER),
        )
    }
    assert len(digests) == 6


def test_describes_its_type() -> None:
    """As a person would write it."""
    assert [describe(each) for each in (YUAN, DATES, NAMES)] == ["decimal(2) CNY", "date", "name"]
    assert describe(MemberType.of(schema().attribute("capacity"))) == "decimal(3) MW"


EXPORTED = named_set("fuels").export()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "cut off"),
        (lambda data: data[:-6], "cut off"),
        (lambda data: data.rsplit(b"\n", 2)[0] + b"\n", "2 members, 3 were signed"),
        (lambda data: data + b"COAL\n", "4 members, 3 were signed"),
        (lambda data: data.replace(b"WIND", b"COAL"), "not the signed ones"),
        (lambda data: data.replace(b"WIND", b"wind"), "not in normal form"),
        (lambda data: data.replace(b"WIND", b"WIND "), "not in normal form"),
        (lambda data: data.replace(b"WIND\n", b"WIND\r\n"), "U\\+000D"),
        (lambda data: data.replace(b"HYDRO\nSOLAR", b"SOLAR\nHYDRO"), "not in order"),
        (lambda data: data.replace(b"WIND", b"HYDRO"), "twice"),
        (lambda data: data.replace(b"WIND", b""), "empty"),
        (lambda data: data.replace(b"WIND", b"WI\xe2\x80\x8bND"), "U\\+200B"),
        (lambda data: data.replace(b"WIND", b"\xff"), "UTF-8"),
        (lambda data: data.replace(b"WIND", b"W" * 1001), "member 3"),
        (lambda data: data.split(b"\n")[0], "0 members"),
        (lambda data: data.split(b"\n")[0] + b"\n" + b"x\n" * 65_537, "65537 members, 3 were"),
    ],
)
def test_refuses_a_changed_file(change: Callable[[bytes], bytes], message: str) -> None:
    """Every member as it was signed, or nothing."""
    with pytest.raises(SetError, match=message):
        NamedSet.parse(change(EXPORTED))


def test_bounded_before_it_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte over the limit, whatever is in it."""
    monkeypatch.setattr("proofs.named_set.FILE_LIMIT", len(EXPORTED))
    assert NamedSet.parse(EXPORTED).header == named_set("fuels").header
    with pytest.raises(SetError, match="more than"):
        NamedSet.parse(EXPORTED + b"x")


def test_stops_at_the_first_line_out_of_form() -> None:
    """Each such line may take milliseconds: no line behind it is looked at."""
    changed = EXPORTED.replace(b"HYDRO", b"hydro").replace(b"WIND", b"WI\xe2\x80\x8bND")
    with pytest.raises(SetError, match="member 1 is not in normal form"):
        NamedSet.parse(changed)


def test_line_ends_are_counted_before_anything_is_made_of_them() -> None:
    """16 MiB of line ends are refused without a list of as many lines."""
    data = EXPORTED.split(b"\n")[0] + b"\n" * (16 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(SetError, match="3 were signed"):
            NamedSet.parse(data)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(data)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", EXPORTED[1:], b" " + EXPORTED])
def test_refuses_a_file_without_an_envelope(data: bytes) -> None:
    """The first line is the envelope in its one spelling."""
    with pytest.raises(EncodingError):
        NamedSet.parse(data)


def test_refuses_another_payload_type() -> None:
    """An authority's signature over something else is no set."""
    signed = envelope.sign(PayloadType.GRANT, named_set().header.encode(), private_key(AUTHORITY))
    with pytest.raises(SetError, match="not as a set"):
        NamedSet.assemble(Envelope.parse(signed), named_set().members)
    with pytest.raises(SetError, match="not as a set"):
        NamedSet.parse(signed + b"\nx\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Not a name"}, "name"),
        ({"version": 0}, "version"),
        ({"valid_until": NOW - 2 * DAY}, "expires before"),
        ({"source": "a\nb"}, "U\\+000A"),
        ({"source": ""}, "source"),
    ],
)
def test_refuses_a_header(changes: dict[str, object], message: str) -> None:
    """What no set may say of itself."""
    with pytest.raises(CrossproofError, match=message):
        made(NAMES, ["a"], **changes)


def test_a_header_is_checked_when_it_is_made() -> None:
    """A unit that no attribute can have, and a scale that no name has."""
    for wrong in (
        MemberType(AttributeType.INTEGER, 0, "%"),
        MemberType(AttributeType.NAME, 2),
    ):
        with pytest.raises(CrossproofError):
            replace(named_set().header, type=wrong).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.update(attribute_type="integer", unit="8%"),
        lambda tree: tree.update(scale=2),
        lambda tree: tree.update(unit="MW"),
        lambda tree: tree.update(normaliser="v2"),
        lambda tree: tree.update(attribute_type="text"),
        lambda tree: tree.update(count=0),
        lambda tree: tree.update(extra=1),
        lambda tree: tree.update(digest="00"),
        lambda tree: tree.update(as_of="1.6.2026"),
    ],
)
def test_refuses_to_read_a_header(change: Callable[[dict[str, object]], object]) -> None:
    """A name has neither scale nor unit, and there is one normaliser."""
    tree = json.loads(named_set().header.encode())
    change(tree)
    with pytest.raises(CrossproofError):
        SetHeader.parse(canonical.dump(tree))


@pytest.mark.parametrize("raw", [["1.001"], ["x"], [str(2**62)], ["1", ""]])
def test_refuses_members_that_are_not_exact(raw: list[str]) -> None:
    """A number past the bounds or between two steps of the scale, naming its place."""
    with pytest.raises(SetError, match=f"member {len(raw)}"):
        YUAN.read(raw)


def test_no_members_and_one_twice() -> None:
    """A header is made of distinct members, at least one."""
    for members in ([], ["a", "a"]):
        with pytest.raises(SetError):
            NamedSet.make_header(
                members,
                name="list",
                version=1,
                member_type=NAMES,
                issued=NOW,
                valid_until=NOW + DAY,
                source="x",
                as_of=date(2026, 1, 1),
            )


def test_the_signature_is_of_the_pinned_key() -> None:
    """Its own key verifies it, another does not."""
    named_set().verify(public_key(AUTHORITY))
    with pytest.raises(SignatureError):
        named_set().verify(public_key(STRANGER))
    assert check_named_set(named_set(), trust(), NOW).name_en == "Example Register"


def test_two_versions_have_two_payload_digests() -> None:
    """The same members issued again: equal digest, other payload."""
    header = replace(named_set().header, version=9)
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    again = NamedSet.assemble(Envelope.parse(signed), named_set().members)
    assert again.reference == named_set().reference
    assert again.payload_digest != named_set().payload_digest


def test_loads_from_a_file(tmp_path: Path) -> None:
    """The one place here that reads a file."""
    path = tmp_path / "fuels.set"
    path.write_bytes(EXPORTED)
    assert NamedSet.load(path).members == ("HYDRO", "SOLAR", "WIND")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(EXPORTED) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_unsigned(place: int, mask: int) -> None:
    """No changed file is read and verified too."""
    changed = bytearray(EXPORTED)
    changed[place] ^= mask
    with pytest.raises(CrossproofError):
        NamedSet.parse(bytes(changed)).verify(public_key(AUTHORITY))
