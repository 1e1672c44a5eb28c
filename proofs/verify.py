"""Checking a bundle offline: the numbered procedure, and the only maker of `Verified`.

Everything that the bundle says is compared with what the verifier pins (trust file, sets) or
demands (`Expectation`); keys, generators, members of sets and parameters never come from it. It
raises with the reason, or returns a `Verified`; there is no third outcome, and no partial one.
It reads no file, no clock and no network: all of that is handed in.

SPEC.md, "Verification procedure".
"""

# The procedure, in which `check_all_but_equations` numbers every step. Where a bundle about
# documents by alias and one about a selection differ, the steps stand in `verify_documents` and
# `verify_list`.
#
#  1  Parse. The bytes are the one spelling of a bundle of this version, every size bounded.
#     Stops: two spellings of one bundle, unknown fields that others read, exhausted memory.
#  2  Signer. One signature on each attestation, or on the manifest in their place, of its type,
#     all by the same custodian's key, pinned in the trust file and valid now.
#     Stops: keys from the message, another type's signature passed off, retired keys.
#  3  Attestations and schemas. Each valid now, made within the key's validity; the schemas carried
#     are the ones attested, no more, with as many commitments; schema and asset are in the
#     custodian's scope; no document, attestation, or asset under one schema stands twice. Rows
#     that stand with a manifest are the ones that it signed.
#     Stops: another unit, scale or date under the same numbers, stale facts, a custodian of one
#     asset vouching for another, one document counted twice in a sum.
#  4  Grant. Signed by the same key, valid now, for these attestations, documents, versions and
#     aliases (or this list and this manifest), for these sets, and for exactly the request that
#     the bundle's own parts spell out.
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

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Final, TypeAlias

from proofs import equation
from proofs.bundle import Bundle
from proofs.context import Context
from proofs.envelope import PayloadType
from proofs.equation import Equation
from proofs.errors import ContextError, GrantError
from proofs.grant import Grant
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import Request
from proofs.requirements import Met
from proofs.trust import Trust, TrustedCustodian
from proofs.validity import check_signed_within, in_the_future, say
from proofs.verify_documents import DocumentsEvidence, VerifiedDocument, check_documents
from proofs.verify_list import ListEvidence, VerifiedSelection, check_list
from proofs.verify_sets import VerifiedSet, check_sets, set_at_hand

Evidence: TypeAlias = DocumentsEvidence | ListEvidence

_TOKEN: Final = object()


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified, and nothing that was not. Only this module can make one.

    It is about `documents`, or about a `selection` of many.
    """

    bundle: str
    context: Context
    documents: tuple[VerifiedDocument, ...]
    selection: VerifiedSelection | None
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
    evidence = (  # 2, 3
        check_documents(bundle, trust, now)
        if bundle.selection is None
        else check_list(bundle, bundle.selection, trust, now)
    )
    grant, answered = _check_grant(bundle, evidence, now)  # 4
    _check_time(bundle.context, evidence, grant, now)  # 5
    expectation.check(answered, evidence.assets)  # 6
    found = check_sets(bundle, trust, sets, now)  # 7
    by_name = {each.named.name: each.named for each in found}
    met, equations, selection = evidence.check_facts(  # 8, 9
        bundle,
        grant,
        by_name,
        expectation,
        lambda name: by_name.get(name) or set_at_hand(name, trust, sets, now),
        now,
    )
    verified = Verified(
        bundle=bundle.digest,
        context=bundle.context,
        documents=evidence.documents,
        selection=selection,
        custodian=evidence.custodian,
        grant=grant,
        facts=bundle.facts,
        sets=found,
        met=met,
        checked_at=now,
        _token=_TOKEN,
    )
    return Checked(verified, equations)


def _check_grant(bundle: Bundle, evidence: Evidence, now: datetime) -> tuple[Grant, Request]:
    """Step 4. The request is rebuilt from the bundle, for the grant names it by its digest only.

    Were `context.request` believed instead, a vault could put other facts, another audience or
    another purpose beside the digest of the one request that the custodian saw.
    """
    signed = bundle.grant
    if signed.keyid != evidence.custodian.keyid:
        raise GrantError("the grant is signed by another key than the attestation")
    grant = Grant.parse(signed.verify(evidence.custodian.key, PayloadType.GRANT))
    if in_the_future(grant.granted_at, now):
        raise GrantError("the grant was given in the future")
    if grant.expires <= now:
        raise GrantError(f"the grant expired at {say(grant.expires)}")
    check_signed_within(evidence.custodian, grant.granted_at, "grant")
    evidence.check_granted(grant)
    if grant.sets != bundle.sets:
        raise GrantError("the grant is for other sets than the bundle's")
    if grant.request != bundle.context.request:
        raise GrantError("the grant is for another request")
    context = bundle.context
    documents, selection = evidence.asked()
    answered = Request.build(
        documents=documents,
        selection=selection,
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


def _check_time(context: Context, evidence: Evidence, grant: Grant, now: datetime) -> None:
    """Step 5."""
    if in_the_future(context.not_before, now):
        raise ContextError(f"the bundle is not valid before {say(context.not_before)}")
    if context.expires <= now:
        raise ContextError(f"the bundle expired at {say(context.expires)}")
    if context.not_before < grant.not_before:
        raise ContextError("the bundle begins before its grant allows")
    if context.expires > min(grant.bundle_expires, grant.expires):
        raise ContextError("the bundle outlives its grant")
    if context.expires > evidence.valid_until:
        raise ContextError("the bundle outlives its attestation")
