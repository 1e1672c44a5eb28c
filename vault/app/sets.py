"""Named sets at the vault: taken from their authorities, and found for a request.

A set is taken only with the signature of the authority that hands it in, as the pinned site file
has its key, and only with the members that were signed. A request names it by the authority's key
and the digest; what is not here, expired, or under another name is refused with the reason, since
sets are public. One set is read at a time, which takes a minute for the largest, and of those who
wait for it all but a few are sent away: an asker that names large sets takes neither the memory
nor the threads of everybody else's calls.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from proofs.canonical import format_instant
from proofs.envelope import Envelope, PayloadType, check_signer
from proofs.errors import SetError
from proofs.named_set import NamedSet, SetHeader
from proofs.principal import Principal
from proofs.request import SetReference
from proofs.sets import MAX_SET_SIZE, ScalarSet
from vault.errors import ExhaustedError, InvalidInputError, NotAllowedError, NotFoundError
from vault.sites import SiteSet
from vault.storage.set_store import SetEntry, SetStore, StoredSet

_SKEW = timedelta(minutes=5)
_KEPT = 16
_KEPT_MEMBERS = 1 << 20
"""A member takes 700 bytes in memory, its place in a polynomial included."""
READERS: Final = 8
"""How many calls may be reading a set or waiting for one that is read."""


class Sets:
    """The named sets that this vault knows. Safe to share between threads."""

    def __init__(self, store: SetStore, sites: SiteSet, cache: Path | None = None) -> None:
        self._store = store
        self._sites = sites
        self._cache = cache
        # Reading a set of 16,384 members takes as long as several proofs.
        self._read: OrderedDict[tuple[str, str, str], NamedSet] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)

    def add(
        self, caller: Principal, envelope: bytes, members: Sequence[str], *, now: datetime
    ) -> NamedSet:
        """Take one version of a set from its authority.

        Raises SignatureError, SetError or NotAllowedError for what is not the caller's own, whole
        and current set; ConflictError for a version that is not the next.
        """
        check_signer(PayloadType.SET, caller.jurisdiction, caller.role)
        signed = Envelope.parse(envelope)
        record = self._sites.require_valid(caller, now)
        if signed.keyid != record.key_id:
            raise NotAllowedError("a set is handed in by the authority that signed it")
        header_bytes = signed.verify(record.signing_key, PayloadType.SET)
        with self._turn():
            found = self._parse(_exported(envelope, members), signed.keyid)
        if found.envelope.unverified_payload != header_bytes:
            raise InvalidInputError("the envelope is not the one that was verified")
        header = found.header
        if header.issued > now + _SKEW:
            raise InvalidInputError(f"set {header.name}: issued in the future", field="issued")
        _require_current(header.name, header.valid_until, now)
        self._store.add(
            StoredSet(
                name=header.name,
                authority=caller.uri,
                authority_key=signed.keyid,
                version=header.version,
                digest=header.digest,
                valid_until=header.valid_until,
                exported=found.export(),
            )
        )
        self._keep(found)
        return found

    def newest(self) -> list[SetEntry]:
        """Every set's newest version."""
        return self._store.newest()

    def export(self, name: str, digest: str) -> SetEntry:
        """One version by name, the newest unless a digest says which; NotFoundError."""
        found = self._store.find_named(name, digest)
        if found is None:
            raise NotFoundError(
                f"no set of this name{' and digest' if digest else ''} here", field="name"
            )
        return found

    def lines(self, entry: SetEntry) -> Iterator[list[str]]:
        """The members of a version as they are exported, in parts."""
        return self._store.lines(entry)

    def require(self, references: Iterable[SetReference], now: datetime) -> dict[str, NamedSet]:
        """The sets that a request or a grant names, by name; SetError says which is not usable.

        Raises ExhaustedError (TOO_MANY_SETS) while too many others wait for sets to be read.
        """
        entries = {each.name: self._entry(each, now) for each in references}
        # From the headers alone: each of sixteen sets may have so many, and all of them, with their
        # polynomials, are in the memory of everybody who proves with them.
        headers = (Envelope.parse(each.envelope) for each in entries.values())
        members = sum(SetHeader.parse(each.unverified_payload).count for each in headers)
        if members > MAX_SET_SIZE:
            raise SetError(
                f"the sets have {members} members together; one request may use {MAX_SET_SIZE}"
            )
        return {name: self._load(entry) for name, entry in entries.items()}

    def _entry(self, reference: SetReference, now: datetime) -> SetEntry:
        stored = self._store.find(reference.authority, reference.name, reference.digest)
        if stored is None:
            raise SetError(
                f"the set @{reference.name} of that authority and digest is not here; "
                f"`crossvault set list` shows those that are"
            )
        _require_current(stored.name, stored.valid_until, now)
        return stored

    def _load(self, stored: SetEntry) -> NamedSet:
        found = self._kept(stored)
        if found is None:
            with self._turn():
                # Somebody else may have read it meanwhile.
                found = self._kept(stored)
                if found is None:
                    found = self._parse(self._store.exported(stored), stored.authority_key)
                    self._keep(found)
        return found

    def _kept(self, stored: SetEntry) -> NamedSet | None:
        key = (stored.authority_key, stored.name, stored.digest)
        with self._lock:
            found = self._read.get(key)
            if found is None or found.header.version != stored.version:
                return None
            self._read.move_to_end(key)
            return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Nobody else reads a set meanwhile; ExhaustedError when too many wait for that."""
        if not self._readers.acquire(blocking=False):
            raise ExhaustedError(
                "other sets are being read; try again in a minute", reason="TOO_MANY_SETS"
            )
        try:
            with self._reading:
                yield
        finally:
            self._readers.release()

    def _parse(self, exported: bytes, authority_key: str) -> NamedSet:
        """Read a set that finds the polynomials of its other versions, where those are kept."""
        name = NamedSet.header_of(exported).name
        return NamedSet.parse(
            exported, cache=self._cache, near=lambda: self._versions(authority_key, name)
        )

    def _versions(self, authority_key: str, name: str) -> list[ScalarSet]:
        with self._lock:
            return [
                each.scalars
                for key, each in reversed(self._read.items())
                if key[:2] == (authority_key, name)
            ]

    def _keep(self, found: NamedSet) -> None:
        with self._lock:
            self._read[(found.envelope.keyid, found.name, found.header.digest)] = found
            kept = sum(each.header.count for each in self._read.values())
            while len(self._read) > 1 and (len(self._read) > _KEPT or kept > _KEPT_MEMBERS):
                kept -= self._read.popitem(last=False)[1].header.count


def envelopes(sets: Mapping[str, NamedSet]) -> list[bytes]:
    """The signed headers, in the order of their names."""
    return [sets[name].envelope.encode() for name in sorted(sets)]


def _require_current(name: str, valid_until: datetime, now: datetime) -> None:
    if now >= valid_until:
        raise SetError(f"the set @{name} expired at {format_instant(valid_until)}")


def _exported(envelope: bytes, members: Sequence[str]) -> bytes:
    if any("\n" in member for member in members):
        raise InvalidInputError("a member holds a line break", field="members")
    return envelope + b"\n" + "".join(f"{member}\n" for member in members).encode()
