"""Normal forms of texts and their scalars (section "Text to scalars").

The tables are those of the running Python. It has Unicode 14.0 in 3.11; a later one takes
characters that the specification does not know yet.
"""

from __future__ import annotations

import re
import unicodedata

from independent.second_verifier.curve import hash_to_scalar
from independent.second_verifier.refusal import MalformedError, well_formed

REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
PRINTS_NOTHING = {
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164,
    *range(0xFE00, 0xFE10), 0xFFA0, 0x16FE4, 0x1D159, *range(0xE0100, 0xE01F0),
}  # fmt: skip
MAX_POINTS = 1024
SPACE = "[ \u1680]"


def plain(text: str, most: int = MAX_POINTS) -> str:
    """A text that can be shown: from 1 to `most` characters, none of them refused."""
    well_formed(1 <= len(text) <= most, "not of an allowed length")
    for each in text:
        well_formed(
            unicodedata.category(each) not in REFUSED_CATEGORIES
            and ord(each) not in PRINTS_NOTHING,
            "a character that cannot be shown",
        )
    return text


def _mapped(text: str, kind: str) -> str:
    form = unicodedata.normalize("NFKC", text)
    if kind == "identifier":
        form = unicodedata.normalize("NFKC", form.upper())
        return re.sub(f"^{SPACE}+|{SPACE}+$", "", form)
    if kind == "name":
        form = unicodedata.normalize("NFKC", form.casefold())
    elif kind != "enum":
        raise MalformedError("not a type of text")
    return re.sub(f"{SPACE}+", " ", form).strip(" ")


def normalised(text: str, kind: str) -> str:
    """The normal form under the type `identifier`, `name` or `enum`."""
    form = plain(_mapped(plain(text), kind))
    well_formed(_mapped(form, kind) == form, "a text without a normal form")
    return form


def in_normal_form(text: str, kind: str) -> str:
    """The text, which is its own normal form."""
    well_formed(normalised(text, kind) == text, "not in normal form")
    return text


def text_scalar(text: str, kind: str) -> int:
    """The scalar that stands for a normalised text."""
    return hash_to_scalar("crossproof/attribute-text/v1", kind.encode(), b"v1", text.encode())
