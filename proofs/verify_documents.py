"""Steps of the verification that differ by what a bundle is about: here, documents by alias.

Each document rests on an attestation of its own, all signed by one pinned custodian. What stands
here is called by `verify` in the order of its procedure, which says what each step stops.

SPEC.md, "Verification procedure".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from proofs.arguments import verify_arguments
from proofs.attestation import Attestation
from proofs.bundle import Bundle
from proofs.claims import ClaimedDocument, Claims, bound_commitments
from proofs.classes import check_facts
from proofs.envelope import PayloadType
from proofs.equation import Equation
from proofs.errors import BindingError, CannotProveError, GrantError, TrustError
from proofs.facts import FactList, Sentence
from proofs.grant import Grant
from proofs.ids import digest_of
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import RequestedDocument
from proofs.requirements import FindSet, Met, Subject
from proofs.schema import Schema
from proofs.statement import Statement, compile_facts
from proofs.subjects import Subjects
from proofs.trust import Trust, TrustedCustodian
from proofs.validity import check_key, check_signed_within, in_the_future, say


@dataclass(frozen=True, slots=True)
class VerifiedDocument:
    """A document that facts were proven about, under its alias."""

    alias: str
    attestation: Attestation
    schema: Schema


@dataclass(frozen=True, slots=True)
class DocumentsEvidence:
    """Attestations that passed steps 2 and 3, in the order of their aliases."""

    custodian: TrustedCustodian
    documents: tuple[VerifiedDocument, ...]

    @property
    def valid_until(self) -> datetime:
        """When the first of them expires."""
        return min(each.attestation.valid_until for each in self.documents)

    @property
    def assets(self) -> list[str]:
        """The assets that they are about."""
        return [each.attestation.asset for each in self.documents]

    def check_granted(self, grant: Grant) -> None:
        """Step 4: GrantError unless the grant is for exactly these."""
        if [each.alias for each in grant.documents] != [each.alias for each in self.documents]:
            raise GrantError("the grant gives the documents other aliases")
        for granted, each in zip(grant.documents, self.documents, strict=True):
            attested = each.attestation
            if granted.attestation != attested.digest:
                raise GrantError("the grant is for another attestation")
            if (granted.document, granted.version) != (attested.document, attested.version):
                raise GrantError("the grant is for another document or version")

    def asked(self) -> tuple[list[RequestedDocument], None]:
        """What the request that is answered must have asked about: documents, or a selection."""
        named = [
            RequestedDocument(each.alias, each.attestation.asset, each.attestation.schema)
            for each in self.documents
        ]
        return named, None

    def check_facts(
        self,
        bundle: Bundle,
        grant: Grant,
        sets: dict[str, NamedSet],
        expected: Expectation,
        find_set: FindSet,
        now: datetime,
    ) -> tuple[tuple[Met, ...], list[Equation], None]:
        """Steps 8 and 9, but for the multiplication: what is met of what the verifier requires,
        and the proof's equations. There is no selection."""
        subjects = Subjects.of({each.alias: each.schema for each in self.documents})
        schemas = tuple((each.alias, each.schema.encode()) for each in self.documents)
        digests = tuple((each.name, each.digest) for each in bundle.sets)
        facts = _read_facts(bundle.facts, schemas)
        check_set_names(facts.set_names, sets)
        check_facts(facts, subjects, sets)
        met = expected.required.check(
            list(facts),
            [Subject(each.alias, each.attestation.asset, each.schema) for each in self.documents],
            find_set=find_set,
            now=now,
        )
        statement, encoded = _compile(bundle.facts, schemas, digests)
        claims = Claims(
            context=bundle.context,
            documents=tuple(
                ClaimedDocument(
                    each.alias,
                    each.attestation.schema,
                    each.attestation.digest,
                    self.custodian.keyid,
                )
                for each in self.documents
            ),
            grant=grant.digest,
            grant_signer=bundle.grant.keyid,
            sets=bundle.sets,
            facts=bundle.facts,
            statement=encoded,
            commitments=self._commitments(subjects, statement.attributes),
        )
        scalars = {name: each.scalars for name, each in sets.items()}
        return met, verify_arguments(claims, statement, bundle.proof, scalars), None

    def _commitments(
        self, subjects: Subjects, slots: Sequence[int]
    ) -> tuple[tuple[int, bytes], ...]:
        try:
            return bound_commitments([each.attestation for each in self.documents], subjects, slots)
        except CannotProveError as error:
            raise BindingError(str(error)) from None


