"""What the commands read and write: whole files, bounded before they are in memory.

Errors of the file system pass through; `cli.main` says them in one line. Nothing here decides
anything about what the files hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proofs.errors import EncodingError, PolicyError

if TYPE_CHECKING:
    from rich.console import Console

    from proofs.schema import Schema
    from proofs.trust import Trust

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""An argument that must be a file."""

PLACE = click.Path(exists=True, path_type=Path)
"""An argument that is a file or a directory."""

_SPAN = re.compile(r"([1-9][0-9]{0,5})([hd])")


class UnreadableError(EncodingError):
    """A file that the system does not let us read, among several that are checked."""

    reason = "UNREADABLE"


def clock() -> datetime:
    """The system's time in whole seconds: the only clock of this package."""
    return datetime.now(UTC).replace(microsecond=0)


def error_console() -> Console:
    """Where tables go. Texts of others are no markup there."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def read(path: Path, limit: int) -> bytes:
    """At most one byte more than the limit: enough for the reader to refuse, not to fill memory."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def read_or_error(path: Path, limit: int) -> bytes | UnreadableError:
    """As `read`; what the system says stands in the place of the bytes."""
    try:
        return read(path, limit)
    except OSError as error:
        return UnreadableError(error.strerror or "cannot be read")


def expand(places: Sequence[Path], pattern: str, what: str) -> list[Path]:
    """Each file as it is, and in the place of each directory the files in it, sorted by name.

    Not those in directories below it. UsageError for a directory without any: nothing checked
    must not look like everything checked.
    """
    found: list[Path] = []
    for place in places:
        if not place.is_dir():
            found.append(place)
            continue
        inside = sorted(place.glob(pattern))
        if not inside:
            raise click.UsageError(f"{printable(place)}: no {what} ({pattern}) in this directory")
        found += inside
    return found


def printable(name: object) -> str:
    """A name that may be shown: files come from others, and their names could repaint a verdict."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(name))


def write_new(path: Path, data: bytes) -> None:
    """A file that was not there before, readable by all; PolicyError if it was."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise PolicyError(f"{path} exists; choose another name, for it may be needed") from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o644)
        file.write(data)


def replace(path: Path, data: bytes) -> None:
    """Whole or not at all: a trust file cut in the middle might pin less."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_schema(path: Path) -> Schema:
    """A schema in canonical form, or as a person writes it: both have one digest."""
    from proofs.schema import MAX_SCHEMA, Schema

    data = read(path, MAX_SCHEMA)
    try:
        return Schema.parse(data)
    except EncodingError:
        return Schema.parse(Schema.from_author(data))


def schema_digest(text: str) -> str:
    """The digest of a schema's file, or the text itself where there is no such file."""
    from proofs.ids import digest_of

    path = Path(text)
    return digest_of(load_schema(path).encode()) if path.is_file() else text


def load_trust(path: Path) -> Trust:
    """Read a trust file."""
    from proofs.trust import LIMIT, Trust

    return Trust.parse(read(path, LIMIT))


def until(text: str, now: datetime) -> datetime:
    """`30d`, `12h`, a day or an instant, as an instant."""
    from proofs.canonical import parse_instant

    span = _SPAN.fullmatch(text)
    if span is not None:
        hours = int(span[1]) * (24 if span[2] == "d" else 1)
        return now + timedelta(hours=hours)
    return parse_instant(instant_text(text), "--expires")


def instant_text(text: str) -> str:
    """A day as the instant at which it begins in UTC; any other text as it is."""
    return f"{text}T00:00:00Z" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else text
