"""The pinned site files of both sides, and every look-up in them.

A folder holds `cn.json`, `hk.json` and the fingerprints that they must be signed under
(`pins.toml`). A running process takes later files up as they appear. It refuses a file of another
key, a lower number, another file of the same number, and two sides that share a key. A principal
that its site no longer lists is nobody, from the next look-up on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from proofs import canonical
from proofs.envelope import Envelope
from proofs.errors import CrossproofError
from proofs.principal import Principal
from vault.config import Quorum
from vault.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    VaultError,
)
from vault.files import read_public
from vault.site_file import (
    MAX_SITE,
    RECEIVING_ROLES,
    PrincipalRecord,
    Site,
    ca_public_key,
    check_successor,
    make_site,
    read_fingerprint,
    show_fingerprint,
)
from vault.toml_table import quoted, read_toml

__all__ = [
    "RECEIVING_ROLES",
    "PrincipalRecord",
    "Site",
    "SiteSet",
    "check_successor",
    "make_site",
    "read_fingerprint",
    "read_pins",
    "show_fingerprint",
    "write_pins",
]

PINS: Final = "pins.toml"
SIDES: Final = ("cn", "hk")

Stamp = tuple[tuple[int, int, int] | None, ...]

log = logging.getLogger(__name__)


class SiteSet:
    """Both pinned site files of one folder, or one of them before the sides have joined.

    `refresh` takes later files up without a restart; when it finds a file that it must refuse, it
    keeps the one at hand and says so in the log. Every lookup is of the files last taken up.
    """

    def __init__(self, folder: Path, sites: Mapping[str, Site], stamp: Stamp):
        """Use `load`; this takes sites that were verified already."""
        self.folder = folder
        self._sites = dict(sites)
        self._paths = _paths(folder)
        self._stamp = stamp
        self._check()
        records = [r for site in self._sites.values() for r in site.principals.values()]
        self._records = {record.uri: record for record in records}
        self._keys = {record.key_id: record for record in records}

    @classmethod
    def load(cls, folder: Path) -> SiteSet:
        """Read `folder`/{cn,hk}.json under `folder`/pins.toml; refuses what `Site.parse` does."""
        # Looked at before reading: a file replaced in between is then read again, not missed.
        stamp = _stamp(_paths(folder))
        return cls(folder, _read_folder(folder), stamp)

    def refresh(self) -> None:
        """Take up later files. Costs three looks at the file system when nothing changed."""
        stamp = _stamp(self._paths)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            found = _read_folder(self.folder)
            for side, old in self._sites.items():
                if side not in found:
                    raise NotFoundError(f"{self.folder}: the site file of {side} is gone")
                if found[side].site_key != old.site_key:
                    raise ConflictError(f"{self.folder}: the site key of {side} changed")
                check_successor(old, found[side])
            later = SiteSet(self.folder, found, stamp)
        except (CrossproofError, VaultError, OSError) as error:
            log.error("kept the site files at hand: %s", error)
            return
        self._sites, self._records, self._keys = later._sites, later._records, later._keys

    def with_site(self, site: Site) -> SiteSet:
        """The set with one side's file added or replaced; refuses two sides that share a key."""
        return SiteSet(self.folder, {**self._sites, site.jurisdiction: site}, self._stamp)

    def has(self, side: str) -> bool:
        """Whether the file of `cn` or `hk` is pinned here."""
        return side in self._sites

    def site(self, side: str) -> Site:
        """The file of one side; NotFoundError before it joined."""
        try:
            return self._sites[side]
        except KeyError:
            raise NotFoundError(
                f"the {side} side is not joined here; take its site.json with "
                f"`crossvault site add`",
                reason="SITE_NOT_JOINED",
            ) from None

    def ca(self, side: str) -> x509.Certificate:
        """The CA that alone vouches for this side's principals."""
        return self.site(side).ca

    def quorum(self, side: str) -> Quorum:
        """How many of a side's holders open a key."""
        return self.site(side).quorum

    def principal(self, uri: str | Principal) -> PrincipalRecord:
        """The record of a listed principal, whether in validity or not; NotFoundError."""
        text = uri if isinstance(uri, str) else uri.uri
        try:
            return self._records[text]
        except KeyError:
            raise NotFoundError(
                f"{text[:400]}: not listed by its site", reason="NOT_LISTED"
            ) from None

    def by_key(self, key_id: str) -> PrincipalRecord:
        """The record whose signing key has this fingerprint; NotFoundError."""
        try:
            return self._keys[key_id]
        except KeyError:
            raise NotFoundError(
                f"no listed principal has the signing key {key_id[:64]}", reason="NOT_LISTED"
            ) from None

    def require_valid(self, uri: str | Principal, now: datetime) -> PrincipalRecord:
        """The record of a principal that is listed and within its validity.

        Raises NotFoundError when it is not listed, NotAllowedError outside its validity.
        """
        record = self.principal(uri)
        if not record.valid_at(now):
            raise NotAllowedError(
                f"{record.uri}: its listing is valid from "
                f"{canonical.format_instant(record.valid_from)} to "
                f"{canonical.format_instant(record.valid_until)} only",
                reason="NOT_VALID",
            )
        return record

    def by_role(self, side: str, role: str) -> tuple[PrincipalRecord, ...]:
        """A side's principals of one role, by URI."""
        return self.site(side).by_role(role)

    def holders(self, side: str) -> tuple[PrincipalRecord, ...]:
        """A side's key holders, by URI."""
        return self.by_role(side, "holder")

    def _check(self) -> None:
        sites = list(self._sites.values())
        if len({site.trust_domain for site in sites}) > 1:
            raise InvalidInputError("the two sites name different trust domains")
        # One key for both would let one side speak as the other.
        keys = [site.site_key for site in sites]
        keys += [r.signing_key for site in sites for r in site.principals.values()]
        cas = [ca_public_key(site.ca) for site in sites]
        if len(set(keys)) != len(keys) or len(set(cas)) != len(cas):
            raise InvalidInputError("the two sites share a key; each must have its own")


