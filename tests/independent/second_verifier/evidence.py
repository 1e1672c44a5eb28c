"""Steps 2 and 3: whose word a bundle rests on, and what exactly was attested.

There are three forms of evidence: documents by alias, a list of attestations, and a manifest.
What the later steps need of each is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from independent.second_verifier.book import Book
from independent.second_verifier.bundle import Bundle, Carried
from independent.second_verifier.documents import Attestation, read_attestation
from independent.second_verifier.encoding import Tree, frame, sha256
from independent.second_verifier.envelope import Envelope
from independent.second_verifier.refusal import malformed_is, need
from independent.second_verifier.schema import Schema
from independent.second_verifier.schema import read as read_schema
from independent.second_verifier.selection import (
    Row,
    Selection,
    listing_digest,
    read_manifest,
    rows_digest,
    unpack,
)
from independent.second_verifier.trust import Key, Trust, begun, over


@dataclass(frozen=True)
class Evidence:
    """What was attested, and how grant, request and transcript name it.

    `ends` are the instants at which it expires; `granted` and `asked` are fields of the grant and
    of the request; `absorbed` are the transcript's items.
    """

    rows: tuple[Row, ...]
    book: Book
    ends: tuple[int, ...]
    granted: Tree
    asked: Tree
    absorbed: tuple[bytes, ...]
    is_list: bool


def signer(read: Bundle, trusted: Trust, now: int) -> tuple[Key, bytes]:
    """Step 2: one custodian whose key is valid now signed everything."""
    chosen = read.selection
    if chosen is None:
        envelopes, kind = [each.envelope for each in read.documents], "attestation"
    elif chosen.manifest is None:
        envelopes, kind = list(chosen.attested), "attestation"
    else:
        envelopes, kind = [chosen.manifest], "portfolio"
    first = envelopes[0].key_id
    for each in envelopes:
        need(each.key_id == first, 2, "TRUST", "attestations of two keys")
    need(first in trusted.custodians, 2, "TRUST", "not a custodian that is pinned")
    key = trusted.custodians[first]
    need(key.valid_now(now), 2, "TRUST", "the custodian's key is not valid now")
    if chosen is not None and chosen.chosen_by == "manifest":
        there = chosen.manifest is not None
        need(there, 3, "BINDING", "no manifest, where one was asked for")
    for each in envelopes:
        need(each.is_of_kind(kind), 2, "SIGNATURE", "another kind of envelope")
        need(each.is_signed_by(key.key), 2, "SIGNATURE", "the signature does not hold")
    return key, first


class Schemas:
    """The schemas that a bundle carries, read when an attestation follows them."""

    def __init__(self, carried: Sequence[Carried]) -> None:
        digests = [each.digest for each in carried]
        need(digests == sorted(set(digests)), 3, "BINDING", "schemas out of order, or one twice")
        self._carried = dict(zip(digests, carried, strict=True))
        self._read: dict[bytes, Schema] = {}

    def attested(self, digest: bytes) -> Schema:
        """The schema of a digest that was attested."""
        need(digest in self._carried, 3, "BINDING", "a schema that is not carried")
        if digest not in self._read:
            with malformed_is(3, "ENCODING"):
                self._read[digest] = read_schema(self._carried[digest].tree)
        return self._read[digest]

    def are_all_followed(self) -> bool:
        """Whether every one was attested."""
        return self._read.keys() == self._carried.keys()


def evidence(read: Bundle, key: Key, key_id: bytes, now: int) -> Evidence:
    """Step 3."""
    schemas = Schemas(read.schemas)
    if read.selection is None:
        return _documents(read, schemas, key, now)
    if read.selection.manifest is not None:
        return _manifest(read.selection, read.selection.manifest, schemas, key, now)
    return _list(read.selection, schemas, key, key_id, now)


def _attestation(
    envelope: Envelope, schemas: Schemas, key: Key, now: int
) -> tuple[Attestation, Row, Schema]:
    with malformed_is(3, "ENCODING"):
        each = read_attestation(envelope.payload)
    need(begun(each.attested_at, now), 3, "BINDING", "attested in the future")
    need(key.valid_at(each.attested_at), 3, "TRUST", "attested outside the key's validity")
    need(not over(each.valid_until, now), 3, "BINDING", "an attestation that has expired")
    schema = schemas.attested(each.schema)
    fits = len(each.presence) == len(schema.attributes) and all(
        mark == "1" or attribute.optional
        for mark, attribute in zip(each.presence, schema.attributes, strict=True)
    )
    need(fits, 3, "BINDING", "marks that the schema does not allow")
    need(each.schema in key.schemas, 3, "TRUST", "a schema out of the custodian's scope")
    need(key.vouches_for(each.asset), 3, "TRUST", "an asset out of the custodian's scope")
    return each, Row(each.asset, each.document, each.presence, each.commitments), schema


def _distinct(values: Sequence[object]) -> None:
    need(len(set(values)) == len(values), 3, "BINDING", "a document twice")


def _documents(read: Bundle, schemas: Schemas, key: Key, now: int) -> Evidence:
    found = [_attestation(each.envelope, schemas, key, now) for each in read.documents]
    need(schemas.are_all_followed(), 3, "BINDING", "a schema that nobody follows")
    _distinct([row.document for _, row, _ in found])
    _distinct([each.envelope.payload for each in read.documents])
    _distinct([(each.asset, each.schema) for each, _, _ in found])
    pairs = list(zip(read.documents, (each for each, _, _ in found), strict=True))
    return Evidence(
        tuple(row for _, row, _ in found),
        Book(
            tuple((entry.alias, s) for entry, (_, _, s) in zip(read.documents, found, strict=True))
        ),
        tuple(each.valid_until for _, each in pairs),
        {
            "documents": [
                {
                    "alias": entry.alias,
                    "attestation": sha256(entry.envelope.payload).hex(),
                    "document": each.document,
                    "version": each.version,
                }
                for entry, each in pairs
            ]
        },
        {
            "documents": [
                {"alias": entry.alias, "asset": each.asset, "schema": each.schema.hex()}
                for entry, each in pairs
            ]
        },
        tuple(
            frame(
                entry.alias.encode(),
                entry.kind.encode(),
                sha256(entry.envelope.payload),
                entry.envelope.key_id,
                each.schema,
            )
            for entry, each in pairs
        ),
        is_list=False,
    )


def _list(chosen: Selection, schemas: Schemas, key: Key, key_id: bytes, now: int) -> Evidence:
    found = [_attestation(each, schemas, key, now) for each in chosen.attested]
    digest = found[0][0].schema
    need(all(each.schema == digest for each, _, _ in found), 3, "BINDING", "several schemas")
    need(schemas.are_all_followed(), 3, "BINDING", "a schema that nobody follows")
    _ordered([row for _, row, _ in found])
    listing = listing_digest([sha256(each.payload) for each in chosen.attested])
    return _of_list(
        chosen,
        [row for _, row, _ in found],
        digest,
        found[0][2],
        tuple(each.valid_until for each, _, _ in found),
        listing,
        key_id,
        None,
    )


def _manifest(
    chosen: Selection, envelope: Envelope, schemas: Schemas, key: Key, now: int
) -> Evidence:
    with malformed_is(3, "ENCODING"):
        manifest = read_manifest(envelope.payload)
    need(begun(manifest.signed_at, now), 3, "BINDING", "a manifest of the future")
    for instant in (manifest.first, manifest.last, manifest.signed_at):
        need(key.valid_at(instant), 3, "TRUST", "signed outside the key's validity")
    need(not over(manifest.valid_until, now), 3, "BINDING", "one of the documents has expired")
    schema = schemas.attested(manifest.schema)
    need(schemas.are_all_followed(), 3, "BINDING", "a schema that nobody follows")
    need(manifest.schema in key.schemas, 3, "TRUST", "a schema out of the custodian's scope")
    need(rows_digest(chosen.rows) == manifest.rows, 3, "BINDING", "other rows than were signed")
    known = {each.name for each in schema.attributes}
    need(known.issuperset(manifest.attributes), 3, "BINDING", "not the schema's attributes")
    with malformed_is(3, "ENCODING"):
        rows = unpack(chosen.rows, manifest, schema)
    _ordered(rows)
    for row in rows:
        need(key.vouches_for(row.asset), 3, "TRUST", "an asset out of the custodian's scope")
    if chosen.chosen_by == "manifest":
        same = (manifest.spv, manifest.period) == (chosen.spv, chosen.period)
        need(same, 3, "BINDING", "a manifest of another SPV or period")
    return _of_list(
        chosen,
        rows,
        manifest.schema,
        schema,
        (manifest.valid_until,),
        manifest.attestations,
        envelope.key_id,
        sha256(envelope.payload),
    )


def _ordered(rows: Sequence[Row]) -> None:
    documents = [row.document for row in rows]
    need(documents == sorted(set(documents)), 3, "BINDING", "a list out of order")
    _distinct([row.asset for row in rows])


def _of_list(
    chosen: Selection,
    rows: Sequence[Row],
    digest: bytes,
    schema: Schema,
    ends: tuple[int, ...],
    listing: bytes,
    key_id: bytes,
    manifest: bytes | None,
) -> Evidence:
    granted: Tree = {"count": len(rows), "attestations": listing.hex()}
    asked: Tree = {"schema": digest.hex()}
    kind = (b"attestations", b"")
    if manifest is not None:
        granted["manifest"] = manifest.hex()
        kind = (b"manifest", manifest)
    if chosen.chosen_by == "request":
        asked["assets"] = sorted((row.asset for row in rows), key=str.encode)
    if chosen.chosen_by == "manifest":
        asked.update(spv=chosen.spv, period=chosen.period)
    count = len(rows).to_bytes(8, "big")
    return Evidence(
        tuple(rows),
        Book((("", schema),)),
        ends,
        {"selection": granted},
        {"selection": asked},
        (frame(b"selection", listing, count, key_id, digest, *kind),),
        is_list=True,
    )
