"""Checking a bundle offline: the numbered procedure, and the only maker of `Verified`.

Everything that the bundle says is compared with what the verifier pins (trust file, sets) or
demands (`Expectation`); keys, generators, members of sets and parameters never come from it. It
raises with the reason, or returns a `Verified`; there is no third outcome, and no partial one.
It reads no file, no clock and no network: all of that is handed in.

SPEC.md, "Verification procedure".
"""

# The procedure. Each step is a function below that carries its number.
#
#  1  Parse. The bytes are the one spelling of a bundle of this version, every size bounded.
#     Stops: two spellings of one bundle, unknown fields that others read, exhausted memory.
#  2  Attestations' signer. One signature each, of the attestation type, all by the same
#     custodian's key, pinned in the trust file and valid now.
#     Stops: keys from the message, another type's signature passed off, retired keys.
#  3  Attestations and schemas. Each valid now, made within the key's validity; the schemas carried
#     are the ones attested, no more, with as many commitments; schema and asset are in the
#     custodian's scope; no document, attestation, or asset under one schema stands twice.
#     Stops: another unit, scale or date under the same numbers, stale facts, a custodian of one
#     asset vouching for another, one document counted twice in a sum.
#  4  Grant. Signed by the same key, valid now, for these attestations, documents, versions and
#     aliases, for these sets, and for exactly the request that the bundle's own parts spell out.
#     Stops: a vault that proves without consent, or takes one consent for other facts, another
#     audience or another document.
#  5  Time. The bundle is valid now, and no longer than grant and attestations allow.
#     Stops: replay of an old bundle, a bundle that outlives what it rests on.
#  6  Expectation. Audience, nonce, purpose, asset, schema, facts: those that the verifier said.
#     Stops: a bundle made for somebody else, or for another question, handed on.
#  7  Named sets. Each is the one that the trust file's authority signed, at hand in full, valid
#     now, not older than pinned, of the bundle's digest, and outlives the bundle.
#     Stops: an old list without the newest names, a list of one's own under a known name.
#  8  Facts. In canonical form, readable under the schema, allowed by class, about exactly these
#     sets and of their types; compiled here to the statement that is proven. What the verifier
#     requires of an asset follows from them.
#     Stops: literals past the group's order, `not in` a list of another type, a statement that
#     says less than the sentence shown, true facts that are not the ones that matter.
#  9  Proof. Of exactly the statement's length; commitments in the group; all arguments hold, on
#     one transcript that began with everything above, in one multi-scalar multiplication.
#     Stops: false facts, and parts swapped after proving.
# 10  Log evidence: none in this version; a bundle that carries some has an unknown field (1).
#
# "Now" is the verifier's clock. Beginnings are checked with five minutes' grace for clocks that
# differ, ends without.

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from proofs import equation
from proofs.arguments import verify_arguments
from proofs.attestation import Attestation
from proofs.bundle import Bundle
from proofs.claims import ClaimedDocument, Claims, bound_commitments
from proofs.classes import check_facts
from proofs.context import Context
from proofs.envelope import PayloadType
from proofs.equation import Equation
from proofs.errors import (
    BindingError,
    CannotProveError,
    ContextError,
    GrantError,
    SetError,
    TrustError,
)
from proofs.facts import FactList, Sentence
from proofs.grant import Grant
from proofs.ids import digest_of
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import Request, RequestedDocument
from proofs.requirements import Met, Subject
from proofs.schema import Schema
from proofs.statement import compile_facts
from proofs.subjects import Subjects
from proofs.trust import Signer, Trust, TrustedAuthority, TrustedCustodian

CLOCK_SKEW: Final = timedelta(minutes=5)

_TOKEN: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedSet:
    """A named set that facts were proven about."""

    named: NamedSet
    authority: TrustedAuthority


