"""One command's business with the vault: who I am, whom I pinned, and an open channel.

The vault is the one that the pinned mainland site file lists; a command never names an address.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from vault.client.channel import connect, reporting
from vault.errors import NotFoundError
from vault.identity import Identity
from vault.sites import PrincipalRecord, SiteSet


@dataclass(frozen=True, slots=True)
class Session:
    """An identity, its pinned sites, and a channel to the vault."""

    identity: Identity
    sites: SiteSet
    channel: grpc.Channel


def the_vault(sites: SiteSet) -> PrincipalRecord:
    """The one vault of the mainland site; NotFoundError when none or several are listed."""
    listed = sites.by_role("cn", "vault")
    if len(listed) != 1:
        raise NotFoundError(f"the mainland site lists {len(listed)} vaults, not one")
    return listed[0]


@contextmanager
def at_vault(folder: Path, *services: ServiceDescriptor) -> Iterator[Session]:
    """Load an identity folder and talk to the vault; its refusals come as VaultError."""
    identity = Identity.load(folder)
    sites = identity.sites()
    record = the_vault(sites)
    with connect(identity, sites, record.uri, services=services) as channel, reporting(record):
        yield Session(identity, sites, channel)
