"""Attestation payloads and witnesses: one form, and they fit each other or are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import DAY, NOW, VALUES, attestation, root_cid, schema, witness
from support.torsion import torsion_point

from proofs import canonical, group
from proofs.attestation import AsOf, Attestation, personal_part_digest
from proofs.errors import BindingError, CrossproofError, EncodingError
from proofs.schema import Schema
from proofs.values import read_attributes
from proofs.witness import Witness, scalar_integer


def test_what_is_built_is_read_back() -> None:
    """Every field arrives, with the exact bytes and their digest."""
    data = attestation()
    found = Attestation.parse(data)
    assert found.data == data
    assert (found.version, found.asset) == (2, "cn-pv-0042")
    assert found.as_of == AsOf(date(2026, 6, 30), date(2026, 6, 30))
    assert (found.attested_at, found.valid_until) == (NOW - 2 * DAY, NOW + 90 * DAY)
    assert found.commitments == witness().commitments()
    assert found.commitments[6] is None


def test_a_document_without_a_personal_part() -> None:
    """Absence is the absence of the field, not a null."""
    data = attestation(personal_part=None)
    assert Attestation.parse(data).personal_part is None
    assert b"personal_part" not in data


def test_bytes_for_each_attestation() -> None:
    """A portfolio carries thousands: 64 characters a commitment, and under 700 beside them."""
    size = len(attestation())
    print(f"an attestation of 6 present attributes: {size} bytes")
    assert size - 6 * 64 < 700


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"document": "ABCDEF"}, "document id"),
        ({"version": 0}, "version"),
        ({"asset": "a b"}, "asset id"),
        ({"schema": "AB" * 32}, "hexadecimal"),
        ({"valid_until": NOW - 3 * DAY}, "expires before"),
        ({"asset_part": "bafkrei" + "a" * 52}, "bafyrei"),
        ({"asset_part": root_cid(7)[:-1]}, "bafyrei"),
        ({"asset_part": root_cid(7).upper()}, "bafyrei"),
        ({"asset_part": root_cid(7)[:-1] + "7"}, "bafyrei"),
        ({"personal_part": "00"}, "hexadecimal"),
        ({"commitments": [None, None]}, "attests nothing"),
        ({"commitments": [b"\x80" * 47]}, "take 48"),
        ({"commitments": [b"\x80" * 48] * 65}, "64"),
    ],
)
def test_refuses_to_build(changes: dict[str, object], message: str) -> None:
    """What no reader would take is not made either."""
    with pytest.raises(EncodingError, match=message):
        attestation(**changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("as_of"),
        lambda tree: tree.update(extra=1),
        lambda tree: tree["as_of"].update(at="2026-06-30"),
        lambda tree: tree["as_of"].update({"to": "2026-06-29"}),
        lambda tree: tree["as_of"].update({"to": "20260630"}),
        lambda tree: tree["as_of"].update({"to": "2026-W27-2"}),
        lambda tree: tree.update(presence="1111112"),
        lambda tree: tree.update(presence="1111111"),
        lambda tree: tree.update(presence="111110"),
        lambda tree: tree.update(version=True),
        lambda tree: tree.update(format="crossvault/attestation/v2"),
    ],
)
def test_refuses_to_read(change: Callable[[dict[str, object]], object]) -> None:
    """Missing, unknown and malformed fields."""
    tree = json.loads(attestation())
    change(tree)
    with pytest.raises(EncodingError):
        Attestation.parse(canonical.dump(tree))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused_or_read_as_another(data: st.DataObject) -> None:
    """No input but our errors, and never two byte strings for one attestation."""
    payload = bytearray(attestation())
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    try:
        found = Attestation.parse(bytes(payload))
    except CrossproofError:
        return
    assert found.data != attestation()
    assert found.digest != Attestation.parse(attestation()).digest


def test_the_personal_part_is_blinded() -> None:
    """Another blinding, another digest; a short one is a caller's error."""
    first = personal_part_digest(bytes(32), root_cid(1))
    assert first != personal_part_digest(bytes(31) + b"\1", root_cid(1))
    assert first != personal_part_digest(bytes(32), root_cid(2))
    with pytest.raises(ValueError, match="32 bytes"):
        personal_part_digest(b"", root_cid(1))


def test_schema_and_presence() -> None:
    """The digest, the number of attributes and what may be absent must all fit."""
    found = Attestation.parse(attestation())
    found.check_schema(schema())
    other = Schema.parse(schema().encode().replace(b'"unit":"MW"', b'"unit":"kW"'))
    with pytest.raises(BindingError, match="made for schema"):
        found.check_schema(other)
    for commitments, message in (
        (found.commitments[:-1], "6 attributes, the schema has 7"),
        ((None, *found.commitments[1:]), "capacity is absent"),
    ):
        with pytest.raises(BindingError, match=message):
            replace(found, commitments=commitments).check_schema(schema())


# --- the witness --------------------------------------------------------------------------------


