"""A named set: a public list of values of one type, signed by the authority of its name.

The authority signs a header with the digest of the members; the exported file is that envelope
on its first line and the members behind it, one a line. Whoever reads the file normalises every
line again and computes the digest again, so neither a line nor its spelling can be changed. It
refuses lines out of normal form or order, duplicates, an empty list, and another count, type or
digest than the signed ones. Matching is exact: a name that is spelt otherwise is not found.

SPEC.md, "Signed sets".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from proofs import canonical
from proofs.attestation import read_day
from proofs.canonical import Fields, Json
from proofs.envelope import Envelope, PayloadType
from proofs.errors import SetError
from proofs.ids import SHOWN_LIMIT, check_name, check_shown, digest_of
from proofs.member_type import MemberType, describe, merge, place
from proofs.normaliser import NORMALISER_VERSION
from proofs.request import SetReference
from proofs.schema import MAX_SCALE, NUMERIC, AttributeType, check_unit
from proofs.sets import MAX_SET_SIZE, Near, ScalarSet
from proofs.values import Value

__all__ = ["MemberType", "NamedSet", "SetHeader", "describe", "merge"]

FORMAT = "crossvault/set/v1"
HEADER_LIMIT = 16 * 1024
FILE_LIMIT = 128 << 20
MAX_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SetHeader:
    """What the authority signs. `digest` covers type, normaliser version, count and members."""

    name: str
    version: int
    type: MemberType
    issued: datetime
    valid_until: datetime
    source: str
    as_of: date
    count: int
    digest: str

    def encode(self) -> bytes:
        """The payload to be signed; EncodingError or SetError for one that no set may have."""
        payload: dict[str, Json] = {
            "as_of": self.as_of.isoformat(),
            "attribute_type": str(self.type.type),
            "count": self.count,
            "digest": self.digest,
            "format": FORMAT,
            "issued": canonical.format_instant(self.issued),
            "name": self.name,
            "normaliser": NORMALISER_VERSION,
            "scale": self.type.scale,
            "source": self.source,
            "unit": self.type.unit,
            "valid_until": canonical.format_instant(self.valid_until),
            "version": self.version,
        }
        data = canonical.dump(payload)
        SetHeader.parse(data)
        return data

    @classmethod
    def parse(cls, data: bytes) -> SetHeader:
        """Read a payload. EncodingError or SetError for anything that `encode` would not write."""
        fields = Fields(canonical.parse(data, limit=HEADER_LIMIT, where="set"), "set")
        fields.literal("format", FORMAT)
        fields.literal("normaliser", NORMALISER_VERSION)
        kind = AttributeType(fields.choice("attribute_type", [str(each) for each in AttributeType]))
        scaled = kind is AttributeType.DECIMAL
        header = cls(
            name=check_name(fields.text("name", 64), where="set.name"),
            version=fields.integer("version", 1, MAX_VERSION),
            type=MemberType(
                kind,
                fields.integer("scale", 0, MAX_SCALE if scaled else 0),
                fields.text("unit", 32 if kind in NUMERIC else 0, least=0),
            ),
            issued=fields.instant("issued"),
            valid_until=fields.instant("valid_until"),
            source=check_shown(fields.text("source", SHOWN_LIMIT), where="set.source"),
            as_of=read_day(fields, "as_of"),
            count=fields.integer("count", 1, MAX_SET_SIZE),
            digest=fields.hex("digest", 32),
        )
        fields.end()
        check_unit(header.type.unit, "set.unit")
        if not header.issued < header.valid_until:
            raise SetError(f"set {header.name}: expires before it was issued")
        return header


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A signed header with its members, which fit it; the signature is not yet verified.

    `members` are values in their order (by code point, or by size), `scalars` the set that the
    arguments work on. `rebuilt_from` names the file from which a verifier made the members itself,
    where it did.
    """

    envelope: Envelope
    header: SetHeader
    members: tuple[Value, ...]
    scalars: ScalarSet
    rebuilt_from: str = ""

    @classmethod
    def make_header(
        cls,
        members: Sequence[Value],
        *,
        name: str,
        version: int,
        member_type: MemberType,
        issued: datetime,
        valid_until: datetime,
        source: str,
        as_of: date,
    ) -> SetHeader:
        """The header that an authority signs for distinct members (`MemberType.read` gives them).

        Raises:
            SetError: no members, too many, or one twice.
        """
        found = ScalarSet.from_scalars(member_type.scalars(members), member_type.tag)
        return SetHeader(
            name=name,
            version=version,
            type=member_type,
            issued=issued,
            valid_until=valid_until,
            source=source,
            as_of=as_of,
            count=found.size,
            digest=found.digest.hex(),
        )

    @classmethod
    def assemble(
        cls,
        envelope: Envelope,
        members: Iterable[Value],
        *,
        cache: Path | None = None,
        near: Near = tuple,
    ) -> NamedSet:
        """A signed header and its members, in any order.

        Raises:
            SetError: they do not belong together.
        """
        header = _header_of(envelope)
        ordered = tuple(sorted(members, key=place))
        _check_count(header, len(ordered))
        scalars = ScalarSet.from_scalars(
            header.type.scalars(ordered), header.type.tag, cache=cache, near=near
        )
        if scalars.digest.hex() != header.digest:
            raise SetError(
                f"set {header.name}: the members are not the signed ones: "
                "ask its authority for the file again"
            )
        return cls(envelope, header, ordered, scalars)

    @classmethod
    def parse(cls, data: bytes, *, cache: Path | None = None, near: Near = tuple) -> NamedSet:
        """Read an exported file's bytes.

        Raises:
            EncodingError: the first line is no envelope of a set.
            SetError: lines that are not the signed members, each in normal form and in order.
        """
        if len(data) > FILE_LIMIT:
            raise SetError(f"set file: {len(data)} bytes, more than the {FILE_LIMIT} allowed")
        first, _, rest = data.partition(b"\n")
        envelope = Envelope.parse(first, limit=2 * HEADER_LIMIT)
        header = _header_of(envelope)
        if rest and not rest.endswith(b"\n"):
            raise SetError(f"set {header.name}: the last line does not end: the file was cut off")
        # Before the lines are taken apart: a list of as many empty ones takes ten times the bytes.
        _check_count(header, rest.count(b"\n"))
        try:
            lines = rest.decode("utf-8").split("\n")[:-1]
        except UnicodeDecodeError:
            raise SetError(f"set {header.name}: not UTF-8") from None
        members: list[Value] = []
        # Line by line up to the first that is not its own normal form: putting a thousand
        # combining marks in order takes milliseconds, and a file has room for many such lines.
        for line, member in zip(lines, header.type.read_each(lines), strict=True):
            members.append(member)
            if header.type.write(member) != line:
                raise SetError(f"set {header.name}: member {len(members)} is not in normal form")
        found = cls.assemble(envelope, members, cache=cache, near=near)
        if list(found.members) != members:
            raise SetError(f"set {header.name}: the members are not in order")
        return found

    @classmethod
    def load(cls, path: Path, *, cache: Path | None = None) -> NamedSet:
        """Read an exported file; as `parse`, and OSError when it cannot be read."""
        with path.open("rb") as file:
            return cls.parse(file.read(FILE_LIMIT + 1), cache=cache)

    @staticmethod
    def header_of(data: bytes) -> SetHeader:
        """The header in an exported file's first line, as `parse` reads it."""
        first, _, _ = data[: 2 * HEADER_LIMIT + 1].partition(b"\n")
        return _header_of(Envelope.parse(first, limit=2 * HEADER_LIMIT))

    def lines(self) -> Iterator[str]:
        """Every member as it stands in the file."""
        return map(self.header.type.write, self.members)

    def export(self) -> bytes:
        """The file that `parse` reads."""
        members = "".join(f"{line}\n" for line in self.lines())
        return self.envelope.encode() + b"\n" + members.encode()

    @property
    def name(self) -> str:
        """The name that facts use behind `@`."""
        return self.header.name

    @property
    def type_tag(self) -> bytes:
        """As `Attribute.type_tag`: only attributes of exactly this type compare."""
        return self.header.type.tag

    @property
    def reference(self) -> SetReference:
        """How requests, grants and bundles name this set."""
        return SetReference(self.header.name, self.envelope.keyid, self.header.digest)

    @property
    def payload_digest(self) -> str:
        """SHA-256 of the signed header: names this version, where the members' digest does not."""
        return digest_of(self.envelope.unverified_payload)

    def verify(self, public_key: bytes) -> None:
        """SignatureError unless the pinned key signed the header."""
        self.envelope.verify(public_key, PayloadType.SET)


def _header_of(envelope: Envelope) -> SetHeader:
    if envelope.kind is not PayloadType.SET:
        raise SetError(f"signed as {envelope.kind.value}, not as a set")
    return SetHeader.parse(envelope.unverified_payload)


def _check_count(header: SetHeader, found: int) -> None:
    if found != header.count:
        raise SetError(
            f"set {header.name}: {found} members, {header.count} were signed: "
            "ask its authority for the whole file"
        )
