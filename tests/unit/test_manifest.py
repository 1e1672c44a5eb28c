"""Key manifests, receipts and records of parts: one spelling each, and every other one refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.errors import EncodingError
from vault.document_record import AttachmentEntry, AttributeEntry, DocumentRecord
from vault.signed.manifest import (
    KeyManifest,
    ManifestHolder,
    ManifestPart,
    ManifestSide,
    SideSecret,
)
from vault.signed.receipt import DepositReceipt

DOCUMENT = "ab" * 16
DIGEST = "cd" * 32


def uri(side: str, index: int) -> str:
    return f"spiffe://rwa.example/{side}/holder/h{index}"


def side(name: Any, threshold: int = 2, holders: int = 3) -> ManifestSide:
    listed = [ManifestHolder(i, uri(name, i), f"{i:02x}" * 32) for i in range(1, holders + 1)]
    return ManifestSide(name, threshold, tuple(listed))


def secret(name: Any, count: int = 3) -> SideSecret:
    return SideSecret(name, b"\x01" * 32, tuple(bytes([i]) * 32 for i in range(1, count + 1)))


def manifest(**changes: Any) -> KeyManifest:
    values: dict[str, Any] = {
        "document": DOCUMENT,
        "version": 1,
        "attestation": DIGEST,
        "sides": (side("cn"), side("hk")),
        "parts": (
            ManifestPart("asset", (secret("cn"), secret("hk"))),
            ManifestPart("personal", (secret("cn"),)),
        ),
    }
    return KeyManifest.build(**(values | changes))


def test_a_manifest_reads_back() -> None:
    """What was built is what is read, and it finds its parts."""
    built = manifest()
    assert KeyManifest.parse(built.data) == built
    assert built.parts_of("cn") == ("asset", "personal")
    assert built.parts_of("hk") == ("asset",)
    assert built.secret("asset", "hk") == secret("hk")
    assert built.secret("personal", "hk") is None
    found = built.side("hk").holder(uri("hk", 2))
    assert found is not None
    assert found.index == 2
    assert built.side("hk").holder(uri("cn", 2)) is None


def test_a_manifest_without_a_personal_part() -> None:
    """Nothing is said of a part that is not there."""
    built = manifest(parts=(ManifestPart("asset", (secret("cn"), secret("hk"))),))
    assert built.part("personal") is None
    assert built.parts_of("cn") == ("asset",)


def test_a_later_epoch_names_the_manifest_before() -> None:
    """The first epoch names none, every other one does."""
    assert manifest(epoch=2, previous=DIGEST).previous == DIGEST
    with pytest.raises(EncodingError, match="every epoch but the first"):
        manifest(epoch=2)
    with pytest.raises(EncodingError, match="every epoch but the first"):
        manifest(previous=DIGEST)


Change = Callable[[dict[str, Any]], object]

MANIFESTS: dict[str, Change] = {
    "unknown field": lambda m: m.update(extra=1),
    "field missing": lambda m: m.pop("document"),
    "another format": lambda m: m.update(format="crossvault/key-manifest/v2"),
    "sides swapped": lambda m: m["sides"].reverse(),
    "one side": lambda m: m["sides"].pop(),
    "threshold of one": lambda m: m["sides"][0].update(threshold=1),
    "a minority": lambda m: (
        m["sides"][0]["holders"].append(
            {"index": 4, "uri": uri("cn", 4), "key": "aa" * 32},
        ),
        [key["shares"].append("ee" * 32) for part in m["parts"] for key in part["keys"][:1]],
    ),
    "threshold past the holders": lambda m: m["sides"][0].update(threshold=4),
    "index twice": lambda m: m["sides"][0]["holders"][1].update(index=1),
    "holder twice": lambda m: m["sides"][0]["holders"][1].update(uri=uri("cn", 1)),
    "holder of the other side": lambda m: m["sides"][0]["holders"][1].update(uri=uri("hk", 1)),
    "no holder": lambda m: m["sides"][0]["holders"][1].update(
        uri="spiffe://rwa.example/cn/vault/main"
    ),
    "key id in upper case": lambda m: m["sides"][0]["holders"][1].update(key="AB" * 32),
    "personal part alone": lambda m: m["parts"].pop(0),
    "personal part first": lambda m: m["parts"].reverse(),
    "part twice": lambda m: m["parts"].append(m["parts"][1]),
    "no part": lambda m: m["parts"].clear(),
    "personal key of hk": lambda m: m["parts"][1]["keys"].append(m["parts"][0]["keys"][1]),
    "asset key of one side": lambda m: m["parts"][0]["keys"].pop(),
    "sides of a part swapped": lambda m: m["parts"][0]["keys"].reverse(),
    "a share too few": lambda m: m["parts"][0]["keys"][0]["shares"].pop(),
    "a share too many": lambda m: m["parts"][0]["keys"][0]["shares"].append("aa" * 32),
    "a digest too short": lambda m: m["parts"][0]["keys"][0].update(secret="aa"),
    "version zero": lambda m: m.update(version=0),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_other_manifest_is_refused(name: str) -> None:
    """Changed in one place, whoever signed it."""
    value = json.loads(manifest().data)
    MANIFESTS[name](value)
    data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(EncodingError):
        KeyManifest.parse(data)


def test_a_manifest_that_is_not_canonical_is_refused() -> None:
    """The same content in other bytes."""
    with pytest.raises(EncodingError, match="canonical"):
        KeyManifest.parse(manifest().data + b" ")


def receipt(**changes: Any) -> bytes:
    values: dict[str, Any] = {
        "attestation": DIGEST,
        "manifest": "ef" * 32,
        "index": 2,
        "epoch": 1,
        "holder": uri("cn", 2),
        "parts": ("asset", "personal"),
        "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    return DepositReceipt.build(**(values | changes))


def test_a_receipt_reads_back() -> None:
    """All of its fields."""
    read = DepositReceipt.parse(receipt())
    assert (read.attestation, read.manifest, read.index, read.epoch, read.holder) == (
        DIGEST,
        "ef" * 32,
        2,
        1,
        uri("cn", 2),
    )
    assert (read.parts, read.time) == (
        ("asset", "personal"),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"index": 0},
        {"epoch": 0},
        {"holder": "spiffe://rwa.example/cn/holder/H2"},
        {"parts": ()},
        {"parts": ("personal", "asset")},
        {"parts": ("asset", "asset")},
        {"parts": ("asset", "public")},
        {"attestation": "x"},
    ],
)
def test_every_other_receipt_is_refused(changes: dict[str, Any]) -> None:
    """Places, names and parts that there are not."""
    with pytest.raises(EncodingError):
        DepositReceipt.parse(receipt(**changes))


DEPOSITED: dict[str, Any] = {
    "attestation": DIGEST,
    "manifest": "ef" * 32,
    "index": 2,
    "epoch": 1,
    "holder": uri("cn", 2),
    "parts": ("asset", "personal"),
}


def test_a_receipt_matches_its_deposit_alone() -> None:
    """At any time; not if one field of the deposit is another."""
    for time in (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        assert DepositReceipt.matches(receipt(time=time), **DEPOSITED)
    others: dict[str, Any] = {
        "attestation": "00" * 32,
        "manifest": "00" * 32,
        "index": 1,
        "epoch": 2,
        "holder": uri("cn", 1),
        "parts": ("asset",),
    }
    for name, other in others.items():
        assert not DepositReceipt.matches(receipt(**{name: other}), **DEPOSITED)


@given(at=st.integers(0, 2000), bit=st.integers(0, 7), cut=st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_what_matches_is_a_receipt(at: int, bit: int, cut: int) -> None:
    """Any bit changed or anything cut off: it matches only what reads as the same deposit's."""
    data = bytearray(receipt())
    data[at % len(data)] ^= 1 << bit
    changed = bytes(data[: len(data) - cut])
    try:
        read = DepositReceipt.parse(changed)
        expected = {name: getattr(read, name) for name in DEPOSITED} == DEPOSITED
    except EncodingError:
        expected = False
    assert DepositReceipt.matches(changed, **DEPOSITED) == expected


