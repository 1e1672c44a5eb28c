"""Normaliser v1: the one spelling under which a text is committed, listed and compared.

Fixed at Unicode 14.0, so that every Python from 3.11 on gives the same result: code points that
14.0 does not assign are refused by a shipped table, normalisation and case folding of assigned
ones are stable by Unicode's policy, and upper-casing, which is not, is held to 14.0 here.

It refuses what prints nothing, moves the cursor or breaks the line: such a character appended to a
name would hide the name from a list while a reader sees no difference. It does not translate,
transliterate or guess: two texts are equal exactly when their normalised forms are.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from proofs.errors import SchemaError
from proofs.unicode14 import REFUSED

TextKind = Literal["identifier", "name", "enum"]

NORMALISER_VERSION = "v1"
MAX_TEXT = 1024
"""The longest text, in code points, before and after normalisation."""

# All other white space of Unicode 14.0 is either refused or turned into U+0020 by NFKC. A list of
# our own, because `str.strip` and `str.split` follow the tables of the running Python.
_WHITE = "\u0020\u1680"
_WHITE_RUN = re.compile(f"[{_WHITE}]+")


def _refused_class(*, astral: bool) -> re.Pattern[str]:
    parts = []
    for word in REFUSED.split():
        low, _, high = word.partition("-")
        first, last = int(low, 16), int(high or low, 16)
        if (last > _LAST_OF_PLANE_0) if astral else (first <= _LAST_OF_PLANE_0):
            parts.append(f"\\U{first:08x}-\\U{last:08x}")
    return re.compile(f"[{''.join(parts)}]")


# Two classes, because `re` looks a plane-0 character up in a table but walks through all ranges
# above for each one that it does not find there.
_LAST_OF_PLANE_0 = 0xFFFF
_PLANE_0 = _refused_class(astral=False)
_ASTRAL = _refused_class(astral=True)


def _refused(text: str) -> re.Match[str] | None:
    """A refused character of a text that is not empty, or None."""
    found = _PLANE_0.search(text)
    if found is None and ord(max(text)) > _LAST_OF_PLANE_0:
        return _ASTRAL.search(text)
    return found


def safe_for_display(text: str, *, limit: int = MAX_TEXT) -> str:
    """The text itself when it may be shown to others; raises SchemaError when it may not.

    For titles, purposes and names of people, which are shown as they were written: one to `limit`
    code points, none of them a control, format, line break, private-use, unassigned (in Unicode
    14.0), surrogate or invisible one. Text typed by one party moves no cursor on another's screen.
    """
    if not text:
        raise SchemaError("empty text")
    if len(text) > limit:
        raise SchemaError(f"text of {len(text)} characters, at most {limit} are allowed")
    found = _refused(text)
    if found is not None:
        raise SchemaError(
            f"character U+{ord(found[0]):04X} at position {found.start()} is not allowed: control, "
            "format, invisible, private-use and unassigned (Unicode 14.0) characters are refused"
        )
    return text


def normalise(kind: TextKind, text: str) -> str:
    """The normalised form of a text of this kind; raises SchemaError when there is none.

    `identifier`: NFKC, upper case, NFKC, white space stripped at the ends. `name`: NFKC, case
    folded, NFKC, runs of white space to one space and none at the ends. `enum`: NFKC, white space
    as in a name, case kept. Refused are texts that `safe_for_display` refuses, before or after;
    nothing but white space; and the few whose result would normalise to something else again.
    """
    result = _apply(kind, safe_for_display(text))
    # The second pass must change nothing, or one name could be listed under two spellings.
    if _apply(kind, safe_for_display(result)) != result:
        raise SchemaError("text has no stable normalised form; write it in composed characters")
    return result


def _apply(kind: TextKind, text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    match kind:
        case "identifier":
            return unicodedata.normalize("NFKC", _upper(plain)).strip(_WHITE)
        case "name":
            folded = unicodedata.normalize("NFKC", plain.casefold())
            return _WHITE_RUN.sub(" ", folded).strip(" ")
        case "enum":
            return _WHITE_RUN.sub(" ", plain).strip(" ")
        case _:
            raise SchemaError(f"no text type is called {kind!r}")


def _upper(text: str) -> str:
    """Upper case of Unicode 14.0.

    Later versions assign capitals to small letters that had none (U+019B in 16.0); their capital
    is not a character here, and the small letter stays.
    """
    upper = text.upper()
    if _refused(upper) is None:
        return upper
    return "".join(letter if _refused(letter.upper()) else letter.upper() for letter in text)
