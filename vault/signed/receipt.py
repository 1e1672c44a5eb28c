"""A holder's signed receipt: which shares of which attestation and manifest it keeps durably.

The client that put the document checks it against what it sealed and keeps it: a vault that
dropped the shares of a holder cannot say that it delivered them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from proofs import canonical
from proofs.attestation import MAX_VERSION
from proofs.canonical import Fields, Json
from proofs.errors import EncodingError
from proofs.ids import digest_of
from proofs.principal import Principal
from vault.crypto.shares import MAX_SHARES
from vault.model import PARTS, Part

FORMAT: Final = "crossvault/receipt/v1"
LIMIT: Final = 4096
_TIME_AND_END: Final = len('2024-01-31T00:00:00Z"}')


@dataclass(frozen=True, slots=True)
class DepositReceipt:
    """A payload as read. `data` are its exact bytes and `digest` their SHA-256."""

    data: bytes
    digest: str
    attestation: str
    manifest: str
    index: int
    epoch: int
    holder: str
    parts: tuple[Part, ...]
    time: datetime

    @classmethod
    def build(
        cls,
        *,
        attestation: str,
        manifest: str,
        index: int,
        epoch: int,
        holder: str,
        parts: Sequence[Part],
        time: datetime,
    ) -> bytes:
        """The payload to be signed."""
        return canonical.dump(
            _fields(
                attestation, manifest, index, epoch, holder, parts, canonical.format_instant(time)
            )
        )

    @classmethod
    def matches(
        cls,
        payload: bytes,
        *,
        attestation: str,
        manifest: str,
        index: int,
        epoch: int,
        holder: str,
        parts: Sequence[Part],
    ) -> bool:
        """Whether a verified payload is the receipt of exactly this deposit, of whatever time.

        Six receipts come for every document. The time stands last, so that all bytes before it
        are known: to write them and to compare is sooner done than to read, and as strict.
        """
        try:
            time = payload[-_TIME_AND_END:-2].decode("ascii")
            canonical.parse_instant(time)
        except (UnicodeDecodeError, EncodingError):
            return False
        return payload == canonical.spell(
            _fields(attestation, manifest, index, epoch, holder, parts, time)
        )

    @classmethod
    def parse(cls, data: bytes) -> DepositReceipt:
        """Read exact payload bytes; the signature is checked before. Raises EncodingError."""
        fields = Fields(canonical.parse(data, limit=LIMIT, where="receipt"), "receipt")
        fields.literal("format", FORMAT)
        named = fields.texts("parts", len(PARTS), 8, least=1)
        parts = tuple(part for part in PARTS if part in named)
        if list(parts) != named:
            raise EncodingError("receipt.parts: asset, personal, or both in this order")
        receipt = cls(
            data=data,
            digest=digest_of(data),
            attestation=fields.hex("attestation", 32),
            manifest=fields.hex("manifest", 32),
            index=fields.integer("index", 1, MAX_SHARES),
            epoch=fields.integer("epoch", 1, MAX_VERSION),
            holder=Principal.parse(fields.text("holder", 400)).uri,
            parts=parts,
            time=fields.instant("time"),
        )
        fields.end()
        return receipt


def _fields(
    attestation: str,
    manifest: str,
    index: int,
    epoch: int,
    holder: str,
    parts: Sequence[Part],
    time: str,
) -> dict[str, Json]:
    return {
        "attestation": attestation,
        "epoch": epoch,
        "format": FORMAT,
        "holder": holder,
        "index": index,
        "manifest": manifest,
        "parts": [*parts],
        "time": time,
    }
