"""The vault's part in a release: it relays signed requests and sealed shares, and opens neither.

A caller acts on its own releases only. What the key holders decide, they decide by themselves;
the vault refuses early what they would refuse, keeps a record of every share before it passes it
on, and answers a lost answer with the same bytes. Blocks are read through it by the requester of
a release whose quorum has released, and then only the blocks of that part of that version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, Protocol

from proofs.envelope import Envelope
from proofs.principal import Principal
from vault.crypto.cids import Cid
from vault.errors import InvalidInputError, NotAllowedError, NotFoundError
from vault.model import PERSONAL, Part, StoredVersion
from vault.ports import Clock
from vault.release_model import HolderAnswer, HolderState, Quorum
from vault.signed.manifest import KeyManifest
from vault.signed.release_request import ReleaseRequest
from vault.sites import SiteSet
from vault.storage.blocks import BlockSource
from vault.storage.catalog import Catalog
from vault.storage.journal import Entry
from vault.storage.releases import RelayedShare, ReleaseStore, StoredRelease

MAX_CIDS: Final = 1024
"""Blocks in one call."""

_CACHED_PARTS: Final = 8


class ReleaseLinks(Protocol):
    """The key holders, by URI. Both methods ask all at once and answer for every one asked.

    They raise for nobody: a holder that does not answer is UNREACHABLE, one that refuses is
    REFUSED with its reason.
    """

    def submit(self, holders: Sequence[str], envelope: bytes) -> Mapping[str, HolderAnswer]:
        """Hand the request to each."""

    def collect(
        self, holders: Sequence[str], digest: str, envelope: bytes
    ) -> Mapping[str, HolderAnswer]:
        """Ask each for its share; one that was away when the request came gets it first."""


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """One release in a list; `row` is what page tokens count."""

    row: int
    digest: str
    envelope: bytes
    create_time: datetime
    quorum_released: bool


@dataclass(frozen=True, slots=True)
class Collected:
    """Every holder's answer, and what the requester checks the shares against.

    `attestation` and `key_manifest` are envelopes, `schema` canonical bytes, `root` a binary
    CID, `personal_salt` what opens the attestation's commitment to a personal root.
    """

    holders: tuple[HolderAnswer, ...]
    key_manifest: bytes
    attestation: bytes
    schema: bytes
    root: bytes
    personal_salt: bytes | None = field(repr=False)
    quorum_released: bool


class VaultReleases:
    """The release desk of the vault. Safe to share between threads."""

    def __init__(
        self,
        *,
        sites: SiteSet,
        store: ReleaseStore,
        catalog: Catalog,
        blocks: Mapping[Part, BlockSource],
        holders: ReleaseLinks,
        clock: Clock,
    ) -> None:
        self._sites = sites
        self._store = store
        self._catalog = catalog
        self._blocks = blocks
        self._holders = holders
        self._clock = clock
        self._blocks_of = lru_cache(maxsize=_CACHED_PARTS)(self._read_blocks_of)

    def create(self, caller: Principal, envelope: bytes) -> tuple[str, tuple[HolderAnswer, ...]]:
        """Keep a request of the caller's own and hand it to the holders of the part's sides.

        Returns its digest and every holder's answer; the same request again is handed out again.

        Raises:
            NotAllowedError: signed by another than the caller, or no part for this requester.
            NotFoundError: no such version, attestation or part here.
            CrossproofError: an envelope that is not one, or does not verify.
        """
        now = self._clock()
        request = ReleaseRequest.open(envelope, self._sites, now)
        if request.requester != caller:
            raise NotAllowedError(
                f"signed by {request.requester.uri}, handed in by {caller.uri}", reason="REQUESTER"
            )
        request.check_time(now)
        stored = self._version(request)
        self._store.add(
            digest=request.digest,
            request_id=request.request_id,
            requester=caller.uri,
            envelope=envelope,
            entry=_entry("release.requested", request, stored, now, actor=caller.uri),
        )
        asked = [uri for side in request.sides for uri in _holders_of(stored, side)]
        answers = self._holders.submit(asked, envelope)
        return request.digest, tuple(answers[uri] for uri in asked)

    def list_own(self, caller: Principal, *, after: int, limit: int) -> list[ReleaseSummary]:
        """The caller's own releases in the order of arrival, from row `after` on."""
        found = []
        for release in self._store.list_of(caller.uri, after=after, limit=limit):
            request = _parsed(release)
            stored = self._catalog.find_attested(request.attestation)
            done = stored is not None and self._quorum_released(release, request, stored)
            found.append(
                ReleaseSummary(
                    release.row, release.digest, release.envelope, release.create_time, done
                )
            )
        return found

    def collect(self, caller: Principal, digest: str) -> Collected:
        """Ask every holder that has not released yet, and answer with all that came.

        Raises:
            NotFoundError: no release of the caller's with this digest.
            NotAllowedError: it has expired, or its requester is no longer listed.
            UnavailableError: the records could not be written; nothing is passed on.
        """
        now = self._clock()
        release = self._own(caller, digest)
        request = ReleaseRequest.open(release.envelope, self._sites, now)
        request.check_time(now)
        stored = self._version(request)
        asked = [uri for side in request.sides for uri in _holders_of(stored, side)]
        missing = [uri for uri in asked if uri not in self._store.relayed(release)]
        answers = dict(self._holders.collect(missing, digest, release.envelope))
        self._store.add_relayed(
            release,
            [
                (
                    RelayedShare(answer.holder, answer.index, answer.sealed_share),
                    _entry(
                        "share.relayed",
                        request,
                        stored,
                        now,
                        actor=answer.holder,
                        artefact=hashlib.sha256(answer.sealed_share).hexdigest(),
                    ),
                )
                for answer in answers.values()
                if answer.state is HolderState.RELEASED and answer.sealed_share
            ],
        )
        # What is answered is what was written down: never a share without its record.
        for uri, share in self._store.relayed(release).items():
            answers[uri] = HolderAnswer(
                uri, HolderState.RELEASED, "", share.index, share.sealed_share
            )
        root = stored.root(request.part)
        schema = self._catalog.schema_bytes(stored.schema)
        if root is None or schema is None:
            raise NotFoundError("the document has no such part")
        return Collected(
            holders=tuple(answers[uri] for uri in asked),
            key_manifest=stored.key_manifest,
            attestation=stored.attestation,
            schema=schema,
            root=root,
            personal_salt=stored.personal_salt if request.part == PERSONAL else None,
            quorum_released=self._quorum_released(release, request, stored),
        )

    def read_blocks(
        self, caller: Principal, digest: str, cids: Sequence[bytes]
    ) -> Iterator[tuple[Cid, bytes]]:
        """Blocks of the part, in the order asked for; nothing is read before all checks passed.

        Raises:
            NotFoundError: no release of the caller's, or a CID that is not of its part.
            NotAllowedError: expired, or its quorum has not released.
            IntegrityError, UnavailableError: from the store, naming the CID.
        """
        now = self._clock()
        if len(cids) > MAX_CIDS:
            raise InvalidInputError(f"at most {MAX_CIDS} blocks in one call", field="cids")
        release = self._own(caller, digest)
        request = ReleaseRequest.open(release.envelope, self._sites, now)
        request.check_time(now)
        stored = self._version(request)
        if not self._quorum_released(release, request, stored):
            raise NotAllowedError(
                "a quorum of key holders has not released this part yet", reason="NOT_RELEASED"
            )
        wanted = [Cid.from_bytes(cid) for cid in cids]
        allowed = self._blocks_of(stored.attestation_digest, request.part)
        for cid in wanted:
            if cid.binary not in allowed:
                raise NotFoundError(
                    f"{cid} is no block of the {request.part} part of this version",
                    reason="NOT_OF_THIS_PART",
                    field="cids",
                )
        store = self._blocks[request.part]
        return ((cid, store.get(cid)) for cid in wanted)

    # --- parts of the work ----------------------------------------------------------------------

    def _own(self, caller: Principal, digest: str) -> StoredRelease:
        release = self._store.find(digest)
        # Another's is not found either: which releases exist is between those who take part.
        if release is None or release.requester != caller.uri:
            raise NotFoundError("no release of yours with this digest", field="digest")
        return release

    def _version(self, request: ReleaseRequest) -> StoredVersion:
        """The committed version that a request names in every particular, with such a part."""
        stored = self._catalog.find_attested(request.attestation)
        if stored is None or (stored.document, stored.version) != (
            request.document,
            request.version,
        ):
            raise NotFoundError(
                "no document here with exactly this id, version and attestation",
                field="attestation",
            )
        requester = request.requester
        if requester.role == "custodian" and requester.uri != stored.custodian:
            raise NotAllowedError(
                f"the document was attested by another custodian than {requester.uri}",
                reason="NOT_THE_CUSTODIAN",
            )
        if stored.root(request.part) is None:
            raise NotFoundError(
                f"version {stored.version} has no {request.part} part", reason="NO_SUCH_PART"
            )
        return stored

    def _quorum_released(
        self, release: StoredRelease, request: ReleaseRequest, stored: StoredVersion
    ) -> bool:
        relayed = self._store.relayed(release)
        return all(quorum.reached for quorum in quorums(request, _manifest(stored), relayed))

    def _read_blocks_of(self, attestation_digest: str, part: Part) -> frozenset[bytes]:
        stored = self._catalog.find_attested(attestation_digest)
        return frozenset(self._catalog.blocks_of(stored, part)) if stored else frozenset()


