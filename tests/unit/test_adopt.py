"""A document that the vault says it has is adopted only with our signature and all receipts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from support.plants import SCHEMA
from support.sites import TwoSites, make_two_sites

from proofs import envelope
from proofs.attestation import AsOf
from proofs.envelope import PayloadType
from vault.client.adopt import adopt
from vault.client.prepare import PreparedDocument, prepare
from vault.client.put_log import PutLog
from vault.client.seal import Sealed, Sealer
from vault.client.session import the_vault
from vault.errors import IntegrityError
from vault.identity import Identity
from vault.model import SIDES
from vault.pki import now_utc
from vault.signed.receipt import DepositReceipt
from vault.v1 import document_pb2

AS_OF = AsOf.day(date(2018, 6, 1))
UNTIL = datetime(2038, 6, 1, tzinfo=UTC)
VALUES = {"plant_id": "1", "plant_name": "Ertan", "fuel": "Hydro", "capacity": "3300"}


class NotThere(grpc.RpcError):
    """What gRPC raises for NOT_FOUND."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.NOT_FOUND

    def details(self) -> str:
        return "nothing"

    def trailing_metadata(self) -> tuple[()]:
        return ()


class Stub:
    """A vault that answers what a test put in; it stands for one that lies."""

    def __init__(self) -> None:
        self.put: document_pb2.PutResult | None = None
        self.versions: list[bytes] = []
        self.manifest = b""

    def GetPut(self, request: Any) -> Any:  # noqa: N802
        if self.put is None:
            raise NotThere
        return SimpleNamespace(result=self.put)

    def GetDocument(self, request: Any) -> Any:  # noqa: N802
        return SimpleNamespace(
            versions=[SimpleNamespace(attestation=each) for each in self.versions],
            key_manifest=self.manifest,
        )


class World:
    """A custodian, a document that it sealed, and the vault's answers about it."""

    def __init__(self, sites: TwoSites, folder: Path) -> None:
        self.sites = sites
        self.identity = Identity.load(folder)
        self.pinned = self.identity.sites()
        self.stub = Stub()
        self.client: Any = SimpleNamespace(
            stub=self.stub,
            vault=the_vault(self.pinned),
            sites=self.pinned,
            session=SimpleNamespace(identity=self.identity),
            log=PutLog(self.identity),
        )
        self.prepared = prepare(
            SCHEMA, asset="cn-plant-1", as_of=AS_OF, valid_until=UNTIL, attributes=VALUES
        )
        self.stored(self.prepared)

    def stored(self, prepared: PreparedDocument, *, who: str = "bank") -> Sealed:
        """Let the vault answer as if it had committed this."""
        sealing = Sealer(self.sites.identity("cn", "custodian", who), self.pinned, now_utc).begin(
            prepared
        )
        for _ in sealing.blocks():
            pass
        sealed = sealing.finish()
        self.stub.put = document_pb2.PutResult(
            request_id=self.prepared.request_id,
            document=sealed.document,
            version=sealed.version,
            attestation_digest=bytes.fromhex(sealed.attestation_digest),
            receipts=self.receipts(sealed),
        )
        self.stub.put.commit_time.FromDatetime(now_utc())
        self.stub.versions = [sealed.attestation]
        self.stub.manifest = sealed.key_manifest
        return sealed

    def receipts(self, sealed: Sealed) -> list[bytes]:
        found = []
        for side in SIDES:
            for holder, place in zip(
                self.sites.holders(side), sealed.manifest.side(side).holders, strict=True
            ):
                payload = DepositReceipt.build(
                    attestation=sealed.attestation_digest,
                    manifest=sealed.manifest.digest,
                    index=place.index,
                    epoch=1,
                    holder=holder.uri,
                    parts=sealed.manifest.parts_of(side),
                    time=now_utc(),
                )
                found.append(envelope.sign(PayloadType.RECEIPT, payload, holder.signing_key))
        return found

    def adopt(self) -> bool:
        return adopt(self.client, self.prepared)

    def kept(self) -> int:
        return len(list((self.identity.folder / "receipts").iterdir()))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    people = [("cn", "custodian", "bank"), ("cn", "custodian", "trust")]
    return make_two_sites(tmp_path_factory.mktemp("sites"), enrolled=people)


@pytest.fixture
def world(sites: TwoSites, tmp_path: Path) -> World:
    """One custodian in a copy of its folder."""
    own = sites.folder("cn", "custodian", "bank")
    return World(sites, shutil.copytree(own, tmp_path / "bank"))


def test_what_is_there_is_adopted(world: World) -> None:
    """With our attestation and every receipt, the document counts and the receipts are kept."""
    assert world.adopt() is True
    assert world.kept() == 1
    assert list(world.client.log.pending()) == []


def test_what_is_not_there_is_not(world: World) -> None:
    """NOT_FOUND is an answer, and no error."""
    world.stub.put = None
    assert world.adopt() is False


@pytest.mark.parametrize(
    "other",
    [
        {"asset": "cn-plant-2"},
        {"as_of": AsOf.day(date(2018, 6, 2))},
        {"valid_until": datetime(2037, 6, 1, tzinfo=UTC)},
    ],
)
def test_another_document_of_ours(world: World, other: dict[str, Any]) -> None:
    """A document of ours that says something else does not pass for this one."""
    world.stored(replace(world.prepared, **other))
    with pytest.raises(IntegrityError, match="stored another document"):
        world.adopt()
    assert world.kept() == 0


def test_another_custodians_document(world: World) -> None:
    """A document that somebody else attested is not ours."""
    world.stored(world.prepared, who="trust")
    with pytest.raises(IntegrityError, match="not ours"):
        world.adopt()


def test_an_attestation_that_is_not_shown(world: World) -> None:
    """The digest must be of an attestation that the vault can show."""
    assert world.stub.put is not None
    world.stub.put.attestation_digest = bytes(32)
    with pytest.raises(IntegrityError, match="does not show"):
        world.adopt()


def test_the_key_manifest_of_another(world: World) -> None:
    """Receipts are checked against the manifest of exactly this attestation."""
    put, versions = world.stub.put, world.stub.versions
    world.stored(replace(world.prepared, request_id="ab" * 16))
    world.stub.put, world.stub.versions = put, versions
    with pytest.raises(IntegrityError, match="key manifest of another version"):
        world.adopt()


def test_another_request_id(world: World) -> None:
    """An answer about another put is none."""
    assert world.stub.put is not None
    world.stub.put.request_id = "cd" * 16
    with pytest.raises(IntegrityError, match="another request id"):
        world.adopt()


def test_a_missing_receipt(world: World) -> None:
    """Without every holder's receipt the document does not count as stored."""
    assert world.stub.put is not None
    del world.stub.put.receipts[2]
    with pytest.raises(IntegrityError, match="no receipt of"):
        world.adopt()
    assert world.kept() == 0
