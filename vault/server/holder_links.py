"""The vault's lines to all key holders: the ports `Holders` and `ReleaseLinks` over gRPC.

Every holder is asked at once and each has its own deadline, so that a slow one costs no more than
itself. A put needs all of them: the first that is missing fails it, by name. A release needs a
quorum, so there nobody's failure is raised; each holder's answer says how it is with it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import grpc

from vault.client.channel import connect, translate
from vault.client.document_messages import deposit_to_message
from vault.client.release_messages import answer_from_message
from vault.errors import NotFoundError, UnavailableError, VaultError
from vault.identity import Identity
from vault.ports import Deposit
from vault.release_model import HolderAnswer, HolderState
from vault.sites import PrincipalRecord, SiteSet
from vault.v1 import holder_pb2, holder_pb2_grpc

DEPOSIT_SECONDS: Final = 30.0
RELEASE_SECONDS: Final = 10.0
_UNKNOWN_RELEASE: Final = "UNKNOWN_RELEASE"
_SERVICE: Final = holder_pb2.DESCRIPTOR.services_by_name["HolderService"]


class HolderLinks:
    """Channels to the holders, opened when first needed. Safe to share between threads."""

    def __init__(self, identity: Identity, sites: SiteSet) -> None:
        self._identity = identity
        self._sites = sites
        self._open: dict[str, tuple[PrincipalRecord, bytes, grpc.Channel]] = {}
        self._lock = threading.Lock()

    def deposit(self, deposits: Mapping[str, Sequence[Deposit]]) -> Mapping[str, list[bytes]]:
        """See `vault.ports.Holders`."""
        requests = {
            uri: holder_pb2.DepositSharesRequest(deposits=map(deposit_to_message, each))
            for uri, each in deposits.items()
        }
        answers = self._ask("DepositShares", requests, seconds=DEPOSIT_SECONDS)
        away = [str(e) for e in answers.values() if isinstance(e, UnavailableError)]
        if away:
            raise UnavailableError(f"nothing was stored: {'; '.join(away)}", reason="HOLDER_DOWN")
        found: dict[str, list[bytes]] = {}
        for uri, answer in answers.items():
            if isinstance(answer, VaultError):
                raise type(answer)(f"holder {uri}: {answer}", reason=answer.reason)
            if len(answer.receipts) != len(deposits[uri]):
                raise UnavailableError(f"holder {uri} answered with another number of receipts")
            found[uri] = list(answer.receipts)
        return found

    def submit(self, holders: Sequence[str], envelope: bytes) -> Mapping[str, HolderAnswer]:
        """See `vault.app.release.ReleaseLinks`."""
        request = holder_pb2.SubmitReleaseRequest(envelope=envelope)
        answers = self._ask(
            "SubmitRelease", dict.fromkeys(holders, request), seconds=RELEASE_SECONDS
        )
        return {uri: _answer(uri, answer) for uri, answer in answers.items()}

    def collect(
        self, holders: Sequence[str], digest: str, envelope: bytes
    ) -> Mapping[str, HolderAnswer]:
        """See `vault.app.release.ReleaseLinks`."""
        request = holder_pb2.ReleaseShareRequest(digest=digest)
        ask = dict.fromkeys(holders, request)
        answers = self._ask("ReleaseShare", ask, seconds=RELEASE_SECONDS)
        found = {uri: _answer(uri, answer) for uri, answer in answers.items()}
        # One that was away when the request came has never heard of it.
        unknown = [
            uri
            for uri, answer in answers.items()
            if isinstance(answer, NotFoundError) and answer.reason == _UNKNOWN_RELEASE
        ]
        if unknown:
            found.update(self.submit(unknown, envelope))
            told = {uri: request for uri in unknown if found[uri].state is HolderState.WAITING}
            again = self._ask("ReleaseShare", told, seconds=RELEASE_SECONDS)
            found.update({uri: _answer(uri, answer) for uri, answer in again.items()})
        return found

    def close(self) -> None:
        """Close all channels."""
        with self._lock:
            for _, _, channel in self._open.values():
                channel.close()
            self._open.clear()

    def _ask(self, method: str, requests: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """Send all requests at once; each holder's response, or the VaultError in its place."""
        calls: dict[str, tuple[PrincipalRecord, Any]] = {}
        answers: dict[str, Any] = {}
        for uri, request in requests.items():
            try:
                record, channel = self._channel(uri)
                stub = holder_pb2_grpc.HolderServiceStub(channel)
                calls[uri] = record, getattr(stub, method).future(request, timeout=seconds)
            except VaultError as error:
                answers[uri] = error
        for uri, (record, call) in calls.items():
            try:
                answers[uri] = call.result()
            except grpc.RpcError as error:
                answers[uri] = translate(error, record)
        return {uri: answers[uri] for uri in requests}

    def _channel(self, uri: str) -> tuple[PrincipalRecord, grpc.Channel]:
        """The channel to a holder; a new one when its listing or the own certificate changed."""
        record = self._sites.principal(uri)
        certificate = self._identity.renewed().certificate_pem
        with self._lock:
            known = self._open.get(uri)
            if known is not None and known[:2] == (record, certificate):
                return record, known[2]
            if known is not None:
                known[2].close()
            channel = connect(self._identity, self._sites, uri, services=[_SERVICE])
            self._open[uri] = record, certificate, channel
            return record, channel


def _answer(uri: str, answer: Any) -> HolderAnswer:
    if isinstance(answer, UnavailableError):
        return HolderAnswer(uri, HolderState.UNREACHABLE, str(answer))
    if isinstance(answer, VaultError):
        return HolderAnswer(uri, HolderState.REFUSED, str(answer))
    try:
        return answer_from_message(answer.answer, holder=uri)
    except VaultError as error:
        return HolderAnswer(uri, HolderState.REFUSED, str(error))
