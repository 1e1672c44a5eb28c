"""The root block of a part: dag-cbor of headers, key commitments, lengths and links.

The root is public to every node that stores it, so it holds nothing else: names, types and true
lengths of files are inside the ciphertext. Its CID names the part in an attestation. Only this one
shape is read, field after field: a general reader follows whatever nesting it is sent, takes
over-long integers, and shows links and byte strings alike. What was read is encoded again and
compared byte for byte: a part has one root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vault.crypto import labels
from vault.crypto.cids import CID_BYTES, Cid, Codec, cid_of_block
from vault.crypto.stream import (
    CHUNK_BYTES,
    COMMITMENT_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    chunk_lengths,
)
from vault.errors import IntegrityError, InvalidInputError

MAX_LINKS: Final = 16_384
MAX_STREAMS: Final = 1_024
MAX_ROOT_BYTES: Final = CHUNK_BYTES
"""A root with all its links and streams is smaller; checked before anything is parsed."""

# dag-cbor orders map keys by length, then by bytes.
_MAP_OF_2: Final = b"\xa2"
_MAP_OF_4: Final = b"\xa4"
_BYTES: Final = 2
_TEXT: Final = 3
_ARRAY: Final = 4
_LINK: Final = b"\xd8\x2a\x58" + bytes([CID_BYTES + 1]) + b"\x00"


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One stream: 32-byte header and commitment, bytes of ciphertext, one link a chunk."""

    header: bytes
    commitment: bytes
    length: int
    links: tuple[Cid, ...]

    def __post_init__(self) -> None:
        if len(self.header) != HEADER_BYTES or len(self.commitment) != COMMITMENT_BYTES:
            raise InvalidInputError("a stream's header and commitment are 32 bytes each")
        if not 1 <= len(self.links) <= MAX_LINKS:
            raise InvalidInputError(f"a stream has between 1 and {MAX_LINKS} chunks")
        full = (len(self.links) - 1) * CHUNK_BYTES
        if not full + TAG_BYTES < self.length <= full + CHUNK_BYTES:
            raise InvalidInputError("a stream's length does not fit the number of its chunks")
        if any(link.codec is not Codec.RAW for link in self.links):
            raise InvalidInputError("a chunk is a raw block")

    def blocks(self) -> Iterator[tuple[Cid, int]]:
        """Each chunk's CID and its exact length in bytes."""
        return zip(self.links, chunk_lengths(self.length), strict=True)


@dataclass(frozen=True, slots=True)
class PartRoot:
    """All streams of a part: the attribute record first, then the attachments."""

    streams: tuple[StreamEntry, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.streams) <= MAX_STREAMS:
            raise InvalidInputError(f"a part has between 1 and {MAX_STREAMS} streams")
        links = list(self.links())
        if len(links) > MAX_LINKS:
            raise InvalidInputError(f"a part has at most {MAX_LINKS} chunks")
        # No two chunks are alike, ever; a repeated one would be a chunk passed off as another.
        if len(set(links)) != len(links):
            raise InvalidInputError("a chunk is linked twice")

    def links(self) -> Iterator[Cid]:
        """Every chunk's CID, in order."""
        return (link for stream in self.streams for link in stream.links)

    def blocks(self) -> Iterator[tuple[Cid, int]]:
        """CID and exact length of every chunk of the part, in order."""
        for stream in self.streams:
            yield from stream.blocks()


def encode_root(root: PartRoot) -> bytes:
    """The one dag-cbor encoding of a root."""
    out = [
        _MAP_OF_2,
        *(_text("format"), _text(labels.PART_FORMAT)),
        *(_text("streams"), _head(_ARRAY, len(root.streams))),
    ]
    for stream in root.streams:
        out += [
            _MAP_OF_4,
            *(_text("links"), _head(_ARRAY, len(stream.links))),
            *(_LINK + link.binary for link in stream.links),
            *(_text("header"), _head(_BYTES, HEADER_BYTES), stream.header),
            *(_text("length"), _head(0, stream.length)),
            *(_text("commitment"), _head(_BYTES, COMMITMENT_BYTES), stream.commitment),
        ]
    return b"".join(out)


def cid_of_root(data: bytes) -> Cid:
    """The CID of a root block, which names its part."""
    return cid_of_block(Codec.DAG_CBOR, data)


def decode_root(data: bytes) -> PartRoot:
    """Read a root block that may come from anyone.

    Raises IntegrityError for more than 1 MiB, anything but the one shape, bounds exceeded,
    lengths that do not fit the links, a link twice, or a second spelling of the same root.
    """
    if len(data) > MAX_ROOT_BYTES:
        raise IntegrityError(f"the root of a part is over {MAX_ROOT_BYTES} bytes")
    try:
        root = _Reader(data).root()
    except (ValueError, InvalidInputError) as error:
        raise IntegrityError(f"not the root of a part: {error}") from error
    if encode_root(root) != data:
        raise IntegrityError("the root of a part is not in its one encoding")
    return root


class _Reader:
    """One pass over a root's bytes, which knows at every place what has to stand there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def root(self) -> PartRoot:
        """The whole block; ValueError for anything else than a root."""
        self._expect(_MAP_OF_2 + _text("format"), "a map of format and streams")
        self._expect(_text(labels.PART_FORMAT), f"the format must be {labels.PART_FORMAT}:")
        self._expect(_text("streams"), "streams")
        count = self._number(_ARRAY)
        if count > MAX_STREAMS:
            raise ValueError(f"a list of at most {MAX_STREAMS} streams is expected")
        root = PartRoot(tuple(self._stream() for _ in range(count)))
        if self._at != len(self._data):
            raise ValueError("bytes behind its end")
        return root

    def _stream(self) -> StreamEntry:
        self._expect(_MAP_OF_4 + _text("links"), "a map of links, header, length, commitment")
        count = self._number(_ARRAY)
        if count > MAX_LINKS:
            raise ValueError(f"a list of at most {MAX_LINKS} links is expected")
        links = tuple(self._link() for _ in range(count))
        self._expect(_text("header") + _head(_BYTES, HEADER_BYTES), "a header")
        header = self._take(HEADER_BYTES)
        self._expect(_text("length"), "a length")
        length = self._number(0)
        self._expect(_text("commitment") + _head(_BYTES, COMMITMENT_BYTES), "a commitment")
        return StreamEntry(header, self._take(COMMITMENT_BYTES), length, links)

    def _link(self) -> Cid:
        self._expect(_LINK, "a link")
        return Cid.from_bytes(self._take(CID_BYTES))

    def _number(self, major: int) -> int:
        """The number in a head of this type, in whatever length; encoding again finds others."""
        first = self._take(1)[0]
        size = first & 31
        if first >> 5 != major or size > 27:
            raise ValueError(f"another type at byte {self._at - 1}")
        return size if size < 24 else int.from_bytes(self._take(1 << size - 24), "big")

    def _expect(self, literal: bytes, what: str) -> None:
        if self._data[self._at : self._at + len(literal)] != literal:
            raise ValueError(f"{what} expected at byte {self._at}")
        self._at += len(literal)

    def _take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise ValueError("cut off")
        self._at += count
        return found


def _head(major: int, value: int) -> bytes:
    """The shortest CBOR head of a type and a number below 2^64 (RFC 8949, 4.2.1)."""
    if value < 24:
        return bytes([major << 5 | value])
    size = next(size for size in (1, 2, 4, 8) if value < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + value.to_bytes(size, "big")


def _text(text: str) -> bytes:
    return _head(_TEXT, len(text)) + text.encode("ascii")
