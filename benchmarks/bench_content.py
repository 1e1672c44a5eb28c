"""Sealing and storing: our own path beside the bare operations that it is made of.

Run as `python -m benchmarks.bench_content` (`--kubo` adds a real daemon, `--store DIR` chooses the
disk); `measure` is what `make bench` collects. Every figure is a median of runs that alternate
with the bare operation, so that their ratio holds on a machine whose speed changes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks import show
from vault.cli.kubo_daemons import find_ipfs, private_swarm
from vault.crypto import keys
from vault.crypto.cids import Cid, Codec, cid_of_block
from vault.crypto.content import FileInfo, PartSealer, open_part
from vault.crypto.keys import HpkeKey, PartKey, SideKey
from vault.crypto.shares import combine_checked, share_digest, split
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.kubo import KuboBlockStore, KuboSource
from vault.storage.readahead import ReadAhead

MIB = 1024 * 1024
FILE_BYTES = 32 * MIB
LARGE_BLOCKS = 32
SMALL_BLOCKS = 256
SMALL_BYTES = 4112
DOCUMENT = "0" * 32
HOLDER = "spiffe://bench.example/cn/holder/one"
Block = tuple[Cid, bytes]


@dataclass(frozen=True, slots=True)
class Line:
    """One operation: median seconds, bytes or items moved, and the bare operation beside it."""

    name: str
    seconds: float
    amount: int
    unit: str
    """`B`: shown as MB/s; else the name of one item, shown as time per item."""
    beside: str
    ratio: float | None
    """Our time by the bare operation's time, median of the runs."""

    @property
    def figure(self) -> str:
        """The figure as it is shown."""
        if self.unit == "B":
            return f"{self.amount / self.seconds / 1e6:,.0f} MB/s"
        return f"{self.seconds / self.amount * 1e3:.3f} ms/{self.unit}"


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(
    name: str,
    ours: Callable[[], object],
    amount: int,
    unit: str,
    *,
    bare: tuple[str, Callable[[], object], int] | None = None,
    runs: int = 3,
) -> Line:
    """Run `ours` and `bare` in turn; `bare` is (name, action, its amount)."""
    ours_times, ratios = [], []
    for _ in range(runs):
        spent = _timed(ours)
        ours_times.append(spent / amount)
        if bare is not None:
            ratios.append(spent / amount / (_timed(bare[1]) / bare[2]))
    return Line(
        name,
        statistics.median(ours_times) * amount,
        amount,
        unit,
        bare[0] if bare else "",
        statistics.median(ratios) if ratios else None,
    )


def _blocks(count: int, size: int) -> list[Block]:
    return [(cid_of_block(Codec.RAW, data), data) for data in map(os.urandom, [size] * count)]


def measure_streams() -> list[Line]:
    """AES-GCM and SHA-256 alone, and a file through the sealer and back."""
    chunk = os.urandom(MIB)
    cipher, nonce = AESGCM(os.urandom(32)), bytes(12)
    content = os.urandom(FILE_BYTES)
    info = FileInfo("f", "application/octet-stream", FILE_BYTES)
    key = PartKey.generate()

    def both() -> None:
        for at in range(0, FILE_BYTES, MIB):
            hashlib.sha256(cipher.encrypt(nonce, content[at : at + MIB], None)).digest()

    def seal() -> tuple[bytes, dict[Cid, bytes]]:
        sealer = PartSealer(key)
        blocks = dict(sealer.seal_record(b"{}"))
        blocks.update(sealer.seal_attachment(info, io.BytesIO(content)))
        return sealer.finish()[1], blocks

    root, blocks = seal()

    def read() -> int:
        file = open_part(key, root, blocks.__getitem__).attachment(0)
        return sum(len(piece) for piece in file.pieces())

    bare_blocks = [cipher.encrypt(nonce, data[:-16], None) for data in blocks.values()]

    def decrypt_bare() -> None:
        for block in bare_blocks:
            cipher.decrypt(nonce, block, None)

    bare = ("AES-GCM and SHA-256 of as much", both, FILE_BYTES)
    return [
        compare("AES-256-GCM, 1 MiB", lambda: cipher.encrypt(nonce, chunk, None), MIB, "B"),
        compare("SHA-256, 1 MiB", lambda: hashlib.sha256(chunk).digest(), MIB, "B"),
        compare("seal a 32 MiB attachment", seal, FILE_BYTES, "B", bare=bare),
        compare(
            "open it (blocks in memory)",
            read,
            FILE_BYTES,
            "B",
            bare=("AES-GCM of as much", decrypt_bare, FILE_BYTES),
        ),
    ]


