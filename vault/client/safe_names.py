"""File names of strangers, made harmless before anything is written under them.

A custodian chooses the names of attachments, and the requester's machine writes them. A number in
front keeps two files apart, and takes the meaning from a leading dot or dash; what a file system
or a shell reads as more than a letter becomes an underscore.
"""

from __future__ import annotations

import re
from typing import Final

MAX_BYTES: Final = 200
_UNSAFE: Final = re.compile(r"[^\w.()+,=@ -]|[\x00-\x1f\x7f]", re.UNICODE)


def safe_file_name(number: int, name: str) -> str:
    """`<number>-<name>` of at most 200 bytes in UTF-8, with no path, no control character."""
    cleaned = _UNSAFE.sub("_", name).strip(" .") or "file"
    head = f"{number}-"
    room = MAX_BYTES - len(head)
    if len(cleaned.encode("utf-8", "replace")) > room:
        stem, dot, ending = cleaned.rpartition(".")
        ending = dot + ending if stem and len(ending.encode()) <= 16 else ""
        kept = (stem if ending else cleaned).encode()[: room - len(ending.encode())]
        cleaned = kept.decode("utf-8", "ignore") + ending
    return head + cleaned
