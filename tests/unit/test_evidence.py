"""What a requester demands of the vault's answer before it opens a share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.release_world import SCHEMA, World, make_world

from proofs import canonical, envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import BindingError, EncodingError, SignatureError, TrustError
from proofs.ids import digest_of
from vault.client.combine import combine_part
from vault.client.evidence import Evidence, check_evidence
from vault.client.release import OwnRelease, make_release
from vault.client.seal import Sealed
from vault.crypto.hpke import HpkeKey
from vault.errors import IntegrityError, InvalidInputError, NotFoundError
from vault.model import ASSET, PERSONAL


class Case:
    """One request about one document, and the honest answer to it, to be changed."""

    def __init__(self, world: World, sealed: Sealed, own: OwnRelease) -> None:
        self.world, self.sealed, self.own = world, sealed, own
        personal = own.request.part == PERSONAL
        root = sealed.personal_root if personal else sealed.asset_root
        assert root is not None
        self.answer: dict[str, bytes] = {
            "attestation": sealed.attestation,
            "key_manifest": sealed.key_manifest,
            "schema": SCHEMA.encode(),
            "root": root.binary,
            "personal_salt": (sealed.personal_salt or b"") if personal else b"",
        }

    def check(self, **change: bytes) -> Evidence:
        """Check the answer with some of it exchanged."""
        sites = self.world.spv.sites()
        return check_evidence(self.own.request, sites, **{**self.answer, **change})

    def signed(self, kind: PayloadType, by: Any, of: bytes) -> bytes:
        """The payload of an envelope, signed again by another."""
        return envelope.sign(kind, Envelope.parse(of).unverified_payload, by.signing_key)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("world"), holders=2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def case(world: World) -> Case:
    sealed = world.put()
    return Case(world, sealed, world.ask(sealed))


@pytest.fixture(scope="module")
def personal(world: World) -> Case:
    sealed = world.put()
    return Case(world, sealed, world.ask(sealed, world.custodian, PERSONAL))


@pytest.fixture(scope="module")
def other(world: World) -> Sealed:
    return world.put()


def test_an_honest_answer_holds_together(case: Case, personal: Case) -> None:
    """Both kinds of part: the custodian is named, and the part's secrets are at hand."""
    found = [each.check() for each in (case, personal)]
    assert [(each.custodian.uri, each.part.part) for each in found] == [
        (case.world.custodian.uri, ASSET),
        (case.world.custodian.uri, PERSONAL),
    ]


def test_another_documents_parts_are_refused(case: Case, other: Sealed) -> None:
    """A true attestation, manifest or root of another document does not answer this request."""
    with pytest.raises(IntegrityError, match="attestation that came is not the one"):
        case.check(attestation=other.attestation)
    with pytest.raises(IntegrityError, match="key manifest is not of this attestation"):
        case.check(key_manifest=other.key_manifest)
    with pytest.raises(IntegrityError, match="not the root of the asset part"):
        case.check(root=other.asset_root.binary)
    with pytest.raises(InvalidInputError, match="CID"):
        case.check(root=b"\x01\x71")


def test_a_personal_root_must_open_the_commitment(personal: Case, other: Sealed) -> None:
    """Root and salt together: either of another document, or none, is refused."""
    assert other.personal_root is not None
    for change in (
        {"root": other.personal_root.binary},
        {"personal_salt": other.personal_salt},
        {"personal_salt": b""},
    ):
        with pytest.raises(IntegrityError, match="not the root of the personal part"):
            personal.check(**change)


def test_only_the_attesting_custodian_signs(case: Case) -> None:
    """Another custodian's manifest, an officer's attestation, a stranger's: none of them."""
    trust = case.world.who("cn", "custodian", "trust")
    wang = case.world.who("cn", "officer", "wang")
    manifest, attestation = case.answer["key_manifest"], case.answer["attestation"]
    with pytest.raises(SignatureError, match="not the pinned"):
        case.check(key_manifest=case.signed(PayloadType.KEY_MANIFEST, trust, manifest))
    with pytest.raises(TrustError, match="only cn custodian may"):
        case.check(attestation=case.signed(PayloadType.ATTESTATION, wang, attestation))
    with pytest.raises(SignatureError, match="signed as"):
        case.check(
            key_manifest=case.signed(PayloadType.ATTESTATION, case.world.custodian, manifest)
        )
    damaged = attestation.replace(b'"sig":"', b'"sig":"A', 1)
    with pytest.raises((SignatureError, EncodingError)):
        case.check(attestation=damaged)


def test_a_custodian_that_is_not_listed_is_nobody(case: Case) -> None:
    """A key that no pinned site file names signs nothing, however well the rest fits."""
    key = Ed25519PrivateKey.generate()
    payload = Envelope.parse(case.answer["attestation"]).unverified_payload
    with pytest.raises(NotFoundError, match="no listed principal"):
        case.check(attestation=envelope.sign(PayloadType.ATTESTATION, payload, key))


def test_an_attestation_from_before_the_listing_is_refused(case: Case) -> None:
    """A key that its site lists from today on vouches for nothing of yesterday."""
    world, custodian = case.world, case.world.custodian
    payload = json.loads(Envelope.parse(case.answer["attestation"]).unverified_payload)
    early = canonical.dump({**payload, "attested_at": "2001-01-01T00:00:00Z"})
    own = make_release(
        world.spv,
        document=case.sealed.document,
        version=case.sealed.version,
        attestation=digest_of(early),
        part=ASSET,
        purpose="audit",
        legal_basis="basis",
        now=world.clock(),
    )
    signed = envelope.sign(PayloadType.ATTESTATION, early, custodian.signing_key)
    with pytest.raises(TrustError, match="not listed at the time"):
        Case(world, case.sealed, own).check(attestation=signed)


def test_a_custodian_opens_nothing_that_another_signed(case: Case, personal: Case) -> None:
    """An attestation does not name its custodian: the vault and another one could sign the same
    bytes, and the part would be shown as the other's."""
    trust = case.world.who("cn", "custodian", "trust")
    resigned = {
        "attestation": personal.signed(
            PayloadType.ATTESTATION, trust, personal.answer["attestation"]
        ),
        "key_manifest": personal.signed(
            PayloadType.KEY_MANIFEST, trust, personal.answer["key_manifest"]
        ),
    }
    with pytest.raises(IntegrityError, match="another custodian"):
        personal.check(**resigned)


def test_another_schema_is_refused(case: Case) -> None:
    """Units and scales come from the attested schema alone."""
    changed = SCHEMA.encode().replace(b'"unit":"MW"', b'"unit":"GW"')
    assert changed != SCHEMA.encode()
    with pytest.raises(BindingError, match="made for schema"):
        case.check(schema=changed)


def test_shares_are_opened_with_the_requests_own_key(case: Case) -> None:
    """Another key than the one in the request is a mistake at hand, and said so."""
    with pytest.raises(InvalidInputError, match="not the key that the request was made with"):
        combine_part(case.check(), HpkeKey.generate(), [])
