"""The vault's register of manifests: whose, about what, under which serial, which one stands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import bundles
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites

from proofs import canonical
from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType, sign
from proofs.errors import BindingError, CrossproofError, EncodingError, SignatureError, TrustError
from proofs.manifest import Manifest
from vault.app.manifests import Manifests
from vault.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
)
from vault.model import StoredVersion
from vault.server.auth import _caller
from vault.server.manifests import ManifestServicer
from vault.server.tls import Caller
from vault.storage.journal import Scope
from vault.storage.manifest_store import ManifestStore
from vault.v1 import manifest_pb2

SPV = "Harbour Solar 海港光伏"
PERIOD = (date(2026, 1, 1), date(2026, 6, 30))


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY, life=200 * DAY)


@dataclass
class Register:
    """A vault with three plants of `bank`, and its register."""

    world: World
    plants: list[StoredVersion]
    manifests: Manifests

    def build(self, plants: Sequence[StoredVersion] | None = None, **changes: Any) -> bytes:
        """A payload over these plants, by default all."""
        values: dict[str, Any] = {
            "spv": SPV,
            "period": PERIOD,
            "serial": 1,
            "attributes": ["capacity"],
            "signed_at": self.world.now - timedelta(hours=1),
        }
        attested = [read(each) for each in (self.plants if plants is None else plants)]
        return Manifest.build(attested, bundles.schema(), **(values | changes))[0]

    def register(
        self,
        payload: bytes,
        *,
        plants: Sequence[StoredVersion] | None = None,
        custodian: str = "bank",
        signer: str | None = None,
        kind: PayloadType = PayloadType.PORTFOLIO,
    ) -> Manifest:
        """Sign a payload and hand it in, with the versions of these plants."""
        caller = self.world.sites.identity("cn", "custodian", custodian)
        key = self.world.sites.identity("cn", "custodian", signer or custodian).signing_key
        rows = [(each.document, each.version) for each in (plants or self.plants)]
        return self.manifests.register(caller.principal, sign(kind, payload, key), rows)

    def page(self, role: str = "custodian", name: str = "bank") -> list[tuple[int, bool]]:
        """Serial and standing of what somebody sees."""
        caller = self.world.sites.identity("cn", role, name).principal
        found = self.manifests.list_for(caller, limit=100, before=None)
        return [(each.serial, stands) for each, stands in found]


@pytest.fixture
def register(two_sites: TwoSites, tmp_path: Path) -> Register:
    world = make_world(two_sites, tmp_path)
    return Register(
        world=world,
        plants=[world.store(f"cn-pv-{number}") for number in range(3)],
        manifests=world.manifests,
    )


def read(stored: StoredVersion) -> Attestation:
    """The attestation of a stored version."""
    return Attestation.parse(Envelope.parse(stored.attestation).unverified_payload)


def changed(payload: bytes, **values: Any) -> bytes:
    """A payload with other values, spelt as it must be."""
    table = canonical.parse(payload, limit=1 << 20, where="payload")
    assert isinstance(table, dict)
    return canonical.dump(table | values)


# --- what is taken ------------------------------------------------------------------------------


def test_a_manifest_is_kept_with_its_record(register: Register) -> None:
    """It stands, its custodian sees it, and the journal says that it was handed in."""
    manifest = register.register(register.build())
    assert register.page() == [(1, True)]
    (record,) = register.world.journal.read(Scope(everything=True), since=None, after=0, limit=9)
    entry = record.entry
    assert (entry.event, entry.actor) == ("manifest.registered", register.world.bank.uri)
    assert (entry.digest, entry.purpose) == (manifest.digest, SPV)


def test_the_same_again_changes_nothing(register: Register) -> None:
    """Also when a later one stands: an answer may have been lost, and is asked for again."""
    first = register.build()
    register.register(first)
    register.register(register.build(serial=2))
    register.register(first)
    assert register.page() == [(2, True), (1, False)]
    assert len(register.world.journal.read(Scope(True), since=None, after=0, limit=9)) == 2


def test_part_of_the_documents_is_a_list_too(register: Register) -> None:
    """Which documents belong to an SPV is the custodian's to say."""
    some = register.plants[:2]
    assert register.register(register.build(some), plants=some).count == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"spv": "Another"},
        {"period": (date(2026, 1, 1), date(2026, 12, 31))},
        {"period": (date(2025, 7, 1), date(2026, 6, 30))},
    ],
)
def test_serials_of_other_lists_are_their_own(
    register: Register, changes: dict[str, object]
) -> None:
    """A serial counts for one SPV and one period."""
    register.register(register.build(serial=7))
    register.register(register.build(**changes))
    assert register.page() == [(1, True), (7, True)]


