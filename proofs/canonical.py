"""One encoding for everything that is signed or exchanged: RFC 8785 canonical JSON, read strictly.

`parse` accepts exactly the bytes that `dump` would write for the same value, so that no value has
two spellings and a digest of bytes is a digest of meaning. It refuses: input over the caller's
limit, a byte order mark, bytes that are not UTF-8, lone surrogates, every number with a point or
an exponent (NaN and the infinities too), integers past 2^53 - 1 in size, a key that occurs twice,
nesting deeper than 32 and more than 131,072 values (both judged before the parser runs, so that no
input exhausts stack, memory or time), and whatever else does not print back byte for byte.
`Fields` reads an object field by field and refuses the fields that nobody asked for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NoReturn, TypeAlias, cast

import rfc8785

from proofs.errors import EncodingError
from proofs.labels import frame

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH = 32
MAX_VALUES = 1 << 17  # eight times what the largest schema holds; 4 MiB of "[]," would be a million
MAX_INTEGER = 2**53 - 1  # the greatest integer that every JSON reader holds exactly

# A string is one token; a quote that starts none is a token too, so that an unterminated string
# ends the scan at once instead of being tried again from every escaped quote inside it.
_STRUCTURE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
# The same with commas, which are many in every document and matter where they are very many.
_SEPARATORS = re.compile(_STRUCTURE.pattern.replace('|["', '|[",'), re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z", re.ASCII
)
_HEX = re.compile(r"[0-9a-f]*", re.ASCII)


def parse(data: bytes, *, limit: int, where: str = "JSON") -> Json:
    """Read canonical JSON of at most `limit` bytes; EncodingError for any other spelling."""
    if len(data) > limit:
        raise EncodingError(f"{where}: {len(data)} bytes, more than the {limit} allowed")
    ascii_only = data.isascii()
    with suppress(ValueError):
        text = data.decode("utf-8", "strict")
        _check_shape(text, where)
        quick, end = _quick_reader.raw_decode(text)
        # A key that came twice was dropped, so it is not written back; half a surrogate pair is
        # written as it is, where an escape stood. Keys past ASCII may sort in another order.
        if end == len(text) and _write(quick) == text and (ascii_only or _is_plain(quick)):
            return cast(Json, quick)
    # Refused, or with such keys: the slow reader says why.
    value = parse_loose(data, limit=limit, where=where)
    # What was read has plain types and bounds, and in ASCII data keys that sort differently cannot
    # be in canonical form.
    if _encode(value, where, plain=ascii_only) != data:
        raise EncodingError(f"{where}: not in canonical form (RFC 8785)")
    return value


def parse_loose(
    data: bytes, *, limit: int, where: str = "JSON", decimals_as_text: bool = False
) -> Json:
    """Read JSON as a person may write it: any white space, key order and escapes.

    All other refusals of `parse` stand, except that `decimals_as_text` gives the exact digits of a
    number such as 12.50, 1e400 or a long integer as a text, for a reader that knows its scale.
    Never use it for bytes that somebody signed.
    """
    if len(data) > limit:
        raise EncodingError(f"{where}: {len(data)} bytes, more than the {limit} allowed")
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise EncodingError(f"{where}: not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise EncodingError(f"{where}: starts with a byte order mark")
    _check_shape(text, where)

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise EncodingError(f"{where}: {_repeated(items)} occurs twice in one object")
        return found

    def number(digits: str) -> int | str:
        # Bounded as text first: int() of a million digits is quadratic.
        if len(digits) <= 17 and abs(int(digits)) <= MAX_INTEGER:
            return int(digits)
        if decimals_as_text:
            return digits
        raise EncodingError(f"{where}: an integer past 2^53 - 1; write it as a text")

    def same(digits: str) -> str:
        return digits

    def refuse(literal: str) -> NoReturn:
        raise EncodingError(
            f"{where}: {_short(literal)} is not an integer; write a decimal as a text"
        )

    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=pairs,
            parse_int=number,
            parse_float=same if decimals_as_text else refuse,
            parse_constant=refuse,
        )
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string"):
            raise EncodingError(f"{where}: not JSON: a text without its closing quote") from None
        raise EncodingError(
            f"{where}: not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    return value


def dump(value: object) -> bytes:
    """Write a value of texts, integers, booleans, lists and dictionaries as canonical JSON."""
    plain = _is_plain(value)
    if not plain:
        _refuse_floats(value, 0)
    return _encode(value, "JSON", plain=plain)


def spell(value: Json) -> bytes:
    """What `dump` writes, at half the time, of a value that `parse` gave or that is known as plain.

    Known are texts in ASCII, integers below 2^53 and keys in ASCII; nothing is checked here.
    """
    return _write(value).encode()


def _encode(value: object, where: str, *, plain: bool = False) -> bytes:
    try:
        if plain or _is_plain(value):
            return _write(value).encode()
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # its alias has no recursion
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise EncodingError(f"{where}: cannot be canonical JSON: {error}") from None


_write = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, sort_keys=True, separators=(",", ":")
).encode


def _quick_integer(digits: str) -> int:
    # Bounded as text first: int() of a million digits is quadratic.
    if len(digits) > 17 or abs(value := int(digits)) > MAX_INTEGER:
        raise ValueError
    return value


def _quick_refusal(literal: str) -> NoReturn:
    raise ValueError


_quick_reader = json.JSONDecoder(
    parse_int=_quick_integer, parse_float=_quick_refusal, parse_constant=_quick_refusal
)


def _is_plain(value: object) -> bool:
    """Whether the standard library writes this value exactly as RFC 8785 does, ten times as fast.

    It does for these types, integers that every reader holds, and keys in ASCII: those sort the
    same by code points as by UTF-16 units. Texts are escaped alike.
    """
    open_values = [(value, 0)]
    while open_values:
        item, depth = open_values.pop()
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is int:
            if not -MAX_INTEGER <= cast(int, item) <= MAX_INTEGER:
                return False
        elif depth > MAX_DEPTH:
            return False
        elif kind is dict:
            for key, inner in cast("dict[object, object]", item).items():
                if type(key) is not str or not key.isascii():
                    return False
                open_values.append((inner, depth + 1))
        elif kind is list or kind is tuple:
            open_values.extend((inner, depth + 1) for inner in cast("list[object]", item))
        else:
            return False
    return True


def _refuse_floats(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise EncodingError(f"JSON: nested deeper than {MAX_DEPTH}")
    if isinstance(value, float):
        raise EncodingError("JSON: a float; write a decimal as a text")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item, depth + 1)


def _check_shape(text: str, where: str) -> None:
    brackets = text.count("[") + text.count("{")
    many = brackets + text.count(",") > MAX_VALUES
    if brackets <= MAX_DEPTH and not many:
        return
    quotes = text.count('"')
    if quotes % 2 == 0 and quotes <= MAX_VALUES and "\\" not in text:
        # Without escapes every other piece between quotes is a string, and no structure.
        _check_structure("".join(text.split('"')[::2]), where)
        return
    depth = values = 0
    for token in (_SEPARATORS if many else _STRUCTURE).finditer(text):
        first = text[token.start()]
        if first in "[{,":
            values += 1
            if values > MAX_VALUES:
                raise EncodingError(f"{where}: more than {MAX_VALUES} values")
            if first != ",":
                depth += 1
                if depth > MAX_DEPTH:
                    raise EncodingError(f"{where}: nested deeper than {MAX_DEPTH}")
        elif first in "]}":
            depth -= 1
        elif token.end() - token.start() == 1:
            raise EncodingError(f"{where}: not JSON: a text without its closing quote")


def _check_structure(text: str, where: str) -> None:
    """As `_check_shape`, of what stands outside texts: a few brackets and commas."""
    depth = 0
    for found in islice(_BRACKETS.finditer(text), 2 * MAX_VALUES):
        depth += 1 if found[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise EncodingError(f"{where}: nested deeper than {MAX_DEPTH}")
    opened, closed = text.count("[") + text.count("{"), text.count("]") + text.count("}")
    if max(opened + text.count(","), closed) > MAX_VALUES:
        raise EncodingError(f"{where}: more than {MAX_VALUES} values")


def _repeated(items: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in items:
        if name in seen:
            return _short(name)
        seen.add(name)
    raise AssertionError("called without a repeated key")


def _short(text: str) -> str:
    """A bounded, printable quotation of untrusted text for a message."""
    return ascii(text if len(text) <= 64 else text[:61] + "...")


# --- instants -----------------------------------------------------------------------------------


def parse_instant(text: str, where: str = "instant") -> datetime:
    """`2024-01-31T00:00:00Z`, and no other spelling of RFC 3339, as an aware UTC time."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise EncodingError(f"{where}: {_short(text)} is not of the form 2024-01-31T00:00:00Z")
    try:
        year, month, day, hour, minute, second = map(int, match.groups())
        instant = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise EncodingError(f"{where}: {_short(text)} is no such day or time") from None
    if instant.year < 1970:
        raise EncodingError(f"{where}: {_short(text)} is not an instant from 1970 to 9999")
    return instant


