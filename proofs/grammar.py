"""The grammar of the fact language: the parser, and which words need no quotes.

`facts.lark` holds it, so that a sentence is read and printed by one text. It gives meaning to
nothing: that is for `proofs.facts`.

SPEC.md, "Fact language".
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from lark import Lark


@cache
def parser() -> Lark:
    """The parser of one sentence."""
    grammar = resources.files("proofs").joinpath("facts.lark").read_text(encoding="utf-8")
    return Lark(grammar, start="sentence", parser="lalr", lexer="contextual")


@cache
def _bare() -> re.Pattern[str]:
    """The words that need no quotes: the grammar's own, so that printing cannot drift from it."""
    word = next(terminal for terminal in parser().terminals if terminal.name == "WORD")
    return re.compile(word.pattern.value)


def bare_word(text: str) -> bool:
    """Whether a text needs no quotes in a sentence."""
    return _bare().fullmatch(text) is not None
