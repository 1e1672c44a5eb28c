"""Sealing a document, on the custodian's machine: what leaves is ciphertext and signatures.

Every key, blinding, share and id is drawn here and fresh for each attempt. The keys of holders and
of the vault come from the pinned site files and the schema from a pinned file, never from the
vault: it could otherwise seal to itself. Attestation and manifest are signed last, when the CIDs
of the encrypted parts are known; nothing is signed twice for one document version.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from proofs import envelope, group, pedersen
from proofs.attestation import Attestation, personal_part_digest
from proofs.envelope import PayloadType
from proofs.ids import new_document_id
from proofs.schema import AttributeClass
from proofs.values import format_value
from proofs.witness import Witness
from vault.client.prepare import FileToSeal, PreparedDocument
from vault.client.session import the_vault
from vault.crypto import hpke
from vault.crypto.cids import Cid
from vault.crypto.content import PartSealer
from vault.crypto.contexts import store_info, witness_info
from vault.crypto.hpke import HpkePublicKey
from vault.crypto.keys import SideKey, derive_part_key, secret_digest
from vault.crypto.shares import Share, share_digest, split
from vault.document_record import AttachmentEntry, AttributeEntry, DocumentRecord
from vault.errors import InvalidInputError, NotAllowedError
from vault.identity import Identity
from vault.model import ASSET, PARTS, PERSONAL, SIDES, Part, Side, sides_of
from vault.ports import SealedShare
from vault.signed.manifest import (
    KeyManifest,
    ManifestHolder,
    ManifestPart,
    ManifestSide,
    SideSecret,
)
from vault.sites import SiteSet

EPOCH: Final = 1
"""Of a put; a rotation of holders signs the next one."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed document: all that follows its blocks, and what its receipts are checked against.

    `attestation` and `key_manifest` are envelopes, `attested` and `manifest` their payloads.
    """

    request_id: str
    document: str
    version: int
    attestation: bytes
    attested: Attestation
    key_manifest: bytes
    manifest: KeyManifest
    sealed_witness: bytes = field(repr=False)
    shares: tuple[SealedShare, ...] = field(repr=False)
    asset_root: Cid
    personal_root: Cid | None
    personal_salt: bytes | None = field(repr=False)

    @property
    def attestation_digest(self) -> str:
        """SHA-256 of the attestation's payload, 64 hex digits."""
        return self.attested.digest


class Sealer:
    """Seals documents of one custodian for the holders and the vault that it pinned."""

    def __init__(self, identity: Identity, sites: SiteSet, clock: Callable[[], datetime]) -> None:
        """Read the recipients from the pinned site files.

        Raises NotAllowedError for an identity that is no custodian, InvalidInputError for a
        site file that lists fewer holders than its quorum counts.
        """
        if (identity.principal.jurisdiction, identity.principal.role) != ("cn", "custodian"):
            raise NotAllowedError(f"{identity.uri}: only a mainland custodian seals documents")
        self.identity = identity
        self.clock = clock
        self.key_id = envelope.key_id(identity.signing_key.public_key().public_bytes_raw())
        self.sides = tuple(_manifest_side(sites, side) for side in SIDES)
        self.keys: dict[str, HpkePublicKey] = {
            record.uri: record.hpke_key
            for side in SIDES
            for record in sites.holders(side)
            if record.hpke_key is not None
        }
        vault_key = the_vault(sites).hpke_key
        if vault_key is None:
            raise InvalidInputError("the site file lists no key of the vault")
        self.vault_key = vault_key
        # 0.7 MB and 6 ms, once: a commitment then costs a quarter.
        pedersen.use_tables()

    def begin(self, prepared: PreparedDocument) -> Sealing:
        """Start to seal one document; draws everything that must be fresh."""
        return Sealing(self, prepared)


