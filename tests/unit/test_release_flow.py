"""Releases from request to folder, with every real part and no processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.release_world import World, make_world

from proofs import envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import SignatureError
from vault.client.approve import sign_decision
from vault.client.combine import NotEnoughSharesError
from vault.client.openings import AttestationMismatchError
from vault.client.prepare import FileToSeal
from vault.client.release import Fetched, OwnRelease, fetch, find_own
from vault.crypto.content import FileInfo
from vault.crypto.contexts import release_info
from vault.crypto.field import encode_scalar
from vault.crypto.hpke import seal
from vault.document_record import DocumentRecord
from vault.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
)
from vault.identity import Identity
from vault.model import ASSET, PERSONAL
from vault.release_model import HolderAnswer, HolderState
from vault.signed.release_request import ReleaseRequest
from vault.storage.journal import Entry, Scope


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The one world of this file, without the faults that a test put into it."""
    now = shared.clock.now
    yield shared
    shared.clock.now = now
    shared.on_the_way = lambda answer: answer
    shared.changed.clear()
    for holder in shared.holders:
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


# --- who gets what ------------------------------------------------------------------------------


def test_asset_part_opens_with_both_sides(world: World, tmp_path: Path) -> None:
    """With an approval of each side an SPV gets the asset part's values, each as attested."""
    own = world.ask(world.put())
    assert world.decide("cn", own) == [HolderState.APPROVED] * 3
    assert world.decide("hk", own) == [HolderState.APPROVED] * 3
    fetched = opened(world, own, tmp_path / "out")
    assert values_in(tmp_path / "out") == {"code": ("PV-7", True), "capacity": ("20.000 MW", True)}
    assert fetched.record.absent == ("commissioned",)
    assert [finding.good for finding in fetched.combined.findings] == [True] * 6


def test_attachments_come_back_whole(world: World, tmp_path: Path) -> None:
    """A file of several chunks and an empty one are written as they were, under safe names."""
    big, empty = tmp_path / "big", tmp_path / "empty"
    big.write_bytes(bytes(range(256)) * 10_000)
    empty.write_bytes(b"")
    files = [
        FileToSeal(ASSET, big, FileInfo(".profile", "application/pdf", 2_560_000)),
        FileToSeal(ASSET, empty, FileInfo("报告 report.pdf", "application/pdf", 0)),
    ]
    own = approved(world, world.ask(world.put(files=files)))
    seen: list[int] = []
    who = world.spv
    written = fetch(
        own, world.link(who), who.sites(), tmp_path / "out", progress=seen.append
    ).written
    assert [path.name for path in written.files] == ["1-profile", "2-报告 report.pdf"]
    assert [path.read_bytes() for path in written.files] == [big.read_bytes(), b""]
    assert sum(seen) == 2_560_000
    assert sorted(oct(path.stat().st_mode & 0o777) for path in written.files) == ["0o600"] * 2


@pytest.mark.parametrize(("side", "other"), [("cn", "hk"), ("hk", "cn")])
def test_one_side_is_not_enough(world: World, tmp_path: Path, side: str, other: str) -> None:
    """With the approval of one side alone nothing opens, and the message says who is missing."""
    own = world.ask(world.put())
    world.decide(side, own)
    with pytest.raises(NotEnoughSharesError, match=f"{other} has 0, needs 2") as caught:
        opened(world, own, tmp_path / "out")
    assert f"{other}/holder/h1: no officer of {other} has approved" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotAllowedError, match="has not released"):
        world.releases.read_blocks(
            world.spv.principal, own.request.digest, [world.put().asset_root.binary]
        )


def test_personal_part_opens_for_its_custodian_with_cn_alone(world: World, tmp_path: Path) -> None:
    """The custodian gets the personal part with mainland approvals; no hk holder is asked."""
    own = approved(world, world.ask(world.put(), world.custodian, PERSONAL))
    fetched = opened(world, own, tmp_path / "out")
    assert values_in(tmp_path / "out") == {"owner": ("王小明".casefold(), True)}
    assert {finding.side for finding in fetched.combined.findings} == {"cn"}
    assert all(holder.store.request(own.request.digest) is None for holder in world.side("hk"))


