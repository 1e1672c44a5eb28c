"""HPKE keys, the contexts that sealed bytes are bound to, and the key of a part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.group import ORDER
from vault.crypto import keys
from vault.crypto.framing import framed, unframe
from vault.crypto.hpke import MLKEM_PUBLIC_BYTES, OVERHEAD, PUBLIC_BYTES
from vault.crypto.keys import HpkeKey, HpkePublicKey, PartKey, SideKey, derive_part_key
from vault.errors import IntegrityError, InvalidInputError

DOCUMENT = "0123456789abcdef0123456789abcdef"
CN_HOLDER = "spiffe://vault.example/cn/holder/one"
HK_HOLDER = "spiffe://vault.example/hk/holder/one"
DIGEST = hashlib.sha256(b"attestation").digest()

SHARE: dict[str, Any] = {
    "document": DOCUMENT,
    "version": 1,
    "part": "asset",
    "side": "cn",
    "index": 1,
    "holder": CN_HOLDER,
    "epoch": 0,
    "attestation_digest": DIGEST,
}
STORE: dict[str, Any] = {**SHARE, "custodian_key": hashlib.sha256(b"custodian").digest()}
RELEASE: dict[str, Any] = {
    **SHARE,
    "request_digest": hashlib.sha256(b"request").digest(),
    "recipient_key_digest": hashlib.sha256(b"key").digest(),
}
WITNESS: dict[str, Any] = {
    name: STORE[name] for name in ("document", "version", "attestation_digest")
}
BUILDERS = [
    pytest.param(keys.store_info, STORE, id="store"),
    pytest.param(keys.release_info, RELEASE, id="release"),
    pytest.param(keys.witness_info, WITNESS, id="witness"),
]
OTHER: dict[str, Any] = {
    "document": DOCUMENT[::-1],
    "version": 2,
    "part": "personal",
    "index": 2,
    "holder": "spiffe://vault.example/cn/holder/two",
    "epoch": 1,
    "attestation_digest": bytes(32),
    "custodian_key": bytes(32),
    "request_digest": bytes(32),
    "recipient_key_digest": bytes(32),
}
# HKDF-SHA256 of RFC 5869, computed with HMAC alone.
V1_ASSET = "8afbe05780de37d61cf8d9c41f432db87a012bc09fa645e6c30e77c42bd70484"
V1_PERSONAL = "59d51e5aae4364f524b533c333fa5106eb3d1b099f8afb9f817dcdd4c1a71dd5"
MALFORMED: dict[str, list[Any]] = {
    "document": ["", DOCUMENT.upper(), DOCUMENT + "0", DOCUMENT[:-1] + "\n", DOCUMENT[:-1] + "g"],
    "version": [-1, 2**31],
    "part": ["", "Asset", "witness"],
    "side": ["", "CN", "sg"],
    "index": [-1, 2**31],
    "holder": ["", "one", CN_HOLDER + "/", HK_HOLDER, CN_HOLDER.replace("holder", "officer")],
    "epoch": [-1, 2**31],
    "attestation_digest": [b"", bytes(31), bytes(33)],
    "custodian_key": [b"", bytes(31), bytes(33)],
    "request_digest": [bytes(31)],
    "recipient_key_digest": [bytes(31)],
}


class TestHpke:
    def test_private_key_is_stretched_as_in_x_wing(self) -> None:
        """The public key of a seed is that of the first X-Wing test vector (draft 08 and later)."""
        seed = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
        public = HpkeKey.from_seed(seed).public_bytes
        assert public[:20].hex() == "e2236b35a8c24b39b10aa1323a96a919a2ced884"
        assert public[-28:].hex() == "eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534"
        assert len(public) == PUBLIC_BYTES
        assert HpkeKey.from_seed(seed).seed == seed

    @given(st.binary(max_size=100), st.binary(max_size=50))
    @settings(max_examples=20, deadline=None)
    def test_sealed_bytes_open_in_their_context(self, plaintext: bytes, info: bytes) -> None:
        """What was sealed to a key opens with it, is longer by a constant, is never the same."""
        key = HpkeKey.generate()
        sealed = keys.seal(HpkePublicKey.from_bytes(key.public_bytes), plaintext, info)
        assert keys.open(key, sealed, info) == plaintext
        assert len(sealed) == len(plaintext) + OVERHEAD
        assert keys.seal(key.public, plaintext, info) != sealed

    def test_other_key_context_or_bytes_do_not_open(self) -> None:
        """Another key, another context and every changed, missing or added byte are refused."""
        key, info = HpkeKey.generate(), b"context"
        sealed = keys.seal(key.public, b"share", info)
        flipped = [
            sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(0, len(sealed), 97)
        ]
        for wrong in [b"", sealed[:10], sealed[:-1], sealed + b"\0", *flipped]:
            with pytest.raises(IntegrityError):
                keys.open(key, wrong, info)
        with pytest.raises(IntegrityError):
            keys.open(key, sealed, info + b"!")
        with pytest.raises(IntegrityError):
            keys.open(HpkeKey.generate(), sealed, info)
        assert keys.open(key, sealed, info) == b"share"

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda b: b[:-1], "too short"),
            (lambda b: b + b"\0", "too long"),
            (lambda b: b"\xff" * MLKEM_PUBLIC_BYTES + b[MLKEM_PUBLIC_BYTES:], "past the modulus"),
            (lambda b: b[:-32] + bytes(32), "small order"),
            (lambda b: b[:-32] + b"\x01" + bytes(31), "small order"),
            (lambda b: b[:-32] + (2**255 - 19 + 9).to_bytes(32, "little"), "past the prime"),
            (lambda b: b[:-1] + bytes([b[-1] | 0x80]), "top bit"),
        ],
    )
    def test_public_keys_are_read_strictly(
        self, change: Callable[[bytes], bytes], why: str
    ) -> None:
        """Only the one encoding of a usable key is read."""
        good = HpkeKey.generate().public_bytes
        assert HpkePublicKey.from_bytes(good).public_bytes == good
        with pytest.raises(InvalidInputError):
            HpkePublicKey.from_bytes(change(good))

    @pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
    def test_a_seed_has_32_bytes(self, seed: bytes) -> None:
        """A seed of another length is refused."""
        with pytest.raises(InvalidInputError):
            HpkeKey.from_seed(seed)

    def test_key_id_is_a_labelled_digest(self) -> None:
        """The key id is not the plain hash of the key: it stands for nothing else."""
        key = HpkeKey.generate()
        expected = hashlib.sha256(framed(b"crossvault/hpke-key-id/v1", key.public_bytes))
        assert key.key_id == key.public.key_id == expected.hexdigest()
        assert key.public.digest == expected.digest()

    def test_public_keys_compare_by_their_bytes(self) -> None:
        """Equal encodings are one key, in sets too."""
        key = HpkeKey.generate()
        again = HpkePublicKey.from_bytes(key.public_bytes)
        assert {key.public, again} == {again}
        assert key.public != HpkeKey.generate().public
        assert key.public != key.public_bytes

    def test_no_secret_is_printed(self) -> None:
        """Representations and texts of secrets hold neither their bytes nor their digits."""
        seed, scalar, part = bytes([7] * 32), SideKey(bytes([7] * 32)), PartKey(bytes([7] * 32))
        for secret in (HpkeKey.from_seed(seed), scalar, part):
            for text in (repr(secret), str(secret)):
                assert "07" * 4 not in text
                assert r"\x07" not in text
        assert "HpkePublicKey(" in repr(HpkeKey.from_seed(seed).public)


class TestContexts:
    @pytest.mark.parametrize(("build", "good"), BUILDERS)
    def test_every_item_is_in_the_context(
        self, build: Callable[..., bytes], good: dict[str, Any]
    ) -> None:
        """Changing any one item changes the info; side and holder change together."""
        infos = [build(**good)]
        infos += [build(**{**good, name: OTHER[name]}) for name in good if name in OTHER]
        if "side" in good:
            infos.append(build(**{**good, "side": "hk", "holder": HK_HOLDER}))
        assert len(infos) == len(good) + 1
        assert len(set(infos)) == len(infos)

    @pytest.mark.parametrize(("build", "good"), BUILDERS)
    def test_items_are_read_strictly(
        self, build: Callable[..., bytes], good: dict[str, Any]
    ) -> None:
        """No item has a second spelling."""
        for name in good:
            for wrong in MALFORMED[name]:
                with pytest.raises(InvalidInputError):
                    build(**{**good, name: wrong})

    def test_kinds_of_context_differ(self) -> None:
        """A share on its way to a holder never opens as one on its way to a requester."""
        labels = {
            unframe(info, count)[0][0]
            for info, count in [
                (keys.store_info(**STORE), 10),
                (keys.release_info(**RELEASE), 11),
                (keys.witness_info(**WITNESS), 4),
            ]
        }
        assert len(labels) == 3
        assert all(label.endswith(b"/v1") for label in labels)

    def test_no_hk_holder_has_a_personal_share(self) -> None:
        """The context of an hk share of a personal part cannot even be written."""
        with pytest.raises(InvalidInputError, match="personal"):
            keys.store_info(**{**STORE, "part": "personal", "side": "hk", "holder": HK_HOLDER})

    @given(st.lists(st.binary(max_size=20), max_size=6), st.lists(st.binary(max_size=20)))
    @settings(max_examples=200, deadline=None)
    def test_framing_is_injective(self, one: list[bytes], other: list[bytes]) -> None:
        """Two lists have one frame only if they are the same list, and a frame reads back."""
        assert (framed(*one) == framed(*other)) == (one == other)
        assert unframe(framed(*one) + b"tail", len(one)) == (tuple(one), len(framed(*one)))

    @pytest.mark.parametrize("cut", [0, 7, 8, 12, 17])
    def test_cut_frames_are_refused(self, cut: int) -> None:
        """A frame that ends early or has another count is refused."""
        with pytest.raises(IntegrityError):
            unframe(framed(b"ab")[:cut], 1)
        with pytest.raises(IntegrityError):
            unframe(framed(b"ab"), 2)


class TestPartKey:
    def test_asset_key_needs_both_sides(self) -> None:
        """The asset part's key changes with either side's scalar, and with their order."""
        cn, hk, other = SideKey.generate(), SideKey.generate(), SideKey.generate()
        derived = [
            derive_part_key(DOCUMENT, 1, "asset", *pair)
            for pair in [(cn, hk), (hk, cn), (cn, other), (other, hk)]
        ]
        assert len(set(derived)) == len(derived)
        assert derive_part_key(DOCUMENT, 1, "asset", cn, hk) == derived[0]

    def test_context_separates_keys(self) -> None:
        """One scalar gives other keys to another document, version and part."""
        cn, hk = SideKey.generate(), SideKey.generate()
        derived = [
            derive_part_key(DOCUMENT, 1, "asset", cn, hk),
            derive_part_key(DOCUMENT[::-1], 1, "asset", cn, hk),
            derive_part_key(DOCUMENT, 2, "asset", cn, hk),
            derive_part_key(DOCUMENT, 1, "personal", cn, None),
        ]
        assert len(set(derived)) == len(derived)

    def test_v1_bytes(self) -> None:
        """The derivation is fixed: what was stored must open for ever."""
        cn, hk = SideKey((1).to_bytes(32, "big")), SideKey((2).to_bytes(32, "big"))
        assert derive_part_key(DOCUMENT, 1, "asset", cn, hk).value.hex() == V1_ASSET
        assert derive_part_key(DOCUMENT, 1, "personal", cn, None).value.hex() == V1_PERSONAL

    def test_sides_of_a_part_are_fixed(self) -> None:
        """An asset part without hk, and a personal part with it, are refused."""
        cn, hk = SideKey.generate(), SideKey.generate()
        with pytest.raises(InvalidInputError):
            derive_part_key(DOCUMENT, 1, "asset", cn, None)
        with pytest.raises(InvalidInputError):
            derive_part_key(DOCUMENT, 1, "personal", cn, hk)

    @pytest.mark.parametrize(
        "value", [b"", bytes(31), bytes(33), ORDER.to_bytes(32, "big"), b"\xff" * 32]
    )
    def test_scalars_are_read_strictly(self, value: bytes) -> None:
        """A side key is 32 bytes below the order."""
        with pytest.raises(InvalidInputError):
            SideKey(value)

    def test_a_part_key_has_32_bytes(self) -> None:
        """A part key of another length is refused; generated ones differ."""
        with pytest.raises(InvalidInputError):
            PartKey(bytes(31))
        assert PartKey.generate() != PartKey.generate()
        assert SideKey.generate() != SideKey.generate()

    def test_secret_digest_is_of_its_place(self) -> None:
        """The digest of a scalar differs at every place, and from the scalar's plain hash."""
        key = SideKey.generate()
        places = [
            (DOCUMENT, 1, "asset", "cn"),
            (DOCUMENT, 1, "asset", "hk"),
            (DOCUMENT, 1, "personal", "cn"),
            (DOCUMENT, 2, "asset", "cn"),
            (DOCUMENT[::-1], 1, "asset", "cn"),
        ]
        digests = {keys.secret_digest(*place, key) for place in places}
        assert len(digests | {hashlib.sha256(key.value).digest()}) == len(places) + 1
        assert keys.secret_digest(*places[0], SideKey.generate()) not in digests
