"""Lists of documents in a bundle, and manifests of them (section "Selections")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from independent.second_verifier import encoding, envelope
from independent.second_verifier.curve import POINT
from independent.second_verifier.documents import ascending, free_text
from independent.second_verifier.encoding import MAX_VERSION, Tree, labelled_hash
from independent.second_verifier.envelope import TYPE, Envelope
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.schema import Schema
from independent.second_verifier.trust import ASSET

MAX_LISTED = 16_384
MAX_MANIFEST = 64 * 1024
CHOSEN_BY = "request|manifest|prover"


@dataclass(frozen=True)
class Selection:
    """Who chose, and either signed attestations or a manifest with its rows."""

    chosen_by: str
    spv: str | None
    period: Tree | None
    attested: tuple[Envelope, ...]
    manifest: Envelope | None
    rows: bytes


def read_selection(value: Any) -> Selection:
    """The object that stands in a bundle in the place of documents."""
    evidence = {"manifest", "rows"}
    well_formed(isinstance(value, dict), "not an object")
    evidence = evidence if "manifest" in value else {"keyid", "attested"}
    chosen = encoding.text(value.get("chosen_by"), CHOSEN_BY)
    asked = {"spv", "period"} if chosen == "manifest" else set()
    tree = encoding.fields(value, {"chosen_by"} | evidence | asked)
    if asked:
        free_text(tree["spv"])
        _days(tree["period"])
    common = chosen, tree.get("spv"), tree.get("period")
    if "manifest" in tree:
        rows = encoding.base64_bytes(tree["rows"])
        well_formed(bool(rows), "no rows")
        return Selection(*common, (), envelope.read(tree["manifest"], 1), rows)
    key_id = encoding.hexadecimal(tree["keyid"])
    attested = []
    for each in encoding.listed(tree["attested"], 1, MAX_LISTED):
        entry = encoding.fields(each, {"payload", "sig"})
        payload = encoding.base64_bytes(entry["payload"])
        well_formed(bool(payload), "an empty payload")
        signature = encoding.base64_bytes(entry["sig"], 64)
        attested.append(Envelope(payload, TYPE.format("attestation"), key_id, signature))
    return Selection(*common, tuple(attested), None, b"")


def _days(value: Any) -> None:
    days = encoding.fields(value, {"from", "to"})
    well_formed(encoding.day(days["from"]) <= encoding.day(days["to"]), "an end before a beginning")


def asked_selection(value: Any) -> None:
    """The object that stands in a request in the place of documents."""
    tree = encoding.fields(value, {"schema"}, {"assets", "spv", "period"})
    encoding.hexadecimal(tree["schema"])
    well_formed(("spv" in tree) is ("period" in tree), "an SPV and a period, or neither")
    well_formed("spv" not in tree or "assets" not in tree, "assets beside an SPV")
    if "assets" in tree:
        for each in encoding.listed(tree["assets"], 1, MAX_LISTED):
            encoding.text(each, ASSET)
        ascending(tree["assets"])
    if "spv" in tree:
        free_text(tree["spv"])
        _days(tree["period"])


def granted_selection(value: Any) -> None:
    """The object that stands in a grant in the place of documents."""
    tree = encoding.fields(value, {"count", "attestations"}, {"manifest"})
    encoding.integer(tree["count"], 1, MAX_LISTED)
    encoding.hexadecimal(tree["attestations"])
    if "manifest" in tree:
        encoding.hexadecimal(tree["manifest"])


def listing_digest(payload_digests: Sequence[bytes]) -> bytes:
    """The digest of a list of attestations."""
    return labelled_hash("crossproof/listing/v1", *payload_digests)


@dataclass(frozen=True)
class Manifest:
    """A custodian's word that these are the documents of one SPV and period."""

    spv: str
    period: Tree
    schema: bytes
    attributes: tuple[str, ...]
    first: int
    last: int
    valid_until: int
    signed_at: int
    count: int
    attestations: bytes
    rows: bytes


