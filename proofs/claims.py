"""All that the arguments of one bundle are about, as the transcript takes it before any of them.

Binding the commitments alone would not be enough: an attestation with the same commitments but
another date, unit or part could be swapped in, a fact cut off with its argument, or a bundle
handed on to another audience. So the transcript begins with the digest of every signed payload
and its signer, schemas, aliases, sets, fact texts, compiled statements and the whole context.
Prover and verifier each build this object from what they hold, and it decides nothing.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proofs import canonical, labels
from proofs.attestation import Attestation
from proofs.context import Context
from proofs.errors import CannotProveError
from proofs.labels import frame
from proofs.request import SetReference
from proofs.schema import Schema
from proofs.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Claims:
    """What is bound, item by item.

    `commitments` are the attested commitments that facts are about: index in the schema (of the
    bundle's one document) and 48 bytes, in the schema's order. `statement` is the encoding of
    the compiled facts. Signers are key ids.
    """

    context: Context
    schema: str
    alias: str
    attestation: str
    attestation_signer: str
    grant: str
    grant_signer: str
    sets: tuple[SetReference, ...]
    facts: tuple[str, ...]
    statement: bytes
    commitments: tuple[tuple[int, bytes], ...]

    def transcript(self) -> Transcript:
        """A transcript that holds all of it."""
        transcript = Transcript(labels.BUNDLE)
        transcript.bundle_statement(
            context=canonical.dump(self.context.to_json()),
            schemas=[bytes.fromhex(self.schema)],
            documents=[
                frame(
                    self.alias.encode(),
                    b"attestation",
                    bytes.fromhex(self.attestation),
                    bytes.fromhex(self.attestation_signer),
                    bytes.fromhex(self.schema),
                )
            ],
            grants=[frame(bytes.fromhex(self.grant), bytes.fromhex(self.grant_signer))],
            sets=[
                frame(each.name.encode(), bytes.fromhex(each.authority), bytes.fromhex(each.digest))
                for each in self.sets
            ],
            facts=[fact.encode() for fact in self.facts],
            statement=self.statement,
            commitments=[
                frame(index.to_bytes(8, "big"), commitment)
                for index, commitment in self.commitments
            ],
        )
        return transcript

    def by_attribute(self) -> Mapping[int, bytes]:
        """The bound commitments by their index in the schema."""
        return dict(self.commitments)


def bound_commitments(
    attestation: Attestation, schema: Schema, attributes: Iterable[int]
) -> tuple[tuple[int, bytes], ...]:
    """The attested commitments of these attributes, in the schema's order.

    Raises:
        CannotProveError: the document has no such attribute: no fact about it can be proven.
    """
    bound: list[tuple[int, bytes]] = []
    for index in sorted(attributes):
        commitment = attestation.commitments[index]
        if commitment is None:
            name = schema.attributes[index].name
            raise CannotProveError(f"{name}: attested as absent, so no fact about it holds")
        bound.append((index, commitment))
    return tuple(bound)
