"""Making a bundle: facts, witnesses, a grant, and out comes a file that anyone can check.

It checks that what it was given belongs together, because a bundle made of parts that do not
would be refused everywhere; whom to trust is not its business, and whether to answer at all was
decided by the grant. It refuses facts that may not be asked, and facts that are false or about an
absent attribute with CannotProveError, whose text is for the custodian alone.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proofs.arguments import prove_arguments
from proofs.attestation import Attestation
from proofs.bundle import BundleDocument, write_bundle
from proofs.claims import ClaimedDocument, Claims, bound_commitments
from proofs.classes import check_facts
from proofs.context import Context
from proofs.envelope import Envelope
from proofs.errors import BindingError, ContextError, GrantError, SetError
from proofs.facts import FactList
from proofs.grant import Grant
from proofs.named_set import NamedSet
from proofs.request import Request
from proofs.schema import Schema
from proofs.statement import compile_facts
from proofs.subjects import Subjects
from proofs.witness import Witness


@dataclass(frozen=True, slots=True)
class ProvenDocument:
    """What proving takes of one document.

    `witness` opens the attestation's commitments; checked when it was stored, not here.
    """

    schema: Schema
    attestation_envelope: bytes
    witness: Witness


def prove_bundle(
    *,
    request: bytes,
    context: Context,
    documents: Mapping[str, ProvenDocument],
    grant_envelope: bytes,
    sets: Mapping[str, NamedSet],
) -> bytes:
    """The bytes of a bundle that answers exactly this request.

    Args:
        request: the request's exact bytes, which the grant names.
        context: built from the request, with the bundle's own not-before and expiry.
        documents: by the request's aliases.
        sets: at least the named sets of the request, by name.

    Raises:
        CannotProveError: a fact is false or about an absent attribute.
        FactError: a fact that cannot be read or may not be asked.
        BindingError, GrantError, ContextError, SetError, EncodingError: parts that do not belong
            together, naming which.
    """
    asked = Request.parse(request)
    if sorted(documents) != [each.alias for each in asked.documents]:
        raise BindingError("the documents have other aliases than the request's")
    given = [documents[each.alias] for each in asked.documents]
    envelopes = [Envelope.parse(each.attestation_envelope) for each in given]
    attestations = [Attestation.parse(each.unverified_payload) for each in envelopes]
    grant_signed = Envelope.parse(grant_envelope)
    grant = Grant.parse(grant_signed.unverified_payload)
    for attestation, each in zip(attestations, given, strict=True):
        attestation.check_schema(each.schema)
    _check_parts(asked, context, attestations, grant)

    subjects = Subjects.of({alias: each.schema for alias, each in documents.items()})
    facts = FactList.parse_canonical(asked.facts, subjects)
    used = check_sets(asked, facts.set_names, sets)
    check_facts(facts, subjects, used)
    statement = compile_facts(facts, subjects, {each.name: each.digest for each in asked.sets})
    claims = Claims(
        context=context,
        documents=tuple(
            ClaimedDocument(wanted.alias, attested.schema, attested.digest, signed.keyid)
            for wanted, attested, signed in zip(
                asked.documents, attestations, envelopes, strict=True
            )
        ),
        grant=grant.digest,
        grant_signer=grant_signed.keyid,
        sets=asked.sets,
        facts=asked.facts,
        statement=statement.encode(),
        commitments=bound_commitments(attestations, subjects, statement.attributes),
    )
    scalars = {name: each.scalars for name, each in used.items()}
    return write_bundle(
        context=context,
        schemas=[each.schema.encode() for each in given],
        documents=[
            BundleDocument(wanted.alias, signed)
            for wanted, signed in zip(asked.documents, envelopes, strict=True)
        ],
        grant=grant_signed,
        facts=asked.facts,
        sets=asked.sets,
        proof=prove_arguments(claims, statement, [each.witness for each in given], scalars),
    )


def _check_parts(
    asked: Request, context: Context, attestations: Sequence[Attestation], grant: Grant
) -> None:
    if grant.request != asked.digest:
        raise GrantError("the grant is for another request")
    if [each.alias for each in grant.documents] != [each.alias for each in asked.documents]:
        raise GrantError("the grant is about other aliases than the request")
    for wanted, granted, attested in zip(
        asked.documents, grant.documents, attestations, strict=True
    ):
        if (wanted.asset, wanted.schema) != (attested.asset, attested.schema):
            raise BindingError(
                "the request asks about another asset or schema than the attestation"
            )
        if granted.attestation != attested.digest:
            raise GrantError("the grant is for another attestation")
    if grant.sets != asked.sets:
        raise GrantError("the grant names other sets than the request")
    if context != Context.answering(asked, not_before=context.not_before, expires=context.expires):
        raise ContextError("the context is not the request's")
    if context.not_before < grant.not_before or context.expires > grant.bundle_expires:
        raise ContextError("the bundle's time is not within the grant's")
    if context.expires > min(each.valid_until for each in attestations):
        raise ContextError("the bundle would outlive the attestation")


def check_sets(
    asked: Request, set_names: Sequence[str], sets: Mapping[str, NamedSet]
) -> dict[str, NamedSet]:
    """The sets of a request, by name; SetError unless they are at hand and its facts' own."""
    if [each.name for each in asked.sets] != sorted(set_names):
        raise SetError("the request names other sets than its facts are about")
    used: dict[str, NamedSet] = {}
    for reference in asked.sets:
        found = sets.get(reference.name)
        if found is None or found.reference != reference:
            raise SetError(f"the set @{reference.name} that was asked for is not at hand")
        used[reference.name] = found
    return used
