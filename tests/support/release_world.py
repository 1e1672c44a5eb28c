"""Two sides in one process, without processes or sockets: every part of a release is the real one.

Real site files, real databases and block store, the vault's and the holders' real application
parts; only the transport is left out (`LocalLink` and `LocalHolders` call what the servicers
call). Faults are put where a test names them: a holder that is down, a share that is exchanged, a
custodian that seals other values than it commits to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from proofs.attestation import AsOf
from proofs.principal import Principal
from proofs.schema import Schema
from support.sites import TwoSites, make_two_sites
from vault.app.deposits import DepositBox, HolderKeys
from vault.app.holder_release import HolderReleases
from vault.app.ingest import Ingest
from vault.app.release import VaultReleases
from vault.app.sealed_checks import SealedDocument
from vault.client.approve import sign_decision
from vault.client.prepare import FileToSeal, prepare
from vault.client.release import Fetched, OwnRelease, fetch, make_release
from vault.client.release_link import Collected, ListedRelease
from vault.client.seal import Sealed, Sealer, Sealing
from vault.crypto.cids import Cid, check_block
from vault.document_record import DocumentRecord
from vault.errors import NotFoundError, VaultError
from vault.identity import Identity
from vault.model import ASSET, PERSONAL, Part
from vault.pki import now_utc
from vault.ports import Deposit
from vault.release_model import HolderAnswer, HolderState
from vault.signed.approval import Decision
from vault.storage.blocks import BlockSource
from vault.storage.catalog import Catalog
from vault.storage.database import open_database
from vault.storage.embedded import EmbeddedBlockStore
from vault.storage.holder_releases import HolderReleaseStore
from vault.storage.holder_store import HolderStore
from vault.storage.journal import Journal
from vault.storage.key_store import KeyStore
from vault.storage.releases import ReleaseStore
from vault.storage.tables.records import catalog_records

SCHEMA = Schema.parse(
    Schema.from_author(
        """{
  "name": "plant",
  "title": {"en": "Plant", "zh": "电站"},
  "attributes": [
    {"name": "code", "label": {"en": "Code", "zh": "编码"}, "type": "identifier",
     "class": "public"},
    {"name": "capacity", "label": {"en": "Capacity", "zh": "装机容量"}, "type": "decimal",
     "scale": 3, "unit": "MW", "min": "0", "max": "100000", "class": "asset"},
    {"name": "commissioned", "label": {"en": "Commissioned", "zh": "投产日期"}, "type": "date",
     "min": "1980-01-01", "max": "2099-12-31", "class": "asset", "optional": true},
    {"name": "owner", "label": {"en": "Owner", "zh": "业主"}, "type": "name",
     "class": "personal"}
  ]
}""".encode()
    )
)

VALUES: Mapping[str, object] = {"code": "PV-7", "capacity": "20.000", "owner": "王小明"}

Tamper = Callable[[HolderAnswer], HolderAnswer]
Rewrite = Callable[[DocumentRecord], DocumentRecord]


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = now_utc()

    def __call__(self) -> datetime:
        """The time now."""
        return self.now

    def forward(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span


@dataclass
class LocalHolder:
    """One holder's application parts; `down` makes it unreachable."""

    identity: Identity
    folder: Path
    box: DepositBox
    releases: HolderReleases
    store: HolderReleaseStore
    down: bool = False
    tamper: Tamper | None = None

    @property
    def uri(self) -> str:
        """Its URI."""
        return self.identity.uri


class LocalHolders:
    """The ports `Holders` and `ReleaseLinks` without a network."""

    def __init__(self, holders: Iterable[LocalHolder]) -> None:
        self._holders = {holder.uri: holder for holder in holders}

    def deposit(self, deposits: Mapping[str, Sequence[Deposit]]) -> Mapping[str, list[bytes]]:
        """See `vault.ports.Holders`."""
        return {uri: self._holders[uri].box.deposit(each) for uri, each in deposits.items()}

    def submit(self, holders: Sequence[str], envelope: bytes) -> Mapping[str, HolderAnswer]:
        """See `vault.app.release.ReleaseLinks`."""
        return {uri: self._ask(uri, lambda h: h.releases.submit(envelope)) for uri in holders}

    def collect(
        self, holders: Sequence[str], digest: str, envelope: bytes
    ) -> Mapping[str, HolderAnswer]:
        """See `vault.app.release.ReleaseLinks`."""

        def one(holder: LocalHolder) -> HolderAnswer:
            try:
                answer = holder.releases.release(digest)
            except NotFoundError:
                holder.releases.submit(envelope)
                answer = holder.releases.release(digest)
            return holder.tamper(answer) if holder.tamper else answer

        return {uri: self._ask(uri, one) for uri in holders}

    def _ask(self, uri: str, call: Callable[[LocalHolder], HolderAnswer]) -> HolderAnswer:
        holder = self._holders[uri]
        if holder.down:
            return HolderAnswer(uri, HolderState.UNREACHABLE, "does not answer")
        try:
            return call(holder)
        except VaultError as error:
            return HolderAnswer(uri, HolderState.REFUSED, str(error))


