"""CIDs: one spelling in text and in bytes, and blocks checked against them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multiformats import CID

from proofs.errors import EncodingError
from proofs.ids import check_root_cid
from vault.crypto.cids import CID_BYTES, Cid, Codec, check_block, cid_of_block
from vault.errors import IntegrityError, InvalidInputError

RAW = cid_of_block(Codec.RAW, b"hello\n")


def test_known_cids() -> None:
    """The CIDs that every IPFS implementation gives to these blocks."""
    assert str(RAW) == "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"
    assert cid_of_block(Codec.DAG_CBOR, b"\xa0").text == (
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"
    )


@given(st.binary(max_size=64), st.sampled_from(list(Codec)))
@settings(max_examples=60, deadline=None)
def test_cids_agree_with_another_implementation(data: bytes, codec: Codec) -> None:
    """Text and bytes are those of the multiformats package, and read back."""
    cid = cid_of_block(codec, data)
    name = {Codec.RAW: "raw", Codec.DAG_CBOR: "dag-cbor"}[codec]
    other = CID("base32", 1, name, ("sha2-256", hashlib.sha256(data).digest()))
    assert (cid.text, cid.binary) == (str(other), bytes(other))
    assert (len(cid.text), len(cid.binary)) == (59, CID_BYTES)
    assert Cid.parse(cid.text) == Cid.from_bytes(cid.binary) == cid
    assert (cid.codec, cid.digest) == (codec, hashlib.sha256(data).digest())
    assert check_block(cid, data, source="a test") == data


@given(st.binary(min_size=34, max_size=38))
@settings(max_examples=100, deadline=None)
def test_other_bytes_are_refused(data: bytes) -> None:
    """Bytes that do not begin as our two kinds do, or have another length, are no CID."""
    if len(data) == CID_BYTES and data[:4] in (b"\x01\x55\x12\x20", b"\x01\x71\x12\x20"):
        assert Cid.from_bytes(data).binary == data
    else:
        with pytest.raises(InvalidInputError):
            Cid.from_bytes(data)


def test_length_is_fixed() -> None:
    """A CID with a byte more or less is refused."""
    assert Cid.from_bytes(RAW.binary) == RAW
    for data in (RAW.binary + b"\0", RAW.binary[:-1], RAW.binary[:4]):
        with pytest.raises(InvalidInputError):
            Cid.from_bytes(data)


@pytest.mark.parametrize("at", range(4))
def test_version_codec_and_hash_are_fixed(at: int) -> None:
    """Another version, codec, hash or digest length is refused."""
    changed = bytearray(RAW.binary)
    changed[at] ^= 0x08
    with pytest.raises(InvalidInputError):
        Cid.from_bytes(bytes(changed))


@pytest.mark.parametrize(
    "text",
    [
        "",
        RAW.text.upper(),
        "B" + RAW.text[1:],
        RAW.text[:-1],
        RAW.text + "=",
        " " + RAW.text[1:],
        RAW.text[:-1] + "\n",
        RAW.text[:-1] + "1",
        RAW.text[:-1] + "é",
        # The last character carries two bits that no byte uses.
        RAW.text[:-1] + chr(ord(RAW.text[-1]) + 1),
        "QmWATWQ7fVPP2EFGu71UkfnqhYXDYH566qy47CnJDgvs8u",
        "z" + RAW.text[1:],
        RAW.text.replace("i", "\u0131", 1),
        RAW.text * 2,
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """Upper case, padding, stray bits, other alphabets and version 0 are refused."""
    with pytest.raises(InvalidInputError):
        Cid.parse(text)


def test_a_block_of_another_hash_is_named() -> None:
    """The error of wrong bytes names the CID and where they came from."""
    with pytest.raises(IntegrityError, match=rf"{RAW.text} from the shelf"):
        check_block(RAW, b"hello", source="the shelf")


def test_representation() -> None:
    """A CID shows itself."""
    assert repr(RAW) == f"Cid({RAW})"


@pytest.mark.parametrize("at", range(59))
def test_the_cid_of_a_root_has_one_text(at: int) -> None:
    """What an attestation may name is what this package reads as a root: each letter, anywhere."""
    text = cid_of_block(Codec.DAG_CBOR, b"\xa0").text
    for letter in "abcdefghijklmnopqrstuvwxyz0123456789A=\n":
        changed = text[:at] + letter + text[at + 1 :]
        try:
            expected = Cid.parse(changed).codec is Codec.DAG_CBOR
        except InvalidInputError:
            expected = False
        try:
            accepted = check_root_cid(changed, where="root") == changed
        except EncodingError:
            accepted = False
        assert accepted == expected, changed
    for other in (text + "\n", text + "a", text[:-1], text.upper()):
        with pytest.raises(EncodingError):
            check_root_cid(other, where="root")
