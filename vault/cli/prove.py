"""`crossvault prove`: a custodian's own proof bundle, for an audience it names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console

from proofs.ids import digest_of
from proofs.render import print_table
from proofs.request import DEFAULT_ALIAS
from vault.cli.lists import list_options, list_rows, proving_bar, read_wish
from vault.cli.options import FILE, SPAN, identity_option, say
from vault.client import own_proof, requests, sets
from vault.client.documents import SERVICE as DOCUMENTS
from vault.client.own_list_proof import prove_list
from vault.client.session import at_vault
from vault.files import write_public
from vault.pki import now_utc


@click.command()
@click.argument("documents", metavar="[[ALIAS=]ID...]", nargs=-1)
@click.option("--schema", "schema_name", help="With --select: name or digest of a pinned schema.")
@list_options
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
    schema_name: str | None,
    terms: tuple[str, ...],
    manifest_file: Path | None,
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

    One document needs no alias; facts about several say ALIAS.attribute. With --select (or
    --manifest) the facts are about many documents of one schema: `sum(capacity) >= 500 MW`,
    `count() >= 10`, `each owner not in @list`, and `where present` behind a fact leaves out the
    documents that lack an attribute of it.
    """
    _check_usage(documents, schema_name, terms, manifest_file)
    now = now_utc()
    with at_vault(caller, requests.SERVICE, sets.SERVICE, DOCUMENTS) as session:
        if documents:
            made, bundle = own_proof.prove(
                session,
                aliases(documents),
                facts,
                audience=audience,
                purpose=purpose,
                legal_basis=basis,
                nonce=nonce,
                life=life,
                now=now,
            )
        else:
            wish = read_wish(session.identity, terms, manifest_file)
            with proving_bar() as progress:
                granted, bundle = prove_list(
                    session,
                    schema_name,
                    wish,
                    facts,
                    audience=audience,
                    purpose=purpose,
                    legal_basis=basis,
                    nonce=nonce,
                    life=life,
                    now=now,
                    progress=progress,
                )
            made = granted.request
    write_public(output, bundle)
    if request_out is not None:
        write_public(request_out, made.data)
    if documents:
        say(f"wrote {output} ({len(bundle):,} bytes, SHA-256 {digest_of(bundle)})")
        for fact in made.facts:
            say(f"  {fact}")
        return
    wrote = [("bytes", f"{len(bundle):,}"), ("SHA-256", digest_of(bundle)), ("wrote", str(output))]
    print_table(Console(stderr=True), [*list_rows(granted), *wrote])


def _check_usage(
    documents: tuple[str, ...],
    schema_name: str | None,
    terms: tuple[str, ...],
    manifest_file: Path | None,
) -> None:
    if documents and (terms or manifest_file or schema_name):
        raise click.UsageError("give documents, or choose them with --select or --manifest")
    if not documents and not terms and manifest_file is None:
        raise click.UsageError("say about which documents: ID, ALIAS=ID…, --select, --manifest")
    if terms and manifest_file is not None:
        raise click.UsageError("a manifest names its documents: leave --select out")
    if terms and schema_name is None:
        raise click.UsageError("--select needs --schema: the documents are of one schema")


def aliases(documents: tuple[str, ...]) -> dict[str, str]:
    """The ids by alias; an only document needs none."""
    if len(documents) == 1 and "=" not in documents[0]:
        return {DEFAULT_ALIAS: documents[0]}
    found: dict[str, str] = {}
    for each in documents:
        alias, equals, document = each.partition("=")
        if not equals or alias in found:
            raise click.UsageError("give each of several documents an alias of its own: ALIAS=ID")
        found[alias] = document
    return found
