"""Envelopes: one signature of a pinned key over exact bytes of one kind."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import canonical
from proofs.envelope import (
    SIGNERS,
    Envelope,
    PayloadType,
    check_public_key,
    check_signer,
    key_id,
    pre_authentication_encoding,
    sign,
)
from proofs.errors import CrossproofError, EncodingError, SignatureError, TrustError
from proofs.principal import ROLES

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
PAYLOAD = canonical.dump({"format": "crossvault/grant/v1", "text": "同意"})
SIGNED = sign(PayloadType.GRANT, PAYLOAD, PRIVATE)

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def test_a_signed_payload_comes_back() -> None:
    """verify gives the exact bytes that were signed; encode gives the exact envelope."""
    envelope = Envelope.parse(SIGNED)
    assert envelope.verify(PUBLIC, PayloadType.GRANT) == PAYLOAD
    assert (SIGNED, key_id(PUBLIC)) == (envelope.encode(), envelope.keyid)


def test_the_signed_bytes_are_those_of_dsse() -> None:
    """Type and payload stand behind their lengths in decimal digits."""
    expected = b"DSSEv1 37 application/vnd.crossvault.set.v1+json 3 a b"
    expected = expected.replace(b"37", str(len(PayloadType.SET.value)).encode())
    assert expected == pre_authentication_encoding(PayloadType.SET, b"a b")


@given(payload=st.binary(min_size=1, max_size=300), kind=st.sampled_from(PayloadType))
@settings(max_examples=100, deadline=None)
def test_an_envelope_is_written_and_read_as_canonical_json(
    payload: bytes, kind: PayloadType
) -> None:
    """The short road of both is the general one's: the same bytes, the same fields."""
    data = sign(kind, payload, PRIVATE)
    signed = Envelope.parse(data)
    assert data == canonical.dump(signed.to_json())
    assert signed == Envelope.from_json(canonical.parse(data, limit=1 << 20))


def test_bytes_signed_as_one_kind_are_no_other() -> None:
    """Neither a verifier's expectation nor a swapped type makes a grant an attestation."""
    with pytest.raises(SignatureError, match="expected"):
        Envelope.parse(SIGNED).verify(PUBLIC, PayloadType.ATTESTATION)
    swapped = SIGNED.replace(b"crossvault.grant", b"crossvault.attestation")
    with pytest.raises(SignatureError, match="does not verify"):
        Envelope.parse(swapped).verify(PUBLIC, PayloadType.ATTESTATION)


def test_another_key_is_refused() -> None:
    """By its id first; and a forged id does not help."""
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    with pytest.raises(SignatureError, match="not the pinned"):
        Envelope.parse(SIGNED).verify(other, PayloadType.GRANT)
    forged = SIGNED.replace(key_id(PUBLIC).encode(), key_id(other).encode())
    with pytest.raises(SignatureError, match="does not verify"):
        Envelope.parse(forged).verify(other, PayloadType.GRANT)


def test_every_single_bit_flip_is_refused() -> None:
    """No byte of an envelope is free: not the padding, not the key id, not the punctuation."""
    for place, bit in itertools.product(range(len(SIGNED)), range(8)):
        changed = bytearray(SIGNED)
        changed[place] ^= 1 << bit
        with pytest.raises(CrossproofError):
            Envelope.parse(bytes(changed)).verify(PUBLIC, PayloadType.GRANT)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_refused_with_our_errors(data: bytes) -> None:
    """Hostile input raises nothing else."""
    with pytest.raises(CrossproofError):
        Envelope.parse(data)


def _edited(**changes: object) -> bytes:
    value = canonical.parse(SIGNED, limit=1 << 20)
    assert isinstance(value, dict)
    return canonical.dump({**value, **changes})


def test_a_second_signature_made_from_the_first_is_refused() -> None:
    """s + L verifies in a lax reader: the envelope would change its digest and stay valid."""
    order = 2**252 + 27742317777372353535851937790883648493
    envelope = Envelope.parse(SIGNED)
    scalar = int.from_bytes(envelope.signature[32:], "little") + order
    lax = envelope.signature[:32] + scalar.to_bytes(32, "little")
    with pytest.raises(SignatureError, match="does not verify"):
        replace(envelope, signature=lax).verify(PUBLIC, PayloadType.GRANT)


def test_exactly_one_signature() -> None:
    """None, two, or the same one twice: refused."""
    value = canonical.parse(SIGNED, limit=1 << 20)
    assert isinstance(value, dict)
    one = value["signatures"]
    assert isinstance(one, list)
    for signatures in ([], one * 2):
        with pytest.raises(SignatureError, match="exactly one"):
            Envelope.parse(_edited(signatures=signatures))


