"""Certificates: one CA a site, one leaf a principal, and what a leaf may say.

A leaf names its principal by exactly one URI; a server's leaf (vault, holder) has one DNS name
besides, and that is all: with `localhost` or an address in it, any holder could pose as the
vault. A leaf is believed only when the CA of the URI's own jurisdiction signed it directly, so
the other side's CA can write any URI that it likes and gains nothing. The CA signs no other CA,
and its name constraints keep it to the server names of its own side. No revocation lists: a
principal that is no longer in its site's list is refused, and a leaf older than the listing too.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proofs.errors import CrossproofError
from proofs.principal import Principal
from vault.errors import InvalidInputError

SERVER_ROLES: Final = frozenset({"vault", "holder"})
"""Roles whose certificates name a server."""

SKEW: Final = timedelta(minutes=5)
"""How far a certificate's start is put back, for machines whose clocks are behind."""

MAX_CERTIFICATE: Final = 8 << 10

_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for certificates of others; the last five are no ValueError."""

_NO_USE: Final = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one certificate says of itself, well-formed; who signed it is not judged here."""

    principal: Principal
    not_before: datetime
    not_after: datetime
    certificate: x509.Certificate

    def valid_at(self, now: datetime) -> bool:
        """Whether `now` lies within its validity, both ends included."""
        return self.not_before <= now <= self.not_after


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key, for a CA or for TLS."""
    return ec.generate_private_key(ec.SECP256R1())


def encode_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8 in PEM, unencrypted: it belongs in a private file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def decode_key(data: bytes, *, where: str) -> ec.EllipticCurvePrivateKey:
    """Read `encode_key`'s bytes; InvalidInputError for any other kind of key."""
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{where}: not a private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidInputError(f"{where}: must be a P-256 key")
    return key


def issue_ca(
    key: ec.EllipticCurvePrivateKey,
    *,
    trust_domain: str,
    jurisdiction: str,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """The self-signed certificate of one site's CA."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"crossvault {jurisdiction} CA"),
        ]
    )
    nowhere = [x509.IPAddress(ipaddress.ip_network(net)) for net in ("0.0.0.0/0", "::/0")]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(**{**_NO_USE, "key_cert_sign": True}),
            critical=True,
        )
        .add_extension(
            # Defence in depth, in the TLS library itself: this CA cannot name a server of the
            # other side. (A URI constraint could only say the trust domain, which both share.)
            x509.NameConstraints(
                permitted_subtrees=[x509.DNSName(f"{jurisdiction}.{trust_domain}")],
                excluded_subtrees=nowhere,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def issue_leaf(
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    principal: Principal,
    public_key: ec.EllipticCurvePublicKey,
    *,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """A principal's certificate. Its life is the caller's choice; short is better."""
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(principal.uri)]
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if principal.role in SERVER_ROLES:
        names.append(x509.DNSName(principal.server_name))
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
    return (
        x509.CertificateBuilder()
        # The common name has no dot, so that no TLS library can take it for a server's name.
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, principal.name)]))
        .issuer_name(ca.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(**{**_NO_USE, "digital_signature": True}),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage(usages), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )


def encode_certificate(certificate: x509.Certificate) -> bytes:
    """PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def read_certificate(data: bytes, *, where: str) -> x509.Certificate:
    """Exactly one certificate in PEM, spelled as `encode_certificate` spells it.

    Raises InvalidInputError for anything before, between or after: what one reader skips,
    another may read.
    """
    if len(data) > MAX_CERTIFICATE:
        raise InvalidInputError(f"{where}: a certificate over {MAX_CERTIFICATE} bytes")
    try:
        certificate = x509.load_pem_x509_certificate(data)
        spelled = encode_certificate(certificate)
    except _UNREADABLE as error:
        raise InvalidInputError(f"{where}: not a certificate in PEM") from error
    if spelled.strip() != data.strip():
        raise InvalidInputError(f"{where}: more than one certificate, or other text around it")
    return certificate


def check_ca(certificate: x509.Certificate, *, where: str) -> x509.Certificate:
    """The same certificate, if it is a self-signed P-256 CA that can sign leaves only."""
    try:
        extensions = certificate.extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(certificate)
        key = certificate.public_key()
    except _UNREADABLE as error:
        raise InvalidInputError(f"{where}: not the certificate of a CA") from error
    except InvalidSignature as error:
        raise InvalidInputError(f"{where}: the CA did not sign its own certificate") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidInputError(f"{where}: the CA must have a P-256 key")
    if not constraints.ca or constraints.path_length != 0 or not usage.key_cert_sign:
        # A CA under this CA would vouch for principals that nobody enrolled.
        raise InvalidInputError(f"{where}: the CA must be able to sign leaves, and no other CA")
    return certificate


def read_leaf(data: bytes, *, where: str = "certificate") -> Leaf:
    """Read a principal's certificate: who it says it is, and from when to when.

    Raises InvalidInputError (BAD_CERTIFICATE) unless its names are exactly one URI of a
    principal, and for a server its one DNS name; another name would open another door.
    """
    certificate = read_certificate(data, where=where)
    try:
        extensions = certificate.extensions
        names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        usages = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except _UNREADABLE as error:
        raise _bad(f"{where}: lacks a name or a usage, or has one that cannot be read") from error
    uris = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    if len(uris) != 1:
        raise _bad(f"{where}: {len(uris)} URIs, must be exactly one")
    try:
        principal = Principal.parse(uris[0])
    except CrossproofError as error:
        raise _bad(f"{where}: {error}") from None
    others = [name for name in names if not isinstance(name, x509.UniformResourceIdentifier)]
    server = principal.role in SERVER_ROLES
    expected = [x509.DNSName(principal.server_name)] if server else []
    if others != expected:
        raise _bad(f"{where}: names besides its URI that a {principal.role} must not have")
    wanted = {ExtendedKeyUsageOID.CLIENT_AUTH}
    if server:
        wanted.add(ExtendedKeyUsageOID.SERVER_AUTH)
    if usages != wanted or constraints.ca:
        raise _bad(f"{where}: usages that a {principal.role} must not have")
    return Leaf(
        principal=principal,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        certificate=certificate,
    )


def check_issued(leaf: Leaf, ca: x509.Certificate) -> None:
    """InvalidInputError (WRONG_CA) unless this CA itself signed the leaf."""
    try:
        leaf.certificate.verify_directly_issued_by(ca)
    except (*_UNREADABLE, InvalidSignature) as error:
        raise InvalidInputError(
            f"{leaf.principal}: the CA of {leaf.principal.jurisdiction} did not sign this "
            f"certificate",
            reason="WRONG_CA",
        ) from error


def now_utc() -> datetime:
    """The system's clock, to the second, as certificates tell time."""
    return datetime.now(UTC).replace(microsecond=0)


def _bad(message: str) -> InvalidInputError:
    return InvalidInputError(message, reason="BAD_CERTIFICATE")
