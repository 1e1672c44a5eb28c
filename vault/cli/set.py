"""`crossvault set`: named sets, signed by their authority, changed, exported for verifiers."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from proofs.canonical import format_instant
from proofs.errors import SetError
from proofs.named_set import FILE_LIMIT, MemberType, NamedSet, describe
from proofs.schema import AttributeType
from proofs.set_source import read_texts
from vault.cli.options import FILE, SPAN, identity_option, say
from vault.cli.show import print_list
from vault.client import sets
from vault.client.session import Session, at_vault
from vault.client.set_versions import last_version, note_version, require_shown
from vault.errors import InvalidInputError, NotFoundError
from vault.files import read_public, write_public
from vault.pki import now_utc


@click.group("set")
def set_group() -> None:
    """Named sets: add, change, list, export."""


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
    texts = _read_members(file, column)
    now = now_utc().replace(microsecond=0)
    with at_vault(caller, sets.SERVICE) as session:
        own = sets.own_versions(session, name)
        named, merged = sets.make(
            session.identity,
            texts,
            name=name,
            version=max(last_version(session.identity, name), *own, 0) + 1,
            member_type=MemberType(AttributeType(kind), scale, unit),
            issued=now,
            valid_until=now + life,
            source=source,
            as_of=(as_of or now).date(),
        )
        _hand_in(session, named)
    _say_signed(named, output)
    if merged:
        say(f"{merged:,} of {len(texts):,} lines were the same after normalising, and merged")
    say(f"digest {named.header.digest}")


@set_group.command()
@click.argument("name")
@click.option("--add", "added", multiple=True, metavar="TEXT", help="A new member.")
@click.option("--remove", "removed", multiple=True, metavar="TEXT", help="One that leaves.")
@click.option("--source", help="Where the list comes from.  [default: as before]")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Its date.  [default: today]")
@click.option("--valid", "life", type=SPAN, default="90d", show_default=True, metavar="SPAN")
@click.option("-o", "output", type=FILE, help="Also write the exported file.")
@identity_option
def change(
    name: str,
    added: tuple[str, ...],
    removed: tuple[str, ...],
    source: str | None,
    as_of: datetime | None,
    life: timedelta,
    output: Path | None,
    caller: Path,
) -> None:
    """Sign the next version of a set, with some members more or less (authorities).

    Without --add and --remove the same members are signed again, for longer.
    """
    now = now_utc().replace(microsecond=0)
    with at_vault(caller, sets.SERVICE) as session:
        own = sets.own_versions(session, name)
        if not own:
            raise NotFoundError(f"you have signed no set @{name}; make the first with `set add`")
        require_shown(session.identity, name, max(own))
        last = sets.export(session.channel, session.sites, name, own[max(own)].header.digest)
        named = sets.change(
            session.identity,
            last,
            added,
            removed,
            version=max(own) + 1,
            issued=now,
            valid_until=now + life,
            source=last.header.source if source is None else source,
            as_of=(as_of or now).date(),
        )
        _hand_in(session, named)
    # Which one it was made from: a vault that hid a later version would be seen by this.
    before = last.header
    say(f"made from version {before.version}, issued {format_instant(before.issued)}")
    _say_signed(named, output)
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
@click.option("--header", "head", is_flag=True, help="Only what was signed, without the members.")
@click.option("-o", "output", type=FILE, help="Where it goes.  [default: NAME.set]")
@identity_option
def export(name: str, digest: str, head: bool, output: Path | None, caller: Path) -> None:
    """Write a set with its members to a file.

    Verifiers read it with --set. Who has the list from its source needs the --header alone, and
    gives `--set NAME=SOURCE` beside it.
    """
    target = output if output is not None else Path(f"{name}.set")
    with at_vault(caller, sets.SERVICE) as session:
        if head:
            envelope, header = sets.header(session.channel, session.sites, name, digest)
            data = envelope.encode() + b"\n"
        else:
            named = sets.export(session.channel, session.sites, name, digest)
            header, data = named.header, named.export()
    write_public(target, data)
    what = "its header alone" if head else f"{header.count:,} members"
    say(f"wrote {target}: @{name} version {header.version}, {what}")


def _hand_in(session: Session, named: NamedSet) -> None:
    sets.add(session.channel, named)
    note_version(session.identity, named.header)


def _say_signed(named: NamedSet, output: Path | None) -> None:
    if output is not None:
        write_public(output, named.export())
    say(f"signed @{named.name} version {named.header.version}: {named.header.count:,} members")


def _read_members(file: Path, column: str | None) -> list[str]:
    """The members of a text file, one a line, or of one column of a CSV table."""
    data = read_public(file, limit=FILE_LIMIT)
    try:
        return read_texts(data, table=column is not None, column=column, where=str(file))
    except SetError as error:
        raise InvalidInputError(str(error)) from None
