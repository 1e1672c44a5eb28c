"""`crossvault prove`: a custodian's own proof bundle, for an audience it names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from proofs.ids import digest_of
from proofs.request import DEFAULT_ALIAS
from vault.cli.options import FILE, SPAN, identity_option, say
from vault.client import own_proof, requests, sets
from vault.client.session import at_vault
from vault.files import write_public
from vault.pki import now_utc
from vault.v1 import document_pb2

DOCUMENTS = document_pb2.DESCRIPTOR.services_by_name["DocumentService"]


@click.command()
@click.argument("documents", metavar="[ALIAS=]ID...", nargs=-1, required=True)
@click.option(
    "--fact", "facts", multiple=True, required=True, help="What to prove; may be repeated."
)
@click.option("--audience", required=True, help="Who the bundle is for.")
@click.option("--purpose", required=True, help="What it is for.")
@click.option("--basis", required=True, help="The legal basis; kept in the onshore records.")
@click.option("--nonce", help="The audience's nonce, 64 hex digits, if it gave one.")
@click.option(
    "--expires",
    "life",
    type=SPAN,
    default="30d",
    show_default=True,
    metavar="SPAN",
    help="How long the bundle is good, at most.",
)
@click.option("-o", "output", type=FILE, required=True, help="Where the bundle goes.")
@click.option("--request-out", type=FILE, help="Also write the request that the bundle answers.")
@identity_option
def prove(
    documents: tuple[str, ...],
    facts: tuple[str, ...],
    audience: str,
    purpose: str,
    basis: str,
    nonce: str | None,
    life: timedelta,
    output: Path,
    request_out: Path | None,
    caller: Path,
) -> None:
    """Prove facts about documents of yours, in one bundle (custodians).

    One document needs no alias; facts about several say ALIAS.attribute.
    """
    by_alias = _aliases(documents)
    with at_vault(caller, requests.SERVICE, sets.SERVICE, DOCUMENTS) as session:
        made, bundle = own_proof.prove(
            session,
            by_alias,
            facts,
            audience=audience,
            purpose=purpose,
            legal_basis=basis,
            nonce=nonce,
            life=life,
            now=now_utc(),
        )
    write_public(output, bundle)
    if request_out is not None:
        write_public(request_out, made.data)
    say(f"wrote {output} ({len(bundle):,} bytes, SHA-256 {digest_of(bundle)})")
    for fact in made.facts:
        say(f"  {fact}")


def _aliases(documents: tuple[str, ...]) -> dict[str, str]:
    if len(documents) == 1 and "=" not in documents[0]:
        return {DEFAULT_ALIAS: documents[0]}
    found: dict[str, str] = {}
    for each in documents:
        alias, equals, document = each.partition("=")
        if not equals or alias in found:
            raise click.UsageError("give each of several documents an alias of its own: ALIAS=ID")
        found[alias] = document
    return found
