"""Whoever holds the blocks (a node, a disk, a relay) changes them: nothing wrong ever comes out.

Every test gives the reader what an attacker could give it and expects our own error; what was
delivered before the error is a prefix of the true content.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gcm_two_keys import chunk_for_two_keys
from support.parts import SealedPart, read_files, seal_part

from vault.crypto.cids import Cid, Codec, cid_of_block
from vault.crypto.content import open_part
from vault.crypto.framing import framed
from vault.crypto.keys import PartKey
from vault.crypto.padding import padme
from vault.crypto.root import PartRoot, StreamEntry, decode_root, encode_root
from vault.crypto.stream import (
    CHUNK_BYTES,
    PLAIN_BYTES,
    ciphertext_length,
    decrypt_stream,
    derive_stream_keys,
    encrypt_stream,
)
from vault.errors import IntegrityError, VaultError

RECORD = b'{"owner": "canary"}'
CONTENT = bytes(range(256)) * (3 * PLAIN_BYTES // 256)


@pytest.fixture(scope="module")
def long() -> SealedPart:
    """A part with a file of several chunks."""
    return seal_part(RECORD, [("f", CONTENT)])


def rebuilt(part: SealedPart, streams: list[StreamEntry]) -> SealedPart:
    """The part with another root over the same blocks."""
    root = encode_root(PartRoot(tuple(streams)))
    return dataclasses.replace(part, root=root, fetched=[])


def with_stream(part: SealedPart, index: int, **changes: Any) -> SealedPart:
    """The part with one stream's entry changed."""
    streams = list(part.decoded.streams)
    streams[index] = dataclasses.replace(streams[index], **changes)
    return rebuilt(part, streams)


def delivered(part: SealedPart) -> bytes:
    """What comes out of the first file before the error that must end it."""
    out: list[bytes] = []

    def collect() -> None:
        out.extend(part.open().attachment(0).pieces())

    with pytest.raises(IntegrityError):
        collect()
    return b"".join(out)


def relink(links: tuple[Cid, ...], order: list[int]) -> tuple[Cid, ...]:
    """The links in another order."""
    return tuple(links[i] for i in order)


