"""The custodian's side of requests for proofs: which concern it, what it needs to decide, refusals.

Only here is a fact looked at before it is proven, and only for the custodian whose document it is.
A refusal stays onshore; it binds no other custodian.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proofs.facts import FactList
from proofs.ids import check_shown
from proofs.list_classes import check_list_facts
from proofs.listing import Listing
from proofs.named_set import NamedSet
from proofs.principal import Principal
from proofs.request import Request
from vault.app.desk import Desk, record, require_open
from vault.app.list_outlooks import list_outlooks
from vault.app.prove import Outlook, outlooks
from vault.app.request_views import RequestPage, SeenRequest, for_custodian
from vault.app.selections import GivenList, listed
from vault.model import StoredVersion
from vault.storage.journal import durable
from vault.storage.proof_store import Decision, StoredDecision


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a custodian needs to decide: versions of its own by alias, and how each fact stands."""

    stored: Mapping[str, StoredVersion]
    outlooks: Sequence[Outlook]


class Deciding:
    """The use case. Safe to share between threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def of_custodian(self, caller: Principal, *, limit: int, before: int | None) -> RequestPage:
        """Requests about assets of all of which the caller has documents, the last first.

        At most `limit`; fewer, or none, where most do not concern the caller: askers can hand in
        any number that name one asset of the caller's, and another, and all must be read.
        """
        now = self._desk.clock()
        # By the first document there; by the others here.
        read, more = self._desk.store.concerning(caller.uri, limit=limit, before=before)
        found = self._desk.concerning(caller, read)
        decisions = self._desk.store.decisions(caller.uri, found)
        seen = tuple(for_custodian(each, decisions.get(each.row), now) for each in found)
        return RequestPage(seen, read[-1].row if more else None)

    def get_for_custodian(
        self, caller: Principal, digest: str, asker: str = ""
    ) -> tuple[SeenRequest, Candidate | None, Mapping[str, NamedSet]]:
        """One request with what is needed to decide it.

        The candidate is the newest unexpired version of each document, None when one has none and
        for a selection, whose list the custodian's client makes itself.
        """
        desk, now = self._desk, self._desk.clock()
        stored = desk.find_concerning(caller, digest, asker)
        request = Request.parse(stored.request)
        sets = desk.sets.require(request.sets, now)
        if request.selection is not None:
            return desk.seen_by_custodian(caller, stored, now), None, sets
        versions = {
            each.alias: desk.catalog.newest_unexpired(caller.uri, each.asset, each.schema, now)
            for each in request.documents
        }
        found = {alias: each for alias, each in versions.items() if each is not None}
        candidate = None
        if len(found) == len(versions):
            opened = desk.open_witnesses(list(found.values()))
            witnesses = dict(zip(found, opened, strict=True))
            subjects = desk.subjects(request)
            candidate = Candidate(found, outlooks(request, subjects, witnesses, sets))
        return desk.seen_by_custodian(caller, stored, now), candidate, sets

    def check_list(
        self, caller: Principal, digest: str, given: GivenList | None, asker: str = ""
    ) -> list[Outlook]:
        """How the facts of a request about a selection stand over a list of the caller's.

        Raises FactError when together they would leave too little open over this very list.
        """
        desk, now = self._desk, self._desk.clock()
        stored = desk.find_concerning(caller, digest, asker)
        request = Request.parse(stored.request)
        with desk.slots.enter(caller):
            found = listed(desk, caller, request, given or GivenList((), b""), now)
            facts = FactList.over_canonical(request.facts, found.schema)
            sets = desk.sets.require(request.sets, now)
            witnesses = desk.open_witnesses(found.versions)
            standing = list_outlooks(facts, found.schema, found.versions, witnesses, sets)
            if all(each.provable for each in standing):
                listing = Listing.of(found.attestations, found.schema)
                check_list_facts(facts, found.schema, sets, listing)
        return standing

    def deny(self, caller: Principal, digest: str, detail: str, asker: str = "") -> SeenRequest:
        """Refuse a request; the reason stays onshore."""
        desk, now = self._desk, self._desk.clock()
        check_shown(detail, where="detail")
        stored = desk.find_concerning(caller, digest, asker)
        require_open(stored, now)
        decision = StoredDecision(Decision.DENIED, detail, now)
        with durable(), desk.store.database.write() as connection:
            desk.store.decide(connection, stored, caller.uri, decision)
            desk.journal.append_in(
                connection, record("request.denied", stored, caller, now, outcome="denied")
            )
        return desk.seen_by_custodian(caller, stored, now)
