"""A request to open one part of one document version, as its requester signs it.

The payload names the requester, the exact attestation, the part, the reasons, and an HPKE key
made for this request alone: holders seal their shares to that key and approvals are bound to
the SHA-256 of these bytes, so a changed purpose, recipient or expiry is another request that
nobody approved. It refuses a requester who may not have the part at all: an asset part is for an
`hk` SPV or a `cn` custodian, a personal part for a `cn` custodian only. Whether the custodian
is the one that attested is for whoever holds the attestation to check.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from proofs import canonical
from proofs.canonical import Fields
from proofs.envelope import Envelope, PayloadType
from proofs.errors import EncodingError
from proofs.ids import SHOWN_LIMIT, check_document, check_shown, digest_of
from proofs.principal import Principal
from vault.crypto.framing import MAX_VERSION
from vault.crypto.hpke import PUBLIC_BYTES, HpkePublicKey
from vault.errors import InvalidInputError, NotAllowedError
from vault.model import ASSET, PARTS, PERSONAL, Part, Side, sides_of
from vault.sites import SiteSet

FORMAT: Final = "crossvault/release-request/v1"
LIMIT: Final = 16 * 1024
"""The longest payload, in bytes."""

MAX_LIFETIME: Final = timedelta(days=90)
"""An approval given today should not release a share next year."""

SKEW: Final = timedelta(minutes=5)
"""How far a requester's clock may be ahead."""

_REQUESTERS: Final[dict[Part, frozenset[tuple[str, str]]]] = {
    ASSET: frozenset({("hk", "spv"), ("cn", "custodian")}),
    PERSONAL: frozenset({("cn", "custodian")}),
}


def check_requester(requester: Principal, part: Part) -> None:
    """That this kind of principal may ask for this part; NotAllowedError otherwise."""
    if (requester.jurisdiction, requester.role) in _REQUESTERS[part]:
        return
    if part == PERSONAL:
        raise NotAllowedError(
            f"the personal part stays on the mainland: {requester.uri} cannot ask for it, "
            "only the cn custodian that attested the document can",
            reason="PERSONAL_PART_ONSHORE",
        )
    raise NotAllowedError(
        f"{requester.uri} cannot ask for a release; an hk spv or the custodian can",
        reason="REQUESTER_ROLE",
    )


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A payload as read. `data` are its exact bytes and `digest` their SHA-256.

    `request_id` is 32 random hex digits, `attestation` the digest of the attestation's payload,
    `recipient_key` the key that shares are sealed to.
    """

    data: bytes
    digest: str
    request_id: str
    requester: Principal
    document: str
    version: int
    attestation: str
    part: Part
    purpose: str
    legal_basis: str
    recipient_key: HpkePublicKey
    created: datetime
    expires: datetime

    @classmethod
    def build(
        cls,
        *,
        requester: Principal,
        document: str,
        version: int,
        attestation: str,
        part: Part,
        purpose: str,
        legal_basis: str,
        recipient_key: HpkePublicKey,
        created: datetime,
        expires: datetime,
    ) -> ReleaseRequest:
        """Put a request into its bytes, under a fresh random id.

        Raises:
            EncodingError: a value that no request may carry.
            NotAllowedError: a requester who may not ask for this part.
        """
        payload = {
            "attestation": attestation,
            "created": canonical.format_instant(created),
            "document": document,
            "expires": canonical.format_instant(expires),
            "format": FORMAT,
            "id": secrets.token_hex(16),
            "legal_basis": legal_basis,
            "part": part,
            "purpose": purpose,
            "recipient_key": canonical.encode_base64(recipient_key.public_bytes),
            "requester": requester.uri,
            "version": version,
        }
        return cls.parse(canonical.dump(payload))

    @classmethod
    def parse(cls, data: bytes) -> ReleaseRequest:
        """Read exact payload bytes. The signature is checked elsewhere, against a pinned key.

        Raises:
            EncodingError: anything that `build` would not write.
            NotAllowedError: a requester who may not ask for this part.
        """
        where = "release request"
        fields = Fields(canonical.parse(data, limit=LIMIT, where=where), where)
        fields.literal("format", FORMAT)
        try:
            key = HpkePublicKey.from_bytes(fields.base64("recipient_key", PUBLIC_BYTES))
        except InvalidInputError as error:
            raise EncodingError(f"{where}.recipient_key: {error}") from None
        request = cls(
            data=data,
            digest=digest_of(data),
            request_id=fields.hex("id", 16),
            requester=Principal.parse(fields.text("requester", 400)),
            document=check_document(fields.text("document", 32), where=f"{where}.document"),
            version=fields.integer("version", 1, MAX_VERSION),
            attestation=fields.hex("attestation", 32),
            part=cast(Part, fields.choice("part", PARTS)),
            purpose=check_shown(fields.text("purpose", SHOWN_LIMIT), where=f"{where}.purpose"),
            legal_basis=check_shown(
                fields.text("legal_basis", SHOWN_LIMIT), where=f"{where}.legal_basis"
            ),
            recipient_key=key,
            created=fields.instant("created"),
            expires=fields.instant("expires"),
        )
        fields.end()
        if not request.created < request.expires <= request.created + MAX_LIFETIME:
            raise EncodingError(
                f"{where}: must expire after it was made, and within {MAX_LIFETIME.days} days"
            )
        check_requester(request.requester, request.part)
        return request

    @classmethod
    def open(cls, data: bytes, sites: SiteSet, now: datetime) -> ReleaseRequest:
        """Read an envelope signed by the requester that it names, as its site pins it now.

        Raises:
            EncodingError, SignatureError: not such an envelope, or not of that key.
            NotFoundError, NotAllowedError: a requester who is not listed or not valid now, or
                who may not ask for this part.
        """
        envelope = Envelope.parse(data, limit=2 * LIMIT)
        # Who claims to have signed is in the payload; it is believed when the pinned key agrees.
        claimed = cls.parse(envelope.unverified_payload)
        record = sites.require_valid(claimed.requester, now)
        return cls.parse(envelope.verify(record.signing_key, PayloadType.RELEASE_REQUEST))

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides of which a quorum of holders must release."""
        return sides_of(self.part)

    def check_time(self, now: datetime) -> None:
        """That `now` lies within the request's life; NotAllowedError otherwise."""
        if now >= self.expires:
            raise NotAllowedError(
                f"the release request expired at {canonical.format_instant(self.expires)}; "
                "make a new one",
                reason="REQUEST_EXPIRED",
            )
        if now < self.created - SKEW:
            raise NotAllowedError(
                "the release request is dated in the future; check the requester's clock",
                reason="REQUEST_NOT_YET_VALID",
            )
