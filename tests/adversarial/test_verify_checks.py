"""Each check of the verification procedure, by an attack that only this check stops.

Where a dishonest prover is needed, `Parts.forge` makes a proof that is right for what stands in
the bundle, so nothing but the named check can refuse it. The numbers are those of SPEC.md,
"Verification procedure".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import bundles
from support.bundles import (
    ASSET,
    AUDIENCE,
    AUTHORITY,
    CUSTODIAN,
    DAY,
    FACTS,
    NOW,
    SMALL_FACTS,
    STRANGER,
    Parts,
    answering,
    attestation,
    context_for,
    good,
    named_set,
    on_document,
    parts,
    private_key,
    request,
    schema,
    sets,
    signer_entry,
    small,
    trust,
    trust_text,
)
from support.torsion import torsion_point

from proofs import canonical, envelope, group
from proofs.claims import Claims
from proofs.envelope import Envelope, PayloadType
from proofs.errors import (
    BindingError,
    ContextError,
    CrossproofError,
    EncodingError,
    FactError,
    GrantError,
    PolicyError,
    ProofError,
    SetError,
    SignatureError,
    TrustError,
)
from proofs.grant import GrantedDocument
from proofs.group import ORDER
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import RequestedDocument
from proofs.schema import AttributeType
from proofs.trust import Trust, entry
from proofs.verify import Verified, verify_bundle

MINUTE = timedelta(minutes=1)


def check(
    data: bytes,
    *,
    expectation: Expectation | None = None,
    pinned: Trust | None = None,
    held: tuple[NamedSet, ...] | None = None,
    now: datetime = NOW,
) -> Verified:
    """Verify with what an honest verifier of `small()` and `good()` would hold."""
    return verify_bundle(
        data,
        trust=pinned or trust(),
        expectation=expectation or Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
        sets=sets() if held is None else held,
        now=now,
    )


def refused(error: type[CrossproofError], message: str, data: bytes, **options: object) -> None:
    """The bundle is refused with this class and reason, and never with another exception."""
    with pytest.raises(error, match=message or None):
        check(data, **options)  # type: ignore[arg-type]


def changed(data: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    """The bundle with one change, in canonical form again."""
    tree = json.loads(data)
    change(tree)
    return canonical.dump(tree)


def few(**changes: object) -> Parts:
    """Parts with one range, but for the changes."""
    return parts(SMALL_FACTS, **changes)


def pinning(custodian: dict[str, object] | None = None, **options: object) -> Trust:
    """The trust file with changed fields."""
    return Trust.parse(trust_text(custodian=custodian, **options).encode())  # type: ignore[arg-type]


def text(instant: datetime) -> str:
    return canonical.format_instant(instant)


# --- what passes --------------------------------------------------------------------------------


def test_the_honest_bundles_pass() -> None:
    """Every kind of fact verifies, with the request file and with audience and nonce."""
    for found, data in (good(), small()):
        assert check(data, expectation=found.expectation()).facts == found.request.facts
        assert check(data).documents[0].attestation.asset == ASSET


def test_a_forger_without_a_lie_passes() -> None:
    """`forge` makes acceptable bundles; what the tests below refuse is therefore their lie."""
    assert check(few().forge()).facts == ("annual_yield >= 0.08",)
    assert len(check(parts().forge()).facts) == len(FACTS)


# --- 1: one spelling ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mangle",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\n",
        lambda data: data + b" ",
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b'"facts":[', b'"facts": ['),
        lambda data: data.replace(b'"Harbour', b'"\\u0048arbour'),
        lambda data: data.replace(b'"format":"crossvault/bundle/v1",', b""),
        lambda data: data.replace(b"crossvault/bundle/v1", b"crossvault/bundle/v2"),
        lambda data: b"",
        lambda data: b"null",
        lambda data: b"[" * 10_000,
        lambda data: b'{"a":1e400}',
        lambda data: b'{"a":NaN}',
        lambda data: b'{"a":"\xff"}',
        lambda data: data[:-1] + b',"z":1}',
        lambda data: data[:-1] + b',"sets":[]}',
        lambda data: b" " * (5 << 20),
    ],
)
def test_1_other_spellings(mangle: Callable[[bytes], bytes]) -> None:
    """Cut off, extended, re-spaced, escaped otherwise, versioned otherwise: all refused."""
    refused(EncodingError, "", mangle(small()[1]))


def test_1_case_of_hex() -> None:
    """A digest in capitals is another text."""
    data = small()[1]
    digest = json.loads(data)["context"]["request"]
    refused(EncodingError, "hexadecimal", data.replace(digest.encode(), digest.upper().encode()))


def test_1_unused_bits_of_base64() -> None:
    """The last character of a base64 text can carry bits that decode to nothing."""
    data = small()[1]
    signature = json.loads(data)["grants"][0]["signatures"][0]["sig"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(signature[-3]) + 1]
    other = signature[:-3] + last + "=="
    assert base64.b64decode(other) == base64.b64decode(signature)
    refused(EncodingError, "spelling", data.replace(signature.encode(), other.encode()))


@pytest.mark.parametrize(
    "spelling", ["2026-07-01T12:00:00+00:00", "2026-07-01T12:00:00.0Z", "2026-07-01t12:00:00Z"]
)
def test_1_other_instants(spelling: str) -> None:
    """An instant has one spelling."""
    data = changed(small()[1], lambda tree: tree["context"].update(expires=spelling))  # type: ignore[attr-defined]
    refused(EncodingError, "expires", data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grants", []),
        ("documents", []),
        ("schemas", []),
        ("facts", []),
        ("proof", ""),
        ("proof", 7),
        ("sets", {}),
        ("context", []),
    ],
)
def test_1_missing_parts(field: str, value: object) -> None:
    """A bundle without a grant, a document, a fact or a proof is none."""
    refused(EncodingError, field, changed(small()[1], lambda tree: tree.update({field: value})))


@pytest.mark.parametrize("field", ["grants", "documents", "schemas", "facts", "signatures"])
def test_1_doubled_parts(field: str) -> None:
    """One more of anything is refused, never ignored."""

    def double(tree: dict[str, object]) -> None:
        place = tree["grants"][0] if field == "signatures" else tree  # type: ignore[index]
        place[field] *= 2

    refused(CrossproofError, field[:5], changed(small()[1], double))


@pytest.mark.parametrize("place", [(), ("context",), ("documents", 0), ("grants", 0)])
def test_1_unknown_fields(place: tuple[str | int, ...]) -> None:
    """A field that this version does not know may mean something to another reader."""

    def add(tree: dict[str, object]) -> None:
        at: object = tree
        for step in place:
            at = at[step]  # type: ignore[index]
        at["zz"] = "1"  # type: ignore[index]

    refused(EncodingError, "unknown field", changed(small()[1], add))


def test_1_other_evidence() -> None:
    """Evidence of another kind than an attestation is for a later version."""
    data = changed(small()[1], lambda tree: tree["documents"][0].update(kind="log"))  # type: ignore[index]
    refused(EncodingError, "kind", data)


# --- 2: the attestation's signer ----------------------------------------------------------------


def test_2_unknown_signer() -> None:
    """A stranger's attestation, in itself without fault."""
    data = few(attestation_signer=STRANGER, grant_signer=STRANGER).build()
    refused(TrustError, "no custodian", data)