def test_personal_part_is_refused_to_hong_kong(world: World) -> None:
    """No request of an SPV for a personal part can be made, and a forged one is refused."""
    sealed = world.put()
    with pytest.raises(NotAllowedError, match="personal part stays on the mainland"):
        world.ask(sealed, world.spv, PERSONAL)
    # What a client without the check would sign.
    honest = world.ask(sealed, world.spv, submit=False).request
    payload = honest.data.replace(b'"part":"asset"', b'"part":"personal"')
    forged = envelope.sign(PayloadType.RELEASE_REQUEST, payload, world.spv.signing_key)
    for refuse in (
        lambda: world.releases.create(world.spv.principal, forged),
        lambda: world.side("cn")[0].releases.submit(forged),
        lambda: world.side("hk")[0].releases.submit(forged),
    ):
        with pytest.raises(NotAllowedError, match="personal part stays on the mainland"):
            refuse()


def test_personal_request_of_a_custodian_is_refused_by_hk_holders(world: World) -> None:
    """A Hong Kong holder takes no part in a personal release, whoever asks."""
    own = world.ask(world.put(), world.custodian, PERSONAL)
    with pytest.raises(NotAllowedError, match="no hk holder has a share"):
        world.side("hk")[0].releases.submit(own.envelope)


def test_another_custodian_is_refused(world: World) -> None:
    """Only the custodian that attested may ask for a part as custodian: at vault and holders."""
    other = world.who("cn", "custodian", "trust")
    for part in (ASSET, PERSONAL):
        own = world.ask(world.put(), other, part, submit=False)
        with pytest.raises(NotAllowedError, match="attested by another custodian"):
            world.releases.create(other.principal, own.envelope)
        with pytest.raises(NotAllowedError, match="attested by another custodian"):
            world.side("cn")[0].releases.submit(own.envelope)


def test_a_request_is_its_signers_own(world: World) -> None:
    """One SPV cannot hand in, collect or read what another signed."""
    own = world.ask(world.put())
    other = world.who("hk", "spv", "other").principal
    with pytest.raises(NotAllowedError, match="handed in by"):
        world.releases.create(other, own.envelope)
    with pytest.raises(NotFoundError):
        world.releases.collect(other, own.request.digest)
    with pytest.raises(NotFoundError):
        world.releases.read_blocks(other, own.request.digest, [])
    assert world.releases.list_own(other, after=0, limit=10) == []


@pytest.mark.parametrize("field", ["document", "version", "attestation"])
def test_a_request_about_another_version_finds_nothing(world: World, field: str) -> None:
    """Document, version and attestation must all be those of one deposit."""
    own = world.ask(world.put(), submit=False).request
    other = {"document": "0" * 32, "version": 2, "attestation": "0" * 64}[field]
    named = {"document": own.document, "version": own.version, "attestation": own.attestation}
    changed = ReleaseRequest.build(
        **{**named, field: other},
        requester=own.requester,
        part=ASSET,
        purpose="p",
        legal_basis="b",
        recipient_key=own.recipient_key,
        created=own.created,
        expires=own.expires,
    )
    signed = envelope.sign(PayloadType.RELEASE_REQUEST, changed.data, world.spv.signing_key)
    with pytest.raises(NotFoundError, match="exactly"):
        world.releases.create(world.spv.principal, signed)
    with pytest.raises(NotFoundError, match="exactly"):
        world.side("hk")[0].releases.submit(signed)


# --- officers -----------------------------------------------------------------------------------


def test_officers_of_the_other_side_are_refused(world: World) -> None:
    """A holder lists for and listens to officers of its own side only."""
    own = world.ask(world.put())
    lee = world.who("hk", "officer", "lee")
    signed = sign_decision(lee, own.request, decision="approve", note=None, now=world.clock())
    holder = world.side("cn")[0].releases
    with pytest.raises(NotAllowedError, match="officers of cn only"):
        holder.decide(lee.principal, signed)
    with pytest.raises(NotAllowedError, match="officers of cn only"):
        holder.pending(lee.principal, after=0, limit=10)
    # Handed in by one of its own officers, it is still the other's decision.
    with pytest.raises(NotAllowedError, match="cannot be handed in by"):
        holder.decide(world.who("cn", "officer", "wang").principal, signed)
    assert holder.release(own.request.digest).state is HolderState.WAITING


def test_a_forged_approval_is_refused(world: World) -> None:
    """An approval in an officer's name, signed by another key, counts for nothing."""
    own = world.ask(world.put())
    wang, chen = world.who("cn", "officer", "wang"), world.who("cn", "officer", "chen")
    signed = sign_decision(wang, own.request, decision="approve", note=None, now=world.clock())
    payload = Envelope.parse(signed).unverified_payload
    forged = envelope.sign(PayloadType.APPROVAL, payload, chen.signing_key)
    holder = world.side("cn")[0].releases
    with pytest.raises(SignatureError, match="not the pinned"):
        holder.decide(wang.principal, forged)
    # Nor does one that reached the database some other way.
    world.side("cn")[0].store.add_decision(
        request=own.request.digest,
        digest="f" * 64,
        envelope=forged,
        entry=_entry(world),
    )
    assert holder.release(own.request.digest).state is HolderState.WAITING


