"""A manifest of one's own, read back from its file: whose list a proof is about.

Its signature must be the custodian's own, and its rows exactly those that were signed; nothing
else of the file is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proofs.envelope import PayloadType
from proofs.errors import BindingError
from proofs.manifest import Manifest, ManifestFile
from vault.client import pinned_schemas
from vault.client.attestations import OwnAttestation
from vault.identity import Identity


@dataclass(frozen=True, slots=True)
class OwnManifest:
    """The payload as read, its envelope, and (document, version) of every row."""

    manifest: Manifest
    envelope: bytes = field(repr=False)
    rows: tuple[tuple[str, int], ...] = field(repr=False)

    def pick(self, documents: Sequence[OwnAttestation]) -> list[OwnAttestation]:
        """Its documents among those that are there now, in its order.

        Raises BindingError for a version that is not the newest unexpired one any more.
        """
        current = {
            (each.attestation.document, each.attestation.version): each for each in documents
        }
        gone = [document for document, version in self.rows if (document, version) not in current]
        if gone:
            raise BindingError(
                f"the manifest names {len(gone)} document versions that are not the newest "
                f"unexpired ones, {gone[0]} the first of them: sign one with a higher serial"
            )
        return [current[row] for row in self.rows]


def read_own_manifest(identity: Identity, data: bytes) -> OwnManifest:
    """Read the bytes of a manifest file.

    Raises SignatureError for another's, EncodingError, BindingError, and NotFoundError when its
    schema is not pinned.
    """
    file = ManifestFile.parse(data)
    own_key = identity.signing_key.public_key().public_bytes_raw()
    manifest = Manifest.parse(file.envelope.verify(own_key, PayloadType.PORTFOLIO))
    schema = pinned_schemas.find(identity, manifest.schema)
    rows = manifest.listing(file.rows, schema).rows
    return OwnManifest(
        manifest, file.envelope.encode(), tuple((each.document, each.version) for each in rows)
    )
