"""The client's side of an acknowledgement: every receipt judged, and kept."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime

import pytest
from support.documents import PLANT, plant
from support.local_vault import LocalVault, received
from support.sites import TwoSites, make_two_sites

from proofs import envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError
from vault.client.put import check_receipts
from vault.client.put_log import PENDING, RECEIPTS, PutLog, Signed
from vault.errors import IntegrityError, InvalidInputError
from vault.sites import SiteSet

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"))


@pytest.fixture(scope="module")
def vault(sites: TwoSites, tmp_path_factory: pytest.TempPathFactory) -> LocalVault:
    made = LocalVault(sites, tmp_path_factory.mktemp("vault"))
    made.documents.add_schema(made.bank.principal, PLANT.encode())
    return made


def put(vault: LocalVault, asset: str) -> tuple[Signed, list[bytes]]:
    """A stored document as its client knows it, and the holders' receipts."""
    blocks, sealed = vault.seal(plant(asset))
    (outcome,) = vault.put((blocks, received(sealed)))
    return Signed.of(sealed), [receipt.envelope for receipt in outcome.receipts]


def pinned(vault: LocalVault) -> SiteSet:
    return vault.bank.sites()


def test_receipts_of_all_holders_are_accepted(vault: LocalVault) -> None:
    """In any order."""
    signed, receipts = put(vault, "cn-1")
    check_receipts(pinned(vault), signed, receipts)
    check_receipts(pinned(vault), signed, receipts[::-1])


def test_a_missing_receipt_is_named(vault: LocalVault) -> None:
    """A vault that never delivered a share cannot hide it."""
    signed, receipts = put(vault, "cn-2")
    with pytest.raises(IntegrityError, match=r"no receipt of spiffe.*holder/h") as caught:
        check_receipts(pinned(vault), signed, receipts[1:])
    assert caught.value.reason == "RECEIPT"


def test_a_receipt_twice_stands_for_no_other(vault: LocalVault) -> None:
    """The second one is nobody's."""
    signed, receipts = put(vault, "cn-3")
    with pytest.raises(IntegrityError, match="nobody asked for"):
        check_receipts(pinned(vault), signed, [*receipts[:-1], receipts[0]])


def test_a_receipt_of_another_document_is_refused(vault: LocalVault) -> None:
    """Signed by the right holder, for something else."""
    signed, receipts = put(vault, "cn-4")
    _, others = put(vault, "cn-5")
    with pytest.raises(IntegrityError, match="of another deposit"):
        check_receipts(pinned(vault), signed, [others[0], *receipts[1:]])


@pytest.mark.parametrize("signer", [("cn", "holder", "h2"), ("cn", "custodian", "trust")])
def test_a_receipt_signed_by_another_is_refused(
    vault: LocalVault, sites: TwoSites, signer: tuple[str, str, str]
) -> None:
    """A holder cannot acknowledge for another, nor anybody else."""
    signed, receipts = put(vault, f"cn-6-{signer[2]}")
    payload = Envelope.parse(receipts[0]).unverified_payload
    key = sites.identity(*signer).signing_key
    forged = envelope.sign(PayloadType.RECEIPT, payload, key)
    with pytest.raises(IntegrityError, match="nobody asked for"):
        check_receipts(pinned(vault), signed, [forged, *receipts[1:]])


def test_a_changed_receipt_is_refused(vault: LocalVault) -> None:
    """Whatever is wrong with it: signature, form, length."""
    signed, receipts = put(vault, "cn-7")
    changed = receipts[0].replace(b'"sig":"', b'"sig":"A', 1)
    for bad in (changed, b"", b"{}", receipts[0][:-1]):
        with pytest.raises(IntegrityError, match="a receipt is not valid"):
            check_receipts(pinned(vault), signed, [bad, *receipts[1:]])


def test_a_pending_put_is_remembered_until_it_is_settled(vault: LocalVault) -> None:
    """Request id and what was signed survive the process; receipts take their place."""
    signed, receipts = put(vault, "cn-8")
    begun = PutLog(vault.bank).begin([signed])
    again = PutLog(vault.bank)
    assert list(again.pending()) == [begun]
    again.keep(begun, [receipts], NOW)
    assert list(again.pending()) == []
    kept = vault.bank.folder / RECEIPTS / begun.path.name
    (entry,) = json.loads(kept.read_bytes())["documents"]
    assert (entry["request_id"], len(entry["receipts"])) == (signed.request_id, 6)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_forgotten_put_leaves_nothing(vault: LocalVault) -> None:
    """It was never stored; no receipt is kept."""
    signed, _ = put(vault, "cn-9")
    log = PutLog(vault.bank)
    begun = log.begin([signed])
    log.forget(begun)
    log.forget(begun)
    assert list((vault.bank.folder / PENDING).iterdir()) == []


@pytest.mark.parametrize("change", ["signature", "manifest", "form"])
def test_a_pending_file_that_was_changed_is_refused(
    vault: LocalVault, sites: TwoSites, change: str
) -> None:
    """It decides what is adopted: only what this identity signed itself counts."""
    signed, _ = put(vault, f"cn-10-{change}")
    other, _ = put(vault, f"cn-11-{change}")
    log = PutLog(vault.bank)
    if change == "signature":
        key = sites.identity("cn", "custodian", "trust").signing_key
        forged = envelope.sign(PayloadType.ATTESTATION, signed.attested.data, key)
        begun = log.begin(
            [
                Signed(
                    signed.request_id, forged, signed.key_manifest, signed.attested, signed.manifest
                )
            ]
        )
    elif change == "manifest":
        begun = log.begin(
            [
                Signed(
                    signed.request_id,
                    signed.attestation,
                    other.key_manifest,
                    signed.attested,
                    signed.manifest,
                )
            ]
        )
    else:
        begun = log.begin([signed])
        begun.path.write_bytes(begun.path.read_bytes() + b" ")
    with pytest.raises((CrossproofError, InvalidInputError)):
        list(log.pending())
    log.forget(begun)
