"""The proof bundle: attestations, facts, context, grant and one proof, in one `.proof.json` file.

A bundle is read into its parts and nothing in it is believed: keys, generators, parameters and
members of sets never come from it. It is canonical JSON without an unknown field, every list
bounded before it is read, so no value has two spellings and no byte can change without the
meaning changing. It is about `documents` or about a `selection` of many. `documents` is a list of
tagged entries in the order of their aliases, in which other evidence than an attestation can stand
later; this version takes attestations only. A schema that several documents follow stands once.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proofs import canonical
from proofs.canonical import Fields, Json
from proofs.context import Context
from proofs.envelope import Envelope
from proofs.errors import EncodingError
from proofs.evidence import BundleSelection
from proofs.ids import check_name, digest_of
from proofs.request import MAX_DOCUMENTS, SetReference, check_aliases, read_facts, read_sets

FORMAT = "crossvault/bundle/v1"
LIMIT = 32 << 20
PROOF_LIMIT = 22 << 20
MAX_GRANTS = 1


@dataclass(frozen=True, slots=True)
class BundleDocument:
    """One piece of evidence: the alias that facts use, and a custodian's signed attestation."""

    alias: str
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as read, believed in nothing. `digest` is the SHA-256 of its exact bytes.

    `schemas` are the canonical bytes of each schema, `facts` texts that nobody parsed yet,
    `proof` the argument's bytes. There are `documents`, or a `selection`.
    """

    digest: str
    context: Context
    schemas: tuple[bytes, ...]
    documents: tuple[BundleDocument, ...]
    selection: BundleSelection | None
    grants: tuple[Envelope, ...]
    facts: tuple[str, ...]
    sets: tuple[SetReference, ...]
    proof: bytes

    @classmethod
    def parse(cls, data: bytes) -> Bundle:
        """Read a bundle file's bytes.

        Raises:
            EncodingError: anything but the one spelling of a bundle of this version.
            SignatureError: an envelope with other than one signature.
        """
        fields = Fields(canonical.parse(data, limit=LIMIT, where="bundle"), "bundle")
        fields.literal("format", FORMAT)
        selection = (
            BundleSelection.read(fields.object("selection")) if fields.has("selection") else None
        )
        bundle = cls(
            digest=digest_of(data),
            context=Context.read(fields.object("context")),
            schemas=tuple(
                canonical.spell(each) for each in fields.array("schemas", MAX_DOCUMENTS, least=1)
            ),
            documents=() if selection is not None else _read_documents(fields),
            selection=selection,
            grants=tuple(
                Envelope.from_json(each, f"bundle.grants[{index}]")
                for index, each in enumerate(fields.array("grants", MAX_GRANTS, least=1))
            ),
            facts=read_facts(fields),
            sets=read_sets(fields),
            proof=fields.base64("proof", PROOF_LIMIT),
        )
        fields.end()
        return bundle

    @property
    def grant(self) -> Envelope:
        """The one grant of a bundle of this version."""
        return self.grants[0]


def write_bundle(
    *,
    context: Context,
    schemas: Iterable[bytes],
    documents: Iterable[BundleDocument] = (),
    selection: BundleSelection | None = None,
    grant: Envelope,
    facts: tuple[str, ...],
    sets: tuple[SetReference, ...],
    proof: bytes,
) -> bytes:
    """The bytes of a bundle; each of `schemas` (canonical bytes) is written once, by digest.

    Raises:
        EncodingError: a part that no bundle may carry, or a bundle over the limit.
    """
    by_digest = {digest_of(each): each for each in schemas}
    encoded: dict[str, Json] = {
        "context": context.to_json(),
        "facts": list(facts),
        "format": FORMAT,
        "grants": [grant.to_json()],
        "proof": canonical.encode_base64(proof),
        "schemas": [
            canonical.parse(by_digest[digest], limit=LIMIT, where="schema")
            for digest in sorted(by_digest)
        ],
        "sets": [each.to_json() for each in sets],
    }
    if selection is None:
        encoded["documents"] = [
            {"alias": each.alias, "envelope": each.envelope.to_json(), "kind": "attestation"}
            for each in sorted(documents, key=lambda each: each.alias)
        ]
    else:
        encoded["selection"] = selection.to_json()
    data = canonical.dump(encoded)
    if len(data) > LIMIT:
        raise EncodingError(f"bundle: {len(data)} bytes, more than the {LIMIT} allowed")
    return data


def _read_documents(fields: Fields) -> tuple[BundleDocument, ...]:
    documents = tuple(
        _read_document(each) for each in fields.objects("documents", MAX_DOCUMENTS, least=1)
    )
    check_aliases([each.alias for each in documents], where=fields.where)
    return documents


def _read_document(fields: Fields) -> BundleDocument:
    fields.literal("kind", "attestation")
    document = BundleDocument(
        alias=check_name(fields.text("alias", 64), where=f"{fields.where}.alias"),
        envelope=Envelope.from_json(fields.raw("envelope"), f"{fields.where}.envelope"),
    )
    fields.end()
    return document
