"""Signed envelopes: DSSE with Ed25519, exactly one signature, one signer role for each kind.

The signature covers the exact payload bytes and their type (PAE), so bytes signed as one kind are
never accepted as another. It refuses envelopes that are not canonical JSON, other than one
signature, a key id that is not the pinned key's, public keys that are no canonical point or lie in
the small subgroup (for those, one signature fits many messages), and a payload nobody verified:
the only way to it is `verify`, with a key that the caller took from a pinned file.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from proofs import canonical
from proofs.canonical import Fields
from proofs.errors import EncodingError, SignatureError, TrustError

MAX_PAYLOAD = 1 << 20


class PayloadType(Enum):
    """What a signature says its bytes are; the value is the DSSE payload type."""

    ATTESTATION = "application/vnd.crossvault.attestation.v1+json"
    GRANT = "application/vnd.crossvault.grant.v1+json"
    KEY_MANIFEST = "application/vnd.crossvault.key-manifest.v1+json"
    SET = "application/vnd.crossvault.set.v1+json"
    SITE = "application/vnd.crossvault.site.v1+json"
    RECEIPT = "application/vnd.crossvault.receipt.v1+json"
    RELEASE_REQUEST = "application/vnd.crossvault.release-request.v1+json"
    APPROVAL = "application/vnd.crossvault.approval.v1+json"
    PORTFOLIO = "application/vnd.crossvault.portfolio.v1+json"


SITE_KEY_ROLE = "site"
"""The signer of `site.json`: a site's own key, which is no principal and signs nothing else."""

SIGNERS: dict[PayloadType, frozenset[tuple[str, str]]] = {
    PayloadType.ATTESTATION: frozenset({("cn", "custodian")}),
    PayloadType.GRANT: frozenset({("cn", "custodian")}),
    PayloadType.KEY_MANIFEST: frozenset({("cn", "custodian")}),
    PayloadType.SET: frozenset({("cn", "authority"), ("hk", "authority")}),
    PayloadType.SITE: frozenset({("cn", SITE_KEY_ROLE), ("hk", SITE_KEY_ROLE)}),
    PayloadType.RECEIPT: frozenset({("cn", "holder"), ("hk", "holder")}),
    PayloadType.RELEASE_REQUEST: frozenset({("cn", "custodian"), ("hk", "spv")}),
    PayloadType.APPROVAL: frozenset({("cn", "officer"), ("hk", "officer")}),
    PayloadType.PORTFOLIO: frozenset({("cn", "custodian")}),
}
"""Who may sign what, as (jurisdiction, role); an officer's key makes no attestation."""


def check_signer(kind: PayloadType, jurisdiction: str, role: str) -> None:
    """TrustError unless this role of this jurisdiction may sign this kind."""
    if (jurisdiction, role) not in SIGNERS[kind]:
        allowed = " or ".join(f"{where} {who}" for where, who in sorted(SIGNERS[kind]))
        raise TrustError(
            f"{kind.name.lower().replace('_', ' ')}: signed by {jurisdiction} {role}, "
            f"only {allowed} may"
        )


# --- keys ---------------------------------------------------------------------------------------

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
# The y coordinates of the eight points whose order divides 8: order 1, 2, 4 (both x) and 8 (two
# y, both x each). Under such a key a signature can hold for every message.
_SMALL_ORDER_Y = frozenset(
    {
        1,
        _P - 1,
        0,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)


@lru_cache(maxsize=4096)  # a pinned key verifies many envelopes; a refusal is not remembered
def check_public_key(public: bytes) -> bytes:
    """The same 32 bytes, if they spell a curve point canonically outside the small subgroup.

    Raises EncodingError. y is compared without its sign bit, so the spellings of small points
    with the wrong sign are refused as well.
    """
    if len(public) != 32:
        raise EncodingError("Ed25519 public key: must be 32 bytes")
    y = int.from_bytes(public, "little") & ((1 << 255) - 1)
    if y >= _P:
        raise EncodingError("Ed25519 public key: not in canonical form")
    if y in _SMALL_ORDER_Y:
        raise EncodingError("Ed25519 public key: a point of small order")
    # x^2 = (y^2 - 1) / (d y^2 + 1) must have a root; the denominator is never zero.
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(square, (_P - 1) // 2, _P) != 1:
        raise EncodingError("Ed25519 public key: not a point of the curve")
    return public


def key_id(public: bytes) -> str:
    """The fingerprint of a public key: SHA-256 of its 32 raw bytes, in hexadecimal."""
    if len(public) != 32:
        raise EncodingError("Ed25519 public key: must be 32 bytes")
    return hashlib.sha256(public).hexdigest()


@lru_cache(maxsize=4096)
def _pinned(public: bytes) -> tuple[str, Ed25519PublicKey]:
    """A checked key's fingerprint and the key itself: both once a key, not once an envelope."""
    check_public_key(public)
    return key_id(public), Ed25519PublicKey.from_public_bytes(public)


# --- envelopes ----------------------------------------------------------------------------------

_KINDS = {kind.value: kind for kind in PayloadType}

# The one spelling of an envelope in canonical JSON: none of its texts needs an escape.
_SPELLING = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]+)","payloadType":"([a-z0-9.+/-]+)",'
    rb'"signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/]{86}==)"\}\]\}'
)