def test_2_an_authority_is_no_custodian() -> None:
    """A key pinned for sets attests nothing."""
    data = few(attestation_signer=AUTHORITY, grant_signer=AUTHORITY).build()
    refused(TrustError, "no custodian", data)


def replace_envelope(data: bytes, signed: bytes) -> bytes:
    return changed(data, lambda tree: tree["documents"][0].update(envelope=json.loads(signed)))  # type: ignore[index]


def test_2_a_signature_that_does_not_hold() -> None:
    """Another attestation under the old signature."""
    signed = Envelope.parse(few().attestation_envelope)
    other = replace(signed, unverified_payload=attestation(version=3))
    refused(SignatureError, "does not verify", replace_envelope(small()[1], other.encode()))


def test_2_another_type() -> None:
    """What the custodian signed as something else is no attestation."""
    signed = envelope.sign(PayloadType.KEY_MANIFEST, attestation(), private_key(CUSTODIAN))
    refused(SignatureError, "key-manifest", replace_envelope(small()[1], signed))


def test_2_a_key_before_and_after_its_time() -> None:
    """A retired key verifies nothing, nor one not yet in force; five minutes early is forgiven."""
    data = few(attestation=attestation(attested_at=NOW)).build()
    late = pinning({"valid_until": text(NOW)})
    refused(TrustError, "expired", data, pinned=late)
    early = pinning({"valid_from": text(NOW + 6 * MINUTE)})
    refused(TrustError, "not valid before", data, pinned=early)


