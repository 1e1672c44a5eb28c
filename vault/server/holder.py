"""HolderService: deposits from the one vault, and what `HolderReleaseMethods` adds."""

from __future__ import annotations

import asyncio
from typing import Any

from grpc import aio

from proofs.principal import Principal
from vault.app.deposits import DepositBox
from vault.app.holder_release import HolderReleases
from vault.client.document_messages import deposit_from_message
from vault.server.holder_releases import HolderReleaseMethods
from vault.server.roles import serves
from vault.v1 import holder_pb2, holder_pb2_grpc

Context = aio.ServicerContext[Any, Any]


class HolderServicer(HolderReleaseMethods, holder_pb2_grpc.HolderServiceServicer):
    """One key holder, for the vault that its configuration names."""

    def __init__(self, deposits: DepositBox, releases: HolderReleases, vault: Principal) -> None:
        self._deposits = deposits
        self.releases = releases
        self.vault = vault

    @serves(("cn", "vault"))
    async def DepositShares(
        self, request: holder_pb2.DepositSharesRequest, context: Context
    ) -> holder_pb2.DepositSharesResponse:
        """See the proto."""
        self._require_own_vault()
        deposits = [deposit_from_message(each) for each in request.deposits]
        receipts = await asyncio.to_thread(self._deposits.deposit, deposits)
        return holder_pb2.DepositSharesResponse(receipts=receipts)