def test_a_changed_request_voids_its_approvals(world: World) -> None:
    """An approval is of exact bytes: the same request with another purpose is not approved."""
    sealed = world.put()
    first = approved(world, world.ask(sealed))
    second = world.ask(sealed)
    payload = first.request.data.replace("年度审计 annual audit".encode(), b"a party")
    changed = ReleaseRequest.parse(payload)
    signed = envelope.sign(PayloadType.RELEASE_REQUEST, payload, world.spv.signing_key)
    holder = world.side("hk")[0].releases
    assert holder.release(second.request.digest).state is HolderState.WAITING
    # The changed one bears the id of the approved one, and is refused for that already.
    with pytest.raises(ConflictError, match="was used for another request"):
        holder.submit(signed)
    with pytest.raises(NotFoundError):
        holder.release(changed.digest)
    assert holder.release(first.request.digest).state is HolderState.RELEASED


def test_a_denial_stands_until_its_officer_withdraws_it(world: World) -> None:
    """One officer's denial outweighs another's approval; the officer's own newer word counts."""
    own = world.ask(world.put())
    holder = world.side("cn")[0].releases
    world.decide("cn", own, officer="wang")
    assert world.decide("cn", own, "deny", officer="chen") == [HolderState.DENIED] * 3
    answer = holder.release(own.request.digest)
    assert (answer.state, "cn/officer/chen" in answer.detail) == (HolderState.DENIED, True)
    assert world.decide("cn", own, officer="wang") == [HolderState.DENIED] * 3
    world.clock.forward(timedelta(seconds=2))
    assert world.decide("cn", own, officer="chen") == [HolderState.APPROVED] * 3
    assert holder.release(own.request.digest).state is HolderState.RELEASED


def test_an_older_decision_does_not_undo_a_later_one(world: World) -> None:
    """An approval that was held back on its way is refused after the officer's denial."""
    own = world.ask(world.put())
    wang = world.who("cn", "officer", "wang")
    old = sign_decision(wang, own.request, decision="approve", note=None, now=world.clock())
    world.clock.forward(timedelta(seconds=5))
    world.decide("cn", own, "deny")
    with pytest.raises(ConflictError, match="later decision"):
        world.side("cn")[0].releases.decide(wang.principal, old)


def test_an_approval_that_expired_does_not_count(world: World) -> None:
    """An approval may end earlier than its request; then the holder waits again."""
    own = world.ask(world.put())
    world.decide("cn", own, expires=world.clock() + timedelta(hours=1))
    world.clock.forward(timedelta(hours=2))
    assert world.side("cn")[0].releases.release(own.request.digest).state is HolderState.WAITING


def test_a_denial_after_the_share_left_is_refused(world: World) -> None:
    """What has left cannot be denied: the officer is told so instead of reassured."""
    own = approved(world, world.ask(world.put()))
    world.link(world.spv).collect(own.request.digest)
    world.clock.forward(timedelta(seconds=2))
    with pytest.raises(ConflictError, match="released its share already"):
        world.decide("cn", own, "deny")
    # An approval given once more, for a holder that was away, is no mistake.
    assert world.decide("cn", own) == [HolderState.RELEASED] * 3


def test_pending_shows_the_exact_bytes(world: World) -> None:
    """An officer sees each unexpired request as signed, until it expires."""
    own = world.ask(world.put(), lifetime=timedelta(days=1))
    wang = world.who("cn", "officer", "wang").principal
    holder = world.side("cn")[0].releases

    def shown() -> dict[str, bytes]:
        return {each.digest: each.envelope for each in holder.pending(wang, after=0, limit=1000)}

    assert shown()[own.request.digest] == own.envelope
    world.clock.forward(timedelta(days=1))
    assert own.request.digest not in shown()


# --- holders that are down, shares that are wrong -----------------------------------------------


