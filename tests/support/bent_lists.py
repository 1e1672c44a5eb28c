"""Lists that are no list, and manifests with other rows: what no honest client signs or grants."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from proofs import canonical, envelope
from proofs.canonical import sha256_label
from proofs.envelope import PayloadType
from proofs.labels import LISTING, MANIFEST_ROWS
from proofs.listing import Row
from proofs.manifest import Manifest, ManifestFile, pack_rows
from support.bundles import CUSTODIAN, private_key, schema
from support.portfolio import Holding, Portfolio


def digest_as_it_stands(rows: Sequence[Holding]) -> str:
    """The listing digest of rows in this order, whatever they are."""
    return sha256_label(LISTING, *[bytes.fromhex(e.attestation.digest) for e in rows]).hex()


def granted(rows: Sequence[Holding], **changes: object) -> Portfolio:
    """A portfolio whose grant is for these rows as they stand, which no honest client gives."""
    found = Portfolio(tuple(rows), **changes)  # type: ignore[arg-type]
    return replace(found, listing_digest=digest_as_it_stands(rows))


def bent(file: bytes, change: Callable[[list[Row]], None], *, sign: bool) -> bytes:
    """A manifest file with other rows, under the old payload or signed anew over them."""
    found = ManifestFile.parse(file)
    manifest = Manifest.parse(found.envelope.unverified_payload)
    rows = list(manifest.listing(found.rows, schema()).rows)
    change(rows)
    packed = pack_rows(rows)
    if not sign:
        return replace(found, rows=packed).encode()
    tree = json.loads(manifest.data)
    tree["rows"] = sha256_label(MANIFEST_ROWS, packed).hex()
    tree["count"] = len(rows)
    signed = envelope.sign(PayloadType.PORTFOLIO, canonical.dump(tree), private_key(CUSTODIAN))
    return ManifestFile(envelope.Envelope.parse(signed), packed).encode()


def exchange(rows: list[Row]) -> None:
    """The commitments of the second in the first."""
    rows[0] = replace(rows[0], commitments=rows[1].commitments)


def repeat(rows: list[Row]) -> None:
    """The asset of the second in the third."""
    rows[2] = replace(rows[2], asset=rows[1].asset)
