"""Sealing on the custodian's machine: what leaves, what opens it, and what is never alike."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.documents import PLANT, plant
from support.sites import TwoSites, make_two_sites

from proofs import group, pedersen
from proofs.attestation import Attestation, personal_part_digest
from proofs.envelope import Envelope, PayloadType, key_id
from proofs.values import format_value
from proofs.witness import Witness
from vault.client.prepare import FileToSeal, PreparedDocument, file_to_seal
from vault.client.seal import Sealed, Sealer
from vault.crypto import hpke
from vault.crypto.cids import Cid, Codec
from vault.crypto.content import OpenedPart, open_part
from vault.crypto.contexts import store_info, witness_info
from vault.crypto.keys import SideKey, derive_part_key
from vault.crypto.root import decode_root
from vault.crypto.shares import Share, combine_checked
from vault.document_record import DocumentRecord
from vault.errors import IntegrityError, InvalidInputError, NotAllowedError
from vault.identity import Identity
from vault.model import ASSET, PERSONAL, Part, Side, sides_of
from vault.pki import now_utc


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"))


def key_of(sites: TwoSites) -> bytes:
    """The fingerprint of the custodian's signing key."""
    public = sites.identity("cn", "custodian", "bank").signing_key.public_key()
    return bytes.fromhex(key_id(public.public_bytes_raw()))


@dataclass
class Result:
    """A sealed document with its blocks, and the sites whose keys open it."""

    sites: TwoSites
    blocks: dict[Cid, tuple[Part, bytes]]
    sealed: Sealed

    @property
    def attestation(self) -> Attestation:
        bank = self.sites.identity("cn", "custodian", "bank").signing_key.public_key()
        signed = Envelope.parse(self.sealed.attestation)
        return Attestation.parse(signed.verify(bank.public_bytes_raw(), PayloadType.ATTESTATION))

    def share(self, part: Part, side: Side, holder: Identity) -> Share:
        """One holder's plain share, opened with its key."""
        sealed = self.sealed
        (found,) = [s for s in sealed.shares if (s.holder, s.part) == (holder.uri, part)]
        info = store_info(
            sealed.document,
            sealed.version,
            part,
            side,
            found.index,
            holder.uri,
            1,
            bytes.fromhex(sealed.attestation_digest),
            key_of(self.sites),
        )
        return Share(found.index, hpke.open(holder.require_hpke_key(), found.sealed, info))

    def side_key(self, part: Part, side: Side, holders: slice) -> SideKey:
        """A side's secret from some of its holders, checked against the manifest."""
        sealed = self.sealed
        secret = sealed.manifest.secret(part, side)
        assert secret is not None
        return combine_checked(
            [self.share(part, side, holder) for holder in self.sites.holders(side)[holders]],
            threshold=2,
            share_digests=dict(enumerate(secret.shares, start=1)),
            expected_secret=secret.secret,
            document=sealed.document,
            version=sealed.version,
            part=part,
            side=side,
            epoch=1,
        ).key

    def open(self, part: Part, holders: slice = slice(0, 2)) -> OpenedPart:
        """The part in plain, from a quorum of each side that it needs."""
        sealed = self.sealed
        keys = {side: self.side_key(part, side, holders) for side in sides_of(part)}
        key = derive_part_key(sealed.document, sealed.version, part, keys["cn"], keys.get("hk"))
        root = sealed.asset_root if part == ASSET else sealed.personal_root
        assert root is not None
        return open_part(key, self.blocks[root][1], lambda cid: self.blocks[cid][1])


def seal(sites: TwoSites, prepared: PreparedDocument) -> Result:
    bank = sites.identity("cn", "custodian", "bank")
    sealing = Sealer(bank, bank.sites(), now_utc).begin(prepared)
    blocks = {cid: (part, data) for part, cid, data in sealing.blocks()}
    return Result(sites, blocks, sealing.finish())


def test_a_quorum_of_both_sides_opens_the_asset_part(sites: TwoSites, tmp_path: Path) -> None:
    """Any two holders of each side give the record and the attachments back."""
    content = os.urandom(2_500_000)
    (tmp_path / "plan.pdf").write_bytes(content)
    result = seal(sites, plant(files=[file_to_seal(f"asset:{tmp_path / 'plan.pdf'}")]))
    for holders in (slice(0, 2), slice(1, 3)):
        opened = result.open(ASSET, holders)
        record = DocumentRecord.parse(opened.record)
        assert [(entry.name, entry.value) for entry in record.attributes] == [
            ("code", "CN-001"),
            ("started", "2013-07-01"),
            ("capacity", "12600.500 MW"),
            ("fuel", "Hydro"),
            ("year", "2013"),
        ]
        (attachment,) = opened.attachments()
        assert (attachment.info.name, attachment.info.media_type) == ("plan.pdf", "application/pdf")
        assert b"".join(attachment.pieces()) == content
        (listed,) = record.attachments
        assert (listed.stream, listed.name, listed.length) == (1, "plan.pdf", len(content))


