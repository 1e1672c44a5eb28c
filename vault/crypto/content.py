"""A part as a whole: sealing an attribute record and files into blocks, and reading them back.

`PartSealer` draws everything that must be fresh and yields ciphertext blocks as it goes, so a
file of any allowed size passes through in constant memory. `open_part` reads lazily, block by
block, and delivers plaintext only as the part's key authenticates it. Nothing about a file (its
name, type or true length) is outside the ciphertext.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from proofs.errors import SchemaError
from proofs.text import safe_for_display
from vault.crypto.cids import Cid, Codec, cid_of_block
from vault.crypto.framing import framed, unframe
from vault.crypto.keys import PartKey
from vault.crypto.padding import RECORD_UNIT, is_zero, padded_record_length, padme
from vault.crypto.root import (
    MAX_LINKS,
    MAX_STREAMS,
    PartRoot,
    StreamEntry,
    cid_of_root,
    decode_root,
    encode_root,
)
from vault.crypto.stream import (
    PLAIN_BYTES,
    ciphertext_length,
    decrypt_stream,
    derive_stream_keys,
    encrypt_stream,
    fresh_header,
)
from vault.errors import ExhaustedError, IntegrityError, InvalidInputError

MAX_ATTACHMENT_BYTES: Final = 2**30
MAX_RECORD_BYTES: Final = PLAIN_BYTES // RECORD_UNIT * RECORD_UNIT - len(framed(b""))
"""The attribute record fits one chunk with its framing and padding."""
MAX_FILE_NAME_BYTES: Final = 255

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_LENGTH_BYTES: Final = 8

Block = tuple[Cid, bytes]
GetBlock = Callable[[Cid], bytes]


class Reader(Protocol):
    """What an attachment is read from: a binary file opened for reading will do."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty at the end."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """Name, media type and true length in bytes of an attachment.

    Raises InvalidInputError for what could do harm where the file is written or shown: a path
    in the name (`../` would write elsewhere), invisible or control characters, `.` and `..`.
    """

    name: str
    media_type: str
    length: int

    def __post_init__(self) -> None:
        try:
            encoded = safe_for_display(self.name, limit=MAX_FILE_NAME_BYTES).encode("utf-8")
        except (SchemaError, UnicodeEncodeError) as error:
            raise InvalidInputError(f"a file name: {error}", field="attachment") from error
        if (
            len(encoded) > MAX_FILE_NAME_BYTES
            or self.name in (".", "..")
            or any(character in self.name for character in "/\\")
        ):
            raise InvalidInputError(
                f"a file name has at most {MAX_FILE_NAME_BYTES} bytes and no path",
                field="attachment",
            )
        if _MEDIA_TYPE.fullmatch(self.media_type) is None:
            raise InvalidInputError("a media type is like application/pdf", field="attachment")
        if not 0 <= self.length <= MAX_ATTACHMENT_BYTES:
            raise InvalidInputError(
                f"an attachment has at most {MAX_ATTACHMENT_BYTES} bytes", field="attachment"
            )


