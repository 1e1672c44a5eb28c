"""Mutual TLS, and who a caller is: judged anew at every call, on open connections too.

The TLS library checks once, at the handshake, that either side's CA signed the certificate. The
rest is decided here, each time: the CA of the URI's own jurisdiction signed it (the other side's
CA may write any name), it has not expired since, its principal is listed and valid in the site
file now at hand, and it is not older than that listing (a name that was removed and enrolled
again does not bring the old certificate back). Reading a certificate is remembered by its exact
bytes; none of the judgements is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import grpc
from cryptography import x509

from proofs.principal import Principal
from vault import pki
from vault.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from vault.identity import Identity
from vault.sites import SIDES, PrincipalRecord, SiteSet

MAX_REMEMBERED: Final = 4096

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call: a principal whose certificate and listing hold at this moment."""

    record: PrincipalRecord

    @property
    def principal(self) -> Principal:
        """The principal. Compare it whole: a name alone says nothing."""
        return self.record.principal

    @property
    def uri(self) -> str:
        """The principal's URI."""
        return self.record.principal.uri


@dataclass(frozen=True, slots=True)
class _Known:
    leaf: pki.Leaf
    ca: x509.Certificate


class Authenticator:
    """Turns the certificate of a connection into the caller of one call, or refuses."""

    def __init__(self, sites: SiteSet, clock: Clock):
        self._sites = sites
        self._clock = clock
        self._known: dict[bytes, _Known] = {}

    def caller(self, certificate_pem: bytes | None) -> Caller:
        """Who presents this certificate (PEM, as the TLS library hands it over), now.

        Raises UnauthenticatedError with the reason: NO_CERTIFICATE, BAD_CERTIFICATE, WRONG_CA,
        EXPIRED, NOT_LISTED, SITE_NOT_JOINED.
        """
        if certificate_pem is None:
            raise UnauthenticatedError("no client certificate", reason="NO_CERTIFICATE")
        self._sites.refresh()
        now = self._clock()
        known = self._known.get(certificate_pem)
        try:
            if known is None or self._sites.ca(known.leaf.principal.jurisdiction) != known.ca:
                known = self._read(certificate_pem)
            leaf = known.leaf
            if not (leaf.valid_at(now) and _valid_at(known.ca, now)):
                raise UnauthenticatedError(
                    f"{leaf.principal}: the certificate is not valid now; renew it with "
                    f"`crossvault identity renew`",
                    reason="EXPIRED",
                )
            record = self._sites.principal(leaf.principal)
        except (InvalidInputError, NotFoundError) as error:
            raise UnauthenticatedError(str(error), reason=error.reason) from None
        if not record.valid_at(now) or leaf.not_before < record.valid_from:
            raise UnauthenticatedError(
                f"{leaf.principal}: its site does not list this certificate's time",
                reason="NOT_LISTED",
            )
        return Caller(record)

    def _read(self, certificate_pem: bytes) -> _Known:
        leaf = pki.read_leaf(certificate_pem)
        ca = self._sites.ca(leaf.principal.jurisdiction)
        pki.check_issued(leaf, ca)
        if len(self._known) >= MAX_REMEMBERED:
            # A side can make any number of certificates; what is remembered stays bounded.
            self._known.clear()
        known = _Known(leaf=leaf, ca=ca)
        self._known[certificate_pem] = known
        return known


def server_credentials(identity: Identity, sites: SiteSet) -> grpc.ServerCredentials:
    """Credentials that demand a client certificate of either joined side's CA.

    They are read again at every handshake, so that a renewed certificate and a side that
    joined later need no restart.
    """

    def current() -> grpc.ServerCertificateConfiguration:
        fresh = identity.renewed()
        sites.refresh()
        roots = b"".join(pki.encode_certificate(sites.ca(s)) for s in SIDES if sites.has(s))
        return grpc.ssl_server_certificate_configuration(
            [(fresh.tls_key_pem, fresh.certificate_pem)], root_certificates=roots
        )

    return grpc.dynamic_ssl_server_credentials(
        current(), lambda: current(), require_client_authentication=True
    )


def _valid_at(ca: x509.Certificate, now: datetime) -> bool:
    return ca.not_valid_before_utc <= now <= ca.not_valid_after_utc
