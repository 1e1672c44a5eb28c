"""A manifest: the custodian's signed list of the documents of one SPV and period, for one schema.

It names exactly a list, so that "all of them" means something, and it carries of every document
only what proofs need: asset id, document, version and the commitments (or the absence) of a few
named attributes, packed, in place of a whole attestation each. A second manifest for one SPV and
period has a higher serial. The signed payload holds the digest of the packed rows; the rows stand
beside it. It refuses rows that are not packed in the one way, and attributes that the schema lacks.

SPEC.md, "Manifests".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from proofs import canonical, labels
from proofs.attestation import MAX_VERSION, AsOf, Attestation, read_day
from proofs.canonical import Fields, Json
from proofs.envelope import Envelope
from proofs.errors import BindingError, EncodingError
from proofs.group import POINT_BYTES
from proofs.ids import check_asset, check_shown, digest_of
from proofs.listing import Listing, Row, check_rows
from proofs.schema import MAX_ATTRIBUTES, Schema
from proofs.selection import MAX_LISTED, Period, read_period, write_period

FORMAT: Final = "crossvault/portfolio/v1"
FILE_FORMAT: Final = "crossvault/portfolio-file/v1"
LIMIT: Final = 64 * 1024
ROWS_LIMIT: Final = 16 << 20
FILE_LIMIT: Final = 24 << 20
MAX_SERIAL: Final = 2**31 - 1

_DOCUMENT_BYTES: Final = 16
_VERSION_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Manifest:
    """A payload as read. `data` are its exact bytes and `digest` their SHA-256.

    `attributes` are the names of those that the rows hold, in the schema's order. `as_of`,
    `same_as_of`, `valid_until` and `attested` are as in `Listing`, `attestations` its digest;
    `rows_digest` is that of the packed rows.
    """

    data: bytes
    digest: str
    spv: str
    period: Period
    serial: int
    schema: str
    attributes: tuple[str, ...]
    as_of: AsOf
    same_as_of: bool
    valid_until: datetime
    attested: tuple[datetime, datetime]
    signed_at: datetime
    count: int
    attestations: str
    rows_digest: str

    @classmethod
    def build(
        cls,
        attestations: Sequence[Attestation],
        schema: Schema,
        *,
        spv: str,
        period: Period,
        serial: int,
        attributes: Sequence[str],
        signed_at: datetime,
    ) -> tuple[bytes, bytes]:
        """The payload to be signed as PayloadType.PORTFOLIO, and the packed rows.

        Args:
            attestations: in any order, each with its signature checked by the caller just now.
            attributes: names, in any order, at least one.

        Raises:
            BindingError: an attribute that the schema lacks, or a list that cannot be one.
            EncodingError: a value that no manifest may carry.
        """
        listing = Listing.of(attestations, schema)
        places = _places(schema, attributes)
        rows = pack_rows(
            [
                Row(
                    each.document,
                    each.version,
                    each.asset,
                    tuple(each.commitments[place] for place in places),
                )
                for each in listing.rows
            ]
        )
        payload: dict[str, Json] = {
            "as_of": {
                "from": listing.as_of.first.isoformat(),
                "same": listing.same_as_of,
                "to": listing.as_of.last.isoformat(),
            },
            "attestations": listing.digest,
            "attested": {
                "first": canonical.format_instant(listing.attested[0]),
                "last": canonical.format_instant(listing.attested[1]),
            },
            "attributes": [schema.attributes[place].name for place in places],
            "count": len(listing.rows),
            "format": FORMAT,
            "period": write_period(period),
            "rows": _rows_digest(rows),
            "schema": listing.schema,
            "serial": serial,
            "signed_at": canonical.format_instant(signed_at),
            "spv": spv,
            "valid_until": canonical.format_instant(listing.valid_until),
        }
        data = canonical.dump(payload)
        cls.parse(data)
        return data, rows

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read exact payload bytes. The signature is checked elsewhere, before.

        Raises:
            EncodingError: anything that `build` would not write.
        """
        fields = Fields(canonical.parse(data, limit=LIMIT, where="manifest"), "manifest")
        fields.literal("format", FORMAT)
        as_of, attested = fields.object("as_of"), fields.object("attested")
        manifest = cls(
            data=data,
            digest=digest_of(data),
            spv=check_shown(fields.text("spv", 500), where="manifest.spv"),
            period=read_period(fields.object("period")),
            serial=fields.integer("serial", 1, MAX_SERIAL),
            schema=fields.hex("schema", 32),
            attributes=tuple(fields.texts("attributes", MAX_ATTRIBUTES, 64, least=1)),
            as_of=AsOf(read_day(as_of, "from"), read_day(as_of, "to")),
            same_as_of=as_of.boolean("same"),
            valid_until=fields.instant("valid_until"),
            attested=(attested.instant("first"), attested.instant("last")),
            signed_at=fields.instant("signed_at"),
            count=fields.integer("count", 1, MAX_LISTED),
            attestations=fields.hex("attestations", 32),
            rows_digest=fields.hex("rows", 32),
        )
        as_of.end()
        attested.end()
        fields.end()
        if len(set(manifest.attributes)) != len(manifest.attributes):
            raise EncodingError("manifest.attributes: one twice")
        if manifest.attested[0] > manifest.attested[1]:
            raise EncodingError("manifest.attested: ends before it begins")
        if manifest.valid_until <= manifest.signed_at:
            raise EncodingError("manifest: expires before it was signed")
        if manifest.attested[1] > manifest.signed_at:
            raise EncodingError("manifest: signed before the last of its attestations")
        return manifest

    def listing(self, packed: bytes, schema: Schema) -> Listing:
        """The rows of this manifest.

        Raises:
            BindingError: other rows than those signed, another schema, or a list that cannot be
                one.
            EncodingError: rows not packed in the one way.
        """
        if self.schema != schema.digest:
            raise BindingError("the manifest is about another schema")
        if _rows_digest(packed) != self.rows_digest:
            raise BindingError("the rows are not those of the manifest")
        places = _places(schema, self.attributes)
        if [schema.attributes[place].name for place in places] != list(self.attributes):
            raise EncodingError("manifest.attributes: not in the schema's order")
        rows = unpack_rows(packed, count=self.count, columns=len(places))
        check_rows(rows)
        for each in rows:
            for place, commitment in zip(places, each.commitments, strict=True):
                attribute = schema.attributes[place]
                if commitment is None and not attribute.optional:
                    raise BindingError(f"manifest: {attribute.name} is absent and not optional")
        return Listing(
            schema=self.schema,
            columns=places,
            rows=rows,
            digest=self.attestations,
            as_of=self.as_of,
            same_as_of=self.same_as_of,
            valid_until=self.valid_until,
            attested=self.attested,
        )


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A `*.manifest.json`: the signed envelope and the packed rows. Nothing of it is believed."""

    envelope: Envelope
    rows: bytes

    def encode(self) -> bytes:
        """Canonical JSON."""
        return canonical.dump(
            {
                "envelope": self.envelope.to_json(),
                "format": FILE_FORMAT,
                "rows": canonical.encode_base64(self.rows),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> ManifestFile:
        """Read exact file bytes; EncodingError or SignatureError."""
        fields = Fields(canonical.parse(data, limit=FILE_LIMIT, where="manifest file"), "manifest")
        fields.literal("format", FILE_FORMAT)
        found = cls(
            envelope=Envelope.from_json(fields.raw("envelope"), "manifest.envelope"),
            rows=fields.base64("rows", ROWS_LIMIT),
        )
        fields.end()
        return found


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Each row as: length of the asset id (1 byte) and the id; document (16 bytes); version (4
    bytes, big-endian); a presence byte for every eight columns, first column in the highest bit;
    48 bytes for each commitment that is present.
    """
    parts: list[bytes] = []
    for each in rows:
        asset = each.asset.encode("ascii")
        marks = [commitment is not None for commitment in each.commitments]
        marks += [False] * (-len(marks) % 8)
        bits = int("".join("1" if mark else "0" for mark in marks), 2)
        parts += [
            bytes([len(asset)]),
            asset,
            bytes.fromhex(each.document),
            each.version.to_bytes(_VERSION_BYTES, "big"),
            bits.to_bytes(len(marks) // 8, "big"),
            *(commitment for commitment in each.commitments if commitment is not None),
        ]
    return b"".join(parts)


def unpack_rows(data: bytes, *, count: int, columns: int) -> tuple[Row, ...]:
    """Exactly `count` rows of `columns` commitments; EncodingError for any other bytes."""
    at = 0

    def take(length: int) -> bytes:
        nonlocal at
        taken = data[at : at + length]
        if len(taken) != length:
            raise EncodingError("manifest.rows: cut off")
        at += length
        return taken

    rows: list[Row] = []
    width = -(-columns // 8)
    for _ in range(count):
        asset = take(take(1)[0]).decode("ascii", "replace")
        check_asset(asset, where="manifest.rows")
        document = take(_DOCUMENT_BYTES).hex()
        version = int.from_bytes(take(_VERSION_BYTES), "big")
        if not 1 <= version <= MAX_VERSION:
            raise EncodingError("manifest.rows: a version out of its bounds")
        marks = f"{int.from_bytes(take(width), 'big'):0{8 * width}b}"
        if "1" in marks[columns:]:
            raise EncodingError("manifest.rows: presence of a column that there is not")
        present = tuple(take(POINT_BYTES) if mark == "1" else None for mark in marks[:columns])
        rows.append(Row(document, version, asset, present))
    if at != len(data):
        raise EncodingError("manifest.rows: more than the rows that were counted")
    return tuple(rows)


def _rows_digest(rows: bytes) -> str:
    return canonical.sha256_label(labels.MANIFEST_ROWS, rows).hex()


def _places(schema: Schema, attributes: Sequence[str]) -> tuple[int, ...]:
    known = {attribute.name: place for place, attribute in enumerate(schema.attributes)}
    for name in attributes:
        if name not in known:
            raise BindingError(f"manifest: schema {schema.name} has no attribute {name}")
    places = sorted({known[name] for name in attributes})
    if not places or len(places) != len(attributes):
        raise BindingError("manifest: at least one attribute, each once")
    return tuple(places)
