"""`crossvault list` and `crossvault show`: what is there, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from proofs.canonical import format_instant
from vault.cli.options import identity_option, say
from vault.cli.show import print_list, print_pairs
from vault.client import documents, pinned_schemas
from vault.client.documents import DocumentView
from vault.client.session import at_vault
from vault.identity import Identity


@click.command("list")
@click.option("--asset", default="", help="Only documents about this asset.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def list_command(asset: str, as_json: bool, caller: Path) -> None:
    """Your documents with their public attributes, the last first."""
    schemas = _schema_names(caller)
    with at_vault(caller, documents.SERVICE) as session:
        found = list(documents.list_documents(session.channel, session.identity, asset=asset))
    if as_json:
        click.echo(json.dumps([_described(each) for each in found], ensure_ascii=False, indent=2))
    elif found:
        print_list(
            ("document 文件", "v", "asset 资产", "as of 截至", "bundles 证明"),
            [
                (
                    f"{each.attestation.document}\n  "
                    + schemas.get(each.attestation.schema, each.attestation.schema[:16] + "…"),
                    str(each.attestation.version),
                    "\n".join(
                        [each.attestation.asset]
                        + [f"  {name} {text}" for name, text in sorted(each.public.items())]
                    ),
                    str(each.attestation.as_of).replace("..", "..\n"),
                    str(each.bundles_issued),
                )
                for each in found
            ],
        )
    else:
        say("no documents")


@click.command()
@click.argument("document", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def show(document: str, as_json: bool, caller: Path) -> None:
    """One of your documents, every version."""
    schemas = _schema_names(caller)
    with at_vault(caller, documents.SERVICE) as session:
        found = documents.get_document(session.channel, session.identity, document)
    if as_json:
        click.echo(json.dumps([_described(each) for each in found], ensure_ascii=False, indent=2))
        return
    for each in found:
        attestation = each.attestation
        print_pairs(
            ("Document 文件", f"{attestation.document}, version {attestation.version}"),
            ("Asset 资产", attestation.asset),
            ("Schema 模式", f"{schemas.get(attestation.schema, '')} {attestation.schema}".strip()),
            ("As of 截至", str(attestation.as_of)),
            ("Attested 证明于", format_instant(attestation.attested_at)),
            ("Valid until 有效至", format_instant(attestation.valid_until)),
            ("Stored 存于", format_instant(each.commit_time)),
            ("Asset part 资产部分", attestation.asset_part),
            ("Public 公开", [f"{name} = {text}" for name, text in sorted(each.public.items())]),
            ("Can be proven 可证明", ", ".join(each.provable)),
            ("Bundles issued 已出证明", str(each.bundles_issued)),
            ("Attestation 证明摘要", attestation.digest),
        )
        click.echo()


def _schema_names(caller: Path) -> dict[str, str]:
    pinned = pinned_schemas.load_all(Identity.load(caller))
    return {digest: schema.name for digest, schema in pinned.items()}


def _described(view: DocumentView) -> dict[str, Any]:
    attestation = view.attestation
    return {
        "document": attestation.document,
        "version": attestation.version,
        "asset": attestation.asset,
        "schema": attestation.schema,
        "as_of": str(attestation.as_of),
        "attested_at": format_instant(attestation.attested_at),
        "valid_until": format_instant(attestation.valid_until),
        "attestation": attestation.digest,
        "public": dict(view.public),
        "provable": list(view.provable),
        "bundles_issued": view.bundles_issued,
        "stored_at": format_instant(view.commit_time),
    }
