"""A manifest as people read it before they sign, and as machines do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proofs.canonical import format_instant
from proofs.manifest import Manifest
from proofs.schema import Schema
from proofs.selection import Period
from vault.cli.show import Row
from vault.client.manifests import ListedManifest


def manifest_rows(read: Manifest, schema: Schema, signer: str) -> list[Row]:
    """What is signed, in the order in which people ask for it; read from the payload alone."""
    labels = {each.name: f"{each.label_en} {each.label_zh}" for each in schema.attributes}
    spans = "same for all 全部相同" if read.same_as_of else "not the same for all 不尽相同"
    return [
        ("Manifest 清单", read.digest),
        ("SPV 特殊目的载体", read.spv),
        ("Period 期间", days(read.period)),
        ("Serial 序号", str(read.serial)),
        ("Schema 模式", f"{schema.title_en} {schema.title_zh}\n{read.schema}"),
        ("Documents 文件数", f"{read.count:,}"),
        ("As of 截至", f"{read.as_of} ({spans})"),
        ("Attested 证明于", " .. ".join(format_instant(each) for each in read.attested)),
        ("Valid until 有效至", f"{format_instant(read.valid_until)} (the earliest 最早者)"),
        ("Attributes 属性", "\n".join(f"{name}  {labels[name]}" for name in read.attributes)),
        ("List 列表摘要", read.attestations),
        ("Signed 签署于", format_instant(read.signed_at)),
        ("Signer 签署方", signer),
    ]


def described(read: Manifest, signer: str) -> dict[str, object]:
    """The same for machines."""
    return {
        "digest": read.digest,
        "custodian": signer,
        "spv": read.spv,
        "period": {"from": read.period[0].isoformat(), "to": read.period[1].isoformat()},
        "serial": read.serial,
        "schema": read.schema,
        "count": read.count,
        "attributes": list(read.attributes),
        "as_of": {
            "from": read.as_of.first.isoformat(),
            "same": read.same_as_of,
            "to": read.as_of.last.isoformat(),
        },
        "valid_until": format_instant(read.valid_until),
        "signed_at": format_instant(read.signed_at),
        "attestations": read.attestations,
    }


def standing(listed: ListedManifest) -> dict[str, object]:
    """What the vault says of a registered one, for machines."""
    registered = format_instant(listed.register_time.replace(microsecond=0))
    return {"newest": listed.newest, "registered": registered}


def present(names: Sequence[str], commitments: Sequence[bytes | None]) -> list[str]:
    """The names of the attributes that a row holds."""
    return [name for name, each in zip(names, commitments, strict=True) if each is not None]


def schema_name(schemas: Mapping[str, Schema], digest: str) -> str:
    """The name of a pinned schema; of any other the beginning of its digest."""
    return schemas[digest].name if digest in schemas else digest[:16]


def days(period: Period) -> str:
    """A period in one line."""
    first, last = period
    return f"{first}..{last}"
