"""What is wrong with a sentence that the grammar refused, said so that a person can mend it.

It judges nothing: the parser has refused the text already. Whatever is quoted from the text is
shortened and escaped, because it was typed by somebody else than the reader.
"""

from __future__ import annotations

import re

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

_FULL_WIDTH = {
    "，": ",",
    "、": ",",
    "｛": "{",
    "｝": "}",
    "＝": "=",
    "＜": "<",
    "＞": ">",
    "＠": "@",
    "％": "%",
    "．": ".",
    "“": '"',
    "”": '"',
    "＂": '"',
    "\u3000": " ",
}


def explain(text: str, error: UnexpectedInput) -> str:
    """Where reading stopped and what to write instead."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return "it ends too early; facts look like `capacity >= 20 MW` or `province in {A, B}`"
    found = error.pos_in_stream
    place = found if isinstance(found, int) and 0 <= found < len(text) else 0
    return f"at character {place + 1} ({text[place]!r}): {_hint(text, place, error)}"


def _hint(text: str, place: int, error: UnexpectedInput) -> str:
    here = text[place]
    if here in _FULL_WIDTH:
        return f"write {_FULL_WIDTH[here]!r} instead of the full-width {here!r}"
    if here in "<>!=≤≥≠":
        return "the comparisons are >=, <=, =, in and not in"
    if here == "(" and re.search(r"(min|max) *$", text[:place]):
        return "over a selection there are sum(attribute) and count(), no min and max"
    if here in "+*()":
        return (
            "sums and products stand in comparisons, as in debt * 100 <= valuation * 60 or "
            "abs(x - y) * 10 <= z"
        )
    if here == '"':
        return "a text in quotes needs both quotes, and stands where a literal may stand"
    if here == "," and "{" not in text[:place]:
        return "write numbers without thousands separators, and lists in braces"
    if here == "@" and re.search(r"not *$", text[:place]):
        return "write not in @set"
    if isinstance(error, UnexpectedCharacters) and here not in "{},@.":
        return "put texts with this character in double quotes"
    if "{" in text[:place]:
        return "literals in braces stand between commas; put texts of several words in quotes"
    return (
        "a fact is `name in LO..HI`, `name >= X`, `name <= X`, `name = X`, `name in {A, B}`, "
        "`name in @set` or `name not in @set`, with the unit at the end"
    )


def shown(text: str) -> str:
    """A bounded, escaped quotation."""
    plain = str.__str__(text)  # a parser's token would print itself as one
    return repr(plain if len(plain) <= 80 else plain[:77] + "...")
