"""Selections, listings and manifests: what they hold, and every list that is no list."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import DAY, NOW, schema
from support.portfolio import (
    PERIOD,
    SPV,
    holding,
    holdings,
    manifest_file,
    portfolio,
)

from proofs import canonical
from proofs.attestation import AsOf
from proofs.errors import BindingError, EncodingError
from proofs.grant import Grant
from proofs.listing import Listing, Row, listing_digest
from proofs.manifest import Manifest, ManifestFile, pack_rows, unpack_rows
from proofs.request import Request
from proofs.selection import MAX_LISTED, Selection

DIGEST = schema().digest
MONTH = {"from": "2026-01-01", "to": "2026-02-01"}


def attested(count: int = 4) -> list[object]:
    return [each.attestation for each in holdings(count)]


# --- what a request says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "selection",
    [
        Selection(DIGEST),
        Selection(DIGEST, assets=("a", "b")),
        Selection(DIGEST, spv=SPV, period=PERIOD),
    ],
)
def test_a_request_about_a_selection_reads_back(selection: Selection) -> None:
    """With no documents by alias, and the same selection."""
    chosen = {"None": "prover"}.get(str(selection.assets), "request")
    chosen = "manifest" if selection.spv else chosen
    assert selection.chosen_by == chosen
    found = replace(portfolio(2), chosen_by="prover").request
    tree = json.loads(found.data) | {"selection": selection.to_json()}
    read = Request.parse(canonical.dump(tree))
    assert (read.selection, read.documents) == (selection, ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"assets": ["b", "a"]}, "not in order"),
        ({"assets": ["a", "a"]}, "not in order"),
        ({"assets": []}, "items"),
        ({"assets": ["a b"]}, "asset id"),
        (
            {"assets": ["a"], "spv": "S", "period": {"from": "2026-01-01", "to": "2026-02-01"}},
            "both",
        ),
        ({"spv": "S"}, "period"),
        ({"period": {"from": "2026-01-01", "to": "2026-02-01"}}, "an SPV"),
        ({"spv": "S", "period": {"from": "2026-03-01", "to": "2026-02-01"}}, "ends before"),
        ({"spv": "a\u202eb", "period": MONTH}, "spv"),
        ({"more": 1}, "unknown field"),
    ],
)
def test_a_malformed_selection_is_refused(change: dict[str, object], message: str) -> None:
    """Named by what is wrong."""
    tree = json.loads(portfolio(2).request.data)
    tree["selection"] = {"schema": DIGEST} | change
    with pytest.raises(EncodingError, match=message):
        Request.parse(canonical.dump(tree))


def test_a_request_is_about_documents_or_a_selection() -> None:
    """Both at once would be read differently by two readers."""
    tree = json.loads(portfolio(2).request.data)
    tree["documents"] = [{"alias": "doc", "asset": "a", "schema": DIGEST}]
    with pytest.raises(EncodingError, match="unknown field"):
        Request.parse(canonical.dump(tree))
    del tree["selection"]
    assert Request.parse(canonical.dump(tree)).selection is None


def test_a_grant_names_the_list_by_digest() -> None:
    """And reads back; with documents too it is refused."""
    found = portfolio(3)
    payload = json.loads(found.grant)["payload"]
    tree = json.loads(canonical.decode_base64(payload, limit=1 << 16, where="grant"))
    grant = Grant.parse(canonical.dump(tree))
    assert grant.selection is not None
    expected = listing_digest([each.attestation for each in found.documents])
    assert (grant.selection.count, grant.selection.attestations) == (3, expected)
    tree["documents"] = []
    with pytest.raises(EncodingError, match="unknown field"):
        Grant.parse(canonical.dump(tree))


# --- the list -----------------------------------------------------------------------------------


def test_the_digest_does_not_depend_on_the_order_given() -> None:
    """It is over the list in the order of the document ids."""
    documents = attested()
    assert listing_digest(documents) == listing_digest(documents[::-1])
    assert listing_digest(documents) != listing_digest(documents[1:])
    assert listing_digest(documents) == Listing.of(documents, schema()).digest


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"document": f"{1:032x}", "asset": "cn-pv-9"}, "document .* twice"),
        ({"document": f"{1:032x}", "version": 2, "asset": "cn-pv-9"}, "document .* twice"),
        ({"asset": "cn-pv-00001"}, "asset cn-pv-00001 stands twice"),
        ({"schema": "00" * 32}, "several schemas"),
    ],
)
def test_nothing_stands_twice(second: dict[str, object], message: str) -> None:
    """It would count twice in a sum."""
    with pytest.raises(BindingError, match=message):
        listing_digest([holding(1).attestation, holding(2, **second).attestation])


def test_a_list_is_neither_empty_nor_endless() -> None:
    """1 to 16,384."""
    with pytest.raises(BindingError, match="must be 1 to"):
        listing_digest([])
    one = holding(1).attestation
    many = [replace(one, document=f"{k:032x}", asset=f"a{k}") for k in range(MAX_LISTED + 1)]
    assert listing_digest(many[1:])
    with pytest.raises(BindingError, match="must be 1 to"):
        listing_digest(many)


def test_a_listing_spans_its_documents() -> None:
    """As-of from the first to the last day, the earliest expiry, and whether all are alike."""
    first = holding(1, as_of=AsOf(date(2026, 1, 1), date(2026, 3, 31)))
    second = holding(2, valid_until=NOW + 9 * DAY, attested_at=NOW - 9 * DAY)
    found = Listing.of([first.attestation, second.attestation], schema())
    assert found.as_of == AsOf(date(2026, 1, 1), date(2026, 6, 30))
    assert not found.same_as_of
    assert found.valid_until == NOW + 9 * DAY
    assert found.attested == (NOW - 9 * DAY, NOW - 2 * DAY)
    assert Listing.of(attested(), schema()).same_as_of  # type: ignore[arg-type]


# --- manifests ----------------------------------------------------------------------------------


def read(data: bytes) -> tuple[Manifest, bytes]:
    file = ManifestFile.parse(data)
    return Manifest.parse(file.envelope.unverified_payload), file.rows


def test_a_manifest_gives_the_rows_back() -> None:
    """Of its attributes, in the schema's order, absence included."""
    manifest, rows = read(manifest_file(holdings(4), ("owner", "capacity")))
    assert manifest.attributes == ("capacity", "owner")
    found, whole = manifest.listing(rows, schema()), Listing.of(attested(), schema())  # type: ignore[arg-type]
    places = [schema().index("capacity"), schema().index("owner")]
    assert found.columns == tuple(places)
    assert found.digest == whole.digest
    expected = [
        replace(row, commitments=tuple(row.commitments[place] for place in places))
        for row in whole.rows
    ]
    assert list(found.rows) == expected
    assert [row.commitments[1] is None for row in found.rows] == [True, False, False, False]
    assert found.column(places[1]) == 1
    assert found.column(schema().index("fuel")) is None