def test_one_holder_down_is_named_and_the_quorum_opens(world: World, tmp_path: Path) -> None:
    """With one holder of each side away the others are enough, and the missing are named."""
    sealed = world.put()
    world.side("cn")[2].down = world.side("hk")[0].down = True
    own = approved(world, world.ask(sealed))
    fetched = opened(world, own, tmp_path / "out")
    away = [f.holder for f in fetched.combined.findings if f.state is HolderState.UNREACHABLE]
    assert away == [world.side("cn")[2].uri, world.side("hk")[0].uri]


def test_a_holder_that_was_away_gets_the_request_when_shares_are_collected(world: World) -> None:
    """A holder that missed the request takes it at the next collection and waits for officers."""
    sealed = world.put()
    holder = world.side("hk")[0]
    holder.down = True
    own = world.ask(sealed)
    holder.down = False
    world.link(world.spv).collect(own.request.digest)
    world.decide("hk", own)
    collected = world.link(world.spv).collect(own.request.digest)
    states = {answer.holder: answer.state for answer in collected.holders}
    assert states[holder.uri] is HolderState.RELEASED


def _forged(world: World, own: OwnRelease) -> HolderAnswer:
    return replace(_first(world, own), sealed_share=bytes(1168))


def _moved(world: World, own: OwnRelease) -> HolderAnswer:
    return replace(_first(world, own), index=2)


def _of_a_colleague(world: World, own: OwnRelease) -> HolderAnswer:
    second = world.side("hk")[1].releases.release(own.request.digest)
    return replace(_first(world, own), sealed_share=second.sealed_share)


def _of_another_document(world: World, own: OwnRelease) -> HolderAnswer:
    other = approved(world, world.ask(world.put()))
    share = world.side("hk")[0].releases.release(other.request.digest).sealed_share
    return replace(_first(world, own), sealed_share=share)


def _of_another_request(world: World, own: OwnRelease) -> HolderAnswer:
    """The same share of the same document, sealed in answer to another request."""
    request = ReleaseRequest.build(
        requester=own.request.requester,
        document=own.request.document,
        version=own.request.version,
        attestation=own.request.attestation,
        part=ASSET,
        purpose="another",
        legal_basis="another",
        recipient_key=own.key.public,
        created=own.request.created,
        expires=own.request.expires,
    )
    signed = envelope.sign(PayloadType.RELEASE_REQUEST, request.data, world.spv.signing_key)
    again = OwnRelease(request, signed, own.key, own.folder)
    world.link(world.spv).create(signed)
    approved(world, again)
    share = world.side("hk")[0].releases.release(request.digest).sealed_share
    return replace(_first(world, own), sealed_share=share)


def _first(world: World, own: OwnRelease) -> HolderAnswer:
    return world.side("hk")[0].releases.release(own.request.digest)


@pytest.mark.parametrize(
    "fault", [_forged, _moved, _of_a_colleague, _of_another_document, _of_another_request]
)
def test_a_wrong_share_is_named_and_dropped(world: World, tmp_path: Path, fault: object) -> None:
    """A forged, moved or exchanged share costs its holder's name, not the release."""
    own = approved(world, world.ask(world.put()))
    bad = fault(world, own)  # type: ignore[operator]
    world.on_the_way = lambda answer: bad if answer.holder == bad.holder else answer
    fetched = opened(world, own, tmp_path / "out")
    assert [finding.holder for finding in fetched.combined.dropped] == [world.side("hk")[0].uri]
    assert values_in(tmp_path / "out")["capacity"] == ("20.000 MW", True)


def test_a_share_that_the_manifest_does_not_know_is_dropped(world: World, tmp_path: Path) -> None:
    """A holder that seals another scalar correctly is caught by the digest in the manifest."""
    own = approved(world, world.ask(world.put()))
    request, liar = own.request, world.side("cn")[1]
    info = release_info(
        request.document,
        request.version,
        request.part,
        "cn",
        2,
        liar.uri,
        1,
        bytes.fromhex(request.attestation),
        bytes.fromhex(request.digest),
        request.recipient_key.digest,
    )
    forged = seal(request.recipient_key, encode_scalar(7), info)
    liar.tamper = lambda answer: replace(answer, sealed_share=forged)
    fetched = opened(world, own, tmp_path / "out")
    assert [(f.holder, "forged" in f.problem) for f in fetched.combined.dropped] == [
        (liar.uri, True)
    ]


def test_too_many_wrong_shares_open_nothing(world: World, tmp_path: Path) -> None:
    """With two bad shares of three there is no quorum; both holders are named."""
    own = approved(world, world.ask(world.put()))
    bad = {holder.uri for holder in world.side("hk")[:2]}
    world.on_the_way = lambda a: replace(a, sealed_share=bytes(1168)) if a.holder in bad else a
    with pytest.raises(NotEnoughSharesError, match="hk has 1, needs 2") as caught:
        opened(world, own, tmp_path / "out")
    assert all(uri in str(caught.value) for uri in bad)


