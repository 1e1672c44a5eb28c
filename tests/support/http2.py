"""What one direction of an HTTP/2 connection carried, put together from its recorded bytes.

A searched text can hide from the raw bytes: behind a frame boundary, in a Huffman code, or as an
index into a table of headers sent before. Here DATA is joined by stream, header blocks are decoded
in full (RFC 7541), and gRPC's binary headers are shown as bytes. Nothing is written here and no
protocol error is repaired: bytes that do not parse raise ValueError.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, CONTINUATION = 0, 1, 9
_END_HEADERS, _PADDED, _PRIORITY = 0x4, 0x8, 0x20

Header = tuple[bytes, bytes]


@dataclass
class Stream:
    """One call, in one direction: its bytes, and its headers and trailers in order."""

    data: bytearray = field(default_factory=bytearray)
    headers: list[Header] = field(default_factory=list)

    def messages(self) -> Iterator[tuple[bool, bytes]]:
        """Each gRPC message, and whether it is compressed; a last one may be cut short."""
        at = 0
        while at + 5 <= len(self.data):
            length = int.from_bytes(self.data[at + 1 : at + 5], "big")
            yield self.data[at] != 0, bytes(self.data[at + 5 : at + 5 + length])
            at += 5 + length

    def header_texts(self) -> Iterator[bytes]:
        """Every header as a reader understands it: also without base64 and percent escapes."""
        for name, value in self.headers:
            yield name + b": " + value
            if name.endswith(b"-bin"):
                yield value[1:] if value[:1] == b"\0" else _base64(value)
            elif b"%" in value:
                yield unquote_to_bytes(value)


@dataclass
class Connection:
    """All streams of one direction, and the payloads of frames that belong to none."""

    streams: dict[int, Stream] = field(default_factory=dict)
    other: list[bytes] = field(default_factory=list)

    @classmethod
    def parse(cls, recorded: bytes) -> Connection:
        """Read what was recorded; a last frame that is cut short goes to `other`."""
        found, decoder, block = cls(), HpackDecoder(), bytearray()
        at = len(PREFACE) if recorded.startswith(PREFACE) else 0
        while at < len(recorded):
            length = int.from_bytes(recorded[at : at + 3], "big")
            if at + 9 + length > len(recorded):
                found.other.append(recorded[at:])
                break
            kind, flags = recorded[at + 3], recorded[at + 4]
            number = int.from_bytes(recorded[at + 5 : at + 9], "big") & 0x7FFFFFFF
            payload = recorded[at + 9 : at + 9 + length]
            at += 9 + length
            if kind in (DATA, HEADERS) and flags & _PADDED:
                payload = payload[1 : len(payload) - payload[0]]
            if kind == HEADERS and flags & _PRIORITY:
                payload = payload[5:]
            if kind == DATA:
                found._stream(number).data += payload
            elif kind in (HEADERS, CONTINUATION):
                block += payload
                if flags & _END_HEADERS:
                    found._stream(number).headers += decoder.decode(bytes(block))
                    block.clear()
            else:
                found.other.append(payload)
        return found

    def _stream(self, number: int) -> Stream:
        return self.streams.setdefault(number, Stream())


def data_frame(stream: int, message: bytes) -> bytes:
    """One uncompressed gRPC message in one DATA frame."""
    payload = b"\0" + len(message).to_bytes(4, "big") + message
    return len(payload).to_bytes(3, "big") + bytes([DATA, 0]) + stream.to_bytes(4, "big") + payload


class HpackDecoder:
    """Decodes the header blocks of one direction, in their order."""

    def __init__(self) -> None:
        self._dynamic: list[Header] = []
        self._limit = 4096

    def decode(self, block: bytes) -> list[Header]:
        """The headers of one block; ValueError or IndexError for what is none."""
        found: list[Header] = []
        at = 0
        while at < len(block):
            first = block[at]
            if first & 0x80:
                index, at = _integer(block, at, 7)
                found.append(self._entry(index))
            elif first & 0xE0 == 0x20:
                self._limit, at = _integer(block, at, 5)
                self._evict()
            else:
                remembered = bool(first & 0x40)
                index, at = _integer(block, at, 6 if remembered else 4)
                if index:
                    name = self._entry(index)[0]
                else:
                    name, at = _string(block, at)
                value, at = _string(block, at)
                found.append((name, value))
                if remembered:
                    self._dynamic.insert(0, (name, value))
                    self._evict()
        return found

    def _entry(self, index: int) -> Header:
        if not index:
            raise ValueError("header index 0")
        if index <= len(_STATIC):
            return _STATIC[index - 1]
        return self._dynamic[index - len(_STATIC) - 1]

    def _evict(self) -> None:
        while sum(len(name) + len(value) + 32 for name, value in self._dynamic) > self._limit:
            self._dynamic.pop()


def huffman_decode(data: bytes) -> bytes:
    """The octets behind a Huffman-coded string; ValueError for padding that is not all ones."""
    found = bytearray()
    code, length = 1, 0
    for bit in (byte >> shift & 1 for byte in data for shift in range(7, -1, -1)):
        code, length = code << 1 | bit, length + 1
        symbol = _SYMBOLS.get(code)
        if symbol is not None:
            if symbol == 256:
                raise ValueError("the end of string inside a string")
            found.append(symbol)
            code, length = 1, 0
    if length > 7 or code != (2 << length) - 1:
        raise ValueError("bad Huffman padding")
    return bytes(found)


def huffman_encode(data: bytes) -> bytes:
    """A string in the Huffman code, padded with ones."""
    bits = "".join(f"{_CODES[octet]:b}"[1:] for octet in data)
    bits += "1" * (-len(bits) % 8)
    return int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


def _integer(block: bytes, at: int, prefix: int) -> tuple[int, int]:
    value, at = block[at] & (1 << prefix) - 1, at + 1
    if value < (1 << prefix) - 1:
        return value, at
    shift = 0
    while True:
        octet, at = block[at], at + 1
        value += (octet & 0x7F) << shift
        shift += 7
        if not octet & 0x80:
            return value, at


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    coded = bool(block[at] & 0x80)
    length, at = _integer(block, at, 7)
    raw = block[at : at + length]
    if len(raw) != length:
        raise ValueError("a string past the end of its block")
    return (huffman_decode(raw) if coded else raw), at + length


def _base64(value: bytes) -> bytes:
    return base64.b64decode(value + b"=" * (-len(value) % 4))


# RFC 7541, appendix B, by the length of each code only: codes of one length are consecutive and
# in the order of their symbols, and the first of a length follows the last of the one before.
_LENGTHS = [
    *(13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28),
    *(28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28),
    *(6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6),
    *(5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10),
    *(13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7),
    *(7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6),
    *(15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5),
    *(6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28),
    *(20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23),
    *(24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24),
    *(22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23),
    *(21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23),
    *(26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25),
    *(19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27),
    *(20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23),
    *(26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26),
    30,
]


def _codes() -> dict[int, int]:
    """Each symbol's code behind a leading one, so that its length is in the number."""
    found, code, before = {}, 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(_LENGTHS)):
        code = code + 1 << length - before if before else 0
        found[symbol], before = 1 << length | code, length
    return found


_CODES = _codes()
_SYMBOLS = {code: symbol for symbol, code in _CODES.items()}

# RFC 7541, appendix A.
_STATIC: list[Header] = [
    (name.encode(), value.encode())
    for name, _, value in (
        re.sub(r"\s+", " ", line.strip()).partition(" ")
        for line in """
        :authority
        :method GET
        :method POST
        :path /
        :path /index.html
        :scheme http
        :scheme https
        :status 200
        :status 204
        :status 206
        :status 304
        :status 400
        :status 404
        :status 500
        accept-charset
        accept-encoding gzip, deflate
        accept-language
        accept-ranges
        accept
        access-control-allow-origin
        age
        allow
        authorization
        cache-control
        content-disposition
        content-encoding
        content-language
        content-length
        content-location
        content-range
        content-type
        cookie
        date
        etag
        expect
        expires
        from
        host
        if-match
        if-modified-since
        if-none-match
        if-range
        if-unmodified-since
        last-modified
        link
        location
        max-forwards
        proxy-authenticate
        proxy-authorization
        range
        referer
        refresh
        retry-after
        server
        set-cookie
        strict-transport-security
        transfer-encoding
        user-agent
        vary
        via
        www-authenticate
        """.strip().splitlines()
    )
]
