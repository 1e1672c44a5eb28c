"""Which site files a folder holds, and under which fingerprints (`pins.toml`).

A fingerprint is pinned once and for good: whoever could exchange a site's key could exchange
every principal. `join` refuses another key, a lower number and another file of a known number.
It never pins a key that nobody compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vault.errors import ConflictError
from vault.files import write_public
from vault.site_file import Site, check_successor
from vault.sites import PINS, SiteSet, read_pins, write_pins


def join(sites: Path, data: bytes, fingerprint: str) -> Site:
    """Pin a side's file in the folder `sites` of a site or an identity.

    Raises SignatureError for another key than the given fingerprint's, ConflictError when
    another fingerprint is pinned, for a lower number, or another file of the same number.
    """
    site = Site.parse(data, fingerprint=fingerprint)
    pins = read_pins(sites) if (sites / PINS).exists() else {}
    pinned = pins.get(site.jurisdiction)
    if pinned is not None and pinned != fingerprint:
        # A site's key is for good. Whoever replaces it could replace every principal.
        raise ConflictError(
            f"another key of the {site.jurisdiction} side is pinned here; a site that changed its "
            f"key is a new site",
            reason="SITE_KEY",
        )
    if pins:
        both = SiteSet.load(sites)
        if both.has(site.jurisdiction):
            check_successor(both.site(site.jurisdiction), site)
        both.with_site(site)
    pin(sites, {site.jurisdiction: site})
    return site


def pin(sites: Path, found: Mapping[str, Site]) -> None:
    """Write verified site files and their pins into a folder: the files first, then the pins."""
    sites.mkdir(mode=0o700, exist_ok=True)
    pins = read_pins(sites) if (sites / PINS).exists() else {}
    for side, site in found.items():
        write_public(sites / f"{side}.json", site.encoded)
    wanted = pins | {side: site.fingerprint for side, site in found.items()}
    if wanted != pins:
        write_public(sites / PINS, write_pins(wanted))
