"""Holders that are away or lie, blocks that are wrong, custodians that stored something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.release_world import (
    World,
    approved,
    opened,
    shared_world,
    values_in,
    world,
)

from proofs import envelope
from proofs.envelope import PayloadType
from vault.client.combine import NotEnoughSharesError
from vault.client.openings import AttestationMismatchError
from vault.client.prepare import FileToSeal
from vault.client.release import OwnRelease
from vault.crypto.content import FileInfo
from vault.crypto.contexts import release_info
from vault.crypto.field import encode_scalar
from vault.crypto.hpke import seal
from vault.document_record import DocumentRecord
from vault.errors import (
    IntegrityError,
    InvalidInputError,
    NotFoundError,
)
from vault.model import ASSET
from vault.release_model import HolderAnswer, HolderState
from vault.signed.release_request import ReleaseRequest

__all__ = ["shared_world", "world"]  # fixtures


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
