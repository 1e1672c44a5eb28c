"""Blocks in a Kubo node, over its RPC API.

`KuboSource` reads: the release client's own site's node, or the store below. `KuboBlockStore`
keeps: every block is pinned as it is put (garbage collection passes it by), and the CID that the
daemon answers is compared with ours. It writes an index of what it put, so that a sweep touches
nothing else that the node may hold. Every block read is hashed: the client library swallows
errors in the middle of an answer, and the daemon is believed in nothing.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

from vault.crypto.cids import Cid, Codec, check_block
from vault.errors import IntegrityError, InvalidInputError, UnavailableError
from vault.storage.blocks import BlockMissingError, StoreStat
from vault.storage.kubo_index import KuboIndex
from vault.storage.kubo_rpc import DEFAULT_TIMEOUT, DaemonError, KuboConnections, KuboRpc

MAX_BLOCK_BYTES: Final = 2 * 1024 * 1024
"""More than any block here has, and what Kubo itself allows; an endless answer is cut off."""
PARALLEL: Final = 4
"""Puts under way at once. Measured: more do not help on two cores."""
_BATCH_BLOCKS: Final = 256
_BATCH_BYTES: Final = 8 * 1024 * 1024
_DELETE_BLOCKS: Final = 64
_CODEC_NAMES: Final = {Codec.RAW: "raw", Codec.DAG_CBOR: "dag-cbor"}


class KuboSource:
    """Reads blocks from a Kubo node, and through it from the nodes of its swarm."""

    def __init__(
        self,
        address: str,
        credentials: Path,
        *,
        swarm_seconds: float = 30.0,
        timeout: float = DEFAULT_TIMEOUT,
    ):
        """Read from the daemon at `address` (a multiaddress of its RPC API).

        A block that the node does not hold is awaited from its peers for `swarm_seconds`; with
        0 they are not asked. Raises what `KuboRpc` raises.
        """
        self._connections = KuboConnections(address, credentials, timeout=timeout + swarm_seconds)
        self._get_options = (
            {"timeout": f"{swarm_seconds}s"} if swarm_seconds else {"offline": "true"}
        )
        self._swarm_seconds = swarm_seconds

    @property
    def name(self) -> str:
        """What errors call this node."""
        return self._connections.name

    def get(self, cid: Cid) -> bytes:
        """The block's bytes, hashed.

        Raises BlockMissingError when the node does not hold it and asks nobody, UnavailableError
        when it does not answer or no peer sends the block in time, IntegrityError when the bytes
        have another hash twice (once may be a connection that broke).
        """
        what = f"block {cid}"
        with self._connections.borrow() as rpc:
            try:
                data = rpc.call(what, lambda client: self._read(client, cid))
                try:
                    return check_block(cid, data, source=self.name)
                except IntegrityError:
                    data = rpc.call(what, lambda client: self._read(client, cid))
            except DaemonError as error:
                if not self._swarm_seconds and _says_missing(error):
                    raise BlockMissingError(cid, self.name) from error
                raise UnavailableError(f"{what}: {self.name} says: {error}") from error
        return check_block(cid, data, source=self.name)

    def has(self, cid: Cid) -> bool:
        """Whether the node itself holds the block."""
        with self._connections.borrow() as rpc:
            try:
                rpc.call(f"block {cid}", lambda c: c.block.stat(cid.text, opts={"offline": "true"}))
            except DaemonError as error:
                if _says_missing(error):
                    return False
                raise UnavailableError(f"block {cid}: {self.name} says: {error}") from error
        return True

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _read(self, client: Any, cid: Cid) -> bytes:
        pieces: list[bytes] = []
        size = 0
        with client.block.get(cid.text, stream=True, opts=dict(self._get_options)) as answer:
            for piece in answer:
                pieces.append(piece)
                size += len(piece)
                if size > MAX_BLOCK_BYTES:
                    raise IntegrityError(f"block {cid} from {self.name}: it does not end")
        return b"".join(pieces)


class KuboBlockStore(KuboSource):
    """Keeps blocks, pinned, in a Kubo node (`vault.storage.blocks.BlockStore`)."""

    def __init__(
        self, address: str, credentials: Path, index: Path, *, timeout: float = DEFAULT_TIMEOUT
    ):
        """Keep blocks in the daemon at `address`, and what was put in the database `index`.

        Raises what `KuboRpc` raises, UnavailableError when the index cannot be opened.
        """
        super().__init__(address, credentials, swarm_seconds=0, timeout=timeout)
        self._index = KuboIndex(index)
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="kubo-put")
        self._checked = False
        self._check_lock = threading.Lock()

    def put_many(self, blocks: Iterable[tuple[Cid, bytes]]) -> None:
        """Put and pin blocks; see `BlockStore.put_many`.

        Raises InvalidInputError when the node is set not to sync its disk: an acknowledged
        block could be lost in a power cut.
        """
        self._require_durable()
        running: deque[Future[None]] = deque()
        try:
            for batch in _batches(blocks, self.name):
                # Before the first byte leaves: what is put must be found again by a sweep.
                self._index.add((cid, len(data)) for cid, data in batch)
                for cid, data in batch:
                    if cid.codec is Codec.DAG_CBOR:
                        # Pinned with what it links to, which must be there by then.
                        _finish(running, 0)
                    running.append(self._pool.submit(self._put, cid, data))
                    _finish(running, 2 * PARALLEL)
            _finish(running, 0)
        finally:
            # After an error nothing may still be on its way while the caller deletes.
            for future in running:
                future.cancel()
            wait(running)

    def delete_many(self, cids: Iterable[Cid]) -> None:
        """Unpin and remove blocks; those that are not there are passed over."""
        listed = list(cids)
        for start in range(0, len(listed), _DELETE_BLOCKS):
            batch = listed[start : start + _DELETE_BLOCKS]
            with self._connections.borrow() as rpc:
                if not self._delete(rpc, batch):
                    # One that is not pinned makes the node refuse the whole list.
                    for cid in batch:
                        self._delete(rpc, [cid])
            self._index.remove(batch)

    def stat(self) -> StoreStat:
        """Count and size of what was put and not deleted, by the index."""
        return self._index.stat()

    def iter_cids(self, *, stored_before: float | None = None) -> Iterator[Cid]:
        """Everything this store put and did not delete; see `BlockStore.iter_cids`.

        After a crash some of it may never have reached the node.
        """
        return self._index.iter_cids(stored_before)

    def close(self) -> None:
        """Close the connections and the index."""
        self._pool.shutdown()
        super().close()
        self._index.close()

    def _put(self, cid: Cid, data: bytes) -> None:
        options = {"cid-codec": _CODEC_NAMES[cid.codec], "mhtype": "sha2-256", "pin": "true"}

        def put(client: Any) -> str:
            return str(client.block.put(io.BytesIO(data), opts=dict(options))["Key"])

        with self._connections.borrow() as rpc:
            try:
                answered = rpc.call(f"putting block {cid}", put)
            except DaemonError as error:
                raise UnavailableError(f"putting block {cid}: {self.name} says: {error}") from error
        try:
            stored = Cid.parse(answered)
        except InvalidInputError as error:
            raise IntegrityError(f"{self.name} stored block {cid} under no CID") from error
        if stored != cid:
            raise IntegrityError(f"{self.name} stored block {cid} as {stored}")

    def _delete(self, rpc: KuboRpc, cids: list[Cid]) -> bool:
        """Unpin and remove; False when the node says that one of them is not pinned."""
        what = f"deleting block {cids[0]}" + (f" and {len(cids) - 1} more" if cids[1:] else "")
        names = [cid.text for cid in cids]
        pinned = True
        try:
            try:
                rpc.command(what, "/pin/rm", *names)
            except DaemonError as error:
                if not _says_missing(error):
                    raise
                pinned = False
            if pinned or len(cids) == 1:
                for answer in rpc.command(what, "/block/rm", *names, force="true"):
                    if answer.get("Error"):
                        raise DaemonError(str(answer["Error"]))
        except DaemonError as error:
            raise UnavailableError(f"{what}: {self.name} says: {error}") from error
        return pinned

    def _require_durable(self) -> None:
        with self._check_lock:
            if self._checked:
                return
            with self._connections.borrow() as rpc:
                try:
                    unsynced = rpc.call(
                        "reading its configuration",
                        lambda client: _unsynced(
                            client.config.get().as_json()["Datastore"]["Spec"]
                        ),
                    )
                except DaemonError as error:
                    raise UnavailableError(f"{self.name} says: {error}") from error
            if unsynced:
                raise InvalidInputError(
                    f"{self.name} does not sync blocks to its disk; set sync to true for the "
                    "flatfs mount in Datastore.Spec of its configuration and restart it",
                    reason="KUBO_NOT_DURABLE",
                )
            self._checked = True


def _unsynced(spec: Any) -> bool:
    """Whether a datastore, or one that it is made of, is flatfs without sync."""
    if spec.get("type") == "flatfs" and not spec.get("sync"):
        return True
    inner = list(spec.get("mounts", ()))
    if "child" in spec:
        inner.append(spec["child"])
    return any(_unsynced(one) for one in inner)


def _batches(blocks: Iterable[tuple[Cid, bytes]], name: str) -> Iterator[list[tuple[Cid, bytes]]]:
    """Hashed blocks in lists of bounded count and size."""
    batch: list[tuple[Cid, bytes]] = []
    size = 0
    for cid, data in blocks:
        check_block(cid, data, source=f"a put into {name}")
        batch.append((cid, data))
        size += len(data)
        if len(batch) >= _BATCH_BLOCKS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _finish(running: deque[Future[None]], most: int) -> None:
    """Wait for the oldest puts until at most `most` are under way; raises what one raised."""
    while len(running) > most:
        running.popleft().result()


def _says_missing(error: DaemonError) -> bool:
    text = str(error)
    return any(words in text for words in ("could not find", "not found", "not pinned"))
