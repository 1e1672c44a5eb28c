"""Making a bundle: from a granted version's witness to bytes that the vault itself has verified.

What is proven was granted, exactly. The result is checked with the offline verifier before it may
leave, against the keys that the pinned site file holds: a bundle that a verifier would refuse is
a defect of ours and never goes out. Whether a fact holds is told to the custodian only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from proofs.verify import verify_bundle

from proofs import facts as language
from proofs.attestation import Attestation
from proofs.errors import CannotProveError
from proofs.facts import AtLeast, AtMost, Between, Equal, Fact, FactList, InSet, OneOf
from proofs.grant import Grant
from proofs.group import Scalar
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.prove import prove_bundle
from proofs.request import Request
from proofs.schema import Schema
from proofs.values import value_scalar
from proofs.witness import Witness, scalar_integer
from vault.site_file import PrincipalRecord


@dataclass(frozen=True, slots=True)
class Granted:
    """Everything that one bundle is made of. `attestation` and `grant_envelope` are envelopes."""

    request: Request
    grant: Grant
    grant_envelope: bytes
    schema: Schema
    attestation: bytes
    witness: Witness
    sets: Mapping[str, NamedSet]
    custodian: PrincipalRecord
    authorities: tuple[PrincipalRecord, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whether one fact can be proven of a version, and why not: for its custodian's eyes."""

    fact: str
    provable: bool
    detail: str


def outlooks(
    request: Request, schema: Schema, witness: Witness, sets: Mapping[str, NamedSet]
) -> list[Outlook]:
    """Every fact of a request against a witness."""
    found = []
    for fact in FactList.parse_canonical(request.facts, schema):
        pair = witness.values[schema.index(fact.attribute.name)]
        if pair is None:
            detail = f"{fact.attribute.name} is absent in this document"
        elif not holds(fact, pair[0], sets):
            detail = "the fact is false"
        else:
            detail = ""
        found.append(Outlook(fact.text, not detail, detail))
    return found


def holds(fact: Fact, value: Scalar, sets: Mapping[str, NamedSet]) -> bool:
    """Whether a fact is true of a committed scalar: of a text the vault has the hash alone."""
    match fact.claim:
        case Between(lo, hi):
            return lo <= scalar_integer(value) <= hi
        case AtLeast(bound):
            return scalar_integer(value) >= bound
        case AtMost(bound):
            return scalar_integer(value) <= bound
        case Equal(expected):
            return value == value_scalar(fact.attribute, expected)
        case OneOf(members):
            return any(value == value_scalar(fact.attribute, each) for each in members)
        case InSet(name, member):
            language.named_set(name, fact.attribute, sets)
            return (value in sets[name].scalars) == member


def make_bundle(granted: Granted, *, now: datetime) -> bytes:
    """The bundle's bytes, verified.

    Raises CannotProveError, for the custodian alone, when a fact is false or its value absent.
    """
    attestation = Attestation.parse(_payload(granted.attestation))
    bad = [
        each
        for each in outlooks(granted.request, granted.schema, granted.witness, granted.sets)
        if not each.provable
    ]
    if bad:
        raise CannotProveError("; ".join(f"{each.fact}: {each.detail}" for each in bad))
    bundle = prove_bundle(
        request=granted.request,
        context=context_of(granted, attestation),
        schema=granted.schema,
        attestation=granted.attestation,
        witness=granted.witness,
        grant=granted.grant_envelope,
        sets=granted.sets,
    )
    verify_bundle(
        bundle,
        trust=_trust(granted, attestation),
        expectation=Expectation.for_request(granted.request.data),
        sets=granted.sets,
        now=now,
    )
    return bundle
