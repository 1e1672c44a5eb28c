"""What a requester checks before it opens anything: attestation, key manifest, schema, root.

All of it comes through the vault, and none of it is believed: the attestation is the one that
the request named, signed by a pinned custodian whose listing covered the time it was made; the
key manifest is of that attestation and signed by the same key; the schema is the attested one;
the root is the one that the attestation names, for a personal part through its commitment.
"""

from __future__ import annotations

from dataclasses import dataclass

from proofs.attestation import Attestation, personal_part_digest
from proofs.envelope import Envelope, PayloadType, check_signer
from proofs.errors import TrustError
from proofs.schema import Schema
from vault.crypto.cids import Cid
from vault.errors import IntegrityError
from vault.model import ASSET
from vault.signed.manifest import KeyManifest, ManifestPart
from vault.signed.release_request import ReleaseRequest
from vault.sites import PrincipalRecord, SiteSet


@dataclass(frozen=True, slots=True)
class Evidence:
    """Verified and belonging together; `part` are the secrets of the part that was asked for."""

    request: ReleaseRequest
    custodian: PrincipalRecord
    attestation: Attestation
    manifest: KeyManifest
    part: ManifestPart
    schema: Schema
    root: Cid


def check_evidence(
    request: ReleaseRequest,
    sites: SiteSet,
    *,
    attestation: bytes,
    key_manifest: bytes,
    schema: bytes,
    root: bytes,
    personal_salt: bytes,
) -> Evidence:
    """Check everything against the request and the pinned sites; envelopes and bytes as they came.

    Raises:
        IntegrityError: a part that is not of this request or does not belong to the others.
        CrossproofError, VaultError: a signature, a signer or an encoding that is refused.
    """
    signed = Envelope.parse(attestation)
    custodian = sites.by_key(signed.keyid)
    for kind in (PayloadType.ATTESTATION, PayloadType.KEY_MANIFEST):
        check_signer(kind, custodian.principal.jurisdiction, custodian.principal.role)
    attested = Attestation.parse(signed.verify(custodian.signing_key, PayloadType.ATTESTATION))
    if not custodian.valid_at(attested.attested_at):
        raise TrustError(f"{custodian.uri}: was not listed at the time of the attestation")
    requester = request.requester
    if requester.role == "custodian" and custodian.principal != requester:
        # An attestation does not name its custodian: another one can sign the very same bytes.
        raise IntegrityError(
            f"the attestation that came is signed by another custodian, {custodian.uri}",
            reason="OTHER_CUSTODIAN",
        )
    named = (request.attestation, request.document, request.version)
    if (attested.digest, attested.document, attested.version) != named:
        raise IntegrityError(
            "the attestation that came is not the one of the request", reason="OTHER_ATTESTATION"
        )
    # By the same key: a manifest of another custodian would name shares of its own making.
    manifest = KeyManifest.parse(
        Envelope.parse(key_manifest).verify(custodian.signing_key, PayloadType.KEY_MANIFEST)
    )
    if (manifest.attestation, manifest.document, manifest.version) != named:
        raise IntegrityError("the key manifest is not of this attestation", reason="OTHER_MANIFEST")
    part = manifest.part(request.part)
    if part is None:
        raise IntegrityError(f"the key manifest has no {request.part} part")
    parsed = Schema.parse(schema)
    attested.check_schema(parsed)
    return Evidence(
        request=request,
        custodian=custodian,
        attestation=attested,
        manifest=manifest,
        part=part,
        schema=parsed,
        root=_root(request, attested, root, personal_salt),
    )


def _root(request: ReleaseRequest, attested: Attestation, root: bytes, personal_salt: bytes) -> Cid:
    cid = Cid.from_bytes(root)
    if request.part == ASSET:
        named = cid.text == attested.asset_part
    else:
        named = (
            len(personal_salt) == 32
            and personal_part_digest(personal_salt, cid.text) == attested.personal_part
        )
    if not named:
        raise IntegrityError(
            f"{cid} is not the root of the {request.part} part that was attested",
            reason="OTHER_ROOT",
        )
    return cid
