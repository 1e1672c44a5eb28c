"""A custodian's own proof about a selection: a request that it makes, and its grant over a list.

As `vault.client.own_proof`. The list is the custodian's own choice, and a verifier is told so;
unless it is that of a manifest, whose SPV and period the request then names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from proofs.facts import FactList
from proofs.request import Request
from proofs.selection import Selection
from vault.client import pinned_schemas
from vault.client.consent_list import ListConsent, Wish, choose, grant_list, prepare_list
from vault.client.own_proof import named_sets
from vault.client.requests import Progress, create, no_progress
from vault.client.session import Session
from vault.errors import InvalidInputError


def prove_list(
    session: Session,
    schema_name: str | None,
    wish: Wish,
    facts: Sequence[str],
    *,
    audience: str,
    purpose: str,
    legal_basis: str,
    nonce: str | None,
    life: timedelta,
    now: datetime,
    progress: Progress = no_progress,
) -> tuple[ListConsent, bytes]:
    """What was granted, and the bundle; `schema_name` may be left out with a manifest.

    Raises CrossproofError or VaultError: a fact that may not be asked, is false, or whose value is
    absent in a document of the list; a set that nobody listed; a list that cannot be one.
    """
    selection = _selection(session, schema_name, wish)
    schema = pinned_schemas.find(session.identity, selection.schema)
    asked = FactList.over(facts, schema, now=now)
    documents = choose(session, selection, wish, now=now)
    references, envelopes = named_sets(session, asked.set_names)
    start = now.replace(microsecond=0)
    made = Request.build(
        selection=selection,
        facts=asked.texts,
        sets=references,
        audience=audience,
        purpose=purpose,
        nonce=nonce,
        created=start,
        expires=start + timedelta(hours=1),
    )
    prepared = prepare_list(
        session,
        documents,
        digest=made.digest,
        request=made.data,
        asker=session.identity.uri,
        manifest=wish.manifest,
        sets=envelopes,
        now=now,
    )
    signed = grant_list(session.identity, prepared, now=now, life=life)
    bundle = create(
        session.channel, made.data, signed, legal_basis, chosen=prepared.chosen, progress=progress
    )
    return prepared, bundle


def _selection(session: Session, schema_name: str | None, wish: Wish) -> Selection:
    if wish.manifest is not None:
        manifest = wish.manifest.manifest
        if schema_name is not None:
            named = pinned_schemas.find(session.identity, schema_name)
            if named.digest != manifest.schema:
                raise InvalidInputError(f"the manifest is not of schema {named.name}")
        return Selection(manifest.schema, spv=manifest.spv, period=manifest.period)
    if schema_name is None:
        raise InvalidInputError("say of which schema the documents are, with --schema")
    return Selection(pinned_schemas.find(session.identity, schema_name).digest)