def measure_keys() -> list[Line]:
    """HPKE alone and ours, sharing, and the sealing of a small document's part."""
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    key, share, count = HpkeKey.generate(), os.urandom(32), 50
    info = keys.store_info(DOCUMENT, 1, "asset", "cn", 1, HOLDER, 0, bytes(32), bytes(32))
    sealed = keys.seal(key.public, share, info)
    side = SideKey.generate()
    shares = split(side, 2, 3)
    digests = {s.index: share_digest(DOCUMENT, 1, "asset", "cn", s.index, 0, s) for s in shares}
    secret = keys.secret_digest(DOCUMENT, 1, "asset", "cn", side)

    def many(action: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                action()

        return run

    def seal_part() -> None:
        sealer = PartSealer(PartKey.generate())
        list(sealer.seal_record(share * 20))
        sealer.finish()

    def combine() -> None:
        combine_checked(
            shares[:2],
            threshold=2,
            share_digests=digests,
            expected_secret=secret,
            document=DOCUMENT,
            version=1,
            part="asset",
            side="cn",
            epoch=0,
        )

    public, private = key.public._key, key._key
    return [
        compare(
            "seal a share, with its info",
            many(
                lambda: keys.seal(
                    key.public,
                    share,
                    keys.store_info(DOCUMENT, 1, "asset", "cn", 1, HOLDER, 0, bytes(32), bytes(32)),
                )
            ),
            count,
            "share",
            bare=("HPKE encrypt", many(lambda: suite.encrypt(share, public, info)), count),
        ),
        compare(
            "open a share",
            many(lambda: keys.open(key, sealed, info)),
            count,
            "share",
            bare=("HPKE decrypt", many(lambda: suite.decrypt(sealed, private, info)), count),
        ),
        compare("rebuild a key from its seed", many(HpkeKey.generate), count, "key"),
        compare("split a key, 2 of 3", many(lambda: split(side, 2, 3)), count, "key"),
        compare("combine and check, 2 of 3", many(combine), count, "key"),
        compare("seal a part of a small document", many(seal_part), count, "part"),
    ]


def measure_store(directory: Path) -> list[Line]:
    """The embedded store beside bare writes and syncs on the same disk."""
    store = EmbeddedBlockStore(directory / "blocks")
    large, small = _blocks(LARGE_BLOCKS, MIB), _blocks(SMALL_BLOCKS, SMALL_BYTES)
    batches = iter([_blocks(SMALL_BLOCKS, SMALL_BYTES) for _ in range(3)])
    longer = iter([_blocks(LARGE_BLOCKS, MIB) for _ in range(3)])
    singles = iter(_blocks(200, SMALL_BYTES))
    store.put_many([*large, *small])

    def write_files() -> None:
        for _, data in large:
            _write_synced(directory / secrets.token_hex(8), data)

    def write_one() -> None:
        _write_synced(directory / secrets.token_hex(8), small[0][1])

    def put_singles() -> None:
        for _ in range(20):
            store.put_many([next(singles)])

    amount = LARGE_BLOCKS * MIB
    synced = ("a 4 KiB file, synced", write_one, 1)
    lines = [
        compare(
            "put blocks of 1 MiB",
            lambda: store.put_many(next(longer)),
            amount,
            "B",
            bare=("files of 1 MiB, each synced", write_files, amount),
        ),
        compare("get blocks of 1 MiB", lambda: [store.get(c) for c, _ in large], amount, "B"),
        compare(
            "put 256 small blocks at once",
            lambda: store.put_many(next(batches)),
            SMALL_BLOCKS,
            "block",
            bare=synced,
        ),
        compare("put small blocks singly", put_singles, 20, "block", bare=synced),
        compare(
            "get small blocks", lambda: [store.get(c) for c, _ in small], SMALL_BLOCKS, "block"
        ),
    ]
    store.close()
    return lines


def measure_kubo(directory: Path, binary: Path) -> list[Line]:
    """A real pair of daemons: put on one, read there and through the other."""
    with private_swarm(binary, directory / "kubo", "cn", "hk") as (cn, hk):
        store = KuboBlockStore(cn.address, cn.credentials, directory / "index.sqlite")
        far = KuboSource(hk.address, hk.credentials)
        small, large = _blocks(SMALL_BLOCKS, SMALL_BYTES), _blocks(LARGE_BLOCKS, MIB)
        cids = [cid for cid, _ in large]
        amount = LARGE_BLOCKS * MIB

        def read_far() -> None:
            with ReadAhead(far, cids) as ahead:
                for cid in cids:
                    ahead.get(cid)

        lines = [
            compare(
                "Kubo: put 256 small blocks at once",
                lambda: store.put_many(small),
                SMALL_BLOCKS,
                "block",
                runs=1,
            ),
            compare(
                "Kubo: put blocks of 1 MiB", lambda: store.put_many(large), amount, "B", runs=1
            ),
            compare(
                "Kubo: get them", lambda: [store.get(cid) for cid in cids], amount, "B", runs=3
            ),
            compare("Kubo: get them from the other node", read_far, amount, "B", runs=1),
        ]
        far.close()
        store.close()
    return lines


def measure(directory: Path) -> list[Line]:
    """What `make bench` prints; blocks are stored in `directory`."""
    return [*measure_streams(), *measure_keys(), *measure_store(directory)]


def print_lines(lines: list[Line], *, title: str) -> None:
    """Print the table to standard output."""
    table = show.plain_table(title, "", "figure")
    table.add_column("x", justify="right", no_wrap=True)
    table.add_column("x: time by that of")
    for line in lines:
        ratio = "–" if line.ratio is None else f"{line.ratio:.2f}"
        table.add_row(line.name, line.figure, ratio, line.beside)
    show.console().print(table)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubo", action="store_true", help="a pair of real daemons too")
    parser.add_argument("--store", type=Path, help="a directory on the disk to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.store) as name:
        lines = measure(Path(name))
        if arguments.kubo:
            binary = find_ipfs()
            if binary is None:
                sys.exit("no ipfs binary: run `make kubo`")
            lines += measure_kubo(Path(name), binary)
    print_lines(lines, title="Sealing and storing")


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    main()