# --- again, and too late ------------------------------------------------------------------------


def test_a_lost_reply_is_answered_with_the_same_bytes(world: World) -> None:
    """Sealing is random, so equal bytes show that each holder answers with what it kept."""
    own = approved(world, world.ask(world.put()))
    first = [holder.releases.release(own.request.digest) for holder in world.holders]
    second = [holder.releases.release(own.request.digest) for holder in world.holders]
    assert first == second
    link = world.link(world.spv)
    assert link.collect(own.request.digest).holders == link.collect(own.request.digest).holders
    released = [
        record.entry.artefact
        for record in world.holders[0].store.journal.read(_all(), since=None, after=0, limit=1000)
        if record.entry.event == "share.released" and record.entry.digest == own.request.digest
    ]
    assert len(released) == 1


def test_an_expired_request_gets_nothing(world: World, tmp_path: Path) -> None:
    """After its expiry neither vault nor holders give anything, whatever was approved."""
    own = approved(world, world.ask(world.put(), lifetime=timedelta(days=1)))
    world.clock.forward(timedelta(days=1))
    with pytest.raises(NotAllowedError, match="expired at"):
        opened(world, own, tmp_path / "out")
    with pytest.raises(NotAllowedError, match="expired at"):
        world.releases.read_blocks(world.spv.principal, own.request.digest, [])
    answer = world.side("cn")[0].releases.release(own.request.digest)
    assert answer.state is HolderState.EXPIRED
    with pytest.raises(NotAllowedError, match="expired at"):
        world.decide("cn", own)


def test_the_request_survives_in_the_identity_folder(world: World) -> None:
    """Request and seed are kept before anything is sent, the seed for its owner alone."""
    own = world.ask(world.put(), submit=False)
    found = find_own(world.spv, own.request.digest[:12])
    assert (found.envelope, found.key.seed) == (own.envelope, own.key.seed)
    assert (own.folder / "recipient-seed.bin").stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotFoundError):
        find_own(world.spv, "zz")


# --- blocks -------------------------------------------------------------------------------------


def test_blocks_of_the_named_part_only(world: World) -> None:
    """A released asset part gives no personal block, and no block of another document."""
    sealed, other = world.put(), world.put()
    own = approved(world, world.ask(sealed))
    world.link(world.spv).collect(own.request.digest)
    spv, digest = world.spv.principal, own.request.digest
    mine = next(world.releases.read_blocks(spv, digest, [sealed.asset_root.binary]))
    assert mine[0] == sealed.asset_root
    assert sealed.personal_root is not None
    for cid in (sealed.personal_root, other.asset_root):
        with pytest.raises(NotFoundError, match="no block of the asset part"):
            world.releases.read_blocks(spv, digest, [sealed.asset_root.binary, cid.binary])
    with pytest.raises(InvalidInputError, match="1024"):
        world.releases.read_blocks(spv, digest, [sealed.asset_root.binary] * 1025)


def test_wrong_bytes_of_a_block_are_named(world: World, tmp_path: Path) -> None:
    """A vault that sends other bytes is caught by the CID, and nothing is written."""
    sealed = world.put()
    own = approved(world, world.ask(sealed))
    world.changed[sealed.asset_root] = b"other bytes"
    with pytest.raises(IntegrityError, match=f"{sealed.asset_root}.*the vault main") as caught:
        opened(world, own, tmp_path / "out")
    assert not isinstance(caught.value, AttestationMismatchError)
    assert list(tmp_path.iterdir()) == []


# --- what a custodian stored against its own word -----------------------------------------------


def _other_value(record: DocumentRecord) -> DocumentRecord:
    return _with(record, "capacity", value="21.000 MW")


def _other_blinding(record: DocumentRecord) -> DocumentRecord:
    return _with(record, "capacity", blinding=bytes(31) + b"\x07")


def _left_out(record: DocumentRecord) -> DocumentRecord:
    kept = tuple(each for each in record.attributes if each.name != "capacity")
    return replace(record, attributes=kept)


def _added(record: DocumentRecord) -> DocumentRecord:
    entry = replace(record.attributes[0], name="commissioned", value="2019-01-01")
    return replace(record, attributes=(*record.attributes, entry))


