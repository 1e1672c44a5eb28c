"""One principal's folder: its certificate and keys, and the site files that it pinned.

The folder is all that a principal needs and can be carried to another machine. It refuses a
private key that others can read, and parts that do not belong together: a certificate of another
principal or key than the folder's. The signing key never serves TLS and the TLS key never signs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import canonical
from proofs.errors import CrossproofError
from proofs.principal import Principal
from vault import pki
from vault.crypto.keys import HpkeKey
from vault.errors import InvalidInputError, NotAllowedError, NotFoundError, VaultError
from vault.files import read_private, read_public, write_private, write_public
from vault.site_file import RECEIVING_ROLES
from vault.sites import SiteSet
from vault.toml_table import Table, quoted, read_toml

FORMAT: Final = "crossvault/identity/v1"
SETTINGS: Final = "identity.toml"
CERTIFICATE: Final = "tls.pem"
TLS_KEY: Final = "tls-key.pem"
SIGNING_KEY: Final = "signing-key.pem"
HPKE_SEED: Final = "hpke-seed.bin"
SITES: Final = "sites"


@dataclass(frozen=True, slots=True)
class Identity:
    """One principal with its keys. `hpke_key` is None for roles that receive no secrets."""

    principal: Principal
    folder: Path
    certificate_pem: bytes
    tls_key_pem: bytes = field(repr=False)
    signing_key: Ed25519PrivateKey = field(repr=False)
    hpke_key: HpkeKey | None = field(repr=False)
    expires: datetime

    @classmethod
    def load(cls, folder: Path) -> Identity:
        """Read the folder; NotFoundError or InvalidInputError names the file that is wrong."""
        where = folder / SETTINGS
        try:
            table = Table(read_toml(read_public(where), where=str(where)), where=str(where))
        except NotFoundError:
            raise NotFoundError(
                f"{folder}: no identity there; `crossvault identity issue` makes one, and --as "
                f"or CROSSVAULT_IDENTITY names its folder"
            ) from None
        if table.text("format") != FORMAT:
            raise InvalidInputError(f"{where}: format must be {FORMAT}")
        try:
            principal = Principal.parse(table.text("uri"))
        except CrossproofError as error:
            raise InvalidInputError(f"{where}: {error}") from None
        table.end()
        certificate = read_public(folder / CERTIFICATE)
        tls_key = read_private(folder / TLS_KEY)
        leaf = pki.read_leaf(certificate, where=str(folder / CERTIFICATE))
        if leaf.principal != principal:
            raise InvalidInputError(
                f"{folder / CERTIFICATE}: is the certificate of {leaf.principal}"
            )
        key = pki.decode_key(tls_key, where=str(folder / TLS_KEY))
        if key.public_key() != leaf.certificate.public_key():
            raise InvalidInputError(f"{folder / TLS_KEY}: is not the key of {CERTIFICATE}")
        receives = principal.role in RECEIVING_ROLES
        return cls(
            principal=principal,
            folder=folder,
            certificate_pem=certificate,
            tls_key_pem=tls_key,
            signing_key=read_signing_key(folder / SIGNING_KEY),
            hpke_key=HpkeKey(read_private(folder / HPKE_SEED)) if receives else None,
            expires=leaf.not_after,
        )

    @property
    def uri(self) -> str:
        """The principal's URI."""
        return self.principal.uri

    def sites(self) -> SiteSet:
        """The site files that this folder pinned."""
        return SiteSet.load(self.folder / SITES)

    def renewed(self) -> Identity:
        """This identity as its folder is now: itself, unless the certificate was renewed.

        For processes that outlive their certificate. While a renewal is half written, the parts
        do not fit together and the identity at hand is kept.
        """
        try:
            if read_public(self.folder / CERTIFICATE) == self.certificate_pem:
                return self
            found = Identity.load(self.folder)
        except (VaultError, CrossproofError, OSError):
            return self
        return found if found.principal == self.principal else self

    def require_hpke_key(self) -> HpkeKey:
        """The key that opens what was sealed to this principal; NotAllowedError without one."""
        if self.hpke_key is None:
            raise NotAllowedError(f"{self.uri}: nothing is sealed to {self.principal.role}s")
        return self.hpke_key

    def require_unexpired(self, now: datetime) -> None:
        """NotAllowedError (EXPIRED) when every server would refuse this certificate."""
        if now > self.expires:
            raise NotAllowedError(
                f"{self.uri}: the certificate expired at "
                f"{canonical.format_instant(self.expires)}; its site renews it with "
                f"`crossvault identity renew`",
                reason="EXPIRED",
            )


def write_identity(
    folder: Path,
    principal: Principal,
    *,
    certificate_pem: bytes,
    tls_key_pem: bytes,
    signing_key: Ed25519PrivateKey,
    hpke_key: HpkeKey | None,
) -> None:
    """Write the folder's files, private ones with mode 0600; `identity.toml` comes last."""
    write_private(folder / TLS_KEY, tls_key_pem)
    write_private(folder / SIGNING_KEY, encode_signing_key(signing_key))
    if hpke_key is not None:
        write_private(folder / HPKE_SEED, hpke_key.seed)
    write_public(folder / CERTIFICATE, certificate_pem)
    lines = [f"format = {quoted(FORMAT)}", f"uri = {quoted(principal.uri)}", ""]
    write_public(folder / SETTINGS, "\n".join(lines).encode())


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 key from a private file in PEM; InvalidInputError for any other."""
    try:
        key = serialization.load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{path}: not a private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInputError(f"{path}: must be an Ed25519 key")
    return key


def encode_signing_key(key: Ed25519PrivateKey) -> bytes:
    """PKCS #8 in PEM, unencrypted: it belongs in a private file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