def read_manifest(payload: bytes) -> Manifest:
    """The payload of a `portfolio` envelope."""
    tree = encoding.fields(
        encoding.read(payload, MAX_MANIFEST),
        {"format", "spv", "period", "serial", "schema", "attributes", "as_of", "attested",
         "valid_until", "signed_at", "count", "attestations", "rows"},
    )  # fmt: skip
    well_formed(tree["format"] == "crossvault/portfolio/v1", "another format")
    free_text(tree["spv"])
    _days(tree["period"])
    encoding.integer(tree["serial"], 1, MAX_VERSION)
    names = [
        encoding.text(each, "[a-z][a-z0-9_]{0,63}")
        for each in encoding.listed(tree["attributes"], 1, 64)
    ]
    well_formed(len(set(names)) == len(names), "an attribute twice")
    as_of = encoding.fields(tree["as_of"], {"from", "to", "same"})
    well_formed(isinstance(as_of["same"], bool), "not a truth value")
    _days({"from": as_of["from"], "to": as_of["to"]})
    attested = encoding.fields(tree["attested"], {"first", "last"})
    first, last = encoding.instant(attested["first"]), encoding.instant(attested["last"])
    signed, end = encoding.instant(tree["signed_at"]), encoding.instant(tree["valid_until"])
    well_formed(first <= last <= signed < end, "instants in another order")
    return Manifest(
        tree["spv"],
        tree["period"],
        encoding.hexadecimal(tree["schema"]),
        tuple(names),
        first,
        last,
        end,
        signed,
        encoding.integer(tree["count"], 1, MAX_LISTED),
        encoding.hexadecimal(tree["attestations"]),
        encoding.hexadecimal(tree["rows"]),
    )


def rows_digest(rows: bytes) -> bytes:
    """What a manifest says of its packed rows."""
    return labelled_hash("crossproof/manifest-rows/v1", rows)


@dataclass(frozen=True)
class Row:
    """A document: its marks over the whole schema, and the commitments of what is present."""

    asset: str
    document: str
    presence: str
    commitments: tuple[bytes, ...]

    def commitment(self, index: int) -> bytes | None:
        """The attested commitment of the attribute at a place of the schema, if there is one."""
        if self.presence[index] == "0":
            return None
        return self.commitments[self.presence[:index].count("1")]


def unpack(rows: bytes, manifest: Manifest, schema: Schema) -> list[Row]:
    """The rows of a manifest; an attribute that it does not list is absent from all."""
    places = [each.name for each in schema.attributes]
    listed = [places.index(name) for name in manifest.attributes]
    well_formed(listed == sorted(listed), "attributes in another order")
    marks_size = (len(listed) + 7) // 8
    found = []

    def take(size: int) -> bytes:
        nonlocal rows
        well_formed(len(rows) >= size, "rows that end too early")
        part, rows = rows[:size], rows[size:]
        return part

    for _ in range(manifest.count):
        asset = take(take(1)[0]).decode("latin-1")
        encoding.text(asset, ASSET)
        document, version = take(16).hex(), int.from_bytes(take(4), "big")
        encoding.integer(version, 1, MAX_VERSION)
        marks = f"{int.from_bytes(take(marks_size), 'big'):0{8 * marks_size}b}"
        well_formed("1" not in marks[len(listed) :], "bits behind the marks")
        marked = dict(zip(listed, marks, strict=False))
        for place, mark in marked.items():
            well_formed(mark == "1" or schema.attributes[place].optional, "an absent attribute")
        presence = "".join(marked.get(place, "0") for place in range(len(places)))
        points = take(POINT * presence.count("1"))
        commitments = tuple(points[at : at + POINT] for at in range(0, len(points), POINT))
        found.append(Row(asset, document, presence, commitments))
    well_formed(rows == b"", "bytes behind the rows")
    return found
