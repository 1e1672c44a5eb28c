"""Texts as field elements: the normalised text, hashed to the scalar field under its type.

The type is hashed too, so that an identifier and a name that are written alike commit to
different values, and a set of one can never stand for a set of the other. Empty text and text
without a normalised form have no element; see `proofs.normaliser`, whose names are repeated here.

SPEC.md, "Text to scalars".
"""

from __future__ import annotations

from proofs import group, labels
from proofs.group import Scalar
from proofs.normaliser import (
    MAX_TEXT,
    NORMALISER_VERSION,
    TextKind,
    normalise,
    safe_for_display,
)

__all__ = [
    "MAX_TEXT",
    "NORMALISER_VERSION",
    "TextKind",
    "normalise",
    "safe_for_display",
    "text_scalar",
]


def text_scalar(kind: TextKind, text: str) -> Scalar:
    """The scalar that stands for this text in commitments and sets.

    RFC 9380 hash_to_field over (kind, normaliser version, normalised text in UTF-8). Collisions
    are as hard as for SHA-256. Raises SchemaError for a text without a normalised form.
    """
    normalised = normalise(kind, text)
    return group.hash_to_scalar(
        labels.ATTRIBUTE_TEXT, kind.encode(), NORMALISER_VERSION.encode(), normalised.encode()
    )
