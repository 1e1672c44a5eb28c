"""What stands inside an encrypted part: its attributes with their blindings, and its attachments.

Canonical JSON, encrypted as the first stream of the part. The asset part's record holds public
and asset attributes, the personal part's the personal ones, so that whoever opens a part can
recompute the commitments of what is in it, and of nothing else. Names and media types of
attachments stand here and nowhere in clear. This file encrypts nothing and writes no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from proofs import canonical
from proofs.attestation import MAX_VERSION
from proofs.canonical import Fields, Json
from proofs.errors import EncodingError
from proofs.ids import check_document, check_name
from proofs.schema import MAX_ATTRIBUTES

FORMAT: Final = "crossvault/record/v1"
LIMIT: Final = 1 << 20
MAX_ATTACHMENTS: Final = 1000
MAX_ATTACHMENT: Final = 1 << 30
"""Bytes of one attachment."""

RECORD_STREAM: Final = 0
"""The stream that the record itself is; attachments are 1, 2, …"""


@dataclass(frozen=True, slots=True)
class AttributeEntry:
    """One attribute: its value as `proofs.values.format_value` writes it, and its blinding."""

    name: str
    value: str = field(repr=False)
    blinding: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.blinding) != 32:
            raise EncodingError("record: a blinding is 32 bytes")


@dataclass(frozen=True, slots=True)
class AttachmentEntry:
    """One attachment: the stream that holds it, its name and type, its true length in bytes."""

    stream: int
    name: str = field(repr=False)
    media_type: str = field(repr=False)
    length: int


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """The record of one part of one document version."""

    document: str
    version: int
    attributes: tuple[AttributeEntry, ...]
    attachments: tuple[AttachmentEntry, ...]

    def encode(self) -> bytes:
        """Canonical JSON; EncodingError for what `parse` would refuse."""
        payload: dict[str, Json] = {
            "attachments": [
                {
                    "length": entry.length,
                    "media_type": entry.media_type,
                    "name": entry.name,
                    "stream": entry.stream,
                }
                for entry in self.attachments
            ],
            "attributes": [
                {"blinding": entry.blinding.hex(), "name": entry.name, "value": entry.value}
                for entry in self.attributes
            ],
            "document": self.document,
            "format": FORMAT,
            "version": self.version,
        }
        data = canonical.dump(payload)
        if len(data) > LIMIT:
            raise EncodingError(f"record: over {LIMIT} bytes")
        return data

    @classmethod
    def parse(cls, data: bytes) -> DocumentRecord:
        """Read what `encode` wrote. Raises EncodingError.

        A name of an attachment is a custodian's text: a client that writes files makes a safe
        name of it first.
        """
        fields = Fields(canonical.parse(data, limit=LIMIT, where="record"), "record")
        fields.literal("format", FORMAT)
        attributes = []
        for item in fields.objects("attributes", MAX_ATTRIBUTES):
            attributes.append(
                AttributeEntry(
                    check_name(item.text("name", 64), where=f"{item.where}.name"),
                    item.text("value", 1000),
                    bytes.fromhex(item.hex("blinding", 32)),
                )
            )
            item.end()
        attachments = []
        for place, item in enumerate(fields.objects("attachments", MAX_ATTACHMENTS), start=1):
            attachments.append(
                AttachmentEntry(
                    stream=item.integer("stream", place, place),
                    name=item.text("name", 255),
                    media_type=item.text("media_type", 255),
                    length=item.integer("length", 0, MAX_ATTACHMENT),
                )
            )
            item.end()
        if len({entry.name for entry in attributes}) != len(attributes):
            raise EncodingError("record.attributes: an attribute occurs twice")
        record = cls(
            document=check_document(fields.text("document", 32), where="record.document"),
            version=fields.integer("version", 1, MAX_VERSION),
            attributes=tuple(attributes),
            attachments=tuple(attachments),
        )
        fields.end()
        return record
