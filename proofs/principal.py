"""Who somebody is: the one URI in a certificate, `spiffe://<trust domain>/<cn|hk>/<role>/<name>`.

It refuses every second spelling (upper case, escapes, empty parts, a trailing slash), roles that
a jurisdiction does not have, and names too long for the server name derived from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofs.errors import EncodingError

ROLES: dict[str, frozenset[str]] = {
    "cn": frozenset({"custodian", "vault", "holder", "officer", "authority", "auditor"}),
    "hk": frozenset({"spv", "holder", "officer", "authority", "auditor"}),
}
"""The roles of each jurisdiction: data and the vault are onshore, issuers are in Hong Kong."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(_LABEL, re.ASCII)
_TRUST_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_SCHEME = "spiffe://"
_MAX_URI = 400  # every valid URI is shorter; bounds the work on a hostile one
_MAX_SERVER_NAME = 253  # DNS


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """One participant. Equality is equality of the whole URI, never of the name alone."""

    trust_domain: str
    jurisdiction: str
    role: str
    name: str

    def __post_init__(self) -> None:
        if self.jurisdiction not in ROLES:
            raise EncodingError("principal: the jurisdiction must be cn or hk")
        if self.role not in ROLES[self.jurisdiction]:
            roles = ", ".join(sorted(ROLES[self.jurisdiction]))
            raise EncodingError(f"principal: the roles of {self.jurisdiction} are {roles}")
        if _NAME.fullmatch(self.name) is None:
            raise EncodingError(
                "principal: a name is 1 to 63 of a-z, 0-9 and '-', with no '-' at either end"
            )
        if _TRUST_DOMAIN.fullmatch(self.trust_domain) is None:
            raise EncodingError("principal: the trust domain must look like a DNS name")
        if len(self.server_name) > _MAX_SERVER_NAME:
            raise EncodingError(f"principal: a server name over {_MAX_SERVER_NAME} characters")

    @classmethod
    def parse(cls, uri: str) -> Principal:
        """Read a principal's URI; EncodingError for any other text."""
        parts = uri[len(_SCHEME) :].split("/") if uri.startswith(_SCHEME) else []
        if len(uri) > _MAX_URI or len(parts) != 4:
            raise EncodingError("principal: must be spiffe://<trust domain>/<cn|hk>/<role>/<name>")
        return cls(*parts)

    @property
    def uri(self) -> str:
        """The URI that its certificate carries."""
        return f"{_SCHEME}{self.trust_domain}/{self.jurisdiction}/{self.role}/{self.name}"

    @property
    def server_name(self) -> str:
        """The one DNS name that its server certificate carries."""
        return f"{self.name}.{self.role}.{self.jurisdiction}.{self.trust_domain}"

    def __str__(self) -> str:
        return self.uri