class LocalBlocks:
    """`VaultBlocks` without a network; `changed` puts other bytes in the place of some."""

    name = "the vault main"

    def __init__(self, world: World, caller: Principal, digest: str) -> None:
        self._world, self._caller, self._digest = world, caller, digest

    def expect(self, order: Sequence[Cid]) -> None:
        """Nothing to prepare."""

    def get(self, cid: Cid) -> bytes:
        """One block."""
        found = self._world.releases.read_blocks(self._caller, self._digest, [cid.binary])
        data = self._world.changed.get(cid, next(found)[1])
        return check_block(cid, data, source=self.name)

    def close(self) -> None:
        """Nothing to close."""


class LocalLink:
    """`vault.client.release_link.ReleaseLink` for one caller, without a network."""

    def __init__(self, world: World, caller: Principal) -> None:
        self._world, self._caller = world, caller

    def create(self, envelope: bytes) -> tuple[str, tuple[HolderAnswer, ...]]:
        """Hand in a request."""
        return self._world.releases.create(self._caller, envelope)

    def list_own(self) -> list[ListedRelease]:
        """The caller's releases."""
        found = self._world.releases.list_own(self._caller, after=0, limit=1000)
        return [ListedRelease(each.digest, each.envelope, each.quorum_released) for each in found]

    def collect(self, digest: str) -> Collected:
        """Ask for the shares."""
        found = self._world.releases.collect(self._caller, digest)
        return Collected(
            holders=tuple(map(self._world.on_the_way, found.holders)),
            key_manifest=found.key_manifest,
            attestation=found.attestation,
            schema=found.schema,
            root=found.root,
            personal_salt=found.personal_salt or b"",
            quorum_released=found.quorum_released,
        )

    def blocks(self, digest: str) -> LocalBlocks:
        """The blocks of the released part."""
        return LocalBlocks(self._world, self._caller, digest)


class LyingSealing(Sealing):
    """Seals another record than the one whose values were committed to."""

    rewrite: dict[Part, Rewrite]

    def _record(self, part: Part) -> DocumentRecord:
        record = super()._record(part)
        return self.rewrite[part](record) if part in self.rewrite else record


@dataclass
class World:
    """Both sides. `on_the_way` and `changed` are where a test tampers with the vault's answers."""

    sites: TwoSites
    clock: Clock
    holders: list[LocalHolder]
    catalog: Catalog
    store: ReleaseStore
    ingest: Ingest
    releases: VaultReleases
    blocks: Mapping[Part, BlockSource]
    on_the_way: Tamper = field(default=lambda answer: answer)
    changed: dict[Cid, bytes] = field(default_factory=dict)

    def side(self, side: str) -> list[LocalHolder]:
        """The holders of one side, h1 first."""
        return [h for h in self.holders if h.identity.principal.jurisdiction == side]

    def who(self, side: str, role: str, name: str) -> Identity:
        """One principal with its keys."""
        return self.sites.identity(side, role, name)

    @property
    def custodian(self) -> Identity:
        """The custodian that puts the documents."""
        return self.who("cn", "custodian", "bank")

    @property
    def spv(self) -> Identity:
        """The SPV that asks for releases."""
        return self.who("hk", "spv", "issuer")

    def put(
        self,
        values: Mapping[str, object] = VALUES,
        *,
        files: Sequence[FileToSeal] = (),
        rewrite: dict[Part, Rewrite] | None = None,
        custodian: Identity | None = None,
    ) -> Sealed:
        """Seal and store one document; `rewrite` is what a lying custodian does to its record."""
        me = custodian or self.custodian
        prepared = prepare(
            SCHEMA,
            asset="cn-pv-7",
            as_of=AsOf.day(date(2026, 6, 30)),
            valid_until=self.clock() + timedelta(days=20),
            attributes=values,
            files=files,
        )
        sealing = LyingSealing(Sealer(me, me.sites(), self.clock), prepared)
        sealing.rewrite = rewrite or {}
        return self.send(sealing, me)

    def send(self, sealing: Sealing, custodian: Identity) -> Sealed:
        """Store what is being sealed, as its custodian."""
        call = self.ingest.begin(custodian.principal, 1)
        for part, cid, data in sealing.blocks():
            call.add_block(part, cid.binary, data)
        sealed = sealing.finish()
        call.add_document(
            SealedDocument(
                request_id=sealed.request_id,
                attestation=sealed.attestation,
                key_manifest=sealed.key_manifest,
                sealed_witness=sealed.sealed_witness,
                shares=sealed.shares,
                asset_root=sealed.asset_root.binary,
                personal_root=sealed.personal_root.binary if sealed.personal_root else None,
                personal_salt=sealed.personal_salt,
            )
        )
        call.finish()
        return sealed

    def ask(
        self,
        sealed: Sealed,
        who: Identity | None = None,
        part: Part = ASSET,
        *,
        lifetime: timedelta = timedelta(days=7),
        submit: bool = True,
    ) -> OwnRelease:
        """Sign a request about a document and hand it in."""
        me = who or self.spv
        own = make_release(
            me,
            document=sealed.document,
            version=sealed.version,
            attestation=sealed.attestation_digest,
            part=part,
            purpose="年度审计 annual audit",
            legal_basis="PIPL Art. 13",
            now=self.clock(),
            lifetime=lifetime,
        )
        if submit:
            self.link(me).create(own.envelope)
        return own

    def link(self, who: Identity) -> LocalLink:
        """The vault, as `who` reaches it."""
        return LocalLink(self, who.principal)

    def decide(
        self,
        side: str,
        own: OwnRelease,
        decision: Decision = "approve",
        *,
        officer: str | None = None,
        expires: datetime | None = None,
        holders: Sequence[LocalHolder] | None = None,
    ) -> list[HolderState]:
        """Let an officer of one side decide, at every holder of that side that is up."""
        me = self.who(side, "officer", officer or {"cn": "wang", "hk": "lee"}[side])
        signed = sign_decision(
            me,
            own.request,
            decision=decision,
            note=None,
            now=self.clock(),
            expires=expires,
        )
        asked = self.side(side) if holders is None else holders
        return [h.releases.decide(me.principal, signed) for h in asked if not h.down]

    def close(self) -> None:
        """Close all databases."""
        self.catalog.database.close()
        for store in dict.fromkeys(self.blocks.values()):
            store.close()
        for holder in self.holders:
            holder.store.database.close()


