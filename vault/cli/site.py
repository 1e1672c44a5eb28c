"""`crossvault init` and `crossvault site`: making one side, and joining the other.

Nothing of the other side is taken without the fingerprint that somebody compared over another
channel; a later file of a side that is pinned already needs none.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from proofs.canonical import format_instant
from vault.cli.options import FILE, FOLDER, say, site_option
from vault.config import DEFAULT_PORTS, Quorum
from vault.enrol import PUBLIC_FILE, SiteFolder, create_site
from vault.files import read_public
from vault.identity import SITES, Identity
from vault.pinning import join
from vault.pki import now_utc
from vault.site_file import MAX_SITE, Site, read_fingerprint, show_fingerprint
from vault.sites import SIDES, SiteSet, pinned_fingerprint


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--site", "side", type=click.Choice(SIDES), required=True, help="Which side it is.")
@click.option(
    "--trust-domain", default="rwa.example", show_default=True, help="The same on both sides."
)
@click.option(
    "--holders", type=click.IntRange(2, 15), default=3, show_default=True, help="How many."
)
@click.option(
    "--threshold",
    type=click.IntRange(2, 15),
    default=2,
    show_default=True,
    help="How many of them open a key: more than half.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where its processes listen.")
@click.option(
    "--port-base",
    type=click.IntRange(1, 65_000),
    help=f"First port: the vault's; holders follow.  [default: cn {DEFAULT_PORTS['cn']}, "
    f"hk {DEFAULT_PORTS['hk']}]",
)
@click.option("--name", default="main", show_default=True, help="The vault's name (mainland).")
def init(
    folder: Path,
    side: str,
    trust_domain: str,
    holders: int,
    threshold: int,
    host: str,
    port_base: int | None,
    name: str,
) -> None:
    """Make one side in the folder DIR.

    That is its site key, its CA, the key holders and, on the mainland, the vault.
    """
    site = create_site(
        folder,
        trust_domain=trust_domain,
        jurisdiction=side,
        quorum=Quorum(threshold=threshold, holders=holders),
        now=now_utc(),
        host=host,
        port_base=port_base,
        vault_name=name,
    )
    say(f"made the {side} side in {folder}, with {holders} key holders ({threshold} open a key)")
    say(f"fingerprint  {show_fingerprint(site.fingerprint)}")
    say(f"Give {folder / PUBLIC_FILE} to the other side, and the fingerprint by another channel.")
    say(f"Keep {folder / 'private'} where nobody else can read it.")


@click.group()
def site() -> None:
    """The public files of both sides."""


@site.command()
@click.argument("file", metavar="SITE.json", type=FILE)
@click.option("--fingerprint", help="As the other side told it; needed the first time.")
@click.option("--identity", type=FOLDER, help="Take it into this identity folder, not a site.")
@site_option
def add(file: Path, fingerprint: str | None, identity: Path | None, folder: Path) -> None:
    """Join the other side, or take a later site.json.

    The other side makes a new number of it with every change of its principals.
    """
    data = read_public(file, limit=MAX_SITE)
    sites = (identity if identity is not None else folder) / SITES
    if fingerprint is not None:
        pinned: str | None = read_fingerprint(fingerprint)
    else:
        pinned = pinned_fingerprint(sites, data)
    if pinned is None:
        raise click.UsageError(
            "the key of this file is not pinned here: give --fingerprint, as that side told it "
            "over another channel"
        )
    if identity is not None:
        Identity.load(identity)
        found = join(sites, data, pinned)
    else:
        found = SiteFolder(folder).join(data, pinned)
    say(
        f"took number {found.number} of the {found.jurisdiction} side: "
        f"{len(found.principals)} principals, fingerprint {show_fingerprint(found.fingerprint)}"
    )


@site.command()
@click.option("--identity", type=FOLDER, help="Show what this identity folder pinned.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@site_option
def show(identity: Path | None, as_json: bool, folder: Path) -> None:
    """Show the pinned files: numbers, fingerprints, principals."""
    both = SiteSet.load((identity if identity is not None else folder) / SITES)
    found = [both.site(side) for side in SIDES if both.has(side)]
    if as_json:
        click.echo(json.dumps([_described(one) for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        click.echo(f"{one.jurisdiction}  number {one.number} of {format_instant(one.issued)}")
        click.echo(f"    fingerprint  {show_fingerprint(one.fingerprint)}")
        click.echo(f"    quorum       {one.quorum.threshold} of {one.quorum.holders} holders")
        for record in one.principals.values():
            extra = record.address or record.person or ""
            until = format_instant(record.valid_until)
            click.echo(f"    {record.uri}  until {until}  {extra}".rstrip())


def _described(one: Site) -> dict[str, object]:
    return {
        "jurisdiction": one.jurisdiction,
        "trust_domain": one.trust_domain,
        "number": one.number,
        "issued": format_instant(one.issued),
        "fingerprint": one.fingerprint,
        "quorum": {"threshold": one.quorum.threshold, "holders": one.quorum.holders},
        "principals": [record.to_json() for record in one.principals.values()],
    }
