"""For tests that attack the whole verifier: a bundle around any proof, and a refusal twice over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from proofs.arguments import prove_arguments
from proofs.bundle import BundleDocument, write_bundle
from proofs.claims import ClaimedDocument, Claims, bound_commitments
from proofs.envelope import Envelope
from proofs.errors import CrossproofError
from proofs.facts import FactList
from proofs.group import Scalar
from proofs.ids import digest_of
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.statement import Statement, compile_facts
from proofs.trust import Trust
from proofs.verify import Verified, verify_bundle
from proofs.verify_many import verify_many
from support.bundles import (
    AUDIENCE,
    NOW,
    SMALL_FACTS,
    Parts,
    answering,
    parts,
    request,
    schema,
    sets,
    small,
    trust,
    witness,
)

Prover = Callable[[Claims, Statement], bytes]


def check(
    data: bytes,
    *,
    pinned: Trust | None = None,
    held: tuple[NamedSet, ...] | None = None,
    expectation: Expectation | None = None,
    now: datetime = NOW,
) -> Verified:
    """Verify alone, with what an honest verifier holds."""
    return verify_bundle(
        data,
        trust=pinned or trust(),
        expectation=expectation or Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
        sets=sets() if held is None else held,
        now=now,
    )


def refused(error: type[CrossproofError], message: str, *bundles: bytes, **options: object) -> None:
    """Each bundle is refused alone with this reason, and all of them together beside a good one."""
    for data in bundles:
        with pytest.raises(error, match=message):
            check(data, **options)  # type: ignore[arg-type]
    if options:
        return
    found = verify_many(
        [small()[1], *bundles, small()[1]],
        trust=trust(),
        expectation=Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
        sets=sets(),
        now=NOW,
    )
    outcomes = [type(each) for each in found]
    assert outcomes == [Verified, *[error] * len(bundles), Verified]


def asking(*facts: str, **changes: object) -> Parts:
    """Parts for a request whose facts are taken as they are written, consent and all."""
    names = [each for each in sets() if any(f"@{each.name}" in fact for fact in facts)]
    values: dict[str, object] = {"facts": facts, "sets": [each.reference for each in names]}
    return answering(parts(SMALL_FACTS), request(SMALL_FACTS, **(values | changes)))


def around(found: Parts, prover: Prover) -> bytes:
    """A bundle that is right in everything but the proof, which `prover` makes as it likes."""
    attested = Envelope.parse(found.attestation_envelope)
    granted = Envelope.parse(found.grant_envelope)
    digests = {each.name: each.header.digest for each in found.sets}
    statement = compile_facts(FactList.parse(found.request.facts, schema()), schema(), digests)
    claims = Claims(
        context=found.context,
        documents=(
            ClaimedDocument("doc", found.attested.schema, found.attested.digest, attested.keyid),
        ),
        grant=digest_of(granted.unverified_payload),
        grant_signer=granted.keyid,
        sets=found.request.sets,
        facts=found.request.facts,
        statement=statement.encode(),
        commitments=bound_commitments([found.attested], schema(), statement.attributes),
    )
    return write_bundle(
        context=found.context,
        schemas=[schema().encode()],
        documents=[BundleDocument("doc", attested)],
        grant=granted,
        facts=found.request.facts,
        sets=found.request.sets,
        proof=prover(claims, statement),
    )


def honest(claims: Claims, statement: Statement) -> bytes:
    """What the real prover makes."""
    return prove_arguments(
        claims, statement, [witness()], {each.name: each.scalars for each in sets()}
    )


def opened(attribute: str) -> tuple[Scalar, Scalar, bytes]:
    """Value, blinding and commitment of an attribute of the one document."""
    place = schema().index(attribute)
    pair, commitment = witness().values[place], witness().commitments()[place]
    assert pair is not None
    assert commitment is not None
    return *pair, commitment


def moved(found: Parts, **changes: object) -> Parts:
    """The same parts with another context."""
    return replace(found, context=replace(found.context, **changes))  # type: ignore[arg-type]
