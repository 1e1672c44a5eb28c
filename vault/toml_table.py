"""Reading one TOML table setting by setting, and writing a text into one.

Every setting is asked for by name and kind, and what nobody asked for is refused: a misspelled
setting would silently not hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from proofs.errors import EncodingError
from proofs.toml_text import parse_toml
from vault.errors import InvalidInputError


class Table:
    """A reader of one TOML table that names what is missing, ill-typed or unknown."""

    __slots__ = ("_left", "_table", "where")

    def __init__(self, table: Mapping[str, Any], *, where: str):
        self._table = table
        self._left = set(table)
        self.where = where

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.optional_text(name)
        if value is None:
            raise InvalidInputError(f"{self.where}: {name} is missing", field=name)
        return value

    def optional_text(self, name: str) -> str | None:
        """A text of 1 to 1,000 characters, or None."""
        self._left.discard(name)
        value = self._table.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not 1 <= len(value) <= 1000:
            raise InvalidInputError(f"{self.where}: {name} must be a text", field=name)
        return value

    def optional_integer(self, name: str, lo: int, hi: int) -> int | None:
        """An integer between lo and hi, or None."""
        return self.integer(name, lo, hi) if name in self._table else None

    def integer(self, name: str, lo: int, hi: int) -> int:
        """An integer between lo and hi that must be there."""
        self._left.discard(name)
        value = self._table.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not lo <= value <= hi:
            raise InvalidInputError(
                f"{self.where}: {name} must be an integer from {lo} to {hi}", field=name
            )
        return value

    def table(self, name: str) -> Table:
        """A table; an empty one where it is absent."""
        self._left.discard(name)
        value = self._table.get(name, {})
        if not isinstance(value, dict):
            raise InvalidInputError(f"{self.where}: {name} must be a table", field=name)
        return Table(value, where=f"{self.where} [{name}]")

    def end(self) -> None:
        """Refuse what was not read."""
        if self._left:
            names = ", ".join(ascii(name)[:66] for name in sorted(self._left)[:5])
            raise InvalidInputError(f"{self.where}: unknown setting {names}")


def read_toml(data: bytes, *, where: str) -> dict[str, Any]:
    """Parse TOML; InvalidInputError says where it breaks."""
    try:
        return parse_toml(data)
    except EncodingError as error:
        raise InvalidInputError(f"{where}: {error}") from None


def quoted(text: str) -> str:
    """A TOML basic string. Texts here are names and paths: no control characters."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise InvalidInputError("a setting must not hold control characters")
    return json.dumps(text, ensure_ascii=False)