@dataclass(frozen=True, slots=True)
class VerifiedDocument:
    """A document that facts were proven about, under its alias."""

    alias: str
    attestation: Attestation
    schema: Schema


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified, and nothing that was not. Only this module can make one."""

    bundle: str
    context: Context
    documents: tuple[VerifiedDocument, ...]
    custodian: TrustedCustodian
    grant: Grant
    facts: tuple[str, ...]
    sets: tuple[VerifiedSet, ...]
    met: tuple[Met, ...]
    checked_at: datetime
    # Not a field: `dataclasses.replace` would hand it on to a copy with other facts.
    _token: InitVar[object]

    def __post_init__(self, _token: object) -> None:
        if _token is not _TOKEN:
            raise TypeError("a Verified is made by verify_bundle alone")


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle that passed everything but its equations: `if_proven` is true only if they hold."""

    if_proven: Verified
    equations: list[Equation]


def verify_bundle(
    data: bytes,
    *,
    trust: Trust,
    expectation: Expectation,
    sets: Sequence[NamedSet],
    now: datetime,
) -> Verified:
    """Check one bundle.

    Args:
        data: the bundle file's bytes.
        trust: whom the verifier believes.
        expectation: what the verifier asked for.
        sets: the set files that the verifier holds, read; more than needed does no harm.
        now: the verifier's clock, aware.

    Raises:
        CrossproofError: of the class of the step that failed, saying why. Never anything else.
    """
    checked = check_all_but_equations(
        data, trust=trust, expectation=expectation, sets=sets, now=now
    )
    equation.check(checked.equations)
    return checked.if_proven


def check_all_but_equations(
    data: bytes,
    *,
    trust: Trust,
    expectation: Expectation,
    sets: Sequence[NamedSet],
    now: datetime,
) -> Checked:
    """Steps 1 to 8, and the proof's equations, not yet checked: for who checks many at once."""
    bundle = Bundle.parse(data)  # 1
    custodian, payloads = _check_signer(bundle, trust, now)  # 2
    documents = _check_attestations(bundle, payloads, custodian, now)  # 3
    grant, answered = _check_grant(bundle, documents, custodian, now)  # 4
    _check_time(bundle.context, documents, custodian, grant, now)  # 5
    expectation.check(answered, [each.attestation.asset for each in documents])  # 6
    found = _check_sets(bundle, trust, sets, now)  # 7
    by_name = {each.named.name: each.named for each in found}
    subjects = Subjects.of({each.alias: each.schema for each in documents})
    facts = _check_facts(bundle, subjects, by_name)  # 8
    met = expectation.required.check(
        list(facts),
        [Subject(each.alias, each.attestation.asset, each.schema) for each in documents],
        find_set=lambda name: by_name.get(name) or _at_hand(name, trust, sets, now),
        now=now,
    )
    statement = compile_facts(facts, subjects, {each.name: each.digest for each in bundle.sets})
    claims = Claims(
        context=bundle.context,
        documents=tuple(
            ClaimedDocument(
                each.alias, each.attestation.schema, each.attestation.digest, custodian.keyid
            )
            for each in documents
        ),
        grant=grant.digest,
        grant_signer=bundle.grant.keyid,
        sets=bundle.sets,
        facts=bundle.facts,
        statement=statement.encode(),
        commitments=_commitments(documents, subjects, statement.attributes),
    )
    scalars = {name: each.scalars for name, each in by_name.items()}
    equations = verify_arguments(claims, statement, bundle.proof, scalars)  # 9
    verified = Verified(
        bundle=bundle.digest,
        context=bundle.context,
        documents=documents,
        custodian=custodian,
        grant=grant,
        facts=bundle.facts,
        sets=found,
        met=met,
        checked_at=now,
        _token=_TOKEN,
    )
    return Checked(verified, equations)


def _check_signer(
    bundle: Bundle, trust: Trust, now: datetime
) -> tuple[TrustedCustodian, list[bytes]]:
    """Step 2."""
    first, *others = (each.envelope for each in bundle.documents)
    custodian = trust.custodian(first.keyid)
    _check_key(custodian, now)
    for each in others:
        if each.keyid != custodian.keyid:
            raise TrustError("the documents are attested by several keys; one custodian grants")
    return custodian, [
        each.envelope.verify(custodian.key, PayloadType.ATTESTATION) for each in bundle.documents
    ]