def make_world(folder: Path, *, holders: int = 3, threshold: int = 2) -> World:
    """Make both sides below `folder`; a few tens of milliseconds."""
    sites = make_two_sites(folder / "sites", holders=holders, threshold=threshold)
    clock = Clock()
    local = [_holder(folder, each, clock) for side in ("cn", "hk") for each in sites.holders(side)]
    links = LocalHolders(local)
    vault = sites.vault
    database = open_database(folder / "catalog.db", "catalog")
    catalog = Catalog(database)
    catalog.add_schema(SCHEMA, SCHEMA.encode(), by=vault.uri, now=clock())
    stores = {
        ASSET: EmbeddedBlockStore(folder / "blocks"),
        PERSONAL: EmbeddedBlockStore(folder / "personal"),
    }
    store = ReleaseStore(database)
    ingest = Ingest(
        catalog=catalog,
        journal=Journal(database, catalog_records),
        keys=KeyStore.open(folder / "keys.db"),
        stores=stores,
        holders=links,
        sites=vault.sites(),
        key=vault.require_hpke_key(),
        clock=clock,
    )
    releases = VaultReleases(
        sites=vault.sites(),
        store=store,
        catalog=catalog,
        blocks=stores,
        holders=links,
        clock=clock,
    )
    return World(sites, clock, local, catalog, store, ingest, releases, stores)


def _holder(folder: Path, identity: Identity, clock: Clock) -> LocalHolder:
    data = folder / f"{identity.principal.jurisdiction}-{identity.principal.name}"
    data.mkdir()
    database = open_database(data / "shares.db", "holder")
    shares = HolderStore(database, KeyStore.open(data / "keys.db"))
    store = HolderReleaseStore(database)
    sites = identity.sites()
    keys = HolderKeys(identity.principal, identity.require_hpke_key(), identity.signing_key)
    return LocalHolder(
        identity=identity,
        folder=data,
        box=DepositBox(shares, keys, sites, clock),
        releases=HolderReleases(
            holder=identity.principal, sites=sites, store=store, deposits=shares, clock=clock
        ),
        store=store,
    )


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for all tests of a module: making one takes a second."""
    made = make_world(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The one world of this file, without the faults that a test put into it."""
    now = shared_world.clock.now
    yield shared_world
    shared_world.clock.now = now
    shared_world.on_the_way = lambda answer: answer
    shared_world.changed.clear()
    for holder in shared_world.holders:
        holder.down, holder.tamper = False, None


def opened(world: World, own: OwnRelease, target: Path, **options: bool) -> Fetched:
    """Fetch as whoever made the request."""
    who = Identity.load(own.folder.parent.parent)
    return fetch(own, world.link(who), who.sites(), target, **options)


def approved(world: World, own: OwnRelease) -> OwnRelease:
    """Approve at every holder of every side that the part needs."""
    for side in own.request.sides:
        world.decide(side, own)
    return own


def values_in(folder: Path) -> dict[str, tuple[str, bool]]:
    """Values and judgements in attributes.json."""
    content = json.loads((folder / "attributes.json").read_text())
    return {each["name"]: (each["value"], each["agrees"]) for each in content["attributes"]}
