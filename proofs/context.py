"""The context of a bundle: for whom, why, against which request, and from when until when.

The whole context stands in the transcript, so a bundle made for one audience says nothing to
another. It holds no values and decides nothing; `policy` compares it with what the verifier
expects and `verify` with the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from proofs.canonical import Fields, Json, format_instant
from proofs.errors import EncodingError
from proofs.ids import SHOWN_LIMIT, check_digest, check_shown
from proofs.request import Request

NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Context:
    """What a bundle says about its use.

    `nonce` is 32 bytes as hex, or None for a custodian's own proof to an audience that gave
    none. `requested_at` and `request_expires` are the two instants of the request that stand
    nowhere else in a bundle: with them the request's exact bytes can be rebuilt from the bundle
    and compared with `request`, its SHA-256. `not_before` and `expires` bound the bundle.
    """

    audience: str
    purpose: str
    nonce: str | None
    request: str
    requested_at: datetime
    request_expires: datetime
    not_before: datetime
    expires: datetime

    def __post_init__(self) -> None:
        check_shown(self.audience, where="context.audience")
        check_shown(self.purpose, where="context.purpose")
        check_digest(self.request, where="context.request")
        if self.nonce is not None:
            check_digest(self.nonce, where="context.nonce")
        if not self.requested_at < self.request_expires:
            raise EncodingError("context: the request expires before it was made")
        if not self.not_before < self.expires:
            raise EncodingError("context: the bundle expires before it becomes valid")

    @classmethod
    def answering(cls, request: Request, *, not_before: datetime, expires: datetime) -> Context:
        """The context of a bundle that answers this request, valid from and until then."""
        return cls(
            audience=request.audience,
            purpose=request.purpose,
            nonce=request.nonce,
            request=request.digest,
            requested_at=request.created,
            request_expires=request.expires,
            not_before=not_before,
            expires=expires,
        )

    def to_json(self) -> dict[str, Json]:
        """The object that stands in the bundle and, printed canonically, in the transcript."""
        encoded: dict[str, Json] = {
            "audience": self.audience,
            "expires": format_instant(self.expires),
            "not_before": format_instant(self.not_before),
            "purpose": self.purpose,
            "request": self.request,
            "request_expires": format_instant(self.request_expires),
            "requested_at": format_instant(self.requested_at),
        }
        if self.nonce is not None:
            encoded["nonce"] = self.nonce
        return encoded

    @classmethod
    def read(cls, fields: Fields) -> Context:
        """Read and close an object of these fields.

        Raises:
            EncodingError: a missing, unknown or malformed field.
        """
        context = cls(
            audience=fields.text("audience", SHOWN_LIMIT),
            purpose=fields.text("purpose", SHOWN_LIMIT),
            nonce=fields.optional_hex("nonce", NONCE_BYTES),
            request=fields.hex("request", 32),
            requested_at=fields.instant("requested_at"),
            request_expires=fields.instant("request_expires"),
            not_before=fields.instant("not_before"),
            expires=fields.instant("expires"),
        )
        fields.end()
        return context