def test_a_witness_fits_its_attestation() -> None:
    """After a round trip too, and what may be shown of it is the public attributes."""
    found = Witness.parse(witness().encode())
    found.check_against(Attestation.parse(attestation()), schema())
    assert found.values == witness().values
    assert found.public_texts(schema()) == {"province": "Guangdong"}


def test_a_witness_keeps_no_text_that_is_not_public() -> None:
    """Of an owner's name there is the hash, and nothing is printed by accident."""
    data = witness().encode()
    assert b"Guangdong" in data
    assert b"zhang" not in data.lower()
    assert repr(witness()) == "Witness(redacted)"


def test_blindings_are_fresh() -> None:
    """Two witnesses of one document share no blinding."""
    values = read_attributes(schema(), VALUES)
    first, second = Witness.draw(schema(), values), Witness.draw(schema(), values)
    assert [pair and pair[0] for pair in first.values] == [
        pair and pair[0] for pair in second.values
    ]
    assert not {pair[1] for pair in first.values if pair} & {
        pair[1] for pair in second.values if pair
    }


def altered(place: int, value: int | None = None) -> Witness:
    values = list(witness().values)
    pair = values[place]
    assert pair is not None
    values[place] = (group.signed_scalar(value), pair[1]) if value is not None else None
    return Witness(tuple(values), witness().texts)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (altered(0), "capacity is present on one side only"),
        (altered(0, 48501), "commitment of capacity"),
        (altered(0, -1), "capacity is out of its bounds"),
        (altered(2, 10**9), "commissioned is out of its bounds"),
        (altered(3, 5), "province is none of its members"),
        (Witness(witness().values[:-1], witness().texts), "another number"),
        (Witness(witness().values, {}), "province has another text"),
        (Witness(witness().values, {"province": "Anhui"}), "province has another text"),
        (Witness(witness().values, {"province": "Guangdong", "owner": "x"}), "exactly"),
    ],
)
def test_a_witness_that_does_not_fit(found: Witness, message: str) -> None:
    """Refused naming the attribute, and never its value."""
    with pytest.raises(BindingError, match=message) as caught:
        found.check_against(Attestation.parse(attestation()), schema())
    assert "48501" not in str(caught.value)


def test_a_commitment_outside_the_subgroup() -> None:
    """A component of small order would pass an equation that clears the cofactor, not this."""
    first, *rest = witness().commitments()
    assert first is not None
    (point,) = group.decode_statement_points([first])
    for order in (3, 11):
        moved = group.encode_point(point + torsion_point(order))
        attested = Attestation.parse(attestation(commitments=(moved, *rest)))
        with pytest.raises(BindingError, match="capacity: not of the witness"):
            witness().check_against(attested, schema())


def test_a_commitment_to_nothing() -> None:
    """Zero under the blinding zero is the identity, which no attestation may carry."""
    _, *values = witness().values
    zero = Witness(((group.ZERO, group.ZERO), *values), witness().texts)
    identity = (b"\xc0" + bytes(47), *witness().commitments()[1:])
    attested = Attestation.parse(attestation(commitments=identity))
    with pytest.raises(BindingError, match="capacity: not of the witness"):
        zero.check_commitments(attested, schema())


def test_a_commitment_that_is_no_point() -> None:
    """An attestation with bytes in the place of a point is refused naming the attribute."""
    broken = (b"\x80" * 48, *witness().commitments()[1:])
    with pytest.raises(BindingError, match="capacity"):
        witness().check_against(Attestation.parse(attestation(commitments=broken)), schema())


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.update(presence="222"),
        lambda tree: tree.update(presence="1"),
        lambda tree: tree.update(texts=[]),
        lambda tree: tree.update(texts={"province": ""}),
        lambda tree: tree.update(openings="AAAA"),
        lambda tree: tree.update(openings=canonical.encode_base64(b"\xff" * 384)),
        lambda tree: tree.update(extra=1),
    ],
)
def test_refuses_to_read_a_witness(change: Callable[[dict[str, object]], object]) -> None:
    """Malformed bytes are our error, scalars past the order among them."""
    tree = json.loads(witness().encode())
    change(tree)
    with pytest.raises(EncodingError):
        Witness.parse(canonical.dump(tree))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("presence", "1111112", "only 0 and 1"),
        ("openings", canonical.encode_base64(b"\0" * 383), "another length"),
    ],
)
def test_refuses_a_witness_of_another_shape(field: str, value: str, message: str) -> None:
    """Marks beside 0 and 1, and an opening cut off."""
    with pytest.raises(EncodingError, match=message):
        Witness.parse(canonical.dump(json.loads(witness().encode()) | {field: value}))


def test_a_witness_under_another_schema() -> None:
    """The schema must be the attested one, whatever the commitments open to."""
    with pytest.raises(BindingError, match="made for schema"):
        witness().check_against(Attestation.parse(attestation(schema="00" * 32)), schema())


@settings(max_examples=40, deadline=None)
@given(st.integers(-(2**62), 2**62))
def test_integers_come_back_from_scalars(value: int) -> None:
    """Negative ones too."""
    assert scalar_integer(group.signed_scalar(value)) == value
