"""The spellings of the identifiers and short texts that signed things carry: checked, never mended.

It holds no state and looks nothing up; a text that is not exactly of the form is refused.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from proofs.errors import CrossproofError, EncodingError
from proofs.normaliser import safe_for_display

SHOWN_LIMIT = 500
"""The longest free text, in characters, that one party writes and another is shown."""

_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_DOCUMENT = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")

# CIDv1, dag-cbor, sha2-256, 32 bytes: every part is named by the CID of one dag-cbor root. In
# base32 its first four bytes are `afyrei` and the first two bits of the next letter; two of the
# 290 bits are beyond the 36 bytes and must be zero, or one CID would have four texts.
_ROOT_CID = re.compile(r"bafyrei[a-h][a-z2-7]{50}[aeimquy4]")


def _matched(pattern: re.Pattern[str], text: str, what: str, where: str) -> str:
    if pattern.fullmatch(text) is None:
        raise EncodingError(f"{where}: {what}")
    return text


def check_asset(text: str, *, where: str) -> str:
    """An asset id: up to 128 letters, digits and `._:-`, so that it is safe to show and to match.

    Raises:
        EncodingError: any other text.
    """
    return _matched(_ASSET, text, "an asset id is up to 128 letters, digits and . _ : -", where)


def check_document(text: str, *, where: str) -> str:
    """A document id: 32 lower-case hex digits, drawn at random (it tells nothing of its content).

    Raises:
        EncodingError: any other text.
    """
    return _matched(_DOCUMENT, text, "a document id is 32 lower-case hex digits", where)


def check_digest(text: str, *, where: str) -> str:
    """A SHA-256 digest or key id: 64 lower-case hex digits.

    Raises:
        EncodingError: any other text.
    """
    return _matched(_DIGEST, text, "a digest is 64 lower-case hex digits", where)


def check_name(text: str, *, where: str) -> str:
    """The name of a set, a schema or an alias: `[a-z][a-z0-9_-]{0,63}`.

    Raises:
        EncodingError: any other text.
    """
    return _matched(_NAME, text, "a name is up to 64 of a-z, 0-9, _ and -, first a letter", where)


def check_root_cid(text: str, *, where: str) -> str:
    """The CID of a part's root block: base32 text of a CIDv1, dag-cbor, sha2-256.

    Two texts for one CID (other bases, upper case, non-zero last bits) are refused.

    Raises:
        EncodingError: any other text.
    """
    return _matched(_ROOT_CID, text, "not the base32 CID of a dag-cbor root (bafyrei…)", where)


def check_shown(text: str, *, where: str) -> str:
    """A free text that one party writes and another reads (a purpose, an audience, a legal name).

    Nothing in it may move the cursor, hide or break the line, or a purpose could repaint the
    verdict above it.

    Raises:
        EncodingError: empty, over 500 characters, or with such a character.
    """
    if len(text) > SHOWN_LIMIT:
        raise EncodingError(f"{where}: at most {SHOWN_LIMIT} characters")
    try:
        return safe_for_display(text)
    except CrossproofError as error:
        raise EncodingError(f"{where}: {error}") from None


def digest_of(data: bytes) -> str:
    """SHA-256 of exact bytes, as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def new_document_id() -> str:
    """A fresh random document id."""
    return secrets.token_hex(16)


def new_nonce() -> str:
    """A fresh 32-byte nonce as hex."""
    return secrets.token_hex(32)
