"""Release requests and approvals as signed bytes: one spelling, bounded, of the right signer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sites import TwoSites, make_two_sites

from proofs import canonical, envelope
from proofs.envelope import PayloadType
from proofs.errors import CrossproofError, EncodingError, SignatureError
from proofs.principal import Principal
from vault.crypto.hpke import HpkeKey
from vault.errors import NotAllowedError, NotFoundError
from vault.pki import now_utc
from vault.signed.approval import Approval
from vault.signed.release_request import ReleaseRequest

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPV = Principal("rwa.example", "hk", "spv", "issuer")
BANK = Principal("rwa.example", "cn", "custodian", "bank")
OFFICER = Principal("rwa.example", "hk", "officer", "lee")
KEY = HpkeKey.from_seed(bytes(32)).public


def build(**change: Any) -> ReleaseRequest:
    fields: dict[str, Any] = {
        "requester": SPV,
        "document": "0" * 32,
        "version": 1,
        "attestation": "a" * 64,
        "part": "asset",
        "purpose": "年度审计 annual audit",
        "legal_basis": "PIPL Art. 38",
        "recipient_key": KEY,
        "created": NOW,
        "expires": NOW + timedelta(days=7),
    }
    return ReleaseRequest.build(**{**fields, **change})


def approval(**change: Any) -> Approval:
    fields: dict[str, Any] = {
        "request": "b" * 64,
        "officer": OFFICER,
        "decision": "approve",
        "note": None,
        "time": NOW,
    }
    return Approval.build(**{**fields, **change})


REQUEST, APPROVAL = build(), approval(note="看过", expires=NOW + timedelta(days=1))


def rewritten(data: bytes, **change: Any) -> bytes:
    """The payload with other fields, still in the one encoding; None removes a field."""
    payload = {**json.loads(data), **change}
    return canonical.dump({name: value for name, value in payload.items() if value is not None})


# --- requests -----------------------------------------------------------------------------------


def test_a_request_reads_as_it_was_built() -> None:
    """Parsing gives every field back, and no two requests share an id or a digest."""
    assert ReleaseRequest.parse(REQUEST.data) == REQUEST
    again = build()
    assert (again.request_id == REQUEST.request_id, again.digest == REQUEST.digest) == (
        False,
        False,
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "crossvault/release-request/v2"}, "format"),
        ({"id": "A" * 32}, "id"),
        ({"id": None}, "id: missing"),
        ({"document": "0" * 31}, "document"),
        ({"version": 0}, "version"),
        ({"version": "1"}, "version"),
        ({"attestation": "a" * 63}, "attestation"),
        ({"part": "both"}, "part"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "p" * 501}, "purpose"),
        ({"purpose": "audit\u202egnp.exe"}, "purpose"),
        ({"purpose": "audit\x1b[2J"}, "purpose"),
        ({"legal_basis": "a\nb"}, "legal_basis"),
        ({"recipient_key": "AAAA"}, "recipient_key"),
        ({"requester": "spiffe://rwa.example/hk/spv/Issuer"}, "principal"),
        ({"expires": "2026-11-24T12:00:00Z"}, "expire"),
        ({"expires": "2027-11-24T12:00:00Z"}, "within 90 days"),
        ({"expires": "2026-11-25T12:00:00+00:00"}, "expires"),
        ({"extra": "field"}, "unknown field"),
    ],
)
def test_a_request_has_one_form(change: dict[str, Any], said: str) -> None:
    """Every field is bounded and of one spelling; nothing can be added or left out."""
    with pytest.raises(EncodingError, match=said):
        ReleaseRequest.parse(rewritten(REQUEST.data, **change))


@pytest.mark.parametrize(
    ("requester", "part", "allowed"),
    [
        (SPV, "asset", True),
        (SPV, "personal", False),
        (BANK, "asset", True),
        (BANK, "personal", True),
        (OFFICER, "asset", False),
        (Principal("rwa.example", "cn", "vault", "main"), "asset", False),
        (Principal("rwa.example", "cn", "holder", "h1"), "personal", False),
    ],
)
def test_who_may_ask_for_which_part(requester: Principal, part: str, allowed: bool) -> None:
    """SPVs and custodians for asset parts, custodians alone for personal ones."""
    if allowed:
        assert build(requester=requester, part=part).requester == requester
    else:
        with pytest.raises(NotAllowedError):
            build(requester=requester, part=part)


def test_the_life_of_a_request() -> None:
    """Valid from its making (with five minutes' skew) until just before its expiry."""
    for moment in (NOW - timedelta(minutes=5), NOW, REQUEST.expires - timedelta(seconds=1)):
        REQUEST.check_time(moment)
    with pytest.raises(NotAllowedError, match="in the future"):
        REQUEST.check_time(NOW - timedelta(minutes=5, seconds=1))
    with pytest.raises(NotAllowedError, match="expired"):
        REQUEST.check_time(REQUEST.expires)


# --- approvals ----------------------------------------------------------------------------------


def test_an_approval_reads_as_it_was_built() -> None:
    """Parsing gives every field back, with and without the optional ones."""
    for each in (APPROVAL, approval(), approval(decision="deny")):
        assert Approval.parse(each.data) == each


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "crossvault/approval/v2"}, "format"),
        ({"request": "b" * 62}, "request"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": None}, "decision: missing"),
        ({"note": "x\u200by"}, "note"),
        ({"officer": SPV.uri}, "is no officer"),
        ({"expires": "2026-11-24T12:00:00Z"}, "expires before"),
        ({"time": "2026-11-24"}, "time"),
        ({"extra": 1}, "unknown field"),
    ],
)
def test_an_approval_has_one_form(change: dict[str, Any], said: str) -> None:
    """Every field is bounded and of one spelling; nothing can be added or left out."""
    with pytest.raises(EncodingError, match=said):
        Approval.parse(rewritten(APPROVAL.data, **change))