# --- 3: attestation and schema ------------------------------------------------------------------


def test_3_expired_and_future_attestations() -> None:
    """Valid at the verifier's clock; five minutes of grace at the beginning, none at the end."""
    stale = few(attestation=attestation(valid_until=NOW)).forge()
    refused(BindingError, "attestation expired", stale)
    soon = few(attestation=attestation(attested_at=NOW + 6 * MINUTE)).forge()
    refused(BindingError, "future", soon)
    assert check(few(attestation=attestation(attested_at=NOW + 4 * MINUTE)).forge())


def test_3_attested_outside_the_keys_validity() -> None:
    """A key compromised after its end, or before its beginning, attests nothing for today."""
    early = pinning({"valid_from": text(NOW - DAY)})
    refused(TrustError, "not valid when it signed the attestation", small()[1], pinned=early)
    assert check(small()[1], pinned=pinning({"valid_from": text(NOW - 2 * DAY)}))


def test_3_another_schema() -> None:
    """The same numbers in another unit: the schema carried must be the one attested."""
    other = schema().encode().replace(b'"unit":"MW"', b'"unit":"kW"')
    refused(BindingError, "another schema", few().forge(schema_bytes=other))


def test_3_more_or_fewer_commitments_than_attributes() -> None:
    """A shifted list of commitments would give every value to its neighbour."""
    longer = (*bundles.witness().commitments(), bundles.witness().commitments()[0])
    data = few(attestation=attestation(commitments=longer)).forge()
    refused(BindingError, "8 attributes, the schema has 7", data)


def test_3_an_absent_attribute_that_must_be_present() -> None:
    """The schema says which attributes a document may lack."""
    fewer = (None, *bundles.witness().commitments()[1:])
    refused(BindingError, "not optional", few(attestation=attestation(commitments=fewer)).forge())


def test_3_out_of_scope() -> None:
    """A custodian is believed for its schemas and its assets only."""
    refused(TrustError, "schema", small()[1], pinned=pinning({"schemas": ["00" * 32]}))
    refused(TrustError, "asset", small()[1], pinned=pinning({"assets": ["cn-swap-*"]}))
    refused(TrustError, "schema", small()[1], pinned=pinning({"schemas": []}))


def test_3_a_fact_about_an_absent_attribute() -> None:
    """Absence is attested, and no fact about what is absent holds, not even `not in`."""
    commitments = bundles.witness().commitments()
    without_owner = (*commitments[:5], None, None)
    found = parts(("owner not in @sanctions",), attestation=attestation(commitments=without_owner))
    data = changed(small()[1], lambda tree: None)
    tree = json.loads(data)
    tree["facts"] = list(found.request.facts)
    tree["sets"] = [each.to_json() for each in found.request.sets]
    tree["context"] = found.context.to_json()
    tree["grants"] = [json.loads(found.grant_envelope)]
    tree["documents"][0]["envelope"] = json.loads(found.attestation_envelope)
    refused(BindingError, "owner: attested as absent", canonical.dump(tree))


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
        (Expectation.for_audience(AUDIENCE, nonce="5a" * 32, asset="cn-pv-1"), "about asset"),
    ):
        refused(ContextError, message, small()[1], expectation=expectation)
    pinned = Expectation.for_audience(AUDIENCE, nonce="5a" * 32, asset=ASSET)
    assert check(small()[1], expectation=pinned)


def test_6_a_nonce_that_the_bundle_lacks() -> None:
    """A verifier that gave a nonce is not content with a bundle that carries none."""
    data = answering(few(), request(SMALL_FACTS, nonce=None)).build()
    refused(ContextError, "another nonce", data)
    assert check(data, expectation=Expectation.for_audience(AUDIENCE, nonce=None))


