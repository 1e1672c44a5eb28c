"""Whom a verifier believes: the trust file, which pins keys, names, validity and scope.

Every key that a verdict rests on comes from this file, never from a message. A custodian's scope
names schemas and assets; a missing or empty list allows nothing. Each set name belongs to one
authority. The file is TOML, unknown keys are refused, and no key is believed at first sight:
`add_entry` compares a fingerprint that came by another channel. This file takes and gives texts;
reading and writing files is the command's.

SPEC.md, "Trust file".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from proofs import canonical
from proofs.attestation import MAX_VERSION
from proofs.envelope import check_public_key, key_id
from proofs.errors import CrossproofError, EncodingError, TrustError
from proofs.ids import check_digest, check_name, check_shown
from proofs.toml_text import parse_toml

LIMIT = 4 << 20
_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\*?")


@dataclass(frozen=True, slots=True)
class Signer:
    """A pinned key with its owner's legal names; `keyid` is its fingerprint."""

    name_zh: str
    name_en: str
    key: bytes
    keyid: str
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class TrustedCustodian(Signer):
    """Who may attest, under which schemas (digests) and about which assets.

    An entry of `assets` is an asset id, or the beginning of asset ids with `*` at its end.
    """

    schemas: frozenset[str]
    assets: tuple[str, ...]

    def check_scope(self, *, schema: str, asset: str) -> None:
        """TrustError unless this custodian is trusted for the schema and for the asset."""
        if schema not in self.schemas:
            raise TrustError(f"{self.name_en}: not trusted for schema {schema}")
        for pattern in self.assets:
            if pattern == asset or (pattern.endswith("*") and asset.startswith(pattern[:-1])):
                return
        raise TrustError(f"{self.name_en}: not trusted for asset {asset}")


@dataclass(frozen=True, slots=True)
class TrustedAuthority(Signer):
    """Who may sign the sets that `TrustedSet` gives to this key."""


@dataclass(frozen=True, slots=True)
class TrustedSet:
    """To which authority (key id) a set name belongs, and the least version accepted."""

    name: str
    authority: str
    least_version: int


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust file as read: each key and each set name once."""

    custodians: tuple[TrustedCustodian, ...]
    authorities: tuple[TrustedAuthority, ...]
    sets: tuple[TrustedSet, ...]

    @classmethod
    def parse(cls, data: bytes) -> Trust:
        """Read the bytes of a trust file.

        Raises:
            TrustError: not TOML, an unknown or missing key, a key or set name pinned twice, a set
                whose authority is not pinned, or a file that pins nothing.
        """
        table = _read_toml(data)
        try:
            trust = cls(
                custodians=tuple(_read_custodian(each) for each in _tables(table, "custodian")),
                authorities=tuple(_read_authority(each) for each in _tables(table, "authority")),
                sets=tuple(_read_set(each) for each in _tables(table, "set")),
            )
        except TrustError:
            raise
        except CrossproofError as error:
            raise TrustError(f"trust file: {error}") from None
        trust._check()
        return trust

    def _check(self) -> None:
        if not self.custodians and not self.authorities:
            # An empty list of keys must not read as "nothing to check".
            raise TrustError("trust file: pins no key")
        keys = [each.keyid for each in (*self.custodians, *self.authorities)]
        if len(set(keys)) != len(keys):
            raise TrustError("trust file: one key is pinned twice")
        names = [each.name for each in self.sets]
        if len(set(names)) != len(names):
            raise TrustError("trust file: one set name is given to two authorities")
        known = {each.keyid for each in self.authorities}
        for each in self.sets:
            if each.authority not in known:
                raise TrustError(f"trust file: set {each.name}: no authority has its key")

    def custodian(self, keyid: str) -> TrustedCustodian:
        """The custodian with this key id; TrustError if none is pinned."""
        for each in self.custodians:
            if each.keyid == keyid:
                return each
        raise TrustError(f"no custodian with key {keyid} is pinned in the trust file")

    def authority(self, keyid: str) -> TrustedAuthority:
        """The set authority with this key id; TrustError if none is pinned."""
        for each in self.authorities:
            if each.keyid == keyid:
                return each
        raise TrustError(f"no set authority with key {keyid} is pinned in the trust file")

    def set(self, name: str) -> TrustedSet:
        """Whose set this name means; TrustError if the file does not say."""
        for each in self.sets:
            if each.name == name:
                return each
        raise TrustError(f"the trust file gives the set {name} to no authority")


# --- adding entries -----------------------------------------------------------------------------


def check_fingerprint(key: bytes, fingerprint: str) -> str:
    """The key's fingerprint, if it is the one that came by another channel.

    Colons, white space and the case of what a person typed are ignored.

    Raises:
        TrustError: they differ, or the key is none.
    """
    try:
        found = key_id(check_public_key(key))
    except CrossproofError as error:
        raise TrustError(str(error)) from None
    if re.sub(r"[\s:]", "", fingerprint).lower() != found:
        raise TrustError(
            f"the key's fingerprint is {found}, not the one given: ask its owner by another channel"
        )
    return found


def entry(kind: Literal["custodian", "authority", "set"], values: Mapping[str, object]) -> str:
    """One `[[kind]]` table as TOML text; values are texts, integers or lists of texts."""
    lines = [f"[[{kind}]]"]
    # A JSON text is a TOML basic string, but for U+007F, which no text here may hold.
    lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def add_entry(
    before: bytes, kind: Literal["custodian", "authority", "set"], values: Mapping[str, object]
) -> bytes:
    """The file's bytes with one entry more, as `Trust.parse` accepts them.

    Raises:
        TrustError: the file with that entry is not a trust file.
    """
    separator = b"\n" if before.endswith(b"\n") else b"\n\n"
    try:
        added = entry(kind, values).encode()
    except UnicodeEncodeError:  # what a terminal gives for bytes that are no text
        raise TrustError("a text that is not valid UTF-8") from None
    after = (before + separator if before else b"") + added
    Trust.parse(after)
    return after


# --- reading ------------------------------------------------------------------------------------


def _read_toml(data: bytes) -> dict[str, object]:
    if len(data) > LIMIT:
        raise TrustError(f"trust file: {len(data)} bytes, more than the {LIMIT} allowed")
    try:
        table: dict[str, object] = parse_toml(data)
    except EncodingError as error:
        raise TrustError(f"trust file: {error}") from None
    unknown = set(table) - {"custodian", "authority", "set"}
    if unknown:
        raise TrustError(f"trust file: unknown table {min(unknown)!a}")
    return table


def _tables(table: dict[str, object], name: str) -> list[_Entry]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise TrustError(f"trust file: write [[{name}]]")
    return [_Entry(each, f"{name} {index + 1}") for index, each in enumerate(found)]


class _Entry:
    """One table, read key by key; `end` refuses the rest."""

    def __init__(self, table: dict[str, object], where: str) -> None:
        self._table = dict(table)
        self.where = where

    def take(self, name: str) -> object:
        if name not in self._table:
            raise TrustError(f"trust file, {self.where}: {name} is missing")
        return self._table.pop(name)

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise TrustError(f"trust file, {self.where}: {name} must be a text")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts; absent is empty, and an empty scope allows nothing."""
        value = self._table.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise TrustError(f"trust file, {self.where}: {name} must be a list of texts")
        return value

    def instant(self, name: str) -> datetime:
        value = self.take(name)
        if isinstance(value, datetime) and value.tzinfo == UTC and not value.microsecond:
            value = canonical.format_instant(value)
        if isinstance(value, str):
            return canonical.parse_instant(value, f"{self.where}: {name}")
        raise TrustError(f"trust file, {self.where}: {name} must be like 2026-01-31T00:00:00Z")

    def version(self, name: str) -> int:
        value = self._table.pop(name, 1)
        # No set has a version past the bound, and Python prints no number of thousands of digits.
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_VERSION:
            raise TrustError(
                f"trust file, {self.where}: {name} must be a number from 1 to {MAX_VERSION}"
            )
        return value

    def end(self) -> None:
        if self._table:
            raise TrustError(f"trust file, {self.where}: unknown key {min(self._table)!a}")


