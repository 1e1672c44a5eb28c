"""Tricks against the whole verifier: signatures, keys, spellings, clocks, batches.

Consent is true and proofs are right, so only the check that a test is about can refuse.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from support.bundles import (
    AUDIENCE,
    DAY,
    NOW,
    SMALL_FACTS,
    context_for,
    good,
    parts,
    sets,
    small,
    trust,
    trust_text,
)
from support.forging import asking, check, refused

from proofs import canonical
from proofs.errors import (
    ContextError,
    CrossproofError,
    EncodingError,
    FactError,
    ProofError,
    SignatureError,
    TrustError,
)
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import Verified
from proofs.verify_many import verify_many

SECOND = timedelta(seconds=1)


def changed(data: bytes, change: Callable[[dict[str, object]], object]) -> bytes:
    tree = json.loads(data)
    change(tree)
    return canonical.dump(tree)


# --- signatures and keys ------------------------------------------------------------------------

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def with_signature(place: str, change: Callable[[bytes], bytes]) -> bytes:
    def put(tree: dict[str, object]) -> None:
        at = tree["grants"][0] if place == "grant" else tree["documents"][0]["envelope"]  # type: ignore[index]
        signature = base64.b64decode(at["signatures"][0]["sig"])
        at["signatures"][0]["sig"] = base64.b64encode(change(signature)).decode()

    return changed(small()[1], put)


def plus_order(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    return signature[:32] + s.to_bytes(32, "little")


@pytest.mark.parametrize("place", ["grant", "attestation"])
def test_a_second_signature_made_from_a_first(place: str) -> None:
    """s + L, the other sign of R, R of small order, nothing: one bundle has one spelling."""
    changes = (
        plus_order,
        lambda signature: signature[:31] + bytes([signature[31] ^ 0x80]) + signature[32:],
        lambda signature: b"\1" + bytes(31) + signature[32:],
        lambda _: bytes(64),
        lambda _: b"\1" + bytes(63),
    )
    refused(SignatureError, "does not verify", *(with_signature(place, each) for each in changes))


SMALL_Y = (
    "01" + "00" * 31,
    "00" * 32,
    "ec" + "ff" * 30 + "7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
SPELT_OTHERWISE = ("ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f", "ff" * 32)


@pytest.mark.parametrize("key", [*SMALL_Y, *SPELT_OTHERWISE])
@pytest.mark.parametrize("sign", [0, 0x80])
def test_no_key_of_small_order_is_ever_pinned(key: str, sign: int) -> None:
    """Under such a key one signature fits every payload, or many."""
    raw = bytearray.fromhex(key)
    raw[31] ^= sign
    text = trust_text(custodian={"key": base64.b64encode(raw).decode()})
    with pytest.raises(TrustError, match="Ed25519 public key"):
        Trust.parse(text.encode())


# --- one spelling -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text[:76] + "\n" + text[76:],
        lambda text: text + "=",
        lambda text: text[:-4],
        lambda text: text.replace("/", "_").replace("+", "-") + "=",
        lambda text: " " + text,
        lambda text: text[:8] + "====" + text[8:],
        lambda text: text[:-1] + "Ａ",
    ],
)
def test_other_spellings_of_base64(spell: Callable[[str], str]) -> None:
    """Line ends, other alphabets, padding within and without, characters that look alike."""

    def put(tree: dict[str, object]) -> None:
        tree["proof"] = spell(str(tree["proof"]))

    refused(EncodingError, r"proof", changed(small()[1], put))


@pytest.mark.parametrize(
    "instant",
    [
        "2026-12-31T24:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-12-31T23:59:59.0Z",
        "2026-12-31T23:59:59+00:00",
        "2026-12-31 23:59:59Z",
        "２026-12-31T23:59:59Z",
        "1969-12-31T23:59:59Z",
        "02026-12-31T23:59:59",
    ],
)
def test_other_spellings_of_an_instant(instant: str) -> None:
    """No leap second, no hour 24, no fraction, no offset, no other digits."""
    data = changed(small()[1], lambda tree: tree["context"].update(expires=instant))  # type: ignore[attr-defined]
    refused(EncodingError, "context.expires", data)


@pytest.mark.parametrize(
    "nonce",
    [None, "", "5A" * 32, "5a" * 31, "5a" * 33, " " + "5a" * 32, "５a" * 32, 90, ["5a" * 32]],
)
def test_other_spellings_of_a_nonce(nonce: object) -> None:
    """Null is not absence, and capitals are not the nonce that was given."""
    data = changed(small()[1], lambda tree: tree["context"].update(nonce=nonce))  # type: ignore[attr-defined]
    refused(EncodingError, "context.nonce", data)


@pytest.mark.parametrize(
    "fact",
    [
        "annual_yield >= 8%",
        "annual_yield >= 0.080",
        "annual_yield >=  0.08",
        " annual_yield >= 0.08",
        "annual_yield >= 0.08 ",
        "annual_yield>=0.08",
        "capacity >= 20",
        "capacity >= 20.0 MW",
        "capacity in 20..60.000 MW",
        "fuel in {SOLAR, GAS}",
        "fuel in {GAS, GAS, SOLAR}",
        'fuel in {"GAS", SOLAR}',
        'fuel in {"\\u0047AS", SOLAR}',
        "fuel in {gas, SOLAR}",
        'fuel in {"ＧＡＳ", SOLAR}',
        "annual_yield >= -0",
    ],
)
def test_another_spelling_of_a_fact(fact: str) -> None:
    """What is signed, shown and proven is one text, whatever the custodian consented to."""
    refused(FactError, "canonical|not a number", asking(fact).forge())


@pytest.mark.parametrize(
    "hidden",
    ["\x1b[2J", "\n", "\t", "\u202e", "\u200b", "\u2028", "\ufe0f", "\u3164", "\U0001d159"],
)
def test_texts_that_hide_or_repaint(hidden: str) -> None:
    """In a fact, an audience or a purpose: refused as the file is read, shown nowhere."""
    for put in (
        lambda tree: tree.update(facts=[f"annual_yield >= 0.08{hidden}"]),
        lambda tree: tree["context"].update(purpose=f"A{hidden}B"),
        lambda tree: tree["context"].update(audience=AUDIENCE + hidden),
    ):
        refused(EncodingError, "U\\+", changed(small()[1], put))


# --- clocks -------------------------------------------------------------------------------------


def test_every_end_is_sharp_and_every_beginning_has_five_minutes() -> None:
    """A second before each end passes, at the end nothing does; the earliest moment is exact."""
    found = parts(SMALL_FACTS)
    context = context_for(found.request, not_before=NOW, expires=NOW + DAY)
    data = replace(found, context=context).build()
    early = timedelta(minutes=5)
    assert check(data, now=NOW - early)
    refused(ContextError, "not valid before", data, now=NOW - early - SECOND)
    assert check(data, now=NOW + DAY - SECOND)
    refused(ContextError, "expired", data, now=NOW + DAY)


@pytest.mark.parametrize("now", [datetime(1970, 1, 1, tzinfo=NOW.tzinfo), NOW.replace(year=9999)])
def test_clocks_at_the_ends_of_time(now: datetime) -> None:
    """A broken clock is a refusal, not a traceback."""
    refused(TrustError, "key", small()[1], now=now)


def test_instants_at_the_ends_of_time() -> None:
    """The first and last instants that can be written overflow nothing."""
    first, last = "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
    wide = trust_text(
        custodian={"valid_from": first, "valid_until": last},
        authority={"valid_from": first, "valid_until": last},
    )
    assert check(good()[1], pinned=Trust.parse(wide.encode()))
    data = changed(small()[1], lambda tree: tree["context"].update(expires=last, not_before=first))  # type: ignore[attr-defined]
    refused(ContextError, "begins before its grant|outlives its grant", data)


# --- batches ------------------------------------------------------------------------------------


def test_a_batch_says_of_each_what_it_is_told_alone() -> None:
    """Good and bad in one batch, in any order: every outcome is the one alone, reason and all."""

    def altered(byte: int) -> bytes:
        def put(tree: dict[str, object]) -> None:
            proof = bytearray(base64.b64decode(str(tree["proof"])))
            proof[byte] ^= 1
            tree["proof"] = base64.b64encode(proof).decode()

        return changed(small()[1], put)

    batch = [
        small()[1],
        good()[1],
        small()[1],
        altered(-1),
        altered(47),
        b"",
        small()[1][:-1],
        with_signature("grant", plus_order),
        asking("annual_yield = 0.0912").forge(),
        asking("capacity in 20..60 MW").forge(),
    ]
    expectation = Expectation.for_audience(AUDIENCE, nonce="5a" * 32)

    def alone(data: bytes) -> Verified | CrossproofError:
        try:
            return check(data)
        except CrossproofError as error:
            return error

    for bundles in (batch, batch[::-1], batch[:3], batch[3:5], []):
        together = verify_many(
            bundles, trust=trust(), expectation=expectation, sets=sets(), now=NOW
        )
        for found, expected in zip(together, map(alone, bundles), strict=True):
            assert type(found) is type(expected)
            assert str(found) == str(expected)


def test_the_same_false_bundle_many_times() -> None:
    """Errors of equal proofs, added up as often as one likes, do not vanish."""
    tree = json.loads(small()[1])
    proof = bytearray(base64.b64decode(tree["proof"]))
    proof[-1] ^= 1
    tree["proof"] = base64.b64encode(proof).decode()
    refused(ProofError, "does not verify", *[canonical.dump(tree)] * 8)
