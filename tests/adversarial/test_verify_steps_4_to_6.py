"""Grant, time and expectation: each check by an attack that only it stops.

Where a dishonest prover is needed, `Parts.forge` makes a proof that is right for what stands in
the bundle, so nothing but the named check can refuse it. The numbers are those of SPEC.md,
"Verification procedure".
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from support.bundles import (
    ASSET,
    AUDIENCE,
    CUSTODIAN,
    DAY,
    NOW,
    SMALL_FACTS,
    STRANGER,
    Parts,
    answering,
    attestation,
    context_for,
    named_set,
    private_key,
    request,
    schema,
    signer_entry,
    small,
    trust,
    trust_text,
)
from support.checks import (
    MINUTE,
    changed,
    check,
    few,
    pinning,
    refused,
    text,
)

from proofs import envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import (
    ContextError,
    GrantError,
    PolicyError,
    SignatureError,
    TrustError,
)
from proofs.grant import GrantedDocument
from proofs.policy import Expectation
from proofs.request import RequestedDocument
from proofs.trust import Trust, entry
from proofs.verify import verify_bundle

# --- 4: the grant -------------------------------------------------------------------------------


def test_4_another_signer_than_the_attestations() -> None:
    """Another custodian, pinned as well, cannot consent for this one."""
    second = signer_entry(STRANGER) | {"schemas": [schema().digest], "assets": ["cn-pv-*"]}
    pinned = Trust.parse((trust_text() + entry("custodian", second)).encode())
    refused(GrantError, "another key", few(grant_signer=STRANGER).forge(), pinned=pinned)


def replace_grant(data: bytes, signed: bytes) -> bytes:
    return changed(data, lambda tree: tree.update(grants=[json.loads(signed)]))


def test_4_a_signature_that_does_not_hold() -> None:
    """Consent cannot be edited."""
    signed = Envelope.parse(few().grant_envelope)
    payload = few(grant_changes=(("expires", NOW + 21 * DAY),)).grant
    other = replace(signed, unverified_payload=payload).encode()
    refused(SignatureError, "does not verify", replace_grant(small()[1], other))


def test_4_another_type() -> None:
    """Bytes signed as anything but a grant are no consent."""
    signed = envelope.sign(PayloadType.ATTESTATION, few().grant, private_key(CUSTODIAN))
    refused(SignatureError, "attestation", replace_grant(small()[1], signed))


def grants(*changes: tuple[str, object]) -> Parts:
    return few(grant_changes=changes)


def test_4_times() -> None:
    """Given in the past, not expired, by a key in force when it was given."""
    soon = grants(("granted_at", NOW + 6 * MINUTE)).forge()
    refused(GrantError, "future", soon)
    assert check(grants(("granted_at", NOW + 4 * MINUTE)).forge())
    over = grants(("expires", NOW), ("bundle_expires", NOW)).forge()
    refused(GrantError, "grant expired", over)
    before = grants(("granted_at", NOW - 170 * DAY)).forge()
    pinned = pinning({"valid_from": text(NOW - 3 * DAY)})
    refused(TrustError, "not valid when it signed the grant", before, pinned=pinned)


def test_4_another_attestation_document_version_or_alias() -> None:
    """Consent to one document version is none to another."""
    attested = few().attested
    for message, granted in (
        ("another attestation", GrantedDocument("doc", attested.document, 2, "00" * 32)),
        ("document or version", GrantedDocument("doc", "ff" * 16, 2, attested.digest)),
        ("document or version", GrantedDocument("doc", attested.document, 1, attested.digest)),
        ("alias", GrantedDocument("other", attested.document, 2, attested.digest)),
    ):
        refused(GrantError, message, grants(("documents", [granted])).forge())


def test_4_other_sets() -> None:
    """A list that the custodian did not consent to is not proven about."""
    data = grants(("sets", [named_set().reference])).forge()
    refused(GrantError, "other sets", data)


def test_4_another_requests_grant() -> None:
    """Consent to one request is none to the next, even one that differs in its nonce only."""
    other = request(SMALL_FACTS, nonce="00" * 32)
    refused(GrantError, "another request", grants(("request", other.digest)).forge())


@pytest.mark.parametrize(
    "change",
    [
        {"audience": "Somebody Else"},
        {"purpose": "Another purpose"},
        {"nonce": None},
        {"requested_at": NOW - 2 * DAY},
        {"request_expires": NOW + 2 * DAY},
    ],
)
def test_4_one_consent_used_for_another_context(change: dict[str, object]) -> None:
    """A vault that keeps the granted digest and changes what stands beside it."""
    found = few()
    found = replace(found, context=replace(found.context, **change))  # type: ignore[arg-type]
    expectation = Expectation.for_audience(found.context.audience, nonce=found.context.nonce)
    refused(GrantError, "other facts, asset or context", found.forge(), expectation=expectation)


def test_4_one_consent_used_for_other_facts() -> None:
    """A vault that keeps the granted digest and proves more than was asked."""
    for facts in (("annual_yield >= 0.05",), ("annual_yield >= 0.08", "capacity >= 20 MW")):
        refused(GrantError, "other facts", few().forge(facts=facts))


def test_4_one_consent_used_for_another_asset() -> None:
    """The request named an asset; a document of another one does not answer it."""
    found = few(attestation=attestation(asset="cn-pv-0043"))
    refused(GrantError, "other facts, asset", found.forge())


# --- 5: time ------------------------------------------------------------------------------------


def timed(**changes: object) -> Parts:
    found = few()
    return replace(found, context=context_for(found.request, **changes))


def test_5_before_and_after_its_time() -> None:
    """Five minutes early is forgiven, a second late is not."""
    early = timed(not_before=NOW + 6 * MINUTE).forge()
    refused(ContextError, "not valid before", early)
    assert check(timed(not_before=NOW + 4 * MINUTE).forge())
    refused(ContextError, "expired", timed(expires=NOW).forge())
    assert check(timed(expires=NOW + timedelta(seconds=1)).forge())


def test_5_outside_the_grant() -> None:
    """A bundle lives no longer, and begins no earlier, than the custodian consented to."""
    refused(ContextError, "before its grant", timed(not_before=NOW - 2 * DAY).forge())
    refused(ContextError, "outlives its grant", timed(expires=NOW + 21 * DAY).forge())


def test_5_outlives_its_attestation() -> None:
    """What a bundle rests on must hold as long as the bundle does."""
    data = few(attestation=attestation(valid_until=NOW + 14 * DAY)).forge()
    refused(ContextError, "outlives its attestation", data)


# --- 6: what the verifier expects ---------------------------------------------------------------


def test_6_without_an_expectation_there_is_no_verification() -> None:
    """The parameter has no default."""
    with pytest.raises(TypeError):
        verify_bundle(small()[1], trust=trust(), sets=(), now=NOW)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"audience": "Somebody Else"}, "made for Harbour Fund"),
        ({"nonce": "00" * 32}, "another nonce"),
        ({"purpose": "Another purpose"}, "purpose"),
        ({"documents": [RequestedDocument("doc", "cn-pv-1", schema().digest)]}, "about asset"),
        ({"documents": [RequestedDocument("doc", ASSET, "00" * 32)]}, "schema"),
        ({"facts": ["annual_yield >= 0.05"]}, "other facts"),
        ({"facts": ["annual_yield >= 0.08", "capacity >= 20 MW"]}, "other facts"),
        ({"created": NOW - 2 * DAY}, "another request"),
        ({"expires": NOW + 2 * DAY}, "another request"),
        ({"sets": [named_set().reference]}, "another request"),
    ],
)
def test_6_another_request(change: dict[str, object], message: str) -> None:
    """A bundle answers the very request that the verifier made, or nothing."""
    asked = request(SMALL_FACTS, **change)
    refused(ContextError, message, small()[1], expectation=Expectation.for_request(asked.data))


def test_6_audience_and_nonce() -> None:
    """Without the request file, audience and nonce must be the verifier's own."""
    for expectation, message in (
        (Expectation.for_audience("Somebody Else", nonce="5a" * 32), "made for"),
        (Expectation.for_audience(AUDIENCE, nonce="00" * 32), "another nonce"),
        (Expectation.for_audience(AUDIENCE, nonce=None), "--nonce"),
        (Expectation.for_audience(AUDIENCE, nonce="5a" * 32, assets=["cn-pv-1"]), "about asset"),
    ):
        refused(ContextError, message, small()[1], expectation=expectation)
    pinned = Expectation.for_audience(AUDIENCE, nonce="5a" * 32, assets=[ASSET])
    assert check(small()[1], expectation=pinned)


def test_6_a_nonce_that_the_bundle_lacks() -> None:
    """A verifier that gave a nonce is not content with a bundle that carries none."""
    data = answering(few(), request(SMALL_FACTS, nonce=None)).build()
    refused(ContextError, "another nonce", data)
    assert check(data, expectation=Expectation.for_audience(AUDIENCE, nonce=None))


def test_6_an_asset_beside_the_request() -> None:
    """A demanded asset that the own request is not about is a mistake, said before any check."""
    with pytest.raises(PolicyError, match="about"):
        Expectation.for_request(small()[0].request.data, assets=["cn-pv-1"])
