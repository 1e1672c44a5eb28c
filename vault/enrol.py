"""What one side's administrator does: make the site, enrol its principals, join the other side.

Everything happens in one folder with the site's private keys, one step at a time. Each change of
principals makes a new `site.json` with the next number, and every identity in the folder gets it.
It refuses to enrol a name twice, more holders than the quorum counts, to read a private key that
others can read, and to take another side's file without the fingerprint that a person compared.
Keys of the other side never come here: only its public file does.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import envelope
from proofs.principal import Principal
from vault import pki
from vault.config import (
    DEFAULT_PORTS,
    FILE_NAME,
    BlocksConfig,
    Quorum,
    SiteConfig,
    serves_section,
    write_config,
)
from vault.crypto.keys import HpkeKey
from vault.errors import ConflictError, InvalidInputError, NotFoundError
from vault.files import (
    create_private_folder,
    read_private,
    read_public,
    write_private,
    write_public,
)
from vault.identity import (
    CERTIFICATE,
    SITES,
    TLS_KEY,
    encode_signing_key,
    read_signing_key,
    write_identity,
)
from vault.pinning import join, pin
from vault.site_file import (
    MAX_SITE,
    RECEIVING_ROLES,
    PrincipalRecord,
    Site,
    check_address,
    make_site,
)
from vault.sites import SiteSet, read_pins

DEFAULT_LIFE: Final = timedelta(days=365)
CA_LIFE: Final = timedelta(days=3650)
PUBLIC_FILE: Final = "site.json"
_SITE_KEY: Final = "private/site-key.pem"
_CA_KEY: Final = "private/ca-key.pem"
_CA: Final = "ca.pem"


def create_site(
    folder: Path,
    *,
    trust_domain: str,
    jurisdiction: str,
    quorum: Quorum,
    now: datetime,
    host: str = "127.0.0.1",
    port_base: int | None = None,
    vault_name: str = "main",
    life: timedelta = DEFAULT_LIFE,
) -> Site:
    """Make one side in `folder`: keys, CA, the vault (mainland) and holders h1…hn.

    The vault listens on `port_base` and the holders on the ports after it. ConflictError when a
    site is there already.
    """
    if (folder / FILE_NAME).exists() or (folder / "private").exists():
        raise ConflictError(f"{folder}: there is a site already")
    vault = (
        Principal(trust_domain, jurisdiction, "vault", vault_name) if jurisdiction == "cn" else None
    )
    config = SiteConfig(
        folder=folder,
        trust_domain=trust_domain,
        jurisdiction=jurisdiction,
        host=host,
        port_base=port_base if port_base is not None else DEFAULT_PORTS[jurisdiction],
        quorum=quorum,
        blocks=BlocksConfig(),
        vault=vault,
    )
    # Refused before anything is written: a folder half made would be in the way of the next try.
    Principal(trust_domain, jurisdiction, "holder", "h1")
    check_address(f"{host}:{config.port_base + quorum.holders}")
    for name in ("private", "identities", SITES):
        create_private_folder(folder / name)
    site_key, ca_key = Ed25519PrivateKey.generate(), pki.new_key()
    ca = pki.issue_ca(
        ca_key,
        trust_domain=trust_domain,
        jurisdiction=jurisdiction,
        not_before=now - pki.SKEW,
        not_after=now + CA_LIFE,
    )
    write_private(folder / _SITE_KEY, encode_signing_key(site_key))
    write_private(folder / _CA_KEY, pki.encode_key(ca_key))
    write_public(folder / _CA, pki.encode_certificate(ca))
    principals = [vault] if vault is not None else []
    principals += [
        Principal(trust_domain, jurisdiction, "holder", f"h{i}")
        for i in range(1, quorum.holders + 1)
    ]
    site = SiteFolder(folder, config)
    records = []
    for offset, principal in enumerate(principals):
        # Hong Kong's first port stays free, so that h1 is at base + 1 on both sides.
        port = config.port_base + offset + (0 if vault is not None else 1)
        records.append(
            site._make_identity(principal, now, life, address=f"{host}:{port}", person=None)
        )
    data = make_site(
        trust_domain=trust_domain,
        jurisdiction=jurisdiction,
        number=1,
        issued=now,
        site_key=site_key,
        ca=ca,
        quorum=quorum,
        principals=records,
    )
    site._publish(data)
    write_public(folder / FILE_NAME, write_config(config))  # last: now there is a site
    return site.current()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One principal to enrol, by role and name."""

    role: str
    name: str
    address: str | None = None
    person: str | None = None


