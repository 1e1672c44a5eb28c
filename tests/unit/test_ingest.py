"""A put at the vault: what is stored, and that whatever does not fit is refused by name.

Every refusal leaves nothing: no version, no block, no witness key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.documents import PLANT, plant
from support.local_vault import Blocks, LocalVault, received
from support.sites import TwoSites, make_two_sites

from proofs import envelope, group
from proofs.attestation import AsOf, Attestation, personal_part_digest
from proofs.envelope import Envelope, PayloadType
from proofs.witness import Witness
from vault.app.sealed_checks import SealedDocument
from vault.app.witnesses import Witnesses
from vault.client.seal import Sealed
from vault.crypto import hpke
from vault.crypto.cids import Codec, cid_of_block
from vault.crypto.contexts import witness_info
from vault.crypto.root import cid_of_root, decode_root, encode_root
from vault.crypto.wrap import WrapKey
from vault.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
)
from vault.model import ASSET, PERSONAL
from vault.pki import now_utc
from vault.signed.manifest import KeyManifest, ManifestHolder
from vault.storage.blocks import BlockMissingError
from vault.storage.journal import Scope


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    # Enrolled yesterday, so that a custodian's key was valid a while ago.
    yesterday = now_utc() - timedelta(days=1)
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=yesterday)


@pytest.fixture(scope="module")
def refusing(sites: TwoSites, tmp_path_factory: pytest.TempPathFactory) -> LocalVault:
    """One vault for all refusals: each leaves it as empty as it was."""
    made = LocalVault(sites, tmp_path_factory.mktemp("vault"))
    made.documents.add_schema(made.bank.principal, PLANT.encode())
    return made


@pytest.fixture
def vault(sites: TwoSites, tmp_path: Path) -> LocalVault:
    made = LocalVault(sites, tmp_path / "vault")
    made.documents.add_schema(made.bank.principal, PLANT.encode())
    return made


def assert_nothing_stored(vault: LocalVault) -> None:
    assert vault.block_count() == 0
    assert vault.catalog.list_versions(vault.bank.uri, limit=10) == []
    assert vault.keys.older_than(now_utc() + timedelta(days=1)) == []


def test_a_document_is_stored_with_everything(vault: LocalVault) -> None:
    """Version, blocks, receipts of all six holders, and a witness that opens the commitments."""
    blocks, sealed = vault.seal(plant())
    (outcome,) = vault.put((blocks, received(sealed)))
    stored = vault.catalog.find_version(sealed.document, 1)
    assert stored is not None
    assert (stored.custodian, stored.asset) == (vault.bank.uri, "cn-plant-1")
    assert stored.public == {"code": "CN-001", "started": "2013-07-01"}
    assert stored.provable == ("code", "started", "capacity", "fuel", "year", "owner")
    assert [r.holder for r in vault.catalog.receipts_of(stored)] == sorted(vault.holders.boxes)
    assert {r.envelope for r in outcome.receipts} == {
        r.envelope for r in vault.catalog.receipts_of(stored)
    }
    for part, cid, data in blocks:
        assert vault.stores[part].get(cid) == data
    payload = Envelope.parse(stored.attestation).unverified_payload
    Witnesses(vault.keys).open(stored).check_against(Attestation.parse(payload), PLANT)


def test_parts_go_into_their_own_stores(vault: LocalVault) -> None:
    """No block of the personal part is in the store that may be shared with Hong Kong."""
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))
    personal = [cid for part, cid, _ in blocks if part == PERSONAL]
    assert personal
    for cid in personal:
        with pytest.raises(BlockMissingError):
            vault.stores[ASSET].get(cid)


def test_a_document_without_personal_data_has_no_personal_part(vault: LocalVault) -> None:
    """An absent optional attribute is attested as absent, and no empty part is made."""
    blocks, sealed = vault.seal(plant(owner=None))
    vault.put((blocks, received(sealed)))
    stored = vault.catalog.find_version(sealed.document, 1)
    assert stored is not None
    assert (stored.personal_root, stored.personal_salt) == (None, None)
    assert stored.provable == ("code", "started", "capacity", "fuel", "year")


def test_a_batch_is_stored_in_order(vault: LocalVault) -> None:
    """Several documents in one call, each with its own attestation."""
    items = [vault.seal(plant(f"cn-{i}")) for i in range(5)]
    outcomes = vault.put(*[(blocks, received(sealed)) for blocks, sealed in items])
    assert [o.stored.document for o in outcomes] == [sealed.document for _, sealed in items]
    assert len(vault.catalog.list_versions(vault.bank.uri, limit=10)) == 5


def test_one_bad_document_of_a_batch_refuses_all(vault: LocalVault) -> None:
    """All or none, and the message says which."""
    (good_blocks, good), (bad_blocks, bad) = vault.seal(plant("cn-1")), vault.seal(plant("cn-2"))
    wrong = dataclasses.replace(received(bad), sealed_witness=received(good).sealed_witness)
    with pytest.raises(InvalidInputError, match="document 2 of 2: sealed witness"):
        vault.put((good_blocks, received(good)), (bad_blocks, wrong))
    assert_nothing_stored(vault)


# --- what does not fit --------------------------------------------------------------------------

Brought = tuple[Blocks, SealedDocument]
Change = Callable[[LocalVault, Blocks, Sealed], Brought]


def _resign(vault: LocalVault, sealed: Sealed, **changes: object) -> SealedDocument:
    """Sign an attestation that differs, and the manifest and witness that go with it."""
    old = Attestation.parse(Envelope.parse(sealed.attestation).unverified_payload)
    values = {
        name: getattr(old, name)
        for name in (
            *("document", "version", "asset", "schema", "as_of", "attested_at", "valid_until"),
            *("asset_part", "personal_part", "commitments"),
        )
    }
    payload = Attestation.make(**(values | changes)).data  # type: ignore[arg-type]
    new = Attestation.parse(payload)
    manifest = KeyManifest.build(
        document=new.document,
        version=new.version,
        attestation=new.digest,
        sides=sealed.manifest.sides,
        parts=sealed.manifest.parts if new.personal_part is not None else sealed.manifest.parts[:1],
    )
    key = vault.bank.signing_key
    old_info = witness_info(old.document, old.version, bytes.fromhex(old.digest))
    witness = hpke.open(vault.sites.vault.require_hpke_key(), sealed.sealed_witness, old_info)
    info = witness_info(new.document, new.version, bytes.fromhex(new.digest))
    return dataclasses.replace(
        received(sealed),
        attestation=envelope.sign(PayloadType.ATTESTATION, payload, key),
        key_manifest=envelope.sign(PayloadType.KEY_MANIFEST, manifest.data, key),
        sealed_witness=hpke.seal(vault.sites.vault.require_hpke_key().public, witness, info),
    )


def _rewitness(
    vault: LocalVault, sealed: Sealed, change: Callable[[Witness], Witness]
) -> SealedDocument:
    """Seal another witness."""
    info = witness_info(sealed.document, sealed.version, bytes.fromhex(sealed.attestation_digest))
    key = vault.sites.vault.require_hpke_key()
    witness = change(Witness.parse(hpke.open(key, sealed.sealed_witness, info)))
    return dataclasses.replace(
        received(sealed), sealed_witness=hpke.seal(key.public, witness.encode(), info)
    )


def _remanifest(vault: LocalVault, sealed: Sealed, **changes: object) -> SealedDocument:
    """Sign another key manifest."""
    values: dict[str, object] = {
        "document": sealed.document,
        "version": sealed.version,
        "attestation": sealed.attestation_digest,
        "sides": sealed.manifest.sides,
        "parts": sealed.manifest.parts,
    }
    manifest = KeyManifest.build(**(values | changes))  # type: ignore[arg-type]
    return dataclasses.replace(
        received(sealed),
        key_manifest=envelope.sign(PayloadType.KEY_MANIFEST, manifest.data, vault.bank.signing_key),
    )


def _flip(data: bytes, at: int = -1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def _set_value(index: int, value: int) -> Callable[[Witness], Witness]:
    def change(witness: Witness) -> Witness:
        values = list(witness.values)
        pair = values[index]
        assert pair is not None
        values[index] = (group.signed_scalar(value), pair[1])
        return Witness(tuple(values), witness.texts)

    return change


def _other_signer(
    vault: LocalVault, sealed: Sealed, kind: PayloadType, field: str
) -> SealedDocument:
    other = vault.sites.identity("cn", "custodian", "trust").signing_key
    payload = Envelope.parse(getattr(sealed, field)).unverified_payload
    return dataclasses.replace(received(sealed), **{field: envelope.sign(kind, payload, other)})


def _plain(change: Callable[[SealedDocument], SealedDocument]) -> Change:
    return lambda vault, blocks, sealed: (blocks, change(received(sealed)))


def _doc(change: Callable[[LocalVault, Sealed], SealedDocument]) -> Change:
    return lambda vault, blocks, sealed: (blocks, change(vault, sealed))


def _replace(**changes: object) -> Change:
    return _plain(lambda document: dataclasses.replace(document, **changes))  # type: ignore[arg-type]


def _change_share(position: int, **changes: object) -> Change:
    def change(document: SealedDocument) -> SealedDocument:
        shares = list(document.shares)
        shares[position] = dataclasses.replace(shares[position], **changes)  # type: ignore[arg-type]
        return dataclasses.replace(document, shares=tuple(shares))

    return _plain(change)


def _swap_block_bytes(vault: LocalVault, blocks: Blocks, sealed: Sealed) -> Brought:
    (part, cid, data), *rest = blocks
    return [(part, cid, _flip(data)), *rest], received(sealed)


def _drop_block(vault: LocalVault, blocks: Blocks, sealed: Sealed) -> Brought:
    return blocks[1:], received(sealed)


def _drop_root(vault: LocalVault, blocks: Blocks, sealed: Sealed) -> Brought:
    kept = [b for b in blocks if b[1] != sealed.asset_root]
    return kept, received(sealed)


def _extra_block(vault: LocalVault, blocks: Blocks, sealed: Sealed) -> Brought:
    data = b"not listed by any root"
    return [(ASSET, cid_of_block(Codec.RAW, data), data), *blocks], received(sealed)


def _personal_as_asset(vault: LocalVault, blocks: Blocks, sealed: Sealed) -> Brought:
    return [(ASSET, cid, data) for _, cid, data in blocks], received(sealed)


def _wrong_length_in_root(vault: LocalVault, blocks: Blocks, sealed: Sealed) -> Brought:
    changed: Blocks = []
    new_root = sealed.asset_root
    for part, cid, data in blocks:
        if cid == sealed.asset_root:
            root = decode_root(data)
            stream = root.streams[0]
            data = encode_root(
                dataclasses.replace(
                    root, streams=(dataclasses.replace(stream, length=stream.length - 1),)
                )
            )
            cid = new_root = cid_of_root(data)
        changed.append((part, cid, data))
    document = _resign(vault, sealed, asset_part=new_root.text)
    return changed, dataclasses.replace(document, asset_root=new_root.binary)


def _root_is_no_root(vault: LocalVault, blocks: Blocks, sealed: Sealed) -> Brought:
    junk = b"\xa0"
    cid = cid_of_root(junk)
    changed = [b for b in blocks if b[1] != sealed.asset_root]
    document = _resign(vault, sealed, asset_part=cid.text)
    return [*changed, (ASSET, cid, junk)], dataclasses.replace(document, asset_root=cid.binary)


def _change_side(side: int, **changes: object) -> Callable[[LocalVault, Sealed], SealedDocument]:
    def change(vault: LocalVault, sealed: Sealed) -> SealedDocument:
        sides = list(sealed.manifest.sides)
        sides[side] = dataclasses.replace(sides[side], **changes)  # type: ignore[arg-type]
        return _remanifest(vault, sealed, sides=sides)

    return change


def _foreign_holder_key(vault: LocalVault, sealed: Sealed) -> SealedDocument:
    holders = list(sealed.manifest.sides[1].holders)
    holders[0] = ManifestHolder(1, holders[0].uri, "ab" * 32)
    return _change_side(1, holders=tuple(holders))(vault, sealed)


def _swap_commitments(vault: LocalVault, sealed: Sealed) -> SealedDocument:
    old = Attestation.parse(Envelope.parse(sealed.attestation).unverified_payload)
    first, second, *rest = old.commitments
    return _resign(vault, sealed, commitments=(second, first, *rest))


def _point_off_the_group(vault: LocalVault, sealed: Sealed) -> SealedDocument:
    old = Attestation.parse(Envelope.parse(sealed.attestation).unverified_payload)
    return _resign(vault, sealed, commitments=(b"\xc0" + bytes(47), *old.commitments[1:]))


def _year_absent(vault: LocalVault, sealed: Sealed) -> SealedDocument:
    old = Attestation.parse(Envelope.parse(sealed.attestation).unverified_payload)
    commitments = list(old.commitments)
    commitments[4] = None
    return _resign(vault, sealed, commitments=commitments)


def _capacity_absent(vault: LocalVault, sealed: Sealed) -> SealedDocument:
    old = Attestation.parse(Envelope.parse(sealed.attestation).unverified_payload)
    commitments = list(old.commitments)
    commitments[2] = None
    return _resign(vault, sealed, commitments=commitments)


def _past(**span: float) -> Callable[[LocalVault, Sealed], SealedDocument]:
    def change(vault: LocalVault, sealed: Sealed) -> SealedDocument:
        return _resign(vault, sealed, attested_at=now_utc() - timedelta(**span))

    return change


def _expired(vault: LocalVault, sealed: Sealed) -> SealedDocument:
    now = now_utc()
    return _resign(
        vault,
        sealed,
        attested_at=now - timedelta(hours=2),
        valid_until=now - timedelta(hours=1),
    )


REFUSALS: dict[str, tuple[Change, str, str]] = {
    # name: (what is changed, the field that is named, words of the message)
    "request id": (_replace(request_id="x"), "request_id", "hex digits"),
    "attestation changed": (
        _plain(lambda d: dataclasses.replace(d, attestation=_flip(d.attestation, 20))),
        "attestation",
        "attestation",
    ),
    "attestation by another": (
        _doc(lambda v, s: _other_signer(v, s, PayloadType.ATTESTATION, "attestation")),
        "attestation",
        "not the pinned",
    ),
    "attestation as another kind": (
        _plain(lambda d: dataclasses.replace(d, attestation=d.key_manifest)),
        "attestation",
        "signed as",
    ),
    "attested tomorrow": (_doc(_past(days=-1)), "attestation", "to come"),
    "attested long ago": (_doc(_past(days=2)), "attestation", "more than a day ago"),
    "expired": (_doc(_expired), "attestation", "expired"),
    "valid for a century": (
        _doc(lambda v, s: _resign(v, s, valid_until=now_utc() + timedelta(days=36500))),
        "attestation",
        "20 years",
    ),
    "as of next year": (
        _doc(lambda v, s: _resign(v, s, as_of=AsOf.day(date.today() + timedelta(days=370)))),
        "attestation",
        "days to come",
    ),
    "schema unknown": (
        _doc(lambda v, s: _resign(v, s, schema="ab" * 32)),
        "schema",
        "not registered",
    ),
    "an attribute too few": (
        _doc(
            lambda v, s: _resign(
                v,
                s,
                commitments=Attestation.parse(
                    Envelope.parse(s.attestation).unverified_payload
                ).commitments[:-1],
            )
        ),
        "attestation",
        "5 attributes",
    ),
    "required attribute absent": (_doc(_capacity_absent), "attestation", "capacity is absent"),
    "present on one side only": (_doc(_year_absent), "sealed_witness", "year is present"),
    "personal data without a part": (
        _doc(
            lambda v, s: dataclasses.replace(
                _resign(v, s, personal_part=None), personal_root=None, personal_salt=None
            )
        ),
        "attestation",
        "no personal part",
    ),
    "block of other bytes": (_swap_block_bytes, "cid", "another hash"),
    "block missing": (_drop_block, "cid", "did not come"),
    "root missing": (_drop_root, "cid", "did not come"),
    "block not listed": (_extra_block, "cid", "not listed"),
    "personal blocks called asset": (_personal_as_asset, "cid", "not listed by the root"),
    "length in the root": (_wrong_length_in_root, "cid", "another length"),
    "root is no root": (_root_is_no_root, "cid", "not the root of a part"),
    "asset root differs": (
        _doc(lambda v, s: _resign(v, s, asset_part=cid_of_root(b"something else").text)),
        "asset_root",
        "not the attested CID",
    ),
    "asset root is no CID": (_replace(asset_root=b"\x01"), "asset_root", "CID"),
    "personal salt": (_replace(personal_salt=bytes(32)), "personal_salt", "does not open"),
    "personal salt missing": (_replace(personal_salt=None), "personal_salt", "does not open"),
    "personal root": (
        _doc(lambda v, s: dataclasses.replace(received(s), personal_root=s.asset_root.binary)),
        "personal_salt",
        "does not open",
    ),
    "manifest changed": (
        _plain(lambda d: dataclasses.replace(d, key_manifest=_flip(d.key_manifest, 20))),
        "key_manifest",
        "key manifest",
    ),
    "manifest by another": (
        _doc(lambda v, s: _other_signer(v, s, PayloadType.KEY_MANIFEST, "key_manifest")),
        "key_manifest",
        "not the pinned",
    ),
    "manifest of another attestation": (
        _doc(lambda v, s: _remanifest(v, s, attestation="ab" * 32)),
        "key_manifest",
        "not of this attestation",
    ),
    "manifest of a later epoch": (
        _doc(lambda v, s: _remanifest(v, s, epoch=2, previous="ab" * 32)),
        "key_manifest",
        "epoch 1",
    ),
    "manifest without the personal part": (
        _doc(lambda v, s: _remanifest(v, s, parts=s.manifest.parts[:1])),
        "key_manifest",
        "other parts",
    ),
    "another threshold": (_doc(_change_side(0, threshold=3)), "key_manifest", "the quorum of cn"),
    "key of a holder": (_doc(_foreign_holder_key), "key_manifest", "other holders or keys"),
    "share missing": (
        _plain(lambda d: dataclasses.replace(d, shares=d.shares[1:])),
        "shares",
        "is missing",
    ),
    "share twice": (
        _plain(lambda d: dataclasses.replace(d, shares=(*d.shares, d.shares[0]))),
        "shares",
        "second one",
    ),
    "personal share for hk": (
        _plain(
            lambda d: dataclasses.replace(
                d,
                shares=(
                    *d.shares,
                    dataclasses.replace(
                        next(s for s in d.shares if "/hk/" in s.holder), part=PERSONAL
                    ),
                ),
            )
        ),
        "shares",
        "none of the personal part",
    ),
    "share at another index": (_change_share(0, index=2), "shares", "another index"),
    "share too short": (_change_share(0, sealed=b"short"), "shares", "another index or length"),
    "witness of another context": (
        _plain(lambda d: dataclasses.replace(d, sealed_witness=_flip(d.sealed_witness))),
        "sealed_witness",
        "cannot open",
    ),
    "value out of bounds": (
        _doc(lambda v, s: _rewitness(v, s, _set_value(2, 100_000_001))),
        "sealed_witness",
        "capacity is out of its bounds",
    ),
    "value past the type": (
        _doc(lambda v, s: _rewitness(v, s, _set_value(4, 2**62 + 1))),
        "sealed_witness",
        "year is out of its bounds",
    ),
    "no member of the enum": (
        _doc(lambda v, s: _rewitness(v, s, _set_value(3, 7))),
        "sealed_witness",
        "fuel is none of its members",
    ),
    "public text of another hash": (
        _doc(lambda v, s: _rewitness(v, s, lambda w: Witness(w.values, {"code": "CN-002"}))),
        "sealed_witness",
        "code has another text",
    ),
    "value of another commitment": (
        _doc(lambda v, s: _rewitness(v, s, _set_value(2, 1))),
        "commitments",
        "commitment of capacity",
    ),
    "commitments swapped": (_doc(_swap_commitments), "commitments", "commitment of code"),
    "commitment no point": (_doc(_point_off_the_group), "commitments", "commitment of code"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_does_not_fit_is_refused_by_name(refusing: LocalVault, name: str) -> None:
    """Each refusal names the field and the thing, quotes no value, and leaves nothing."""
    change, field, words = REFUSALS[name]
    blocks, sealed = refusing.seal(plant())
    changed, document = change(refusing, blocks, sealed)
    with pytest.raises(InvalidInputError, match=words) as caught:
        refusing.put((changed, document))
    assert caught.value.field == field
    for secret in ("Canary", "canary", "张三", "12600"):
        assert secret not in str(caught.value)
    assert_nothing_stored(refusing)


# --- calls --------------------------------------------------------------------------------------


def test_a_call_cut_short_stores_nothing(vault: LocalVault) -> None:
    """Fewer documents than the header said."""
    blocks, sealed = vault.seal(plant())
    call = vault.ingest.begin(vault.bank.principal, 2)
    for part, cid, data in blocks:
        call.add_block(part, cid.binary, data)
    call.add_document(received(sealed))
    with pytest.raises(InvalidInputError, match="1 of 2") as caught:
        call.finish()
    call.abort()
    assert caught.value.reason == "TRUNCATED"
    assert_nothing_stored(vault)


def test_nothing_is_taken_after_the_end(vault: LocalVault) -> None:
    """A step that a thread still runs after the call was aborted is refused."""
    blocks, sealed = vault.seal(plant())
    call = vault.ingest.begin(vault.bank.principal, 1)
    call.abort()
    with pytest.raises(ConflictError, match="ended"):
        call.add_block(blocks[0][0], blocks[0][1].binary, blocks[0][2])
    with pytest.raises(ConflictError, match="ended"):
        call.add_document(received(sealed))
    with pytest.raises(ConflictError, match="ended"):
        call.finish()


def test_blocks_and_documents_beyond_the_header_are_refused(vault: LocalVault) -> None:
    """One document announced, two sent."""
    one, two = vault.seal(plant("cn-1")), vault.seal(plant("cn-2"))
    call = vault.ingest.begin(vault.bank.principal, 1)
    for part, cid, data in one[0]:
        call.add_block(part, cid.binary, data)
    call.add_document(received(one[1]))
    with pytest.raises(InvalidInputError, match="after the last"):
        call.add_block(two[0][0][0], two[0][0][1].binary, two[0][0][2])
    with pytest.raises(InvalidInputError, match="more documents"):
        call.add_document(received(two[1]))
    call.abort()
    assert_nothing_stored(vault)


@pytest.mark.parametrize("count", [0, 65])
def test_calls_of_no_or_too_many_documents_are_refused(vault: LocalVault, count: int) -> None:
    """1 to 64."""
    with pytest.raises(InvalidInputError, match="1 to 64"):
        vault.ingest.begin(vault.bank.principal, count)


def test_the_same_document_twice_in_a_call_is_refused(vault: LocalVault) -> None:
    """Its blocks are claimed already; with other blocks its request id is."""
    blocks, sealed = vault.seal(plant())
    with pytest.raises(ConflictError, match="being stored"):
        vault.put((blocks, received(sealed)), (blocks, received(sealed)))
    other_blocks, other = vault.seal(plant("cn-2"))
    same_id = dataclasses.replace(received(other), request_id=sealed.request_id)
    with pytest.raises(InvalidInputError, match="twice in a call"):
        vault.put((blocks, received(sealed)), (other_blocks, same_id))
    assert_nothing_stored(vault)


def test_another_custodians_signature_is_refused(vault: LocalVault) -> None:
    """A custodian puts what it attested itself, not what it copied from another."""
    blocks, sealed = vault.seal(plant())
    with pytest.raises(InvalidInputError, match="not the pinned"):
        vault.put((blocks, received(sealed)), by=vault.sites.identity("cn", "custodian", "trust"))
    assert_nothing_stored(vault)


# --- holders ------------------------------------------------------------------------------------


def test_a_holder_that_is_down_is_named_and_nothing_stored(vault: LocalVault) -> None:
    """A put needs all holders."""
    away = sorted(vault.holders.boxes)[4]
    vault.holders.down.add(away)
    blocks, sealed = vault.seal(plant())
    with pytest.raises(UnavailableError, match=away):
        vault.put((blocks, received(sealed)))
    assert_nothing_stored(vault)
    vault.holders.down.clear()
    again_blocks, again = vault.seal(plant())
    vault.put((again_blocks, received(again)))
    assert vault.catalog.find_version(again.document, 1) is not None


def test_a_receipt_of_another_deposit_is_refused(vault: LocalVault) -> None:
    """A holder that answers with somebody else's or an old receipt has not said that it keeps."""
    first_blocks, first = vault.seal(plant("cn-1"))
    (outcome,) = vault.put((first_blocks, received(first)))
    old = {receipt.holder: receipt.envelope for receipt in outcome.receipts}
    blamed = sorted(vault.holders.boxes)[2]
    vault.holders.tamper = lambda uri, found: [old[uri]] if uri == blamed else found
    blocks, sealed = vault.seal(plant("cn-2"))
    with pytest.raises(IntegrityError, match=f"{blamed}: its receipt is of another deposit"):
        vault.put((blocks, received(sealed)))
    vault.holders.tamper = lambda uri, found: (
        [old[sorted(vault.holders.boxes)[0]]] if uri == blamed else found
    )
    blocks, sealed = vault.seal(plant("cn-3"))
    with pytest.raises(IntegrityError, match=blamed):
        vault.put((blocks, received(sealed)))
    assert len(vault.catalog.list_versions(vault.bank.uri, limit=10)) == 1


