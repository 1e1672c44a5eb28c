"""Processes killed with SIGKILL in the middle of puts: nothing is lost, and nothing is twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

from support.cluster import VAULT, Cluster
from support.documents import PLANT, plant
from support.sites import TwoSites, make_two_sites

from vault.client import documents
from vault.client.put import SERVICE, PutClient, StoredDocument
from vault.client.session import at_vault
from vault.crypto.cids import Cid
from vault.crypto.root import decode_root
from vault.errors import ConflictError, UnavailableError
from vault.model import ASSET, PARTS
from vault.storage.blocks import BlockStore
from vault.storage.catalog import Catalog
from vault.storage.database import open_database
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.holder_store import HolderStore
from vault.storage.key_store import KeyStore

BATCHES = 12
BATCH = 4


class Custodian(threading.Thread):
    """Puts batches one after the other until each is stored, whatever happens in between."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.stored: list[StoredDocument] = []
        self.failures = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            for number in range(BATCHES):
                self._put_until_stored([f"cn-kill-{number}-{i}" for i in range(BATCH)])
        except Exception as error:
            self.error = error

    def _put_until_stored(self, assets: list[str]) -> None:
        while True:
            try:
                with at_vault(self.folder, SERVICE) as session:
                    client = PutClient(session)
                    found = client.settle()
                    if not found:
                        found = client.start([plant(asset) for asset in assets]).result()
                    assert [each.asset for each in found] == assets
                    self.stored.extend(found)
                    return
            except (UnavailableError, ConflictError):
                self.failures += 1
                time.sleep(0.2)


def test_nothing_is_lost_or_twice_when_processes_are_killed(tmp_path: Path) -> None:
    """The vault and holders are killed again and again while a custodian puts."""
    sites = make_two_sites(tmp_path)
    bank = sites.folder("cn", "custodian", "bank")
    choose = random.Random(7)
    with Cluster(sites) as cluster:
        cluster.start()
        with at_vault(bank, SERVICE) as session:
            documents.add_schema(session.channel, PLANT.encode())
        custodian = Custodian(bank)
        custodian.start()
        for victim in (VAULT, "cn/h1", VAULT, "hk/h3", VAULT):
            time.sleep(0.5 + choose.random())
            cluster.kill(victim)
            cluster.start([victim])
        custodian.join(180)
        assert not custodian.is_alive()
        assert custodian.error is None
        with at_vault(bank, SERVICE) as session:
            listed = list(documents.list_documents(session.channel, session.identity))
    expected = [f"cn-kill-{n}-{i}" for n in range(BATCHES) for i in range(BATCH)]
    assert Counter(each.attestation.asset for each in listed) == Counter(expected)
    assert {each.document for each in custodian.stored} == {
        each.attestation.document for each in listed
    }
    check_whole(sites, [each.attestation.digest for each in listed])


def check_whole(sites: TwoSites, digests: list[str]) -> None:
    """Every block of every document, and every share at every holder, is on the disk."""
    data = sites.cn.folder / "vault"
    catalog = Catalog(open_database(data / "catalog.db", "catalog"))
    keys = KeyStore.open(data / "keys.db")
    stores: dict[str, BlockStore] = {
        part: EmbeddedBlockStore(data / ("blocks" if part == ASSET else "personal"))
        for part in PARTS
    }
    for digest in digests:
        stored = catalog.find_attested(digest)
        assert stored is not None
        keys.get(digest)
        for part in PARTS:
            root = stored.root(part)
            assert root is not None
            linked = decode_root(stores[part].get(Cid(root))).blocks()
            assert all(len(stores[part].get(cid)) == length for cid, length in linked)
    for side in ("cn", "hk"):
        for identity in sites.holders(side):
            folder = sites.side(side).folder / "holders" / identity.principal.name
            store = HolderStore(
                open_database(folder / "shares.db", "holder"), KeyStore.open(folder / "keys.db")
            )
            for digest in digests:
                deposit = store.find(digest)
                assert deposit is not None
                store.share(deposit, ASSET)
