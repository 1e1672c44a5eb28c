"""A key holder's deposits: its own checks, its store, and what it drops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.documents import plant
from support.sites import TwoSites, make_two_sites

from proofs import envelope
from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType
from vault.app.deposits import DepositBox, HolderKeys
from vault.client.seal import Sealed, Sealer
from vault.crypto.shares import combine_checked, share_digest
from vault.crypto.wrap import WrapKey
from vault.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
    VaultError,
)
from vault.identity import Identity
from vault.model import ASSET, PERSONAL
from vault.pki import now_utc
from vault.ports import Deposit
from vault.signed.manifest import KeyManifest
from vault.signed.receipt import DepositReceipt
from vault.storage.database import open_database
from vault.storage.holder_store import HolderStore
from vault.storage.key_store import KeyStore


class Holder:
    """One holder with its store under a folder and a clock that can be set."""

    def __init__(self, identity: Identity, folder: Path) -> None:
        self.identity = identity
        self.now = now_utc()
        self.keys = KeyStore.open(folder / "keys.db")
        self.store = HolderStore(open_database(folder / "shares.db", "holder"), self.keys)
        me = HolderKeys(identity.principal, identity.require_hpke_key(), identity.signing_key)
        self.box = DepositBox(self.store, me, identity.sites(), self._clock)

    def _clock(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"))


@pytest.fixture
def cn(sites: TwoSites, tmp_path: Path) -> Holder:
    return Holder(sites.holders("cn")[1], tmp_path)


@pytest.fixture
def hk(sites: TwoSites, tmp_path: Path) -> Holder:
    return Holder(sites.holders("hk")[0], tmp_path)


def seal(sites: TwoSites, **changes: object) -> Sealed:
    bank = sites.identity("cn", "custodian", "bank")
    sealing = Sealer(bank, bank.sites(), now_utc).begin(plant(**changes))  # type: ignore[arg-type]
    list(sealing.blocks())
    return sealing.finish()


def deposit_for(holder: Holder, sealed: Sealed) -> Deposit:
    own = tuple(share for share in sealed.shares if share.holder == holder.identity.uri)
    return Deposit(sealed.attestation, sealed.key_manifest, own)


def receipt_of(holder: Holder, data: bytes) -> DepositReceipt:
    public = holder.identity.signing_key.public_key().public_bytes_raw()
    return DepositReceipt.parse(Envelope.parse(data).verify(public, PayloadType.RECEIPT))


def test_shares_are_kept_and_acknowledged(sites: TwoSites, cn: Holder) -> None:
    """The kept shares are those of the manifest, and the receipt says for what it stands."""
    sealed = seal(sites)
    (data,) = cn.box.deposit([deposit_for(cn, sealed)])
    receipt = receipt_of(cn, data)
    assert (receipt.attestation, receipt.manifest) == (
        sealed.attestation_digest,
        sealed.manifest.digest,
    )
    assert (receipt.index, receipt.epoch, receipt.parts) == (2, 1, (ASSET, PERSONAL))
    stored = cn.store.find(sealed.attestation_digest)
    assert stored is not None
    for part in (ASSET, PERSONAL):
        secret = sealed.manifest.secret(part, "cn")
        assert secret is not None
        found = share_digest(sealed.document, 1, part, "cn", 2, 1, cn.store.share(stored, part))
        assert found == secret.shares[1]


def test_a_quorum_of_kept_shares_gives_the_secret(sites: TwoSites, tmp_path: Path) -> None:
    """What two holders of a side keep combines to the side's attested scalar."""
    sealed = seal(sites)
    shares = []
    for identity in sites.holders("hk")[:2]:
        folder = tmp_path / identity.principal.name
        folder.mkdir()
        holder = Holder(identity, folder)
        holder.box.deposit([deposit_for(holder, sealed)])
        stored = holder.store.find(sealed.attestation_digest)
        assert stored is not None
        shares.append(holder.store.share(stored, ASSET))
    secret = sealed.manifest.secret(ASSET, "hk")
    assert secret is not None
    combined = combine_checked(
        shares,
        threshold=2,
        share_digests=dict(enumerate(secret.shares, start=1)),
        expected_secret=secret.secret,
        document=sealed.document,
        version=1,
        part=ASSET,
        side="hk",
        epoch=1,
    )
    assert combined.rejected == ()


