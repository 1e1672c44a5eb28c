"""Canaries: texts and numbers that stand nowhere else, and the search for them in every spelling.

A canary is looked for as it was written and as the normaliser writes it, in each encoding in which
software is likely to spill it; a number also as bytes. The search takes `Piece`s: whole files, what
is in a database's cells, what is behind base64, the calls inside recorded traffic. It takes any
number of needles in one pass, none shorter than eight bytes.
"""

from __future__ import annotations

import base64
import re
import secrets
import shutil
import sqlite3
import string
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from support.http2 import Connection

PREFIX = 8
"""Bytes by which the search recognises a needle before it compares the rest."""

_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
_DEEPEST = 3
_SQLITE = b"SQLite format 3\0"

Find = tuple[str, str, str]
"""(canary, form, piece)."""


@dataclass(frozen=True)
class Canary:
    """One planted secret. `text` is what was planted; `number` what the system makes of it."""

    name: str
    text: str
    number: int | None = None

    def forms(self) -> dict[str, bytes]:
        """Every spelling that is searched for, by name; of equal ones the first."""
        found = text_forms(self.text)
        for case, written in (("lower ", self.text.casefold()), ("upper ", self.text.upper())):
            if written != self.text:
                found |= text_forms(written, prefix=case)
        if self.number is not None:
            found |= text_forms(str(self.number), prefix="scaled ")
            found |= number_forms(self.number)
        return {name: data for name, data in found.items() if len(data) >= PREFIX}


