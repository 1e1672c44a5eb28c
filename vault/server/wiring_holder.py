"""Puts a key holder's process together. The only place that knows every part of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from vault import pki
from vault.app.deposits import DepositBox, HolderKeys
from vault.app.holder_release import HolderReleases
from vault.client.channel import connect, reporting
from vault.config import holder_config
from vault.identity import Identity
from vault.server.holder import HolderServicer
from vault.server.records import RecordServicer
from vault.server.runtime import Runtime, Service
from vault.server.wiring_vault import serve
from vault.storage.database import open_database
from vault.storage.holder_releases import HolderReleaseStore
from vault.storage.holder_store import HolderStore
from vault.storage.journal import Journal
from vault.storage.key_store import KeyStore
from vault.storage.tables.records import holder_records
from vault.v1 import (
    document_pb2,
    document_pb2_grpc,
    holder_pb2,
    holder_pb2_grpc,
    record_pb2,
    record_pb2_grpc,
)

SWEEP_SECONDS: Final = 3600.0
_DOCUMENTS: Final = document_pb2.DESCRIPTOR.services_by_name["DocumentService"]


async def run_holder(folder: Path, name: str, *, ready_file: Path | None = None) -> None:
    """Run the holder `name` of the site in `folder` until SIGTERM."""
    config = holder_config(folder, name)
    identity = Identity.load(config.identity)
    sites = identity.sites()
    clock = pki.now_utc
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        database = open_database(config.data / "shares.db", "holder")
        keys = KeyStore.open(config.data / "keys.db")
        store = HolderStore(database, keys)
        stack.callback(store.close)
        me = HolderKeys(identity.principal, identity.require_hpke_key(), identity.signing_key)
        deposits = DepositBox(store, me, sites, clock)
        releases = HolderReleases(
            holder=identity.principal,
            sites=sites,
            store=HolderReleaseStore(database),
            deposits=store,
            clock=clock,
        )
        services = [
            Service(
                HolderServicer(deposits, releases, config.vault),
                holder_pb2.DESCRIPTOR.services_by_name["HolderService"],
                holder_pb2_grpc.add_HolderServiceServicer_to_server,
            ),
            Service(
                RecordServicer(Journal(database, holder_records), identity.principal),
                record_pb2.DESCRIPTOR.services_by_name["RecordService"],
                record_pb2_grpc.add_RecordServiceServicer_to_server,
            ),
        ]
        runtime = Runtime(identity, sites, services)

        def committed(digests: Sequence[str]) -> set[str]:
            record = sites.principal(config.vault)
            request = document_pb2.CheckCommittedRequest(
                attestation_digests=map(bytes.fromhex, digests)
            )
            with (
                connect(identity.renewed(), sites, config.vault, services=[_DOCUMENTS]) as channel,
                reporting(record),
            ):
                answer = document_pb2_grpc.DocumentServiceStub(channel).CheckCommitted(request)
            return {digest.hex() for digest in answer.committed}

        await serve(
            runtime,
            ready_file=ready_file,
            chore=lambda: deposits.sweep(committed),
            every=SWEEP_SECONDS,
        )
