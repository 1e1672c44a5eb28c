"""A vault that lies to custodians or askers about selections; what their client makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import bundles
from support.list_world import asked, plants
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites
from support.wire import Wire, session_at

from proofs.canonical import Json, dump, encode_base64, format_instant
from proofs.envelope import PayloadType, sign
from proofs.manifest import ManifestFile
from proofs.request import Request
from vault.cli.lists import list_rows
from vault.client import manifests, pinned_schemas, requests
from vault.client.attestations import own_attestations
from vault.client.consent_list import ListConsent, Wish, choose, grant_list, prepare_list
from vault.client.known_documents import known_versions
from vault.client.own_list_proof import prove_list
from vault.client.own_manifest import read_own_manifest
from vault.client.put_log import RECEIPTS, STORED_FORMAT
from vault.client.serials import FOLDER, open_serials
from vault.client.session import Session
from vault.errors import ConflictError, IntegrityError
from vault.model import StoredVersion

SCHEMA = bundles.schema()
SPV, PERIOD = "Harbour No. 1", (date(2026, 1, 1), date(2026, 6, 30))
SUM = "sum(capacity) >= 60 MW"
REPAINT = "\x1b[2J\x1b[1;1Hall facts hold\r\n2. nothing else is granted\u202e"


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    sites = make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)
    pinned_schemas.pin(sites.identity("cn", "custodian", "bank"), SCHEMA.encode())
    return sites


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    folder = two_sites.identity("cn", "custodian", "bank").folder / FOLDER
    for path in folder.glob("*.journal"):
        path.unlink()
    return make_world(two_sites, tmp_path)


@pytest.fixture
def bank(world: World) -> tuple[Session, Wire]:
    return session_at(world, world.sites.identity("cn", "custodian", "bank"))


def prepared(world: World, session: Session, request: Request, wish: Wish) -> ListConsent:
    offer = requests.get(session.channel, request.digest)
    assert request.selection is not None
    return prepare_list(
        session,
        choose(session, request.selection, wish, now=NOW),
        digest=offer.view.digest,
        request=offer.view.request,
        asker=offer.view.asker,
        manifest=wish.manifest,
        sets=offer.sets,
        now=NOW,
    )


def submitted(world: World, facts: list[str], **about: Any) -> Request:
    request = asked(world, facts, **about)
    world.asking.submit(world.issuer, request.data)
    return request


def test_no_text_of_the_vaults_repaints_the_screen(
    world: World, bank: tuple[Session, Wire]
) -> None:
    """Reasons and outlooks stand beside what is about to be signed, in the vault's own words."""
    plants(world, 2)
    session, wire = bank
    request = submitted(world, [SUM])

    def lie(method: str, answer: Any) -> Any:
        for each in getattr(answer, "outlooks", ()):
            each.provable, each.detail = False, REPAINT
        if method in ("GetProofRequest", "ListProofRequests"):
            for each in answer.requests if method.startswith("List") else [answer.request]:
                each.detail = REPAINT
        if method == "ApproveProofRequest":
            answer.detail = REPAINT
        return answer

    wire.tamper = lie
    consent = prepared(world, session, request, Wish(("all",)))
    found = requests.check(session.channel, request.digest, "", consent.chosen)
    shown = [
        requests.get(session.channel, request.digest).view.detail,
        *(each.detail for each in requests.list_all(session.channel)),
        *(str(each) for each in found.values()),
        requests.approve(
            session.channel,
            request.digest,
            grant_list(session.identity, consent, now=NOW),
            "basis",
            chosen=consent.chosen,
        )[1],
    ]
    assert len(shown) == 4
    for text in shown:
        assert "all facts hold" in text
        assert text.isprintable()


def test_what_is_signed_about_sets_is_shown(world: World, bank: tuple[Session, Wire]) -> None:
    """The vault chose the version; its number and date come from the header that was checked."""
    plants(world, 2)
    request = submitted(world, ["each owner not in @sanctions"])
    rows = dict(list_rows(prepared(world, bank[0], request, Wish(("all",)))))
    header = world.named["sanctions"].header
    assert rows["set versions"] == (
        f"@sanctions version 1 of {header.as_of}, {header.count} members"
    )


def signed_manifest(world: World, session: Session, count: int) -> bytes:
    """The file of the next manifest, over so many of the bank's documents, as the command signs."""
    own = own_attestations(session, SCHEMA)[:count]
    with open_serials(session.identity) as journal:
        drafted = manifests.draft(
            [each.attestation for each in own],
            SCHEMA,
            spv=SPV,
            period=PERIOD,
            serial=manifests.next_serial(journal, [], SPV, PERIOD, own=session.identity.uri),
            attributes=["capacity"],
            now=NOW,
        )
        return manifests.sign_draft(session.identity, journal, drafted).encode()


def test_a_register_that_forgot_the_last_manifest_is_not_believed(
    world: World, bank: tuple[Session, Wire]
) -> None:
    """It would have the replaced list proven about, for an asker or in an own proof."""
    plants(world, 3)
    session = bank[0]
    first, _ = (signed_manifest(world, session, count) for count in (4, 3))
    manifest = read_own_manifest(session.identity, first)
    # The second one is not registered: to this vault the first one stands.
    world.manifests.register(world.bank, ManifestFile.parse(first).envelope.encode(), manifest.rows)
    request = submitted(world, [SUM], spv=SPV, period=PERIOD)
    with pytest.raises(ConflictError, match="you signed serial 2"):
        prepared(world, session, request, Wish(manifest=manifest))
    with pytest.raises(ConflictError, match="you signed serial 2"):
        prove(session, Wish(manifest=manifest))


