"""`crossvault set`: named sets, signed by their authority, exported for verifiers."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import click

from proofs.canonical import format_instant
from proofs.named_set import FILE_LIMIT, MemberType, describe
from proofs.schema import AttributeType
from vault.cli.options import FILE, SPAN, identity_option, say
from vault.cli.show import print_list
from vault.client import sets
from vault.client.session import at_vault
from vault.errors import InvalidInputError, NotAllowedError
from vault.files import read_public, write_public
from vault.pki import now_utc


@click.group("set")
def set_group() -> None:
    """Named sets: add, list, export."""


@set_group.command()
@click.argument("name")
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--type",
    "kind",
    type=click.Choice([str(each) for each in AttributeType]),
    required=True,
    help="The type of the attributes that it is compared with.",
)
@click.option("--scale", type=click.IntRange(0, 18), default=0, help="Of decimals.")
@click.option("--unit", default="", help="Of numbers.")
@click.option("--column", help="FILE is a CSV table; take this column.")
@click.option("--source", required=True, help="Where the list comes from; verifiers see it.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Its date.  [default: today]")
@click.option(
    "--valid",
    "life",
    type=SPAN,
    default="90d",
    show_default=True,
    metavar="SPAN",
    help="Afterwards no fact can name it.",
)
@click.option("-o", "output", type=FILE, help="Also write the exported file.")
@identity_option
def add(
    name: str,
    file: Path,
    kind: str,
    scale: int,
    unit: str,
    column: str | None,
    source: str,
    as_of: datetime | None,
    life: timedelta,
    output: Path | None,
    caller: Path,
) -> None:
    """Sign FILE as the next version of a set (authorities).

    FILE has one member a line, or is a CSV table with --column.
    """
    texts = read_members(read_public(file, limit=FILE_LIMIT), column, where=str(file))
    now = now_utc().replace(microsecond=0)
    with at_vault(caller, sets.SERVICE) as session:
        if session.identity.principal.role != "authority":
            raise NotAllowedError("only an authority signs sets", reason="ROLE_NOT_SERVED")
        own = [
            each.header.version
            for each in sets.list_all(session.channel, session.sites)
            if each.header.name == name and each.authority == session.identity.uri
        ]
        named, merged = sets.make(
            session.identity,
            texts,
            name=name,
            version=max(own, default=0) + 1,
            member_type=MemberType(AttributeType(kind), scale, unit),
            issued=now,
            valid_until=now + life,
            source=source,
            as_of=(as_of or now).date(),
        )
        sets.add(session.channel, named)
    if output is not None:
        write_public(output, named.export())
    say(f"signed @{name} version {named.header.version}: {named.header.count:,} members")
    if merged:
        say(f"{merged:,} of {len(texts):,} lines were the same after normalising, and merged")
    say(f"digest {named.header.digest}")


@set_group.command("list")
@identity_option
def list_sets(caller: Path) -> None:
    """The newest version of every set."""
    with at_vault(caller, sets.SERVICE) as session:
        found = sets.list_all(session.channel, session.sites)
    if not found:
        say("no sets")
        return
    print_list(
        ("set", "version", "as of", "members", "type", "valid until", "authority"),
        (
            (
                f"@{each.header.name}",
                str(each.header.version),
                each.header.as_of.isoformat(),
                f"{each.header.count:,}",
                describe(each.header.type),
                format_instant(each.header.valid_until),
                each.authority,
            )
            for each in found
        ),
    )


@set_group.command()
@click.argument("name")
@click.option("--digest", default="", help="That version; the newest unless given.")
@click.option("-o", "output", type=FILE, help="Where it goes.  [default: NAME.set]")
@identity_option
def export(name: str, digest: str, output: Path | None, caller: Path) -> None:
    """Write a set with its members to a file.

    Verifiers read it with --set.
    """
    with at_vault(caller, sets.SERVICE) as session:
        named = sets.export(session.channel, session.sites, name, digest)
    target = output if output is not None else Path(f"{name}.set")
    write_public(target, named.export())
    say(f"wrote {target}: @{name} version {named.header.version}, {named.header.count:,} members")


def read_members(data: bytes, column: str | None, *, where: str) -> list[str]:
    """The members of a text file, one a line, or of one column of a CSV table; never empty.

    Empty lines and cells are left out. Raises InvalidInputError.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{where}: not UTF-8 (byte {error.start})") from None
    if column is None:
        found = [line for line in text.splitlines() if line.strip()]
    else:
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if column not in (table.fieldnames or ()):
            names = ", ".join(table.fieldnames or ())
            raise InvalidInputError(f"{where}: no column {column!a}; it has {names}")
        try:
            found = [row[column] for row in table if (row[column] or "").strip()]
        except csv.Error as error:
            raise InvalidInputError(f"{where}: line {table.line_num}: {error}") from None
    if not found:
        raise InvalidInputError(f"{where}: no members in it")
    return found
