"""What an asker might learn of others by counting, and what it might fill."""

from __future__ import annotations

import asyncio
import hashlib
import random
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from support import bundles
from support.list_world import asked
from support.proof_world import DAY, NOW, World, make_world
from support.sites import TwoSites, make_two_sites

from proofs.principal import Principal
from proofs.request import LIMIT
from vault.app.asking import MAX_OPEN
from vault.errors import ExhaustedError, InvalidInputError
from vault.server.auth import _caller
from vault.server.tls import Caller
from vault.storage.proof_store import ProofStore, StoredRequest
from vault.storage.tables.proofs import proof_requests
from vault.v1 import proof_pb2


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


def stored(number: int, *, size: int = 100, asset: str = bundles.ASSET) -> StoredRequest:
    return StoredRequest(
        digest=f"{number:064x}",
        asker="spiffe://rwa.example/hk/spv/issuer",
        request=bytes(size),
        asset=asset,
        schema=bundles.schema().digest,
        submit_time=NOW,
        expires=NOW + DAY,
    )


def read_so_far() -> int:
    """Bytes that this process has read from files."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def page(world: World, caller: Principal, token: str = "") -> proof_pb2.ListProofRequestsResponse:
    _caller.set(Caller(world.sites.vault.sites().principal(caller)))
    request = proof_pb2.ListProofRequestsRequest(page_size=1, page_token=token)
    return asyncio.run(world.servicer().ListProofRequests(request, None))


def test_a_page_token_tells_nothing_of_others_requests(world: World) -> None:
    """Two tokens of one asker, with and without others' requests between, look alike."""
    servicer = world.servicer()

    def token_after(*others: str) -> str:
        for nonce in others:
            other = world.sites.identity("hk", "spv", "other").principal
            world.asking.submit(other, world.request(nonce=nonce * 32).data)
        _caller.set(Caller(world.sites.vault.sites().principal(world.issuer)))
        request = proof_pb2.ListProofRequestsRequest(page_size=1)
        return asyncio.run(servicer.ListProofRequests(request, None)).next_page_token

    for nonce in ("01", "02"):
        world.asking.submit(world.issuer, world.request(nonce=nonce * 32).data)
    tokens = [token_after(), token_after(), token_after("03", "04")]
    assert len({len(each) for each in tokens}) == 1
    assert len(set(tokens)) == 3, "the same place has no one token either"


@pytest.mark.parametrize("token", ["1", "2", "ff" * 36, "zz"])
def test_a_token_that_no_page_gave_is_refused(world: World, token: str) -> None:
    """A row cannot be guessed at, nor another caller's or another list's token used."""
    with pytest.raises(InvalidInputError, match="page token"):
        page(world, world.issuer, token)


def test_a_token_is_its_callers_own(world: World) -> None:
    """What one principal was given begins no page of another."""
    for nonce in ("01", "02"):
        world.asking.submit(world.issuer, world.request(nonce=nonce * 32).data)
    servicer = world.servicer()

    def ask(caller: Principal, token: str) -> proof_pb2.ListProofRequestsResponse:
        _caller.set(Caller(world.sites.vault.sites().principal(caller)))
        request = proof_pb2.ListProofRequestsRequest(page_size=1, page_token=token)
        return asyncio.run(servicer.ListProofRequests(request, None))

    token = ask(world.issuer, "").next_page_token
    assert ask(world.issuer, token).next_page_token == ""
    with pytest.raises(InvalidInputError, match="page token"):
        ask(world.sites.identity("hk", "spv", "other").principal, token)


def test_requests_that_ended_at_once_are_counted_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on what is open alone would let an asker fill the disk with what lives a second."""
    monkeypatch.setattr("vault.app.asking.MAX_OPEN", 3)
    assert MAX_OPEN == 1000

    def submit(number: int) -> None:
        request = asked(
            world,
            ["sum(capacity) >= 90 MW"],
            nonce=f"{number:064x}",
            created=world.now,
            expires=world.now + timedelta(seconds=1),
        )
        world.asking.submit(world.issuer, request.data)

    for number in range(3):
        submit(number)
        world.now += timedelta(seconds=2)
    with pytest.raises(ExhaustedError, match="within a day"):
        submit(3)
    world.now += DAY
    submit(4)


def test_a_page_reads_no_more_than_it_can_hold(world: World) -> None:
    """A page of 64 requests of 1 MiB each: many calls at once would fill the memory."""
    store = world.store_of_requests
    for number in range(20):
        store.submit(stored(number, size=LIMIT))
    tracemalloc.start()
    found, more = store.of_asker("spiffe://rwa.example/hk/spv/issuer", limit=65)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert more
    assert len(found) == 6
    assert peak < 16 * LIMIT


def test_a_page_reads_no_bundle(world: World) -> None:
    """Whether there is one is told without the 16 MiB of it."""
    store = world.store_of_requests
    for number in range(4):
        store.submit(stored(number))
        answered = update(proof_requests).where(proof_requests.c.digest == f"{number:064x}")
        with store.database.write() as connection:
            connection.execute(answered.values(bundle=bytes(8 << 20), granted_by="x"))
    before = read_so_far()
    found, _ = store.of_asker("spiffe://rwa.example/hk/spv/issuer", limit=65)
    assert [each.answered for each in found] == [True] * 4
    assert read_so_far() - before < 4 << 20


def test_a_bundle_is_read_as_it_is_sent(world: World) -> None:
    """Sixteen streams of one asker, each read at a trickle, must not hold sixteen bundles."""
    store = world.store_of_requests
    store.submit(stored(1))
    bundle = random.Random(1).randbytes((16 << 20) + 17)
    answered = update(proof_requests).where(proof_requests.c.digest == f"{1:064x}")
    with store.database.write() as connection:
        connection.execute(answered.values(bundle=bundle, granted_by="x"))
    tracemalloc.start()
    pieces = world.asking.pieces(world.issuer, f"{1:064x}")
    found = hashlib.sha256()
    sizes = []
    for piece in pieces:
        sizes.append(len(piece))
        found.update(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.digest() == hashlib.sha256(bundle).digest()
    assert max(sizes) <= 1 << 20
    assert peak < 6 << 20


def test_a_list_reads_one_page_of_what_does_not_concern(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any number of requests that name one asset of a custodian's and one of nobody's: a call of
    that custodian's must not go through all of them."""
    world.asking.submit(world.issuer, world.request(nonce="01" * 32).data)
    for number in range(30):
        hidden = asked(
            world,
            ["sum(capacity) >= 90 MW"],
            assets=[bundles.ASSET, "cn-pv-9999"],
            nonce=f"{number:064x}",
        )
        world.asking.submit(world.issuer, hidden.data)
    reads: list[int] = []
    real = ProofStore.concerning

    def counted(self: ProofStore, *args: object, **kwargs: object) -> object:
        reads.append(1)
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ProofStore, "concerning", counted)
    first = world.deciding.of_custodian(world.bank, limit=9, before=None)
    assert (first.requests, len(reads)) == ((), 1)
    before, pages = first.before, [first]
    while before is not None:
        pages.append(world.deciding.of_custodian(world.bank, limit=9, before=before))
        before = pages[-1].before
    assert sum(len(each.requests) for each in pages) == 1