# --- the folder ---------------------------------------------------------------------------------


def read_pins(folder: Path) -> dict[str, str]:
    """The pinned fingerprint of each side, from `folder`/pins.toml."""
    path = folder / PINS
    table = read_toml(read_public(path), where=str(path))
    if not table or not set(table) <= set(SIDES):
        raise InvalidInputError(f"{path}: must pin cn, hk or both, and nothing else")
    return {side: read_fingerprint(str(value)) for side, value in table.items()}


def pinned_fingerprint(folder: Path, data: bytes) -> str | None:
    """The fingerprint that a folder pinned for the side whose file `data` is; None without."""
    pins = read_pins(folder) if (folder / PINS).exists() else {}
    keyid = Envelope.parse(data, limit=MAX_SITE).keyid
    return keyid if keyid in pins.values() else None


def write_pins(pins: Mapping[str, str]) -> bytes:
    """The text of a pins.toml."""
    lines = ["# Fingerprints of the sites' keys, compared by people over another channel."]
    lines += [f"{side} = {quoted(show_fingerprint(pins[side]))}" for side in SIDES if side in pins]
    return ("\n".join(lines) + "\n").encode()


def _read_folder(folder: Path) -> dict[str, Site]:
    found = {}
    for side, fingerprint in read_pins(folder).items():
        site = Site.parse(
            read_public(folder / f"{side}.json", limit=MAX_SITE), fingerprint=fingerprint
        )
        if site.jurisdiction != side:
            raise InvalidInputError(f"{folder}/{side}.json: is the file of {site.jurisdiction}")
        found[side] = site
    return found


def _stamp(paths: tuple[str, ...]) -> Stamp:
    """Changes whenever a file was replaced: replacing makes a new inode, even within a tick."""
    found: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            state = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((state.st_mtime_ns, state.st_ino, state.st_size))
    return tuple(found)


def _paths(folder: Path) -> tuple[str, ...]:
    return tuple(str(folder / name) for name in ("cn.json", "hk.json", PINS))