def test_a_row_takes_about_a_hundred_bytes() -> None:
    """Asset id, document, version, mark, commitment; printed, for a portfolio has thousands."""
    _, rows = read(manifest_file(holdings(50)))
    print(f"\n{len(rows) / 50:.0f} bytes a row, {4 * len(rows) / 150:.0f} in a bundle")
    assert len(rows) == 50 * (1 + 11 + 16 + 4 + 1 + 48)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda rows: rows + b"\0", BindingError, "not those of the manifest"),
        (lambda rows: rows[:-1], BindingError, "not those of the manifest"),
        (lambda rows: rows[:20] + b"\x01" + rows[21:], BindingError, "not those of the manifest"),
    ],
)
def test_other_rows_are_refused(change: object, error: type[Exception], message: str) -> None:
    """The signed payload has their digest."""
    manifest, rows = read(manifest_file(holdings(3)))
    with pytest.raises(error, match=message):
        manifest.listing(change(rows), schema())  # type: ignore[operator]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [(["nothing"], "no attribute nothing"), ([], "at least one"), (["capacity"] * 2, "each once")],
)
def test_a_manifest_is_about_attributes_of_the_schema(attributes: list[str], message: str) -> None:
    """At least one, each once."""
    with pytest.raises(BindingError, match=message):
        manifest_file(holdings(2), attributes)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("serial", 0, "serial"),
        ("count", 0, "count"),
        ("signed_at", "2020-01-01T00:00:00Z", "before the last of its attestations"),
        ("valid_until", "2020-01-01T00:00:00Z", "expires before it was signed"),
        ("attributes", ["capacity", "capacity"], "one twice"),
        ("attributes", [], "attributes"),
        ("more", 1, "unknown field"),
    ],
)
def test_a_malformed_manifest_is_refused(field: str, value: object, message: str) -> None:
    """Field by field."""
    manifest, _ = read(manifest_file(holdings(2)))
    tree = json.loads(manifest.data) | {field: value}
    with pytest.raises(EncodingError, match=message):
        Manifest.parse(canonical.dump(tree))


