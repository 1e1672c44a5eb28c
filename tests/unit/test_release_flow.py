"""Releases from request to folder, with every real part and no processes."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.release_world import (
    World,
    approved,
    make_world,
    opened,
    shared_world,
    values_in,
    world,
)

from proofs import envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import SignatureError
from vault.client.approve import sign_decision
from vault.client.combine import NotEnoughSharesError
from vault.client.prepare import FileToSeal
from vault.client.release import fetch, find_own
from vault.crypto.content import FileInfo
from vault.errors import (
    ConflictError,
    ExhaustedError,
    NotAllowedError,
    NotFoundError,
)
from vault.identity import Identity
from vault.model import ASSET, PERSONAL
from vault.release_model import HolderState
from vault.server.auth import _caller
from vault.server.holder_releases import HolderReleaseMethods
from vault.server.limits import Limits
from vault.server.releases import ReleaseServicer
from vault.server.tls import Caller
from vault.signed.release_request import LIMIT, ReleaseRequest
from vault.storage.journal import Entry, Scope
from vault.v1 import holder_pb2, release_pb2

__all__ = ["shared_world", "world"]  # fixtures


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
    for take in (holder.submit, world.link(world.spv).create):
        with pytest.raises(ConflictError, match="was used for another request"):
            take(signed)
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


def test_no_denial_is_taken_while_the_share_is_leaving(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A denial that comes in the middle of a release is not acknowledged: it is too late."""
    own = world.ask(world.put())
    world.decide("cn", own)
    world.clock.forward(timedelta(seconds=2))
    holder = world.side("cn")[0]
    add_released = holder.store.add_released
    with ThreadPoolExecutor(1) as pool:

        def denied_meanwhile(**arguments: Any) -> None:
            denials.append(pool.submit(world.decide, "cn", own, "deny", holders=[holder]))
            wait(denials, timeout=0.3)  # without the lock it would be taken by now
            add_released(**arguments)

        denials: list[Future[Any]] = []
        monkeypatch.setattr(holder.store, "add_released", denied_meanwhile)
        assert holder.releases.release(own.request.digest).state is HolderState.RELEASED
        with pytest.raises(ConflictError, match="released its share already"):
            denials[0].result()


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


def test_a_page_of_the_largest_release_requests_can_be_delivered(world: World) -> None:
    """A requester that asks very often cannot keep officers, or itself, from listing requests.

    A page over the bound of a message would never arrive, and no officer could decide anything.
    """
    sealed = world.put()
    holder = world.side("cn")[0]
    for other in world.holders:
        other.down = other is not holder
    for _ in range(130):
        world.ask(sealed)
    at_holder = HolderReleaseMethods()
    at_holder.releases = holder.releases
    at_vault = ReleaseServicer(world.releases)

    async def sizes(who: Identity, method: Any, request: Any) -> list[int]:
        _caller.set(Caller(who.sites().principal(who.principal)))
        found: list[int] = []
        while not found or request.page_token:
            page = await method(request, None)
            found.append(len(page.releases))
            request.page_token = page.next_page_token
        return found

    for who, method, request in (
        (
            world.who("cn", "officer", "wang"),
            at_holder.ListPendingReleases,
            holder_pb2.ListPendingReleasesRequest(page_size=1000),
        ),
        (world.spv, at_vault.ListReleases, release_pb2.ListReleasesRequest(page_size=1000)),
    ):
        found = asyncio.run(sizes(who, method, request))
        assert len(found) > 1
        assert sum(found) >= 130
        assert max(found) * 2 * LIMIT <= Limits().send_bytes - (1 << 20)


def test_a_decision_outside_its_time_is_refused(world: World) -> None:
    """One that is dated ahead, or has run out, is not taken and kept for later."""
    own = world.ask(world.put())
    wang, holder = world.who("cn", "officer", "wang"), world.side("cn")[0].releases
    hour = timedelta(hours=1)
    for time, expires in (
        (world.clock() + hour, None),
        (world.clock() - 2 * hour, world.clock() - hour),
    ):
        signed = sign_decision(
            wang, own.request, decision="approve", note=None, now=time, expires=expires
        )
        with pytest.raises(NotAllowedError) as caught:
            holder.decide(wang.principal, signed)
        assert caught.value.reason == "DECISION_TIME"
    assert world.side("cn")[0].store.decisions(own.request.digest) == []
    world.clock.forward(2 * hour)
    assert holder.release(own.request.digest).state is HolderState.WAITING


def test_a_requester_may_leave_so_many_requests_open_at_a_holder(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is refused, until others expire; one that is there already is no new one."""
    sealed, holder = world.put(), world.side("cn")[0]
    first = world.ask(sealed)
    taken = holder.store.count_unexpired(world.spv.uri, world.clock())
    monkeypatch.setattr("vault.app.holder_release.MAX_PENDING", taken)
    more = world.ask(sealed, submit=False, lifetime=timedelta(days=20))
    with pytest.raises(ExhaustedError, match="open already"):
        holder.releases.submit(more.envelope)
    assert holder.releases.submit(first.envelope).state is HolderState.WAITING
    world.clock.forward(timedelta(days=8))
    assert holder.releases.submit(more.envelope).state is HolderState.WAITING


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
