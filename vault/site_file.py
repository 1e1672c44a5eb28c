"""`site.json`, one side's public file: who there is, with which keys, from when to when.

It is an envelope signed by its site's own key, whose fingerprint people compared once; every key
that anyone uses comes from such a file, never from a message. It refuses a file of another key
than the given one, a principal of another site, two principals with one key, and keys, addresses
or person ids of roles that have none. Numbers only go up: an old file would bring removed
principals back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import canonical, envelope
from proofs.canonical import Fields
from proofs.envelope import Envelope, PayloadType
from proofs.errors import EncodingError, SignatureError
from proofs.principal import ROLES, Principal
from vault import pki
from vault.config import Quorum
from vault.crypto.keys import HpkePublicKey
from vault.errors import ConflictError, InvalidInputError

FORMAT: Final = "crossvault/site/v1"
MAX_SITE: Final = 2 << 20
MAX_PRINCIPALS: Final = 500

RECEIVING_ROLES: Final = frozenset({"custodian", "vault", "spv", "holder"})
"""Roles to which secrets are sealed, and which therefore have an HPKE key."""

_ADDRESS: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})"
)
_PERSON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


@dataclass(frozen=True, slots=True)
class PrincipalRecord:
    """One principal as its site lists it: keys, validity, and for servers where it listens."""

    principal: Principal
    signing_key: bytes
    hpke_key: HpkePublicKey | None
    valid_from: datetime
    valid_until: datetime
    address: str | None = None
    person: str | None = None

    def __post_init__(self) -> None:
        role, where = self.principal.role, self.principal.uri
        envelope.check_public_key(self.signing_key)
        if (self.hpke_key is not None) != (role in RECEIVING_ROLES):
            raise EncodingError(f"{where}: an HPKE key belongs to roles that secrets go to, only")
        if (self.address is not None) != (role in pki.SERVER_ROLES):
            raise EncodingError(f"{where}: an address belongs to the vault and to holders, only")
        if (self.person is not None) != (role == "officer"):
            raise EncodingError(f"{where}: a person id belongs to officers, only")
        if self.address is not None:
            check_address(self.address)
        if self.person is not None and _PERSON.fullmatch(self.person) is None:
            raise EncodingError(f"{where}: a person id is up to 128 letters, digits and . _ : -")
        if self.valid_from > self.valid_until:
            raise EncodingError(f"{where}: valid from after valid until")

    @property
    def uri(self) -> str:
        """The principal's URI."""
        return self.principal.uri

    @property
    def key_id(self) -> str:
        """The signing key's fingerprint, as envelopes name it."""
        return envelope.key_id(self.signing_key)

    def valid_at(self, now: datetime) -> bool:
        """Whether `now` lies within its validity, both ends included."""
        return self.valid_from <= now <= self.valid_until

    def to_json(self) -> dict[str, canonical.Json]:
        """As it stands in `site.json`."""
        found: dict[str, canonical.Json] = {
            "uri": self.uri,
            "signing_key": canonical.encode_base64(self.signing_key),
            "valid_from": canonical.format_instant(self.valid_from),
            "valid_until": canonical.format_instant(self.valid_until),
        }
        if self.hpke_key is not None:
            found["hpke_key"] = canonical.encode_base64(self.hpke_key.public_bytes)
        if self.address is not None:
            found["address"] = self.address
        if self.person is not None:
            found["person"] = self.person
        return found

    @classmethod
    def read(cls, fields: Fields) -> PrincipalRecord:
        """Read `to_json`'s object; EncodingError or InvalidInputError."""
        record = cls(
            principal=Principal.parse(fields.text("uri", 400)),
            signing_key=fields.base64("signing_key", 32),
            hpke_key=(
                HpkePublicKey.from_bytes(fields.base64("hpke_key", 4096))
                if fields.has("hpke_key")
                else None
            ),
            valid_from=fields.instant("valid_from"),
            valid_until=fields.instant("valid_until"),
            address=fields.optional_text("address", 300),
            person=fields.optional_text("person", 128),
        )
        fields.end()
        return record