# --- serials ------------------------------------------------------------------------------------


@pytest.mark.parametrize("serial", [1, 4, 5])
def test_a_serial_that_is_not_higher_is_refused(register: Register, serial: int) -> None:
    """Two contents under one number, or an old list after a new one."""
    register.register(register.build(serial=5))
    other = register.build(attributes=["capacity", "annual_yield"], serial=serial)
    with pytest.raises(ConflictError, match="must be higher") as caught:
        register.register(other)
    assert caught.value.reason == "SERIAL_NOT_HIGHER"
    assert register.page() == [(5, True)]


def test_serials_rise_across_schemas(register: Register) -> None:
    """The number is the SPV's and the period's: whoever reads two of them knows which came last."""
    register.register(register.build(serial=5))
    store = ManifestStore(register.world.catalog.database)
    (kept,) = store.page(None, limit=1)
    for serial, added in ((5, False), (6, True)):
        other = replace(kept, schema="0" * 64, digest="0" * 64, serial=serial)
        refused = nullcontext() if added else pytest.raises(ConflictError)
        with refused, store.database.write() as connection:
            assert store.add(connection, other) is added
    assert register.page() == [(6, True), (5, True)]


# --- whose --------------------------------------------------------------------------------------


def test_another_custodians_signature_is_refused(register: Register) -> None:
    """Handing in what another signed would put it on record as one's own."""
    with pytest.raises(NotAllowedError):
        register.register(register.build(), signer="trust")


def test_another_kind_of_payload_is_refused(register: Register) -> None:
    """A signature says of what kind its bytes are."""
    with pytest.raises(SignatureError):
        register.register(register.build(), kind=PayloadType.ATTESTATION)


def test_other_roles_sign_no_manifest(register: Register) -> None:
    """Whatever a caller sends, its role is what its certificate says."""
    lists = register.world.sites.identity("cn", "authority", "registry")
    envelope = sign(PayloadType.PORTFOLIO, register.build(), lists.signing_key)
    with pytest.raises(TrustError):
        register.manifests.register(lists.principal, envelope, [])


def test_anothers_documents_are_not_found(register: Register) -> None:
    """Nor is it told that there are any."""
    theirs = register.world.store("cn-pv-9", custodian="trust")
    listed = [*register.plants, theirs]
    with pytest.raises(NotFoundError, match="1 of the listed"):
        register.register(register.build(listed), plants=listed)
    assert register.page() == []


# --- about what ---------------------------------------------------------------------------------


def test_a_version_that_is_not_here_is_not_found(register: Register) -> None:
    """A list may not run ahead of what is stored."""
    first = register.plants[0]
    envelope = sign(
        PayloadType.PORTFOLIO,
        register.build([first]),
        register.world.sites.identity("cn", "custodian", "bank").signing_key,
    )
    bank = register.world.bank
    for document, version in ((first.document, 2), ("f" * 32, 1)):
        with pytest.raises(NotFoundError):
            register.manifests.register(bank, envelope, [(document, version)])
    register.manifests.register(bank, envelope, [(first.document, 1)])


@pytest.mark.parametrize(
    "values",
    [
        {"attestations": "0" * 64},
        {"rows": "0" * 64},
        {"count": 4},
        {"as_of": {"from": "2026-06-29", "same": True, "to": "2026-06-30"}},
        {"attested": {"first": "2020-01-01T00:00:00Z", "last": "2020-01-02T00:00:00Z"}},
        {"valid_until": "2099-01-01T00:00:00Z"},
        {"attributes": ["annual_yield"]},
    ],
)
def test_a_manifest_that_says_other_than_the_attestations_is_refused(
    register: Register, values: dict[str, object]
) -> None:
    """Signed by the right key, and wrong: nothing of it is believed, all of it is made again."""
    with pytest.raises(BindingError, match="says other than"):
        register.register(changed(register.build(), **values))
    assert register.page() == []


def test_rows_must_be_those_that_were_signed(register: Register) -> None:
    """One more, one less, or none."""
    payload = register.build()
    more = [*register.plants, register.world.store("cn-pv-8")]
    for plants in (more, register.plants[:2]):
        with pytest.raises(BindingError):
            register.register(payload, plants=plants)
    bank = register.world.sites.identity("cn", "custodian", "bank")
    with pytest.raises(BindingError, match="at least one"):
        register.manifests.register(
            bank.principal, sign(PayloadType.PORTFOLIO, payload, bank.signing_key), []
        )


