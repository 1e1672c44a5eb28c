"""One vault and six holders in this process: every real part but the wires.

The stores are files under the given folder, the checks and databases those of the processes. A
holder can be put out of order (`down`), or its answers changed on the way (`tamper`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from support.sites import TwoSites
from vault.app.deposits import DepositBox, HolderKeys
from vault.app.documents import Documents
from vault.app.ingest import Ingest, PutOutcome
from vault.app.sealed_checks import SealedDocument
from vault.client.prepare import PreparedDocument
from vault.client.seal import Sealed, Sealer
from vault.crypto.cids import Cid
from vault.errors import UnavailableError
from vault.identity import Identity
from vault.model import ASSET, PERSONAL, Part
from vault.pki import now_utc
from vault.ports import Deposit
from vault.storage.blocks import BlockStore
from vault.storage.catalog import Catalog
from vault.storage.database import open_database
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.holder_store import HolderStore
from vault.storage.journal import Journal
from vault.storage.key_store import KeyStore
from vault.storage.tables.records import catalog_records

Blocks = list[tuple[Part, Cid, bytes]]


class LocalHolders:
    """The port `Holders` straight to the deposit boxes."""

    def __init__(self, sites: TwoSites, folder: Path, clock: Callable[[], datetime]) -> None:
        self.stores: dict[str, HolderStore] = {}
        self.boxes: dict[str, DepositBox] = {}
        self.down: set[str] = set()
        self.tamper: Callable[[str, list[bytes]], list[bytes]] = lambda uri, receipts: receipts
        for side in ("cn", "hk"):
            for identity in sites.holders(side):
                name = f"{side}-{identity.principal.name}"
                store = HolderStore(
                    open_database(folder / f"{name}.db", "holder"),
                    KeyStore.open(folder / f"{name}-keys.db"),
                )
                keys = HolderKeys(
                    identity.principal, identity.require_hpke_key(), identity.signing_key
                )
                self.stores[identity.uri] = store
                self.boxes[identity.uri] = DepositBox(store, keys, identity.sites(), clock)

    def deposit(self, deposits: Mapping[str, Sequence[Deposit]]) -> Mapping[str, list[bytes]]:
        """All answers, or the refusals that the links would raise."""
        answers = {
            uri: self.tamper(uri, self.boxes[uri].deposit(each))
            for uri, each in deposits.items()
            if uri not in self.down
        }
        if self.down:
            raise UnavailableError(f"{', '.join(sorted(self.down))} does not answer")
        return answers


class LocalVault:
    """A vault with its stores under `folder`, ready to take puts of the custodian `bank`."""

    def __init__(
        self, sites: TwoSites, folder: Path, *, clock: Callable[[], datetime] = now_utc
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.sites = sites
        self.clock = clock
        self.catalog = Catalog(open_database(folder / "catalog.db", "catalog"))
        self.keys = KeyStore.open(folder / "keys.db")
        self.holders = LocalHolders(sites, folder, clock)
        self.stores: dict[Part, BlockStore] = {
            ASSET: EmbeddedBlockStore(folder / "blocks"),
            PERSONAL: EmbeddedBlockStore(folder / "personal"),
        }
        vault = sites.vault
        self.ingest = Ingest(
            catalog=self.catalog,
            journal=Journal(self.catalog.database, catalog_records),
            keys=self.keys,
            stores=self.stores,
            holders=self.holders,
            sites=vault.sites(),
            key=vault.require_hpke_key(),
            clock=clock,
        )
        self.documents = Documents(self.catalog, self.ingest.running, clock)
        self.bank: Identity = sites.identity("cn", "custodian", "bank")

    def seal(
        self, prepared: PreparedDocument, *, by: Identity | None = None
    ) -> tuple[Blocks, Sealed]:
        """Seal as a client does; the blocks and what follows them."""
        identity = by or self.bank
        sealing = Sealer(identity, identity.sites(), self.clock).begin(prepared)
        blocks = list(sealing.blocks())
        return blocks, sealing.finish()

    def put(
        self, *items: tuple[Blocks, SealedDocument], by: Identity | None = None
    ) -> list[PutOutcome]:
        """One call with these documents, ended as the servicer ends it."""
        call = self.ingest.begin((by or self.bank).principal, len(items))
        try:
            for blocks, sealed in items:
                for part, cid, data in blocks:
                    call.add_block(part, cid.binary, data)
                call.add_document(sealed)
            return call.finish()
        finally:
            call.abort()

    def block_count(self) -> int:
        """Blocks in both stores."""
        return sum(store.stat().blocks for store in self.stores.values())


def received(sealed: Sealed) -> SealedDocument:
    """What the vault gets of a sealed document."""
    return SealedDocument(
        request_id=sealed.request_id,
        attestation=sealed.attestation,
        key_manifest=sealed.key_manifest,
        sealed_witness=sealed.sealed_witness,
        shares=sealed.shares,
        asset_root=sealed.asset_root.binary,
        personal_root=sealed.personal_root.binary if sealed.personal_root else None,
        personal_salt=sealed.personal_salt,
    )
