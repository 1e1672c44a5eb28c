"""Canonical JSON and the spellings of what stands in it (section "Encoding").

A value is read by the standard parser under hooks that refuse what it is lenient about, written
again by hand, and taken only if the bytes are the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from independent.second_verifier.refusal import MalformedError, well_formed

MAX_DEPTH = 32
MAX_VALUES = 131_072
MAX_INTEGER = 2**53 - 1
MAX_VERSION = 2**31 - 1
NAME = "[a-z][a-z0-9_-]{0,63}"
EPOCH = date(1970, 1, 1)

ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)}
ESCAPES |= {
    ord(mark): f"\\{letter}" for mark, letter in zip('"\\\b\t\n\f\r', '"\\btnfr', strict=True)
}

Tree = dict[str, Any]


def frame(*parts: bytes) -> bytes:
    """Each part behind its length in 8 bytes."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def labelled_hash(label: str, *parts: bytes) -> bytes:
    """SHA-256 of the frame of label and parts."""
    return hashlib.sha256(frame(label.encode(), *parts)).digest()


def sha256(data: bytes) -> bytes:
    """Plain SHA-256."""
    return hashlib.sha256(data).digest()


def decimal(number: int) -> bytes:
    """A number as decimal text."""
    return str(number).encode()


# Canonical JSON


def write(value: Any) -> bytes:
    """The one spelling of a value (RFC 8785, integers only)."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_quoted(key)}:{_text(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(each) for each in value) + "]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return str(value)


def _quoted(text: str) -> str:
    return f'"{text.translate(ESCAPES)}"'


def read(data: bytes, limit: int) -> Any:
    """The value of canonical JSON of at most `limit` bytes."""
    well_formed(len(data) <= limit, "longer than allowed")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not UTF-8") from error
    _bounded(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
        again = write(value)
    except (ValueError, RecursionError) as error:
        raise MalformedError("not canonical JSON") from error
    well_formed(again == data, "not the canonical spelling")
    return value


def _bounded(text: str) -> None:
    """Depth and number of values, before any parser sees them."""
    depth, values = 0, 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{,\]}]', text, re.DOTALL):
        mark = token.group()
        if mark in "[{":
            depth += 1
            well_formed(depth <= MAX_DEPTH, "nested too deep")
        elif mark in "]}":
            depth -= 1
        values += mark in "[{,"
        well_formed(values <= MAX_VALUES, "too many values")


def _object(pairs: list[tuple[str, Any]]) -> Tree:
    well_formed(len(dict(pairs)) == len(pairs), "a repeated key")
    return dict(pairs)


def _integer(digits: str) -> int:
    well_formed(len(digits) <= 17 and abs(int(digits)) <= MAX_INTEGER, "a number too large")
    return int(digits)


def _no_float(_: str) -> NoReturn:
    raise MalformedError("a number that is no integer")


# Fields


def fields(value: Any, required: set[str], optional: Iterable[str] = ()) -> Tree:
    """An object with these fields and no others."""
    well_formed(isinstance(value, dict), "not an object")
    well_formed(
        required <= value.keys() <= required.union(optional), "not the fields of this version"
    )
    return dict(value)


def text(value: Any, pattern: str | None = None) -> str:
    """A text, which matches the pattern as a whole."""
    well_formed(isinstance(value, str), "not a text")
    well_formed(pattern is None or re.fullmatch(pattern, value) is not None, "not of this form")
    return str(value)


def integer(value: Any, least: int, most: int = MAX_INTEGER) -> int:
    """An integer (truth values are none) between bounds."""
    well_formed(type(value) is int and least <= value <= most, "not an integer within the bounds")
    return int(value)


def listed(value: Any, least: int, most: int) -> list[Any]:
    """A list with a number of entries between bounds."""
    well_formed(isinstance(value, list) and least <= len(value) <= most, "not a list of this size")
    return list(value)


def hexadecimal(value: Any, size: int = 32) -> bytes:
    """Bytes in lowercase hexadecimal."""
    return bytes.fromhex(text(value, f"[0-9a-f]{{{2 * size}}}"))


def base64_bytes(value: Any, size: int | None = None, most: int | None = None) -> bytes:
    """Bytes in padded base64 of the standard alphabet, unused bits zero."""
    try:
        data = base64.b64decode(text(value).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise MalformedError("not base64") from error
    well_formed(base64.b64encode(data).decode() == value, "not the one spelling of base64")
    well_formed(size is None or len(data) == size, "not of this size")
    well_formed(most is None or len(data) <= most, "longer than allowed")
    return data


def instant(value: Any) -> int:
    """Seconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`."""
    spelt = text(value, r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
    try:
        moment = datetime.strptime(spelt, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise MalformedError("no such instant") from error
    well_formed(moment.year >= 1970 and spelt[17:19] < "60", "no instant of 1970 to 9999")
    return int(moment.timestamp())


def day(value: Any) -> int:
    """Days since 1970-01-01 of `YYYY-MM-DD`."""
    spelt = text(value, r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
    try:
        return (date.fromisoformat(spelt) - EPOCH).days
    except ValueError as error:
        raise MalformedError("no such day") from error