def test_attributes_stand_in_the_schema_s_order() -> None:
    """Or one manifest would have two texts, and columns could be read in another order."""
    manifest, rows = read(manifest_file(holdings(2), ("capacity", "fuel")))
    tree = json.loads(manifest.data) | {"attributes": ["fuel", "capacity"]}
    with pytest.raises(EncodingError, match="order"):
        Manifest.parse(canonical.dump(tree)).listing(rows, schema())


def test_an_attribute_that_must_be_there_is_there() -> None:
    """A row cannot say that it is absent."""
    listing = Listing.of(attested(2), schema())  # type: ignore[arg-type]
    bare = [replace(row, commitments=(None,)) for row in listing.rows]
    manifest, _ = read(manifest_file(holdings(2)))
    packed = pack_rows(bare)
    digest = canonical.sha256_label(b"crossproof/manifest-rows/v1", packed).hex()
    tree = json.loads(manifest.data) | {"rows": digest}
    with pytest.raises(BindingError, match="absent and not optional"):
        Manifest.parse(canonical.dump(tree)).listing(packed, schema())


def test_a_manifest_file_is_canonical() -> None:
    """It reads back, and no other spelling of it."""
    data = manifest_file(holdings(2))
    assert ManifestFile.parse(data).encode() == data
    with pytest.raises(EncodingError, match="canonical"):
        ManifestFile.parse(data + b"\n")


ROWS = st.lists(
    st.builds(
        Row,
        st.binary(min_size=16, max_size=16).map(bytes.hex),
        st.integers(1, 2**31 - 1),
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,40}", fullmatch=True),
        st.lists(
            st.one_of(st.none(), st.binary(min_size=48, max_size=48)), min_size=9, max_size=9
        ).map(tuple),
    ),
    max_size=5,
)


@given(rows=ROWS, noise=st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_rows_have_one_packing(rows: list[Row], noise: int) -> None:
    """What is packed reads back, and bytes that read at all are what is packed."""
    packed = pack_rows(rows)
    assert unpack_rows(packed, count=len(rows), columns=9) == tuple(rows)
    if not packed:
        return
    place, bit = noise % len(packed), noise % 8
    other = packed[:place] + bytes([packed[place] ^ (1 << bit)]) + packed[place + 1 :]
    try:
        found = unpack_rows(other, count=len(rows), columns=9)
    except EncodingError:
        return
    assert pack_rows(found) == other
    assert found != tuple(rows)


def test_an_expired_period_is_no_manifest_s_business() -> None:
    """Validity is by the attestations, not by the period that the list is about."""
    manifest, _ = read(manifest_file(holdings(2), period=(date(2020, 1, 1), date(2020, 12, 31))))
    assert manifest.valid_until > NOW - timedelta(days=1)
