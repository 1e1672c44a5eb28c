"""Blocks of a released part, read through the vault in the order in which they are needed.

One stream delivers many blocks at the pace at which they are taken, so little of a large part is
in memory at a time. Every block is hashed: the vault is believed in none of them. A stream that
broke is opened again where it stood, a few times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import grpc

from vault.client.channel import translate
from vault.crypto.cids import Cid, check_block
from vault.errors import IntegrityError, NotFoundError, UnavailableError
from vault.sites import PrincipalRecord
from vault.v1 import release_pb2, release_pb2_grpc

PER_STREAM: Final = 1024
"""Blocks asked for at once: what the service allows."""
ATTEMPTS: Final = 4


class VaultBlocks:
    """A `vault.storage.blocks.BlockSource` for one release. For one thread at a time."""

    def __init__(
        self,
        stub: release_pb2_grpc.ReleaseServiceStub,
        target: PrincipalRecord,
        release: str,
    ) -> None:
        self._stub = stub
        self._target = target
        self._release = release
        self._order: Sequence[Cid] = ()
        self._places: dict[Cid, int] = {}
        self._call: Any = None
        self._coming: Iterator[Cid] = iter(())

    @property
    def name(self) -> str:
        """What errors call this source."""
        return f"the vault {self._target.principal.name}"

    def expect(self, order: Sequence[Cid]) -> None:
        """Say in which order blocks will be asked for; others still can be, one by one."""
        self.close()
        self._order = order
        self._places = {cid: place for place, cid in enumerate(order)}

    def get(self, cid: Cid) -> bytes:
        """The block, hashed.

        Raises NotFoundError, NotAllowedError, UnavailableError as the vault answers, and
        IntegrityError for another block or other bytes than were asked for.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._next(cid)
            except UnavailableError:
                self.close()
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """End the stream under way."""
        if self._call is not None:
            self._call.cancel()
        self._call, self._coming = None, iter(())

    def _next(self, cid: Cid) -> bytes:
        if self._call is None or next(self._coming, None) != cid:
            self._open(cid)
            next(self._coming)
        try:
            response = next(self._call)
        except StopIteration:
            raise NotFoundError(f"{cid} did not come from {self.name}", field="cid") from None
        except grpc.RpcError as error:
            raise translate(error, self._target) from None
        if response.block.cid != cid.binary:
            raise IntegrityError(f"{self.name} sent another block than {cid}")
        return check_block(cid, response.block.data, source=self.name)

    def _open(self, cid: Cid) -> None:
        self.close()
        place = self._places.get(cid)
        wanted = [cid] if place is None else list(self._order[place : place + PER_STREAM])
        self._coming = iter(wanted)
        self._call = self._stub.ReadBlocks(
            release_pb2.ReadBlocksRequest(
                release=self._release, cids=[each.binary for each in wanted]
            )
        )