def _check_attestations(
    bundle: Bundle, payloads: Sequence[bytes], custodian: TrustedCustodian, now: datetime
) -> tuple[VerifiedDocument, ...]:
    """Step 3."""
    schemas = {digest_of(each): each for each in bundle.schemas}
    if list(schemas) != sorted(schemas) or len(schemas) != len(bundle.schemas):
        raise BindingError("the schemas are not in the order of their digests, each once")
    documents: list[VerifiedDocument] = []
    for entry, payload in zip(bundle.documents, payloads, strict=True):
        attestation = Attestation.parse(payload)
        if attestation.attested_at - CLOCK_SKEW > now:
            raise BindingError("the attestation was made in the future")
        if attestation.valid_until <= now:
            raise BindingError(f"the attestation expired at {_say(attestation.valid_until)}")
        _check_signed_within(custodian, attestation.attested_at, "attestation")
        carried = schemas.get(attestation.schema)
        if carried is None:
            raise BindingError("the bundle carries another schema than the one attested")
        schema = _parse_schema(carried)
        attestation.check_presence(schema)
        custodian.check_scope(schema=attestation.schema, asset=attestation.asset)
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


def _check_grant(
    bundle: Bundle,
    documents: Sequence[VerifiedDocument],
    custodian: TrustedCustodian,
    now: datetime,
) -> tuple[Grant, Request]:
    """Step 4. The request is rebuilt from the bundle, for the grant names it by its digest only.

    Were `context.request` believed instead, a vault could put other facts, another audience or
    another purpose beside the digest of the one request that the custodian saw.
    """
    signed = bundle.grant
    if signed.keyid != custodian.keyid:
        raise GrantError("the grant is signed by another key than the attestation")
    grant = Grant.parse(signed.verify(custodian.key, PayloadType.GRANT))
    if grant.granted_at - CLOCK_SKEW > now:
        raise GrantError("the grant was given in the future")
    if grant.expires <= now:
        raise GrantError(f"the grant expired at {_say(grant.expires)}")
    _check_signed_within(custodian, grant.granted_at, "grant")
    if [each.alias for each in grant.documents] != [each.alias for each in documents]:
        raise GrantError("the grant gives the documents other aliases")
    for granted, each in zip(grant.documents, documents, strict=True):
        attested = each.attestation
        if granted.attestation != attested.digest:
            raise GrantError("the grant is for another attestation")
        if (granted.document, granted.version) != (attested.document, attested.version):
            raise GrantError("the grant is for another document or version")
    if grant.sets != bundle.sets:
        raise GrantError("the grant is for other sets than the bundle's")
    if grant.request != bundle.context.request:
        raise GrantError("the grant is for another request")
    context = bundle.context
    answered = Request.build(
        documents=[
            RequestedDocument(each.alias, each.attestation.asset, each.attestation.schema)
            for each in documents
        ],
        facts=bundle.facts,
        sets=bundle.sets,
        audience=context.audience,
        purpose=context.purpose,
        nonce=context.nonce,
        created=context.requested_at,
        expires=context.request_expires,
    )
    if answered.digest != grant.request:
        raise GrantError("the grant is for a request with other facts, asset or context")
    return grant, answered


def _check_time(
    context: Context,
    documents: Sequence[VerifiedDocument],
    custodian: TrustedCustodian,
    grant: Grant,
    now: datetime,
) -> None:
    """Step 5."""
    if context.not_before - CLOCK_SKEW > now:
        raise ContextError(f"the bundle is not valid before {_say(context.not_before)}")
    if context.expires <= now:
        raise ContextError(f"the bundle expired at {_say(context.expires)}")
    if context.not_before < grant.not_before:
        raise ContextError("the bundle begins before its grant allows")
    if context.expires > min(grant.bundle_expires, grant.expires):
        raise ContextError("the bundle outlives its grant")
    if context.expires > min(each.attestation.valid_until for each in documents):
        raise ContextError("the bundle outlives its attestation")


