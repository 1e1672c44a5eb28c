"""A document as a person describes it, read and checked before anything is sealed.

`DOC.json` names a schema, an asset, the days it speaks of, how long the attestation is valid, and
the attributes. Numbers are read as the exact digits that were written. Refused, naming what is
wrong: attributes that are missing, unknown, of another type, inexact or out of bounds, NaN, deep
or huge JSON, keys that occur twice, files too large, and names that could do harm.
"""

from __future__ import annotations

import mimetypes
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

from proofs import canonical
from proofs.attestation import MAX_VERSION, AsOf
from proofs.canonical import Fields
from proofs.errors import EncodingError
from proofs.ids import check_asset, check_document
from proofs.schema import AttributeClass, Schema
from proofs.values import Value, read_attributes
from vault.crypto.content import FileInfo
from vault.document_record import MAX_ATTACHMENTS
from vault.errors import InvalidInputError
from vault.model import ASSET, PERSONAL, Part

MAX_DOCUMENT: Final = 1 << 20
"""Bytes of a DOC.json; attachments are files of their own."""

_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileToSeal:
    """A file on its way into a part; its name in the part may differ from its path."""

    part: Part
    path: Path = field(repr=False)
    info: FileInfo = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """What one put will attest and seal; every value fits the schema.

    `request_id` is what the vault knows the put by, after a lost answer too. `document` is None
    for a new document, else the one that this is version `version` of.
    """

    schema: Schema
    asset: str
    as_of: AsOf
    valid_until: datetime
    values: Mapping[str, Value | None] = field(repr=False)
    files: tuple[FileToSeal, ...] = ()
    document: str | None = None
    version: int = 1
    request_id: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def has_personal_part(self) -> bool:
        """Whether anything of it belongs into a personal part."""
        return any(file.part == PERSONAL for file in self.files) or any(
            attribute.attribute_class is AttributeClass.PERSONAL
            and self.values[attribute.name] is not None
            for attribute in self.schema.attributes
        )


def prepare(
    schema: Schema,
    *,
    asset: str,
    as_of: AsOf,
    valid_until: datetime,
    attributes: Mapping[str, object],
    files: Sequence[FileToSeal] = (),
    document: str | None = None,
    version: int = 1,
) -> PreparedDocument:
    """Check a document against its schema.

    Raises SchemaError listing every attribute that does not fit, EncodingError for other fields.
    """
    check_asset(asset, where="asset")
    if document is not None:
        check_document(document, where="document")
    if len(files) > MAX_ATTACHMENTS:
        raise InvalidInputError(f"at most {MAX_ATTACHMENTS} attachments", field="attachment")
    values = read_attributes(schema, attributes)
    if not any(value is not None for value in values.values()):
        raise InvalidInputError("a document without any attribute attests nothing")
    return PreparedDocument(
        schema, asset, as_of, valid_until, values, tuple(files), document, version
    )


def read_document(
    data: bytes, find_schema: Callable[[str], Schema], files: Sequence[FileToSeal] = ()
) -> PreparedDocument:
    """Read a DOC.json. `find_schema` gives the pinned schema of a name or digest, or raises.

    Raises EncodingError or SchemaError naming what is wrong; nothing of it was sealed then.
    """
    where = "document"
    fields = Fields(
        canonical.parse_loose(data, limit=MAX_DOCUMENT, where=where, decimals_as_text=True), where
    )
    schema = find_schema(fields.text("schema", 64))
    raw = fields.raw("attributes")
    if not isinstance(raw, dict):
        raise EncodingError(f"{where}.attributes: must be an object")
    document = fields.optional_text("document", 32)
    version = fields.integer("version", 1, MAX_VERSION) if fields.has("version") else 1
    if (document is None) != (version == 1):
        raise EncodingError(
            f"{where}: a new version names its document and a number above 1, a new document none"
        )
    prepared = prepare(
        schema,
        asset=fields.text("asset", 128),
        as_of=_as_of(fields),
        valid_until=fields.instant("valid_until"),
        attributes=raw,
        files=files,
        document=document,
        version=version,
    )
    fields.end()
    return prepared


def file_to_seal(argument: str) -> FileToSeal:
    """Read `[asset:|personal:]FILE`; personal unless said otherwise.

    Raises InvalidInputError for what is no plain file, is larger than 1 GiB, or has a name that
    could do harm where it is shown.
    """
    part: Part = PERSONAL
    for named in (ASSET, PERSONAL):
        if argument.startswith(f"{named}:"):
            part, argument = named, argument.removeprefix(f"{named}:")
            break
    path = Path(argument)
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise InvalidInputError(f"{path}: not a plain file", field="attachment")
    media_type = mimetypes.guess_type(path.name)[0] or _UNKNOWN_TYPE
    try:
        info = FileInfo(path.name, media_type, state.st_size)
    except InvalidInputError as error:
        raise InvalidInputError(f"{str(path)!a}: {error}", field="attachment") from None
    return FileToSeal(part, path, info)


def _as_of(fields: Fields) -> AsOf:
    value = fields.raw("as_of")
    if isinstance(value, str):
        return AsOf.day(_day(value, "document.as_of"))
    if not isinstance(value, dict):
        raise EncodingError("document.as_of: a day such as 2024-01-31, or from and to")
    inner = Fields(value, "document.as_of")
    first = _day(inner.text("from", 10), "document.as_of.from")
    last = _day(inner.text("to", 10), "document.as_of.to")
    inner.end()
    return AsOf(first, last)


def _day(text: str, where: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise EncodingError(f"{where}: not of the form 2024-01-31")
    return day