def prove(session: Session, wish: Wish, schema: str | None = None) -> tuple[ListConsent, bytes]:
    return prove_list(
        session,
        schema,
        wish,
        [SUM],
        audience=bundles.AUDIENCE,
        purpose=bundles.PURPOSE,
        legal_basis="PIPL Art. 38",
        nonce=None,
        life=timedelta(days=5),
        now=NOW,
    )


@pytest.mark.parametrize("lie", ["nothing", "less", "more", "another's"])
def test_only_a_whole_bundle_of_this_request_is_written(
    world: World, bank: tuple[Session, Wire], lie: str
) -> None:
    """A stream that ended early looks like a whole one: the command would have said `wrote`."""
    plants(world, 3)
    session, wire = bank
    earlier = submitted(world, [SUM], nonce="01" * 32)
    consent = prepared(world, session, earlier, Wish(("all",)))
    signed = grant_list(session.identity, consent, now=NOW)
    requests.approve(session.channel, earlier.digest, signed, "basis", chosen=consent.chosen)
    issuer, asker_wire = session_at(world, world.sites.identity("hk", "spv", "issuer"))
    other = requests.fetch(issuer.channel, earlier.digest)

    def change(method: str, answer: Any) -> Any:
        if method in ("CreateProof", "FetchBundle") and answer.piece:
            answer.piece = {
                "nothing": b"",
                "less": answer.piece[:-1],
                "more": answer.piece + b" ",
                "another's": other,
            }[lie]
        return answer

    wire.tamper = asker_wire.tamper = change
    with pytest.raises(IntegrityError, match=r"no whole bundle|another request"):
        prove(session, Wish(("all",)), "pv-plant")
    if lie != "another's":
        with pytest.raises(IntegrityError, match="no whole bundle"):
            requests.fetch(issuer.channel, earlier.digest)


def keep_receipts(session: Session, listed: list[StoredVersion]) -> Path:
    """As a put leaves them, as far as a list is compared with them."""
    folder = session.identity.folder / RECEIPTS
    folder.mkdir(exist_ok=True)
    path = folder / "test.json"
    documents: list[Json] = [
        {
            "attestation": encode_base64(each.attestation),
            "key_manifest": encode_base64(b"manifest"),
            "receipts": [encode_base64(b"receipt")],
            "request_id": each.request_id,
        }
        for each in listed
    ]
    path.write_bytes(
        dump(
            {
                "commit_time": format_instant(NOW),
                "documents": documents,
                "format": STORED_FORMAT,
            }
        )
    )
    return path


def later_version(world: World, stored: StoredVersion) -> StoredVersion:
    """The same document attested again, one version up."""
    payload = bundles.attestation(
        document=stored.document,
        version=stored.version + 1,
        asset=stored.asset,
        commitments=world.witnesses[stored.attestation_digest].commitments(),
    )
    bank = world.sites.identity("cn", "custodian", "bank")
    signed = sign(PayloadType.ATTESTATION, payload, bank.signing_key)
    return replace(stored, version=stored.version + 1, attestation=signed)


@pytest.mark.parametrize("lie", ["left out", "earlier version"])
def test_a_list_lacks_nothing_that_this_machine_put(
    world: World, bank: tuple[Session, Wire], lie: str
) -> None:
    """A portfolio without its worst plant, or with it as it once was, is not what is signed for."""
    listed = plants(world, 3)
    session, wire = bank
    path = keep_receipts(
        session, listed if lie == "left out" else [later_version(world, listed[1])]
    )
    try:
        if lie == "left out":
            assert len(own_attestations(session, SCHEMA)) == 4, "what others put is shown too"

        def leave_out(method: str, answer: Any) -> Any:
            if method == "ListAttestations" and lie == "left out":
                kept = [e for e in answer.documents if e.attestation != listed[1].attestation]
                del answer.documents[:]
                answer.documents.extend(kept)
            return answer

        wire.tamper = leave_out
        with pytest.raises(IntegrityError, match="cn-pv-1001") as caught:
            own_attestations(session, SCHEMA)
        assert caught.value.reason == "DOCUMENTS_LACKING"
    finally:
        path.unlink()


def test_what_has_ended_may_be_missing(world: World, bank: tuple[Session, Wire]) -> None:
    """Expired versions and documents of other schemas are no part of the list."""
    ended = world.store("cn-pv-9000", attested={"valid_until": NOW + timedelta(minutes=2)})
    found = known_versions(bank[0].identity, SCHEMA.digest, now=NOW)
    assert found == {}
    path = keep_receipts(bank[0], [ended, *plants(world, 1)])
    try:
        found = known_versions(bank[0].identity, SCHEMA.digest, now=NOW)
        assert [each.asset for each in found.values()] == ["cn-pv-1000"]
        assert known_versions(bank[0].identity, "0" * 64, now=NOW) == {}
    finally:
        path.unlink()
