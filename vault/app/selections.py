"""The list of a grant about a selection, document by document compared with what is stored.

A custodian's client chose it, from attestations that it checked itself, and the grant names it by
one digest; the list comes beside the grant. It refuses with GrantError whatever is another's, of
another schema, expired, not the assets that were asked for, or not what the manifest names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType
from proofs.errors import GrantError
from proofs.listing import listing_digest
from proofs.manifest import Manifest, ManifestFile
from proofs.principal import Principal
from proofs.request import Request
from proofs.schema import Schema
from proofs.selection import MAX_LISTED, Selection
from vault.app.desk import Desk
from vault.model import StoredVersion


@dataclass(frozen=True, slots=True)
class GivenList:
    """What comes with a grant: digests of attestations as hex; a manifest's envelope, or empty."""

    attestations: tuple[str, ...]
    manifest: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """The versions of a list in the order of their document ids, their attestations read.

    `digest` is what a grant calls the list; `manifest` is a whole manifest file that may stand in
    a bundle for the attestations, and `named` what it says.
    """

    schema: Schema
    versions: tuple[StoredVersion, ...]
    attestations: tuple[Attestation, ...]
    digest: str
    manifest: bytes | None
    named: Manifest | None


def listed(
    desk: Desk, caller: Principal, request: Request, given: GivenList, now: datetime
) -> Listed:
    """The list as it is stored, if the caller may grant it for this request; GrantError."""
    selection = request.selection
    if selection is None:
        raise GrantError("the request is about documents by alias: a list does not go with it")
    if not 1 <= len(given.attestations) <= MAX_LISTED:
        raise GrantError(f"a list has 1 to {MAX_LISTED} documents")
    if len(set(given.attestations)) != len(given.attestations):
        raise GrantError("the list names one document twice")
    versions = desk.catalog.find_all_attested(given.attestations)
    found = {each.attestation_digest for each in versions if each.custodian == caller.uri}
    if len(found) != len(given.attestations):
        raise GrantError("the list names a document that is not yours")
    if any(each.schema != selection.schema for each in versions):
        raise GrantError("a document of the list is of another schema than was asked about")
    for each in versions:
        if each.valid_until <= now:
            raise GrantError(f"the version of {each.asset} in the list has expired")
    schema = desk.schema(selection.schema)
    attestations = [_read(each) for each in versions]
    digest = listing_digest(attestations)
    assets = tuple(sorted(each.asset for each in versions))
    if selection.assets not in (None, assets):
        raise GrantError("the list is not of exactly the assets that were asked about")
    manifest = _manifest(desk, caller, selection, given.manifest, attestations, schema, now)
    return Listed(
        schema=schema,
        versions=tuple(versions),
        attestations=tuple(attestations),
        digest=digest,
        manifest=None if manifest is None else manifest[1],
        named=None if manifest is None else manifest[0],
    )


def _read(stored: StoredVersion) -> Attestation:
    return Attestation.parse(Envelope.parse(stored.attestation).unverified_payload)


def _manifest(
    desk: Desk,
    caller: Principal,
    selection: Selection,
    envelope: bytes,
    attestations: list[Attestation],
    schema: Schema,
    now: datetime,
) -> tuple[Manifest, bytes] | None:
    """The manifest and its whole file, whose rows follow from the attestations."""
    if not envelope:
        if selection.spv is not None:
            raise GrantError("the request asks for a list that a manifest names: give it")
        return None
    signed = Envelope.parse(envelope)
    signer = desk.sites.require_valid(caller, now)
    manifest = Manifest.parse(signed.verify(signer.signing_key, PayloadType.PORTFOLIO))
    if selection.spv is not None and (selection.spv, selection.period) != (
        manifest.spv,
        manifest.period,
    ):
        raise GrantError("the manifest is of another SPV or period than was asked about")
    rebuilt, rows = Manifest.build(
        attestations,
        schema,
        spv=manifest.spv,
        period=manifest.period,
        serial=manifest.serial,
        attributes=manifest.attributes,
        signed_at=manifest.signed_at,
    )
    if rebuilt != manifest.data:
        raise GrantError("the manifest does not name exactly this list")
    desk.manifests.require_newest(caller, manifest)
    return manifest, ManifestFile(signed, rows).encode()
