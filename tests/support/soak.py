"""Puts that go on while processes are killed, and what must be true afterwards.

`soak` kills the vault or a holder with SIGKILL at a random moment of each round and starts it
again, while a custodian puts batches and takes nothing for stored that was not acknowledged.
`Outcome.check` compares what was acknowledged with what is listed and what is on the disks.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from support.cluster import VAULT, Cluster
from support.documents import PLANT, plant
from support.sites import TwoSites
from vault.client import documents
from vault.client.put import SERVICE, PutClient, StoredDocument
from vault.client.session import at_vault
from vault.crypto.cids import Cid
from vault.crypto.root import decode_root
from vault.errors import ConflictError, UnavailableError
from vault.model import ASSET, PARTS, SIDES, sides_of
from vault.storage.catalog import Catalog
from vault.storage.database import open_database
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.holder_store import HolderStore
from vault.storage.key_store import KeyStore

BATCH = 4
JOIN_SECONDS = 180


class Custodian(threading.Thread):
    """Puts batches one after the other until each is stored, whatever happens in between.

    It ends after `batches`, or when `enough` is set if there is no such number.
    """

    def __init__(self, folder: Path, batches: int | None) -> None:
        super().__init__(daemon=True)
        self.stored: list[StoredDocument] = []
        self.failures = 0
        self.error: Exception | None = None
        self.enough = threading.Event()
        self._folder = folder
        self._batches = batches

    def run(self) -> None:
        """Put until there is enough; `error` keeps what must not have happened."""
        number = 0
        try:
            while number != self._batches and not self.enough.is_set():
                self._put_until_stored([f"cn-kill-{number}-{i}" for i in range(BATCH)])
                number += 1
        except Exception as error:
            self.error = error

    def _put_until_stored(self, assets: list[str]) -> None:
        while True:
            try:
                with at_vault(self._folder, SERVICE) as session:
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak left: who was killed, which documents were acknowledged, which are listed."""

    sites: TwoSites
    kills: Counter[str]
    interrupted: int
    acknowledged: Counter[str]
    listed: Counter[str]
    digests: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Acknowledged and not listed."""
        return (self.acknowledged - self.listed).total()

    @property
    def twice(self) -> int:
        """Listed more often than acknowledged: an asset twice, or one that nobody was told of."""
        return (self.listed - self.acknowledged).total()

    def check(self) -> None:
        """AssertionError unless nothing is lost or twice, and every block and share is there."""
        assert (self.lost, self.twice) == (0, 0)
        assert set(self.listed.values()) <= {1}
        check_whole(self.sites, self.digests)


def soak(
    sites: TwoSites,
    rng: random.Random,
    victims: Iterable[str | None],
    *,
    batches: int | None = None,
) -> Outcome:
    """Kill one process a round, at a random moment of the custodian's puts, and start it again.

    Args:
        sites: two sites, nothing of them running.
        rng: draws the moments, and the victims that are None.
        victims: one a round; None for the vault (every second time) or any holder.
        batches: how many must be stored in the end; as many as there is time for if None.
    """
    bank = sites.folder("cn", "custodian", "bank")
    kills: Counter[str] = Counter()
    with Cluster(sites) as cluster:
        cluster.start()
        with at_vault(bank, SERVICE) as session:
            documents.add_schema(session.channel, PLANT.encode())
        holders = [*cluster.holders("cn"), *cluster.holders("hk")]
        custodian = Custodian(bank, batches)
        custodian.start()
        for named in victims:
            victim = named or rng.choice((VAULT, rng.choice(holders)))
            time.sleep(0.2 + 1.3 * rng.random())
            cluster.kill(victim)
            kills[victim] += 1
            cluster.start([victim])
        if batches is None:
            custodian.enough.set()
        custodian.join(JOIN_SECONDS)
        assert not custodian.is_alive(), "the puts came to no end"
        if custodian.error is not None:
            raise custodian.error
        with at_vault(bank, SERVICE) as session:
            listed = list(documents.list_documents(session.channel, session.identity))
    assert {each.document for each in custodian.stored} == {
        each.attestation.document for each in listed
    }
    return Outcome(
        sites=sites,
        kills=kills,
        interrupted=custodian.failures,
        acknowledged=Counter(each.asset for each in custodian.stored),
        listed=Counter(each.attestation.asset for each in listed),
        digests=tuple(each.attestation.digest for each in listed),
    )


def check_whole(sites: TwoSites, digests: Iterable[str]) -> None:
    """Every block of every document, and every share at every holder, is on the disk."""
    wanted = list(digests)
    data = sites.cn.folder / "vault"
    catalog = Catalog(open_database(data / "catalog.db", "catalog"))
    keys = KeyStore.open(data / "keys.db")
    for part in PARTS:
        store = EmbeddedBlockStore(data / ("blocks" if part == ASSET else "personal"))
        with closing(store):
            for digest in wanted:
                stored = catalog.find_attested(digest)
                assert stored is not None
                keys.get(digest)
                root = stored.root(part)
                assert root is not None
                linked = decode_root(store.get(Cid(root))).blocks()
                assert all(len(store.get(cid)) == length for cid, length in linked)
    for side in SIDES:
        for identity in sites.holders(side):
            folder = sites.side(side).folder / "holders" / identity.principal.name
            shares = HolderStore(
                open_database(folder / "shares.db", "holder"), KeyStore.open(folder / "keys.db")
            )
            for digest in wanted:
                deposit = shares.find(digest)
                assert deposit is not None
                for part in PARTS:
                    if side in sides_of(part):
                        shares.share(deposit, part)
