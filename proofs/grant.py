"""The custodian's signed consent to one exact request; without it no bundle is verified.

It names the request by the SHA-256 of its bytes, who asked, and for each alias the document
version whose attestation may be used, the sets, and until when a bundle may live. So the vault,
which can read what it proves, can prove nothing to anyone on its own. One grant, one bundle. A
custodian's own proof carries a grant too. It holds no legal basis: that stays in the records.

SPEC.md, "Request and grant".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from proofs import canonical
from proofs.attestation import MAX_VERSION
from proofs.canonical import Fields, Json
from proofs.errors import EncodingError
from proofs.ids import check_document, check_name, digest_of
from proofs.principal import Principal
from proofs.request import MAX_DOCUMENTS, SetReference, check_aliases, read_sets
from proofs.selection import MAX_LISTED

FORMAT = "crossvault/grant/v1"
LIMIT = 64 * 1024
ASKERS = frozenset({("hk", "spv"), ("cn", "custodian")})


@dataclass(frozen=True, slots=True)
class GrantedDocument:
    """Which version of which document stands behind an alias, by its attestation's digest."""

    alias: str
    document: str
    version: int
    attestation: str


@dataclass(frozen=True, slots=True)
class GrantedSelection:
    """Which list: its length and `listing_digest`, and the manifest that may stand for it, if any.

    The custodian's client computes the digest itself, from attestations whose signature it has
    just checked.
    """

    count: int
    attestations: str
    manifest: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The object that stands in the grant."""
        encoded: dict[str, Json] = {"attestations": self.attestations, "count": self.count}
        if self.manifest is not None:
            encoded["manifest"] = self.manifest
        return encoded


@dataclass(frozen=True, slots=True)
class Grant:
    """A payload as read. `data` are its exact bytes and `digest` their SHA-256.

    It is about documents, each under an alias, or about a selection.

    `bundle_expires` is the latest expiry that the bundle may have, `not_before` the earliest
    beginning; `granted_at` and `expires` bound the grant itself.
    """

    data: bytes
    digest: str
    request: str
    asker: Principal
    documents: tuple[GrantedDocument, ...]
    selection: GrantedSelection | None
    sets: tuple[SetReference, ...]
    not_before: datetime
    bundle_expires: datetime
    granted_at: datetime
    expires: datetime

    @classmethod
    def build(
        cls,
        *,
        request: str,
        asker: Principal,
        documents: Sequence[GrantedDocument] = (),
        selection: GrantedSelection | None = None,
        sets: Sequence[SetReference],
        not_before: datetime,
        bundle_expires: datetime,
        granted_at: datetime,
        expires: datetime,
    ) -> bytes:
        """The payload to be signed; `Grant.parse` gives its parts back. Sets are put in order.

        Raises:
            EncodingError: a value that no grant may carry.
        """
        payload: dict[str, Json] = {
            "asker": asker.uri,
            "bundle_expires": canonical.format_instant(bundle_expires),
            "expires": canonical.format_instant(expires),
            "format": FORMAT,
            "granted_at": canonical.format_instant(granted_at),
            "not_before": canonical.format_instant(not_before),
            "request": request,
            "sets": [each.to_json() for each in sorted(sets, key=lambda each: each.name)],
        }
        if documents:
            payload["documents"] = [
                {
                    "alias": d.alias,
                    "attestation": d.attestation,
                    "document": d.document,
                    "version": d.version,
                }
                for d in sorted(documents, key=lambda d: d.alias)
            ]
        if selection is not None:
            payload["selection"] = selection.to_json()
        data = canonical.dump(payload)
        cls.parse(data)
        return data

    @classmethod
    def parse(cls, data: bytes) -> Grant:
        """Read exact payload bytes. The signature is checked elsewhere, before.

        Raises:
            EncodingError: anything that `build` would not write.
        """
        fields = Fields(canonical.parse(data, limit=LIMIT, where="grant"), "grant")
        fields.literal("format", FORMAT)
        selection = _read_selection(fields.object("selection")) if fields.has("selection") else None
        grant = cls(
            data=data,
            digest=digest_of(data),
            request=fields.hex("request", 32),
            asker=Principal.parse(fields.text("asker", 400)),
            documents=() if selection is not None else _read_documents(fields),
            selection=selection,
            sets=read_sets(fields),
            not_before=fields.instant("not_before"),
            bundle_expires=fields.instant("bundle_expires"),
            granted_at=fields.instant("granted_at"),
            expires=fields.instant("expires"),
        )
        fields.end()
        if (grant.asker.jurisdiction, grant.asker.role) not in ASKERS:
            raise EncodingError("grant.asker: only an hk spv or a cn custodian can ask")
        if not grant.granted_at < grant.expires:
            raise EncodingError("grant: expires before it was given")
        if not grant.not_before < grant.bundle_expires <= grant.expires:
            raise EncodingError("grant: its bundle's time is empty or outlives the grant")
        return grant


def _read_selection(fields: Fields) -> GrantedSelection:
    selection = GrantedSelection(
        count=fields.integer("count", 1, MAX_LISTED),
        attestations=fields.hex("attestations", 32),
        manifest=fields.optional_hex("manifest", 32),
    )
    fields.end()
    return selection


def _read_documents(fields: Fields) -> tuple[GrantedDocument, ...]:
    documents = tuple(
        _read_document(each) for each in fields.objects("documents", MAX_DOCUMENTS, least=1)
    )
    check_aliases([each.alias for each in documents], where=fields.where)
    # Two versions of one document, or one under two aliases, would count twice in a sum.
    if len({each.document for each in documents}) != len(documents):
        raise EncodingError("grant.documents: one document twice")
    return documents


def _read_document(fields: Fields) -> GrantedDocument:
    document = GrantedDocument(
        alias=check_name(fields.text("alias", 64), where=f"{fields.where}.alias"),
        document=check_document(fields.text("document", 32), where=f"{fields.where}.document"),
        version=fields.integer("version", 1, MAX_VERSION),
        attestation=fields.hex("attestation", 32),
    )
    fields.end()
    return document