def _read_signer(each: _Entry) -> Signer:
    key = check_public_key(canonical.decode_base64(each.text("key"), limit=32, where="key"))
    signer = Signer(
        name_zh=check_shown(each.text("name_zh"), where=f"{each.where}: name_zh"),
        name_en=check_shown(each.text("name_en"), where=f"{each.where}: name_en"),
        key=key,
        keyid=key_id(key),
        valid_from=each.instant("valid_from"),
        valid_until=each.instant("valid_until"),
    )
    if not signer.valid_from < signer.valid_until:
        raise TrustError(f"trust file, {each.where}: valid for no time")
    return signer


def _read_custodian(each: _Entry) -> TrustedCustodian:
    signer = _read_signer(each)
    schemas = [check_digest(text, where=f"{each.where}: schemas") for text in each.texts("schemas")]
    assets = each.texts("assets")
    for pattern in assets:
        if _PATTERN.fullmatch(pattern) is None:
            raise TrustError(
                f"trust file, {each.where}: {pattern[:140]!a} is neither an asset id nor the "
                "beginning of one with * at its end"
            )
    each.end()
    return TrustedCustodian(
        signer.name_zh,
        signer.name_en,
        signer.key,
        signer.keyid,
        signer.valid_from,
        signer.valid_until,
        schemas=frozenset(schemas),
        assets=tuple(assets),
    )


def _read_authority(each: _Entry) -> TrustedAuthority:
    signer = _read_signer(each)
    each.end()
    return TrustedAuthority(
        signer.name_zh,
        signer.name_en,
        signer.key,
        signer.keyid,
        signer.valid_from,
        signer.valid_until,
    )


def _read_set(each: _Entry) -> TrustedSet:
    found = TrustedSet(
        name=check_name(each.text("name"), where=f"{each.where}: name"),
        authority=check_digest(each.text("authority"), where=f"{each.where}: authority"),
        least_version=each.version("least_version"),
    )
    each.end()
    return found