@dataclass(frozen=True, slots=True)
class Site:
    """One side's public file, verified under the fingerprint that was given for it."""

    trust_domain: str
    jurisdiction: str
    number: int
    issued: datetime
    site_key: bytes
    ca: x509.Certificate
    quorum: Quorum
    principals: Mapping[str, PrincipalRecord]
    encoded: bytes

    @classmethod
    def parse(cls, data: bytes, *, fingerprint: str) -> Site:
        """Read `site.json`, signed by the key of exactly this fingerprint (64 hex digits).

        Raises EncodingError, SignatureError or InvalidInputError. The fingerprint comes from
        a person or a pin: a file vouches for nothing about itself.
        """
        signed = Envelope.parse(data, limit=MAX_SITE)
        if signed.keyid != fingerprint:
            raise SignatureError(
                f"site file: signed by the key {show_fingerprint(signed.keyid)}, not by the "
                f"pinned {show_fingerprint(fingerprint)}; compare it with the other side again"
            )
        # The key stands in the payload. It is believed because its digest is the fingerprint.
        claimed = Fields(_payload(signed.unverified_payload), "site")
        site_key = claimed.base64("site_key", 32)
        fields = Fields(_payload(signed.verify(site_key, PayloadType.SITE)), "site")
        return cls._read(fields, encoded=data)

    @classmethod
    def _read(cls, fields: Fields, *, encoded: bytes) -> Site:
        fields.literal("format", FORMAT)
        trust_domain = fields.text("trust_domain", 253)
        jurisdiction = fields.choice("jurisdiction", ROLES)
        quorum = fields.object("quorum")
        records = [
            PrincipalRecord.read(item) for item in fields.objects("principals", MAX_PRINCIPALS)
        ]
        pem = fields.text("ca", pki.MAX_CERTIFICATE).encode()
        ca = pki.check_ca(pki.read_certificate(pem, where="site.ca"), where="site.ca")
        if pki.encode_certificate(ca) != pem:
            raise EncodingError("site.ca: not the one spelling of its certificate")
        site = cls(
            trust_domain=trust_domain,
            jurisdiction=jurisdiction,
            number=fields.integer("number", 1, 2**31),
            issued=fields.instant("issued"),
            site_key=fields.base64("site_key", 32),
            ca=ca,
            quorum=Quorum(
                threshold=quorum.integer("threshold", 2, 255),
                holders=quorum.integer("holders", 2, 255),
            ),
            principals=_index(records, trust_domain, jurisdiction),
            encoded=encoded,
        )
        quorum.end()
        fields.end()
        if len(site.by_role("holder")) > site.quorum.holders:
            raise EncodingError("site: more holders than its quorum counts")
        return site

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the site key, 64 hex digits: what people compare."""
        return envelope.key_id(self.site_key)

    def by_role(self, role: str) -> tuple[PrincipalRecord, ...]:
        """The principals of one role, by URI."""
        return tuple(r for r in self.principals.values() if r.principal.role == role)


def make_site(
    *,
    trust_domain: str,
    jurisdiction: str,
    number: int,
    issued: datetime,
    site_key: Ed25519PrivateKey,
    ca: x509.Certificate,
    quorum: Quorum,
    principals: Iterable[PrincipalRecord],
) -> bytes:
    """Sign a `site.json`; what it says is checked by reading it back."""
    public = site_key.public_key().public_bytes_raw()
    payload: dict[str, canonical.Json] = {
        "format": FORMAT,
        "trust_domain": trust_domain,
        "jurisdiction": jurisdiction,
        "number": number,
        "issued": canonical.format_instant(issued),
        "site_key": canonical.encode_base64(public),
        "ca": pki.encode_certificate(ca).decode(),
        "quorum": {"threshold": quorum.threshold, "holders": quorum.holders},
        "principals": [record.to_json() for record in sorted(principals, key=lambda r: r.uri)],
    }
    data = envelope.sign(PayloadType.SITE, canonical.dump(payload), site_key)
    Site.parse(data, fingerprint=envelope.key_id(public))
    return data


def check_successor(old: Site, new: Site) -> None:
    """ConflictError unless `new` may take the place of `old`: a higher number, or the same file."""
    if new.jurisdiction != old.jurisdiction or new.trust_domain != old.trust_domain:
        raise ConflictError("site file: of another jurisdiction or trust domain", reason="SITE")
    if new.number < old.number:
        raise ConflictError(
            f"site file: number {new.number} is older than number {old.number}, which is known",
            reason="SITE_NUMBER",
        )
    if new.number == old.number and new.encoded != old.encoded:
        raise ConflictError(
            f"site file: differs from the known file of the same number {old.number}; ask the "
            f"other side which one is theirs",
            reason="SITE_NUMBER",
        )


# --- fingerprints and addresses -----------------------------------------------------------------


def show_fingerprint(fingerprint: str) -> str:
    """In groups of four, as people read it to each other."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def read_fingerprint(text: str) -> str:
    """64 lowercase hex digits from what a person typed: groups and upper case are allowed."""
    digits = re.sub(r"[\s:-]", "", text).lower()
    try:
        return canonical.check_hex(digits, nbytes=32, where="fingerprint")
    except EncodingError as error:
        raise InvalidInputError(str(error), field="fingerprint") from None


def check_address(address: str) -> str:
    """The same text, if it is `host:port` with a name, an IPv4 or a bracketed IPv6 address."""
    match = _ADDRESS.fullmatch(address)
    if match is None or not 1 <= int(match.group(1)) <= 65_535:
        raise EncodingError("address: must be host:port")
    return address


def _payload(data: bytes) -> canonical.Json:
    return canonical.parse(data, limit=envelope.MAX_PAYLOAD, where="site")


def _index(
    records: list[PrincipalRecord], trust_domain: str, jurisdiction: str
) -> Mapping[str, PrincipalRecord]:
    uris = [record.uri for record in records]
    if uris != sorted(set(uris)):
        raise EncodingError("site.principals: must be sorted by URI, each once")
    for record in records:
        home = (record.principal.trust_domain, record.principal.jurisdiction)
        if home != (trust_domain, jurisdiction):
            # A side lists its own principals only: this is what keeps hk from naming a vault.
            raise EncodingError(f"site: {record.uri} is not a principal of this site")
    signing = {record.signing_key for record in records}
    receiving = [record.hpke_key for record in records if record.hpke_key is not None]
    if len(signing) != len(records) or len(set(receiving)) != len(receiving):
        raise EncodingError("site.principals: two principals have one key")
    return MappingProxyType({record.uri: record for record in records})


def ca_public_key(ca: x509.Certificate) -> bytes:
    return ca.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
