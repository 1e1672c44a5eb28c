"""A selection as the verdict shows it: how many documents, who chose them, what was left out.

A thousand assets are not listed; the first and the last are, and the count. It renders what it is
given and checks nothing.

SPEC.md, "Commands".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from proofs.attestation import Attestation
from proofs.bundle import Bundle
from proofs.canonical import format_instant
from proofs.evidence import BundleSelection
from proofs.listing import span_of
from proofs.manifest import Manifest, unpack_rows
from proofs.schema import Schema
from proofs.verify_list import VerifiedSelection

Line = tuple[str, str | list[str]]

_CHOSEN = {
    "request": "list given in the request 名单由请求方给定",
    "prover": "list chosen by the prover 名单由证明方选定",
}


def selection_rows(selection: VerifiedSelection, facts: Sequence[str]) -> list[Line]:
    """Label and value, as the verdict's table has them, without the facts themselves."""
    manifest = selection.manifest
    chosen = [_CHOSEN[selection.chosen_by]] if selection.chosen_by in _CHOSEN else []
    if manifest is not None:
        chosen += _manifest_lines(manifest)
    rows: list[Line] = [
        (
            "Documents 文件",
            [
                f"{selection.count} of {selection.schema.title_en} {selection.schema.title_zh}",
                *chosen,
            ],
        ),
        ("Assets 资产", _ends(selection.assets)),
        ("As of 截至", _as_of(selection)),
    ]
    left = [
        f"{number}. left out {out} of {selection.count}, about {selection.count - out}"
        for number, out in enumerate(selection.left_out, 1)
        if out and number <= len(facts)
    ]
    if left:
        rows.append(("Absent 缺项", left))
    return rows


def cautions(selection: VerifiedSelection) -> list[str]:
    """What even one line about a selection must say, or it would read as more than was proven."""
    found = [_CHOSEN["prover"]] if selection.chosen_by == "prover" else []
    if any(selection.left_out):
        found.append("facts leave some out 部分事实有缺项")
    return found


def selection_json(selection: VerifiedSelection) -> dict[str, object]:
    """The same for machines, with every asset and document."""
    manifest = selection.manifest
    found: dict[str, object] = {
        "assets": list(selection.assets),
        "as_of": {
            "from": selection.as_of.first.isoformat(),
            "same": selection.same_as_of,
            "to": selection.as_of.last.isoformat(),
        },
        "chosen_by": selection.chosen_by,
        "count": selection.count,
        "documents": list(selection.documents),
        "left_out": list(selection.left_out),
        "schema": {"digest": selection.schema.digest, "name": selection.schema.name},
    }
    if manifest is not None:
        found["manifest"] = {
            "digest": manifest.digest,
            "period": [each.isoformat() for each in manifest.period],
            "serial": manifest.serial,
            "signed_at": format_instant(manifest.signed_at),
            "spv": manifest.spv,
        }
    return found


def claimed_selection(
    bundle: Bundle, carried: BundleSelection
) -> tuple[list[Line], list[datetime]]:
    """What a bundle says of its selection, and when it was attested. Nothing was checked."""
    schema = next((Schema.parse(each) for each in bundle.schemas), None)
    title = f"{schema.title_en} {schema.title_zh}" if schema else "schema not in the file"
    if carried.manifest is not None:
        manifest = Manifest.parse(carried.manifest.envelope.unverified_payload)
        rows = unpack_rows(
            carried.manifest.rows, count=manifest.count, columns=len(manifest.attributes)
        )
        assets, as_of = sorted(each.asset for each in rows), manifest.as_of
        said, instants = _manifest_lines(manifest), list(manifest.attested)
    else:
        attested = [Attestation.parse(each.unverified_payload) for each in carried.attestations]
        assets = sorted(each.asset for each in attested)
        as_of = span_of(each.as_of for each in attested)
        said = [_CHOSEN[carried.chosen_by]] if carried.chosen_by in _CHOSEN else []
        instants = [each.attested_at for each in attested]
    lines: list[Line] = [
        ("Documents 文件", [f"{len(assets)} of {title}", *said]),
        ("Assets 资产", _ends(assets)),
        ("As of 截至", str(as_of)),
    ]
    return lines, instants


def _as_of(selection: VerifiedSelection) -> list[str]:
    shown = f"{selection.as_of} ({selection.schema.time_zone})"
    if selection.same_as_of:
        return [shown]
    return [shown, "of different days, from the first to the last 各文件日期不同"]


def _manifest_lines(manifest: Manifest) -> list[str]:
    first, last = manifest.period
    return [
        f"all of {manifest.spv}, {first.isoformat()}..{last.isoformat()}",
        f"by the custodian's manifest, serial {manifest.serial} 托管方清单第 {manifest.serial} 号",
    ]


def _ends(assets: Sequence[str]) -> list[str]:
    if len(assets) <= 4:
        return list(assets)
    return [*assets[:2], f"… {len(assets) - 3} more …", assets[-1]]