def test_a_share_that_is_not_the_manifests_is_refused_by_its_holder(vault: LocalVault) -> None:
    """The vault cannot see into a share; the holder can, and nothing is stored."""
    blocks, sealed = vault.seal(plant())
    _, other = vault.seal(plant())
    shares = (other.shares[0], *sealed.shares[1:])
    with pytest.raises(IntegrityError, match="does not open"):
        vault.put((blocks, dataclasses.replace(received(sealed), shares=shares)))
    assert_nothing_stored(vault)


# --- versions and request ids -------------------------------------------------------------------


def test_a_request_id_commits_once(vault: LocalVault) -> None:
    """A second document under it is refused, and the first is still what it stands for."""
    blocks, sealed = vault.seal(plant("cn-1"))
    vault.put((blocks, received(sealed)))
    other_blocks, other = vault.seal(plant("cn-2"))
    same = dataclasses.replace(received(other), request_id=sealed.request_id)
    with pytest.raises(ConflictError) as caught:
        vault.put((other_blocks, same))
    assert caught.value.reason == "REQUEST_ID_USED"
    found = vault.documents.find_put(vault.bank.principal, sealed.request_id)
    assert found.stored.document == sealed.document
    assert len(found.receipts) == 6


def test_a_request_id_is_its_callers_own(vault: LocalVault) -> None:
    """Another custodian may use the same id, and asks in vain for the first one's."""
    blocks, sealed = vault.seal(plant("cn-1"))
    vault.put((blocks, received(sealed)))
    trust = vault.sites.identity("cn", "custodian", "trust")
    with pytest.raises(NotFoundError):
        vault.documents.find_put(trust.principal, sealed.request_id)
    other_blocks, other = vault.seal(plant("cn-2"), by=trust)
    same = dataclasses.replace(received(other), request_id=sealed.request_id)
    vault.put((other_blocks, same), by=trust)
    assert vault.documents.find_put(trust.principal, sealed.request_id).stored.asset == "cn-2"