def letters(count: int = 20) -> str:
    """Random lower-case letters and digits."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(count))


def ideographs(count: int = 16) -> str:
    """Random Chinese characters that every normaliser leaves alone."""
    return "".join(chr(0x4E00 + secrets.randbelow(0x51A6)) for _ in range(count))


def digits(count: int = 18) -> str:
    """A random number that is no shorter; of 18 digits it fits an integer attribute."""
    return str(10 ** (count - 1) + secrets.randbelow(9 * 10 ** (count - 1)))


def bytes_forms(data: bytes, *, prefix: str = "") -> dict[str, bytes]:
    """Bytes as they are, in hex, and in base64 at its three offsets and of both alphabets."""
    found = {prefix + "bytes": data, prefix + "hex": data.hex().encode()}
    found[prefix + "HEX"] = data.hex().upper().encode()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data)
        inner = encoded[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
        found[f"{prefix}base64+{offset}"] = inner
        found[f"{prefix}base64url+{offset}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def text_forms(text: str, *, prefix: str = "") -> dict[str, bytes]:
    """A text in UTF-8 and UTF-16, the forms of its bytes, and its escapes."""
    plain = text.encode()
    found = {prefix + "utf-8": plain}
    found |= {f"{prefix}{name}": data for name, data in bytes_forms(plain).items()}
    for order in ("le", "be"):
        found[f"{prefix}utf-16-{order}"] = text.encode(f"utf-16-{order}")
    found[prefix + "json"] = "".join(f"\\u{ord(char):04x}" for char in text).encode()
    found[prefix + "JSON"] = "".join(f"\\u{ord(char):04X}" for char in text).encode()
    found[prefix + "percent"] = quote(text).encode()
    found[prefix + "python"] = repr(plain)[2:-1].encode()
    found[prefix + "octal"] = "".join(f"\\{octet:03o}" for octet in plain).encode()
    seen: dict[bytes, str] = {}
    for name, data in found.items():
        seen.setdefault(data, name)
    return {name: data for data, name in seen.items()}


def number_forms(number: int) -> dict[str, bytes]:
    """A number as eight bytes in both orders with their forms (a scalar ends so), and a varint."""
    found = bytes_forms(number.to_bytes(8, "big"), prefix="big-endian ")
    found |= bytes_forms(number.to_bytes(8, "little"), prefix="little-endian ")
    varint = bytearray()
    while number:
        varint.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
    return found | {"varint": bytes(varint)}


# --- the search ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """Some bytes, and where they are from."""

    label: str
    data: bytes


class Needles:
    """Many byte strings, each with the two names under which it is reported."""

    def __init__(self) -> None:
        self._by_prefix: dict[bytes, list[tuple[bytes, str, str]]] = defaultdict(list)
        self.count = 0

    def add(self, owner: str, form: str, needle: bytes) -> None:
        """Search for this too."""
        if len(needle) < PREFIX:
            raise ValueError(f"{owner}, {form}: {len(needle)} bytes are too few to be a find")
        self._by_prefix[needle[:PREFIX]].append((needle, owner, form))
        self.count += 1

    @classmethod
    def of(cls, canaries: Iterable[Canary]) -> Needles:
        """Every form of every canary."""
        needles = cls()
        for canary in canaries:
            for form, data in canary.forms().items():
                needles.add(canary.name, form, data)
        return needles

    def search(self, pieces: Iterable[Piece]) -> set[Find]:
        """All that is found, and where."""
        found: set[Find] = set()
        known = self._by_prefix
        for piece in pieces:
            data = piece.data
            for at in [i for i in range(len(data) - PREFIX + 1) if data[i : i + PREFIX] in known]:
                for needle, owner, form in known[data[at : at + PREFIX]]:
                    if data.startswith(needle, at):
                        found.add((owner, form, piece.label))
        return found


# --- pieces -------------------------------------------------------------------------------------


def files_under(*roots: Path) -> Iterator[Piece]:
    """Every file below these folders (or the file itself), the cells of databases, and all names.

    A text that a database cut in two at the end of a page is whole in its cell.
    """
    for root in roots:
        paths = [path for path in sorted(root.rglob("*")) if path.is_file()]
        paths = paths or [root]
        yield Piece(f"names in {root.name}", "\n".join(map(str, paths)).encode())
        for path in paths:
            data = path.read_bytes()
            yield Piece(str(path), data)
            if data.startswith(_SQLITE):
                yield from database_cells(path)


def database_cells(path: Path) -> Iterator[Piece]:
    """Every text and blob of an SQLite database, with its log; read in a copy of both."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        for suffix in ("", "-wal"):
            if (source := Path(f"{path}{suffix}")).exists():
                shutil.copyfile(source, f"{copy}{suffix}")
        connection = sqlite3.connect(copy)
        try:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                cells = []
                for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608
                    cells += [cell.encode() if isinstance(cell, str) else cell for cell in row]
                data = b"\0".join(cell for cell in cells if isinstance(cell, bytes))
                yield Piece(f"{path} table {table}", data)
        finally:
            connection.close()


def traffic_under(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Piece]:
    """Recorded connections whose name is wanted: as recorded, and put together by call."""
    for path in sorted(folder.iterdir()):
        if not wanted(path.name):
            continue
        recorded = path.read_bytes()
        yield Piece(str(path), recorded)
        connection = Connection.parse(recorded)
        for number, stream in connection.streams.items():
            yield Piece(f"{path} call {number}", bytes(stream.data))
            headers = b"\0".join(stream.header_texts())
            yield Piece(f"{path} headers of call {number}", headers)
        yield Piece(f"{path} other frames", b"\0".join(connection.other))


def unfolded(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces, and what is behind base64 in them, three layers deep (signed things nest)."""
    for piece in pieces:
        yield piece
        layer = piece
        for _ in range(_DEEPEST):
            inner = b"\0".join(map(_decoded, _BASE64_RUN.findall(layer.data)))
            if not inner:
                break
            layer = Piece(f"{layer.label}, from base64", inner)
            yield layer


def _decoded(run: bytes) -> bytes:
    run = run.rstrip(b"=")
    run = run[: len(run) - (len(run) % 4 == 1)]
    return base64.b64decode(run + b"=" * (-len(run) % 4))
