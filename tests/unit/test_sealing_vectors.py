"""Version 1 of what is sealed, frozen: bytes stored once must open for ever.

`tests/vectors/sealing.json` was written once by this code; its HKDF outputs and dag-cbor were
compared with other implementations (see the tests of keys and of content). It is never renewed:
a change that makes one of these fail needs a new format version.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from support.parts import read_files

from vault.crypto import keys
from vault.crypto.cids import Cid, check_block
from vault.crypto.content import open_part
from vault.crypto.keys import HpkeKey, PartKey, SideKey
from vault.crypto.root import cid_of_root
from vault.crypto.shares import Share, combine_checked, share_digest

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sealing.json").read_bytes()
)
PART, SHARES, SEALED = VECTORS["part"], VECTORS["shares"], VECTORS["sealed_share"]


def test_part_key() -> None:
    """Both sides' scalars give the key of the part."""
    k_cn, k_hk = (SideKey(bytes.fromhex(PART[name])) for name in ("k_cn", "k_hk"))
    derived = keys.derive_part_key(PART["document"], PART["version"], PART["part"], k_cn, k_hk)
    assert derived.value.hex() == PART["part_key"]


def test_part() -> None:
    """The stored blocks open to the record and the file that were sealed."""
    root = base64.b64decode(PART["root"])
    blocks = {Cid.parse(cid): base64.b64decode(data) for cid, data in PART["blocks"].items()}
    assert cid_of_root(root).text == PART["root_cid"]
    assert [check_block(cid, data, source="the vector") for cid, data in blocks.items()]
    opened = open_part(PartKey(bytes.fromhex(PART["part_key"])), root, blocks.__getitem__)
    file = PART["attachment"]
    assert opened.record.decode() == PART["record"]
    assert read_files(opened) == [(file["name"], file["content"].encode())]
    assert opened.attachment(0).info.media_type == file["media_type"]


@pytest.mark.parametrize("chosen", [("1", "2"), ("1", "3"), ("2", "3")])
def test_shares(chosen: tuple[str, str]) -> None:
    """Every quorum combines to the scalar that its digest names."""
    shares = [Share(int(i), bytes.fromhex(SHARES["shares"][i])) for i in chosen]
    place = {name: PART[name] for name in ("document", "version", "part")}
    for share in shares:
        digest = share_digest(
            **place, side="cn", index=share.index, epoch=SHARES["epoch"], share=share
        )
        assert digest.hex() == SHARES["digests"][str(share.index)]
    combined = combine_checked(
        shares,
        threshold=SHARES["threshold"],
        share_digests={int(i): bytes.fromhex(d) for i, d in SHARES["digests"].items()},
        expected_secret=bytes.fromhex(SHARES["secret_digest"]),
        epoch=SHARES["epoch"],
        side="cn",
        **place,
    )
    assert combined.key.value.hex() == PART["k_cn"]


def test_sealed_share() -> None:
    """A share sealed to a holder opens with the holder's seed, in its context."""
    key = HpkeKey.from_seed(bytes.fromhex(SEALED["seed"]))
    items = SEALED["info"]
    digests = {name: bytes.fromhex(items[name]) for name in ("attestation_digest", "custodian_key")}
    info = keys.store_info(**{**items, **digests})
    assert key.key_id == SEALED["key_id"]
    assert info.hex() == SEALED["info_bytes"]
    opened = keys.open(key, base64.b64decode(SEALED["sealed"]), info)
    assert opened.hex() == SEALED["plaintext"]