def test_an_hk_holder_has_no_share_of_a_personal_part(sites: TwoSites, hk: Holder) -> None:
    """It gets none, and one that is sent to it is refused."""
    sealed = seal(sites)
    (data,) = hk.box.deposit([deposit_for(hk, sealed)])
    assert receipt_of(hk, data).parts == (ASSET,)
    stored = hk.store.find(sealed.attestation_digest)
    assert stored is not None
    with pytest.raises(NotFoundError, match="no share of the personal part"):
        hk.store.share(stored, PERSONAL)
    other = seal(sites)
    deposit = deposit_for(hk, other)
    more = dataclasses.replace(deposit.shares[0], part=PERSONAL)
    with pytest.raises(InvalidInputError, match="one share of each of asset"):
        hk.box.deposit([dataclasses.replace(deposit, shares=(*deposit.shares, more))])


def test_the_same_deposit_again_gets_the_same_receipt(sites: TwoSites, cn: Holder) -> None:
    """After a lost answer the vault asks again; nothing is written anew."""
    sealed = seal(sites)
    first = cn.box.deposit([deposit_for(cn, sealed)])
    key = cn.keys.get(sealed.attestation_digest)
    cn.now += timedelta(hours=1)
    assert cn.box.deposit([deposit_for(cn, sealed)]) == first
    assert cn.keys.get(sealed.attestation_digest) == key


def test_a_deposit_is_never_overwritten(sites: TwoSites, cn: Holder) -> None:
    """Another manifest of a known attestation is refused, signed by the custodian or not."""
    sealed = seal(sites)
    cn.box.deposit([deposit_for(cn, sealed)])
    bank = sites.identity("cn", "custodian", "bank")
    again = KeyManifest.build(
        document=sealed.document,
        version=1,
        attestation=sealed.attestation_digest,
        sides=sealed.manifest.sides,
        parts=sealed.manifest.parts[:1],
    )
    signed = envelope.sign(PayloadType.KEY_MANIFEST, again.data, bank.signing_key)
    changed = dataclasses.replace(deposit_for(cn, sealed), key_manifest=signed)
    with pytest.raises(ConflictError) as caught:
        cn.box.deposit([changed])
    assert caught.value.reason == "DEPOSITED"
    stored = cn.store.find(sealed.attestation_digest)
    assert stored is not None
    assert stored.manifest_digest == sealed.manifest.digest


def _other_signer(sites: TwoSites, data: bytes, kind: PayloadType, role: str, name: str) -> bytes:
    key = sites.identity("cn", role, name).signing_key
    return envelope.sign(kind, Envelope.parse(data).unverified_payload, key)


Change = Callable[[TwoSites, Holder, Sealed], Deposit]


def _swap_parts(sites: TwoSites, holder: Holder, sealed: Sealed) -> Deposit:
    deposit = deposit_for(holder, sealed)
    first, second = deposit.shares
    swapped = (
        dataclasses.replace(first, sealed=second.sealed),
        dataclasses.replace(second, sealed=first.sealed),
    )
    return dataclasses.replace(deposit, shares=swapped)


def _neighbours_share(sites: TwoSites, holder: Holder, sealed: Sealed) -> Deposit:
    deposit = deposit_for(holder, sealed)
    other = next(s for s in sealed.shares if s.holder.endswith("cn/holder/h1") and s.part == ASSET)
    moved = dataclasses.replace(other, holder=holder.identity.uri, index=2)
    return dataclasses.replace(deposit, shares=(moved, deposit.shares[1]))


