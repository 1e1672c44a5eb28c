"""Every domain separator of `vault.crypto`, in one place.

Two hashes or keys that share a label could stand for one another, so no label is spelled
anywhere else, each names one use, and a change of meaning takes a new version number.
"""

from __future__ import annotations

from typing import Final

PART_KEY: Final = b"crossvault/part-key/v1"
"""HKDF of the scalars of the sides to the key of one part."""

STREAM_KEY: Final = b"crossvault/stream-key/v1"
"""HKDF of a part's key to the key of one stream."""

STREAM_COMMITMENT: Final = b"crossvault/stream-commitment/v1"
"""HKDF of a part's key to the public commitment to a stream's key."""

STREAM_CHUNK: Final = b"crossvault/stream-chunk/v1"
"""Associated data of every chunk."""

SHARE_DIGEST: Final = b"crossvault/share-digest/v1"
"""Digest of one share at its place, in a key manifest."""

SECRET_DIGEST: Final = b"crossvault/secret-digest/v1"
"""Digest of one side's scalar, in a key manifest."""

HPKE_KEY_ID: Final = b"crossvault/hpke-key-id/v1"
"""Digest of an HPKE public key."""

SEAL_STORE: Final = b"crossvault/seal/store/v1"
"""HPKE info of a share on its way to its holder."""

SEAL_RELEASE: Final = b"crossvault/seal/release/v1"
"""HPKE info of a share on its way to the requester of a release."""

SEAL_WITNESS: Final = b"crossvault/seal/witness/v1"
"""HPKE info of a witness on its way to the vault."""

PART_FORMAT: Final = "crossvault/part/v1"
"""Format marker of a part's root block."""

WRAP: Final = b"crossvault/wrap/v1"
"""Associated data of what a process keeps encrypted in its own database."""