class SiteFolder:
    """One side's folder, with the private keys of its site."""

    def __init__(self, folder: Path, config: SiteConfig | None = None):
        """Open a folder that `create_site` made; NotFoundError when there is none."""
        self.folder = folder
        self.config = config if config is not None else SiteConfig.load(folder)

    def current(self) -> Site:
        """This side's own file, as last published."""
        fingerprint = read_pins(self.folder / SITES)[self.config.jurisdiction]
        return Site.parse(
            read_public(self.folder / PUBLIC_FILE, limit=MAX_SITE), fingerprint=fingerprint
        )

    def sites(self) -> SiteSet:
        """This side's file and, once joined, the other's."""
        return SiteSet.load(self.folder / SITES)

    def principal(self, role: str, name: str) -> Principal:
        """A principal of this side; EncodingError for a role that it does not have."""
        return Principal(self.config.trust_domain, self.config.jurisdiction, role, name)

    def issue(
        self,
        role: str,
        name: str,
        *,
        now: datetime,
        life: timedelta = DEFAULT_LIFE,
        address: str | None = None,
        person: str | None = None,
    ) -> Path:
        """Enrol one principal; returns its folder. Officers need a person id.

        A holder or vault without an address gets the next free port of the site's host.
        """
        return self.issue_all([Enrolment(role, name, address, person)], now=now, life=life)[0]

    def issue_all(
        self,
        enrolments: Sequence[Enrolment],
        *,
        now: datetime,
        life: timedelta = DEFAULT_LIFE,
    ) -> list[Path]:
        """Enrol several principals in one step, all or none, with one new number."""
        with self._locked():
            site = self.current()
            records = dict(site.principals)
            for one in enrolments:
                record = self._enrol(one, site, records, now, life)
                records[record.uri] = record
            self._republish(site, records.values(), now)
        return [self.config.identity_folder(one.role, one.name) for one in enrolments]

    def _enrol(
        self,
        one: Enrolment,
        site: Site,
        records: Mapping[str, PrincipalRecord],
        now: datetime,
        life: timedelta,
    ) -> PrincipalRecord:
        principal = self.principal(one.role, one.name)
        if principal.uri in records:
            raise ConflictError(
                f"{principal.uri}: is enrolled; use `crossvault identity renew`, or remove it"
            )
        if one.role == "officer" and one.person is None:
            raise InvalidInputError(
                "an officer needs --person ID: approvals are counted by person, not by key",
                field="person",
            )
        holders = [r for r in records.values() if r.principal.role == "holder"]
        if one.role == "holder" and len(holders) >= site.quorum.holders:
            raise ConflictError(
                f"the quorum counts {site.quorum.holders} holders, and all are enrolled"
            )
        address = one.address
        if one.role in pki.SERVER_ROLES and address is None:
            address = self._free_address(records)
        return self._make_identity(principal, now, life, address=address, person=one.person)

    def renew(
        self, role: str, name: str, *, now: datetime, life: timedelta = DEFAULT_LIFE
    ) -> datetime:
        """A new certificate and TLS key under the same name; returns when it ends.

        Signing and HPKE keys stay: what was signed and sealed before must keep its meaning.
        """
        principal = self.principal(role, name)
        with self._locked():
            site = self.current()
            record = self._listed(site, principal)
            folder = self.config.identity_folder(role, name)
            if not folder.is_dir():
                raise NotFoundError(
                    f"{folder}: is not here; bring the identity's folder back to renew it"
                )
            until = self._until(now, life)
            key, certificate = self._certify(principal, now - pki.SKEW, until)
            write_private(folder / TLS_KEY, key)
            write_public(folder / CERTIFICATE, certificate)
            others = [r for r in site.principals.values() if r.uri != principal.uri]
            self._republish(site, [*others, replace(record, valid_until=until)], now)
        return until

    def remove(self, role: str, name: str, *, now: datetime) -> None:
        """Strike a principal from the site's list: refused from its next call on.

        Its folder is kept under `identities/removed`: a holder's key may still be needed.
        """
        principal = self.principal(role, name)
        with self._locked():
            site = self.current()
            self._listed(site, principal)
            self._republish(
                site, [r for r in site.principals.values() if r.uri != principal.uri], now
            )
            folder = self.config.identity_folder(role, name)
            if folder.exists():
                aside = self.folder / "identities" / "removed"
                aside.mkdir(mode=0o700, exist_ok=True)
                folder.rename(aside / f"{role}-{name}-{site.number + 1}")

    def join(self, data: bytes, fingerprint: str) -> Site:
        """Take the other side's file, or a later number of it; returns what it says."""
        with self._locked():
            if Site.parse(data, fingerprint=fingerprint).jurisdiction == self.config.jurisdiction:
                raise InvalidInputError("this is the file of the side itself, not of the other")
            site = join(self.folder / SITES, data, fingerprint)
            self._adopt_vault(site)
            for folder in self._identity_folders():
                pin(folder / SITES, {site.jurisdiction: site})
        return site

    # --- inside ---------------------------------------------------------------------------------

    def _adopt_vault(self, site: Site) -> None:
        """Write down the vault that the holders serve, if nothing is written and it is plain."""
        vaults = site.by_role("vault")
        if self.config.vault is None and len(vaults) == 1:
            vault = vaults[0].principal
            text = read_public(self.folder / FILE_NAME).decode()
            text = text.rstrip("\n") + "\n\n" + "\n".join(serves_section(vault))
            write_public(self.folder / FILE_NAME, text.encode())
            self.config = replace(self.config, vault=vault)

    def _make_identity(
        self,
        principal: Principal,
        now: datetime,
        life: timedelta,
        *,
        address: str | None,
        person: str | None,
    ) -> PrincipalRecord:
        signing_key = Ed25519PrivateKey.generate()
        hpke_key = HpkeKey.generate() if principal.role in RECEIVING_ROLES else None
        start, until = now - pki.SKEW, self._until(now, life)
        # Made before anything is written: it refuses what the site could not list.
        record = PrincipalRecord(
            principal=principal,
            signing_key=signing_key.public_key().public_bytes_raw(),
            hpke_key=hpke_key.public if hpke_key is not None else None,
            valid_from=start,
            valid_until=until,
            address=address,
            person=person,
        )
        key, certificate = self._certify(principal, start, until)
        folder = self.config.identity_folder(principal.role, principal.name)
        for part in (folder, folder / SITES):
            part.mkdir(parents=True, mode=0o700, exist_ok=True)
        write_identity(
            folder,
            principal,
            certificate_pem=certificate,
            tls_key_pem=key,
            signing_key=signing_key,
            hpke_key=hpke_key,
        )
        return record

    def _until(self, now: datetime, life: timedelta) -> datetime:
        """When something issued now ends: after `life`, and never after the CA itself."""
        ca = pki.read_certificate(read_public(self.folder / _CA), where=_CA)
        return min(now + life, ca.not_valid_after_utc)

    def _certify(
        self, principal: Principal, not_before: datetime, not_after: datetime
    ) -> tuple[bytes, bytes]:
        ca_key = pki.decode_key(read_private(self.folder / _CA_KEY), where=_CA_KEY)
        ca = pki.read_certificate(read_public(self.folder / _CA), where=_CA)
        key = pki.new_key()
        certificate = pki.issue_leaf(
            ca_key, ca, principal, key.public_key(), not_before=not_before, not_after=not_after
        )
        return pki.encode_key(key), pki.encode_certificate(certificate)

    def _republish(self, site: Site, principals: Iterable[PrincipalRecord], now: datetime) -> None:
        data = make_site(
            trust_domain=site.trust_domain,
            jurisdiction=site.jurisdiction,
            number=site.number + 1,
            issued=now,
            site_key=read_signing_key(self.folder / _SITE_KEY),
            ca=site.ca,
            quorum=site.quorum,
            principals=principals,
        )
        self._publish(data)

    def _publish(self, data: bytes) -> None:
        public = read_signing_key(self.folder / _SITE_KEY).public_key().public_bytes_raw()
        site = Site.parse(data, fingerprint=envelope.key_id(public))
        write_public(self.folder / PUBLIC_FILE, data)
        pin(self.folder / SITES, {site.jurisdiction: site})
        both = self.sites()
        known = {side: both.site(side) for side in ("cn", "hk") if both.has(side)}
        for folder in self._identity_folders():
            pin(folder / SITES, known)

    def _identity_folders(self) -> list[Path]:
        found = (self.folder / "identities").glob("*/*/" + SITES)
        return sorted(path.parent for path in found if path.parent.parent.name != "removed")

    def _listed(self, site: Site, principal: Principal) -> PrincipalRecord:
        try:
            return site.principals[principal.uri]
        except KeyError:
            raise NotFoundError(f"{principal.uri}: is not enrolled") from None

    def _free_address(self, records: Mapping[str, PrincipalRecord]) -> str:
        taken = {record.address for record in records.values()}
        for port in range(self.config.port_base, min(self.config.port_base + 500, 65_536)):
            if (address := f"{self.config.host}:{port}") not in taken:
                return address
        raise ConflictError("no free port after the site's first; give an --address")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time: two at once would both make the same next number."""
        descriptor = os.open(self.folder / "private", os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
