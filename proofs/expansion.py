"""Uniform bytes from a message: expand_message_xmd of RFC 9380, section 5.3.1, over SHA-256.

Hash to field and hash to curve both begin with it. It refuses a tag that the RFC would replace by
its hash, and the empty one, which would separate nothing.

SPEC.md, "Group and encodings".
"""

from __future__ import annotations

import hashlib


def require_tag(tag: bytes) -> None:
    """ValueError for a tag that is not 1 to 255 bytes."""
    if not 0 < len(tag) <= 255:
        raise ValueError("a label is 1 to 255 bytes")


def expand_message_xmd(message: bytes, tag: bytes, length: int) -> bytes:
    """`length` bytes, at most 8,160; ValueError as `require_tag`."""
    require_tag(tag)
    blocks = -(-length // 32)
    tag += bytes([len(tag)])
    first = hashlib.sha256(bytes(64) + message + length.to_bytes(2, "big") + b"\0" + tag).digest()
    block, output = bytes(32), b""
    for index in range(1, blocks + 1):
        mixed = (int.from_bytes(first, "big") ^ int.from_bytes(block, "big")).to_bytes(32, "big")
        block = hashlib.sha256(mixed + bytes([index]) + tag).digest()
        output += block
    return output[:length]
