"""Attestations in bulk: what a vault lists for their custodian, and what its client believes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import bundles
from support.list_world import plants
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites
from support.wire import session_at

from proofs.errors import BindingError, CrossproofError, SignatureError
from vault.app.choosing import BATCH, Choosing
from vault.client.attestations import own_attestations
from vault.errors import IntegrityError, InvalidInputError, VaultError
from vault.v1 import document_pb2

SCHEMA = bundles.schema()


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


def listed(world: World, opened: tuple[str, ...] = ()) -> list[Any]:
    session, _ = session_at(world, world.sites.identity("cn", "custodian", "bank"))
    return own_attestations(session, SCHEMA, opened)


def test_every_document_is_listed_once_in_its_newest_unexpired_version(world: World) -> None:
    """In the order of their ids, over any number of batches; nobody else's, nothing expired."""
    stored = plants(world, BATCH + 3)
    world.store("cn-pv-9000", attested={"valid_until": NOW + DAY / 24})
    plants(world, 2, custodian="trust")
    world.now = NOW + DAY / 12
    found = listed(world)
    expected = sorted([bundles.ASSET, *(each.asset for each in stored)])
    assert sorted(each.attestation.asset for each in found) == expected
    ids = [each.attestation.document for each in found]
    assert ids == sorted(set(ids))
    assert all(each.public == {} for each in found)


def test_public_attributes_are_opened_and_nothing_else(world: World) -> None:
    """With the value that was committed to; attributes of other classes are refused."""
    world.store("cn-pv-2", province="Anhui")
    found = {each.attestation.asset: each.public for each in listed(world, ("province",))}
    assert found == {
        bundles.ASSET: {"province": "Guangdong"},
        "cn-pv-2": {"province": "Anhui"},
    }
    for name in ("capacity", "owner", "nothing"):
        with pytest.raises(InvalidInputError, match="public"):
            list(Choosing(world.desk).attested(world.bank, SCHEMA.digest, [name]))
    with pytest.raises(InvalidInputError, match="at most"):
        list(Choosing(world.desk).attested(world.bank, SCHEMA.digest, ["province"] * 17))
    with pytest.raises(InvalidInputError, match="not known"):
        list(Choosing(world.desk).attested(world.bank, "0" * 64, []))


def test_a_batch_ends_before_it_is_too_large_for_a_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts of a thousand characters, sixteen of them a document, would fill three messages."""
    plants(world, 5)
    monkeypatch.setattr("vault.app.choosing.BATCH_BYTES", 1 << 11)
    batches = list(Choosing(world.desk).attested(world.bank, SCHEMA.digest, []))
    assert [len(each) for each in batches] == [2, 2, 2]
    assert len(listed(world)) == 6


Change = Callable[[document_pb2.ListAttestationsResponse], None]


def another_value(answer: document_pb2.ListAttestationsResponse) -> None:
    answer.documents[0].opened[0].value = "Anhui"


def another_blinding(answer: document_pb2.ListAttestationsResponse) -> None:
    answer.documents[0].opened[0].blinding = b"\0" + secrets.token_bytes(31)


def no_value(answer: document_pb2.ListAttestationsResponse) -> None:
    answer.documents[0].opened[0].value = "Atlantis"


def other_length(answer: document_pb2.ListAttestationsResponse) -> None:
    answer.documents[0].opened[0].blinding = b"\0"


def nothing_opened(answer: document_pb2.ListAttestationsResponse) -> None:
    del answer.documents[0].opened[:]


def twice(answer: document_pb2.ListAttestationsResponse) -> None:
    answer.documents.append(answer.documents[-1])


def reversed_order(answer: document_pb2.ListAttestationsResponse) -> None:
    last = answer.documents.pop()
    answer.documents.insert(0, last)


def no_envelope(answer: document_pb2.ListAttestationsResponse) -> None:
    answer.documents[0].attestation = b"{}"


LIES: dict[str, tuple[Change, type[Exception], str]] = {
    "another value": (another_value, IntegrityError, "another province"),
    "another blinding": (another_blinding, IntegrityError, "another province"),
    "no value of the type": (no_value, IntegrityError, "to no value"),
    "a blinding of another length": (other_length, IntegrityError, "to no value"),
    "nothing opened": (nothing_opened, IntegrityError, "did not open"),
    "a document twice": (twice, IntegrityError, "twice or out of order"),
    "out of order": (reversed_order, IntegrityError, "twice or out of order"),
    "no envelope": (no_envelope, CrossproofError, "envelope"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_vault_that_lies_is_not_believed(world: World, lie: str) -> None:
    """Or it could move documents between portfolios, or count one twice."""
    plants(world, 2)
    change, kind, reason = LIES[lie]
    session, wire = session_at(world, world.sites.identity("cn", "custodian", "bank"))

    def tamper(method: str, answer: Any) -> Any:
        if method == "ListAttestations":
            change(answer)
        return answer

    wire.tamper = tamper
    with pytest.raises((VaultError, CrossproofError), match=reason) as caught:
        own_attestations(session, SCHEMA, ("province",))
    assert isinstance(caught.value, kind)


def test_anothers_attestation_is_not_taken_for_ones_own(world: World) -> None:
    """Nor one of another schema: the list is of what this custodian signed."""
    foreign = world.store("cn-pv-1", custodian="trust")
    session, wire = session_at(world, world.sites.identity("cn", "custodian", "bank"))

    def tamper(method: str, answer: Any) -> Any:
        answer.documents[0].attestation = foreign.attestation
        return answer

    wire.tamper = tamper
    with pytest.raises(SignatureError):
        own_attestations(session, SCHEMA)
    wire.tamper = lambda method, answer: answer
    other = world.store("cn-pv-1", attested={"schema": "0" * 64})
    assert other.custodian == world.bank.uri
    with pytest.raises(BindingError, match="schema"):
        own_attestations(session, SCHEMA)