def format_instant(instant: datetime) -> str:
    """The one spelling of an aware time; fractions of a second are cut off."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    moment = instant.astimezone(UTC)
    return f"{moment.year:04d}{moment:-%m-%dT%H:%M:%SZ}"


# --- hashing ------------------------------------------------------------------------------------


def sha256_label(label: bytes, *parts: bytes) -> bytes:
    """SHA-256 of the framed label and parts: 32 bytes that no other use of SHA-256 yields."""
    return hashlib.sha256(frame(label, *parts)).digest()


# --- reading objects ----------------------------------------------------------------------------


def decode_base64(text: str, *, limit: int, where: str) -> bytes:
    """Standard alphabet, padded, no unused bits set, at most `limit` bytes when decoded."""
    if len(text) > 4 * ((limit + 2) // 3):
        raise EncodingError(f"{where}: more than {limit} bytes")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EncodingError(f"{where}: not base64") from None
    # The last character can carry unused bits: without this, one value has several spellings.
    if base64.b64encode(data).decode() != text:
        raise EncodingError(f"{where}: not the one base64 spelling of its bytes")
    if len(data) > limit:
        raise EncodingError(f"{where}: more than {limit} bytes")
    return data


def encode_base64(data: bytes) -> str:
    """Standard alphabet, padded."""
    return base64.b64encode(data).decode()


def check_hex(text: str, *, nbytes: int, where: str) -> str:
    """The same text, if it is exactly `nbytes` bytes in lowercase hexadecimal."""
    if len(text) != 2 * nbytes or _HEX.fullmatch(text) is None:
        raise EncodingError(f"{where}: must be {2 * nbytes} lowercase hexadecimal digits")
    return text


class Fields:
    """A reader of one JSON object that names what is missing, ill-typed or unknown.

    Every method consumes its field and raises EncodingError when it is absent or of another form;
    `end` refuses the fields left over. Use `has` to ask for an optional field first.
    """

    __slots__ = ("_left", "_object", "where")

    def __init__(self, value: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise EncodingError(f"{where}: must be a JSON object")
        self._object = value
        self._left = value.copy()
        self.where = where

    def has(self, name: str) -> bool:
        """Whether the field is there; does not consume it."""
        return name in self._object

    def _take(self, name: str) -> Json:
        try:
            value = self._object[name]
        except KeyError:
            raise EncodingError(f"{self._at(name)}: missing") from None
        self._left.pop(name, None)
        return value

    def _at(self, name: str) -> str:
        return f"{self.where}.{name}"

    def text(self, name: str, limit: int, *, least: int = 1) -> str:
        """A text of `least` to `limit` characters; what they are is the caller's to judge."""
        value = self._take(name)
        if not isinstance(value, str):
            raise EncodingError(f"{self._at(name)}: must be a text")
        if not least <= len(value) <= limit:
            raise EncodingError(f"{self._at(name)}: must have {least} to {limit} characters")
        return value

    def literal(self, name: str, expected: str) -> None:
        """A text that must be exactly `expected`, such as the format and its version."""
        if self._take(name) != expected:
            raise EncodingError(f"{self._at(name)}: must be {expected!r}")

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """One of a few texts."""
        value = self._take(name)
        if not isinstance(value, str) or value not in allowed:
            raise EncodingError(f"{self._at(name)}: must be one of {', '.join(sorted(allowed))}")
        return value

    def integer(self, name: str, lo: int, hi: int) -> int:
        """An integer, lo <= it <= hi. `true` is none."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise EncodingError(f"{self._at(name)}: must be an integer")
        if not lo <= value <= hi:
            raise EncodingError(f"{self._at(name)}: must be between {lo} and {hi}")
        return value

    def boolean(self, name: str) -> bool:
        """`true` or `false`."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise EncodingError(f"{self._at(name)}: must be true or false")
        return value

    def hex(self, name: str, nbytes: int) -> str:
        """Exactly `nbytes` bytes in lowercase hexadecimal; returned as the text."""
        value = self.text(name, 2 * nbytes)
        if len(value) != 2 * nbytes or _HEX.fullmatch(value) is None:
            check_hex(value, nbytes=nbytes, where=self._at(name))  # refuses it by name
        return value

    def base64(self, name: str, limit: int) -> bytes:
        """1 to `limit` bytes in strict base64; returned decoded."""
        value = self.text(name, 4 * ((limit + 2) // 3))
        return decode_base64(value, limit=limit, where=self._at(name))

    def instant(self, name: str) -> datetime:
        """`YYYY-MM-DDTHH:MM:SSZ`, returned as an aware UTC time."""
        return parse_instant(self.text(name, 20), self._at(name))

    def array(self, name: str, limit: int, *, least: int = 0) -> list[Json]:
        """A list of `least` to `limit` items."""
        value = self._take(name)
        if not isinstance(value, list):
            raise EncodingError(f"{self._at(name)}: must be a list")
        if not least <= len(value) <= limit:
            raise EncodingError(f"{self._at(name)}: must have {least} to {limit} items")
        return value

    def texts(self, name: str, limit: int, length: int, *, least: int = 0) -> list[str]:
        """A list of texts, each of 1 to `length` characters."""
        found: list[str] = []
        for index, item in enumerate(self.array(name, limit, least=least)):
            if not isinstance(item, str) or not 1 <= len(item) <= length:
                raise EncodingError(
                    f"{self._at(name)}[{index}]: must be a text of 1 to {length} characters"
                )
            found.append(item)
        return found

    def object(self, name: str) -> Fields:
        """A nested object, to be read and ended on its own."""
        return Fields(self._take(name), self._at(name))

    def objects(self, name: str, limit: int, *, least: int = 0) -> list[Fields]:
        """A list of nested objects."""
        where = self._at(name)
        return [
            Fields(item, f"{where}[{index}]")
            for index, item in enumerate(self.array(name, limit, least=least))
        ]

    def raw(self, name: str) -> Json:
        """The value as it is, for a reader of its own kind."""
        return self._take(name)

    def optional_text(self, name: str, limit: int) -> str | None:
        """The text, or None where the field is absent (null is not absence)."""
        return self.text(name, limit) if self.has(name) else None

    def optional_hex(self, name: str, nbytes: int) -> str | None:
        """The hexadecimal text, or None where the field is absent."""
        return self.hex(name, nbytes) if self.has(name) else None

    def optional_instant(self, name: str) -> datetime | None:
        """The instant, or None where the field is absent."""
        return self.instant(name) if self.has(name) else None

    def end(self) -> None:
        """Refuse what was not read: an unknown field may change what others think it says."""
        if self._left:
            names = ", ".join(_short(name) for name in sorted(self._left)[:5])
            raise EncodingError(f"{self.where}: unknown field {names}")
