"""Parts sealed and opened: sizes, padding, bounds, the root's one encoding."""

from __future__ import annotations

import io
import math
import sys
from typing import Any

import dag_cbor
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multiformats import CID
from support.parts import read_files, seal_part

from vault.crypto.cids import Cid, Codec, cid_of_block
from vault.crypto.content import (
    MAX_ATTACHMENT_BYTES,
    MAX_RECORD_BYTES,
    FileInfo,
    PartSealer,
)
from vault.crypto.keys import PartKey
from vault.crypto.padding import RECORD_UNIT, padded_record_length, padme
from vault.crypto.root import (
    MAX_LINKS,
    MAX_ROOT_BYTES,
    MAX_STREAMS,
    PartRoot,
    StreamEntry,
    cid_of_root,
    decode_root,
    encode_root,
)
from vault.crypto.stream import (
    CHUNK_BYTES,
    PLAIN_BYTES,
    TAG_BYTES,
    chunk_lengths,
    ciphertext_length,
    derive_stream_keys,
    encrypt_stream,
)
from vault.errors import ExhaustedError, IntegrityError, InvalidInputError


def entry(count: int = 1, *, first: int = 0) -> StreamEntry:
    """A stream of `count` chunks that exist nowhere."""
    links = tuple(
        cid_of_block(Codec.RAW, n.to_bytes(4, "big")) for n in range(first, first + count)
    )
    return StreamEntry(bytes(32), bytes(range(32)), (count - 1) * CHUNK_BYTES + 17, links)


def as_dag_cbor(root: PartRoot) -> dict[str, Any]:
    """What another dag-cbor implementation is given to encode."""
    return {
        "format": "crossvault/part/v1",
        "streams": [
            {
                "header": stream.header,
                "commitment": stream.commitment,
                "length": stream.length,
                "links": [CID.decode(link.binary) for link in stream.links],
            }
            for stream in root.streams
        ],
    }


