"""The trust file: whom the verifier believes, and about what (section "Trust file")."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from independent.second_verifier import encoding
from independent.second_verifier.encoding import MAX_VERSION, NAME
from independent.second_verifier.envelope import checked_key, key_id
from independent.second_verifier.refusal import MalformedError, well_formed
from independent.second_verifier.text import plain

NAMES = {"name_zh", "name_en", "key", "valid_from", "valid_until"}
ASSET = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"
LEEWAY = 300
MAX_FREE_TEXT = 500


def begun(instant: int, now: int) -> bool:
    """A beginning may lie five minutes ahead of the clock."""
    return instant <= now + LEEWAY


def over(instant: int, now: int) -> bool:
    """An end is over when the clock has reached it."""
    return instant <= now


@dataclass(frozen=True)
class Key:
    """A pinned key; schemas and assets are empty for an authority."""

    key: bytes
    valid_from: int
    valid_until: int
    schemas: frozenset[bytes] = frozenset()
    assets: tuple[str, ...] = ()

    def valid_at(self, instant: int) -> bool:
        """Whether something made at this instant was made within the validity."""
        return self.valid_from <= instant < self.valid_until

    def valid_now(self, now: int) -> bool:
        """Whether the key is in force by the clock."""
        return begun(self.valid_from, now) and not over(self.valid_until, now)

    def vouches_for(self, asset: str) -> bool:
        """Whether the asset is named, or begins as a pattern does."""
        return any(
            asset.startswith(each[:-1]) if each.endswith("*") else asset == each
            for each in self.assets
        )


@dataclass(frozen=True)
class Trust:
    """Keys by their ids, and the authorities of set names with the least versions."""

    custodians: dict[bytes, Key]
    authorities: dict[bytes, Key]
    sets: dict[str, tuple[bytes, int]]


def read(data: bytes) -> Trust:
    """A trust file."""
    try:
        tree = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MalformedError("not TOML") from error
    well_formed(tree.keys() <= {"custodian", "authority", "set"}, "an unknown table")
    custodians = [_key(each, custodian=True) for each in _tables(tree, "custodian")]
    authorities = [_key(each, custodian=False) for each in _tables(tree, "authority")]
    ids = [key_id(each.key) for each in (*custodians, *authorities)]
    well_formed(bool(ids) and len(set(ids)) == len(ids), "no key, or one twice")
    sets: dict[str, tuple[bytes, int]] = {}
    for each in _tables(tree, "set"):
        entry = encoding.fields(each, {"name", "authority"}, {"least_version"})
        name, authority = (
            encoding.text(entry["name"], NAME),
            encoding.hexadecimal(entry["authority"]),
        )
        well_formed(name not in sets, "a set name twice")
        well_formed(authority in ids[len(custodians) :], "a set of an authority that is not pinned")
        sets[name] = authority, encoding.integer(entry.get("least_version", 1), 1, MAX_VERSION)
    return Trust(
        dict(zip(ids, custodians, strict=False)),
        dict(zip(ids[len(custodians) :], authorities, strict=True)),
        sets,
    )


def _tables(tree: dict[str, Any], name: str) -> list[Any]:
    return encoding.listed(tree.get(name, []), 0, encoding.MAX_VALUES)


def _key(value: Any, *, custodian: bool) -> Key:
    scopes = {"schemas", "assets"} if custodian else set()
    tree = encoding.fields(value, NAMES, scopes)
    plain(encoding.text(tree["name_zh"]), MAX_FREE_TEXT)
    plain(encoding.text(tree["name_en"]), MAX_FREE_TEXT)
    start, end = _instant(tree["valid_from"]), _instant(tree["valid_until"])
    well_formed(start < end, "a validity that ends before it begins")
    schemas = encoding.listed(tree.get("schemas", []), 0, encoding.MAX_VALUES)
    assets = encoding.listed(tree.get("assets", []), 0, encoding.MAX_VALUES)
    return Key(
        checked_key(encoding.base64_bytes(tree["key"], 32)),
        start,
        end,
        frozenset(encoding.hexadecimal(each) for each in schemas),
        tuple(encoding.text(each, rf"{ASSET}\*?") for each in assets),
    )


def _instant(value: Any) -> int:
    if isinstance(value, datetime):
        well_formed(value.utcoffset() == timedelta(0), "an instant of another zone, or of none")
        value = value.isoformat().replace("+00:00", "Z")
    return encoding.instant(value)
