"""A Kubo store against a daemon that lies, breaks off or refuses, and its credentials file."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fake_kubo import (
    DURABLE,
    FakeKubo,
    fake_kubo,
    in_turn,
    reply,
    reply_cut,
    reply_endless,
    reply_json,
)
from support.stores import raw_block, small_part

from vault.errors import (
    IntegrityError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
)
from vault.files import write_private
from vault.storage.blocks import BlockMissingError
from vault.storage.kubo import KuboBlockStore, KuboSource
from vault.storage.kubo_index import KuboIndex
from vault.storage.kubo_rpc import ATTEMPTS, KuboRpc, read_credentials


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeKubo]:
    """A server that poses as a daemon."""
    with fake_kubo(tmp_path) as server:
        yield server


@pytest.fixture
def store(fake: FakeKubo, tmp_path: Path) -> Iterator[KuboBlockStore]:
    """A store over that server."""
    store = KuboBlockStore(fake.address, fake.credentials, tmp_path / "index.sqlite", timeout=5)
    yield store
    store.close()


class TestReading:
    def test_wrong_bytes(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """Other bytes than the block's are refused, naming CID and node."""
        cid, data = raw_block(100)
        fake.answers["block/get"] = reply(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(IntegrityError, match=rf"{cid}.*{fake.address}"):
            store.get(cid)
        fake.answers["block/get"] = reply(data)
        assert store.get(cid) == data

    def test_half_an_answer(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """An answer that breaks off is no block, whether the library notices or not."""
        cid, data = raw_block(1000)
        fake.answers["block/get"] = reply_cut(data[:500])
        with pytest.raises((IntegrityError, UnavailableError), match=cid.text):
            store.get(cid)

    def test_one_broken_answer(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """After one broken or wrong answer the block is asked for again."""
        cid, data = raw_block(1000)
        for broken in (reply_cut(data[:500]), reply(data[:500]), reply(b"")):
            fake.answers["block/get"] = in_turn(broken, reply(data))
            assert store.get(cid) == data

    def test_endless_answer(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """An answer without an end is cut off, not kept."""
        cid, _ = raw_block(10)
        fake.answers["block/get"] = reply_endless
        with pytest.raises(IntegrityError, match="does not end"):
            store.get(cid)

    def test_error_of_the_daemon(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """The daemon's own words are passed on; "not found" is a missing block."""
        cid, _ = raw_block(10)
        words = "block was not found locally (offline): ipld: could not find " + cid.text
        fake.answers["block/get"] = reply_json({"Message": words, "Code": 0}, 500)
        fake.answers["block/stat"] = fake.answers["block/get"]
        with pytest.raises(BlockMissingError, match=cid.text):
            store.get(cid)
        assert not store.has(cid)
        broken = reply_json({"Message": "disk on fire", "Code": 0}, 500)
        fake.answers.update({"block/get": broken, "block/stat": broken})
        for call in (store.get, store.has):
            with pytest.raises(UnavailableError, match=rf"{cid}.*disk on fire"):
                call(cid)

    def test_not_found_by_the_swarm(self, fake: FakeKubo) -> None:
        """A reader whose peers have not sent a block in time may try again later."""
        cid, _ = raw_block(10)
        words = {"Message": "context deadline exceeded", "Code": 0}
        fake.answers["block/get"] = reply_json(words, 500)
        source = KuboSource(fake.address, fake.credentials, swarm_seconds=2)
        with pytest.raises(UnavailableError, match=cid.text):
            source.get(cid)
        assert fake.asked[-1][1]["timeout"] == ["2s"]
        source.close()

    def test_credentials_are_sent(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """Every request carries the credentials of the file, and no netrc or proxy has a say."""
        cid, data = raw_block(10)
        fake.answers["block/get"] = reply(data)
        store.get(cid)
        assert {authorization for _, _, authorization in fake.asked} == {"Basic dmF1bHQ6c2VjcmV0"}

    def test_no_proxy_of_the_environment(
        self, fake: FakeKubo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy in the environment would see the credentials; it is not used."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        cid, data = raw_block(10)
        fake.answers["block/get"] = reply(data)
        source = KuboSource(fake.address, fake.credentials)
        assert source.get(cid) == data
        source.close()


class TestPutting:
    @pytest.mark.parametrize("answer", [{}, {"Key": ""}, {"Key": "Qm"}, {"Key": None}, []])
    def test_nonsense(self, fake: FakeKubo, store: KuboBlockStore, answer: Any) -> None:
        """An answer without a CID is an error of the node, not a traceback."""
        block = raw_block(10)
        fake.answers["block/put"] = reply_json(answer)
        with pytest.raises((IntegrityError, UnavailableError)):
            store.put_many([block])

    def test_another_cid(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """A node that stores a block under another CID has not stored it."""
        block, other = raw_block(10), raw_block(10)
        fake.answers["block/put"] = reply_json({"Key": other[0].text, "Size": 10})
        with pytest.raises(IntegrityError, match=rf"{block[0]} as {other[0]}"):
            store.put_many([block])

    def test_same_digest_other_codec(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """A root stored as a raw block would not keep its chunks: the whole CID is compared."""
        chunk, root = small_part()
        raw = root[0].binary.replace(b"\x01\x71", b"\x01\x55", 1)
        answers = [chunk[0].text, type(root[0]).from_bytes(raw).text]
        fake.answers["block/put"] = in_turn(*(reply_json({"Key": key}) for key in answers))
        with pytest.raises(IntegrityError, match=root[0].text):
            store.put_many([chunk, root])

    def test_pinned_and_in_order(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """Blocks are put with their codec and a pin, and a root after all its chunks."""
        parts = [small_part() for _ in range(5)]
        known = {cid.text for part in parts for cid, _ in part}
        put: list[str] = []
        codecs: list[str] = []
        lock = threading.Lock()

        def answer(handler: Any) -> None:
            # The fake does not read the multipart body; codec and order tell which block it is.
            options = fake.asked[-1][1]
            with lock:
                codecs.append(options["cid-codec"][0])
                assert (options["pin"], options["mhtype"]) == (["true"], ["sha2-256"])
                cid, _ = parts[len(put) // 2][len(put) % 2]
                put.append(cid.text)
            reply_json({"Key": cid.text})(handler)

        fake.answers["block/put"] = answer
        for part in parts:
            store.put_many(part)
        assert set(put) == known
        assert codecs == ["raw", "dag-cbor"] * 5

    def test_error_of_the_daemon(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """A put that the daemon refuses says so; a sweep finds what was on its way."""
        block = raw_block(10)
        fake.answers["block/put"] = reply_json({"Message": "no space left", "Code": 0}, 500)
        with pytest.raises(UnavailableError, match=rf"{block[0]}.*no space left"):
            store.put_many([block])
        assert list(store.iter_cids()) == [block[0]]

    def test_a_wrong_block_is_not_sent(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """Bytes that are not their CID's are refused before anything leaves."""
        cid, _ = raw_block(10)
        with pytest.raises(IntegrityError, match=cid.text):
            store.put_many([(cid, b"wrong")])
        assert {path for path, _, _ in fake.asked} == {"config/show"}

    @pytest.mark.parametrize(
        "spec",
        [
            {"type": "flatfs", "sync": False},
            {"type": "flatfs"},
            {"type": "mount", "mounts": [{"type": "levelds"}, {"type": "flatfs", "sync": False}]},
            {"type": "measure", "child": {"type": "flatfs", "sync": False}},
        ],
    )
    def test_a_node_that_does_not_sync(
        self, fake: FakeKubo, store: KuboBlockStore, spec: Any
    ) -> None:
        """A node that a power cut could take acknowledged blocks from is refused."""
        fake.answers["config/show"] = reply_json({"Datastore": {"Spec": spec}})
        block = raw_block(10)
        with pytest.raises(InvalidInputError, match="sync to true") as caught:
            store.put_many([block])
        assert caught.value.reason == "KUBO_NOT_DURABLE"
        fake.answers["config/show"] = reply_json(DURABLE)
        fake.answers["block/put"] = reply_json({"Key": block[0].text})
        store.put_many([block])

    def test_its_configuration_cannot_be_read(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """When the configuration is an error or no configuration, nothing is put."""
        for answer in (
            reply_json({"Message": "no", "Code": 0}, 500),
            reply_json({}),
            reply_json({"Datastore": {"Spec": []}}),
            reply(b"{"),
        ):
            fake.answers["config/show"] = answer
            with pytest.raises(UnavailableError):
                store.put_many([raw_block(10)])


class TestDeleting:
    def test_one_that_is_not_pinned(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """When the node refuses a list for one block, the others are deleted one by one."""
        blocks = [raw_block(10) for _ in range(3)]
        store._index.add((cid, 10) for cid, _ in blocks)
        absent = blocks[1][0].text

        def unpin(handler: Any) -> None:
            if absent in fake.asked[-1][1]["arg"]:
                reply_json({"Message": "not pinned or pinned indirectly", "Code": 0}, 500)(handler)
            else:
                reply_json({"Pins": []})(handler)

        fake.answers["pin/rm"] = unpin
        fake.answers["block/rm"] = reply_json({"Hash": "x"})
        store.delete_many(cid for cid, _ in blocks)
        removed = [query["arg"] for path, query, _ in fake.asked if path == "block/rm"]
        assert removed == [[cid.text] for cid, _ in blocks]
        assert list(store.iter_cids()) == []

    def test_errors(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """A block that the node keeps is an error, and stays in the index."""
        cid, _ = raw_block(10)
        store._index.add([(cid, 10)])
        fake.answers["pin/rm"] = reply_json({"Message": "disk on fire", "Code": 0}, 500)
        with pytest.raises(UnavailableError, match="disk on fire"):
            store.delete_many([cid])
        fake.answers["pin/rm"] = reply_json({"Pins": []})
        fake.answers["block/rm"] = reply_json({"Hash": cid.text, "Error": "pinned: recursive"})
        with pytest.raises(UnavailableError, match="pinned: recursive"):
            store.delete_many([cid])
        assert list(store.iter_cids()) == [cid]


class TestConnection:
    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_credentials(self, fake: FakeKubo, store: KuboBlockStore, status: int) -> None:
        """Refused credentials are an error of their own, which says where to look, at once."""
        fake.answers["block/get"] = reply(b"denied", status, "text/plain")
        with pytest.raises(NotAllowedError, match="credentials") as caught:
            store.get(raw_block(10)[0])
        assert caught.value.reason == "KUBO_CREDENTIALS"
        assert "secret" not in str(caught.value)
        assert len(fake.asked) == 1

    def test_another_server(self, fake: FakeKubo, store: KuboBlockStore) -> None:
        """A server without such a path is no daemon."""
        with pytest.raises(UnavailableError, match="status 404"):
            store.get(raw_block(10)[0])

    def test_nobody_there(self, tmp_path: Path) -> None:
        """A closed port is tried a few times, then named."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        credentials = tmp_path / "credentials"
        write_private(credentials, b"vault:secret")
        source = KuboSource(f"/ip4/127.0.0.1/tcp/{port}", credentials)
        cid, _ = raw_block(10)
        with pytest.raises(UnavailableError, match=rf"{cid}.*{port}.*{ATTEMPTS} attempts"):
            source.get(cid)
        source.close()

    def test_silence(self, tmp_path: Path) -> None:
        """A daemon that accepts and says nothing is given up on."""
        credentials = tmp_path / "credentials"
        write_private(credentials, b"vault:secret")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"/ip4/127.0.0.1/tcp/{silent.getsockname()[1]}"
            store = KuboBlockStore(address, credentials, tmp_path / "index.sqlite", timeout=0.1)
            with pytest.raises(UnavailableError, match="TimeoutError"):
                store.has(raw_block(10)[0])
            store.close()

    @pytest.mark.parametrize(
        "address", ["", "nonsense", "/ip4/127.0.0.1", "/ip4/1.2.3.4/udp/5", "http://localhost:5001"]
    )
    def test_addresses(self, fake: FakeKubo, address: str) -> None:
        """Only multiaddresses of an RPC API are taken."""
        with pytest.raises(InvalidInputError):
            KuboRpc(address, fake.credentials)


class TestCredentials:
    def test_form(self, tmp_path: Path) -> None:
        """One line `user:secret`; a secret may hold colons."""
        path = tmp_path / "credentials"
        for text in (b"vault:s", b"vault:s:t\n"):
            write_private(path, text)
            assert read_credentials(path) == ("vault", text.decode().strip()[6:])

    @pytest.mark.parametrize(
        "text", [b"", b"\n", b"vault", b"vault:", b":secret", b"a:b\nc:d\n", b"a:b\n\n", b"\xff:x"]
    )
    def test_other_forms(self, tmp_path: Path, text: bytes) -> None:
        """Anything else is refused."""
        path = tmp_path / "credentials"
        write_private(path, text)
        with pytest.raises(InvalidInputError):
            read_credentials(path)

    def test_readable_by_others(self, fake: FakeKubo) -> None:
        """A file that others can read is refused, saying what to do."""
        fake.credentials.chmod(0o640)
        with pytest.raises(InvalidInputError, match="chmod 600"):
            KuboSource(fake.address, fake.credentials)

    def test_none(self, fake: FakeKubo, tmp_path: Path) -> None:
        """Without credentials there is no store."""
        with pytest.raises(NotFoundError):
            KuboSource(fake.address, tmp_path / "none")


class TestIndex:
    def test_reopened(self, tmp_path: Path) -> None:
        """The index is found again, pages of it as well."""
        blocks = [raw_block(10)[0] for _ in range(2500)]
        index = KuboIndex(tmp_path / "deep" / "index.sqlite")
        index.add((cid, 10) for cid in blocks)
        index.close()
        again = KuboIndex(tmp_path / "deep" / "index.sqlite")
        assert sorted(again.iter_cids(None)) == sorted(blocks)
        assert (again.stat().blocks, again.stat().bytes) == (2500, 25_000)
        again.close()

    def test_broken(self, tmp_path: Path) -> None:
        """A file of something else is our error, and so is a closed index."""
        path = tmp_path / "index.sqlite"
        path.write_bytes(b"something else" * 100)
        with pytest.raises(UnavailableError, match="index"):
            KuboIndex(path)
        index = KuboIndex(tmp_path / "other.sqlite")
        index.close()
        with pytest.raises(UnavailableError, match="index"):
            index.stat()
