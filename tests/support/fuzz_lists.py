"""Readers of untrusted bytes about selections and manifests, with valid inputs to begin from."""

from __future__ import annotations

from pathlib import Path

from proofs.asset_list import read_assets
from proofs.manifest import Manifest, ManifestFile, pack_rows, unpack_rows
from proofs.request import Request
from support import bundles
from support.fuzzing import Reader
from support.portfolio import full, holdings, manifest_file, portfolio
from vault.client.choice import Choice
from vault.client.serials import SerialJournal

_COLUMNS = 2
_TERMS = "all\nasset=cn-pv-*\nas_of=2026-01-01..2026-06-30\nprovince=Guangdong"


def inputs() -> dict[str, tuple[bytes, ...]]:
    """Valid ones by the name of their reader."""
    files = [
        ManifestFile.parse(manifest_file(holdings(3), names))
        for names in (("capacity",), ("capacity", "owner"))
    ]
    payload = Manifest.parse(files[0].envelope.unverified_payload)
    line = (
        b'{"digest":"%s","period":{"from":"2026-01-01","to":"2026-06-30"},"schema":"%s",'
        b'"serial":3,"spv":"%s"}\n'
        % (payload.digest.encode(), payload.schema.encode(), payload.spv.encode())
    )
    return {
        "manifest": tuple(each.envelope.unverified_payload for each in files),
        "manifest file": tuple(each.encode() for each in files),
        "manifest rows": (files[1].rows,),
        "request about a selection": (
            full(3).request.data,
            portfolio(3, chosen_by="request").request.data,
            portfolio(3, chosen_by="manifest").request.data,
        ),
        "serial journal": (line, line + line.replace(b'"serial":3', b'"serial":4')),
        "list of assets": (b"cn-pv-1\ncn-pv-2 # the second\n\n",),
        "selection terms": (_TERMS.encode(),),
    }


def readers(folder: Path) -> tuple[Reader, ...]:
    """All readers, without inputs; `folder` is where the one that opens files gets them."""
    path = folder / "serials.journal"

    def rows(data: bytes) -> bytes:
        return pack_rows(unpack_rows(data, count=3, columns=_COLUMNS))

    def journal(data: bytes) -> None:
        path.write_bytes(data)
        SerialJournal(path).close()

    def terms(data: bytes) -> None:
        Choice.parse(data.decode("utf-8", "surrogateescape").split("\n"), bundles.schema())

    def assets(data: bytes) -> None:
        read_assets(data, where="list")

    return (
        Reader("manifest", "json", (), lambda data: Manifest.parse(data).data),
        Reader("manifest file", "json", (), lambda data: ManifestFile.parse(data).encode()),
        Reader("manifest rows", "binary", (), rows),
        Reader("request about a selection", "json", (), lambda data: Request.parse(data).data),
        Reader("serial journal", "text", (), journal),
        Reader("list of assets", "text", (), assets),
        Reader("selection terms", "text", (), terms),
    )