class TestBlocks:
    def test_every_byte_of_a_block(self) -> None:
        """Each byte of a record's block, changed, keeps the part from opening."""
        part = seal_part(RECORD)
        (cid,) = part.blocks
        good = part.blocks[cid]
        for at in range(len(good)):
            block = good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :]
            with pytest.raises(IntegrityError):
                open_part(part.key, part.root, lambda _, block=block: block)  # type: ignore[misc]
        assert part.open().record == RECORD

    @pytest.mark.parametrize(
        "change",
        [
            lambda b: b[:-1],
            lambda b: b + b"\0",
            lambda b: b"",
            lambda b: b[:16],
            lambda b: b[16:],
            lambda b: b + b,
        ],
    )
    def test_block_lengths(self, change: Callable[[bytes], bytes]) -> None:
        """Shorter, longer, empty and doubled blocks are refused."""
        part = seal_part(RECORD)
        with pytest.raises(IntegrityError):
            open_part(part.key, part.root, lambda cid: change(part.blocks[cid]))

    @pytest.mark.parametrize("at", range(4))
    def test_a_later_block(self, long: SealedPart, at: int) -> None:
        """A wrong block in the middle: what came before is right, then it ends."""
        links = long.decoded.streams[1].links
        bad = bytearray(long.blocks[links[at]])
        bad[len(bad) // 2] ^= 1
        changed = dataclasses.replace(long, blocks={**long.blocks, links[at]: bytes(bad)})
        if at == 0:
            with pytest.raises(IntegrityError):
                changed.open().attachment(0)
        else:
            out = delivered(changed)
            assert out == CONTENT[: len(out)]
            assert (at - 1) * PLAIN_BYTES < len(out) <= at * PLAIN_BYTES

    def test_blocks_that_change_places(self, long: SealedPart) -> None:
        """Two full chunks of one stream exchanged by the store."""
        one, two = long.decoded.streams[1].links[1:3]
        blocks = {**long.blocks, one: long.blocks[two], two: long.blocks[one]}
        out = delivered(dataclasses.replace(long, blocks=blocks))
        assert out == CONTENT[: len(out)]


class TestRoots:
    """The attacker rewrites the root too; whoever checks its CID notices, but none needs to."""

    def test_every_bit_of_a_root(self) -> None:
        """Each flipped bit: refused by the reader of roots, or by the opening."""
        part = seal_part(RECORD, [("f", b"content")])
        for at in range(8 * len(part.root)):
            root = bytearray(part.root)
            root[at // 8] ^= 1 << at % 8

            def get(cid: Cid) -> bytes:
                if cid not in part.blocks:
                    raise IntegrityError("no such block")
                return part.blocks[cid]

            with pytest.raises(VaultError):
                read_files(open_part(part.key, bytes(root), get))
        assert read_files(part.open()) == [("f", b"content")]

    @pytest.mark.parametrize("keep", [1, 2, 3])
    def test_truncation(self, long: SealedPart, keep: int) -> None:
        """A stream cut at a chunk's border, with a root that says so."""
        stream = long.decoded.streams[1]
        assert len(stream.links) == 4
        cut = with_stream(long, 1, links=stream.links[:keep], length=keep * CHUNK_BYTES)
        with pytest.raises(IntegrityError):
            read_files(cut.open())

    @pytest.mark.parametrize("order", [[1, 0, 2, 3], [0, 2, 1, 3], [2, 1, 0, 3]])
    def test_reordering(self, long: SealedPart, order: list[int]) -> None:
        """Chunks in another order."""
        links = relink(long.decoded.streams[1].links, order)
        with pytest.raises(IntegrityError):
            read_files(with_stream(long, 1, links=links).open())

    def test_duplication(self, long: SealedPart) -> None:
        """A chunk twice is no root; twice under two names does not decrypt."""
        stream = long.decoded.streams[1]
        with pytest.raises(VaultError):
            with_stream(long, 1, links=relink(stream.links, [0, 1, 1, 3]))
        out: list[bytes] = []

        def twice() -> Iterator[bytes]:
            chunks = [long.blocks[link] for link in stream.links]
            yield from [chunks[0], chunks[1], chunks[1], chunks[3]]

        keys = derive_stream_keys(long.key, 1, stream.header)
        with pytest.raises(IntegrityError):
            out.extend(decrypt_stream(keys, stream.commitment, stream.length, twice()))
        assert len(out) == 2

    @pytest.mark.parametrize("count", [0, 3, 5])
    def test_number_of_blocks(self, long: SealedPart, count: int) -> None:
        """Fewer blocks than stated end in an error, and so do more."""
        stream = long.decoded.streams[1]
        chunks = [long.blocks[link] for link in stream.links] + [b"more"]
        keys = derive_stream_keys(long.key, 1, stream.header)
        with pytest.raises(IntegrityError):
            list(decrypt_stream(keys, stream.commitment, stream.length, chunks[:count]))
        plain = decrypt_stream(keys, stream.commitment, stream.length, chunks[:4])
        assert CONTENT in b"".join(plain)

    def test_extension(self, long: SealedPart) -> None:
        """A chunk added after the last one: the chunk before it was the last, and says so."""
        stream = long.decoded.streams[1]
        chunks = [long.blocks[link] for link in stream.links]
        full = [chunks[1], chunks[1]]  # the last chunk is short; a full one would have to follow
        keys = derive_stream_keys(long.key, 1, stream.header)
        out: list[bytes] = []
        with pytest.raises(IntegrityError):
            out.extend(
                decrypt_stream(keys, stream.commitment, 5 * CHUNK_BYTES, [*chunks[:3], *full])
            )
        assert len(out) == 3
        extra = cid_of_block(Codec.RAW, b"x" * 17)
        links = (*stream.links[:3], extra)
        longer = with_stream(long, 1, links=links, length=3 * CHUNK_BYTES + 17)
        longer.blocks[extra] = b"x" * 17
        assert delivered(longer) == b""

    def test_a_last_chunk_is_only_last(self) -> None:
        """A full chunk that was sealed as the last does not open as one that others follow."""
        keys = derive_stream_keys(PartKey.generate(), 0, bytes(32))
        for length in (PLAIN_BYTES, 2 * PLAIN_BYTES):
            first, *_ = encrypt_stream(keys, length, bytes)
            plain = decrypt_stream(keys, keys.commitment, ciphertext_length(length), [first])
            if length == PLAIN_BYTES:
                assert next(plain) == bytes(PLAIN_BYTES)
            other = 3 * PLAIN_BYTES - length
            with pytest.raises(IntegrityError):
                list(decrypt_stream(keys, keys.commitment, ciphertext_length(other), [first]))

    def test_streams_change_places(self) -> None:
        """One file's stream in another's place: the key of each place is its own."""
        part = seal_part(RECORD, [("a", b"one"), ("b", b"two")])
        record, a, b = part.decoded.streams
        for streams in ([record, b, a], [a, record, b], [record, a, dataclasses.replace(b)][::2]):
            with pytest.raises(IntegrityError):
                read_files(rebuilt(part, list(streams)).open())

    def test_a_file_left_out_at_the_end(self) -> None:
        """Only the root's CID tells how many files there are: the attested CID must be checked."""
        part = seal_part(RECORD, [("a", b"one"), ("b", b"two")])
        shorter = rebuilt(part, list(part.decoded.streams[:2]))
        assert read_files(shorter.open()) == [("a", b"one")]
        assert cid_of_block(Codec.DAG_CBOR, shorter.root) != part.cid

    def test_splices(self) -> None:
        """A chunk, a stream, or a header of another part or another key, in this one."""
        key = PartKey.generate()
        one = seal_part(b"one", key=key)
        two = seal_part(b"two", key=key)
        stranger = seal_part(b"stranger")
        for other in (two, stranger):
            (theirs,) = other.decoded.streams
            blocks = {**one.blocks, **other.blocks}
            spliced = dataclasses.replace(one, blocks=blocks)
            for changes in (
                {"links": theirs.links},
                {"header": theirs.header},
                {"header": theirs.header, "commitment": theirs.commitment},
            ):
                with pytest.raises(IntegrityError):
                    with_stream(spliced, 0, **changes).open()
        # A whole stream of the same key at the same place is a replay: the root's CID differs.
        replay = rebuilt(dataclasses.replace(one, blocks=two.blocks), list(two.decoded.streams))
        assert replay.open().record == b"two"
        assert cid_of_block(Codec.DAG_CBOR, replay.root) != one.cid

    def test_wrong_part_key(self) -> None:
        """Another key opens nothing, and no block is even fetched."""
        part = seal_part(RECORD)
        with pytest.raises(IntegrityError, match="commitment"):
            open_part(PartKey.generate(), part.root, part.get)
        assert part.fetched == []


class TestKeyCommitment:
    def test_a_chunk_of_two_keys(self) -> None:
        """A custodian makes one ciphertext that opens under two part keys, to two texts.

        AES-GCM alone accepts it under both: holders could be shown one document and a release
        give another. The commitment fits one key only.
        """
        header = bytes(range(32))
        part_keys = [PartKey.generate(), PartKey.generate()]
        keys = [derive_stream_keys(part_key, 0, header) for part_key in part_keys]
        nonces = (keys[0].nonce(0, last=True), keys[1].nonce(0, last=True))
        chunk = chunk_for_two_keys(
            (keys[0]._key, keys[1]._key),
            nonces,
            (keys[0].associated, keys[1].associated),
            bytes(4096),
        )
        opened = [k.cipher().decrypt(n, chunk, k.associated) for k, n in zip(keys, nonces)]  # noqa: B905
        assert opened[0] != opened[1]
        for mine, other in (keys, keys[::-1]):
            plain = decrypt_stream(mine, mine.commitment, len(chunk), [chunk])
            assert len(b"".join(plain)) == 4096
            with pytest.raises(IntegrityError, match="commitment"):
                list(decrypt_stream(other, mine.commitment, len(chunk), [chunk]))

    def test_commitments_are_of_their_stream(self) -> None:
        """The commitment differs for every part key, index and header, and is not the key."""
        one, two = PartKey.generate(), PartKey.generate()
        keys = [
            derive_stream_keys(key, index, header)
            for key in (one, two)
            for index in (0, 1)
            for header in (bytes(32), bytes(31) + b"\x01")
        ]
        assert len({k.commitment for k in keys}) == len(keys)
        assert len({k._key for k in keys} | {k.commitment for k in keys}) == 2 * len(keys)


class TestInside:
    """A custodian seals what our own sealer would not: the reader checks the inside as well."""

    @staticmethod
    def sealed(plain: bytes, index: int, part: SealedPart) -> SealedPart:
        """The part with stream `index` replaced by one that says `plain`."""
        header = bytes([index]) * 32
        keys = derive_stream_keys(part.key, index, header)
        (chunk,) = encrypt_stream(keys, len(plain), lambda size: plain[:size])
        cid = cid_of_block(Codec.RAW, chunk)
        stream = StreamEntry(header, keys.commitment, ciphertext_length(len(plain)), (cid,))
        streams = list(part.decoded.streams)
        streams[index] = stream
        forged = rebuilt(part, streams)
        forged.blocks[cid] = chunk
        return forged

    @pytest.mark.parametrize(
        "plain",
        [
            framed(b"r").ljust(4096, b"\x01"),
            framed(b"r").ljust(4095, b"\x00"),
            framed(b"r").ljust(8192, b"\x00"),
            framed(b"r", b"s").ljust(4096, b"\x00"),
            bytes(4096),
            b"\xff" * 4096,
            b"\x00",
        ],
    )
    def test_records(self, plain: bytes) -> None:
        """Padding that is not zeros or not minimal, and other framing, are refused."""
        part = seal_part(b"r")
        good = framed(b"r").ljust(4096, b"\x00")
        assert self.sealed(good, 0, part).open().record == b"r"
        with pytest.raises(IntegrityError):
            self.sealed(plain, 0, part).open()

    @pytest.mark.parametrize(
        "head",
        [
            framed(b"../../etc/passwd", b"a/b", (5).to_bytes(8, "big")),
            framed(b"\xff", b"a/b", (5).to_bytes(8, "big")),
            framed(b"f", b"", (5).to_bytes(8, "big")),
            framed(b"f", b"a/b", (2**40).to_bytes(8, "big")),
            framed(b"f", b"a/b", (5).to_bytes(9, "big")),
            framed(b"f", b"a/b", b"\x05"),
            framed(b"f", b"a/b", (500).to_bytes(8, "big")),
            framed(b"f", b"a/b"),
        ],
    )
    def test_descriptions(self, head: bytes) -> None:
        """A path as a name, other text, lengths that lie: refused before any content."""
        part = seal_part(b"r", [("f", b"12345")])
        good = framed(b"f", b"a/b", (5).to_bytes(8, "big"))
        for description in (good, head):
            plain = (description + b"12345").ljust(padme(len(description) + 5), b"\x00")
            opened = self.sealed(plain, 1, part).open()
            if description == good:
                assert read_files(opened) == [("f", b"12345")]
            else:
                with pytest.raises(IntegrityError):
                    opened.attachment(0)

    def test_padding_of_a_file(self) -> None:
        """Bytes hidden in the padding of a file are refused."""
        part = seal_part(b"r", [("f", bytes(1001))])
        head = framed(b"f", b"a/b", (1001).to_bytes(8, "big"))
        size = padme(len(head) + 1001)
        assert size > len(head) + 1001
        forged = self.sealed((head + bytes(1001)).ljust(size, b"\x01"), 1, part)
        with pytest.raises(IntegrityError, match="padding"):
            read_files(forged.open())


@given(st.lists(st.integers(0, 3), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_chunks(order: list[int]) -> None:
    """Of all sequences of a stream's chunks only the true one is accepted; others give a prefix."""
    keys, total, chunks, plain = _stream()
    out: list[bytes] = []
    try:
        out.extend(decrypt_stream(keys, keys.commitment, total, [chunks[i] for i in order]))
        assert order == [0, 1, 2, 3]
    except IntegrityError:
        assert order != [0, 1, 2, 3]
    else:
        assert b"".join(out) == plain
    assert plain.startswith(b"".join(out))


def _stream(cache: list[Any] = []) -> tuple[Any, int, list[bytes], bytes]:  # noqa: B006 - made once
    if not cache:
        keys = derive_stream_keys(PartKey.generate(), 0, bytes(32))
        plain = bytes(3 * PLAIN_BYTES + 5)
        at = iter(range(0, len(plain), PLAIN_BYTES))

        def read(size: int) -> bytes:
            start = next(at)
            return plain[start : start + size]

        chunks = list(encrypt_stream(keys, len(plain), read))
        cache.append((keys, ciphertext_length(len(plain)), chunks, plain))
    return cache[0]  # type: ignore[no-any-return]


def test_decoding_is_part_of_opening() -> None:
    """`open_part` accepts no root that `decode_root` refuses."""
    part = seal_part(RECORD)
    with pytest.raises(IntegrityError):
        decode_root(part.root + b"\0")
    with pytest.raises(IntegrityError):
        open_part(part.key, part.root + b"\0", part.get)
