"""What a verifier wants proven: facts about one or more assets, for whom, why, with a fresh nonce.

It is about up to 64 documents, each under an alias, or about a selection of many. A request is a
file in the one encoding, not signed: its SHA-256 is what a grant consents to and what a bundle
answers, and whoever made the file compares the bytes. Its own expiry bounds the issuing only. It
reads and builds; whether a fact may be asked is `classes`' to say.

SPEC.md, "Request and grant".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from proofs import canonical
from proofs.canonical import Fields, Json
from proofs.errors import CrossproofError, EncodingError
from proofs.ids import SHOWN_LIMIT, check_asset, check_digest, check_name, check_shown, digest_of
from proofs.normaliser import safe_for_display
from proofs.selection import Selection

FORMAT = "crossvault/request/v1"
LIMIT = 1 << 20
MAX_DOCUMENTS = 64
MAX_FACTS = 64
MAX_FACT_LENGTH = 4096
MAX_FACTS_LENGTH = 64 * 1024
"""Characters of all facts together: long lists of literals would keep a verifier busy."""
DEFAULT_ALIAS = "doc"


@dataclass(frozen=True, slots=True)
class RequestedDocument:
    """One document that facts are asked about: an alias for it, the asset, the schema's digest."""

    alias: str
    asset: str
    schema: str


@dataclass(frozen=True, slots=True)
class SetReference:
    """A named set as requests, grants and bundles name it: by its authority's key and digest."""

    name: str
    authority: str
    digest: str

    def to_json(self) -> dict[str, Json]:
        """The object that stands in a grant and in a bundle."""
        return {"authority": self.authority, "digest": self.digest, "name": self.name}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as read. `data` are its exact bytes and `digest` their SHA-256.

    `documents` stand in the order of their aliases; no alias, and no asset under one schema,
    stands twice. With a `selection` there are none. `facts` are texts in canonical form, in the
    order asked; `sets` are the named sets that they speak of, each by its authority's key and its
    digest, so that nobody chooses another list under the same name. `nonce` is 32 bytes as hex;
    only a custodian's own proof, for an audience that gave none, may be without.
    """

    data: bytes
    digest: str
    documents: tuple[RequestedDocument, ...]
    selection: Selection | None
    facts: tuple[str, ...]
    sets: tuple[SetReference, ...]
    audience: str
    purpose: str
    nonce: str | None
    created: datetime
    expires: datetime

    @classmethod
    def build(
        cls,
        *,
        documents: Sequence[RequestedDocument] = (),
        selection: Selection | None = None,
        facts: Sequence[str],
        sets: Sequence[SetReference],
        audience: str,
        purpose: str,
        nonce: str | None,
        created: datetime,
        expires: datetime,
    ) -> Request:
        """Put a request into its bytes. The same parts always give the same bytes.

        Raises:
            EncodingError: a part that no request may carry.
        """
        payload: dict[str, Json] = {
            "audience": audience,
            "created": canonical.format_instant(created),
            "expires": canonical.format_instant(expires),
            "facts": list(facts),
            "format": FORMAT,
            "purpose": purpose,
            "sets": [each.to_json() for each in sorted(sets, key=lambda each: each.name)],
        }
        if documents:
            payload["documents"] = [
                {"alias": d.alias, "asset": d.asset, "schema": d.schema}
                for d in sorted(documents, key=lambda d: d.alias)
            ]
        if selection is not None:
            payload["selection"] = selection.to_json()
        if nonce is not None:
            payload["nonce"] = nonce
        return cls.parse(canonical.dump(payload))

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """Read exact request bytes.

        Raises:
            EncodingError: anything that `build` would not write.
        """
        fields = Fields(canonical.parse(data, limit=LIMIT, where="request"), "request")
        fields.literal("format", FORMAT)
        selection = Selection.read(fields.object("selection")) if fields.has("selection") else None
        request = cls(
            data=data,
            digest=digest_of(data),
            documents=() if selection is not None else _read_documents(fields),
            selection=selection,
            facts=read_facts(fields),
            sets=read_sets(fields),
            audience=check_shown(fields.text("audience", SHOWN_LIMIT), where="request.audience"),
            purpose=check_shown(fields.text("purpose", SHOWN_LIMIT), where="request.purpose"),
            nonce=fields.optional_hex("nonce", 32),
            created=fields.instant("created"),
            expires=fields.instant("expires"),
        )
        fields.end()
        if not request.created < request.expires:
            raise EncodingError("request: expires before it was made")
        return request


def read_facts(fields: Fields) -> tuple[str, ...]:
    """The field `facts` of a request or bundle: 1 to 64 distinct, bounded texts that can be shown.

    Their grammar is `facts.parse_fact`'s to judge. But they are shown before somebody parses them
    (`inspect`, a submitted request), so nothing in them may move the cursor or break the line.
    """
    facts = fields.texts("facts", MAX_FACTS, MAX_FACT_LENGTH, least=1)
    if sum(map(len, facts)) > MAX_FACTS_LENGTH:
        raise EncodingError(f"{fields.where}.facts: over {MAX_FACTS_LENGTH} characters in all")
    for index, fact in enumerate(facts):
        try:
            safe_for_display(fact, limit=MAX_FACT_LENGTH)
        except CrossproofError as error:
            raise EncodingError(f"{fields.where}.facts[{index}]: {error}") from None
    if len(set(facts)) != len(facts):
        raise EncodingError(f"{fields.where}.facts: the same fact twice")
    return tuple(facts)


def read_sets(fields: Fields) -> tuple[SetReference, ...]:
    """The field `sets` of a request, grant or bundle: in the order of their names, each once."""
    sets: list[SetReference] = []
    for each in fields.objects("sets", MAX_FACTS):
        sets.append(
            SetReference(
                name=check_name(each.text("name", 64), where=f"{each.where}.name"),
                authority=each.hex("authority", 32),
                digest=each.hex("digest", 32),
            )
        )
        each.end()
    names = [each.name for each in sets]
    if names != sorted(set(names)):
        raise EncodingError(f"{fields.where}.sets: not in the order of their names, each once")
    return tuple(sets)


def check_aliases(aliases: Sequence[str], *, where: str) -> None:
    """EncodingError unless the aliases of a list of documents are in order, each once."""
    if list(aliases) != sorted(set(aliases)):
        raise EncodingError(f"{where}.documents: not in the order of their aliases, each once")


def _read_documents(fields: Fields) -> tuple[RequestedDocument, ...]:
    documents = tuple(
        _read_document(each) for each in fields.objects("documents", MAX_DOCUMENTS, least=1)
    )
    check_aliases([each.alias for each in documents], where=fields.where)
    # Under two aliases one document would count twice in `a.debt + b.debt`.
    if len({(each.asset, each.schema) for each in documents}) != len(documents):
        raise EncodingError(f"{fields.where}.documents: one asset twice under the same schema")
    return documents


def _read_document(fields: Fields) -> RequestedDocument:
    document = RequestedDocument(
        alias=check_name(fields.text("alias", 64), where=f"{fields.where}.alias"),
        asset=check_asset(fields.text("asset", 128), where=f"{fields.where}.asset"),
        schema=check_digest(fields.text("schema", 64), where=f"{fields.where}.schema"),
    )
    fields.end()
    return document
