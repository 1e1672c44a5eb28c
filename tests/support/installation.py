"""Both sides as they stand on a disk, opened by today's code in this process, at a time of choice.

What the processes open at their start is opened here in the same way, the migration of databases
included; only the wires are left out (`support.release_world`, `support.wire`). So a folder that
an earlier version left can be taken up years after its certificates have ended.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from support.release_world import Clock, LocalHolder, LocalHolders, World
from support.sites import TwoSites
from support.wire import Wire
from vault.app.answering import Answering
from vault.app.asking import Asking
from vault.app.choosing import Choosing
from vault.app.deciding import Deciding
from vault.app.deposits import DepositBox, HolderKeys
from vault.app.desk import Desk
from vault.app.documents import Documents
from vault.app.holder_release import HolderReleases
from vault.app.ingest import Ingest
from vault.app.manifests import Manifests
from vault.app.release import VaultReleases
from vault.app.sets import Sets
from vault.app.witnesses import Witnesses
from vault.client.session import Session
from vault.config import holder_config, vault_config
from vault.enrol import SiteFolder
from vault.identity import Identity
from vault.server.documents import DocumentServicer
from vault.server.manifests import ManifestServicer
from vault.server.proofs import ProofServicer
from vault.server.sets import SetServicer
from vault.server.tls import Caller
from vault.server.wiring_vault import open_stores
from vault.storage.catalog import Catalog
from vault.storage.database import open_database
from vault.storage.holder_releases import HolderReleaseStore
from vault.storage.holder_store import HolderStore
from vault.storage.journal import Journal
from vault.storage.key_store import KeyStore
from vault.storage.manifest_store import ManifestStore
from vault.storage.proof_store import ProofStore
from vault.storage.releases import ReleaseStore
from vault.storage.set_store import SetStore
from vault.storage.tables.records import catalog_records

SIDES = {"cn": "mainland", "hk": "hongkong"}


@dataclass
class Installation:
    """`world` has the holders, releases and stores; `session` reaches the vault's services."""

    world: World
    services: dict[str, object]

    def session(self, identity: Identity) -> Session:
        """A client's session with the vault, as commands use one."""
        caller = Caller(self.world.sites.vault.sites().principal(identity.principal))
        return Session(identity, identity.sites(), Wire(self.services, caller))  # type: ignore[arg-type]


def unpack(source: Path, target: Path) -> None:
    """Copy an installation that was checked in: readable to nobody else, and whole again.

    Every identity pins both sides' site files; of those that are its own side's, only one copy is
    checked in.
    """
    shutil.copytree(source, target)
    for side in SIDES.values():
        for pins in (target / side / "identities").glob("*/*/sites/pins.toml"):
            for file in (target / side / "sites").glob("*.json"):
                if not (pins.parent / file.name).exists():
                    shutil.copy(file, pins.parent)
    for path in (target, *target.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


@contextmanager
def opened_installation(folder: Path, now: datetime) -> Iterator[Installation]:
    """Open the sites `mainland` and `hongkong` of a folder, with a clock that says `now`."""
    sites = TwoSites(*(SiteFolder(folder / name) for name in SIDES.values()))
    clock = Clock()
    clock.now = now
    config = vault_config(sites.cn.folder)
    database = open_database(config.data / "catalog.db", "catalog")
    catalog, journal = Catalog(database), Journal(database, catalog_records)
    keys = KeyStore.open(config.data / "keys.db")
    stores = open_stores(config.data, config.blocks)
    holders = [_holder(sites, each, clock) for side in SIDES for each in sites.holders(side)]
    links, pinned, vault = LocalHolders(holders), sites.vault.sites(), sites.vault
    ingest = Ingest(
        catalog=catalog,
        journal=journal,
        keys=keys,
        stores=stores,
        holders=links,
        sites=pinned,
        key=vault.require_hpke_key(),
        clock=clock,
    )
    store = ReleaseStore(database)
    releases = VaultReleases(
        sites=pinned, store=store, catalog=catalog, blocks=stores, holders=links, clock=clock
    )
    sets = Sets(SetStore(database), pinned, config.data / "set-cache")
    manifests = Manifests(
        store=ManifestStore(database), catalog=catalog, journal=journal, sites=pinned, clock=clock
    )
    desk = Desk(
        catalog=catalog,
        store=ProofStore(database),
        sets=sets,
        sites=pinned,
        journal=journal,
        open_witnesses=Witnesses(keys).open_all,
        manifests=manifests,
        clock=clock,
    )
    documents = Documents(catalog, ingest.running, clock)
    world = World(sites, clock, holders, catalog, store, ingest, releases, stores)
    try:
        yield Installation(
            world,
            {
                "vault.v1.DocumentService": DocumentServicer(ingest, documents, Choosing(desk)),
                "vault.v1.ProofService": ProofServicer(
                    Asking(desk), Deciding(desk), Answering(desk)
                ),
                "vault.v1.SetService": SetServicer(sets, clock),
                "vault.v1.ManifestService": ManifestServicer(manifests),
            },
        )
    finally:
        world.close()
        keys.close()


def _holder(sites: TwoSites, identity: Identity, clock: Clock) -> LocalHolder:
    me = identity.principal
    config = holder_config(sites.side(me.jurisdiction).folder, me.name)
    database = open_database(config.data / "shares.db", "holder")
    shares = HolderStore(database, KeyStore.open(config.data / "keys.db"))
    store = HolderReleaseStore(database)
    pinned = identity.sites()
    keys = HolderKeys(me, identity.require_hpke_key(), identity.signing_key)
    return LocalHolder(
        identity=identity,
        folder=config.data,
        box=DepositBox(shares, keys, pinned, clock),
        releases=HolderReleases(holder=me, sites=pinned, store=store, deposits=shares, clock=clock),
        store=store,
    )