class PartSealer:
    """Encrypts one part, once: the attribute record, then attachments, then the root.

    A retried put makes a new sealer with a new key. The blocks of each call are yielded as they
    are made; the root exists when every block was taken.
    """

    __slots__ = ("_key", "_open", "_streams")

    def __init__(self, key: PartKey):
        self._key = key
        self._streams: list[StreamEntry] = []
        self._open = False

    def seal_record(self, record: bytes) -> Iterator[Block]:
        """Encrypt the attribute record; the first stream of a part, one block.

        Raises InvalidInputError for more than `MAX_RECORD_BYTES`.
        """
        if self._streams:
            raise InvalidInputError("a part has one attribute record, and it comes first")
        if len(record) > MAX_RECORD_BYTES:
            raise InvalidInputError(f"an attribute record has at most {MAX_RECORD_BYTES} bytes")
        plain = framed(record)
        plain = plain.ljust(padded_record_length(len(plain)), b"\x00")
        return self._seal(len(plain), lambda size: plain[:size])

    def seal_attachment(self, info: FileInfo, reader: Reader) -> Iterator[Block]:
        """Encrypt one file, read in pieces of at most 1 MiB.

        Raises InvalidInputError when the reader gives fewer or more bytes than `info.length`
        (the file changed while it was read), ExhaustedError past the bounds of a part.
        """
        if not self._streams:
            raise InvalidInputError("the attribute record of a part comes first")
        head = _encode_info(info)
        source = _PaddedSource(head, reader, info.length)
        return self._seal(padme(len(head) + info.length), source.read)

    def finish(self) -> Block:
        """The root block. Raises InvalidInputError before the record was sealed."""
        if self._open:
            raise InvalidInputError("a stream was not sealed to its end")
        data = encode_root(PartRoot(tuple(self._streams)))
        return cid_of_root(data), data

    def _seal(self, length: int, read: Callable[[int], bytes]) -> Iterator[Block]:
        if self._open:
            raise InvalidInputError("the stream before was not sealed to its end")
        chunks = -(-length // PLAIN_BYTES) + sum(len(stream.links) for stream in self._streams)
        if chunks > MAX_LINKS or len(self._streams) >= MAX_STREAMS:
            raise ExhaustedError(
                f"a part has at most {MAX_STREAMS} streams and {MAX_LINKS} chunks of 1 MiB"
            )
        self._open = True
        return self._blocks(length, read)

    def _blocks(self, length: int, read: Callable[[int], bytes]) -> Iterator[Block]:
        header = fresh_header()
        keys = derive_stream_keys(self._key, len(self._streams), header)
        links: list[Cid] = []
        for chunk in encrypt_stream(keys, length, read):
            cid = cid_of_block(Codec.RAW, chunk)
            links.append(cid)
            yield cid, chunk
        self._streams.append(
            StreamEntry(header, keys.commitment, ciphertext_length(length), tuple(links))
        )
        self._open = False


class Attachment:
    """A decrypted file, delivered once by `pieces`; name, type and length are authentic."""

    __slots__ = ("_first", "_rest", "info")

    def __init__(self, info: FileInfo, first: bytes, rest: Iterator[bytes]):
        self.info = info
        self._first: bytes | None = first
        self._rest = rest

    def pieces(self) -> Iterator[bytes]:
        """The content, in pieces of at most 1 MiB; once.

        Raises IntegrityError when a later block is wrong, missing or too many, or the padding
        is not as it must be. Write to a temporary file and rename it when this ends: what came
        before an error is authentic, but not the whole file.
        """
        first, self._first = self._first, None
        if first is None:
            raise InvalidInputError("the content of an attachment is read once")
        return self._pieces(first)

    def _pieces(self, first: bytes) -> Iterator[bytes]:
        remaining = self.info.length
        piece = first
        while True:
            if piece[:remaining]:
                yield piece[:remaining]
            if not is_zero(piece[remaining:]):
                raise IntegrityError("the padding of an attachment is not zeros")
            remaining = max(0, remaining - len(piece))
            following = next(self._rest, None)
            if following is None:
                return
            piece = following


class OpenedPart:
    """A part under its key: the attribute record, and the attachments on demand."""

    __slots__ = ("_get_block", "_key", "_root", "record")

    def __init__(self, key: PartKey, root: PartRoot, get_block: GetBlock):
        self._key = key
        self._root = root
        self._get_block = get_block
        self.record: bytes = self._read_record()
        """The attribute record, as it was sealed."""

    @property
    def attachment_count(self) -> int:
        """How many attachments the part has."""
        return len(self._root.streams) - 1

    def attachment(self, number: int) -> Attachment:
        """Open attachment `number` (from 0): reads its first block only.

        Raises IntegrityError when that block or what it says of the file is not right.
        """
        if not 0 <= number < self.attachment_count:
            raise InvalidInputError(f"a part without attachment {number}", field="attachment")
        rest = self._decrypt(number + 1)
        first = next(rest)
        (name, media_type, length), end = unframe(first, 3)
        try:
            info = FileInfo(name.decode(), media_type.decode(), int.from_bytes(length, "big"))
        except (UnicodeDecodeError, InvalidInputError) as error:
            raise IntegrityError(f"an attachment with a wrong description: {error}") from error
        padded = ciphertext_length(padme(end + info.length))
        if len(length) != _LENGTH_BYTES or padded != self._root.streams[number + 1].length:
            raise IntegrityError("an attachment of another length than its padding")
        return Attachment(info, first[end:], rest)

    def attachments(self) -> Iterator[Attachment]:
        """Every attachment in order, each opened when its turn comes."""
        return map(self.attachment, range(self.attachment_count))

    def _read_record(self) -> bytes:
        plain = b"".join(self._decrypt(0))
        (record,), end = unframe(plain, 1)
        if len(plain) != padded_record_length(end) or not is_zero(plain[end:]):
            raise IntegrityError("an attribute record that is not padded as it must be")
        return record

    def _decrypt(self, index: int) -> Iterator[bytes]:
        stream = self._root.streams[index]
        keys = derive_stream_keys(self._key, index, stream.header)
        blocks = (self._get_block(cid) for cid in stream.links)
        return decrypt_stream(keys, stream.commitment, stream.length, blocks)


def open_part(key: PartKey, root: bytes, get_block: GetBlock) -> OpenedPart:
    """Open a part: checks the root, decrypts the attribute record, leaves the files for later.

    `root` is the block that the attested CID names; `get_block` gives the bytes of a CID or
    raises. Raises IntegrityError for whatever is not as the custodian sealed it.
    """
    return OpenedPart(key, decode_root(root), get_block)


def _encode_info(info: FileInfo) -> bytes:
    return framed(
        info.name.encode(), info.media_type.encode(), info.length.to_bytes(_LENGTH_BYTES, "big")
    )


class _PaddedSource:
    """The description of a file, its content, then zeros; reads are exact."""

    __slots__ = ("_head", "_reader", "_remaining")

    def __init__(self, head: bytes, reader: Reader, length: int):
        self._head = head
        self._reader = reader
        self._remaining = length

    def read(self, size: int) -> bytes:
        pieces = [self._head[:size]]
        self._head = self._head[size:]
        wanted = size - len(pieces[0])
        while wanted and self._remaining:
            piece = self._reader.read(min(wanted, self._remaining))
            if not piece:
                raise InvalidInputError("a file ended before its stated length", field="attachment")
            pieces.append(piece)
            wanted -= len(piece)
            self._remaining -= len(piece)
        if not self._remaining and self._reader.read(1):
            raise InvalidInputError("a file is longer than stated", field="attachment")
        pieces.append(bytes(wanted))
        return b"".join(pieces)
