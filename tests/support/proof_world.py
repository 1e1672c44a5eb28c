"""One vault's use cases about requests for proofs, with a document of `bank`, and everybody's keys.

Real databases, real keys, a clock that is set. `make_world` stores one plant, two named sets and
the schema; tests store more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from proofs.attestation import Attestation
from proofs.envelope import PayloadType, sign
from proofs.ids import digest_of
from proofs.named_set import NamedSet
from proofs.principal import Principal
from proofs.request import Request, RequestedDocument
from proofs.trust import Trust, entry
from proofs.witness import Witness
from support import bundles
from support.sites import TwoSites
from vault.app.answering import Answering
from vault.app.asking import Asking
from vault.app.deciding import Deciding
from vault.app.desk import Desk
from vault.app.manifests import Manifests
from vault.app.request_views import SeenRequest
from vault.app.sets import Sets
from vault.client import consent
from vault.client.sets import make
from vault.model import Receipt, StoredVersion
from vault.server.proofs import ProofServicer
from vault.storage.catalog import Catalog, NewVersion
from vault.storage.database import open_database
from vault.storage.journal import Journal
from vault.storage.manifest_store import ManifestStore
from vault.storage.proof_store import ProofStore
from vault.storage.set_store import SetStore
from vault.storage.tables.records import catalog_records

NOW, DAY = bundles.NOW, bundles.DAY
OTHER_ASSET = "cn-pv-0043"
UNKNOWN_ASSET = "cn-pv-9999"


@dataclass
class Clock:
    """Says what it is set to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """One vault's use case with a document of `bank`, and everybody's identities."""

    sites: TwoSites
    catalog: Catalog
    journal: Journal
    sets: Sets
    desk: Desk
    asking: Asking
    deciding: Deciding
    answering: Answering
    manifests: Manifests
    named: dict[str, NamedSet]
    clock: Clock
    witnesses: dict[str, Witness]

    @property
    def now(self) -> datetime:
        """What the vault's clock says; set it to move on."""
        return self.clock.now

    @now.setter
    def now(self, moment: datetime) -> None:
        self.clock.now = moment

    @property
    def bank(self) -> Principal:
        """A custodian."""
        return self.sites.identity("cn", "custodian", "bank").principal

    @property
    def issuer(self) -> Principal:
        """An SPV."""
        return self.sites.identity("hk", "spv", "issuer").principal

    def request(
        self, facts: tuple[str, ...] = bundles.SMALL_FACTS, *, asset: str = bundles.ASSET, **changes
    ) -> Request:
        wanted = [name for name in self.named if any(f"@{name}" in fact for fact in facts)]
        return bundles.request(
            bundles.SMALL_FACTS,
            documents=[RequestedDocument("doc", asset, bundles.schema().digest)],
            facts=bundles.FactList.parse(facts, bundles.schema()).texts,
            sets=[self.named[name].reference for name in wanted],
            **changes,
        )

    def grant(self, asked: Request, *, custodian: str = "bank", asker: str | None = None) -> bytes:
        identity = self.sites.identity("cn", "custodian", custodian)
        _, candidate, sets = self.deciding.get_for_custodian(identity.principal, asked.digest)
        assert candidate is not None
        prepared = consent.prepare(
            identity,
            identity.sites(),
            {bundles.schema().digest: bundles.schema()},
            digest=asked.digest,
            request=asked.data,
            asker=asker or self.issuer.uri,
            attestations={alias: each.attestation for alias, each in candidate.stored.items()},
            sets=[each.envelope.encode() for each in sets.values()],
            outlooks={},
            now=self.now,
        )
        return consent.grant(identity, prepared, now=self.now)

    def store(
        self,
        asset: str,
        *,
        custodian: str = "bank",
        attested: Mapping[str, object] | None = None,
        **values: object,
    ) -> StoredVersion:
        """Commit a document, as ingest does after its checks; `attested` changes what is said."""
        identity = self.sites.identity("cn", "custodian", custodian)
        schema = bundles.schema()
        witness = Witness.draw(schema, bundles.read_attributes(schema, bundles.VALUES | values))
        number = len(self.witnesses) + 1
        payload = bundles.attestation(
            document=f"{number:032x}",
            version=1,
            asset=asset,
            commitments=witness.commitments(),
            **(attested or {}),
        )
        digest = digest_of(payload)
        stored = StoredVersion(
            document=f"{number:032x}",
            version=1,
            custodian=identity.uri,
            asset=asset,
            schema=schema.digest,
            attestation_digest=digest,
            attestation=sign(PayloadType.ATTESTATION, payload, identity.signing_key),
            manifest_digest="0" * 64,
            key_manifest=b"manifest",
            asset_root=bytes(36),
            personal_root=None,
            personal_salt=None,
            witness=b"sealed",
            public={},
            provable=(),
            request_id=f"{number:032x}",
            valid_until=Attestation.parse(payload).valid_until,
            commit_time=self.now,
        )
        self.witnesses[digest] = witness
        self.catalog.commit(
            [
                NewVersion(
                    stored,
                    [Receipt("h1", 1, 1, b"receipt")],
                    {"asset": [number.to_bytes(36, "big")]},
                )
            ]
        )
        return stored

    @property
    def store_of_requests(self) -> ProofStore:
        """The table below the use cases."""
        return ProofStore(self.catalog.database)

    def servicer(self) -> ProofServicer:
        """The service over these use cases."""
        return ProofServicer(self.asking, self.deciding, self.answering)

    def seen_by_asker(self, asked: Request) -> SeenRequest:
        return self.asking.get_own(self.issuer, asked.digest)


