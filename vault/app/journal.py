"""Who sees which records: an auditor those of its side, others those of their own acts.

At the vault a custodian also sees every record about its own documents. A holder serves its own
site's auditors and officers. What an asker must not learn (that a fact was false) is marked
confidential where it is written, and stays with the document's custodian and the auditors of the
process's own side. The legal basis of a grant stays on that side too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from proofs.principal import Principal
from vault.errors import InvalidInputError
from vault.model import DEFAULT_PAGE, MAX_PAGE
from vault.storage.journal import Journal, Record, Scope


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records, oldest first, and the token of the page after them; empty at the end."""

    records: Sequence[Record]
    next_token: str


def scope_of(caller: Principal, server: Principal) -> Scope:
    """What `caller` sees of the records that the process `server` keeps."""
    own_side = caller.jurisdiction == server.jurisdiction
    if caller.role == "auditor":
        if own_side:
            return Scope(everything=True)
        # An auditor of the other side: what that side's principals did here or received from here.
        prefix = f"spiffe://{caller.trust_domain}/{caller.jurisdiction}/"
        return Scope(party_prefix=prefix)
    if caller.role == "custodian":
        return Scope(owner=caller.uri, party=caller.uri)
    return Scope(party=caller.uri)


def list_records(
    journal: Journal,
    *,
    caller: Principal,
    server: Principal,
    since: datetime | None,
    page_size: int,
    page_token: str,
) -> RecordPage:
    """One page of the records that the caller may see.

    Raises InvalidInputError for a page size over 1,000 or a token that no page gave.
    """
    size = check_page_size(page_size)
    records = journal.read(
        scope_of(caller, server), since=since, after=read_token(page_token), limit=size + 1
    )
    more = len(records) > size
    shown = [_as_seen(each, caller, server) for each in records[:size]]
    return RecordPage(shown, str(records[size - 1].number) if more else "")


def _as_seen(record: Record, caller: Principal, server: Principal) -> Record:
    """The record without what stays on the server's side: the basis of a custodian's grant.

    That of a release is the requester's own text, signed and read by the officers of both sides.
    """
    if caller.jurisdiction == server.jurisdiction or not record.entry.event.startswith("bundle."):
        return record
    return replace(record, entry=replace(record.entry, legal_basis=""))


def check_page_size(page_size: int, *, most: int = MAX_PAGE) -> int:
    """The size of a page: 100 for 0, never over `most`; InvalidInputError over 1,000.

    `most` is for lists of what others made as large as they could: a page that is larger than a
    message may be is never delivered, and the list ends there for whoever has to read it.
    """
    if not 0 <= page_size <= MAX_PAGE:
        raise InvalidInputError(f"a page has at most {MAX_PAGE} entries", field="page_size")
    return min(page_size or DEFAULT_PAGE, most)


def read_token(token: str) -> int:
    """The row after which a page begins; InvalidInputError for a text that no page gave."""
    if not token:
        return 0
    if not (token.isascii() and token.isdecimal() and len(token) <= 18):
        raise InvalidInputError("not a page token of this list", field="page_token")
    return int(token)