def check_documents(bundle: Bundle, trust: Trust, now: datetime) -> DocumentsEvidence:
    """Steps 2 and 3."""
    first, *others = (each.envelope for each in bundle.documents)
    custodian = trust.custodian(first.keyid)
    check_key(custodian, now)
    for each in others:
        if each.keyid != custodian.keyid:
            raise TrustError("the documents are attested by several keys; one custodian grants")
    payloads = [
        each.envelope.verify(custodian.key, PayloadType.ATTESTATION) for each in bundle.documents
    ]
    return DocumentsEvidence(custodian, _check_attestations(bundle, payloads, custodian, now))


def _check_attestations(
    bundle: Bundle, payloads: Sequence[bytes], custodian: TrustedCustodian, now: datetime
) -> tuple[VerifiedDocument, ...]:
    schemas = {digest_of(each): each for each in bundle.schemas}
    if list(schemas) != sorted(schemas) or len(schemas) != len(bundle.schemas):
        raise BindingError("the schemas are not in the order of their digests, each once")
    documents: list[VerifiedDocument] = []
    for entry, payload in zip(bundle.documents, payloads, strict=True):
        attestation = Attestation.parse(payload)
        check_attested(attestation, custodian, now)
        carried = schemas.get(attestation.schema)
        if carried is None:
            raise BindingError("the bundle carries another schema than the one attested")
        schema = parse_schema(carried)
        attestation.check_presence(schema)
        documents.append(VerifiedDocument(entry.alias, attestation, schema))
    if {each.attestation.schema for each in documents} != set(schemas):
        raise BindingError("the bundle carries a schema that no document follows")
    # Twice under two aliases, one debt would be two, and `a.debt + b.debt` true of half of it.
    attested = [each.attestation for each in documents]
    for what, keys in (
        ("document", {each.document for each in attested}),
        ("attestation", {each.digest for each in attested}),
        ("asset under the same schema", {(each.asset, each.schema) for each in attested}),
    ):
        if len(keys) != len(documents):
            raise BindingError(f"one {what} stands under two aliases")
    return tuple(documents)


def check_attested(attestation: Attestation, custodian: TrustedCustodian, now: datetime) -> None:
    """That an attestation is valid now, made within the key's validity, and in its scope."""
    if in_the_future(attestation.attested_at, now):
        raise BindingError("the attestation was made in the future")
    if attestation.valid_until <= now:
        raise BindingError(f"the attestation expired at {say(attestation.valid_until)}")
    check_signed_within(custodian, attestation.attested_at, "attestation")
    custodian.check_scope(schema=attestation.schema, asset=attestation.asset)


def check_set_names(named: Sequence[str], sets: dict[str, NamedSet]) -> None:
    """That facts are about exactly these sets."""
    if sorted(named) != list(sets):
        raise BindingError("the bundle names other sets than its facts are about")


@lru_cache(maxsize=64)
def parse_schema(data: bytes) -> Schema:
    """A schema that was read before is not read again: many bundles carry the same one."""
    return Schema.parse(data)


Schemas: TypeAlias = tuple[tuple[str, bytes], ...]
"""Each document's alias, and its schema's canonical bytes: what sentences are read against."""


# Many bundles answer the same questions about other documents. What is kept follows from texts,
# schemas and digests alone; the sets themselves are not kept here, and a refusal is not either.
@lru_cache(maxsize=256)
def _read_facts(texts: tuple[str, ...], schemas: Schemas) -> FactList[Sentence]:
    return FactList.parse_canonical(texts, _subjects(schemas))


@lru_cache(maxsize=256)
def _compile(
    texts: tuple[str, ...], schemas: Schemas, digests: tuple[tuple[str, str], ...]
) -> tuple[Statement, bytes]:
    facts = _read_facts(texts, schemas)
    statement = compile_facts(facts, _subjects(schemas), dict(digests))
    return statement, statement.encode()


def _subjects(schemas: Schemas) -> Subjects:
    return Subjects.of({alias: parse_schema(data) for alias, data in schemas})
