"""A list of assets as a person keeps it: a text file with one asset id a line.

Empty lines and what follows a `#` say nothing. It refuses other texts, and an id that stands twice:
in a sum the asset would count twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from proofs.errors import EncodingError
from proofs.ids import check_asset
from proofs.selection import MAX_LISTED

LIMIT: Final = 4 << 20
"""Bytes of a file, remarks included."""


def read_assets(data: bytes, *, where: str) -> list[str]:
    """The asset ids, in the order of the file.

    Raises:
        EncodingError: other texts, none at all, one twice, or more than can be listed.
    """
    if len(data) > LIMIT:
        raise EncodingError(f"{where}: over {LIMIT} bytes")
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        raise EncodingError(f"{where}: not a list of asset ids, for it is no text") from None
    texts = [line.partition("#")[0].strip() for line in lines]
    found = [check_asset(text, where=where) for text in texts if text]
    if not 1 <= len(found) <= MAX_LISTED:
        raise EncodingError(f"{where}: {len(found)} asset ids; must be 1 to {MAX_LISTED}")
    twice = sorted(asset for asset, count in Counter(found).items() if count > 1)
    if twice:
        raise EncodingError(f"{where}: {', '.join(twice[:5])} more than once")
    return found
