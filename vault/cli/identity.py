"""`crossvault identity`: enrolling, renewing and removing the principals of one's own side.

Each principal gets a folder of its own, to be carried to its own machine. Every change makes a
new `site.json`, which the other side takes with `crossvault site add`.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click

from proofs.canonical import encode_base64, format_instant
from vault.cli.options import say, site_option
from vault.enrol import PUBLIC_FILE, SiteFolder
from vault.errors import NotFoundError
from vault.pki import now_utc
from vault.site_file import show_fingerprint

_DAYS = click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=365,
    show_default=True,
    help="How long it is valid.",
)


@click.group()
def identity() -> None:
    """The principals of one side: certificates, keys, and their list."""


@identity.command()
@click.argument("role")
@click.argument("name")
@_DAYS
@click.option("--person", metavar="ID", help="Whose approvals these are (officers).")
@click.option("--address", metavar="HOST:PORT", help="Where it listens (vault, holders).")
@site_option
def issue(
    role: str, name: str, days: int, person: str | None, address: str | None, folder: Path
) -> None:
    """Enrol one principal of this side.

    It gets a certificate and keys in a folder of its own, to be carried to its own machine. ROLE
    is officer, holder, authority or auditor; custodian or vault on the mainland; spv in Hong Kong.
    """
    site = SiteFolder(folder)
    made = site.issue(
        role, name, now=now_utc(), life=timedelta(days=days), address=address, person=person
    )
    click.echo(made)
    _changed(site)


@identity.command()
@click.argument("role")
@click.argument("name")
@_DAYS
@site_option
def renew(role: str, name: str, days: int, folder: Path) -> None:
    """A new certificate for a principal; its signing key stays."""
    site = SiteFolder(folder)
    until = site.renew(role, name, now=now_utc(), life=timedelta(days=days))
    say(f"valid until {format_instant(until)}")
    _changed(site)


@identity.command()
@click.argument("role")
@click.argument("name")
@site_option
def remove(role: str, name: str, folder: Path) -> None:
    """Strike a principal from the list.

    It is refused from its next call on, on the other side once that has taken the new site.json.
    """
    site = SiteFolder(folder)
    site.remove(role, name, now=now_utc())
    _changed(site)


@identity.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@site_option
def list_(as_json: bool, folder: Path) -> None:
    """Who is enrolled on this side."""
    records = SiteFolder(folder).current().principals.values()
    if as_json:
        click.echo(json.dumps([r.to_json() for r in records], ensure_ascii=False, indent=2))
        return
    now = now_utc()
    for record in records:
        until = format_instant(record.valid_until)
        state = "until" if record.valid_at(now) else "EXPIRED"
        extra = record.address or record.person or ""
        click.echo(f"{record.uri}  {state} {until}  key {record.key_id[:16]}  {extra}".rstrip())


@identity.command()
@click.argument("role")
@click.argument("name")
@site_option
def key(role: str, name: str, folder: Path) -> None:
    """Print a principal's public signing key.

    It is what `crossproof trust add --key` takes. The key is for a file that goes to outsiders. Its
    fingerprint, on standard error, is what they compare: tell it to them by another channel.
    """
    site = SiteFolder(folder)
    uri = site.principal(role, name).uri
    record = site.current().principals.get(uri)
    if record is None:
        raise NotFoundError(f"{uri}: is not enrolled")
    click.echo(encode_base64(record.signing_key))
    say(uri)
    say(f"fingerprint  {show_fingerprint(record.key_id)}")


def _changed(site: SiteFolder) -> None:
    number = site.current().number
    say(f"site.json is number {number} now; give {site.folder / PUBLIC_FILE} to the other side")