class TestRoundTrip:
    @given(
        st.binary(max_size=5000),
        st.lists(st.tuples(st.sampled_from(["a.pdf", "合同.pdf", "x y"]), st.binary(max_size=300))),
    )
    @settings(max_examples=30, deadline=None)
    def test_small_parts(self, record: bytes, files: list[tuple[str, bytes]]) -> None:
        """Whatever was sealed is what is read."""
        opened = seal_part(record, files).open()
        assert opened.record == record
        assert opened.attachment_count == len(files)
        assert read_files(opened) == files

    @pytest.mark.parametrize("delta", [-1, 0, 1])
    @pytest.mark.parametrize("chunks", [1, 2])
    def test_around_a_chunk_border(self, chunks: int, delta: int) -> None:
        """A file that ends just before, at and after the border of a chunk."""
        content = bytes(range(251)) * (chunks * PLAIN_BYTES // 251 + 2)
        content = content[: chunks * PLAIN_BYTES - 69 + delta]
        part = seal_part(b"", [("f", content)])
        assert read_files(part.open()) == [("f", content)]

    @pytest.mark.parametrize("length", [0, 1, RECORD_UNIT - 17, RECORD_UNIT, MAX_RECORD_BYTES])
    def test_record_sizes(self, length: int) -> None:
        """The empty record, the largest one and those around a padding border."""
        record = b"\x00" * length
        assert seal_part(record).open().record == record

    def test_files_are_read_on_demand(self) -> None:
        """Opening fetches the record only; an attachment, its first block; then one at a time."""
        part = seal_part(b"r", [("a", bytes(3 * PLAIN_BYTES)), ("b", b"b")])
        record, a, b = (stream.links for stream in part.decoded.streams)
        opened = part.open()
        assert part.fetched == [*record]
        pieces = opened.attachment(0).pieces()
        assert part.fetched == [*record, a[0]]
        next(pieces)
        assert part.fetched == [*record, a[0]]
        next(pieces)
        assert part.fetched == [*record, *a[:2]]
        assert b"".join(opened.attachment(1).pieces()) == b"b"
        assert part.fetched == [*record, *a[:2], *b]

    def test_content_is_read_once(self) -> None:
        """A second reading is an error, not an empty file."""
        file = seal_part(b"", [("a", b"a")]).open().attachment(0)
        assert b"".join(file.pieces()) == b"a"
        with pytest.raises(InvalidInputError):
            file.pieces()

    @pytest.mark.parametrize("number", [-1, 1])
    def test_no_such_attachment(self, number: int) -> None:
        """A number outside is refused, -1 as well."""
        with pytest.raises(InvalidInputError):
            seal_part(b"", [("a", b"a")]).open().attachment(number)

    def test_a_second_put_shares_nothing(self) -> None:
        """Two parts of one record, even under one key, have no block, header or root in common."""
        key = PartKey.generate()
        one, two = (seal_part(b"same", [("f", b"same")], key=key) for _ in range(2))
        assert one.blocks.keys().isdisjoint(two.blocks)
        assert one.cid != two.cid
        headers = {s.header for part in (one, two) for s in part.decoded.streams}
        assert len(headers) == 4

    def test_memory_is_bounded(self) -> None:
        """No more is read ahead of the blocks taken than one chunk."""

        class Counting(io.RawIOBase):
            given = 0

            def read(self, size: int = -1, /) -> bytes:
                size = min(size, 8 * PLAIN_BYTES - self.given)
                self.given += size
                return bytes(size)

        reader = Counting()
        sealer = PartSealer(PartKey.generate())
        list(sealer.seal_record(b""))
        info = FileInfo("f", "a/b", 8 * PLAIN_BYTES)
        for taken, (_, block) in enumerate(sealer.seal_attachment(info, reader), start=1):
            assert reader.given <= taken * PLAIN_BYTES
            assert len(block) <= CHUNK_BYTES

    def test_short_reads(self) -> None:
        """A reader that gives a byte at a time gives the same file."""

        class Slow(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return super().read(min(size or 0, 1))

        sealer = PartSealer(PartKey.generate())
        list(sealer.seal_record(b""))
        list(sealer.seal_attachment(FileInfo("f", "a/b", 50), Slow(bytes(50))))
        assert sealer.finish()[0].codec is Codec.DAG_CBOR


class TestPadding:
    @given(st.integers(2, 2**40))
    @settings(max_examples=300, deadline=None)
    def test_padme(self, length: int) -> None:
        """At least the length, at most 12 % more, and few significant bits (PURBs, section 4)."""
        padded = padme(length)
        exponent = math.floor(math.log2(length))
        low_bits = exponent - (math.floor(math.log2(exponent)) + 1)
        assert length <= padded <= length * 1.12
        assert padded % 2**low_bits == 0
        assert padme(padded) == padded

    def test_padme_is_monotone(self) -> None:
        """A longer file is never padded to less."""
        padded = [padme(length) for length in range(2, 5000)]
        assert padded == sorted(padded)
        assert len(set(padded)) < 150

    def test_lengths_do_not_show(self) -> None:
        """Records and files of lengths near one another have parts of one size."""
        sizes = {
            tuple(stream.length for stream in part.decoded.streams)
            for part in (
                seal_part(bytes(n), [(name, bytes(101_000 + n))])
                for n, name in [(0, "a"), (5, "bb"), (900, "a long name.pdf")]
            )
        }
        assert len(sizes) == 1

    def test_record_padding(self) -> None:
        """Records are padded to 4 KiB."""
        assert [padded_record_length(n) for n in (1, 4096, 4097)] == [4096, 4096, 8192]
        assert seal_part(b"").decoded.streams[0].length == 4096 + TAG_BYTES

    @given(st.integers(1, 5 * PLAIN_BYTES))
    @settings(max_examples=50, deadline=None)
    def test_chunk_lengths(self, length: int) -> None:
        """Lengths of chunks add up, and all but the last are full."""
        total = ciphertext_length(length)
        sizes = list(chunk_lengths(total))
        assert sum(sizes) == total == length + TAG_BYTES * len(sizes)
        assert set(sizes[:-1]) <= {CHUNK_BYTES}
        assert TAG_BYTES < sizes[-1] <= CHUNK_BYTES


class TestBounds:
    def test_record_too_long(self) -> None:
        """A record that does not fit one chunk is refused."""
        with pytest.raises(InvalidInputError):
            seal_part(bytes(MAX_RECORD_BYTES + 1))

    @pytest.mark.parametrize("said", [4, 6, 0])
    def test_a_file_of_another_length(self, said: int) -> None:
        """A file that shrank or grew while it was read is not sealed."""
        sealer = PartSealer(PartKey.generate())
        list(sealer.seal_record(b""))
        with pytest.raises(InvalidInputError):
            list(sealer.seal_attachment(FileInfo("f", "a/b", said), io.BytesIO(b"12345")))

    @pytest.mark.parametrize(
        ("name", "media_type", "length"),
        [
            ("", "a/b", 0),
            (".", "a/b", 0),
            ("..", "a/b", 0),
            ("../x", "a/b", 0),
            ("a/b", "a/b", 0),
            ("a\\b", "a/b", 0),
            ("a\0", "a/b", 0),
            ("a\n", "a/b", 0),
            ("invoice\u202egpj.exe", "a/b", 0),
            ("zero\u200bwidth", "a/b", 0),
            ("\ud800", "a/b", 0),
            ("合" * 86, "a/b", 0),
            ("a" * 256, "a/b", 0),
            ("a", "", 0),
            ("a", "text", 0),
            ("a", "text/", 0),
            ("a", "Text/Plain", 0),
            ("a", "text/plain; charset=utf-8", 0),
            ("a", "text/plain\n", 0),
            ("a", "a/b", -1),
            ("a", "a/b", MAX_ATTACHMENT_BYTES + 1),
        ],
    )
    def test_file_descriptions(self, name: str, media_type: str, length: int) -> None:
        """Names that are paths or hide something, other media types, other lengths: refused."""
        assert FileInfo("合" * 85, "application/pdf", MAX_ATTACHMENT_BYTES).length == 2**30
        with pytest.raises(InvalidInputError):
            FileInfo(name, media_type, length)

    def test_order_of_sealing(self) -> None:
        """The record first and once, one stream after the other, the root at the end."""
        sealer = PartSealer(PartKey.generate())
        with pytest.raises(InvalidInputError):
            sealer.seal_attachment(FileInfo("f", "a/b", 0), io.BytesIO())
        with pytest.raises(InvalidInputError):
            sealer.finish()
        unfinished = sealer.seal_record(b"")
        with pytest.raises(InvalidInputError):
            sealer.finish()
        with pytest.raises(InvalidInputError):
            sealer.seal_record(b"")
        list(unfinished)
        with pytest.raises(InvalidInputError):
            sealer.seal_record(b"")
        assert len(decode_root(sealer.finish()[1]).streams) == 1
        blocks = sealer.seal_attachment(
            FileInfo("f", "a/b", PLAIN_BYTES), io.BytesIO(bytes(PLAIN_BYTES))
        )
        next(blocks)
        with pytest.raises(InvalidInputError):
            sealer.finish()
        list(blocks)
        assert len(decode_root(sealer.finish()[1]).streams) == 2

    def test_too_many_streams(self) -> None:
        """One attachment too many is refused before it is read."""
        sealer = PartSealer(PartKey.generate())
        list(sealer.seal_record(b""))
        for _ in range(MAX_STREAMS - 1):
            list(sealer.seal_attachment(FileInfo("f", "a/b", 0), io.BytesIO()))
        with pytest.raises(ExhaustedError):
            sealer.seal_attachment(FileInfo("f", "a/b", 0), io.BytesIO())
        assert len(decode_root(sealer.finish()[1]).streams) == MAX_STREAMS

    def test_too_many_chunks(self) -> None:
        """A part whose chunks would not fit its root is refused before they are read."""
        sealer = PartSealer(PartKey.generate())
        list(sealer.seal_record(b""))
        sealer._streams.append(entry(MAX_LINKS - 2))
        list(sealer.seal_attachment(FileInfo("f", "a/b", 0), io.BytesIO()))
        with pytest.raises(ExhaustedError):
            sealer.seal_attachment(FileInfo("f", "a/b", 0), io.BytesIO())

    @pytest.mark.parametrize("given", [b"", bytes(9), bytes(11)])
    def test_a_source_of_another_length(self, given: bytes) -> None:
        """A source that gives fewer or more bytes than it was asked for is not sealed."""
        keys = derive_stream_keys(PartKey.generate(), 0, bytes(32))
        assert len(next(encrypt_stream(keys, 10, bytes))) == 26
        with pytest.raises(InvalidInputError):
            list(encrypt_stream(keys, 10, lambda _: given))

    @pytest.mark.parametrize("header", [b"", bytes(31), bytes(33)])
    def test_header_length(self, header: bytes) -> None:
        """A header of another length gives no key."""
        with pytest.raises(InvalidInputError):
            derive_stream_keys(PartKey.generate(), 0, header)


OVERFULL = as_dag_cbor(PartRoot((entry(),)))["streams"][0] | {"links": [0] * 16_385}


class TestRoot:
    @pytest.mark.parametrize("counts", [(1,), (1, 3), (23, 24, 25), (255, 256, 257), (1,) * 30])
    def test_encoding_is_dag_cbor(self, counts: tuple[int, ...]) -> None:
        """The bytes are those of another dag-cbor implementation, and read back."""
        root = PartRoot(tuple(entry(n, first=1000 * i) for i, n in enumerate(counts)))
        data = encode_root(root)
        assert data == dag_cbor.encode(as_dag_cbor(root))
        assert decode_root(data) == root
        assert cid_of_root(data).text.startswith("bafyrei")
        assert list(root.links()) == [cid for cid, _ in root.blocks()]
        assert sum(size for _, size in root.blocks()) == sum(s.length for s in root.streams)

    @pytest.mark.parametrize("length", [17, 23, 24, 255, 256, 65535, 65536, CHUNK_BYTES])
    def test_lengths_are_written_shortest(self, length: int) -> None:
        """Every size class of CBOR integers is written as the other implementation writes it."""
        root = PartRoot((StreamEntry(bytes(32), bytes(32), length, entry().links),))
        assert encode_root(root) == dag_cbor.encode(as_dag_cbor(root))
        assert decode_root(encode_root(root)) == root

    def test_largest_root_fits_a_block(self) -> None:
        """All links and all streams a part may have still fit one block."""
        each = MAX_LINKS // MAX_STREAMS
        root = PartRoot(tuple(entry(each, first=each * i) for i in range(MAX_STREAMS)))
        assert len(encode_root(root)) < MAX_ROOT_BYTES
        assert decode_root(encode_root(root)) == root

    @pytest.mark.parametrize(
        "make",
        [
            lambda: PartRoot(()),
            lambda: PartRoot(tuple(entry(first=i) for i in range(MAX_STREAMS + 1))),
            lambda: PartRoot((entry(MAX_LINKS), entry(first=MAX_LINKS))),
            lambda: PartRoot((entry(), entry())),
            lambda: entry(0),
            lambda: entry(MAX_LINKS + 1),
            lambda: StreamEntry(bytes(31), bytes(32), 17, entry().links),
            lambda: StreamEntry(bytes(32), bytes(33), 17, entry().links),
            lambda: StreamEntry(bytes(32), bytes(32), 16, entry().links),
            lambda: StreamEntry(bytes(32), bytes(32), CHUNK_BYTES + 1, entry().links),
            lambda: StreamEntry(bytes(32), bytes(32), CHUNK_BYTES + 16, entry(2).links),
            lambda: StreamEntry(bytes(32), bytes(32), 17, (cid_of_root(b""),)),
        ],
    )
    def test_bounds(self, make: Any) -> None:
        """No streams, too many, a link twice, lengths that do not fit, a root as a chunk."""
        assert len(entry(MAX_LINKS).links) == MAX_LINKS
        with pytest.raises(InvalidInputError):
            make()

    def test_other_shapes_are_refused(self) -> None:
        """Everything that is dag-cbor but not a root."""
        good = as_dag_cbor(PartRoot((entry(),)))
        stream = good["streams"][0]
        wrong: list[Any] = [
            None,
            [],
            5,
            {},
            {**good, "more": 1},
            {"format": good["format"]},
            {**good, "format": "crossvault/part/v2"},
            {**good, "format": b"crossvault/part/v1"},
            {**good, "streams": {}},
            {**good, "streams": 5},
            {**good, "streams": "none"},
            {**good, "streams": []},
            {**good, "streams": [None]},
            {**good, "streams": [{}]},
            {**good, "streams": [{**stream, "name": "secret.pdf"}]},
            {**good, "streams": [{**stream, "length": True}]},
            {**good, "streams": [{**stream, "length": 17.0}]},
            {**good, "streams": [{**stream, "length": -17}]},
            {**good, "streams": [{**stream, "length": 2**64 - 1}]},
            {**good, "streams": [{**stream, "links": {}}]},
            {**good, "streams": [{**stream, "links": 5}]},
            {**good, "streams": [{**stream, "links": ["x"]}]},
            {**good, "streams": [{**stream, "links": [b"x"]}]},
            {**good, "streams": [{**stream, "header": "0" * 32}]},
            {**good, "streams": [{**stream, "commitment": None}]},
            # A byte string where a link belongs: general readers show both alike.
            {**good, "streams": [{**stream, "links": [bytes(stream["links"][0])]}]},
            {**good, "streams": [{**stream, "links": [CID.decode("Qm" + "a" * 44)]}]},
        ]
        assert decode_root(dag_cbor.encode(good)) == PartRoot((entry(),))
        for value in wrong:
            with pytest.raises(IntegrityError):
                decode_root(dag_cbor.encode(value))

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (dag_cbor.encode([0] * (MAX_ROOT_BYTES + 1)), "over 1048576 bytes"),
            (dag_cbor.encode({"format": "crossvault/part/v2", "streams": []}), "format must be"),
            (
                dag_cbor.encode({"format": "crossvault/part/v1", "streams": [0] * 1025}),
                "at most 1024 streams",
            ),
            (
                dag_cbor.encode({"format": "crossvault/part/v1", "streams": [OVERFULL]}),
                "at most 16384 links",
            ),
        ],
        ids=["length", "format", "streams", "links"],
    )
    def test_bounds_come_first(self, data: bytes, reason: str) -> None:
        """Length, format and count are judged before what they would make us read."""
        with pytest.raises(IntegrityError, match=reason):
            decode_root(data)

    def test_second_spellings_are_refused(self) -> None:
        """Long integers, other key orders, long lengths, trailing bytes: one root, one CID."""
        data = encode_root(PartRoot((entry(),)))
        first = b"\x66format\x72crossvault/part/v1"
        second = data.removeprefix(b"\xa2" + first)
        streams = data.index(b"streams") + 7
        spellings = {
            "over-long integer": data.replace(b"\x66length\x11", b"\x66length\x18\x11"),
            "over-long array": data[:streams] + b"\x98\x01" + data[streams + 1 :],
            "indefinite array": data[:streams] + b"\x9f" + data[streams + 1 :] + b"\xff",
            "over-long map": b"\xb8\x02" + data[1:],
            "keys in another order": b"\xa2" + second + first,
            "trailing byte": data + b"\x00",
            "two roots": data + data,
        }
        for name, spelling in spellings.items():
            assert spelling != data, name
            with pytest.raises(IntegrityError):
                decode_root(spelling)

    @given(st.data())
    @settings(max_examples=150, deadline=None)
    def test_changed_roots_are_refused_or_other(self, data: Any) -> None:
        """A changed, cut or extended root is refused, or is another root in its one encoding."""
        good = encode_root(PartRoot((entry(), entry(2, first=7))))
        at = data.draw(st.integers(0, len(good) - 1))
        changed = data.draw(
            st.sampled_from(
                [
                    good[:at],
                    good[:at] + data.draw(st.binary(min_size=1, max_size=3)) + good[at + 1 :],
                    good[:at] + data.draw(st.binary(min_size=1, max_size=9)) + good[at:],
                ]
            )
        )
        try:
            root = decode_root(changed)
        except IntegrityError:
            return
        assert encode_root(root) == changed

    @given(st.binary(max_size=200))
    @settings(max_examples=100, deadline=None)
    def test_any_bytes(self, data: bytes) -> None:
        """Bytes of any kind are refused by our own error."""
        with pytest.raises(IntegrityError):
            decode_root(data)

    @pytest.mark.parametrize(
        "data",
        [
            b"\x81" * 100_000,
            encode_root(PartRoot((entry(),))).partition(b"links")[0] + b"links" + b"\x81" * 100_000,
            b"\x9b" + b"\xff" * 8,
            b"\x5b" + b"\x7f" * 8,
            bytes(MAX_ROOT_BYTES + 1),
        ],
        ids=["deep", "deep links", "long array", "long bytes", "over 1 MiB"],
    )
    def test_hostile_sizes(self, data: bytes) -> None:
        """Deep nesting, claimed lengths and long blocks are refused without being followed.

        Whatever the interpreter's recursion limit: some libraries raise it past what the stack
        holds, and a reader that relies on it then takes the process down.
        """
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(100_000)
        try:
            with pytest.raises(IntegrityError):
                decode_root(data)
        finally:
            sys.setrecursionlimit(limit)

    def test_a_root_names_its_part(self) -> None:
        """The root's CID is that of its bytes; its chunks are all that the part has."""
        part = seal_part(b"r", [("f", bytes(2 * PLAIN_BYTES))])
        assert part.cid == cid_of_root(part.root)
        assert list(part.decoded.links()) == list(part.blocks)
        assert {cid: len(block) for cid, block in part.blocks.items()} == dict(
            part.decoded.blocks()
        )
        assert all(isinstance(cid, Cid) for cid in part.blocks)
