"""The search for leaks finds what it looks for: in every spelling, and wherever that could hide."""

from __future__ import annotations

import asyncio
import base64
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest
from support.canaries import (
    Canary,
    Needles,
    Piece,
    database_cells,
    files_under,
    ideographs,
    letters,
    traffic_under,
    unfolded,
)
from support.http2 import HpackDecoder, data_frame, huffman_decode, huffman_encode
from support.recording_proxy import RecordingProxies, redirected
from support.servers import running
from support.sites import make_two_sites

from vault.client.documents import SERVICE, add_schema
from vault.client.session import at_vault
from vault.errors import InvalidInputError
from vault.pinning import join

ASCII = letters()
CHINESE = ideographs()


def test_the_forms_are_those_that_software_writes() -> None:
    """Each form is a part of what the standard library makes of a text around the canary."""
    for text in (ASCII, CHINESE, ASCII.upper()):
        forms = Canary("any", text).forms()
        for before in ("", "a", "ab", "abc"):
            around = f"{before}{text}!"
            encoded = base64.b64encode(around.encode())
            assert any(forms[f"base64+{i}"] in encoded for i in range(3))
        assert forms["utf-16-le"] in f"{text}".encode("utf-16")
        assert forms["hex"] == text.encode().hex().encode()
    chinese = Canary("any", CHINESE).forms()
    assert chinese["json"].decode() == ascii(CHINESE)[1:-1]
    # As a scalar stands in a witness, and a varint in a message.
    number = Canary("any", "1234567890123456789", 1234567890123456789).forms()
    scalar = base64.b64encode((1234567890123456789).to_bytes(32, "big"))
    assert any(number[f"big-endian base64+{i}"] in scalar for i in range(3))
    assert number["varint"].hex() == "9582a6efc79e849111"


def test_what_hides_a_text_is_taken_away(tmp_path: Path) -> None:
    """A canary in a base64 envelope in a base64 list, at a database's page boundary, in a file's
    name, and between two frames of one call is found; one that differs in a letter is not."""
    canary = Canary("hidden", ideographs())
    secret = canary.text.encode()
    needles = Needles.of([canary])

    def found_in(pieces: Iterable[Piece]) -> bool:
        return bool(needles.search(pieces))

    nested = base64.b64encode(b'{"payload":"' + base64.b64encode(b"[" + secret + b"]") + b'"}')
    assert not found_in([Piece("nested", nested)])
    assert found_in(unfolded([Piece("nested", nested)]))
    database = tmp_path / "pages.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE t (x BLOB)")
        for shift in range(140):  # over a whole page, in steps shorter than the text
            cell = bytes(4000 + 32 * shift) + secret + bytes(9000 - 32 * shift)
            connection.execute("INSERT INTO t VALUES (?)", (cell,))
    connection.close()
    (cells,) = database_cells(database)
    assert cells.data.count(secret) == 140
    assert database.read_bytes().count(secret) < 140
    (tmp_path / f"{canary.text}.txt").write_bytes(b"nothing")
    assert found_in(files_under(tmp_path / f"{canary.text}.txt"))
    traffic = tmp_path / "traffic"
    traffic.mkdir()
    whole = data_frame(1, os.urandom(50) + secret)
    frames = [
        len(part).to_bytes(3, "big") + b"\0\0" + (1).to_bytes(4, "big") + part
        for part in (whole[9:70], whole[70:])
    ]
    (traffic / "split").write_bytes(b"".join(frames))
    assert not found_in([Piece("split", (traffic / "split").read_bytes())])
    assert found_in(traffic_under(traffic, lambda name: True))
    other = canary.text[:-1] + ("甲" if canary.text[-1] != "甲" else "乙")
    assert not found_in([Piece("other", other.encode())])


def test_headers_are_decoded() -> None:
    """The examples of RFC 7541, C.4 and C.6.1, and any octets there and back."""
    decoder = HpackDecoder()
    first = decoder.decode(bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff"))
    assert first[-1] == (b":authority", b"www.example.com")
    second = decoder.decode(bytes.fromhex("828684be5886a8eb10649cbf"))
    assert second[-2:] == [first[-1], (b"cache-control", b"no-cache")]
    answer = HpackDecoder().decode(
        bytes.fromhex(
            "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff"
            "6e919d29ad171863c78f0b97c8e9ae82ae43d3"
        )
    )
    assert answer == [
        (b":status", b"302"),
        (b"cache-control", b"private"),
        (b"date", b"Mon, 21 Oct 2013 20:13:21 GMT"),
        (b"location", b"https://www.example.com"),
    ]
    octets = bytes(range(256)) + os.urandom(200)
    assert huffman_decode(huffman_encode(octets)) == octets
    with pytest.raises(ValueError, match="padding"):
        huffman_decode(b"\0")


async def test_a_leaking_server_is_caught(tmp_path: Path) -> None:
    """A canary in a message, in an error's text and in its details is found in the recording alone,
    although it is Huffman-coded and escaped there."""
    sites = make_two_sites(tmp_path)
    bank = sites.identity("cn", "custodian", "bank")
    sent, english = Canary("sent", letters()), Canary("english", letters())
    chinese = Canary("chinese", ideographs())
    traffic = tmp_path / "traffic"

    def call(canary: Canary) -> None:
        with (
            pytest.raises(InvalidInputError, match=canary.text),
            at_vault(bank.folder, SERVICE) as session,
        ):
            add_schema(session.channel, sent.text.encode())

    with RecordingProxies(traffic) as proxies:
        address = proxies.before(sites.vault, [bank], sites.vault.sites())
        file = redirected(sites.cn, {sites.vault.uri: address})
        join(bank.folder / "sites", file, sites.cn.current().fingerprint)
        async with running(sites.vault) as server:
            for canary in (english, chinese):
                server.documents.fault = InvalidInputError(f"refused: {canary.text}")
                await asyncio.to_thread(call, canary)
    needles = Needles.of([sent, english, chinese])
    found = needles.search(traffic_under(traffic, lambda name: name.endswith("response")))
    headers = {(owner, form) for owner, form, piece in found if "headers" in piece}
    assert headers >= {("english", "utf-8"), ("chinese", "utf-8"), ("chinese", "percent")}
    assert "sent" not in {owner for owner, _ in headers}
    found = needles.search(traffic_under(traffic, lambda name: name.endswith("request")))
    assert {owner for owner, _, _ in found} == {"sent"}
    assert proxies.errors == []
