"""Puts the vault's process together: stores, application, servicers, and what runs beside them.

The only place that knows every part; each service is one line in `services`. It decides nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from proofs import generators
from vault import pki
from vault.app.answering import Answering
from vault.app.asking import Asking
from vault.app.choosing import Choosing
from vault.app.deciding import Deciding
from vault.app.desk import Desk
from vault.app.documents import Documents
from vault.app.executors import open_executor
from vault.app.ingest import Ingest
from vault.app.manifests import Manifests
from vault.app.release import VaultReleases
from vault.app.sets import Sets
from vault.app.slots import Slots
from vault.app.witnesses import Witnesses
from vault.app.workers import TABLES
from vault.config import BlocksConfig, vault_config
from vault.identity import Identity
from vault.model import ASSET, PERSONAL, Part
from vault.server.documents import DocumentServicer
from vault.server.holder_links import HolderLinks
from vault.server.manifests import ManifestServicer
from vault.server.proofs import ProofServicer
from vault.server.records import RecordServicer
from vault.server.releases import ReleaseServicer
from vault.server.runtime import Runtime, Service
from vault.server.sets import SetServicer
from vault.storage.blocks import BlockStore
from vault.storage.catalog import Catalog
from vault.storage.database import open_database
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.journal import Journal
from vault.storage.key_store import KeyStore
from vault.storage.manifest_store import ManifestStore
from vault.storage.proof_store import ProofStore
from vault.storage.releases import ReleaseStore
from vault.storage.set_store import SetStore
from vault.storage.tables.records import catalog_records
from vault.v1 import (
    document_pb2,
    document_pb2_grpc,
    manifest_pb2,
    manifest_pb2_grpc,
    proof_pb2,
    proof_pb2_grpc,
    record_pb2,
    record_pb2_grpc,
    release_pb2,
    release_pb2_grpc,
    set_pb2,
    set_pb2_grpc,
)

WORKERS: Final = 32
"""Threads for application calls: most wait for a disk or a holder."""
SWEEP_SECONDS: Final = 3600.0
TABLES_AFTER_SECONDS: Final = 5.0
"""Tables of generators are built once the vault has had time to start and to answer."""
TABLE_PAUSE_SECONDS: Final = 0.03
"""Between two tables, of 3 ms each, so that no call waits for more than one."""

log = logging.getLogger(__name__)


async def run_vault(folder: Path, *, ready_file: Path | None = None) -> None:
    """Run the vault of the site in `folder` until SIGTERM."""
    config = vault_config(folder)
    identity = Identity.load(config.identity)
    sites = identity.sites()
    clock = pki.now_utc
    data = config.data
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        database = open_database(data / "catalog.db", "catalog")
        stack.callback(database.close)
        keys = KeyStore.open(data / "keys.db")
        stack.callback(keys.close)
        stores = open_stores(data, config.blocks)
        for store in stores.values():
            stack.callback(store.close)
        links = HolderLinks(identity, sites)
        stack.callback(links.close)
        executor = open_executor(config.proving)
        if executor is not None:
            stack.callback(executor.shutdown, wait=True)
        catalog, journal = Catalog(database), Journal(database, catalog_records)
        ingest = Ingest(
            catalog=catalog,
            journal=journal,
            keys=keys,
            stores=stores,
            holders=links,
            sites=sites,
            key=identity.require_hpke_key(),
            clock=clock,
        )
        releases = VaultReleases(
            sites=sites,
            store=ReleaseStore(database),
            catalog=catalog,
            blocks=stores,
            holders=links,
            clock=clock,
        )
        sets = Sets(SetStore(database), sites, data / "set-cache")
        slots = Slots()
        manifests = Manifests(
            store=ManifestStore(database),
            catalog=catalog,
            journal=journal,
            sites=sites,
            clock=clock,
            slots=slots,
        )
        desk = Desk(
            catalog=catalog,
            store=ProofStore(database),
            sets=sets,
            sites=sites,
            journal=journal,
            open_witnesses=Witnesses(keys).open_all,
            manifests=manifests,
            clock=clock,
            slots=slots,
        )
        answering = Answering(desk, executor)

        def end() -> None:
            """Calls that wait for parts of a proof would hold the end up for as long."""
            answering.stop()
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)

        services = [
            Service(
                DocumentServicer(ingest, Documents(catalog, ingest.running, clock), Choosing(desk)),
                document_pb2.DESCRIPTOR.services_by_name["DocumentService"],
                document_pb2_grpc.add_DocumentServiceServicer_to_server,
            ),
            Service(
                ReleaseServicer(releases),
                release_pb2.DESCRIPTOR.services_by_name["ReleaseService"],
                release_pb2_grpc.add_ReleaseServiceServicer_to_server,
            ),
            Service(
                RecordServicer(journal, identity.principal),
                record_pb2.DESCRIPTOR.services_by_name["RecordService"],
                record_pb2_grpc.add_RecordServiceServicer_to_server,
            ),
            Service(
                ProofServicer(Asking(desk), Deciding(desk), answering),
                proof_pb2.DESCRIPTOR.services_by_name["ProofService"],
                proof_pb2_grpc.add_ProofServiceServicer_to_server,
            ),
            Service(
                SetServicer(sets, clock),
                set_pb2.DESCRIPTOR.services_by_name["SetService"],
                set_pb2_grpc.add_SetServiceServicer_to_server,
            ),
            Service(
                ManifestServicer(manifests),
                manifest_pb2.DESCRIPTOR.services_by_name["ManifestService"],
                manifest_pb2_grpc.add_ManifestServiceServicer_to_server,
            ),
        ]
        runtime = Runtime(identity, sites, services)
        ingest.sweep()
        tables = asyncio.create_task(build_tables())
        try:
            await serve(
                runtime,
                ready_file=ready_file,
                chore=ingest.sweep,
                every=SWEEP_SECONDS,
                at_end=end,
            )
        finally:
            tables.cancel()


async def build_tables() -> None:
    """The tables that workers keep as well, 0.3 s of work.

    Bundles are then proven in half the time. A bundle asked for earlier is made without.
    """
    await asyncio.sleep(TABLES_AFTER_SECONDS)
    for generator in TABLES:
        await asyncio.to_thread(generators.use_tables, [generator])
        await asyncio.sleep(TABLE_PAUSE_SECONDS)


def open_stores(data: Path, blocks: BlocksConfig) -> dict[Part, BlockStore]:
    """The store of each part. Personal blocks go into the onshore store, whatever is set."""
    asset: BlockStore
    if blocks.kubo_api is not None and blocks.kubo_credentials is not None:
        # Its libraries take a third of a second to load, which the embedded store need not pay.
        from vault.storage.kubo import KuboBlockStore

        asset = KuboBlockStore(blocks.kubo_api, blocks.kubo_credentials, data / "kubo-index.db")
    else:
        asset = EmbeddedBlockStore(data / "blocks")
    return {ASSET: asset, PERSONAL: EmbeddedBlockStore(data / "personal")}


async def serve(
    runtime: Runtime,
    *,
    ready_file: Path | None,
    chore: Callable[[], object],
    every: float,
    at_end: Callable[[], object] | None = None,
) -> None:
    """Run a server, and a chore beside it every so often; a chore that fails is tried again.

    `at_end` is called once calls are over or cut off, before what they left running is awaited.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="app") as pool:
        loop.set_default_executor(pool)

        async def repeat() -> None:
            while True:
                await asyncio.sleep(every)
                try:
                    await asyncio.to_thread(chore)
                except Exception as error:
                    # Its text could quote what is stored; the type says enough to look.
                    log.error("the regular clean-up failed: %s", type(error).__name__)

        task = asyncio.create_task(repeat())
        try:
            await runtime.run(ready_file=ready_file)
        finally:
            task.cancel()
            if at_end is not None:
                at_end()