def test_6_an_asset_beside_the_request() -> None:
    """A demanded asset that the own request is not about is a mistake, said before any check."""
    with pytest.raises(PolicyError, match="about"):
        Expectation.for_request(small()[0].request.data, asset="cn-pv-1")


# --- 7: named sets ------------------------------------------------------------------------------

LISTED = ("owner not in @sanctions",)


def with_set(found: NamedSet, **changes: object) -> Parts:
    """A bundle about the owner and this set."""
    asked = request(LISTED, sets=[found.reference])
    return answering(parts(LISTED, **changes), asked, sets=(found,))


def test_7_a_set_that_nobody_was_given() -> None:
    """A name that the trust file gives to no authority means nothing."""
    found = named_set("sanctions")
    header = replace(found.header, name="unheard-of")
    other = NamedSet.assemble(
        Envelope.parse(envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))),
        found.members,
    )
    asked = request(("owner not in @unheard-of",), sets=[other.reference])
    data = answering(parts(LISTED), asked, sets=(other,)).build()
    refused(TrustError, "unheard-of to no authority", data, held=(other,))


def test_7_another_authority() -> None:
    """The same name signed by a stranger, and by the custodian."""
    for signer in (STRANGER, CUSTODIAN):
        other = named_set("sanctions", signer=signer)
        refused(SetError, "another authority", with_set(other).build(), held=(other,))


def test_7_not_at_hand() -> None:
    """Members come from the verifier's file only."""
    data = with_set(named_set()).build()
    refused(SetError, "give its file with --set", data, held=())
    refused(SetError, "give its file with --set", data, held=(named_set("fuels"),))


def test_7_an_older_or_newer_list() -> None:
    """Proven about the list without the newest name, checked against the list with it."""
    newer = named_set(version=4, extra=("Newly Listed",))
    refused(SetError, "another version", with_set(named_set()).build(), held=(newer,))
    refused(SetError, "another version", with_set(newer).build(), held=(named_set(),))
    assert check(with_set(newer).build(), held=(named_set(), newer))


def test_7_the_same_members_signed_again() -> None:
    """Of two files with the same members the later version counts, in whichever order given."""
    stale = named_set(valid_days=0)
    header = replace(named_set().header, version=4)
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    again = NamedSet.assemble(Envelope.parse(signed), named_set().members)
    data = with_set(stale).build()
    for held in ((stale, again), (again, stale)):
        assert [each.named.header.version for each in check(data, held=held).sets] == [4]


def test_7_older_than_pinned() -> None:
    """The trust file may ask for a least version."""
    data = with_set(named_set()).build()
    assert check(data, pinned=pinning(least_version=3))
    refused(SetError, "asks for 4 at least", data, pinned=pinning(least_version=4))


def test_7_a_signature_that_does_not_hold() -> None:
    """A list of one's own in a file that says it is the authority's."""
    mine = named_set("sanctions", signer=STRANGER, extra=("My Rival",))
    keyid = named_set().envelope.keyid
    forged = NamedSet.assemble(replace(mine.envelope, keyid=keyid), mine.members)
    refused(SignatureError, "does not verify", with_set(forged).build(), held=(forged,))


def test_7_times() -> None:
    """Issued in the past by a key then in force, not expired, and not outlived by the bundle."""
    stale = named_set(valid_days=0)
    refused(SetError, "expired", with_set(stale).build(), held=(stale,))
    short = named_set(valid_days=14)
    refused(SetError, "outlives it", with_set(short).build(), held=(short,))
    data, held = with_set(named_set()).build(), (named_set(),)
    late = pinning(authority={"valid_from": text(NOW - 9 * DAY)})
    refused(TrustError, "signed the set @sanctions", data, held=held, pinned=late)
    over = pinning(authority={"valid_until": text(NOW)})
    refused(TrustError, "expired", data, held=held, pinned=over)
    header = replace(named_set().header, issued=NOW + 6 * MINUTE)
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    soon = NamedSet.assemble(Envelope.parse(signed), named_set().members)
    refused(SetError, "future", with_set(soon).build(), held=(soon,))


# --- 8: facts -----------------------------------------------------------------------------------


