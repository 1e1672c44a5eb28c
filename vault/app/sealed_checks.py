"""Whether a sealed document is what it says: every check of a put that looks at one document.

Nothing is believed because it came over an authenticated channel. The checks run in the order of
their cost, each refusal names what does not fit, and no message holds a value. What only the
catalogue knows (versions, request ids, blocks of others) is checked by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from proofs.attestation import LIMIT as MAX_ATTESTATION
from proofs.attestation import Attestation, personal_part_digest
from proofs.envelope import Envelope, PayloadType, check_signer
from proofs.errors import CrossproofError
from proofs.principal import Principal
from proofs.schema import AttributeClass, Schema
from proofs.witness import LIMIT as MAX_WITNESS
from proofs.witness import Witness
from vault.app.staging import DocumentBlocks
from vault.crypto import hpke
from vault.crypto.cids import Cid
from vault.crypto.contexts import witness_info
from vault.crypto.hpke import HpkeKey
from vault.errors import InvalidInputError, VaultError
from vault.model import ASSET, PERSONAL, SIDES
from vault.ports import SealedShare
from vault.signed.manifest import LIMIT as MAX_MANIFEST
from vault.signed.manifest import KeyManifest
from vault.sites import SiteSet

SKEW: Final = timedelta(minutes=5)
MAX_DELAY: Final = timedelta(days=1)
"""How old an attestation may be when it arrives: a put is made at once, not kept for later."""
LONGEST_VALIDITY: Final = timedelta(days=20 * 366)

_SEALED_SHARE: Final = 32 + hpke.OVERHEAD
_REQUEST_ID: Final = re.compile(r"[0-9a-f]{32}")
_FAR_EAST: Final = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """What came after a document's blocks; see the message of the same name."""

    request_id: str
    attestation: bytes
    key_manifest: bytes
    sealed_witness: bytes = field(repr=False)
    shares: tuple[SealedShare, ...] = field(repr=False)
    asset_root: bytes
    personal_root: bytes | None
    personal_salt: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A sealed document whose every check passed."""

    sealed: SealedDocument
    attestation: Attestation
    manifest: KeyManifest
    schema: Schema
    witness: Witness
    blocks: DocumentBlocks


@dataclass(frozen=True, slots=True)
class Checks:
    """What the checks need to know: pinned sites, the vault's key, schemas, the time."""

    sites: SiteSet
    key: HpkeKey
    schema: Callable[[str], Schema | None]
    clock: Callable[[], datetime]

    def check(
        self, sealed: SealedDocument, caller: Principal, blocks: DocumentBlocks
    ) -> CheckedDocument:
        """Run every check on one document.

        Raises InvalidInputError whose `field` names what does not fit, NotAllowedError for a
        signer whose listing has expired.
        """
        if _REQUEST_ID.fullmatch(sealed.request_id) is None:
            raise InvalidInputError(
                "request id: 32 lower-case hex digits are expected", field="request_id"
            )
        attestation = self._attestation(sealed, caller)
        schema = self._schema(attestation)
        self._content(sealed, attestation, blocks)
        manifest = self._manifest(sealed, caller, attestation)
        _check_shares(sealed, manifest)
        witness = self._witness(sealed, attestation, schema)
        with refusing("commitments"):
            witness.check_commitments(attestation, schema)
        return CheckedDocument(sealed, attestation, manifest, schema, witness, blocks)

    def _attestation(self, sealed: SealedDocument, caller: Principal) -> Attestation:
        payload = self._signed(sealed.attestation, PayloadType.ATTESTATION, caller, MAX_ATTESTATION)
        with refusing("attestation"):
            attestation = Attestation.parse(payload)
        now = self.clock()
        record = self.sites.require_valid(caller, now)
        if attestation.attested_at > now + SKEW:
            problem = "attested at a time to come"
        elif attestation.attested_at < now - MAX_DELAY:
            problem = "attested more than a day ago; seal it anew"
        elif not record.valid_at(attestation.attested_at):
            problem = "attested outside the validity of its custodian's key"
        elif attestation.valid_until <= now:
            problem = "expired already"
        elif attestation.valid_until > attestation.attested_at + LONGEST_VALIDITY:
            problem = "valid for more than 20 years"
        elif attestation.as_of.last > (now + _FAR_EAST).astimezone(UTC).date():
            problem = "speaks of days to come"
        else:
            return attestation
        raise InvalidInputError(f"attestation: {problem}", field="attestation")

    def _schema(self, attestation: Attestation) -> Schema:
        schema = self.schema(attestation.schema)
        if schema is None:
            raise InvalidInputError(
                f"attestation: schema {attestation.schema} is not registered here; "
                f"`crossvault schema add` does that",
                field="schema",
                reason="SCHEMA_UNKNOWN",
            )
        with refusing("attestation"):
            attestation.check_schema(schema)
        personal = any(
            commitment is not None and attribute.attribute_class is AttributeClass.PERSONAL
            for attribute, commitment in zip(
                schema.attributes, attestation.commitments, strict=True
            )
        )
        if personal and attestation.personal_part is None:
            # Its values would have to stand in the part that Hong Kong can open.
            raise InvalidInputError(
                "attestation: has personal attributes and no personal part", field="attestation"
            )
        return schema

    def _content(
        self, sealed: SealedDocument, attestation: Attestation, blocks: DocumentBlocks
    ) -> None:
        asset_root = _cid(sealed.asset_root, "asset_root")
        if asset_root.text != attestation.asset_part:
            raise InvalidInputError(
                f"asset_root: {asset_root} is not the attested CID", field="asset_root"
            )
        blocks.root(ASSET, asset_root)
        expected = {(ASSET, asset_root)}
        if attestation.personal_part is None:
            if sealed.personal_root is not None or sealed.personal_salt is not None:
                raise InvalidInputError(
                    "personal_root: the attestation has no personal part", field="personal_root"
                )
        else:
            root = _cid(sealed.personal_root or b"", "personal_root")
            salt = sealed.personal_salt or b""
            if len(salt) != 32 or (
                personal_part_digest(salt, root.text) != attestation.personal_part
            ):
                raise InvalidInputError(
                    "personal_salt: does not open the attested personal part to personal_root",
                    field="personal_salt",
                )
            blocks.root(PERSONAL, root)
            expected.add((PERSONAL, root))
        for part, cid in blocks.roots:
            if (part, cid) not in expected:
                raise InvalidInputError(f"block {cid} is the root of no part", field="cid")
        if attestation.personal_part is None and blocks.chunks[PERSONAL]:
            raise InvalidInputError("personal blocks without a personal part", field="cid")

    def _manifest(
        self, sealed: SealedDocument, caller: Principal, attestation: Attestation
    ) -> KeyManifest:
        payload = self._signed(sealed.key_manifest, PayloadType.KEY_MANIFEST, caller, MAX_MANIFEST)
        with refusing("key_manifest"):
            manifest = KeyManifest.parse(payload)
        named = (manifest.document, manifest.version, manifest.attestation)
        if named != (attestation.document, attestation.version, attestation.digest):
            raise InvalidInputError(
                "key manifest: is not of this attestation", field="key_manifest"
            )
        if manifest.epoch != 1:
            raise InvalidInputError("key manifest: a put is of epoch 1", field="key_manifest")
        if (manifest.part(PERSONAL) is None) != (attestation.personal_part is None):
            raise InvalidInputError(
                "key manifest: other parts than the attestation", field="key_manifest"
            )
        for side in SIDES:
            quorum, holders = self.sites.quorum(side), self.sites.holders(side)
            listed = manifest.side(side)
            pinned = [(h.uri, h.hpke_key.key_id if h.hpke_key else "") for h in holders]
            if [(h.uri, h.key) for h in listed.holders] != pinned:
                raise InvalidInputError(
                    f"key manifest: other holders or keys than the site file of {side} lists; "
                    f"take its newest site.json",
                    field="key_manifest",
                )
            if (listed.threshold, len(pinned)) != (quorum.threshold, quorum.holders):
                raise InvalidInputError(
                    f"key manifest: the quorum of {side} is {quorum.threshold} of "
                    f"{quorum.holders}, not {listed.threshold} of {len(pinned)}",
                    field="key_manifest",
                )
        return manifest

    def _witness(self, sealed: SealedDocument, attestation: Attestation, schema: Schema) -> Witness:
        if len(sealed.sealed_witness) > MAX_WITNESS + hpke.OVERHEAD:
            raise InvalidInputError("sealed witness: too long", field="sealed_witness")
        info = witness_info(
            attestation.document, attestation.version, bytes.fromhex(attestation.digest)
        )
        with refusing("sealed_witness"):
            witness = Witness.parse(hpke.open(self.key, sealed.sealed_witness, info))
            witness.check_values(attestation, schema)
        return witness

    def _signed(self, data: bytes, kind: PayloadType, caller: Principal, limit: int) -> bytes:
        """The payload, if the caller itself signed it as this kind with its pinned key."""
        field = kind.name.lower()
        record = self.sites.require_valid(caller, self.clock())
        with refusing(field):
            check_signer(kind, caller.jurisdiction, caller.role)
            signed = Envelope.parse(data, limit=2 * limit)
            return signed.verify(record.signing_key, kind)


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turn any refusal inside into InvalidInputError that names what does not fit."""
    try:
        yield
    except (CrossproofError, VaultError) as error:
        raise InvalidInputError(
            f"{what.replace('_', ' ')}: {error}", reason=error.reason, field=what
        ) from error


def _check_shares(sealed: SealedDocument, manifest: KeyManifest) -> None:
    """Exactly one sealed share for every holder and part; none of a personal part for hk."""
    expected = {
        (holder.uri, part): holder.index
        for side in SIDES
        for part in manifest.parts_of(side)
        for holder in manifest.side(side).holders
    }
    for share in sealed.shares:
        index = expected.pop((share.holder, share.part), None)
        if index is None:
            raise InvalidInputError(
                f"shares: none of the {share.part} part is expected for {share.holder[:400]}, "
                f"or not a second one",
                field="shares",
            )
        if index != share.index or len(share.sealed) != _SEALED_SHARE:
            raise InvalidInputError(
                f"shares: the {share.part} share of {share.holder} has another index or length "
                f"than it must",
                field="shares",
            )
    for holder, part in expected:
        raise InvalidInputError(f"shares: the {part} share of {holder} is missing", field="shares")


def _cid(binary: bytes, field: str) -> Cid:
    try:
        return Cid.from_bytes(binary)
    except InvalidInputError as error:
        raise InvalidInputError(f"{field}: {error}", field=field) from error
