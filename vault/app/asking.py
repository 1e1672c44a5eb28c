"""The asker's side of requests for proofs: hand one in, look, fetch.

A refusal that says why is computed from the request, its schema and public sets alone, before
anything is looked up about the asset. From then on an asker sees three words
(`vault.app.request_views`), and nothing is evaluated for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from proofs.classes import check_facts
from proofs.errors import FactError
from proofs.facts import FactList
from proofs.list_classes import check_list_without_documents
from proofs.named_set import NamedSet
from proofs.principal import Principal
from proofs.request import Request
from vault.app.desk import Desk
from vault.app.request_views import RequestPage, SeenRequest, for_asker
from vault.errors import ExhaustedError, InvalidInputError, NotFoundError
from vault.storage.proof_store import StoredRequest

MAX_OPEN: Final = 1000
"""Requests of one asker that are not answered, till a day after they end: a bound on what it can
fill. Without the day it could hand in any number that each live for a second."""
MAX_OPEN_BYTES: Final = 64 << 20
COUNTED_AFTER_END: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=366)
SKEW: Final = timedelta(minutes=5)


class Asking:
    """The use case. Safe to share between threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def submit(self, caller: Principal, data: bytes) -> SeenRequest:
        """Take a request. The same file again from the same caller is the same request.

        Raises, from the request, its schema and the named sets alone: FactError,
        SetError, SchemaError, InvalidInputError; ExhaustedError past 1,000 open ones.
        """
        now = self._desk.clock()
        request = admissible(self._desk, data, now)
        return for_asker(take(self._desk, caller, request, now), now)

    def of_asker(self, caller: Principal, *, limit: int, before: int | None) -> RequestPage:
        """The caller's own requests, the last first: at most `limit`."""
        now = self._desk.clock()
        found, more = self._desk.store.of_asker(caller.uri, limit=limit, before=before)
        return RequestPage(
            tuple(for_asker(each, now) for each in found), found[-1].row if more else None
        )

    def get_own(self, caller: Principal, digest: str) -> SeenRequest:
        """One of the caller's own requests."""
        return for_asker(self._own(caller, digest), self._desk.clock())

    def fetch(self, caller: Principal, digest: str) -> bytes:
        """The bundle, the same bytes every time; raises as `pieces`."""
        return b"".join(self.pieces(caller, digest))

    def pieces(self, caller: Principal, digest: str) -> Iterator[bytes]:
        """The bundle in pieces of at most 1 MiB.

        Raises NotFoundError while there is none: for one reason or another, all alike.
        """
        stored = self._own(caller, digest)
        if not stored.answered:
            state = for_asker(stored, self._desk.clock()).state
            raise NotFoundError(f"the request is {state}: there is no bundle", reason="NO_BUNDLE")
        return self._desk.store.pieces(stored)

    def _own(self, caller: Principal, digest: str) -> StoredRequest:
        stored = self._desk.store.find(digest, caller.uri)
        if stored is None:
            raise NotFoundError("no request of yours with this digest")
        return stored


def admissible(desk: Desk, data: bytes, now: datetime) -> Request:
    """What the request alone shows. Never looks at documents."""
    request = Request.parse(data)
    if request.created > now + SKEW:
        raise InvalidInputError("the request was made in the future", field="created")
    if request.expires <= now:
        raise InvalidInputError("the request has expired", field="expires")
    if request.expires > now + LONGEST:
        raise InvalidInputError(f"a request lives at most {LONGEST.days} days", field="expires")
    if request.selection is None:
        subjects = desk.subjects(request)
        facts = FactList.parse_canonical(request.facts, subjects)
        check_facts(facts, subjects, _sets(desk, request, facts.set_names, now))
    else:
        schema = desk.schema(request.selection.schema)
        over = FactList.over_canonical(request.facts, schema)
        sets = _sets(desk, request, over.set_names, now)
        # What sums leave open depends on how many documents there are, and waits for the grant.
        check_list_without_documents(over, schema, sets)
    return request


def _sets(
    desk: Desk, request: Request, of_facts: Sequence[str], now: datetime
) -> Mapping[str, NamedSet]:
    if sorted(of_facts) != [each.name for each in request.sets]:
        raise FactError(
            "the request must name the authority and digest of every set of its facts, "
            "and of no other"
        )
    return desk.sets.require(request.sets, now)


def take(desk: Desk, caller: Principal, request: Request, now: datetime) -> StoredRequest:
    """Store an admissible request, unless the caller has too many that are not answered."""
    open_ones, size = desk.store.count_open(caller.uri, now - COUNTED_AFTER_END)
    full = open_ones >= MAX_OPEN or size + len(request.data) > MAX_OPEN_BYTES
    if full and desk.store.find(request.digest, caller.uri) is None:
        raise ExhaustedError(
            f"{caller.uri} has {open_ones} requests without an answer, those that ended within a "
            f"day included; at most {MAX_OPEN} and {MAX_OPEN_BYTES >> 20} MiB can be"
        )
    # Of several documents the first, by which the request is found.
    if request.selection is None:
        asset, schema = request.documents[0].asset, request.documents[0].schema
    else:
        asset, schema = (request.selection.assets or ("",))[0], request.selection.schema
    return desk.store.submit(
        StoredRequest(
            digest=request.digest,
            asker=caller.uri,
            request=request.data,
            asset=asset,
            schema=schema,
            submit_time=now,
            expires=request.expires,
        )
    )
