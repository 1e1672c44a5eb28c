"""Files of named sets that an authority signed (section "Signed sets")."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from independent.second_verifier import encoding
from independent.second_verifier.curve import scalar_bytes
from independent.second_verifier.envelope import Envelope
from independent.second_verifier.envelope import read as read_envelope
from independent.second_verifier.refusal import MalformedError, Refused, well_formed
from independent.second_verifier.schema import (
    LARGEST,
    MAX_TEXT,
    UNIT,
    Value,
    scaled,
    type_tag,
    value_scalar,
)
from independent.second_verifier.sets import MAX_MEMBERS, set_digest
from independent.second_verifier.text import in_normal_form, plain

MAX_HEADER = 16 * 1024
MAX_FILE = 128 * 1024 * 1024
HEADER = {
    "format", "name", "version", "attribute_type", "scale", "unit", "normaliser", "issued",
    "valid_until", "source", "as_of", "count", "digest",
}  # fmt: skip


@dataclass(frozen=True)
class SignedSet:
    """A file whose members are what its header says; its signature is not checked yet."""

    envelope: Envelope
    name: str
    version: int
    type_tag: bytes
    issued: int
    valid_until: int
    digest: bytes
    members: frozenset[Value]
    scalars: tuple[int, ...]


@lru_cache(maxsize=64)
def read(data: bytes) -> SignedSet:
    """The envelope on the first line, and one member on each following line."""
    well_formed(len(data) <= MAX_FILE, "too large a file")
    first, *lines = data.removesuffix(b"\n").split(b"\n")
    envelope = read_envelope(encoding.read(first, 2 * MAX_HEADER), 0)
    header = encoding.fields(encoding.read(envelope.payload, MAX_HEADER), HEADER)
    well_formed(header["format"] == "crossvault/set/v1", "another format")
    well_formed(header["normaliser"] == "v1", "another normaliser")
    plain(encoding.text(header["source"]), 500)
    encoding.day(header["as_of"])
    kind = encoding.text(header["attribute_type"], "integer|decimal|date|enum|identifier|name")
    scale = encoding.integer(header["scale"], 0, 18 if kind == "decimal" else 0)
    numeric = kind in ("integer", "decimal")
    unit = encoding.text(header["unit"], UNIT if numeric else "")
    count = encoding.integer(header["count"], 1, MAX_MEMBERS)
    tag, digest = type_tag(kind, scale, unit), encoding.hexadecimal(header["digest"])
    try:
        well_formed(data.endswith(b"\n"), "a line that does not end")
        well_formed(len(lines) == count, "not as many members as signed")
        members = [_member(line, kind, scale) for line in lines]
        well_formed(sorted(set(members)) == members, "members unsorted, or one twice")
        scalars = tuple(sorted((value_scalar(kind, each) for each in members), key=scalar_bytes))
        well_formed(set_digest(tag, scalars) == digest, "not the members that were signed")
    except MalformedError as error:
        raise Refused(0, "SET", str(error)) from error
    return SignedSet(
        envelope,
        encoding.text(header["name"], encoding.NAME),
        encoding.integer(header["version"], 1, encoding.MAX_VERSION),
        tag,
        encoding.instant(header["issued"]),
        encoding.instant(header["valid_until"]),
        digest,
        frozenset(members),
        scalars,
    )


def _member(line: bytes, kind: str, scale: int) -> Value:
    try:
        spelt = line.decode("utf-8")
    except UnicodeDecodeError:
        spelt = ""
    if kind == "date":
        return encoding.day(spelt)
    if kind in ("integer", "decimal"):
        # A number with all its places: the trailing zeros that a sentence would leave out.
        _, dot, places = spelt.partition(".")
        well_formed(bool(dot) is (scale > 0) and len(places) == scale, "not all places")
        short = spelt.rstrip("0").rstrip(".") if dot else spelt
        number = 0 if short in ("0", "") else scaled(short, scale)
        well_formed(short != "-0", "a second spelling of zero")
        well_formed(abs(number) <= LARGEST, "past the greatest integer")
        return number
    well_formed(len(spelt) <= MAX_TEXT, "too long a member")
    return in_normal_form(spelt, kind)
