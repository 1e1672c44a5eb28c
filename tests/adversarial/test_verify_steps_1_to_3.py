"""Parsing, signers, attestations and schemas: each check by an attack that only it stops.

Where a dishonest prover is needed, `Parts.forge` makes a proof that is right for what stands in
the bundle, so nothing but the named check can refuse it. The numbers are those of SPEC.md,
"Verification procedure".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from support import bundles
from support.bundles import (
    ASSET,
    AUTHORITY,
    CUSTODIAN,
    DAY,
    FACTS,
    NOW,
    STRANGER,
    attestation,
    good,
    parts,
    private_key,
    schema,
    small,
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

from proofs import canonical, envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import (
    BindingError,
    CrossproofError,
    EncodingError,
    SignatureError,
    TrustError,
)

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
