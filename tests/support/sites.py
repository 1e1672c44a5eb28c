"""Two real sites in two folders, enrolled and joined, for tests that need principals.

`make_two_sites(tmp_path)` takes a few tens of milliseconds and starts nothing. Each side's folder
is what `crossvault init` makes; `cn` and `hk` are their administrators.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from vault.cli.processes import free_ports
from vault.config import Quorum
from vault.enrol import Enrolment, SiteFolder, create_site
from vault.identity import Identity
from vault.pki import now_utc

TRUST_DOMAIN = "rwa.example"

ENROLLED: tuple[tuple[str, str, str], ...] = (
    ("cn", "custodian", "bank"),
    ("cn", "custodian", "trust"),
    ("cn", "officer", "wang"),
    ("cn", "officer", "chen"),
    ("cn", "authority", "registry"),
    ("cn", "auditor", "audit"),
    ("hk", "spv", "issuer"),
    ("hk", "spv", "other"),
    ("hk", "officer", "lee"),
    ("hk", "officer", "ho"),
    ("hk", "authority", "lists"),
    ("hk", "auditor", "audit"),
)
"""(side, role, name) of everyone besides the vault `main` and the holders h1…hn."""


@dataclass(frozen=True, slots=True)
class TwoSites:
    """Both sides' folders. A test that plays one side touches that side's only."""

    cn: SiteFolder
    hk: SiteFolder

    def side(self, side: str) -> SiteFolder:
        """The folder of `cn` or `hk`."""
        return self.cn if side == "cn" else self.hk

    def folder(self, side: str, role: str, name: str) -> Path:
        """The identity folder of one principal."""
        return self.side(side).config.identity_folder(role, name)

    def identity(self, side: str, role: str, name: str) -> Identity:
        """One principal with its keys."""
        return Identity.load(self.folder(side, role, name))

    @property
    def vault(self) -> Identity:
        """The vault `main`."""
        return self.identity("cn", "vault", "main")

    def holders(self, side: str) -> list[Identity]:
        """The holders h1…hn of one side."""
        count = self.side(side).config.quorum.holders
        return [self.identity(side, "holder", f"h{i}") for i in range(1, count + 1)]

    def exchange(self) -> None:
        """Hand each side the other's newest `site.json`, as people would after a change."""
        for mine, theirs in ((self.cn, self.hk), (self.hk, self.cn)):
            site = theirs.current()
            mine.join(site.encoded, site.fingerprint)


def make_two_sites(
    folder: Path,
    *,
    holders: int = 3,
    threshold: int = 2,
    enrolled: Iterable[tuple[str, str, str]] = ENROLLED,
    now: datetime | None = None,
    life: timedelta = timedelta(days=30),
) -> TwoSites:
    """Make `folder`/cn and `folder`/hk with ports that are free now, and join them."""
    moment = now if now is not None else now_utc()
    base = ports_of_this_worker(2 * holders + 3)
    for side, port in (("cn", base), ("hk", base + holders + 1)):
        create_site(
            folder / side,
            trust_domain=TRUST_DOMAIN,
            jurisdiction=side,
            quorum=Quorum(threshold=threshold, holders=holders),
            now=moment,
            port_base=port,
            life=life,
        )
    sites = TwoSites(SiteFolder(folder / "cn"), SiteFolder(folder / "hk"))
    wanted = list(enrolled)
    for side in ("cn", "hk"):
        mine = [
            Enrolment(role, name, person=f"{side}-{name}" if role == "officer" else None)
            for where, role, name in wanted
            if where == side
        ]
        sites.side(side).issue_all(mine, now=moment, life=life)
    sites.exchange()
    return sites


def ports_of_this_worker(count: int) -> int:
    """The first of `count` free ports in a row, in a range that no other worker draws from.

    A port that is free now must still be free for a process that a test kills and starts again.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = 22_000 // workers
    first = 10_000 + worker * size
    return free_ports(count, first=first, last=first + size)
