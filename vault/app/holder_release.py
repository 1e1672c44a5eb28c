"""A key holder's own decision to release its share, and what it demands first.

Nothing is taken from the vault that relays: the request must be signed by a requester whom the
holder's pinned site files list, the part must be one that this requester may have and this
holder has a share of, the deposit must be of exactly the attestation, document and version in
the request, and an officer of the holder's own side must have signed an approval of exactly
those bytes. All of it is checked again when the share leaves, against the site files of that
moment: a requester or officer removed since counts no longer. The share and its record are on
the disk before it leaves; when they cannot be written, nothing leaves. One request takes out one
string of bytes: a lost answer is answered again with the same.

An officer's newest decision counts; a denial by any officer of the side stands against approvals
by others until that officer withdraws it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from proofs import canonical
from proofs.errors import CrossproofError
from proofs.principal import Principal
from vault.crypto.contexts import release_info
from vault.crypto.hpke import seal
from vault.errors import ConflictError, ExhaustedError, NotAllowedError, NotFoundError, VaultError
from vault.ports import Clock
from vault.release_model import HolderAnswer, HolderState
from vault.signed.approval import Approval
from vault.signed.release_request import ReleaseRequest
from vault.sites import SiteSet
from vault.storage.holder_releases import HolderReleaseStore, ReleasedShare, StoredRequest
from vault.storage.holder_store import HolderStore, StoredDeposit
from vault.storage.journal import Entry

MAX_PENDING: Final = 1000
"""Requests of one requester that have not expired: a bound on what it can make a holder keep."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that has not expired, as its requester signed it, and how far it is here."""

    row: int
    digest: str
    envelope: bytes
    receive_time: datetime
    state: HolderState


