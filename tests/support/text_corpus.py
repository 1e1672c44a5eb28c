"""A deterministic corpus of texts and one digest of what the normaliser makes of it.

    pythonX.Y tests/support/text_corpus.py

prints the digest. Runs on any Python from 3.10 on with no package installed, so that one digest
can be compared over interpreters whose `unicodedata` differ.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from proofs.errors import SchemaError
from proofs.normaliser import TextKind, normalise

KINDS: tuple[TextKind, ...] = ("identifier", "name", "enum")
# Ideographs and Hangul syllables are many and alike: one in 97 is enough.
_SAMPLED = ((0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0x17000, 0x18CFF), (0x20000, 0x3FFFF))
# Private use, and planes that hold nothing: the same.
_SPARSE = ((0xE000, 0xF8FF), (0x40000, 0x10FFFF))


def code_points() -> Iterator[int]:
    """Every code point outside the large uniform blocks, surrogates included, and samples there."""
    for code in range(0x110000):
        if any(a <= code <= b for a, b in (*_SAMPLED, *_SPARSE)) and code % 97:
            continue
        yield code


def mixed_texts(count: int) -> Iterator[str]:
    """Random texts of one to six code points, from a generator of our own: it never changes."""
    state = 20_240_913
    letters = [code for code in code_points() if code < 0x2000 or 0x1D000 < code < 0x1F200]
    for _ in range(count):
        picked = []
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        for _ in range(1 + (state >> 33) % 6):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            picked.append(chr(letters[(state >> 33) % len(letters)]))
        yield "".join(picked)


def result(kind: TextKind, text: str) -> str | None:
    """The normalised form, or None where the text is refused."""
    try:
        return normalise(kind, text)
    except SchemaError:
        return None


def corpus_digest() -> tuple[int, str]:
    """How many results are in the digest, and SHA-256 over them all."""
    count, digest = 0, hashlib.sha256()
    for text in (*map(chr, code_points()), *mixed_texts(6000)):
        for kind in KINDS:
            normal = result(kind, text)
            digest.update(b"\0" if normal is None else b"\1" + normal.encode() + b"\0")
            count += 1
    return count, digest.hexdigest()


if __name__ == "__main__":
    print(*corpus_digest())
