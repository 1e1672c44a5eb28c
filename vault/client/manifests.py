"""Manifests from their custodian's side: made from what it attested, signed, handed in, listed.

Every row is made anew from an attestation that carries the custodian's own signature; a row that
the vault made is never signed. The serial is the next after what this machine and the vault know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import grpc

from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType, check_signer, sign
from proofs.errors import TrustError
from proofs.listing import Listing
from proofs.manifest import Manifest, ManifestFile
from proofs.schema import Schema
from proofs.selection import Period
from proofs.trust import Trust
from proofs.validity import check_signed_within
from vault.client.serials import SerialJournal
from vault.errors import IntegrityError
from vault.identity import Identity
from vault.sites import SiteSet
from vault.v1 import manifest_pb2, manifest_pb2_grpc

SERVICE: Final = manifest_pb2.DESCRIPTOR.services_by_name["ManifestService"]
_PAGE: Final = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest before it is signed: show all of it before calling `sign_draft`."""

    manifest: Manifest
    schema: Schema
    listing: Listing = field(repr=False)
    rows: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListedManifest:
    """A manifest whose signature was checked; `newest` is what the vault says of it."""

    manifest: Manifest
    custodian: str
    register_time: datetime
    newest: bool


def draft(
    attestations: Sequence[Attestation],
    schema: Schema,
    *,
    spv: str,
    period: Period,
    serial: int,
    attributes: Sequence[str],
    now: datetime,
) -> Draft:
    """The manifest over these attestations, whose signatures the caller has just checked.

    Raises BindingError or EncodingError for what no manifest may say.
    """
    payload, rows = Manifest.build(
        attestations,
        schema,
        spv=spv,
        period=period,
        serial=serial,
        attributes=attributes,
        signed_at=now.replace(microsecond=0),
    )
    return Draft(Manifest.parse(payload), schema, Listing.of(attestations, schema), rows)


def next_serial(
    journal: SerialJournal, known: Iterable[ListedManifest], spv: str, period: Period, *, own: str
) -> int:
    """One more than the last of this SPV and period, here or at the vault.

    `own` is the URI of the custodian: what another one signed takes no serial of this one's.
    """
    there = [
        each.manifest.serial
        for each in known
        if (each.custodian, each.manifest.spv, each.manifest.period) == (own, spv, period)
    ]
    return max(journal.last(spv, period), *there, 0) + 1


def check_scope(identity: Identity, drafted: Draft, trust: Trust) -> None:
    """TrustError unless a verifier with this trust file would believe the signer in every row."""
    public = identity.signing_key.public_key().public_bytes_raw()
    for signer in trust.custodians:
        if signer.key == public:
            break
    else:
        raise TrustError("the trust file does not pin your key")
    manifest = drafted.manifest
    for moment in (*manifest.attested, manifest.signed_at):
        check_signed_within(signer, moment, "manifest or one of its attestations")
    for row in drafted.listing.rows:
        signer.check_scope(schema=manifest.schema, asset=row.asset)


def sign_draft(identity: Identity, journal: SerialJournal, drafted: Draft) -> ManifestFile:
    """Note the serial, then sign; ConflictError for a serial that is taken."""
    journal.add(drafted.manifest)
    signed = sign(PayloadType.PORTFOLIO, drafted.manifest.data, identity.signing_key)
    return ManifestFile(Envelope.parse(signed), drafted.rows)


def register(channel: grpc.Channel, envelope: bytes, versions: Iterable[tuple[str, int]]) -> str:
    """Hand a manifest in, with (document, version) of its rows; its digest as the vault says."""
    answer = manifest_pb2_grpc.ManifestServiceStub(channel).RegisterManifest(
        manifest_pb2.RegisterManifestRequest(
            envelope=envelope,
            rows=[
                manifest_pb2.ListedVersion(document=bytes.fromhex(document), version=version)
                for document, version in versions
            ],
        )
    )
    digest: str = answer.digest
    return digest


def list_all(channel: grpc.Channel, sites: SiteSet) -> list[ListedManifest]:
    """All manifests that the caller may see, the last registered first.

    Raises IntegrityError for one that its custodian did not sign.
    """
    stub = manifest_pb2_grpc.ManifestServiceStub(channel)
    found: list[ListedManifest] = []
    token = ""
    while True:
        page = stub.ListManifests(
            manifest_pb2.ListManifestsRequest(page_size=_PAGE, page_token=token)
        )
        for each in page.manifests:
            manifest, signer = verify(Envelope.parse(each.envelope), sites)
            if signer != each.custodian:
                raise IntegrityError("the vault showed a manifest under another custodian's name")
            moment = each.register_time.ToDatetime(tzinfo=UTC)
            found.append(ListedManifest(manifest, signer, moment, each.newest))
        token = page.next_page_token
        if not token:
            return found


def verify(envelope: Envelope, sites: SiteSet) -> tuple[Manifest, str]:
    """The payload, signed by a custodian whom the site files list, and its URI.

    Raises SignatureError, TrustError, EncodingError, NotFoundError.
    """
    record = sites.by_key(envelope.keyid)
    check_signer(PayloadType.PORTFOLIO, record.principal.jurisdiction, record.principal.role)
    payload = envelope.verify(record.signing_key, PayloadType.PORTFOLIO)
    return Manifest.parse(payload), record.uri