def test_another_spelling_of_a_receipt_matches_nothing() -> None:
    """White space, another order, a time of another form or none."""
    data = receipt()
    for other in (
        data + b"\n",
        data.replace(b",", b", ", 1),
        data.replace(b"T03:04:05Z", b"t03:04:05z"),
        data.replace(b"T03:04:05Z", b"T25:04:05Z"),
        data[:-2],
        b"",
        b"\xff" * 30,
    ):
        assert not DepositReceipt.matches(other, **DEPOSITED)


def record(**changes: Any) -> DocumentRecord:
    values: dict[str, Any] = {
        "document": DOCUMENT,
        "version": 1,
        "attributes": (
            AttributeEntry("capacity", "20.000 MW", b"\x01" * 32),
            AttributeEntry("fuel", "Hydro", b"\x02" * 32),
        ),
        "attachments": (AttachmentEntry(1, "证书.pdf", "application/pdf", 12),),
    }
    return DocumentRecord(**(values | changes))


def test_a_record_reads_back() -> None:
    """Attributes with their blindings, attachments with their names."""
    assert DocumentRecord.parse(record().encode()) == record()


@pytest.mark.parametrize(
    "changes",
    [
        {"attributes": (AttributeEntry("a", "1", bytes(32)), AttributeEntry("a", "2", bytes(32)))},
        {"attributes": (AttributeEntry("Bad", "1", bytes(32)),)},
        {"attributes": (AttributeEntry("a", "x" * 1100, bytes(32)),)},
        {"attachments": (AttachmentEntry(2, "a", "a/b", 1),)},
        {"attachments": (AttachmentEntry(1, "", "a/b", 1),)},
        {"attachments": (AttachmentEntry(1, "a", "a/b", (1 << 30) + 1),)},
        {"document": "x"},
        {"version": 0},
    ],
)
def test_every_other_record_is_refused(changes: dict[str, Any]) -> None:
    """Names twice, streams out of order, lengths past the bound."""
    with pytest.raises(EncodingError):
        DocumentRecord.parse(record(**changes).encode())


def test_a_record_past_its_bound_is_not_written() -> None:
    """It has to fit one block."""
    long = tuple(AttachmentEntry(i, "x" * 255, "y" * 255, 1) for i in range(1, 3000))
    with pytest.raises(EncodingError, match="over"):
        record(attachments=long).encode()


def test_blindings_have_one_length() -> None:
    """32 bytes, and they do not show."""
    with pytest.raises(EncodingError, match="32 bytes"):
        AttributeEntry("a", "1", b"short")
    assert "20.000" not in repr(record())
