"""No secret gets out: a document full of canaries lives its whole life, and they are looked for.

    python -m pytest -q -n0 -s tests/adversarial/test_canaries.py

prints how much was searched for how many spellings. Every search is tried on what it must find: a
canary in each place in each encoding, a personal block in Hong Kong, and the canaries themselves
where a release opened them.
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from support.canaries import (
    Canary,
    Find,
    Needles,
    Piece,
    bytes_forms,
    digits,
    files_under,
    ideographs,
    letters,
)
from support.http2 import Connection, data_frame
from support.leak_life import Life, run_life
from support.leak_places import Place, hk_side, opened_places, places

from vault.crypto.cids import Cid, Codec
from vault.crypto.root import decode_root
from vault.storage.embedded import EmbeddedBlockStore


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """One life for the whole run, whichever of its workers comes first."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    target = folder / "leak-life"
    with (folder / "leak-life.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "canaries.json").exists():
            started = time.monotonic()
            shutil.rmtree(target, ignore_errors=True)
            run_life(target)
            print(f"\nthe life took {time.monotonic() - started:.1f} s")
    return Life.load(target)


@cache
def pieces_of(place: Place) -> tuple[int, list[Piece]]:
    """What there is to search in a place, read once, and its bytes."""
    found = list(place.pieces())
    return sum(len(piece.data) for piece in found), found


def search(needles: Needles, where: dict[str, Place]) -> dict[str, set[Find]]:
    """What is found, by place; empty where nothing is. Prints the figures."""
    started, total = time.monotonic(), 0
    found: dict[str, set[Find]] = {}
    for name, place in where.items():
        size, pieces = pieces_of(place)
        assert size > 0, f"{name} is empty"
        total += size
        if finds := needles.search(pieces):
            found[name] = finds
    print(
        f"\n{total:,} bytes in {len(where)} places searched for {needles.count:,} spellings "
        f"in {time.monotonic() - started:.1f} s"
    )
    return found


# --- canaries -----------------------------------------------------------------------------------


def test_no_canary_is_anywhere(life: Life) -> None:
    """No sealed text or number, in any encoding, in any store, database, log, message or file, nor
    in what the vault says to anyone, nor in what passed between the sites, in plain."""
    print(f"\n{len(life.personal)} personal canaries, {len(life.asset)} of the asset part")
    found = search(Needles.of(life.personal + life.asset), places(life.folder))
    assert found == {}


def test_a_release_opens_the_asset_part_and_nothing_personal(life: Life) -> None:
    """Every canary of the asset part is in what the SPV opened, and none of the personal part: so
    they were in the documents, and the search finds them in plain."""
    found = set().union(*search(Needles.of(life.asset), opened_places(life.folder)).values())
    assert {name for name, _, _ in found} == {canary.name for canary in life.asset}
    personal = search(Needles.of(life.personal), opened_places(life.folder))
    assert personal == {}


def test_the_custodian_opens_the_personal_part(life: Life) -> None:
    """Every personal canary that was stored is in what the custodian opened, and no other."""
    opened = Place(life.folder / "desks" / "custodian", ("opened",))
    found = Needles.of(life.personal + life.asset).search(opened.pieces())
    stored = {c.name for c in life.personal if not c.name.startswith(("refused", "junk"))}
    assert {name for name, _, _ in found} == stored


def test_what_a_custodian_says_stays_where_it_belongs(life: Life) -> None:
    """The reason of a denial and the legal basis of a grant are nowhere in Hong Kong, and in no
    bundle; both are in the vault's database, where an auditor needs them."""
    found = search(Needles.of(life.denial + life.basis), hk_side(life.folder))
    assert found == {}
    bundles = {"bundles": places(life.folder)["bundles, grants and requests"]}
    assert search(Needles.of(life.basis), bundles) == {}
    kept = {"vault": places(life.folder)["vault's databases"]}
    found = search(Needles.of(life.denial + life.basis), kept)
    assert {name for name, _, _ in found["vault"]} == {c.name for c in life.denial + life.basis}


def test_an_incident_is_logged_without_words(life: Life) -> None:
    """Errors that nobody expects reach the log by number, place and type, and nobody's words: not
    what a custodian was just writing when the database broke."""
    assert b"incident" in (life.folder / "logs" / "cn-vault.log").read_bytes()
    logs = {"logs": places(life.folder)["logs of cn processes"]}
    assert search(Needles.of(life.denial + life.basis), logs) == {}


def test_everybody_was_heard(life: Life) -> None:
    """The traffic is of all of Hong Kong's holders and clients, whole calls, none compressed."""
    folder = life.folder / "traffic"
    names = {re.sub(r"^\d+ |\.\w+$", "", path.name) for path in folder.iterdir()}
    holders = {f"cn-vault-main to hk-holder-h{i}" for i in (1, 2, 3)}
    holders |= {f"hk-officer-lee to hk-holder-h{i}" for i in (1, 2, 3)}
    people = ("spv-issuer", "spv-other", "authority-lists", "auditor-audit", "holder-h1")
    assert names >= holders | {f"hk-{person} to cn-vault-main" for person in people}
    paths, compressed = set(), []
    for path in folder.iterdir():
        for stream in Connection.parse(path.read_bytes()).streams.values():
            paths |= {value for name, value in stream.headers if name == b":path"}
            compressed += [flag for flag, _ in stream.messages() if flag]
    methods = {path.decode().rpartition("/")[2] for path in paths}
    assert methods >= {
        *("PutDocuments", "DepositShares", "SubmitRelease", "ReleaseShare", "SubmitApproval"),
        *("SubmitProofRequest", "ApproveProofRequest", "FetchBundle", "CreateRelease"),
        *("CollectShares", "ReadBlocks", "ListRecords", "CheckCommitted"),
        *("ListAttestations", "CheckProofRequest", "RegisterManifest", "CreateProof"),
    }
    assert compressed == []


# --- the search itself --------------------------------------------------------------------------

NUMBER = digits()
PLANTED = [
    Canary("a text", letters()),
    Canary("a Chinese text", ideographs()),
    Canary("a number", NUMBER, int(NUMBER)),
]


@pytest.fixture(scope="module")
def leaky(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that is left of the life, with a leak in every place."""
    folder = tmp_path_factory.mktemp("leaky") / "life"
    shutil.copytree(life.folder, folder)
    leaks = [
        os.urandom(9) + data + os.urandom(9)
        for canary in PLANTED
        for data in canary.forms().values()
    ]
    for place in (places(folder) | opened_places(folder)).values():
        plant(place, leaks)
    return folder


def plant(place: Place, leaks: Iterable[bytes]) -> None:
    """Add these bytes to the first file of a place, to its database if it has one, or as a call."""
    if place.connections is not None:
        names = sorted(path.name for path in place.root.iterdir() if place.connections(path.name))
        with (place.root / names[-1]).open("ab") as file:
            file.write(b"".join(data_frame(4001 + 2 * i, leak) for i, leak in enumerate(leaks)))
        return
    roots = [path for pattern in place.files for path in sorted(place.root.glob(pattern))]
    files = [f for root in roots for f in [root, *sorted(root.rglob("*"))] if f.is_file()]
    databases = [file for file in files if file.read_bytes()[:6] == b"SQLite"]
    if databases:
        with sqlite3.connect(databases[0]) as connection:
            connection.execute("CREATE TABLE planted (leak BLOB)")
            connection.executemany("INSERT INTO planted VALUES (?)", [(leak,) for leak in leaks])
        connection.close()
    else:
        with files[0].open("ab") as file:
            file.writelines(leaks)


def test_a_planted_leak_is_found(leaky: Path) -> None:
    """In every place, in every encoding, of a text, a Chinese text, and a number."""
    needles = Needles.of(PLANTED)
    for canary in PLANTED:
        assert set(canary.forms()) >= {
            *("utf-8", "utf-16-le", "utf-16-be", "hex"),
            *(f"base64+{offset}" for offset in range(3)),
        }
    expected = {(canary.name, form) for canary in PLANTED for form in canary.forms()}
    for name, place in (places(leaky) | opened_places(leaky)).items():
        found = {(owner, form) for owner, form, _ in needles.search(place.pieces())}
        assert (name, expected - found) == (name, set())


# --- personal blocks ----------------------------------------------------------------------------

WINDOW = 24


def blocks_of(store: Path, folder: Path) -> dict[Cid, bytes]:
    """Every block of a store, read from a copy: the store itself is evidence."""
    shutil.copytree(store, folder)
    (folder / "lock").unlink(missing_ok=True)
    opened = EmbeddedBlockStore(folder)
    try:
        return {cid: opened.get(cid) for cid in opened.iter_cids()}
    finally:
        opened.close()


def block_needles(blocks: dict[Cid, bytes]) -> Needles:
    """CIDs in all spellings, and pieces of ciphertext close enough to catch any 88 bytes in a row.

    Of a root only what is its own: its CBOR is alike in every part.
    """
    needles = Needles()
    for number, (cid, data) in enumerate(sorted(blocks.items())):
        owner = f"block {number}"
        needles.add(owner, "CID text", cid.text.encode())
        needles.add(owner, "CID TEXT", cid.text.upper().encode())
        for form, spelled in bytes_forms(cid.binary, prefix="CID ").items():
            needles.add(owner, form, spelled)
        for form, spelled in bytes_forms(cid.digest, prefix="digest ").items():
            needles.add(owner, form, spelled)
        if cid.codec is Codec.RAW:
            windows = {at: data[at : at + WINDOW] for at in range(0, len(data) - WINDOW + 1, 64)}
        else:
            entries = decode_root(data).streams
            windows = dict(enumerate(entry.header for entry in entries))
        for at, window in windows.items():
            needles.add(owner, "ciphertext", window)
            if at % 1024 == 0:
                for form, spelled in bytes_forms(window, prefix="ciphertext ").items():
                    needles.add(owner, form, spelled)
    return needles


@pytest.fixture(scope="module")
def personal_blocks(life: Life, tmp_path_factory: pytest.TempPathFactory) -> dict[Cid, bytes]:
    """The personal part's: two attachments, one of them in two chunks, the record, and the root."""
    folder = tmp_path_factory.mktemp("personal") / "copy"
    found = blocks_of(life.folder / "cn" / "vault" / "personal", folder)
    assert len(found) == 5
    return found


def salts(life: Life) -> Iterator[bytes]:
    """The opening of each attested commitment to a personal part."""
    copy = life.folder.parent / "catalog-copy.db"
    for suffix in ("", "-wal"):
        source = life.folder / "cn" / "vault" / f"catalog.db{suffix}"
        if source.exists():
            shutil.copyfile(source, f"{copy}{suffix}")
    connection = sqlite3.connect(copy)
    for (salt,) in connection.execute("SELECT personal_salt FROM versions").fetchall():
        assert len(salt) == 32
        yield salt
    connection.close()


def test_no_trace_of_a_personal_block_in_hong_kong(
    life: Life, personal_blocks: dict[Cid, bytes]
) -> None:
    """No CID of one, no digest, no ciphertext and no salt on any disk of Hong Kong, in what its
    holders and clients received or sent, or in the store that both sides' nodes share."""
    needles = block_needles(personal_blocks)
    for salt in salts(life):
        for form, spelled in bytes_forms(salt, prefix="salt ").items():
            needles.add("salt", form, spelled)
    where = hk_side(life.folder)
    where["shared block store"] = places(life.folder)["shared block store"]
    assert search(needles, where) == {}


def test_asset_blocks_are_seen_in_hong_kong(
    life: Life, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same search finds every block of the asset part, which the SPV read through the vault."""
    copy = tmp_path_factory.mktemp("asset") / "copy"
    blocks = blocks_of(life.folder / "cn" / "vault" / "blocks", copy)
    found = search(block_needles(blocks), {"hk": hk_side(life.folder)["hk traffic"]})["hk"]
    owners = {f"block {number}" for number in range(len(blocks))}
    for form in ("CID bytes", "digest bytes", "ciphertext"):
        assert {owner for owner, seen, _ in found if seen == form} == owners


def test_a_personal_block_planted_in_hong_kong_is_found(
    life: Life, personal_blocks: dict[Cid, bytes], tmp_path: Path
) -> None:
    """Wherever in Hong Kong one stands, whole or its name alone, in whatever spelling."""
    folder = tmp_path / "life"
    shutil.copytree(life.folder, folder, ignore=shutil.ignore_patterns("cn"))
    needles = block_needles(personal_blocks)
    (number, cid, data) = next(
        (n, c, d)
        for n, (c, d) in enumerate(sorted(personal_blocks.items()))
        if len(d) < 65_000 and c.codec is Codec.RAW
    )
    leaks = [data, b" " + cid.text.encode(), *bytes_forms(cid.binary).values()]
    leaks += [b"\0" + spelled for spelled in bytes_forms(cid.digest).values()]
    leaks += [data.hex().encode(), b"\0" + base64.b64encode(data)]
    expected = {"CID text", "ciphertext", "ciphertext hex", "ciphertext base64+0"}
    expected |= set(bytes_forms(cid.binary, prefix="CID "))
    expected |= set(bytes_forms(cid.digest, prefix="digest "))
    for name, place in hk_side(folder).items():
        plant(place, leaks)
        found = needles.search(place.pieces())
        seen = {form for owner, form, _ in found if owner == f"block {number}"}
        assert (name, expected - seen) == (name, set())


# --- processes ----------------------------------------------------------------------------------


def secrets_of(life: Life) -> Needles:
    """Every private key of both sides: the lines of PEM files, and seeds as bytes and spelled."""
    needles = Needles()
    for side in ("cn", "hk"):
        for path in (life.folder / side).rglob("*"):
            if path.name.endswith("key.pem"):
                for line in path.read_bytes().splitlines():
                    if b"PRIVATE KEY" not in line:
                        needles.add(str(path), "PEM", line)
            elif path.name.endswith("seed.bin"):
                for form, spelled in bytes_forms(path.read_bytes()).items():
                    needles.add(str(path), form, spelled)
    return needles


def test_no_process_was_given_a_secret_in_the_open(life: Life) -> None:
    """Neither arguments nor environment of a process, which other users of its machine may read,
    hold a private key; each process was looked at, and the keys are found where they belong."""
    place = places(life.folder)["arguments and environment"]
    names = {path.name for path in place.root.iterdir()}
    holders = [f"{side}-h{i}" for side in ("cn", "hk") for i in (1, 2, 3)]
    assert names == {f"{n}.{w}" for n in ("vault", *holders) for w in ("cmdline", "environ")}
    assert b"serve" in (place.root / "vault.cmdline").read_bytes()
    needles = secrets_of(life)
    assert search(needles, {"processes": place}) == {}
    own = files_under(life.folder / "cn" / "identities" / "vault")
    assert {form for _, form, _ in needles.search(own)} >= {"PEM", "bytes"}
