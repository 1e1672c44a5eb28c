"""Making a bundle: from a granted version's witness to bytes that the vault itself has verified.

What is proven was granted, exactly. The result is checked with the offline verifier before it may
leave, against the keys that the pinned site file holds: a bundle that a verifier would refuse is
a defect of ours and never goes out. Whether a fact holds is told to the custodian only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from proofs.attestation import Attestation
from proofs.context import Context
from proofs.envelope import Envelope
from proofs.errors import CannotProveError
from proofs.evaluate import evaluate_linear, named_set
from proofs.facts import AtLeast, AtMost, Between, Equal, Fact, FactList, InSet, OneOf, Sentence
from proofs.grant import Grant
from proofs.group import Scalar
from proofs.linear import LinearFact
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.prove import ProvenDocument, prove_bundle
from proofs.request import Request
from proofs.schema import Attribute
from proofs.subjects import SLOTS, Documents, Subjects
from proofs.trust import Trust, TrustedAuthority, TrustedCustodian, TrustedSet
from proofs.values import value_scalar
from proofs.verify import verify_bundle
from proofs.witness import Witness, scalar_integer
from vault.site_file import PrincipalRecord


@dataclass(frozen=True, slots=True)
class Granted:
    """Everything that one bundle is made of, read and compared by the caller."""

    request: Request
    grant: Grant
    grant_envelope: bytes
    documents: Mapping[str, ProvenDocument]
    sets: Mapping[str, NamedSet]
    custodian: PrincipalRecord
    authorities: tuple[PrincipalRecord, ...]

    @property
    def covered(self) -> list[tuple[str, int, str]]:
        """Document, version and attestation digest of each."""
        return [(d.document, d.version, d.attestation) for d in self.grant.documents]

    @property
    def attestations(self) -> list[Attestation]:
        """Of every document, read."""
        envelopes = [Envelope.parse(d.attestation_envelope) for d in self.documents.values()]
        return [Attestation.parse(each.unverified_payload) for each in envelopes]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whether one fact can be proven of versions, and why not: for their custodian's eyes."""

    fact: str
    provable: bool
    detail: str


def outlooks(
    request: Request,
    documents: Documents,
    witnesses: Mapping[str, Witness],
    sets: Mapping[str, NamedSet],
) -> list[Outlook]:
    """Every fact of a request against the witnesses, by alias."""
    subjects = Subjects.of(documents)

    def opened(alias: str, attribute: Attribute) -> Scalar | None:
        slot = subjects.slot(alias, attribute)
        pair = witnesses[subjects.at(slot)[0]].values[slot % SLOTS]
        return None if pair is None else pair[0]

    return [
        _outlook(fact, opened, sets) for fact in FactList.parse_canonical(request.facts, subjects)
    ]


def _outlook(
    fact: Sentence,
    opened: Callable[[str, Attribute], Scalar | None],
    sets: Mapping[str, NamedSet],
) -> Outlook:
    about = fact.mentions if isinstance(fact, LinearFact) else (fact,)
    values = {(each.alias, each.attribute): opened(each.alias, each.attribute) for each in about}
    absent = [each.name for each in about if values[each.alias, each.attribute] is None]
    present = {key: value for key, value in values.items() if value is not None}
    if absent:
        detail = f"{', '.join(dict.fromkeys(absent))} is absent in this document"
    elif isinstance(fact, LinearFact):
        numbers = {key: scalar_integer(value) for key, value in present.items()}
        true = evaluate_linear(fact, lambda *key: numbers[key])
        detail = "" if true else "the fact is false"
    else:
        true = holds(fact, present[fact.alias, fact.attribute], sets)
        detail = "" if true else "the fact is false"
    return Outlook(fact.text, not detail, detail)


def holds(fact: Fact, value: Scalar, sets: Mapping[str, NamedSet]) -> bool:
    """Whether a fact is true of a committed scalar: of a text the vault has the hash alone."""
    return predicate(fact, sets)(value)


def predicate(fact: Fact, sets: Mapping[str, NamedSet]) -> Callable[[Scalar], bool]:
    """`holds` of one fact, for many values."""
    match fact.claim:
        case Between(lo, hi):
            return lambda value: lo <= scalar_integer(value) <= hi
        case AtLeast(bound):
            return lambda value: scalar_integer(value) >= bound
        case AtMost(bound):
            return lambda value: scalar_integer(value) <= bound
        case Equal(expected):
            wanted = value_scalar(fact.attribute, expected)
            return lambda value: value == wanted
        case OneOf(members):
            scalars = [value_scalar(fact.attribute, each) for each in members]
            return lambda value: any(value == each for each in scalars)
        case InSet(name, member):
            named_set(name, fact.attribute, sets)
            listed = sets[name].scalars
            return lambda value: (value in listed) == member


def make_bundle(granted: Granted, *, now: datetime) -> bytes:
    """The bundle's bytes, verified.

    Raises CannotProveError, for the custodian alone, when a fact is false or its value absent.
    """
    bad = [
        each
        for each in outlooks(
            granted.request,
            {alias: each.schema for alias, each in granted.documents.items()},
            {alias: each.witness for alias, each in granted.documents.items()},
            granted.sets,
        )
        if not each.provable
    ]
    if bad:
        raise CannotProveError("; ".join(f"{each.fact}: {each.detail}" for each in bad))
    bundle = prove_bundle(
        request=granted.request.data,
        context=_context(granted),
        documents=granted.documents,
        grant_envelope=granted.grant_envelope,
        sets=granted.sets,
    )
    verify_bundle(
        bundle,
        trust=trust_in(
            granted,
            schemas=[each.schema for each in granted.attestations],
            assets=[each.asset for each in granted.attestations],
        ),
        expectation=Expectation.for_request(granted.request.data),
        sets=list(granted.sets.values()),
        now=now,
    )
    return bundle


def _context(granted: Granted) -> Context:
    """The granted time, cut to what the attestation and the sets allow."""
    request, grant = granted.request, granted.grant
    ends = [grant.bundle_expires, *(each.valid_until for each in granted.attestations)]
    ends += [each.header.valid_until for each in granted.sets.values()]
    return Context.answering(request, not_before=grant.not_before, expires=min(ends))


class Signers(Protocol):
    """Whose signatures a bundle carries, and for which request."""

    @property
    def request(self) -> Request:
        """The request that is answered."""

    @property
    def custodian(self) -> PrincipalRecord:
        """Who attested and granted."""

    @property
    def authorities(self) -> tuple[PrincipalRecord, ...]:
        """Who signed the sets of the request."""


def trust_in(granted: Signers, *, schemas: Iterable[str], assets: Iterable[str]) -> Trust:
    """What a verifier who pinned exactly these principals would believe."""
    custodian = granted.custodian
    authorities = {each.key_id: each for each in granted.authorities}
    return Trust(
        custodians=(
            TrustedCustodian(
                name_zh=custodian.uri,
                name_en=custodian.uri,
                key=custodian.signing_key,
                keyid=custodian.key_id,
                valid_from=custodian.valid_from,
                valid_until=custodian.valid_until,
                schemas=frozenset(schemas),
                assets=tuple(assets),
            ),
        ),
        authorities=tuple(
            TrustedAuthority(
                name_zh=each.uri,
                name_en=each.uri,
                key=each.signing_key,
                keyid=key,
                valid_from=each.valid_from,
                valid_until=each.valid_until,
            )
            for key, each in authorities.items()
        ),
        sets=tuple(
            TrustedSet(name=each.name, authority=each.authority, least_version=1)
            for each in granted.request.sets
        ),
    )
