"""Cases for checks that no vector and no forgery reaches: one attack each, by step.

As everywhere, the proof is right for what stands in the bundle, so only the check in question
can refuse it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from proofs import canonical, envelope, equation, group, norm_linear
from proofs.arguments import members_of, prove_arguments
from proofs.attestation import Attestation
from proofs.bundle import write_bundle
from proofs.claims import Claims
from proofs.context import Context
from proofs.envelope import Envelope, PayloadType
from proofs.generators import G
from proofs.grant import Grant, GrantedDocument
from proofs.group import ONE
from proofs.membership import verify_membership
from proofs.membership_pieces import prove_pieces, verify_pieces
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.range_proof import verify_ranges
from proofs.request import RequestedDocument
from proofs.sets import MAX_SET_SIZE, PIECE_SIZE, ScalarSet
from proofs.statement import Membership, SetRef, Statement
from proofs.transcript import Transcript
from proofs.verify import Verified, check_all_but_equations
from proofs.verify_sets import set_at_hand
from proofs.witness import Witness
from support import bundles, naive_membership
from support.bundles import (
    ASSET,
    AUDIENCE,
    AUTHORITY,
    DAY,
    NOW,
    SMALL_FACTS,
    STRANGER,
    answering,
    attestation,
    context_for,
    named_set,
    parts,
    private_key,
    request,
    schema,
)
from support.checks import few, pinning, text
from support.forgetful import START, knowing
from support.forging import around, asking, check
from support.ranges import commit

MINUTE = timedelta(minutes=1)
LISTED = ("owner not in @sanctions",)
Named = tuple[str, Callable[[], object]]


def cases() -> Iterator[Named]:
    """Names and what is run."""
    yield from _grants_and_times()
    yield from _sets()
    yield from _expectations()
    yield from _arguments()
    yield from _memberships()
    yield from _envelopes()


def _grants_and_times() -> Iterator[Named]:
    def granted(**changes: object) -> None:
        check(few(grant_changes=tuple(changes.items())).forge())

    def timed(**changes: object) -> None:
        found = few()
        check(replace(found, context=context_for(found.request, **changes)).forge())

    attested = Attestation.parse(attestation())
    yield "a grant from the future", lambda: granted(granted_at=NOW + 6 * MINUTE)
    yield (
        "a grant from before its key",
        lambda: check(
            few(grant_changes=(("granted_at", NOW - 170 * DAY),)).forge(),
            pinned=pinning({"valid_from": text(NOW - 3 * DAY)}),
        ),
    )
    yield (
        "a grant for another version",
        lambda: granted(documents=[GrantedDocument("doc", attested.document, 1, attested.digest)]),
    )
    yield "a bundle before its grant", lambda: timed(not_before=NOW - 2 * DAY)
    yield (
        "a key before its time",
        lambda: check(few().build(), pinned=pinning({"valid_from": text(NOW + 6 * MINUTE)})),
    )
    yield "a fact about what is absent", _absent
    yield (
        "an attestation of fewer attributes",
        lambda: Attestation.parse(
            attestation(commitments=bundles.witness().commitments()[1:])
        ).check_schema(schema()),
    )
    context = context_for(few().request)
    for name, change in (
        ("a request that is no digest", {"request": "x"}),
        ("a nonce that is none", {"nonce": "x"}),
    ):
        yield (
            f"a context with {name}",
            lambda change=change: Context(
                **{each: getattr(context, each) for each in context.__slots__} | change
            ),
        )
    yield (
        "one document granted twice",
        lambda: (
            few(
                grant_changes=(
                    (
                        "documents",
                        [GrantedDocument(each, "0" * 32, 2, "00" * 32) for each in ("a", "b")],
                    ),
                )
            ).grant
        ),
    )
    yield "a selection granted with a field more", _granted_selection
    yield "a verdict of one's own", _own_verdict
    yield (
        "a bundle past its limit",
        lambda: write_bundle(
            context=context,
            schemas=[schema().encode()],
            documents=[],
            grant=Envelope.parse(few().grant_envelope),
            facts=SMALL_FACTS,
            sets=(),
            proof=bytes(25 << 20),
        ),
    )


def _absent() -> None:
    commitments = (*bundles.witness().commitments()[:5], None, None)
    found = parts(LISTED, attestation=attestation(commitments=commitments))
    tree = json.loads(parts(LISTED).build())
    tree["context"] = found.context.to_json()
    tree["grants"] = [json.loads(found.grant_envelope)]
    tree["documents"][0]["envelope"] = json.loads(found.attestation_envelope)
    check(canonical.dump(tree))


def _granted_selection() -> None:
    tree = json.loads(few().grant)
    del tree["documents"]
    tree["selection"] = {"attestations": "00" * 32, "count": 2, "zz": "1"}
    Grant.parse(canonical.dump(tree))


def _own_verdict() -> None:
    found = check(few().build())
    names = [each for each in Verified.__slots__ if hasattr(found, each)]
    Verified(**{name: getattr(found, name) for name in names}, _token=object())


def _sets() -> Iterator[Named]:
    def with_set(found: NamedSet, **options: object) -> None:
        asked = request(LISTED, sets=[found.reference])
        data = answering(parts(LISTED), asked, sets=(found,)).build()
        check(data, held=(found,), **options)  # type: ignore[arg-type]

    def reissued(**changes: object) -> NamedSet:
        header = replace(named_set().header, **changes)  # type: ignore[arg-type]
        signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
        return NamedSet.assemble(Envelope.parse(signed), named_set().members)

    def under_the_authoritys_name() -> NamedSet:
        mine = named_set("sanctions", signer=STRANGER, extra=("My Rival",))
        keyid = named_set().envelope.keyid
        return NamedSet.assemble(replace(mine.envelope, keyid=keyid), mine.members)

    yield "a bundle that outlives a set", lambda: with_set(named_set(valid_days=14))
    yield "an expired set", lambda: with_set(named_set(valid_days=0))
    yield "a set from the future", lambda: with_set(reissued(issued=NOW + 6 * MINUTE))
    yield "a set under a forged signature", lambda: with_set(under_the_authoritys_name())
    for field, instant in (("valid_from", NOW - 9 * DAY), ("valid_until", NOW)):
        yield (
            f"a set by a key with another {field}",
            lambda field=field, instant=instant: with_set(
                named_set(), pinned=pinning(authority={field: text(instant)})
            ),
        )
    yield "a required set not at hand", lambda: set_at_hand("fuels", bundles.trust(), (), NOW)
    yield (
        "a required set that expired",
        lambda: set_at_hand("sanctions", bundles.trust(), (named_set(valid_days=0),), NOW),
    )
    yield (
        "a set of too many",
        lambda: ScalarSet((b"",) * (MAX_SET_SIZE + 1), b"name", None),
    )
    yield "the polynomial of a set in pieces", lambda: _wide().polynomial


def _wide() -> ScalarSet:
    encodings = tuple(each.to_bytes(32, "big") for each in range(PIECE_SIZE + 1))
    return ScalarSet(encodings, b"name", None)


def _expectations() -> Iterator[Named]:
    def expecting(*changes: dict[str, object], **options: object) -> None:
        asked = [request(SMALL_FACTS, **each) for each in changes]
        check(few().build(), expectation=Expectation.for_requests(asked, **options))  # type: ignore[arg-type]

    yield "no request at all", lambda: Expectation.for_requests([])
    yield "none of two requests", lambda: expecting({"nonce": "00" * 32}, {"nonce": "11" * 32})
    yield (
        "an asset beside the requests",
        lambda: Expectation.for_request(few().request.data, assets=["cn-pv-1"]),
    )
    yield (
        "an asset that no bundle is about",
        lambda: check(
            few().build(),
            expectation=Expectation.for_audience(AUDIENCE, nonce="5a" * 32, assets=["cn-pv-1"]),
        ),
    )
    yield (
        "an asset that hides",
        lambda: Expectation.for_audience(AUDIENCE, nonce=None, assets=["cn pv"]),
    )
    for name, changes in (
        ("asset", {"documents": [RequestedDocument("doc", "cn-pv-1", schema().digest)]}),
        ("schema", {"documents": [RequestedDocument("doc", ASSET, "00" * 32)]}),
        ("beginning", {"created": NOW - 2 * DAY}),
        ("purpose", {"purpose": "Another purpose"}),
        ("list of facts", {"facts": ["annual_yield >= 0.05"]}),
    ):
        yield f"a request with another {name}", lambda changes=changes: expecting(changes)


def _arguments() -> Iterator[Named]:
    def proving(found: str, witness: Witness) -> None:
        def prover(claims: Claims, statement: Statement) -> bytes:
            return prove_arguments(claims, statement, [witness], {})

        around(asking(found), prover)

    known = bundles.witness()
    yield "a value that is not shown", lambda: proving("province = Anhui", known)
    yield (
        "a witness that lacks a value",
        lambda: proving("annual_yield >= 0.08", Witness((None,) * 7, {})),
    )
    reference = Membership(0, 0, True, SetRef("fuels", "00" * 32))
    yield "a set that the prover lacks", lambda: members_of(reference, {})
    yield (
        "a set of another digest than the statement's",
        lambda: members_of(reference, {"fuels": named_set("fuels").scalars}),
    )
    statement = commit([5], 4)
    proof = statement.prove()
    for label in ("e", "rho", "x", "y", "lambda", "t"):
        yield (
            f"a range argument with {label} zero",
            lambda label=label: statement.equation(proof, knowing(**{label: 0})()),
        )
    for size in (575, 577):
        yield (
            f"a range argument of {size} bytes",
            lambda size=size: verify_ranges(
                Transcript(START), statement.points, statement.encodings, bytes(size), digits=4
            ),
        )
        yield (
            f"a norm-linear argument of {size} bytes",
            lambda size=size: norm_linear.verify(
                Transcript(START),
                (proof[192:] + b"\0")[: size - 192],
                constraint=[ONE] * 8,
                norm_length=16,
                rho=ONE,
            ),
        )
    yield (
        "an equation that does not hold",
        lambda: equation.check([equation.Equation((G,), [ONE], [], [])]),
    )
    yield (
        "an equation of a batch that does not hold",
        lambda: equation.check(
            [equation.Equation((G,), [group.ZERO], [], []), equation.Equation((G,), [ONE], [], [])]
        ),
    )
    yield (
        "all but the equations",
        lambda: check_all_but_equations(
            few().build(),
            trust=bundles.trust(),
            expectation=Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
            sets=(),
            now=NOW,
        ),
    )


def _memberships() -> Iterator[Named]:
    inside = naive_membership.Statement(naive_membership.make_set(*range(10, 18)), group.scalar(12))
    small = naive_membership.Statement(naive_membership.make_set(*range(10, 14)), group.scalar(12))
    proof = naive_membership.prove(Transcript(START), small, member=True)
    yield (
        "a membership with x zero",
        lambda: verify_membership(
            knowing(x=0)(), small.commitment, small.encoding, small.members, proof, member=True
        ),
    )

    def proving(statement: naive_membership.Statement, *, member: bool) -> bytes:
        return prove_pieces(
            Transcript(START),
            statement.value,
            statement.blinding,
            statement.encoding,
            statement.members,
            member=member,
            piece_size=4,
        )

    def verifying(data: bytes, transcript: Transcript | None = None) -> None:
        verify_pieces(
            transcript or Transcript(START),
            inside.commitment,
            inside.encoding,
            inside.members,
            data,
            member=True,
            piece_size=4,
        )

    whole = proving(inside, member=True)
    share = int.from_bytes(whole[480:512], "big")
    outside = naive_membership.Statement(inside.members, group.scalar(9))
    yield "a member of a piece as none", lambda: proving(inside, member=False)
    yield "no member of any piece", lambda: proving(outside, member=True)
    yield "pieces of one piece", lambda: proving(small, member=True)
    yield "pieces cut off", lambda: verifying(whole[:-1])
    yield "pieces extended", lambda: verifying(whole + b"\0")
    yield "a share of zero", lambda: verifying(whole[:480] + bytes(32) + whole[512:])
    yield "the rest of the shares zero", lambda: verifying(whole, knowing(x=share)())


def _envelopes() -> Iterator[Named]:
    key, payload = private_key(bundles.CUSTODIAN), few().grant
    signed = Envelope.parse(few().grant_envelope)
    for name, public in (
        ("of 31 bytes", bytes(31)),
        ("past the field", b"\xff" * 32),
        ("of small order", b"\1" + bytes(31)),
        ("off the curve", b"\2" + bytes(31)),
    ):
        yield f"a key {name}", lambda public=public: envelope.check_public_key(public)
        yield f"a key id {name}", lambda public=public: envelope.key_id(public)
        yield (
            f"verifying with a key {name}",
            lambda public=public: signed.verify(public, PayloadType.GRANT),
        )
    yield (
        "a grant under another pinned key",
        lambda: signed.verify(bundles.public_key(AUTHORITY), PayloadType.GRANT),
    )
    yield "an empty payload", lambda: envelope.sign(PayloadType.GRANT, b"", key)
    yield "a long payload", lambda: envelope.sign(PayloadType.GRANT, payload * 40_000, key)
    for jurisdiction, role in (("hk", "custodian"), ("cn", "spv"), ("hk", "holder")):
        yield (
            f"a grant by {jurisdiction} {role}",
            lambda j=jurisdiction, r=role: envelope.check_signer(PayloadType.GRANT, j, r),
        )