def pre_authentication_encoding(kind: PayloadType, payload: bytes) -> bytes:
    """DSSE's PAE: type and payload, each behind its length in decimal."""
    mime = kind.value.encode()
    return b"DSSEv1 %d %s %d %s" % (len(mime), mime, len(payload), payload)


def sign(kind: PayloadType, payload: bytes, private: Ed25519PrivateKey) -> bytes:
    """The envelope of exactly these payload bytes, as canonical JSON."""
    if not 1 <= len(payload) <= MAX_PAYLOAD:
        raise EncodingError(f"{kind.value}: payload must have 1 to {MAX_PAYLOAD} bytes")
    return Envelope(
        kind=kind,
        keyid=key_id(private.public_key().public_bytes_raw()),
        signature=private.sign(pre_authentication_encoding(kind, payload)),
        unverified_payload=payload,
    ).encode()


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as read: well-formed, and nothing in it is believed before `verify`."""

    kind: PayloadType
    keyid: str
    signature: bytes
    unverified_payload: bytes

    @classmethod
    def parse(cls, data: bytes, *, limit: int = 2 * MAX_PAYLOAD) -> Envelope:
        """Read canonical bytes of at most `limit`; EncodingError or SignatureError."""
        spelt = _SPELLING.fullmatch(data)
        if spelt is not None and len(data) <= limit:
            payload, mime, keyid, signature = (part.decode("ascii") for part in spelt.groups())
            if mime in _KINDS:
                return cls(
                    kind=_KINDS[mime],
                    keyid=keyid,
                    signature=canonical.decode_base64(signature, limit=64, where="envelope.sig"),
                    unverified_payload=canonical.decode_base64(
                        payload, limit=MAX_PAYLOAD, where="envelope.payload"
                    ),
                )
        # Not of that spelling, and so none that is taken: the reader of fields says why.
        return cls.from_json(canonical.parse(data, limit=limit, where="envelope"))

    @classmethod
    def from_json(cls, value: canonical.Json, where: str = "envelope") -> Envelope:
        """Read an envelope embedded in a canonical document, where it is a plain object."""
        fields = Fields(value, where)
        payload = fields.base64("payload", MAX_PAYLOAD)
        mime = fields.text("payloadType", 128)
        signatures = fields.objects("signatures", 16)
        fields.end()
        if len(signatures) != 1:
            # One signer each: a second signature is either ignored (and a message changes its
            # digest without losing validity) or asks for rules that nobody needs.
            raise SignatureError(f"{where}: {len(signatures)} signatures, must be exactly one")
        keyid = signatures[0].hex("keyid", 32)
        signature = signatures[0].base64("sig", 64)
        signatures[0].end()
        if len(signature) != 64:
            raise EncodingError(f"{where}: an Ed25519 signature has 64 bytes")
        try:
            kind = PayloadType(mime)
        except ValueError:
            raise EncodingError(f"{where}: unknown payloadType {mime!a}") from None
        return cls(kind=kind, keyid=keyid, signature=signature, unverified_payload=payload)

    def to_json(self) -> dict[str, canonical.Json]:
        """The object that stands inside a bundle."""
        return {
            "payload": canonical.encode_base64(self.unverified_payload),
            "payloadType": self.kind.value,
            "signatures": [
                {"keyid": self.keyid, "sig": canonical.encode_base64(self.signature)},
            ],
        }

    def encode(self) -> bytes:
        """Canonical JSON: what `canonical.dump` writes of `to_json`, without its search."""
        return (
            f'{{"payload":"{canonical.encode_base64(self.unverified_payload)}",'
            f'"payloadType":"{self.kind.value}","signatures":[{{"keyid":"{self.keyid}",'
            f'"sig":"{canonical.encode_base64(self.signature)}"}}]}}'
        ).encode("ascii")

    def verify(self, public_key: bytes, kind: PayloadType) -> bytes:
        """The payload, if the pinned key signed it as this kind; SignatureError otherwise.

        Whether the key may sign this kind, and when, is for the caller's pinned file to say.
        """
        if self.kind is not kind:
            raise SignatureError(f"signed as {self.kind.value}, expected {kind.value}")
        keyid, key = _pinned(public_key)
        if self.keyid != keyid:
            raise SignatureError(
                f"{kind.value}: signed with key {self.keyid}, not the pinned {keyid}"
            )
        try:
            key.verify(self.signature, pre_authentication_encoding(kind, self.unverified_payload))
        except InvalidSignature:
            raise SignatureError(f"{kind.value}: the signature does not verify") from None
        return self.unverified_payload