def test_while_a_put_may_commit_its_outcome_is_not_told(vault: LocalVault) -> None:
    """NOT_FOUND would let the client attest the same thing again."""
    vault.ingest.running.enter(vault.bank.uri, ["ab" * 16])
    with pytest.raises(UnavailableError) as caught:
        vault.documents.find_put(vault.bank.principal, "ab" * 16)
    assert caught.value.reason == "PUT_RUNS"
    with pytest.raises(ConflictError):
        vault.ingest.running.enter(vault.bank.uri, ["cd" * 16, "ab" * 16])
    vault.ingest.running.leave(vault.bank.uri, ["ab" * 16])
    with pytest.raises(NotFoundError):
        vault.documents.find_put(vault.bank.principal, "ab" * 16)


def test_versions_of_a_document_go_up(vault: LocalVault) -> None:
    """The next version by the same custodian about the same asset; no other."""
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))

    def put(**changes: object) -> None:
        more, next_sealed = vault.seal(
            plant(**({"document": sealed.document, "version": 2} | changes))  # type: ignore[arg-type]
        )
        vault.put((more, received(next_sealed)))

    with pytest.raises(ConflictError, match="version 1 already"):
        put(version=1)
    with pytest.raises(ConflictError, match="about asset"):
        put(asset="cn-plant-2")
    put()
    with pytest.raises(ConflictError, match="version 2 already"):
        put()
    assert [s.version for s in vault.catalog.versions_of(sealed.document)] == [2, 1]


