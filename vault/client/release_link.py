"""The vault's release service, as a requester calls it: messages in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from vault.client.channel import connect, reporting
from vault.client.release_messages import answer_from_message
from vault.client.released_blocks import VaultBlocks
from vault.client.session import the_vault
from vault.errors import InvalidInputError
from vault.identity import Identity
from vault.release_model import HolderAnswer, HolderState
from vault.sites import PrincipalRecord, SiteSet
from vault.v1 import release_pb2, release_pb2_grpc

SERVICE = release_pb2.DESCRIPTOR.services_by_name["ReleaseService"]
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Collected:
    """What the vault answered to a request for shares: nothing in it is believed yet."""

    holders: tuple[HolderAnswer, ...]
    key_manifest: bytes
    attestation: bytes
    schema: bytes
    root: bytes
    personal_salt: bytes = field(repr=False)
    quorum_released: bool


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """One of the caller's releases as the vault lists it."""

    digest: str
    envelope: bytes
    quorum_released: bool


class ReleaseLink:
    """Calls to one vault. Refusals come as VaultError with the vault's reason."""

    def __init__(self, stub: release_pb2_grpc.ReleaseServiceStub, target: PrincipalRecord) -> None:
        self._stub = stub
        self._target = target

    def create(self, envelope: bytes) -> tuple[str, tuple[HolderAnswer, ...]]:
        """Hand in a request; its digest, and every holder's answer. Harmless to repeat."""
        with reporting(self._target):
            response = self._stub.CreateRelease(release_pb2.CreateReleaseRequest(envelope=envelope))
        return response.digest, _answers(response.holders)

    def list_own(self) -> list[ListedRelease]:
        """All of the caller's releases, oldest first."""
        found: list[ListedRelease] = []
        token = ""
        while True:
            with reporting(self._target):
                page = self._stub.ListReleases(
                    release_pb2.ListReleasesRequest(page_size=PAGE, page_token=token)
                )
            found += [
                ListedRelease(each.digest, each.envelope, each.quorum_released)
                for each in page.releases
            ]
            token = page.next_page_token
            if not token:
                return found

    def collect(self, digest: str) -> Collected:
        """Ask for the shares of a release. Harmless to repeat: the same bytes come again."""
        with reporting(self._target):
            response = self._stub.CollectShares(release_pb2.CollectSharesRequest(digest=digest))
        return Collected(
            holders=_answers(response.holders),
            key_manifest=response.key_manifest,
            attestation=response.attestation,
            schema=response.schema,
            root=response.root,
            personal_salt=response.personal_salt,
            quorum_released=response.quorum_released,
        )

    def blocks(self, digest: str) -> VaultBlocks:
        """The blocks of the released part."""
        return VaultBlocks(self._stub, self._target, digest)


@contextmanager
def open_link(identity: Identity, sites: SiteSet) -> Iterator[ReleaseLink]:
    """Connect to the release service of the one vault that the pinned mainland site lists."""
    target = the_vault(sites)
    with connect(identity, sites, target.uri, services=[SERVICE]) as channel:
        yield ReleaseLink(release_pb2_grpc.ReleaseServiceStub(channel), target)


def _answers(messages: Iterable[release_pb2.HolderAnswer]) -> tuple[HolderAnswer, ...]:
    return tuple(map(_answer, messages))


def _answer(message: release_pb2.HolderAnswer) -> HolderAnswer:
    try:
        return answer_from_message(message, holder=message.holder)
    except InvalidInputError as error:
        # One holder's nonsense must not keep the answers of the others from being read.
        return HolderAnswer(message.holder, HolderState.REFUSED, str(error))
