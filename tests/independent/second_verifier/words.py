"""Words and quoted texts of the fact language, in their one spelling."""

from __future__ import annotations

import json
import re

from independent.second_verifier.refusal import MalformedError, well_formed

CHARACTERS = (
    "A-Za-z0-9'%&./_$£¥°²³µ·À-ÖØ-öø-\u024f\u0370-\u03ff€"
    "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6df-"
)
WORD = re.compile(rf"(?:(?!\.\.)[{CHARACTERS}])+")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def quoted(value: str) -> str:
    """A text: in quotes exactly when no word holds it."""
    return value if WORD.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def unquoted(spelt: str) -> str:
    """What a word or a quoted text stands for."""
    value = spelt
    if spelt.startswith('"'):
        try:
            value = str(json.loads(spelt))
        except ValueError as error:
            raise MalformedError("not a quoted text") from error
    well_formed(quoted(value) == spelt, "not the one spelling of a text")
    return value


def item(text: str) -> tuple[str, str]:
    """The word or quoted text that a text begins with, and the rest."""
    found = STRING.match(text) or WORD.match(text)
    if found is None:
        raise MalformedError("not a literal")
    return found.group(), text[found.end() :]


def items(text: str) -> tuple[list[str], str]:
    """What stands between commas up to a closing brace, and the rest behind it."""
    first, text = item(text)
    found = [first]
    while text.startswith(", "):
        following, text = item(text[2:])
        found.append(following)
    well_formed(text.startswith("}"), "a list without an end")
    return found, text[1:]
