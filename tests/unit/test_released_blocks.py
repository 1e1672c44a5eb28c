"""Blocks read through the vault: in order, hashed, one stream for many, taken up where it broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
import pytest
from support.sites import make_two_sites

from vault.client.released_blocks import PER_STREAM, VaultBlocks
from vault.client.session import the_vault
from vault.crypto.cids import Cid, Codec, cid_of_block
from vault.errors import IntegrityError, NotFoundError, UnavailableError
from vault.sites import PrincipalRecord
from vault.v1 import document_pb2, release_pb2

BLOCKS = {cid_of_block(Codec.RAW, data): data for data in (b"%d" % i for i in range(2500))}
ORDER = list(BLOCKS)

Answer = Callable[[Sequence[Cid]], Iterator[tuple[Cid, bytes]]]


class Broken(grpc.RpcError):
    """A stream that ended because the connection did."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "connection reset"

    def trailing_metadata(self) -> None:
        return None


class Call:
    """A stream of responses that can be cancelled."""

    def __init__(self, blocks: Iterator[tuple[Cid, bytes]]) -> None:
        self._blocks = blocks
        self.cancelled = False

    def __next__(self) -> release_pb2.ReadBlocksResponse:
        cid, data = next(self._blocks)
        return release_pb2.ReadBlocksResponse(block=document_pb2.Block(cid=cid.binary, data=data))

    def cancel(self) -> None:
        self.cancelled = True


class Stub:
    """The one method that is called; each call is answered by the next of `answers`."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[list[Cid]] = []
        self.calls: list[Call] = []

    def ReadBlocks(self, request: Any) -> Call:  # noqa: N802 - gRPC's name
        cids = [Cid.from_bytes(cid) for cid in request.cids]
        self.asked.append(cids)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.calls.append(Call(answer(cids)))
        return self.calls[-1]


def honest(cids: Sequence[Cid]) -> Iterator[tuple[Cid, bytes]]:
    return ((cid, BLOCKS[cid]) for cid in cids)


def breaks_after(count: int) -> Answer:
    def answer(cids: Sequence[Cid]) -> Iterator[tuple[Cid, bytes]]:
        yield from list(honest(cids))[:count]
        raise Broken

    return answer


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> PrincipalRecord:
    sites = make_two_sites(tmp_path_factory.mktemp("sites"), holders=2)
    return the_vault(sites.identity("hk", "spv", "issuer").sites())


def reader(vault: PrincipalRecord, stub: Stub) -> VaultBlocks:
    blocks = VaultBlocks(stub, vault, "a" * 64)  # type: ignore[arg-type]
    blocks.expect(ORDER)
    return blocks


def test_one_stream_gives_many_blocks(vault: PrincipalRecord) -> None:
    """Read in the order that was said, 2,500 blocks take three streams of at most 1,024."""
    stub = Stub(honest)
    blocks = reader(vault, stub)
    assert [blocks.get(cid) for cid in ORDER] == list(BLOCKS.values())
    assert [len(cids) for cids in stub.asked] == [PER_STREAM, PER_STREAM, 2500 - 2 * PER_STREAM]


def test_blocks_out_of_order_are_found(vault: PrincipalRecord) -> None:
    """A jump ends the stream under way and begins one at the new place; strangers go alone."""
    stub = Stub(honest)
    blocks = reader(vault, stub)
    stranger = cid_of_block(Codec.DAG_CBOR, b"root")
    BLOCKS[stranger] = b"root"
    for cid in (ORDER[5], ORDER[6], ORDER[2], stranger):
        assert blocks.get(cid) == BLOCKS[cid]
    assert [(cids[0], len(cids)) for cids in stub.asked] == [
        (ORDER[5], PER_STREAM),
        (ORDER[2], PER_STREAM),
        (stranger, 1),
    ]
    assert [call.cancelled for call in stub.calls] == [True, True, False]
    blocks.close()
    assert stub.calls[-1].cancelled
    del BLOCKS[stranger]


def test_a_broken_stream_is_taken_up_where_it_stood(vault: PrincipalRecord) -> None:
    """No block is lost or repeated when the connection breaks in the middle."""
    stub = Stub(breaks_after(3), breaks_after(2), honest)
    blocks = reader(vault, stub)
    assert [blocks.get(cid) for cid in ORDER[:10]] == [BLOCKS[cid] for cid in ORDER[:10]]
    assert [cids[0] for cids in stub.asked] == [ORDER[0], ORDER[3], ORDER[5]]


def test_a_vault_that_stays_away_is_given_up(vault: PrincipalRecord) -> None:
    """After a few attempts the error says who does not answer."""
    stub = Stub(breaks_after(0))
    with pytest.raises(UnavailableError, match="vault main"):
        reader(vault, stub).get(ORDER[0])
    assert len(stub.asked) == 4


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda cids: iter([(cids[0], b"other")]), IntegrityError, "another hash"),
        (lambda cids: iter([(ORDER[9], BLOCKS[ORDER[9]])]), IntegrityError, "another block"),
        (lambda cids: iter([]), NotFoundError, "did not come"),
    ],
)
def test_what_a_vault_sends_is_not_believed(
    vault: PrincipalRecord, answer: Answer, error: type[Exception], said: str
) -> None:
    """Other bytes, another block, or none: an error that names the CID that was asked for."""
    with pytest.raises(error, match=said) as caught:
        reader(vault, Stub(answer)).get(ORDER[0])
    assert str(ORDER[0]) in str(caught.value)