def _other_digest(sites: TwoSites, holder: Holder, sealed: Sealed) -> Deposit:
    parts = []
    for part in sealed.manifest.parts:
        keys = [
            dataclasses.replace(key, shares=tuple(bytes(32) for _ in key.shares))
            for key in part.keys
        ]
        parts.append(dataclasses.replace(part, keys=tuple(keys)))
    manifest = KeyManifest.build(
        document=sealed.document,
        version=1,
        attestation=sealed.attestation_digest,
        sides=sealed.manifest.sides,
        parts=parts,
    )
    key = sites.identity("cn", "custodian", "bank").signing_key
    signed = envelope.sign(PayloadType.KEY_MANIFEST, manifest.data, key)
    return dataclasses.replace(deposit_for(holder, sealed), key_manifest=signed)


def _not_listed(sites: TwoSites, holder: Holder, sealed: Sealed) -> Deposit:
    side = sealed.manifest.sides[0]
    listed = [
        dataclasses.replace(each, key="ab" * 32) if each.index == 2 else each
        for each in side.holders
    ]
    manifest = KeyManifest.build(
        document=sealed.document,
        version=1,
        attestation=sealed.attestation_digest,
        sides=(dataclasses.replace(side, holders=tuple(listed)), sealed.manifest.sides[1]),
        parts=sealed.manifest.parts,
    )
    key = sites.identity("cn", "custodian", "bank").signing_key
    signed = envelope.sign(PayloadType.KEY_MANIFEST, manifest.data, key)
    return dataclasses.replace(deposit_for(holder, sealed), key_manifest=signed)


def _renamed(
    sites: TwoSites, holder: Holder, sealed: Sealed, kind: PayloadType, name: str
) -> Deposit:
    """The same attestation, signed as another kind or by another custodian."""
    signed = _other_signer(sites, sealed.attestation, kind, "custodian", name)
    return dataclasses.replace(deposit_for(holder, sealed), attestation=signed)


def _forged_attestation(sites: TwoSites, holder: Holder, sealed: Sealed) -> Deposit:
    """Another asset, under the custodian's key id: the holder must see that nobody signed it."""
    found = Envelope.parse(sealed.attestation)
    payload = found.unverified_payload.replace(sealed.attested.asset.encode(), b"another-asset")
    forged = dataclasses.replace(found, unverified_payload=payload).encode()
    return dataclasses.replace(deposit_for(holder, sealed), attestation=forged)


def _forged_manifest(sites: TwoSites, holder: Holder, sealed: Sealed) -> Deposit:
    """An attestation and the manifest that names it, both under signatures of other bytes."""
    deposit = _forged_attestation(sites, holder, sealed)
    attestation = Envelope.parse(deposit.attestation).unverified_payload
    found = Envelope.parse(sealed.key_manifest)
    payload = found.unverified_payload.replace(
        sealed.attestation_digest.encode(), Attestation.parse(attestation).digest.encode()
    )
    forged = dataclasses.replace(found, unverified_payload=payload).encode()
    return dataclasses.replace(deposit, key_manifest=forged)