def test_the_personal_part_opens_with_the_mainland_alone(sites: TwoSites) -> None:
    """It holds the personal attributes and nothing else; the asset part holds none of them."""
    result = seal(sites, plant())
    record = DocumentRecord.parse(result.open(PERSONAL).record)
    assert [entry.name for entry in record.attributes] == ["owner"]
    assert [s.holder for s in result.sealed.shares if s.part == PERSONAL] == [
        holder.uri for holder in sites.holders("cn")
    ]


def test_one_sides_key_opens_neither_part_key_alone(sites: TwoSites) -> None:
    """The secrets of the parts are independent: a release of one opens nothing of the other."""
    result = seal(sites, plant())
    asset, personal = (result.side_key(part, "cn", slice(0, 2)) for part in (ASSET, PERSONAL))
    assert asset.value != personal.value
    sealed = result.sealed
    root = result.blocks[sealed.asset_root][1]
    wrong = derive_part_key(sealed.document, 1, ASSET, asset, asset)
    with pytest.raises(IntegrityError):
        open_part(wrong, root, lambda cid: result.blocks[cid][1])


def test_a_share_opens_for_its_holder_at_its_place_only(sites: TwoSites) -> None:
    """Another holder's key, and another place, do not open it."""
    result = seal(sites, plant())
    sealed, holders = result.sealed, sites.holders("cn")
    (found,) = [s for s in sealed.shares if (s.holder, s.part) == (holders[0].uri, ASSET)]
    digest, key = bytes.fromhex(sealed.attestation_digest), key_of(sites)
    right = store_info(sealed.document, 1, ASSET, "cn", 1, holders[0].uri, 1, digest, key)
    assert len(hpke.open(holders[0].require_hpke_key(), found.sealed, right)) == 32
    with pytest.raises(IntegrityError):
        hpke.open(holders[1].require_hpke_key(), found.sealed, right)
    for info in (
        store_info(sealed.document, 2, ASSET, "cn", 1, holders[0].uri, 1, digest, key),
        store_info(sealed.document, 1, PERSONAL, "cn", 1, holders[0].uri, 1, digest, key),
        store_info(sealed.document, 1, ASSET, "cn", 1, holders[0].uri, 2, digest, key),
        store_info(sealed.document, 1, ASSET, "cn", 1, holders[0].uri, 1, bytes(32), key),
        store_info(sealed.document, 1, ASSET, "cn", 1, holders[0].uri, 1, digest, bytes(32)),
    ):
        with pytest.raises(IntegrityError):
            hpke.open(holders[0].require_hpke_key(), found.sealed, info)


def test_records_open_the_attested_commitments(sites: TwoSites) -> None:
    """Value and blinding of every attribute stand in its part and give the commitment."""
    prepared = plant()
    result = seal(sites, prepared)
    attestation = result.attestation
    entries = {
        entry.name: entry
        for part in (ASSET, PERSONAL)
        for entry in DocumentRecord.parse(result.open(part).record).attributes
    }
    witness_key = sites.vault.require_hpke_key()
    info = witness_info(result.sealed.document, 1, bytes.fromhex(result.sealed.attestation_digest))
    witness = Witness.parse(hpke.open(witness_key, result.sealed.sealed_witness, info))
    witness.check_against(attestation, PLANT)
    for index, attribute in enumerate(PLANT.attributes):
        value, pair = prepared.values[attribute.name], witness.values[index]
        assert value is not None
        assert pair is not None
        entry = entries[attribute.name]
        assert entry.value == format_value(attribute, value)
        blinding = group.decode_scalar(entry.blinding)
        found = group.encode_point(pedersen.commit(pair[0], blinding))
        assert found == attestation.commitments[index]


def test_absence_is_attested(sites: TwoSites) -> None:
    """No commitment for an absent attribute, and no personal part when nothing is personal."""
    result = seal(sites, plant(year=None, owner=None))
    attestation = result.attestation
    assert [c is not None for c in attestation.commitments] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert (attestation.personal_part, result.sealed.personal_root) == (None, None)
    assert {part for part, _ in result.blocks.values()} == {ASSET}
    assert {share.part for share in result.sealed.shares} == {ASSET}