class Sealing:
    """One document being sealed: take all of `blocks`, then call `finish`, once each."""

    def __init__(self, sealer: Sealer, prepared: PreparedDocument) -> None:
        self._sealer = sealer
        self._prepared = prepared
        self.document = prepared.document or new_document_id()
        self._parts: tuple[Part, ...] = PARTS if prepared.has_personal_part else (ASSET,)
        self._secrets: dict[tuple[Part, Side], SideKey] = {
            (part, side): SideKey.generate() for part in self._parts for side in sides_of(part)
        }
        self._witness = Witness.draw(prepared.schema, prepared.values)
        self._roots: dict[Part, Cid] = {}

    def blocks(self) -> Iterator[tuple[Part, Cid, bytes]]:
        """Encrypt the parts: all chunks of both, then their roots. Holds one chunk at a time.

        Raises InvalidInputError when a file changed its length since it was prepared.
        """
        sealers = {part: self._part_sealer(part) for part in self._parts}
        for part, sealer in sealers.items():
            for cid, data in sealer.seal_record(self._record(part).encode()):
                yield part, cid, data
            for file in self._files(part):
                with file.path.open("rb") as reader:
                    for cid, data in sealer.seal_attachment(file.info, reader):
                        yield part, cid, data
        for part, sealer in sealers.items():
            cid, data = sealer.finish()
            self._roots[part] = cid
            yield part, cid, data

    def finish(self) -> Sealed:
        """Commit, sign, and seal shares and witness; the document's one attestation."""
        prepared, sealer = self._prepared, self._sealer
        personal_root = self._roots.get(PERSONAL)
        salt = secrets.token_bytes(32) if personal_root is not None else None
        attested = Attestation.make(
            document=self.document,
            version=prepared.version,
            asset=prepared.asset,
            schema=prepared.schema.digest,
            as_of=prepared.as_of,
            attested_at=sealer.clock(),
            valid_until=prepared.valid_until,
            asset_part=self._roots[ASSET].text,
            personal_part=(
                personal_part_digest(salt, personal_root.text)
                if salt is not None and personal_root is not None
                else None
            ),
            commitments=self._witness.commitments(),
        )
        digest = attested.digest
        parts, shares = self._share(bytes.fromhex(digest))
        manifest = KeyManifest.build(
            document=self.document,
            version=prepared.version,
            attestation=digest,
            sides=sealer.sides,
            parts=parts,
        )
        key = sealer.identity.signing_key
        info = witness_info(self.document, prepared.version, bytes.fromhex(digest))
        return Sealed(
            request_id=prepared.request_id,
            document=self.document,
            version=prepared.version,
            attestation=envelope.sign(PayloadType.ATTESTATION, attested.data, key),
            attested=attested,
            key_manifest=envelope.sign(PayloadType.KEY_MANIFEST, manifest.data, key),
            manifest=manifest,
            sealed_witness=hpke.seal(sealer.vault_key, self._witness.encode(), info),
            shares=tuple(shares),
            asset_root=self._roots[ASSET],
            personal_root=personal_root,
            personal_salt=salt,
        )

    def _part_sealer(self, part: Part) -> PartSealer:
        key = derive_part_key(
            self.document,
            self._prepared.version,
            part,
            self._secrets[part, "cn"],
            self._secrets.get((part, "hk")),
        )
        return PartSealer(key)

    def _files(self, part: Part) -> list[FileToSeal]:
        return [file for file in self._prepared.files if file.part == part]

    def _record(self, part: Part) -> DocumentRecord:
        """The attributes of a part with their blindings, and its attachments."""
        prepared = self._prepared
        attributes = []
        for attribute, pair in zip(prepared.schema.attributes, self._witness.values, strict=True):
            value = prepared.values[attribute.name]
            personal = attribute.attribute_class is AttributeClass.PERSONAL
            if pair is None or value is None or personal != (part == PERSONAL):
                continue
            attributes.append(
                AttributeEntry(
                    attribute.name,
                    format_value(attribute, value),
                    group.encode_scalar(pair[1]),
                )
            )
        return DocumentRecord(
            document=self.document,
            version=prepared.version,
            attributes=tuple(attributes),
            attachments=tuple(
                AttachmentEntry(stream, file.info.name, file.info.media_type, file.info.length)
                for stream, file in enumerate(self._files(part), start=1)
            ),
        )

    def _share(self, attestation: bytes) -> tuple[list[ManifestPart], list[SealedShare]]:
        """Split every secret among its side's holders and seal each share to its holder."""
        document, version = self.document, self._prepared.version
        parts: list[ManifestPart] = []
        sealed: list[SealedShare] = []
        quorums = {side.side: side for side in self._sealer.sides}
        for part in self._parts:
            keys = []
            for side in sides_of(part):
                secret, quorum = self._secrets[part, side], quorums[side]
                shares = split(secret, quorum.threshold, len(quorum.holders))
                digests = []
                for holder, share in zip(quorum.holders, shares, strict=True):
                    digests.append(
                        share_digest(document, version, part, side, holder.index, EPOCH, share)
                    )
                    sealed.append(self._seal_share(part, quorum, holder, share, attestation))
                keys.append(
                    SideSecret(
                        side, secret_digest(document, version, part, side, secret), tuple(digests)
                    )
                )
            parts.append(ManifestPart(part, tuple(keys)))
        return parts, sealed

    def _seal_share(
        self,
        part: Part,
        quorum: ManifestSide,
        holder: ManifestHolder,
        share: Share,
        attestation: bytes,
    ) -> SealedShare:
        info = store_info(
            self.document,
            self._prepared.version,
            part,
            quorum.side,
            holder.index,
            holder.uri,
            EPOCH,
            attestation,
            bytes.fromhex(self._sealer.key_id),
        )
        sealed = hpke.seal(self._sealer.keys[holder.uri], share.value, info)
        return SealedShare(holder.uri, part, holder.index, sealed)


def _manifest_side(sites: SiteSet, side: Side) -> ManifestSide:
    """A side's quorum, its holders indexed in the order of their URIs."""
    quorum, holders = sites.quorum(side), sites.holders(side)
    if len(holders) != quorum.holders:
        raise InvalidInputError(
            f"the site file of {side} lists {len(holders)} of its {quorum.holders} holders; "
            f"take its newest site.json"
        )
    return ManifestSide(
        side,
        quorum.threshold,
        tuple(
            ManifestHolder(index, record.uri, record.hpke_key.key_id if record.hpke_key else "")
            for index, record in enumerate(holders, start=1)
        ),
    )
