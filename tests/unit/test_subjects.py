"""What a word of a fact is about: one answer, whether it is asked for or only looked for."""

from __future__ import annotations

import pytest
from support.bundles import schema

from proofs.errors import FactError
from proofs.subjects import Subjects

WORDS = (
    "capacity",
    "doc.capacity",
    "a.capacity",
    "b.owner",
    "c.capacity",
    "a.",
    ".capacity",
    "a.b.capacity",
    "Capacity",
    "20",
    "20.5",
    "",
)


@pytest.mark.parametrize("aliases", [("doc",), ("a",), ("a", "b")])
@pytest.mark.parametrize("word", WORDS)
def test_a_word_names_what_can_be_found(aliases: tuple[str, ...], word: str) -> None:
    """`names` is true of exactly the words that `find` takes."""
    subjects = Subjects.of({alias: schema() for alias in aliases})
    try:
        subjects.find(word)
    except FactError:
        found = False
    else:
        found = True
    assert subjects.names(word) is found
