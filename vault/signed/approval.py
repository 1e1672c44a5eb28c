"""An officer's approval or denial of one exact release request.

It is bound to the SHA-256 of the request's payload and to nothing else that could be
re-interpreted: an approval of one purpose, part or recipient says nothing of another. It refuses
other decisions than `approve` and `deny` and signers that are no officers. Which side the
officer is of is compared with the holder's own side by the holder.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from proofs import canonical
from proofs.canonical import Fields, Json
from proofs.envelope import Envelope, PayloadType
from proofs.errors import EncodingError
from proofs.ids import SHOWN_LIMIT, check_digest, check_shown, digest_of
from proofs.principal import Principal
from vault.sites import SiteSet

Decision = Literal["approve", "deny"]

FORMAT: Final = "crossvault/approval/v1"
LIMIT: Final = 4 * 1024
SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Approval:
    """A payload as read. `data` are its exact bytes and `digest` their SHA-256.

    `request` is the digest of the release request that was decided on; `expires`, when given,
    ends the approval earlier than the request itself.
    """

    data: bytes
    digest: str
    request: str
    officer: Principal
    decision: Decision
    note: str | None
    time: datetime
    expires: datetime | None

    @classmethod
    def build(
        cls,
        *,
        request: str,
        officer: Principal,
        decision: Decision,
        note: str | None,
        time: datetime,
        expires: datetime | None = None,
    ) -> Approval:
        """Put a decision into its bytes; EncodingError for a value that none may carry."""
        payload: dict[str, Json] = {
            "decision": decision,
            "format": FORMAT,
            "officer": officer.uri,
            "request": request,
            "time": canonical.format_instant(time),
        }
        if note is not None:
            payload["note"] = note
        if expires is not None:
            payload["expires"] = canonical.format_instant(expires)
        return cls.parse(canonical.dump(payload))

    @classmethod
    def parse(cls, data: bytes) -> Approval:
        """Read exact payload bytes. The signature is checked elsewhere, against a pinned key.

        Raises:
            EncodingError: anything that `build` would not write.
        """
        where = "approval"
        fields = Fields(canonical.parse(data, limit=LIMIT, where=where), where)
        fields.literal("format", FORMAT)
        note = fields.optional_text("note", SHOWN_LIMIT)
        approval = cls(
            data=data,
            digest=digest_of(data),
            request=check_digest(fields.text("request", 64), where=f"{where}.request"),
            officer=Principal.parse(fields.text("officer", 400)),
            decision=cast(Decision, fields.choice("decision", ("approve", "deny"))),
            note=None if note is None else check_shown(note, where=f"{where}.note"),
            time=fields.instant("time"),
            expires=fields.optional_instant("expires"),
        )
        fields.end()
        if approval.officer.role != "officer":
            raise EncodingError(f"{where}.officer: {approval.officer.uri} is no officer")
        if approval.expires is not None and approval.expires <= approval.time:
            raise EncodingError(f"{where}: expires before it was given")
        return approval

    @classmethod
    def open(cls, data: bytes, sites: SiteSet, now: datetime) -> Approval:
        """Read an envelope signed by the officer that it names, as its site pins it now.

        Raises:
            EncodingError, SignatureError: not such an envelope, or not of that key.
            NotFoundError, NotAllowedError: an officer who is not listed or not valid now.
        """
        envelope = Envelope.parse(data, limit=2 * LIMIT)
        claimed = cls.parse(envelope.unverified_payload)
        record = sites.require_valid(claimed.officer, now)
        return cls.parse(envelope.verify(record.signing_key, PayloadType.APPROVAL))

    def in_force(self, now: datetime) -> bool:
        """Whether it counts at `now`: given already (five minutes' skew), and not expired."""
        if now < self.time - SKEW:
            return False
        return self.expires is None or now < self.expires