def test_the_personal_cid_is_hidden(sites: TwoSites) -> None:
    """The attestation commits to it; the salt opens that."""
    sealed = (result := seal(sites, plant())).sealed
    assert sealed.personal_root is not None
    assert sealed.personal_salt is not None
    assert result.attestation.personal_part == personal_part_digest(
        sealed.personal_salt, sealed.personal_root.text
    )
    assert sealed.personal_root.text.encode() not in result.attestation.data


def test_two_puts_of_one_document_share_nothing(sites: TwoSites) -> None:
    """No block, key, share, id, commitment or witness occurs twice."""
    one, two = seal(sites, plant()), seal(sites, plant())
    assert not one.blocks.keys() & two.blocks.keys()
    assert one.sealed.document != two.sealed.document
    assert one.sealed.request_id != two.sealed.request_id
    assert not set(one.attestation.commitments) & set(two.attestation.commitments)
    assert one.side_key(ASSET, "hk", slice(0, 2)) != two.side_key(ASSET, "hk", slice(0, 2))


def test_lengths_tell_little(sites: TwoSites) -> None:
    """Records of short and long values are of one size."""
    short, long = seal(sites, plant(code="A")), seal(sites, plant(code="A" * 900))
    sizes = [
        sorted(len(data) for cid, (_, data) in result.blocks.items() if cid.codec is Codec.RAW)
        for result in (short, long)
    ]
    assert sizes[0] == sizes[1] == [4112, 4112]


CANARY = "CanaryOwner7351"


def spellings(text: str) -> list[bytes]:
    """A text as it might leak: UTF-8, UTF-16, hex, base64 at three offsets, any case."""
    found = []
    for form in (text, text.casefold(), text.upper()):
        for encoded in (form.encode(), form.encode("utf-16-le"), form.encode("utf-16-be")):
            found += [encoded, encoded.hex().encode()]
            for offset in range(3):
                # Without the ends, which depend on what stands around it.
                found.append(base64.b64encode(bytes(offset) + encoded)[4:-4])
    return found


def test_no_canary_leaves(sites: TwoSites, tmp_path: Path) -> None:
    """Values, file names and contents are in nothing that is sent, in any spelling."""
    path = tmp_path / f"{CANARY}.txt"
    path.write_text(CANARY * 1000)
    result = seal(sites, plant(code=CANARY, owner=CANARY, files=[file_to_seal(str(path))]))
    sealed = result.sealed
    everything = [data for _, data in result.blocks.values()]
    everything += [share.sealed for share in sealed.shares]
    everything += [sealed.sealed_witness]
    for signed in (sealed.attestation, sealed.key_manifest):
        everything += [signed, Envelope.parse(signed).unverified_payload]
    for spelling in spellings(CANARY):
        assert [data for data in everything if spelling in data] == []
    # The search finds what is there: the same text in a planted leak.
    leak = base64.b64encode(b"xx" + CANARY.encode() + b"yyy")
    assert any(spelling in leak for spelling in spellings(CANARY))


def test_only_custodians_seal(sites: TwoSites) -> None:
    """An SPV's client refuses before anything is drawn."""
    issuer = sites.identity("hk", "spv", "issuer")
    with pytest.raises(NotAllowedError, match="only a mainland custodian"):
        Sealer(issuer, issuer.sites(), now_utc)


def test_a_site_that_lists_too_few_holders_is_refused(tmp_path: Path) -> None:
    """Sealed for two of three holders, one loss more than planned would be the end."""
    sites = make_two_sites(tmp_path)
    sites.hk.remove("holder", "h3", now=now_utc())
    sites.exchange()
    bank = sites.identity("cn", "custodian", "bank")
    with pytest.raises(InvalidInputError, match="lists 2 of its 3 holders"):
        Sealer(bank, bank.sites(), now_utc)


def test_roots_list_their_blocks_and_nothing_else(sites: TwoSites) -> None:
    """Every chunk of a part is linked by its root, with its length."""
    result = seal(sites, plant())
    linked = dict(decode_root(result.blocks[result.sealed.asset_root][1]).blocks())
    chunks = {
        cid: len(data)
        for cid, (part, data) in result.blocks.items()
        if part == ASSET and cid.codec is Codec.RAW
    }
    assert linked == chunks


def test_a_file_is_personal_unless_said_otherwise(tmp_path: Path) -> None:
    """What is attached in haste stays onshore."""
    path = tmp_path / "scan.png"
    path.write_bytes(b"x")
    found: FileToSeal = file_to_seal(str(path))
    assert (found.part, found.info.media_type) == (PERSONAL, "image/png")
    assert file_to_seal(f"asset:{path}").part == ASSET
    assert file_to_seal(f"personal:{path}").part == PERSONAL
    with pytest.raises(InvalidInputError, match="plain file"):
        file_to_seal(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        file_to_seal(str(tmp_path / "missing"))
