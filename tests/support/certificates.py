"""Certificates that no honest site would issue, made with a CA's real key."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vault import pki


@dataclass(frozen=True, slots=True)
class Rogue:
    """A key and a certificate: a CA's, or a leaf's."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return pki.encode_certificate(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM."""
        return pki.encode_key(self.key)


def names(
    *uris: str, dns: Sequence[str] = (), ip: str | None = None, email: str | None = None
) -> list[x509.GeneralName]:
    """Subject alternative names of any kind."""
    found: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
    found += [x509.DNSName(name) for name in dns]
    if ip is not None:
        found.append(x509.IPAddress(ipaddress.ip_address(ip)))
    if email is not None:
        found.append(x509.RFC822Name(email))
    return found


def rogue_leaf(
    ca: Rogue,
    san: Sequence[x509.GeneralName],
    *,
    usages: Sequence[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.CLIENT_AUTH,),
    is_ca: bool = False,
    not_before: datetime | None = None,
    life: timedelta = timedelta(hours=1),
) -> Rogue:
    """A certificate with these names, signed by `ca`, which need not be a CA at all.

    For a server's names the default usages are both, as its real certificate has.
    """
    if usages == (ExtendedKeyUsageOID.CLIENT_AUTH,) and any(
        isinstance(name, x509.DNSName) for name in san
    ):
        usages = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
    key = pki.new_key()
    start = not_before if not_before is not None else pki.now_utc()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]))
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(
            x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True
        )
    )
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=True)
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    return Rogue(key, builder.sign(ca.key, hashes.SHA256()))