def _check_sets(
    bundle: Bundle, trust: Trust, sets: Sequence[NamedSet], now: datetime
) -> tuple[VerifiedSet, ...]:
    """Step 7."""
    found: list[VerifiedSet] = []
    for reference in bundle.sets:
        if reference.authority != trust.set(reference.name).authority:
            raise SetError(f"@{reference.name}: signed by another authority than the pinned one")
        named = _choose(reference.name, reference.digest, sets)
        authority = check_named_set(named, trust, now)
        if bundle.context.expires > named.header.valid_until:
            raise SetError(f"@{reference.name}: the bundle outlives it")
        found.append(VerifiedSet(named, authority))
    return tuple(found)


def check_named_set(named: NamedSet, trust: Trust, now: datetime) -> TrustedAuthority:
    """That a set is the one that its name means, now; gives the authority that signed it.

    Raises:
        TrustError: the name or the key is not pinned, or the key is not valid now or was not at
            issue.
        SignatureError: another key's signature, or none that holds.
        SetError: from the future, expired, or older than the trust file asks for.
    """
    pinned = trust.set(named.name)
    authority = trust.authority(pinned.authority)
    _check_key(authority, now)
    named.verify(authority.key)
    header = named.header
    if header.issued - CLOCK_SKEW > now:
        raise SetError(f"@{named.name}: issued in the future")
    if header.valid_until <= now:
        raise SetError(f"@{named.name}: expired at {_say(header.valid_until)}")
    _check_signed_within(authority, header.issued, f"set @{named.name}")
    if header.version < pinned.least_version:
        raise SetError(
            f"@{named.name}: version {header.version}, "
            f"the trust file asks for {pinned.least_version} at least"
        )
    return authority


def _at_hand(name: str, trust: Trust, sets: Sequence[NamedSet], now: datetime) -> NamedSet:
    """The latest set of this name that the verifier holds: what a fact means that it requires."""
    held = [each for each in sets if each.name == name]
    if not held:
        raise SetError(f"@{name}: give its file with --set")
    found = max(held, key=lambda each: each.header.version)
    check_named_set(found, trust, now)
    return found


def _choose(name: str, digest: str, sets: Sequence[NamedSet]) -> NamedSet:
    at_hand = [each for each in sets if each.name == name]
    if not at_hand:
        raise SetError(f"@{name}: give its file with --set")
    same = [each for each in at_hand if each.header.digest == digest]
    if not same:
        raise SetError(f"@{name}: proven about another version than the file given with --set")
    # The same members may have been signed again with a later end.
    return max(same, key=lambda each: each.header.version)


def _check_facts(
    bundle: Bundle, subjects: Subjects, sets: dict[str, NamedSet]
) -> FactList[Sentence]:
    """Step 8."""
    facts = FactList.parse_canonical(bundle.facts, subjects)
    if sorted(facts.set_names) != list(sets):
        raise BindingError("the bundle names other sets than its facts are about")
    check_facts(facts, subjects, sets)
    return facts


def _commitments(
    documents: Sequence[VerifiedDocument], subjects: Subjects, slots: Iterable[int]
) -> tuple[tuple[int, bytes], ...]:
    try:
        return bound_commitments([each.attestation for each in documents], subjects, slots)
    except CannotProveError as error:
        raise BindingError(str(error)) from None


@lru_cache(maxsize=64)
def _parse_schema(data: bytes) -> Schema:
    return Schema.parse(data)


def _check_key(signer: Signer, now: datetime) -> None:
    if signer.valid_from - CLOCK_SKEW > now:
        raise TrustError(f"{signer.name_en}: its key is not valid before {_say(signer.valid_from)}")
    if signer.valid_until <= now:
        raise TrustError(f"{signer.name_en}: its key expired at {_say(signer.valid_until)}")


def _check_signed_within(signer: Signer, instant: datetime, what: str) -> None:
    if not signer.valid_from <= instant < signer.valid_until:
        raise TrustError(f"{signer.name_en}: its key was not valid when it signed the {what}")


def _say(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
