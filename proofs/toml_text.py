"""TOML as people write it, read without letting a file take the time or the stack of its reader.

The standard library's reader follows a dotted key with a walk from its first part for every part:
a few hundred kilobytes of `a.a.a…` keep it busy for hours. So a line with more points than any
honest one has is refused before anything is read. What the tables mean is for the caller.
"""

from __future__ import annotations

import tomllib
from typing import Any

from proofs.errors import EncodingError

MAX_POINTS = 256
"""In one line, be they in keys or in texts."""


def parse_toml(data: bytes) -> dict[str, Any]:
    """The tables of a file whose length the caller has bounded; EncodingError for any other."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.count(b".") > MAX_POINTS:
            raise EncodingError(f"more than {MAX_POINTS} points in line {number}")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise EncodingError("not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise EncodingError(f"not TOML: {error}") from None