def _unknown(record: DocumentRecord) -> DocumentRecord:
    entry = replace(record.attributes[0], name="colour")
    return replace(record, attributes=(*record.attributes, entry))


def _other_spelling(record: DocumentRecord) -> DocumentRecord:
    return _with(record, "capacity", value="20 MW")


def _with(record: DocumentRecord, name: str, **change: object) -> DocumentRecord:
    return replace(
        record,
        attributes=tuple(
            replace(each, **change) if each.name == name else each for each in record.attributes
        ),
    )


@pytest.mark.parametrize(
    ("rewrite", "said"),
    [
        (_other_value, "capacity: the stored value does not open the attested commitment"),
        (_other_blinding, "capacity: the stored value does not open the attested commitment"),
        (_left_out, "capacity: attested and not stored"),
        (_added, "commissioned: stored and attested as absent"),
        (_unknown, "colour: not an attribute of this part"),
        (_other_spelling, "capacity: stored in a form that its schema does not admit"),
    ],
)
def test_a_custodian_that_stored_something_else_is_found(
    world: World, tmp_path: Path, rewrite: object, said: str
) -> None:
    """The vault could not see it: only who opens the part finds the lie, and says whose it is."""
    own = approved(world, world.ask(world.put(rewrite={ASSET: rewrite})))  # type: ignore[dict-item]
    with pytest.raises(AttestationMismatchError) as caught:
        opened(world, own, tmp_path / "out")
    assert caught.value.problems == (said,)
    assert world.custodian.uri in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_mismatch_can_be_kept_as_evidence(world: World, tmp_path: Path) -> None:
    """On demand the part is written all the same, with every value marked."""
    own = approved(world, world.ask(world.put(rewrite={ASSET: _other_value})))
    fetched = opened(world, own, tmp_path / "out", keep_mismatch=True)
    assert fetched.record.problems
    assert values_in(tmp_path / "out") == {"code": ("PV-7", True), "capacity": ("21.000 MW", False)}


def test_a_record_of_another_document_is_found(world: World, tmp_path: Path) -> None:
    """A record that was copied from another document does not pass for this one's."""

    def moved(record: DocumentRecord) -> DocumentRecord:
        return replace(record, document="0" * 32)

    own = approved(world, world.ask(world.put(rewrite={ASSET: moved})))
    with pytest.raises(AttestationMismatchError, match="of another document"):
        opened(world, own, tmp_path / "out", keep_mismatch=True)


def test_a_missing_attachment_is_found(world: World, tmp_path: Path) -> None:
    """The record lists exactly the files of the part, by name, type and length."""
    file = tmp_path / "file"
    file.write_bytes(b"content")
    files = [FileToSeal(ASSET, file, FileInfo("a.txt", "text/plain", 7))]

    def renamed(record: DocumentRecord) -> DocumentRecord:
        return replace(record, attachments=(replace(record.attachments[0], name="b.txt"),))

    def none(record: DocumentRecord) -> DocumentRecord:
        return replace(record, attachments=())

    for rewrite in (renamed, none):
        own = approved(world, world.ask(world.put(files=files, rewrite={ASSET: rewrite})))
        with pytest.raises(AttestationMismatchError):
            opened(world, own, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_removed_requester_gets_nothing(tmp_path: Path) -> None:
    """An SPV that its site no longer lists is refused by holders, approved or not."""
    world = make_world(tmp_path / "own")
    own = approved(world, world.ask(world.put()))
    world.sites.hk.remove("spv", "issuer", now=world.clock())
    world.sites.exchange()
    _refresh(world)
    for holder in (world.side("cn")[0], world.side("hk")[0]):
        with pytest.raises(NotFoundError, match="not listed by its site"):
            holder.releases.release(own.request.digest)
    world.close()


def test_a_removed_officers_approval_no_longer_counts(tmp_path: Path) -> None:
    """An approval is judged when the share leaves: its officer must still be listed then."""
    world = make_world(tmp_path / "own")
    own = world.ask(world.put())
    world.decide("cn", own)
    world.sites.cn.remove("officer", "wang", now=world.clock())
    world.sites.exchange()
    _refresh(world)
    assert world.side("cn")[0].releases.release(own.request.digest).state is HolderState.WAITING
    world.close()


def _refresh(world: World) -> None:
    for holder in world.holders:
        holder.releases._sites.refresh()


def _entry(world: World) -> Entry:
    return Entry("test", world.clock(), "nobody")


def _all() -> Scope:
    return Scope(everything=True)
