"""`crossvault request`: a verifier's request on its way, for SPV administrators and custodians.

An SPV submits, looks and fetches. A custodian lists, reads, and approves or denies; what it reads
before it signs comes from the bytes that it signs, checked on its own machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click

from proofs.canonical import format_instant
from proofs.facts import FactList
from proofs.ids import digest_of
from proofs.render import numbered
from proofs.request import Request
from vault.cli.options import FILE, identity_option, say
from vault.cli.show import Row, print_list, print_pairs
from vault.client import consent, pinned_schemas, requests
from vault.client.requests import Offer, RequestView
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
        click.echo(json.dumps([_described(each) for each in found], ensure_ascii=False, indent=2))
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
                "\n".join(each.asset for each in asked.documents),
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
@_asker_option
@identity_option
def show(digest: str, asker: str, caller: Path) -> None:
    """One request; for custodians, what a grant would sign.

    A custodian also sees how each fact stands.
    """
    with at_vault(caller, requests.SERVICE) as session:
        offer = _get(session, digest, asker)
        if session.identity.principal.role != "custodian":
            print_pairs(*_about(offer.view))
            return
        if not offer.attestations:
            print_pairs(*_about(offer.view))
            say("no unexpired documents of yours are about all of this: nothing can be granted")
            return
        print_pairs(*_consent_rows(_prepare(session, offer), offer.view))


@request.command()
@click.argument("digest")
@click.option("--basis", required=True, help="The legal basis; kept in the onshore records.")
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@_asker_option
@identity_option
def approve(digest: str, basis: str, yes: bool, asker: str, caller: Path) -> None:
    """Grant exactly this request (custodians).

    Shows what is signed, signs the grant, and has the vault prove the facts.
    """
    with at_vault(caller, requests.SERVICE) as session:
        offer = _get(session, digest, asker)
        prepared = _prepare(session, offer)
        print_pairs(*_consent_rows(prepared, offer.view))
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
        return requests.get(session.channel, digest, asker)
    found = {
        each.digest
        for each in requests.list_all(session.channel)
        if len(digest) >= 8 and each.digest.startswith(digest)
    }
    if len(found) != 1:
        raise NotFoundError(f"{len(found)} requests begin with {digest[:64]!a}; give more digits")
    return requests.get(session.channel, found.pop(), asker)


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


def _about(view: RequestView) -> list[Row]:
    asked = Request.parse(view.request)
    return [
        ("request", view.digest),
        ("state", view.state),
        ("why", view.detail),
        ("asked by", view.asker),
        ("for", asked.audience),
        ("purpose", asked.purpose),
        ("asset", _assets(asked)),
        ("facts", numbered(asked.facts)),
        ("sets", "\n".join(f"@{each.name} {each.digest[:16]}" for each in asked.sets)),
        ("made", format_instant(asked.created)),
        ("expires", format_instant(asked.expires)),
    ]


def _consent_rows(prepared: consent.Consent, view: RequestView) -> list[Row]:
    asked = prepared.request
    facts = FactList.parse_canonical(asked.facts, prepared.subjects)
    return [
        ("request", asked.digest),
        ("state", view.state),
        ("why", view.detail),
        ("asked by", prepared.asker.uri),
        ("for", asked.audience),
        ("purpose", asked.purpose),
        *_document_rows(prepared.documents),
        ("facts", numbered(_fact_line(each.text, prepared.outlooks) for each in facts)),
        (
            "sets",
            "\n".join(
                f"@{each.name} version {each.version} of {each.as_of}, {each.count} members"
                for each in prepared.sets
            ),
        ),
        ("nonce", asked.nonce or "none"),
        ("expires", format_instant(asked.expires)),
    ]


def _assets(asked: Request) -> str:
    if len(asked.documents) == 1:
        return asked.documents[0].asset
    return "\n".join(f"{each.alias}: {each.asset}" for each in asked.documents)


def _document_rows(documents: Sequence[consent.OwnDocument]) -> list[Row]:
    """Four rows for one document; for several a row each, which begins with the alias."""
    rows: list[Row] = []
    for each in documents:
        attested = each.attestation
        lines = [
            ("asset", attested.asset),
            (
                "document" if len(documents) == 1 else "id",
                f"{attested.document} version {attested.version}",
            ),
            ("schema", f"{each.schema.title_en} {each.schema.title_zh}"),
            ("as of", str(attested.as_of)),
        ]
        if len(documents) == 1:
            rows += lines
        else:
            # Never the alias alone: it is the asker's word, and could be `purpose`.
            named = [("alias", each.alias), *lines]
            rows.append(("document", "\n".join(f"{label} {value}" for label, value in named)))
    return rows


def _fact_line(text: str, outlooks: Mapping[str, str | None]) -> str:
    if text not in outlooks:
        return text
    detail = outlooks[text]
    return f"{text}   [holds]" if detail is None else f"{text}   [CANNOT BE PROVEN: {detail}]"


def _described(view: RequestView) -> dict[str, object]:
    return {
        "digest": view.digest,
        "state": view.state,
        "asker": view.asker,
        "submitted": _instant(view.submit_time),
        "detail": view.detail,
        "request": json.loads(view.request),
    }


def _instant(moment: datetime) -> str:
    return format_instant(moment.replace(microsecond=0))