def test_a_row_twice_is_refused(register: Register) -> None:
    """As too many are: both before anything is looked up."""
    first = register.plants[0]
    with pytest.raises(InvalidInputError):
        register.register(register.build([first]), plants=[first, first])
    rows = [(f"{number:032x}", 1) for number in range(16_385)]
    bank = register.world.sites.identity("cn", "custodian", "bank")
    envelope = sign(PayloadType.PORTFOLIO, register.build([first]), bank.signing_key)
    with pytest.raises(InvalidInputError):
        register.manifests.register(bank.principal, envelope, rows)


def test_unknown_schema_and_garbage_are_refused(register: Register) -> None:
    """By errors of ours."""
    with pytest.raises(NotFoundError, match="schema"):
        register.register(changed(register.build(), schema="0" * 64))
    with pytest.raises(CrossproofError):
        register.register(changed(register.build(), attributes=["nothing"]))
    with pytest.raises(EncodingError):
        register.register(b"{}")
    with pytest.raises(EncodingError):
        register.manifests.register(register.world.bank, b"garbage", [])


def test_a_manifest_out_of_its_time_is_refused(register: Register) -> None:
    """Signed in the future, or about a document that has expired."""
    with pytest.raises(InvalidInputError, match="future"):
        register.register(register.build(signed_at=NOW + timedelta(minutes=6)))
    payload = register.build()
    register.world.now = NOW + 91 * DAY
    with pytest.raises(ConflictError, match="expired"):
        register.register(payload)


# --- over which one is proven -------------------------------------------------------------------


def test_only_the_newest_may_be_proven_over(register: Register) -> None:
    """One that was never handed in, one that was replaced, one that has expired."""
    manifests, bank = register.manifests, register.world.bank
    first = Manifest.parse(register.build())
    with pytest.raises(NotFoundError, match="registered here"):
        manifests.require_newest(bank, first)
    register.register(first.data)
    manifests.require_newest(bank, first)
    second = register.register(register.build(serial=2))
    with pytest.raises(ConflictError, match="has serial 2") as caught:
        manifests.require_newest(bank, first)
    assert caught.value.reason == "MANIFEST_REPLACED"
    manifests.require_newest(bank, second)
    register.world.now = second.valid_until
    with pytest.raises(ConflictError, match="expired"):
        manifests.require_newest(bank, second)


def test_another_content_under_the_newest_serial_is_not_the_newest(register: Register) -> None:
    """What was signed under one number twice stands once."""
    register.register(register.build())
    other = Manifest.parse(register.build(attributes=["annual_yield"]))
    with pytest.raises(ConflictError):
        register.manifests.require_newest(register.world.bank, other)


def test_another_custodians_list_is_not_this_ones(register: Register) -> None:
    """Two custodians may have documents of one SPV."""
    manifest = register.register(register.build())
    trust = register.world.sites.identity("cn", "custodian", "trust").principal
    with pytest.raises(NotFoundError):
        register.manifests.require_newest(trust, manifest)


# --- who sees it --------------------------------------------------------------------------------


def test_a_custodian_sees_its_own_and_an_auditor_all(register: Register) -> None:
    """With which of them stands."""
    register.register(register.build())
    register.register(register.build(serial=2))
    theirs = register.world.store("cn-pv-9", custodian="trust")
    payload = register.build([theirs], serial=4)
    register.register(payload, plants=[theirs], custodian="trust")
    assert register.page() == [(2, True), (1, False)]
    assert register.page(name="trust") == [(4, True)]
    assert register.page("auditor", "audit") == [(4, True), (2, True), (1, False)]


def test_the_service_translates(register: Register) -> None:
    """Rows come as bytes; pages go on by their tokens."""
    servicer = ManifestServicer(register.manifests)
    bank = register.world.sites.identity("cn", "custodian", "bank")
    rows = [
        manifest_pb2.ListedVersion(document=bytes.fromhex(each.document), version=each.version)
        for each in register.plants
    ]

    async def run() -> list[list[int]]:
        token = _caller.set(Caller(bank.sites().principal(bank.principal)))
        try:
            for serial in (1, 2, 3):
                envelope = sign(
                    PayloadType.PORTFOLIO, register.build(serial=serial), bank.signing_key
                )
                request = manifest_pb2.RegisterManifestRequest(envelope=envelope, rows=rows)
                await servicer.RegisterManifest(request, None)
            pages, page_token = [], ""
            while True:
                page = await servicer.ListManifests(
                    manifest_pb2.ListManifestsRequest(page_size=2, page_token=page_token), None
                )
                pages.append(
                    [
                        Manifest.parse(Envelope.parse(each.envelope).unverified_payload).serial
                        for each in page.manifests
                    ]
                )
                page_token = page.next_page_token
                if not page_token:
                    return pages
        finally:
            _caller.reset(token)

    assert asyncio.run(run()) == [[3, 2], [1]]