@pytest.mark.parametrize(
    "data",
    [
        _edited(extra=1),
        _edited(payload=""),
        _edited(payload="e30"),
        _edited(payloadType="application/json"),
        _edited(payloadType=PayloadType.GRANT.value.upper()),
        _edited(signatures=[{"keyid": key_id(PUBLIC), "sig": "AAAA"}]),
        _edited(signatures=[{"keyid": key_id(PUBLIC).upper(), "sig": "A" * 86 + "=="}]),
        _edited(signatures=[{"keyid": key_id(PUBLIC), "sig": "A" * 86 + "==", "x": 1}]),
        SIGNED + b"\n",
        SIGNED.replace(b",", b", "),
    ],
)
def test_other_forms_are_refused(data: bytes) -> None:
    """Unknown fields and types, short signatures and second spellings."""
    with pytest.raises(EncodingError):
        Envelope.parse(data)


def test_an_envelope_is_bounded() -> None:
    """Over the limit nothing is parsed, and no such payload is signed."""
    with pytest.raises(EncodingError, match="more than"):
        Envelope.parse(SIGNED, limit=len(SIGNED) - 1)
    for payload in (b"", bytes((1 << 20) + 1)):
        with pytest.raises(EncodingError, match="bytes"):
            sign(PayloadType.GRANT, payload, PRIVATE)


# --- keys ---------------------------------------------------------------------------------------


def _root(square: int) -> int | None:
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == square % P:
            return candidate
    return None


def _add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Addition on the twisted Edwards curve, by its complete formula."""
    product = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P
    return x, y


def _small_points() -> list[tuple[int, int]]:
    """The eight points of order dividing 8: q times any curve point, until one generates all."""
    order = 2**252 + 27742317777372353535851937790883648493
    for y in itertools.count(2):
        x = _root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
        if x is None:
            continue
        point, total, left = (x, y), (0, 1), order
        while left:
            if left & 1:
                total = _add(total, point)
            point, left = _add(point, point), left >> 1
        multiples = [(0, 1)]
        while (following := _add(multiples[-1], total)) != (0, 1):
            multiples.append(following)
        if len(multiples) == 8:
            return multiples
    raise AssertionError


def test_points_of_small_order_are_no_keys() -> None:
    """All eight, with either sign bit and in the spellings y + p that fit into 255 bits."""
    spellings = set()
    for _, y in _small_points():
        for value in (y, y + P):
            if value < 2**255:
                spellings |= {value, value | 1 << 255}
    assert len(spellings) == 14  # 5 y and 2 of them + p (0 and 1), two sign bits each
    for value in spellings:
        with pytest.raises(EncodingError, match=r"small order|canonical"):
            check_public_key(value.to_bytes(32, "little"))


def test_keys_off_the_curve_or_not_canonical_are_refused() -> None:
    """y = 2 has no x; y >= p is a second spelling; 31 or 33 bytes are no key."""
    assert check_public_key(PUBLIC) == PUBLIC
    for data, reason in [
        ((2).to_bytes(32, "little"), "not a point"),
        ((P + 5).to_bytes(32, "little"), "canonical"),
        (b"\xff" * 32, "canonical"),
        (PUBLIC[:31], "32 bytes"),
        (PUBLIC + b"\0", "32 bytes"),
    ]:
        with pytest.raises(EncodingError, match=reason):
            check_public_key(data)
    with pytest.raises(EncodingError, match="32 bytes"):
        key_id(b"")


def test_an_identity_key_would_sign_anything() -> None:
    """The attack that the check stops: under the key of order 1 one signature fits all payloads."""
    identity = (1).to_bytes(32, "little")
    envelope = Envelope(PayloadType.GRANT, key_id(identity), identity + bytes(32), b"anything")
    with pytest.raises(EncodingError, match="small order"):
        envelope.verify(identity, PayloadType.GRANT)


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_every_generated_key_is_accepted(seed: bytes) -> None:
    """The strict check refuses no key that the library makes."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert public == check_public_key(public)


# --- roles --------------------------------------------------------------------------------------


def test_each_kind_has_signers_that_exist() -> None:
    """Every kind is in the table, and every role in it is one that its side has (or a site key)."""
    assert set(PayloadType) == set(SIGNERS)
    for side, role in set().union(*SIGNERS.values()):
        assert role == "site" or role in ROLES[side]


def test_a_role_signs_its_kinds_only() -> None:
    """A custodian attests; an officer, or a custodian of the other side, does not."""
    check_signer(PayloadType.ATTESTATION, "cn", "custodian")
    for side, role in [("cn", "officer"), ("hk", "custodian"), ("cn", "vault"), ("cn", "site")]:
        with pytest.raises(TrustError, match="only cn custodian may"):
            check_signer(PayloadType.ATTESTATION, side, role)
