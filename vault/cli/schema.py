"""`crossvault schema`: what documents of a kind look like. A schema holds no values."""

from __future__ import annotations

from pathlib import Path

import click

from proofs.schema import Attribute, AttributeType, Schema
from proofs.values import format_value
from vault.cli.options import FILE, identity_option, say
from vault.cli.show import print_list
from vault.client import documents, pinned_schemas
from vault.client.session import at_vault
from vault.files import read_public
from vault.identity import Identity


@click.group()
def schema() -> None:
    """Schemas: add, list, show. A schema file may be given to outsiders."""


@schema.command()
@click.argument("file", metavar="FILE", type=FILE)
@identity_option
def add(file: Path, caller: Path) -> None:
    """Pin the schema in FILE.

    A custodian also registers it with the vault.
    """
    canonical = Schema.from_author(read_public(file))
    identity = Identity.load(caller)
    if identity.principal.role == "custodian":
        with at_vault(caller, documents.SERVICE) as session:
            documents.add_schema(session.channel, canonical)
    added = pinned_schemas.pin(identity, canonical)
    say(f"schema {added.name}")
    click.echo(added.digest)


@schema.command("list")
@identity_option
def list_command(caller: Path) -> None:
    """Every schema of the vault; marked are those that you pinned."""
    pinned = pinned_schemas.load_all(Identity.load(caller))
    with at_vault(caller, documents.SERVICE) as session:
        found = {each.digest: each for each in documents.list_schemas(session.channel)}
    rows = [
        (each.name, each.title_en, each.title_zh, digest, "yes" if digest in pinned else "")
        for digest, each in (found | pinned).items()
    ]
    if rows:
        print_list(("name", "title", "名称", "digest", "pinned"), rows)
    else:
        say("no schemas")


@schema.command()
@click.argument("name", metavar="NAME|DIGEST")
@click.option("--json", "as_json", is_flag=True, help="The exact file, to be given to others.")
@identity_option
def show(name: str, as_json: bool, caller: Path) -> None:
    """A schema that you pinned."""
    found = pinned_schemas.find(Identity.load(caller), name)
    if as_json:
        click.echo(found.encode(), nl=False)
        return
    say(f"{found.name}: {found.title_en} {found.title_zh}, {found.digest}")
    print_list(
        ("attribute", "label", "标签", "class", "type", "values"),
        [
            (
                each.name,
                each.label_en,
                each.label_zh,
                str(each.attribute_class),
                str(each.type),
                _values(each),
            )
            for each in found.attributes
        ],
    )


def _values(attribute: Attribute) -> str:
    lines = []
    if attribute.is_ordered:
        lines.append(" .. ".join(format_value(attribute, bound) for bound in attribute.bounds))
    if attribute.type is AttributeType.ENUM:
        lines.append(", ".join(attribute.members))
    if attribute.optional:
        lines.append("optional")
    return "\n".join(lines)