def test_a_document_begins_with_version_1(vault: LocalVault) -> None:
    """A later one of a document that nobody knows is refused."""
    blocks, sealed = vault.seal(plant(document="ab" * 16, version=2))
    with pytest.raises(ConflictError, match="first version is 1"):
        vault.put((blocks, received(sealed)))
    assert_nothing_stored(vault)


def test_another_custodians_document_gets_no_version(vault: LocalVault) -> None:
    """Ownership is by the whole URI."""
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))
    trust = vault.sites.identity("cn", "custodian", "trust")
    more, other = vault.seal(plant(document=sealed.document, version=2), by=trust)
    with pytest.raises(NotAllowedError, match="another custodian's"):
        vault.put((more, received(other)), by=trust)


# --- blocks of others, and sweeping -------------------------------------------------------------


def test_a_failed_call_removes_no_block_of_a_stored_document(vault: LocalVault) -> None:
    """Even when the call got as far as handing its blocks to the store."""
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))
    part, cid, data = blocks[0]
    call = vault.ingest.begin(vault.bank.principal, 1)
    call.add_block(part, cid.binary, data)
    with pytest.raises(ConflictError, match="belongs to a document"):
        call._blocks.flush()
    call.abort()
    assert vault.stores[part].get(cid) == data


def test_the_sweep_removes_what_no_document_lists(sites: TwoSites, tmp_path: Path) -> None:
    """Blocks and witness keys older than an hour; documents and calls under way are spared."""
    now = [now_utc()]
    vault = LocalVault(sites, tmp_path / "vault", clock=lambda: now[0])
    vault.documents.add_schema(vault.bank.principal, PLANT.encode())
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))
    orphan = b"left by a process that was killed"
    vault.stores[ASSET].put_many([(cid_of_block(Codec.RAW, orphan), orphan)])
    vault.keys.add({"ab" * 32: WrapKey.generate()}, now=now[0])
    under_way, _ = vault.seal(plant("cn-2"))
    call = vault.ingest.begin(vault.bank.principal, 1)
    call.add_block(under_way[0][0], under_way[0][1].binary, under_way[0][2])
    call._blocks.flush()
    assert vault.ingest.sweep() == 0
    now[0] += timedelta(hours=2)
    assert vault.ingest.sweep() == 1
    assert vault.keys.older_than(now[0]) == [sealed.attestation_digest]
    for part, cid, data in [*blocks, under_way[0]]:
        assert vault.stores[part].get(cid) == data
    call.abort()
    assert vault.block_count() == len(blocks)


def test_personal_part_digests_depend_on_the_salt() -> None:
    """Without the salt the attestation does not tell the personal CID."""
    cid = cid_of_root(b"x").text
    assert personal_part_digest(bytes(32), cid) != personal_part_digest(b"\x01" * 32, cid)


def test_a_put_is_on_record(vault: LocalVault) -> None:
    """Each stored document leaves one record, written with the commit itself."""
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))
    scope = Scope(owner=vault.bank.uri)
    (record,) = vault.ingest.journal.read(scope, since=None, after=0, limit=10)
    assert (record.entry.event, record.entry.document) == ("document.stored", sealed.document)
    assert record.entry.digest == sealed.attestation_digest
