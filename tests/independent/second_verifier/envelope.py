"""Signed envelopes: DSSE with one Ed25519 signature (section "Signed envelopes")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from independent.second_verifier import encoding
from independent.second_verifier.refusal import Refused, well_formed

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, -1, P) % P
TYPE = "application/vnd.crossvault.{}.v1+json"
KINDS = (
    "attestation", "grant", "key-manifest", "set", "site", "receipt", "release-request", "approval",
    "portfolio",
)  # fmt: skip
MAX_PAYLOAD = 1024 * 1024


@dataclass(frozen=True)
class Envelope:
    """An envelope that was read and not yet believed."""

    payload: bytes
    payload_type: str
    key_id: bytes
    signature: bytes

    def is_of_kind(self, kind: str) -> bool:
        """Whether its type is the one of the kind."""
        return self.payload_type == TYPE.format(kind)

    def is_signed_by(self, key: bytes) -> bool:
        """Whether the signature over type and payload is the key's."""
        kind = self.payload_type.encode()
        sizes = (str(len(kind)).encode(), str(len(self.payload)).encode())
        message = b" ".join((b"DSSEv1", sizes[0], kind, sizes[1], self.payload))
        if self.key_id != key_id(key) or int.from_bytes(self.signature[32:], "little") >= ORDER:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(self.signature, message)
        except InvalidSignature:
            return False
        return True


def read(value: Any, step: int) -> Envelope:
    """An envelope that stands in a document; the bound of its kind is for who reads the payload."""
    tree = encoding.fields(value, {"payload", "payloadType", "signatures"})
    payload = encoding.base64_bytes(tree["payload"], most=MAX_PAYLOAD)
    well_formed(bool(payload), "an empty payload")
    payload_type = encoding.text(tree["payloadType"])
    well_formed(payload_type in map(TYPE.format, KINDS), "an unknown type")
    signatures = encoding.listed(tree["signatures"], 0, encoding.MAX_VALUES)
    for each in signatures:
        encoding.fields(each, {"keyid", "sig"})
        encoding.hexadecimal(each["keyid"])
        encoding.base64_bytes(each["sig"], 64)
    if len(signatures) != 1:
        raise Refused(step, "SIGNATURE", "not exactly one signature")
    key, signature = signatures[0]["keyid"], signatures[0]["sig"]
    return Envelope(
        payload, payload_type, encoding.hexadecimal(key), encoding.base64_bytes(signature)
    )


def key_id(key: bytes) -> bytes:
    """SHA-256 of the 32 bytes."""
    return encoding.sha256(key)


def checked_key(key: bytes) -> bytes:
    """A key that is canonical, on the curve, and not of small order."""
    well_formed(len(key) == 32, "not 32 bytes")
    number = int.from_bytes(key, "little")
    y, sign = number % 2**255, number >> 255
    well_formed(y < P, "a second spelling of a key")
    squared = (y * y - 1) * pow(CURVE_D * y * y + 1, -1, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if x * x % P != squared:
        x = x * pow(2, (P - 1) // 4, P) % P
    well_formed(x * x % P == squared and (x != 0 or sign == 0), "not on the curve")
    for _ in range(3):  # times eight
        cross = CURVE_D * x * x * y * y
        x, y = (
            2 * x * y * pow(1 + cross, -1, P) % P,
            (y * y + x * x) * pow(1 - cross, -1, P) % P,
        )
    well_formed((x, y) != (0, 1), "a key of small order")
    return key