REFUSALS: dict[str, tuple[Change, type[VaultError], str]] = {
    "attestation signed by an officer": (
        lambda sites, holder, sealed: dataclasses.replace(
            deposit_for(holder, sealed),
            attestation=_other_signer(
                sites, sealed.attestation, PayloadType.ATTESTATION, "officer", "wang"
            ),
        ),
        InvalidInputError,
        "only cn custodian may",
    ),
    "manifest signed by another custodian": (
        lambda sites, holder, sealed: dataclasses.replace(
            deposit_for(holder, sealed),
            key_manifest=_other_signer(
                sites, sealed.key_manifest, PayloadType.KEY_MANIFEST, "custodian", "trust"
            ),
        ),
        InvalidInputError,
        "not the pinned",
    ),
    "another attestation under the custodian's name": (
        _forged_attestation,
        InvalidInputError,
        "not of this attestation",
    ),
    "attestation under another custodian's name": (
        lambda sites, holder, sealed: _renamed(
            sites, holder, sealed, PayloadType.ATTESTATION, "trust"
        ),
        InvalidInputError,
        "not the pinned",
    ),
    "attestation signed as something else": (
        lambda sites, holder, sealed: _renamed(sites, holder, sealed, PayloadType.GRANT, "bank"),
        InvalidInputError,
        "an attestation is expected",
    ),
    "manifest that nobody signed": (_forged_manifest, InvalidInputError, "does not verify"),
    "manifest of another document": (
        lambda sites, holder, sealed: dataclasses.replace(
            deposit_for(holder, sealed), key_manifest=seal(sites).key_manifest
        ),
        InvalidInputError,
        "not of this attestation",
    ),
    "shares of parts swapped": (_swap_parts, IntegrityError, "does not open"),
    "a neighbour's share": (_neighbours_share, IntegrityError, "does not open"),
    "a share of another digest": (_other_digest, IntegrityError, "not the one of the key manifest"),
    "holder under another key": (_not_listed, InvalidInputError, "does not list"),
    "share missing": (
        lambda sites, holder, sealed: dataclasses.replace(
            deposit_for(holder, sealed), shares=deposit_for(holder, sealed).shares[:1]
        ),
        InvalidInputError,
        "one share of each",
    ),
    "share at another index": (
        lambda sites, holder, sealed: dataclasses.replace(
            deposit_for(holder, sealed),
            shares=tuple(
                dataclasses.replace(share, index=1) for share in deposit_for(holder, sealed).shares
            ),
        ),
        InvalidInputError,
        "another holder or index",
    ),
    "no envelope": (
        lambda sites, holder, sealed: dataclasses.replace(
            deposit_for(holder, sealed), attestation=b"{}"
        ),
        InvalidInputError,
        "deposit 0",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_does_not_fit_is_refused(sites: TwoSites, cn: Holder, name: str) -> None:
    """Whatever the vault says; nothing is kept."""
    change, kind, words = REFUSALS[name]
    sealed = seal(sites)
    with pytest.raises(kind, match=words):
        cn.box.deposit([change(sites, cn, sealed)])
    assert cn.store.find(sealed.attestation_digest) is None
    assert cn.keys.older_than(cn.now + timedelta(days=1)) == []


def test_a_batch_is_kept_whole_or_not_at_all(sites: TwoSites, cn: Holder) -> None:
    """One share that does not fit refuses the others of its call."""
    good, bad = seal(sites), seal(sites)
    with pytest.raises(IntegrityError):
        cn.box.deposit([deposit_for(cn, good), _swap_parts(sites, cn, bad)])
    assert cn.store.find(good.attestation_digest) is None
    assert len(cn.box.deposit([deposit_for(cn, good), deposit_for(cn, bad)])) == 2


@pytest.mark.parametrize("count", [0, 65])
def test_calls_of_no_or_too_many_deposits_are_refused(
    sites: TwoSites, cn: Holder, count: int
) -> None:
    """1 to 64, judged before anything is verified."""
    deposit = Deposit(b"", b"", ())
    with pytest.raises(InvalidInputError, match="1 to 64"):
        cn.box.deposit([deposit] * count)


def test_one_attestation_twice_in_a_call_is_refused(sites: TwoSites, cn: Holder) -> None:
    """Each would be wrapped under a key of its own, and one key would be lost."""
    deposit = deposit_for(cn, seal(sites))
    with pytest.raises(InvalidInputError, match="twice"):
        cn.box.deposit([deposit, deposit])


def test_a_custodian_that_was_removed_deposits_nothing(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """A signer outside its validity is refused, whatever it signed before."""
    sites = make_two_sites(tmp_path_factory.mktemp("short"), life=timedelta(days=2))
    holder = Holder(sites.holders("cn")[1], tmp_path)
    sealed = seal(sites)
    holder.now += timedelta(days=400)
    with pytest.raises(NotAllowedError, match="not valid now"):
        holder.box.deposit([deposit_for(holder, sealed)])


# --- at rest ------------------------------------------------------------------------------------


def test_shares_are_unreadable_without_the_key_store(
    sites: TwoSites, cn: Holder, tmp_path: Path
) -> None:
    """The database and its log hold no plain share; an erased key takes the share with it."""
    sealed = seal(sites)
    cn.box.deposit([deposit_for(cn, sealed)])
    stored = cn.store.find(sealed.attestation_digest)
    assert stored is not None
    plain = cn.store.share(stored, ASSET).value
    files = [path for path in tmp_path.iterdir() if path.name.startswith("shares.db")]
    assert files
    assert [path.name for path in files if plain in path.read_bytes()] == []
    cn.keys.remove([sealed.attestation_digest])
    with pytest.raises(NotFoundError, match="erased"):
        cn.store.share(stored, ASSET)


def test_a_share_moved_to_another_row_does_not_open(sites: TwoSites, cn: Holder) -> None:
    """Someone who can write the database cannot swap shares of two documents."""
    one, two = seal(sites), seal(sites)
    cn.box.deposit([deposit_for(cn, one), deposit_for(cn, two)])
    first, second = cn.store.find(one.attestation_digest), cn.store.find(two.attestation_digest)
    assert first is not None
    assert second is not None
    cn.keys.add({two.attestation_digest: cn.keys.get(one.attestation_digest)}, now=cn.now)
    with pytest.raises(IntegrityError, match="damaged"):
        cn.store.share(second, ASSET)


# --- what nobody committed ----------------------------------------------------------------------


def test_uncommitted_deposits_are_dropped_after_a_day_after_asking(
    sites: TwoSites, cn: Holder
) -> None:
    """Committed ones are confirmed and stay; the others and their keys go; a day is waited."""
    kept, lost = seal(sites), seal(sites)
    cn.box.deposit([deposit_for(cn, kept), deposit_for(cn, lost)])
    asked: list[list[str]] = []

    def committed(digests: Sequence[str]) -> list[str]:
        asked.append(sorted(digests))
        return [kept.attestation_digest]

    cn.now += timedelta(hours=23)
    assert cn.box.sweep(committed) == 0
    assert asked == []
    cn.now += timedelta(hours=2)
    assert cn.box.sweep(committed) == 1
    assert asked == [sorted([kept.attestation_digest, lost.attestation_digest])]
    assert cn.store.find(lost.attestation_digest) is None
    with pytest.raises(NotFoundError):
        cn.keys.get(lost.attestation_digest)
    stored = cn.store.find(kept.attestation_digest)
    assert stored is not None
    assert stored.confirmed
    assert cn.box.sweep(lambda digests: []) == 0
    assert cn.store.find(kept.attestation_digest) is not None


def test_nothing_is_dropped_while_the_vault_does_not_answer(sites: TwoSites, cn: Holder) -> None:
    """Silence is not a no."""
    sealed = seal(sites)
    cn.box.deposit([deposit_for(cn, sealed)])
    cn.now += timedelta(days=2)

    def away(digests: Sequence[str]) -> list[str]:
        raise UnavailableError("the vault does not answer")

    with pytest.raises(UnavailableError):
        cn.box.sweep(away)
    assert cn.store.find(sealed.attestation_digest) is not None


def test_a_confirmed_deposit_is_never_dropped(sites: TwoSites, cn: Holder) -> None:
    """Not even when it is asked for by name."""
    sealed = seal(sites)
    cn.box.deposit([deposit_for(cn, sealed)])
    cn.store.confirm([sealed.attestation_digest])
    cn.store.drop_unconfirmed([sealed.attestation_digest])
    assert cn.store.find(sealed.attestation_digest) is not None


def test_keys_that_wrap_nothing_are_swept(sites: TwoSites, cn: Holder) -> None:
    """Left by a process that was killed between its two databases."""
    sealed = seal(sites)
    cn.box.deposit([deposit_for(cn, sealed)])
    cn.keys.add({"ab" * 32: WrapKey.generate()}, now=cn.now)
    assert cn.store.sweep_keys(cn.now + timedelta(seconds=1)) == 1
    assert cn.keys.older_than(cn.now + timedelta(days=1)) == [sealed.attestation_digest]
