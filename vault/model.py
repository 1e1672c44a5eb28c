"""The words that every part of the service shares: parts, sides, bounds, and what is stored.

Plain values only: nothing here reads a file, opens a key or talks to anybody, and nothing here
holds an attribute's value except the public texts that `list` may show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from vault.crypto.framing import Part, Side

__all__ = [
    "ASSET",
    "MAX_BATCH",
    "MAX_PAGE",
    "PARTS",
    "PERSONAL",
    "SIDES",
    "Part",
    "Receipt",
    "Side",
    "StoredVersion",
    "sides_of",
]

ASSET: Final[Part] = "asset"
PERSONAL: Final[Part] = "personal"
PARTS: Final[tuple[Part, ...]] = (ASSET, PERSONAL)
SIDES: Final[tuple[Side, ...]] = ("cn", "hk")

MAX_BATCH: Final = 64
"""Documents in one put and deposits in one call to a holder."""

MAX_PAGE: Final = 1000
DEFAULT_PAGE: Final = 100


def sides_of(part: Part) -> tuple[Side, ...]:
    """The sides whose quorums open a part: both for the asset part, `cn` alone for personal."""
    return SIDES if part == ASSET else ("cn",)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A holder's signed receipt as it is kept: who signed, at which index and epoch, the bytes."""

    holder: str
    index: int
    epoch: int
    envelope: bytes


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One document version in the catalogue.

    `attestation` and `key_manifest` are envelopes as they came; the digests are SHA-256 of their
    payloads as 64 hex digits. Roots are binary CIDs. `witness` is ciphertext under a key that is
    kept apart. `public` holds the texts of public attributes, and `provable` the names of all
    attributes that are present.
    """

    document: str
    version: int
    custodian: str
    asset: str
    schema: str
    attestation_digest: str
    attestation: bytes
    manifest_digest: str
    key_manifest: bytes
    asset_root: bytes
    personal_root: bytes | None
    personal_salt: bytes | None = field(repr=False)
    witness: bytes = field(repr=False)
    public: Mapping[str, str]
    provable: tuple[str, ...]
    request_id: str
    valid_until: datetime
    commit_time: datetime
    bundles_issued: int = 0
    row: int = 0
    """Number of the row, in the order of commits: what page tokens count."""

    def root(self, part: Part) -> bytes | None:
        """The CID of a part's root, None where the version has no such part."""
        return self.asset_root if part == ASSET else self.personal_root
