"""All that the arguments of one bundle are about, as the transcript takes it before any of them.

Binding the commitments alone would not be enough: an attestation with the same commitments but
another date, unit or part could be swapped in, a fact cut off with its argument, or a bundle
handed on to another audience. So the transcript begins with the digest of every signed payload
and its signer, schemas, aliases, sets, fact texts, compiled statements and the whole context.
Prover and verifier each build this object from what they hold, and it decides nothing.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from proofs import canonical, labels
from proofs.attestation import Attestation
from proofs.context import Context
from proofs.errors import CannotProveError
from proofs.labels import frame
from proofs.request import SetReference
from proofs.subjects import SLOTS, Documents, Subjects
from proofs.transcript import Transcript


@dataclass(frozen=True, slots=True)
class ClaimedDocument:
    """One document: its alias, and the digests of its schema, its attestation and its signer."""

    alias: str
    schema: str
    attestation: str
    signer: str

    def encode(self) -> bytes:
        """The item of the transcript."""
        return frame(
            self.alias.encode(),
            b"attestation",
            bytes.fromhex(self.attestation),
            bytes.fromhex(self.signer),
            bytes.fromhex(self.schema),
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """What is bound, item by item.

    `documents` stand in the order of their aliases. `commitments` are the attested commitments
    that facts are about: slot (see `Subjects`) and 48 bytes, in the order of the slots.
    `statement` is the encoding of the compiled facts. Signers are key ids.
    """

    context: Context
    documents: tuple[ClaimedDocument, ...]
    grant: str
    grant_signer: str
    sets: tuple[SetReference, ...]
    facts: tuple[str, ...]
    statement: bytes
    commitments: tuple[tuple[int, bytes], ...]

    def transcript(self) -> Transcript:
        """A transcript that holds all of it."""
        return _transcript(
            self,
            schemas=sorted({each.schema for each in self.documents}),
            documents=[each.encode() for each in self.documents],
        )

    def by_slot(self) -> Mapping[int, bytes]:
        """The bound commitments by their slot."""
        return dict(self.commitments)


@dataclass(frozen=True, slots=True)
class ListClaims:
    """What is bound where a bundle is about a selection; otherwise as `Claims`.

    `listing` is `listing_digest`, over the digests of all attestations in order. `manifest` is the
    digest of the manifest that stands in their place, or None.
    """

    context: Context
    schema: str
    listing: str
    count: int
    signer: str
    manifest: str | None
    grant: str
    grant_signer: str
    sets: tuple[SetReference, ...]
    facts: tuple[str, ...]
    statement: bytes
    commitments: tuple[tuple[int, bytes], ...]

    def seed(self) -> bytes:
        """64 bytes that depend on all of it, from which the transcript of every part begins."""
        selection = frame(
            b"selection",
            bytes.fromhex(self.listing),
            self.count.to_bytes(8, "big"),
            bytes.fromhex(self.signer),
            bytes.fromhex(self.schema),
            b"attestations" if self.manifest is None else b"manifest",
            bytes.fromhex(self.manifest or ""),
        )
        return _transcript(self, schemas=[self.schema], documents=[selection]).seed()


def _transcript(
    claims: Claims | ListClaims, *, schemas: Sequence[str], documents: Sequence[bytes]
) -> Transcript:
    transcript = Transcript(labels.BUNDLE)
    transcript.bundle_statement(
        context=canonical.dump(claims.context.to_json()),
        schemas=[bytes.fromhex(digest) for digest in schemas],
        documents=documents,
        grants=[frame(bytes.fromhex(claims.grant), bytes.fromhex(claims.grant_signer))],
        sets=[
            frame(each.name.encode(), bytes.fromhex(each.authority), bytes.fromhex(each.digest))
            for each in claims.sets
        ],
        facts=[fact.encode() for fact in claims.facts],
        statement=claims.statement,
        commitments=[
            frame(slot.to_bytes(8, "big"), commitment) for slot, commitment in claims.commitments
        ],
    )
    return transcript


def bound_commitments(
    attestations: Sequence[Attestation], documents: Documents, slots: Iterable[int]
) -> tuple[tuple[int, bytes], ...]:
    """The attested commitments of these slots; the attestations in the order of the aliases.

    Raises:
        CannotProveError: a document has no such attribute: no fact about it can be proven.
    """
    subjects = Subjects.of(documents)
    bound: list[tuple[int, bytes]] = []
    for slot in sorted(slots):
        commitment = attestations[slot // SLOTS].commitments[slot % SLOTS]
        if commitment is None:
            name = subjects.name(slot)
            raise CannotProveError(f"{name}: attested as absent, so no fact about it holds")
        bound.append((slot, commitment))
    return tuple(bound)