def test_when_an_approval_counts() -> None:
    """From its time (with five minutes' skew) until just before its own expiry, if it has one."""
    expires = NOW + timedelta(days=1)
    moments = [
        (NOW - timedelta(minutes=6), False),
        (NOW - timedelta(minutes=5), True),
        (expires - timedelta(seconds=1), True),
        (expires, False),
    ]
    assert [APPROVAL.in_force(moment) for moment, _ in moments] == [each for _, each in moments]
    assert approval().in_force(NOW + timedelta(days=1000)) is True


# --- both ---------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_our_own_words(data: bytes) -> None:
    """Whatever comes in, a refusal of ours goes out."""
    for parse in (ReleaseRequest.parse, Approval.parse):
        with pytest.raises(CrossproofError):
            parse(data)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([REQUEST.data, APPROVAL.data]), st.data())
def test_a_changed_byte_is_refused_or_changes_the_digest(data: bytes, draw: st.DataObject) -> None:
    """No other bytes have the digest that officers approved, and most are no request at all."""
    place = draw.draw(st.integers(0, len(data) - 1))
    byte = draw.draw(st.integers(1, 255))
    changed = data[:place] + bytes([data[place] ^ byte]) + data[place + 1 :]
    parse: Callable[[bytes], Any] = ReleaseRequest.parse if data == REQUEST.data else Approval.parse
    try:
        found = parse(changed)
    except (CrossproofError, NotAllowedError):
        return
    assert found.digest not in (REQUEST.digest, APPROVAL.digest)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), holders=2)


def test_a_request_is_believed_under_the_pinned_key_alone(sites: TwoSites) -> None:
    """Signed by the requester it names, as a release request, and listed; else refused."""
    pinned = sites.identity("cn", "holder", "h1").sites()
    spv, other = sites.identity("hk", "spv", "issuer"), sites.identity("hk", "spv", "other")
    now = now_utc()
    request = build(requester=spv.principal, created=now, expires=now + timedelta(days=1))

    def signed(by: Any, kind: PayloadType = PayloadType.RELEASE_REQUEST) -> bytes:
        return envelope.sign(kind, request.data, by.signing_key)

    assert ReleaseRequest.open(signed(spv), pinned, now) == request
    with pytest.raises(SignatureError, match="not the pinned"):
        ReleaseRequest.open(signed(other), pinned, now)
    with pytest.raises(SignatureError, match="signed as"):
        ReleaseRequest.open(signed(spv, PayloadType.APPROVAL), pinned, now)
    with pytest.raises(NotAllowedError, match="valid from"):
        ReleaseRequest.open(signed(spv), pinned, now + timedelta(days=400))
    stranger = build(requester=Principal("rwa.example", "hk", "spv", "nobody"))
    data = envelope.sign(PayloadType.RELEASE_REQUEST, stranger.data, spv.signing_key)
    with pytest.raises(NotFoundError, match="not listed"):
        ReleaseRequest.open(data, pinned, now)


def test_an_approval_is_believed_under_the_pinned_key_alone(sites: TwoSites) -> None:
    """Signed by the officer it names, as an approval; else refused."""
    pinned = sites.identity("hk", "holder", "h1").sites()
    lee, ho = sites.identity("hk", "officer", "lee"), sites.identity("hk", "officer", "ho")
    now = now_utc()
    given_one = approval(officer=lee.principal, time=now)

    def signed(by: Any, kind: PayloadType = PayloadType.APPROVAL) -> bytes:
        return envelope.sign(kind, given_one.data, by.signing_key)

    assert Approval.open(signed(lee), pinned, now) == given_one
    with pytest.raises(SignatureError, match="not the pinned"):
        Approval.open(signed(ho), pinned, now)
    with pytest.raises(SignatureError, match="signed as"):
        Approval.open(signed(lee, PayloadType.RELEASE_REQUEST), pinned, now)


def test_an_envelope_is_bounded(tmp_path: Path, sites: TwoSites) -> None:
    """A huge envelope is refused by its length."""
    pinned = sites.identity("hk", "holder", "h1").sites()
    for refuse in (ReleaseRequest.open, Approval.open):
        with pytest.raises(EncodingError, match="more than"):
            refuse(b" " * 10_000_000, pinned, NOW)
