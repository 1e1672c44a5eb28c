"""The custodian's signed statement of one document version: what a bundle proves facts about.

It names the document, its version, the asset, the schema, the time it speaks of, the encrypted
parts, and one commitment for each attribute that is present. It holds no value and no digest of
plain text. The personal part is named by a blinded digest, so that no identifier of its blocks
leaves the mainland. This file reads and builds payloads; who may sign them is `trust`'s to say.

SPEC.md, "Attestation".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from proofs import canonical, labels
from proofs.canonical import Fields, Json
from proofs.errors import BindingError, EncodingError
from proofs.group import POINT_BYTES
from proofs.ids import check_asset, check_document, check_root_cid, digest_of
from proofs.schema import MAX_ATTRIBUTES, Schema

FORMAT = "crossvault/attestation/v1"
LIMIT = 16 * 1024
"""The longest payload, in bytes: 64 commitments take 4,096 characters."""

MAX_VERSION = 2**31 - 1
BLINDING_BYTES = 32
_MOST_POINTS = MAX_ATTRIBUTES * POINT_BYTES

# The one spelling of an attestation in canonical JSON: none of its texts needs an escape. What a
# pattern cannot say (that a day exists, how many commitments there are) is checked after it.
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SPELLING = re.compile(
    rf'{{"as_of":{{"from":"({_DAY})","to":"({_DAY})"}},"asset":"([A-Za-z0-9._:-]{{1,128}})",'
    rf'"asset_part":"([a-z2-7]{{1,59}})","attested_at":"({_DAY}T[0-9:]{{8}}Z)",'
    rf'"commitments":"([A-Za-z0-9+/=]+)","document":"([0-9a-f]{{32}})",'
    rf'"format":"{FORMAT}",(?:"personal_part":"([0-9a-f]{{64}})",)?"presence":"([01]{{1,{MAX_ATTRIBUTES}}})",'
    rf'"schema":"([0-9a-f]{{64}})","valid_until":"({_DAY}T[0-9:]{{8}}Z)",'
    r'"version":([1-9][0-9]{0,9})}',
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The days that the attested values speak of, both included, in the schema's time zone."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise EncodingError("attestation.as_of: ends before it begins")

    @classmethod
    def day(cls, day: date) -> AsOf:
        """An interval of one day."""
        return cls(day, day)

    def __str__(self) -> str:
        first, last = self.first.isoformat(), self.last.isoformat()
        return first if first == last else f"{first}..{last}"


@dataclass(frozen=True, slots=True)
class Attestation:
    """A payload as read. `data` are its exact bytes and `digest` their SHA-256.

    `commitments` has one entry an attribute in the schema's order: 48 bytes, or None where the
    document has no such attribute, which is thereby attested too. The points are not decoded
    here; the verifier decodes those that a fact is about, with the subgroup check.
    """

    data: bytes
    digest: str
    document: str
    version: int
    asset: str
    schema: str
    as_of: AsOf
    attested_at: datetime
    valid_until: datetime
    asset_part: str
    personal_part: str | None
    commitments: tuple[bytes | None, ...]

    @classmethod
    def make(
        cls,
        *,
        document: str,
        version: int,
        asset: str,
        schema: str,
        as_of: AsOf,
        attested_at: datetime,
        valid_until: datetime,
        asset_part: str,
        personal_part: str | None,
        commitments: Sequence[bytes | None],
    ) -> Attestation:
        """The attestation whose `data` is to be signed.

        Args:
            schema: the schema's digest.
            asset_part: the CID of the asset part's root block.
            personal_part: `personal_part_digest(…)`, or None for a document without one.
            commitments: one an attribute in the schema's order, None where absent.

        Raises:
            EncodingError: a value that no attestation may carry.
        """
        payload: dict[str, Json] = {
            "as_of": {"from": as_of.first.isoformat(), "to": as_of.last.isoformat()},
            "asset": asset,
            "asset_part": asset_part,
            "attested_at": canonical.format_instant(attested_at),
            "commitments": canonical.encode_base64(b"".join(c for c in commitments if c)),
            "document": document,
            "format": FORMAT,
            "presence": "".join("0" if c is None else "1" for c in commitments),
            "schema": schema,
            "valid_until": canonical.format_instant(valid_until),
            "version": version,
        }
        if personal_part is not None:
            payload["personal_part"] = personal_part
        return cls.parse(canonical.dump(payload))

    @classmethod
    def parse(cls, data: bytes) -> Attestation:
        """Read exact payload bytes. The signature is checked elsewhere, before.

        Raises:
            EncodingError: anything that `make` would not write.
        """
        text = data.decode("ascii") if len(data) <= LIMIT and data.isascii() else ""
        spelt = _SPELLING.fullmatch(text)
        if spelt is not None:
            with suppress(EncodingError):
                return cls._read_spelt(data, spelt)
        # Not of that spelling, and so none that is taken: the reader of fields says why.
        fields = Fields(canonical.parse(data, limit=LIMIT, where="attestation"), "attestation")
        fields.literal("format", FORMAT)
        as_of = fields.object("as_of")
        attestation = cls(
            data=data,
            digest=digest_of(data),
            document=check_document(fields.text("document", 32), where="attestation.document"),
            version=fields.integer("version", 1, MAX_VERSION),
            asset=check_asset(fields.text("asset", 128), where="attestation.asset"),
            schema=fields.hex("schema", 32),
            as_of=AsOf(read_day(as_of, "from"), read_day(as_of, "to")),
            attested_at=fields.instant("attested_at"),
            valid_until=fields.instant("valid_until"),
            asset_part=check_root_cid(
                fields.text("asset_part", 59), where="attestation.asset_part"
            ),
            personal_part=fields.optional_hex("personal_part", 32),
            commitments=_read_commitments(fields),
        )
        as_of.end()
        fields.end()
        attestation._check()
        return attestation

    @classmethod
    def _read_spelt(cls, data: bytes, spelt: re.Match[str]) -> Attestation:
        """What `parse` reads, in a quarter of the time: a portfolio has thousands of them."""
        (first, last, asset, asset_part, attested_at, points, document, personal_part) = (
            spelt.groups()[:8]
        )
        presence, schema, valid_until, version = spelt.groups()[8:]
        attestation = cls(
            data=data,
            digest=digest_of(data),
            document=document,
            version=int(version),
            asset=check_asset(asset, where="attestation.asset"),
            schema=schema,
            as_of=AsOf(_day(first, "attestation.as_of"), _day(last, "attestation.as_of")),
            attested_at=_instant(attested_at),
            valid_until=_instant(valid_until),
            asset_part=check_root_cid(asset_part, where="attestation.asset_part"),
            personal_part=personal_part,
            commitments=_take_apart(
                presence,
                canonical.decode_base64(
                    points, limit=_MOST_POINTS, where="attestation.commitments"
                ),
            ),
        )
        attestation._check()
        return attestation

    def _check(self) -> None:
        """What no single field says."""
        if self.version > MAX_VERSION:
            raise EncodingError(f"attestation.version: must be at most {MAX_VERSION}")
        if not self.attested_at < self.valid_until:
            raise EncodingError("attestation: expires before it was made")

    def check_schema(self, schema: Schema) -> None:
        """That this attestation follows exactly this schema.

        Raises:
            BindingError: another schema, or as `check_presence`.
        """
        if self.schema != schema.digest:
            raise BindingError(f"attestation: made for schema {self.schema}, not {schema.digest}")
        self.check_presence(schema)

    def check_presence(self, schema: Schema) -> None:
        """That there is one entry an attribute, and every attribute that must be is present.

        Raises:
            BindingError: another number of attributes than the schema's, or one absent that the
                schema does not let be absent.
        """
        if len(self.commitments) != len(schema.attributes):
            raise BindingError(
                f"attestation: {len(self.commitments)} attributes, "
                f"the schema has {len(schema.attributes)}"
            )
        for attribute, commitment in zip(schema.attributes, self.commitments, strict=True):
            if commitment is None and not attribute.optional:
                raise BindingError(f"attestation: {attribute.name} is absent and not optional")


def personal_part_digest(blinding: bytes, cid: str) -> str:
    """How an attestation names the personal part: SHA-256 of label, 32 random bytes and its CID.

    Without the blinding, which only the mainland side gets, the digest tells nothing of the CID.
    """
    if len(blinding) != BLINDING_BYTES:
        raise ValueError("the blinding of a personal part is 32 bytes")
    cid_bytes = check_root_cid(cid, where="personal part").encode("ascii")
    return canonical.sha256_label(labels.PERSONAL_PART, blinding, cid_bytes).hex()


def read_day(fields: Fields, name: str) -> date:
    """A field that is a day, `2024-01-31` and no other spelling; EncodingError otherwise."""
    return _day(fields.text(name, 10), f"{fields.where}.{name}")


def _day(text: str, where: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # `fromisoformat` also takes week dates and dates without hyphens.
    if day is None or day.isoformat() != text:
        raise EncodingError(f"{where}: not of the form 2024-01-31")
    return day


@lru_cache(maxsize=256)  # the documents of a portfolio were attested at few instants
def _instant(text: str) -> datetime:
    return canonical.parse_instant(text, "attestation")


def _read_commitments(fields: Fields) -> tuple[bytes | None, ...]:
    presence = fields.text("presence", MAX_ATTRIBUTES)
    if presence.strip("01"):
        raise EncodingError("attestation.presence: only 0 and 1, one for each attribute")
    if "1" not in presence:
        raise EncodingError("attestation.presence: attests nothing")
    return _take_apart(presence, fields.base64("commitments", _MOST_POINTS))


def _take_apart(presence: str, points: bytes) -> tuple[bytes | None, ...]:
    count = presence.count("1")
    if len(points) != count * POINT_BYTES:
        raise EncodingError(
            f"attestation.commitments: {len(points)} bytes, {count} present attributes "
            f"take {count * POINT_BYTES}"
        )
    each = iter([points[at : at + POINT_BYTES] for at in range(0, len(points), POINT_BYTES)])
    return tuple([next(each) if mark == "1" else None for mark in presence])