def asking(facts: tuple[str, ...], **changes: object) -> Parts:
    """Parts for a request whose facts are taken as they are written."""
    asked = request(SMALL_FACTS, facts=facts, **changes)
    return answering(few(), asked)


def test_8_another_spelling_of_a_fact() -> None:
    """What is shown, signed and proven is one text."""
    data = asking(("annual_yield >= 8.00%",)).forge()
    refused(FactError, "canonical", data)


def test_8_a_set_that_no_fact_is_about() -> None:
    """The list of sets is exactly that of the facts."""
    found = asking(("annual_yield >= 0.08",), sets=[named_set().reference])
    refused(BindingError, "other sets", found.forge())


def test_8_a_set_missing_from_the_list() -> None:
    """A fact about a set that no grant names."""
    found = answering(parts(LISTED), request(LISTED, sets=[]))
    refused(BindingError, "other sets", found.forge(references=()))


def test_8_not_allowed_by_class() -> None:
    """An opening of what is not public, alone or in disguise."""
    for facts in (
        ("annual_yield = 0.0912",),
        ("annual_yield <= 0.0912", "annual_yield >= 0.0912"),
    ):
        refused(FactError, "annual_yield", asking(facts).forge())


def test_8_a_set_of_another_type() -> None:
    """No identifier equals a name: `not in` a list of identifiers is true of every name."""
    other = named_set("sanctions", kind=AttributeType.IDENTIFIER)
    refused(SetError, "another type", with_set(other).forge(), held=(other,))


@pytest.mark.parametrize(
    "fact",
    [
        "height >= 3",
        f"annual_yield in {ORDER + 1}..{ORDER + 2}",
        "annual_yield in 0.2..0.1",
        "annual_yield >= 0.08 MW",
        "annual_yield >= 99",
        "annual_yield in @sanctions and more",
    ],
)
def test_8_facts_that_the_schema_does_not_admit(fact: str) -> None:
    """Unknown attributes, literals past the bounds (or the group's order), other units."""
    found = asking((fact,))
    data = changed(found_bundle(found), lambda tree: None)
    refused(FactError, "", data)


def found_bundle(found: Parts) -> bytes:
    """A bundle of these parts around a proof of something else."""

    def put(tree: dict[str, object]) -> None:
        tree["facts"] = list(found.request.facts)
        tree["context"] = found.context.to_json()
        tree["grants"] = [json.loads(found.grant_envelope)]

    return changed(small()[1], put)


# --- 9: the proof -------------------------------------------------------------------------------


