"""`crossvault request show` and `approve` where a request is about a selection of documents.

What a custodian reads before it signs is the exact list, made on its own machine from attestations
with its own signature; how each fact stands over it is what the vault says.
"""

from __future__ import annotations

import click

from proofs.render import Row
from proofs.request import Request
from proofs.selection import Selection
from vault.cli.lists import list_rows, proving_bar
from vault.cli.options import say
from vault.cli.show import print_pairs
from vault.client import requests
from vault.client.choice import ALL
from vault.client.consent_list import (
    ListConsent,
    Wish,
    choose,
    grant_list,
    is_free,
    prepare_list,
)
from vault.client.requests import Offer
from vault.client.session import Session
from vault.errors import NotFoundError, VaultError
from vault.pki import now_utc


def is_about_list(offer: Offer) -> bool:
    """Whether a request is about a selection."""
    return Request.parse(offer.view.request).selection is not None


def show_list(session: Session, offer: Offer, wish: Wish, about: list[Row]) -> None:
    """What a grant would sign, or what is missing for one."""
    selection = _selection(offer)
    if is_free(selection) and wish == Wish():
        print_pairs(*about)
        try:
            count = len(choose(session, selection, Wish(terms=(ALL,)), now=now_utc()))
        except NotFoundError as error:
            say(str(error))
            return
        say(f"{count:,} documents of yours are of this schema: choose with --select")
        return
    try:
        prepared = _prepare(session, offer, wish)
    except NotFoundError as error:
        print_pairs(*about)
        say(f"nothing can be granted: {error}")
        return
    try:
        outlooks = _check(session, offer, prepared)
    except VaultError as error:
        print_pairs(*about, *list_rows(prepared))
        say(f"nothing can be granted over this list: {error}")
        return
    print_pairs(*about, *list_rows(prepared, outlooks))


def approve_list(
    session: Session, offer: Offer, wish: Wish, about: list[Row], *, basis: str, yes: bool
) -> tuple[str, str]:
    """Show, ask, sign, and have it proven; the state, and why it could not be."""
    prepared = _prepare(session, offer, wish)
    print_pairs(*about, *list_rows(prepared, _check(session, offer, prepared)))
    if not yes:
        click.confirm("Sign the grant?", abort=True, err=True)
    signed = grant_list(session.identity, prepared, now=now_utc())
    with proving_bar() as progress:
        return requests.approve(
            session.channel,
            offer.view.digest,
            signed,
            basis,
            chosen=prepared.chosen,
            progress=progress,
        )


def _selection(offer: Offer) -> Selection:
    selection = Request.parse(offer.view.request).selection
    if selection is None:
        raise TypeError("the request is about documents by alias")
    return selection


def _prepare(session: Session, offer: Offer, wish: Wish) -> ListConsent:
    now = now_utc()
    return prepare_list(
        session,
        choose(session, _selection(offer), wish, now=now),
        digest=offer.view.digest,
        request=offer.view.request,
        asker=offer.view.asker,
        manifest=wish.manifest,
        sets=offer.sets,
        now=now,
    )


def _check(session: Session, offer: Offer, prepared: ListConsent) -> requests.Outlooks:
    return requests.check(session.channel, offer.view.digest, offer.view.asker, prepared.chosen)
