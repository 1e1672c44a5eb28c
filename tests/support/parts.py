"""Sealed parts for tests: real encryption, blocks in a dictionary."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from vault.crypto.cids import Cid
from vault.crypto.content import FileInfo, OpenedPart, PartSealer, open_part
from vault.crypto.keys import PartKey
from vault.crypto.root import PartRoot, decode_root


@dataclass
class SealedPart:
    """A part as the stores have it, and its key."""

    key: PartKey
    cid: Cid
    root: bytes
    blocks: dict[Cid, bytes]
    fetched: list[Cid] = field(default_factory=list)

    @property
    def decoded(self) -> PartRoot:
        """The root, read."""
        return decode_root(self.root)

    def get(self, cid: Cid) -> bytes:
        """A block; notes what was asked for."""
        self.fetched.append(cid)
        return self.blocks[cid]

    def open(self) -> OpenedPart:
        """The part under its key."""
        return open_part(self.key, self.root, self.get)


def seal_part(
    record: bytes, files: Iterable[tuple[str, bytes]] = (), *, key: PartKey | None = None
) -> SealedPart:
    """Seal a record and named files under a fresh key."""
    key = key or PartKey.generate()
    sealer = PartSealer(key)
    blocks = dict(sealer.seal_record(record))
    for name, content in files:
        info = FileInfo(name, "application/octet-stream", len(content))
        blocks.update(sealer.seal_attachment(info, io.BytesIO(content)))
    cid, root = sealer.finish()
    return SealedPart(key, cid, root, blocks)


def read_files(part: OpenedPart) -> list[tuple[str, bytes]]:
    """Names and contents of all attachments."""
    return [(file.info.name, b"".join(file.pieces())) for file in part.attachments()]