def with_proof(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    def put(tree: dict[str, object]) -> None:
        proof = base64.b64decode(str(tree["proof"]))
        tree["proof"] = base64.b64encode(change(proof)).decode()

    return changed(data, put)


@pytest.mark.parametrize("fixture", [small, good])
def test_9_another_length(fixture: Callable[[], tuple[Parts, bytes]]) -> None:
    """Cut off or extended, the proof is none of this statement."""
    data = fixture()[1]
    for change in (
        lambda proof: proof[:-1],
        lambda proof: proof[:-32],
        lambda proof: proof + b"\0",
        lambda proof: proof + proof,
    ):
        refused(EncodingError, "bytes, its facts take", with_proof(data, change))


def test_9_a_false_fact() -> None:
    """The proof of a true fact beside a false one, granted and asked for as such."""
    found = asking(("annual_yield >= 0.0913",))
    refused(ProofError, "does not verify", found_bundle(found))


def test_9_the_proof_of_another_bundle() -> None:
    """Everything is in order but the proof, which was made for another nonce."""
    other = answering(few(), request(SMALL_FACTS, nonce="00" * 32)).build()
    proof = json.loads(other)["proof"]
    data = changed(small()[1], lambda tree: tree.update(proof=proof))
    refused(ProofError, "does not verify", data)


def outside_the_group() -> dict[str, bytes]:
    """Encodings that no honest commitment has: torsion of order 3 and 11, and off the curve."""
    (point,) = group.decode_statement_points([bundles.witness().commitments()[1] or b""])
    off = bytearray(group.encode_point(point))
    while True:
        off[-1] ^= 1
        off[-2] += 1
        try:
            group.decode_proof_point(bytes(off))
        except EncodingError:
            break
    return {
        "order 3": group.encode_point(point + torsion_point(3)),
        "order 11": group.encode_point(point + torsion_point(11)),
        "off the curve": bytes(off),
        "identity": b"\xc0" + bytes(47),
        "wrong flags": bytes([off[0] & 0x7F]) + bytes(off[1:]),
    }


@pytest.mark.parametrize("fault", list(outside_the_group()))
def test_9_a_commitment_outside_the_group(fault: str) -> None:
    """A statement point that no attested value has, signed by the custodian itself."""
    commitments = list(bundles.witness().commitments())
    commitments[1] = outside_the_group()[fault]
    found = few(attestation=attestation(commitments=commitments))
    refused(EncodingError, "commitment|point", found.forge())


def test_9_a_proof_point_in_every_wrong_form() -> None:
    """The first proof point as the identity, off the curve, with wrong flags: never a traceback."""
    for fault, bad in outside_the_group().items():
        data = with_proof(small()[1], lambda proof, bad=bad: bad + proof[48:])  # type: ignore[misc]
        error = ProofError if fault.startswith("order") else EncodingError
        refused(error, "", data)


def test_9_a_scalar_past_the_order() -> None:
    """The same scalar with the group's order added: a second spelling of one proof."""

    def add_order(proof: bytes) -> bytes:
        last = int.from_bytes(proof[-32:], "big") + ORDER
        return proof[:-32] + last.to_bytes(32, "big")

    refused(EncodingError, "scalar", with_proof(small()[1], add_order))


ALTERED: list[tuple[str, Callable[[Claims], Claims]]] = [
    ("audience", lambda c: replace(c, context=replace(c.context, audience="x"))),
    ("purpose", lambda c: replace(c, context=replace(c.context, purpose="x"))),
    ("nonce", lambda c: replace(c, context=replace(c.context, nonce="00" * 32))),
    ("no nonce", lambda c: replace(c, context=replace(c.context, nonce=None))),
    ("request", lambda c: replace(c, context=replace(c.context, request="00" * 32))),
    ("asked at", lambda c: replace(c, context=replace(c.context, requested_at=NOW - 9 * DAY))),
    ("until", lambda c: replace(c, context=replace(c.context, request_expires=NOW + 9 * DAY))),
    ("not before", lambda c: replace(c, context=replace(c.context, not_before=NOW - 9 * DAY))),
    ("expires", lambda c: replace(c, context=replace(c.context, expires=NOW + 9 * DAY))),
    ("schema", lambda c: on_document(c, schema="00" * 32)),
    ("alias", lambda c: on_document(c, alias="other")),
    ("attestation", lambda c: on_document(c, attestation="00" * 32)),
    ("attestation's signer", lambda c: on_document(c, signer="00" * 32)),
    ("grant", lambda c: replace(c, grant="00" * 32)),
    ("grant's signer", lambda c: replace(c, grant_signer="00" * 32)),
    ("a set less", lambda c: replace(c, sets=c.sets[:1])),
    ("a set's name", lambda c: replace(c, sets=(replace(c.sets[0], name="x"), c.sets[1]))),
    (
        "a set's authority",
        lambda c: replace(c, sets=(replace(c.sets[0], authority="00" * 32), c.sets[1])),
    ),
    (
        "a set's digest",
        lambda c: replace(c, sets=(replace(c.sets[0], digest="00" * 32), c.sets[1])),
    ),
    ("a fact less", lambda c: replace(c, facts=c.facts[:-1])),
    ("facts in another order", lambda c: replace(c, facts=(c.facts[1], c.facts[0], *c.facts[2:]))),
    ("statement", lambda c: replace(c, statement=c.statement[:-1])),
    ("a commitment less", lambda c: replace(c, commitments=c.commitments[:-1])),
    (
        "a commitment's place",
        lambda c: replace(c, commitments=((6, c.commitments[0][1]), *c.commitments[1:])),
    ),
    (
        "commitments swapped",
        lambda c: replace(
            c,
            commitments=(
                (c.commitments[0][0], c.commitments[1][1]),
                (c.commitments[1][0], c.commitments[0][1]),
                *c.commitments[2:],
            ),
        ),
    ),
]


def test_9_unaltered_claims_pass() -> None:
    """The way in which the next test alters claims alters nothing else."""
    assert check(parts().forge(alter=lambda claims: claims))


@pytest.mark.parametrize("alter", [each for _, each in ALTERED], ids=[name for name, _ in ALTERED])
def test_9_every_item_of_the_transcript_is_bound(alter: Callable[[Claims], Claims]) -> None:
    """An item that differs on the prover's side only: the proof is refused.

    If the item were left out of the transcript, the proof would pass.
    """
    refused(ProofError, "does not verify", parts().forge(alter=alter))


@pytest.mark.parametrize("fact", ["annual_yield >= 0.08", "province = Guangdong", "fuel in @fuels"])
def test_9_every_kind_of_proof_alone_is_bound(fact: str) -> None:
    """A bundle with a single range, opening or membership is bound to its context too.

    The bundle's own times are under no signature: nothing else keeps a stranger from moving its
    expiry to the latest that the grant allows.
    """
    found = parts((fact,))
    data = found.build()
    assert check(data)
    later = replace(found.context, expires=found.context.expires + DAY)
    moved = changed(data, lambda tree: tree.update(context=later.to_json()))
    refused(ProofError, "does not verify", moved)


def test_only_the_procedure_makes_a_verdict() -> None:
    """`Verified` cannot be built or copied with changes by anyone else."""
    found = check(small()[1])
    with pytest.raises(TypeError, match="verify_bundle alone"):
        Verified(
            bundle=found.bundle,
            context=found.context,
            documents=found.documents,
            custodian=found.custodian,
            grant=found.grant,
            facts=("capacity >= 99 MW",),
            sets=(),
            checked_at=NOW,
            _token=object(),
        )
    with pytest.raises(ValueError, match="_token"):
        replace(found, facts=("capacity >= 99 MW",))


# --- no input ends in a traceback ---------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=20)
    | st.sampled_from(["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "00" * 32, "AAAA", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def places(tree: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all nodes but the root."""
    found: list[tuple[str | int, ...]] = [path] if path else []
    if isinstance(tree, dict):
        steps: list[tuple[str | int, object]] = list(tree.items())
    elif isinstance(tree, list):
        steps = list(enumerate(tree))
    else:
        steps = []
    for step, inner in steps:
        found += places(inner, (*path, step))
    return found


def with_node(tree: dict[str, object], path: tuple[str | int, ...], value: object) -> bytes | None:
    """The tree with one node replaced, canonical; None where it cannot be written."""
    at: object = tree
    for step in path[:-1]:
        at = at[step]  # type: ignore[index]
    at[path[-1]] = value  # type: ignore[index]
    try:
        return canonical.dump(tree)
    except CrossproofError:
        return None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_node_replaced_by_anything_is_refused(data: st.DataObject) -> None:
    """Every field of the file, with values of every type: refused, and by our errors only."""
    tree = json.loads(good()[1])
    path = data.draw(st.sampled_from(places(tree)))
    changed_bundle = with_node(tree, path, data.draw(JSON))
    if changed_bundle is not None and changed_bundle != good()[1]:
        refused(CrossproofError, "", changed_bundle)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["attestation", "grant"]), st.data())
def test_whatever_the_custodian_signs_is_no_traceback(kind: str, data: st.DataObject) -> None:
    """A signed payload with any node replaced by anything: refused, or nothing was changed."""
    tree = json.loads(small()[1])
    payload = small()[0].attestation if kind == "attestation" else small()[0].grant
    inner = json.loads(payload)
    path = data.draw(st.sampled_from(places(inner)))
    changed_payload = with_node(inner, path, data.draw(JSON))
    if changed_payload is None or changed_payload == payload:
        return
    types = {"attestation": PayloadType.ATTESTATION, "grant": PayloadType.GRANT}
    signed = json.loads(envelope.sign(types[kind], changed_payload, private_key(CUSTODIAN)))
    if kind == "attestation":
        tree["documents"][0]["envelope"] = signed
    else:
        tree["grants"] = [signed]
    refused(CrossproofError, "", canonical.dump(tree))