def quorums(
    request: ReleaseRequest, manifest: KeyManifest, released: Mapping[str, object]
) -> tuple[Quorum, ...]:
    """How far each side of a request is, counting the holders in `released` by URI."""
    found = []
    for name in request.sides:
        side = manifest.side(name)
        count = sum(holder.uri in released for holder in side.holders)
        found.append(Quorum(name, count, side.threshold))
    return tuple(found)


def _manifest(stored: StoredVersion) -> KeyManifest:
    # Verified when it was put; its signature is checked again by whoever combines shares.
    return KeyManifest.parse(Envelope.parse(stored.key_manifest).unverified_payload)


def _parsed(release: StoredRelease) -> ReleaseRequest:
    return ReleaseRequest.parse(Envelope.parse(release.envelope).unverified_payload)


def _holders_of(stored: StoredVersion, side: str) -> list[str]:
    manifest = _manifest(stored)
    return [
        holder.uri for found in manifest.sides if found.side == side for holder in found.holders
    ]


def _entry(
    event: str,
    request: ReleaseRequest,
    stored: StoredVersion,
    now: datetime,
    *,
    actor: str,
    artefact: str = "",
) -> Entry:
    return Entry(
        event=event,
        time=now,
        actor=actor,
        recipient=request.requester.uri,
        owner=stored.custodian,
        digest=request.digest,
        document=request.document,
        version=request.version,
        purpose=request.purpose,
        legal_basis=request.legal_basis,
        artefact=artefact,
    )
