"""Domain separators, all in one place, and the framing that keeps hash inputs apart.

Two hashes made for different purposes must never have the same input: every hash in `proofs`
starts from one of these labels, and every variable part is written behind its length, so that
no two lists of parts have the same bytes. Refuses nothing and computes nothing else.
"""

from __future__ import annotations

from typing import Final

# Hash to curve: the suite's name stands in the tag, as RFC 9380 (section 3.1) recommends.
GENERATOR_DST: Final = b"crossproof/generator/BLS12381G1_XMD:SHA-256_SSWU_RO_/v1"
GENERATORS_DIGEST: Final = b"crossproof/generators-digest/v1"

# Transcripts.
TRANSCRIPT: Final = b"crossproof/transcript/v1"
OPENING: Final = b"crossproof/opening/v1"
RANGE: Final = b"crossproof/range/v1"
MEMBERSHIP: Final = b"crossproof/membership/v1"
MEMBERSHIP_PIECES: Final = b"crossproof/membership-pieces/v1"
PROVER_RANDOMNESS: Final = b"crossproof/prover-randomness/v1"

# Public sets and texts.
ATTRIBUTE_TEXT: Final = b"crossproof/attribute-text/v1"
SET_DIGEST: Final = b"crossproof/set-digest/v1"

# Signed things and bundles.
PERSONAL_PART: Final = b"crossproof/personal-part/v1"
BUNDLE: Final = b"crossproof/bundle/v1"
STATEMENT: Final = b"crossproof/statement/v1"
LISTING: Final = b"crossproof/listing/v1"
MANIFEST_ROWS: Final = b"crossproof/manifest-rows/v1"
PART: Final = b"crossproof/part/v1"
SUMMANDS: Final = b"crossproof/summands/v1"
LIST_STATEMENT: Final = b"crossproof/list-statement/v1"


def frame(*parts: bytes) -> bytes:
    """Every part behind its length (8 bytes, big-endian): distinct lists give distinct bytes."""
    pieces: list[bytes] = []
    for part in parts:  # never put together in between: some are as long as a bundle
        pieces += (len(part).to_bytes(8, "big"), part)
    return b"".join(pieces)
