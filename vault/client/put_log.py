"""What a custodian's machine remembers of its puts: those under way, and the receipts.

Before a document is sent that could be committed, its request id and what was signed are on this
disk, so that after a crash or a lost answer the client asks for what became of it instead of
attesting the same thing again. Afterwards the holders' receipts are kept for good.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from proofs import canonical
from proofs.attestation import Attestation
from proofs.canonical import Fields, Json
from proofs.envelope import Envelope, PayloadType
from vault.client.seal import Sealed
from vault.errors import InvalidInputError
from vault.files import MAX_FILE, read_public, write_private
from vault.identity import Identity
from vault.model import MAX_BATCH
from vault.signed.manifest import KeyManifest

PENDING_FORMAT: Final = "crossvault/pending-put/v1"
STORED_FORMAT: Final = "crossvault/stored-put/v1"
PENDING: Final = "puts"
RECEIPTS: Final = "receipts"


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed for one document of a put: both envelopes and the payloads read from them."""

    request_id: str
    attestation: bytes = field(repr=False)
    key_manifest: bytes = field(repr=False)
    attested: Attestation
    manifest: KeyManifest

    @classmethod
    def of(cls, sealed: Sealed) -> Signed:
        """What a sealed document holds of it."""
        return cls(
            sealed.request_id,
            sealed.attestation,
            sealed.key_manifest,
            sealed.attested,
            sealed.manifest,
        )


@dataclass(frozen=True, slots=True)
class PendingPut:
    """One call that was sent, or was about to be, and whose outcome is not known."""

    path: Path
    documents: tuple[Signed, ...]


class PutLog:
    """The two folders of one identity."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._pending = identity.folder / PENDING
        self._receipts = identity.folder / RECEIPTS
        for folder in (self._pending, self._receipts):
            folder.mkdir(mode=0o700, exist_ok=True)

    def begin(self, documents: Sequence[Signed]) -> PendingPut:
        """Note a put that is about to be sent; on the disk when this returns."""
        path = self._pending / f"{secrets.token_hex(8)}.json"
        entries: list[Json] = [
            {
                "attestation": canonical.encode_base64(each.attestation),
                "key_manifest": canonical.encode_base64(each.key_manifest),
                "request_id": each.request_id,
            }
            for each in documents
        ]
        write_private(path, canonical.dump({"documents": entries, "format": PENDING_FORMAT}))
        return PendingPut(path, tuple(documents))

    def keep(
        self, put: PendingPut, receipts: Sequence[Sequence[bytes]], committed: datetime
    ) -> None:
        """Keep the checked receipts of a committed put, and forget that it was pending."""
        entries: list[Json] = [
            {
                "attestation": canonical.encode_base64(each.attestation),
                "key_manifest": canonical.encode_base64(each.key_manifest),
                "receipts": [canonical.encode_base64(receipt) for receipt in own],
                "request_id": each.request_id,
            }
            for each, own in zip(put.documents, receipts, strict=True)
        ]
        stored: dict[str, Json] = {
            "commit_time": canonical.format_instant(committed),
            "documents": entries,
            "format": STORED_FORMAT,
        }
        write_private(self._receipts / put.path.name, canonical.dump(stored))
        self.forget(put)

    def forget(self, put: PendingPut) -> None:
        """The put committed nothing, or its receipts are kept."""
        put.path.unlink(missing_ok=True)

    def pending(self) -> Iterator[PendingPut]:
        """Every put whose outcome is not known, oldest first.

        Raises InvalidInputError for a file that somebody changed.
        """
        paths = [(path.stat().st_mtime_ns, path) for path in self._pending.glob("*.json")]
        public = self._identity.signing_key.public_key().public_bytes_raw()
        for _, path in sorted(paths):
            fields = Fields(
                canonical.parse(read_public(path), limit=MAX_FILE, where=str(path)), str(path)
            )
            fields.literal("format", PENDING_FORMAT)
            documents = []
            for item in fields.objects("documents", MAX_BATCH, least=1):
                attestation = item.base64("attestation", 1 << 20)
                key_manifest = item.base64("key_manifest", 1 << 20)
                attested = Attestation.parse(
                    Envelope.parse(attestation).verify(public, PayloadType.ATTESTATION)
                )
                manifest = KeyManifest.parse(
                    Envelope.parse(key_manifest).verify(public, PayloadType.KEY_MANIFEST)
                )
                if manifest.attestation != attested.digest:
                    raise InvalidInputError(f"{path}: attestation and manifest do not fit")
                request_id = item.hex("request_id", 16)
                item.end()
                documents.append(Signed(request_id, attestation, key_manifest, attested, manifest))
            fields.end()
            yield PendingPut(path, tuple(documents))