class HolderReleases:
    """The release desk of one holder. Safe to share between threads."""

    def __init__(
        self,
        *,
        holder: Principal,
        sites: SiteSet,
        store: HolderReleaseStore,
        deposits: HolderStore,
        clock: Clock,
    ) -> None:
        self._holder = holder
        self._sites = sites
        self._store = store
        self._deposits = deposits
        self._clock = clock
        # One at a time decides or releases: else two calls would seal one share twice, and a
        # denial could be taken, and acknowledged, while the share that it denies is leaving.
        self._deciding = threading.Lock()

    # --- from the vault -------------------------------------------------------------------------

    def submit(self, envelope: bytes) -> HolderAnswer:
        """Take a request that the vault relays; the same again is answered by its state.

        Raises:
            CrossproofError, VaultError: whatever `_check` refuses; ConflictError for a release id
                used before; ExhaustedError past 1,000 requests of one requester.
        """
        now = self._clock()
        request = ReleaseRequest.open(envelope, self._sites, now)
        deposit = self._check(request, now)
        if self._store.request(request.digest) is None:
            if self._store.count_unexpired(request.requester.uri, now) >= MAX_PENDING:
                raise ExhaustedError(
                    f"{request.requester.uri} has {MAX_PENDING} release requests open already"
                )
            self._store.add_request(
                digest=request.digest,
                request_id=request.request_id,
                requester=request.requester.uri,
                envelope=envelope,
                expires=request.expires,
                entry=self._entry("release.requested", request, deposit, now),
            )
        return self._answer(request, now)

    def release(self, digest: str) -> HolderAnswer:
        """The share, sealed to the requester, if this request is approved; else the state.

        Raises:
            NotFoundError: no such request was submitted here.
            UnavailableError: the record could not be written; nothing leaves.
            CrossproofError, VaultError: the request no longer stands (see `_check`).
        """
        now = self._clock()
        request = self._reopen(self._known(digest), now)
        if now >= request.expires:
            return self._say(HolderState.EXPIRED)
        deposit = self._check(request, now)
        with self._deciding:
            gone = self._store.released(digest)
            if gone is None:
                answer = self._decided(request, now)
                if answer is not None:
                    return answer
                gone = self._seal(request, deposit)
                entry = self._entry(
                    "share.released",
                    request,
                    deposit,
                    now,
                    artefact=hashlib.sha256(gone.sealed_share).hexdigest(),
                )
                self._store.add_released(request=digest, share=gone, entry=entry)
        return HolderAnswer(
            self._holder.uri, HolderState.RELEASED, "", gone.index, gone.sealed_share
        )

    # --- from officers --------------------------------------------------------------------------

    def pending(self, officer: Principal, *, after: int, limit: int) -> list[Pending]:
        """Requests that have not expired, for an officer of this holder's side."""
        self._check_officer(officer)
        now = self._clock()
        found = []
        for stored in self._store.unexpired(now, after=after, limit=limit):
            try:
                state = self._answer(self._reopen(stored, now), now).state
            except (CrossproofError, VaultError):
                # Its requester was removed since: still shown, and no longer releasable.
                state = HolderState.REFUSED
            found.append(
                Pending(stored.row, stored.digest, stored.envelope, stored.receive_time, state)
            )
        return found

    def decide(self, officer: Principal, envelope: bytes) -> HolderState:
        """Take an officer's signed approval or denial of one exact request.

        Raises:
            NotAllowedError: an officer of the other side, or not the officer who signed.
            NotFoundError: no request with exactly this digest was submitted here.
            ConflictError: a denial after the share has left, or the officer decided later already.
        """
        now = self._clock()
        self._check_officer(officer)
        approval = Approval.open(envelope, self._sites, now)
        if approval.officer != officer:
            raise NotAllowedError(
                f"a decision signed by {approval.officer.uri} cannot be handed in by {officer.uri}",
                reason="OFFICER",
            )
        if not approval.in_force(now):
            raise NotAllowedError(
                "the decision is dated in the future or has expired; sign a new one",
                reason="DECISION_TIME",
            )
        request = self._reopen(self._known(approval.request), now)
        request.check_time(now)
        deposit = self._check(request, now)
        event = "release.approved" if approval.decision == "approve" else "release.denied"
        entry = self._entry(event, request, deposit, now, actor=officer)
        with self._deciding:
            for earlier in self._decisions(request, now):
                if earlier.officer == officer and earlier.time > approval.time:
                    # A decision caught on its way must not undo the one that came after it.
                    raise ConflictError(
                        "a later decision of the same officer is here already",
                        reason="OLDER_DECISION",
                    )
            if approval.decision == "approve" and self._store.released(request.digest) is not None:
                # Given again for the sake of a holder that was away: here it changes nothing.
                return HolderState.RELEASED
            self._store.add_decision(
                request=request.digest, digest=approval.digest, envelope=envelope, entry=entry
            )
            return self._answer(request, now).state

    # --- rules ----------------------------------------------------------------------------------

    def _check(self, request: ReleaseRequest, now: datetime) -> StoredDeposit:
        """The deposit that a request is about, if the requester may have this holder's share.

        Raises NotAllowedError: expired, dated ahead, a part that this side has no say in, or a
        custodian that did not attest the document; NotFoundError: no deposit for exactly this
        attestation, document and version.
        """
        request.check_time(now)
        if self._holder.jurisdiction not in request.sides:
            raise NotAllowedError(
                "no hk holder has a share of a personal part", reason="PERSONAL_PART_ONSHORE"
            )
        deposit = self._deposits.find(request.attestation)
        if deposit is None or (deposit.document, deposit.version) != (
            request.document,
            request.version,
        ):
            raise NotFoundError(
                "no share for exactly this attestation, document and version is kept here",
                reason="NO_DEPOSIT",
            )
        requester = request.requester
        if requester.role == "custodian" and requester.uri != deposit.custodian:
            raise NotAllowedError(
                f"the document was attested by another custodian than {requester.uri}",
                reason="NOT_THE_CUSTODIAN",
            )
        return deposit

    def _check_officer(self, officer: Principal) -> None:
        """NotAllowedError unless it is an officer of this holder's own side."""
        if (officer.role, officer.jurisdiction) != ("officer", self._holder.jurisdiction):
            raise NotAllowedError(
                f"{self._holder.uri} listens to officers of {self._holder.jurisdiction} only, "
                f"not to {officer.uri}",
                reason="OTHER_SIDE",
            )

    def _decisions(self, request: ReleaseRequest, now: datetime) -> list[Approval]:
        """Decisions on exactly these bytes by officers of this side whom its site lists now."""
        found = []
        for envelope in self._store.decisions(request.digest):
            try:
                approval = Approval.open(envelope, self._sites, now)
            except (CrossproofError, VaultError):
                continue  # an officer removed, or given another key, since
            own = approval.officer.jurisdiction == self._holder.jurisdiction
            if own and approval.request == request.digest:
                found.append(approval)
        return found

    def _decided(self, request: ReleaseRequest, now: datetime) -> HolderAnswer | None:
        """None when the share may leave; else why it may not yet."""
        newest: dict[Principal, Approval] = {}
        for approval in self._decisions(request, now):
            before = newest.get(approval.officer)
            if before is None or before.time <= approval.time:
                newest[approval.officer] = approval
        denials = [a for a in newest.values() if a.decision == "deny" and a.in_force(now)]
        if denials:
            return self._say(HolderState.DENIED, _note(denials[-1]))
        if not any(a.decision == "approve" and a.in_force(now) for a in newest.values()):
            return self._say(
                HolderState.WAITING, f"no officer of {self._holder.jurisdiction} has approved"
            )
        return None

    def _answer(self, request: ReleaseRequest, now: datetime) -> HolderAnswer:
        """The state of a request, without its share."""
        if now >= request.expires:
            return self._say(HolderState.EXPIRED)
        if self._store.released(request.digest) is not None:
            return self._say(HolderState.RELEASED)
        return self._decided(request, now) or self._say(HolderState.APPROVED)

    def _say(self, state: HolderState, detail: str = "") -> HolderAnswer:
        return HolderAnswer(self._holder.uri, state, detail)

    # --- parts of the work ----------------------------------------------------------------------

    def _known(self, digest: str) -> StoredRequest:
        stored = self._store.request(digest)
        if stored is None:
            raise NotFoundError(
                "no release request with this digest was submitted here", reason="UNKNOWN_RELEASE"
            )
        return stored

    def _reopen(self, stored: StoredRequest, now: datetime) -> ReleaseRequest:
        """The request from its signed bytes: columns of the database decide nothing."""
        request = ReleaseRequest.open(stored.envelope, self._sites, now)
        if request.digest != stored.digest:
            raise ConflictError("a stored request is not the one of its digest")
        return request

    def _seal(self, request: ReleaseRequest, deposit: StoredDeposit) -> ReleasedShare:
        share = self._deposits.share(deposit, request.part)
        info = release_info(
            request.document,
            request.version,
            request.part,
            self._holder.jurisdiction,
            deposit.index,
            self._holder.uri,
            deposit.epoch,
            bytes.fromhex(request.attestation),
            bytes.fromhex(request.digest),
            request.recipient_key.digest,
        )
        return ReleasedShare(deposit.index, seal(request.recipient_key, share.value, info))

    def _entry(
        self,
        event: str,
        request: ReleaseRequest,
        deposit: StoredDeposit,
        now: datetime,
        *,
        actor: Principal | None = None,
        artefact: str = "",
    ) -> Entry:
        return Entry(
            event=event,
            time=now,
            actor=(actor or request.requester).uri,
            recipient=request.requester.uri,
            owner=deposit.custodian,
            digest=request.digest,
            document=request.document,
            version=request.version,
            purpose=request.purpose,
            legal_basis=request.legal_basis,
            artefact=artefact,
        )


def _note(denial: Approval) -> str:
    when = canonical.format_instant(denial.time)
    note = f": {denial.note}" if denial.note else ""
    return f"denied by {denial.officer.uri} at {when}{note}"


def pending_page(found: Sequence[Pending], size: int) -> tuple[Sequence[Pending], str]:
    """The first `size` of what was asked with `size + 1`, and the token of the next page."""
    return found[:size], str(found[size - 1].row) if len(found) > size else ""