def make_world(two_sites: TwoSites, folder: Path) -> World:
    """A fresh vault in `folder`, at `NOW`."""
    database = open_database(folder / "catalog.db", "catalog")
    catalog, journal = Catalog(database), Journal(database, catalog_records)
    site_set = two_sites.vault.sites()
    sets = Sets(SetStore(database), site_set)
    witnesses: dict[str, Witness] = {}
    clock = Clock()
    manifests = Manifests(
        store=ManifestStore(database),
        catalog=catalog,
        journal=journal,
        sites=site_set,
        clock=clock,
    )
    desk = Desk(
        catalog=catalog,
        store=ProofStore(database),
        sets=sets,
        sites=site_set,
        journal=journal,
        open_witnesses=lambda stored: [witnesses[each.attestation_digest] for each in stored],
        manifests=manifests,
        clock=clock,
    )
    made = World(
        sites=two_sites,
        catalog=catalog,
        journal=journal,
        sets=sets,
        desk=desk,
        asking=Asking(desk),
        deciding=Deciding(desk),
        answering=Answering(desk),
        manifests=manifests,
        named={},
        clock=clock,
        witnesses=witnesses,
    )
    schema = bundles.schema()
    catalog.add_schema(schema, schema.encode(), by=made.bank.uri, now=NOW)
    lists = two_sites.identity("hk", "authority", "lists")
    for name in ("fuels", "sanctions"):
        template = bundles.named_set(name)
        named, _ = make(
            lists,
            list(template.members),
            name=name,
            version=1,
            member_type=template.header.type,
            issued=NOW - DAY,
            valid_until=NOW + 30 * DAY,
            source="Example register",
            as_of=template.header.as_of,
        )
        envelope, _, lines = named.export().partition(b"\n")
        sets.add(lists.principal, envelope, lines.decode().split("\n")[:-1], now=NOW)
        made.named[name] = named
    made.store(bundles.ASSET)
    return made


def trust_for(world: World) -> Trust:
    """What an outsider pins: the bank's key and the authority of the lists."""
    bank = world.sites.identity("cn", "custodian", "bank")
    lists = world.sites.identity("hk", "authority", "lists")
    common = bundles.signer_entry(bundles.CUSTODIAN)

    def key(identity):
        raw = identity.signing_key.public_key().public_bytes_raw()
        return bundles.base64.b64encode(raw).decode()

    entries = [
        entry(
            "custodian",
            common
            | {"key": key(bank), "schemas": [bundles.schema().digest], "assets": ["cn-pv-*"]},
        ),
        entry("authority", common | {"key": key(lists)}),
    ]
    entries += [
        entry("set", {"name": name, "authority": named.envelope.keyid, "least_version": 1})
        for name, named in world.named.items()
    ]
    return Trust.parse("\n".join(entries).encode())
