"""`crossvault request`: a verifier's request on its way, for SPV administrators and custodians.

An SPV submits, looks and fetches. A custodian lists, reads, and approves or denies; what it reads
before it signs comes from the bytes that it signs, checked on its own machine.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from proofs.canonical import format_instant
from proofs.errors import BindingError
from proofs.ids import digest_of
from proofs.request import Request
from vault.cli.lists import list_options, read_wish
from vault.cli.options import FILE, identity_option, say
from vault.cli.request_lists import approve_list, is_about_list, show_list
from vault.cli.request_view import about, assets_of, consent_rows, described
from vault.cli.show import print_list, print_pairs
from vault.client import consent, pinned_schemas, requests
from vault.client.documents import SERVICE as DOCUMENTS
from vault.client.requests import Offer
from vault.client.session import Session, at_vault
from vault.errors import NotFoundError, VaultError
from vault.files import read_public, write_public
from vault.pki import now_utc


@click.group()
def request() -> None:
    """Requests for proofs: submit, list, show, approve, deny, fetch."""


@request.command()
@click.argument("file", metavar="REQUEST.json", type=FILE)
@identity_option
def submit(file: Path, caller: Path) -> None:
    """Hand a verifier's request file in (SPV administrators)."""
    data = read_public(file)
    asked = Request.parse(data)
    with at_vault(caller, requests.SERVICE) as session:
        state = requests.submit(session.channel, data)
    say(f"{state}: request {asked.digest}")
    say(f"its answer is due before {format_instant(asked.expires)}")


@request.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def list_requests(as_json: bool, caller: Path) -> None:
    """The requests that you may see, the last first."""
    with at_vault(caller, requests.SERVICE) as session:
        found = list(requests.list_all(session.channel))
    if as_json:
        click.echo(json.dumps([described(each) for each in found], ensure_ascii=False, indent=2))
        return
    if not found:
        say("no requests")
        return
    rows = []
    for each in found:
        asked = Request.parse(each.request)
        rows.append(
            (
                each.state,
                each.digest[:16],
                assets_of(asked, brief=True),
                "\n".join(asked.facts),
                asked.audience,
                format_instant(asked.expires),
            )
        )
    print_list(("state", "request", "asset", "facts", "for", "expires"), rows)


_asker_option = click.option(
    "--asker", default="", help="Only where several handed in the same request."
)


@request.command()
@click.argument("digest")
@list_options
@_asker_option
@identity_option
def show(
    digest: str, terms: tuple[str, ...], manifest_file: Path | None, asker: str, caller: Path
) -> None:
    """One request; for custodians, what a grant would sign.

    A custodian also sees how each fact stands. Where a request leaves the list of documents to
    the custodian, --select tries one.
    """
    with at_vault(caller, requests.SERVICE, DOCUMENTS) as session:
        offer = _get(session, digest, asker)
        if session.identity.principal.role != "custodian":
            print_pairs(*about(offer.view))
            return
        if is_about_list(offer):
            wish = read_wish(session.identity, terms, manifest_file)
            show_list(session, offer, wish, about(offer.view, facts=False))
            return
        _no_list(terms, manifest_file)
        if not offer.attestations:
            print_pairs(*about(offer.view))
            say("no unexpired documents of yours are about all of this: nothing can be granted")
            return
        print_pairs(*consent_rows(_prepare(session, offer), offer.view))


@request.command()
@click.argument("digest")
@click.option("--basis", required=True, help="The legal basis; kept in the onshore records.")
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@list_options
@_asker_option
@identity_option
def approve(
    digest: str,
    basis: str,
    yes: bool,
    terms: tuple[str, ...],
    manifest_file: Path | None,
    asker: str,
    caller: Path,
) -> None:
    """Grant exactly this request (custodians).

    Shows what is signed, signs the grant, and has the vault prove the facts. Where a request
    leaves the list of documents to the custodian, --select chooses it.
    """
    with at_vault(caller, requests.SERVICE, DOCUMENTS) as session:
        offer = _get(session, digest, asker)
        if is_about_list(offer):
            wish = read_wish(session.identity, terms, manifest_file)
            asked = about(offer.view, facts=False)
            state, detail = approve_list(session, offer, wish, asked, basis=basis, yes=yes)
        else:
            _no_list(terms, manifest_file)
            prepared = _prepare(session, offer)
            print_pairs(*consent_rows(prepared, offer.view))
            if not yes:
                click.confirm("Sign the grant?", abort=True, err=True)
            signed = consent.grant(session.identity, prepared, now=now_utc())
            state, detail = requests.approve(session.channel, offer.view.digest, signed, basis)
    if state != "answered":
        raise VaultError(f"{state}: {detail} (the asker sees `pending`, then `declined`)")
    say(f"answered: the asker can fetch the bundle of {offer.view.digest}")


@request.command()
@click.argument("digest")
@click.option("--reason", required=True, help="Stays with the vault; the asker never sees it.")
@_asker_option
@identity_option
def deny(digest: str, reason: str, asker: str, caller: Path) -> None:
    """Refuse a request (custodians).

    The asker sees `pending`, and `declined` from the request's expiry on.
    """
    with at_vault(caller, requests.SERVICE) as session:
        view = _get(session, digest, asker).view
        state = requests.deny(session.channel, view.digest, reason, asker)
    say(f"{state}: request {view.digest}")


@request.command()
@click.argument("digest")
@click.option("-o", "output", type=FILE, required=True, help="Where the bundle goes.")
@identity_option
def fetch(digest: str, output: Path, caller: Path) -> None:
    """Write the bundle of an answered request to a file."""
    with at_vault(caller, requests.SERVICE) as session:
        view = _get(session, digest).view
        bundle = requests.fetch(session.channel, view.digest)
    write_public(output, bundle)
    say(f"wrote {output} ({len(bundle):,} bytes, SHA-256 {digest_of(bundle)})")


def _get(session: Session, digest: str, asker: str = "") -> Offer:
    """A request by its digest, or by the beginning that `list` shows."""
    if len(digest) == 64:
        return _named(requests.get(session.channel, digest, asker), digest)
    found = {
        each.digest
        for each in requests.list_all(session.channel)
        if len(digest) >= 8 and each.digest.startswith(digest)
    }
    if len(found) != 1:
        raise NotFoundError(f"{len(found)} requests begin with {digest[:64]!a}; give more digits")
    return _named(requests.get(session.channel, found.pop(), asker), digest)


def _named(offer: Offer, digest: str) -> Offer:
    if not offer.view.digest.startswith(digest):
        raise BindingError("the vault showed another request than the one that was named")
    return offer


def _prepare(session: Session, offer: Offer) -> consent.Consent:
    if not offer.attestations:
        raise NotFoundError("no unexpired documents of yours are about all of this")
    return consent.prepare(
        session.identity,
        session.sites,
        pinned_schemas.load_all(session.identity),
        digest=offer.view.digest,
        request=offer.view.request,
        asker=offer.view.asker,
        attestations=offer.attestations,
        sets=offer.sets,
        outlooks=offer.outlooks,
        now=now_utc(),
    )


def _no_list(terms: tuple[str, ...], manifest_file: Path | None) -> None:
    if terms or manifest_file is not None:
        raise click.UsageError("the request names its documents: leave --select and --manifest out")
