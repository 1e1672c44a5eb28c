"""Putting sealed documents into the vault: stream, wait, check the receipts, keep them.

A put whose answer is lost is asked for by its request ids before anything else, and adopted when
the vault committed it; only what was not committed may be sealed again, anew. The vault's word is
not enough for a put to count: every holder's signed receipt must be of exactly what was sealed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import grpc

from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError
from vault.client.channel import translate
from vault.client.document_messages import part_to_message, share_to_message
from vault.client.prepare import PreparedDocument
from vault.client.put_log import PendingPut, PutLog, Signed
from vault.client.seal import Sealed, Sealer
from vault.client.session import Session, the_vault
from vault.crypto.cids import Cid
from vault.errors import (
    IntegrityError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    VaultError,
)
from vault.model import MAX_BATCH, SIDES, Part
from vault.pki import now_utc
from vault.signed.receipt import DepositReceipt
from vault.sites import SiteSet
from vault.v1 import document_pb2, document_pb2_grpc

SERVICE: Final = document_pb2.DESCRIPTOR.services_by_name["DocumentService"]
MESSAGE_BYTES: Final = 1200 * 1024
"""Blocks of one message: one full chunk, or many small ones."""

_ASK_SECONDS: Final = 30.0
_ASK_PAUSE: Final = 0.5

Progress = Callable[[int], None]
"""Called with the number of ciphertext bytes that were handed on since the last call."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One committed document: its place, and the receipts of all holders, checked."""

    request_id: str
    document: str
    version: int
    asset: str
    attestation_digest: str
    receipts: tuple[bytes, ...]
    commit_time: datetime


class RunningPut:
    """One call under way. `result` waits for it, and finds out what became of it if need be."""

    def __init__(
        self, client: PutClient, documents: Sequence[PreparedDocument], progress: Progress
    ):
        self._client = client
        self._pending: PendingPut | None = None
        self._error: Exception | None = None
        messages = self._messages(documents, progress)
        if not any(document.files for document in documents):
            # Small: sealed here and now, so that the caller may seal the next call meanwhile.
            messages = iter(list(messages))
            if self._error is not None:
                raise self._error
        self._call: Any = client.stub.PutDocuments.future(messages)

    def result(self) -> list[StoredDocument]:
        """What was committed, in order.

        Raises the vault's refusal, after which nothing is stored; UnavailableError when that is
        not known yet (`PutClient.settle` finds out); IntegrityError for a wrong receipt.
        """
        client = self._client
        try:
            response = self._call.result()
        except grpc.RpcError as error:
            if self._error is None:
                return self._after_failure(translate(error, client.vault))
        if self._error is not None:
            # The stream was cut short, so the vault stored nothing of it.
            raise self._error
        if self._pending is None:
            raise IntegrityError("the vault acknowledged a put that was not sent to its end")
        return client.check(self._pending, response.results)

    def _after_failure(self, error: VaultError) -> list[StoredDocument]:
        if self._pending is None:
            raise error
        if isinstance(error, UnavailableError) or error.reason in _UNKNOWN_OUTCOME:
            found = self._client.ask(self._pending)
            if found is not None:
                return found
        self._forget()
        raise error

    def _forget(self) -> None:
        if self._pending is not None:
            self._client.log.forget(self._pending)

    def _messages(
        self, documents: Sequence[PreparedDocument], progress: Progress
    ) -> Iterator[document_pb2.PutDocumentsRequest]:
        """The stream, cut short where sealing fails; the vault refuses what is not whole.

        Runs in gRPC's thread for large documents, which would log an exception and drop it.
        """
        try:
            yield from self._stream(documents, progress)
        except Exception as error:
            self._error = error

    def _stream(
        self, documents: Sequence[PreparedDocument], progress: Progress
    ) -> Iterator[document_pb2.PutDocumentsRequest]:
        header = document_pb2.PutHeader(documents=len(documents))
        yield document_pb2.PutDocumentsRequest(header=header)
        held: list[document_pb2.PutDocumentsRequest] = []
        signed: list[Signed] = []
        for number, prepared in enumerate(documents, start=1):
            sealing = self._client.sealer.begin(prepared)
            yield from held
            held = []
            for batch, size in _batches(sealing.blocks()):
                yield document_pb2.PutDocumentsRequest(blocks=batch)
                progress(size)
            sealed = sealing.finish()
            signed.append(Signed.of(sealed))
            held = [document_pb2.PutDocumentsRequest(document=_message(sealed))]
            if number == len(documents):
                # The vault commits nothing before the last document came: now is early enough.
                self._pending = self._client.log.begin(signed)
        yield from held


class PutClient:
    """Puts of one custodian over one session. `start` calls may overlap; one thread at a time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sites = session.sites
        self.vault = the_vault(session.sites)
        self.sealer = Sealer(session.identity, session.sites, now_utc)
        self.stub = document_pb2_grpc.DocumentServiceStub(session.channel)
        self.log = PutLog(session.identity)
        self._greeted = False

    def start(
        self, documents: Sequence[PreparedDocument], *, progress: Progress = lambda size: None
    ) -> RunningPut:
        """Seal and send up to 64 documents in one call, all or none stored."""
        if not 1 <= len(documents) <= MAX_BATCH:
            raise InvalidInputError(f"a put is of 1 to {MAX_BATCH} documents")
        self._greet()
        return RunningPut(self, documents, progress)

    def _greet(self) -> None:
        """Find out that the vault is away, or refuses the caller, before anything is signed."""
        if not self._greeted:
            try:
                self.stub.GetPut(document_pb2.GetPutRequest(request_id=secrets.token_hex(16)))
            except grpc.RpcError as error:
                found = translate(error, self.vault)
                if not isinstance(found, NotFoundError):
                    raise found from None
            self._greeted = True

    def settle(self) -> list[StoredDocument]:
        """Find out what became of puts whose answer was lost; those that were committed."""
        found: list[StoredDocument] = []
        for pending in self.log.pending():
            adopted = self.ask(pending)
            if adopted is None:
                self.log.forget(pending)
            else:
                found.extend(adopted)
        return found

    def ask(self, pending: PendingPut) -> list[StoredDocument] | None:
        """What the vault committed of a put: all of it, or None for nothing.

        Raises UnavailableError while the vault does not answer or is still at it.
        """
        results = []
        deadline = time.monotonic() + _ASK_SECONDS
        for each in pending.documents:
            result = self._ask(each.request_id, deadline)
            # A request id commits one attestation: if that is an earlier attempt's, this one
            # was not stored.
            if result is not None and result.attestation_digest.hex() == each.attested.digest:
                results.append(result)
            elif not results:
                return None
        return self.check(pending, results)

    def _ask(self, request_id: str, deadline: float) -> document_pb2.PutResult | None:
        while True:
            try:
                request = document_pb2.GetPutRequest(request_id=request_id)
                answer: document_pb2.GetPutResponse = self.stub.GetPut(request)
                return answer.result
            except grpc.RpcError as error:
                found = translate(error, self.vault)
                if isinstance(found, NotFoundError):
                    return None
                if not isinstance(found, UnavailableError):
                    raise found from None
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"it is not known yet whether the put was stored ({found}); the next put "
                        f"asks again",
                        reason="OUTCOME_UNKNOWN",
                    ) from None
                time.sleep(_ASK_PAUSE)

    def check(
        self, pending: PendingPut, results: Sequence[document_pb2.PutResult]
    ) -> list[StoredDocument]:
        """Check the acknowledgement of every document, and keep the receipts.

        Raises IntegrityError naming what is missing or is not of what was sealed.
        """
        if len(results) != len(pending.documents):
            raise IntegrityError("the vault acknowledged another number of documents than sent")
        stored = []
        for signed, result in zip(pending.documents, results, strict=True):
            attested = signed.attested
            said = (result.request_id, result.document, result.version, result.attestation_digest)
            if said != (
                signed.request_id,
                attested.document,
                attested.version,
                bytes.fromhex(attested.digest),
            ):
                raise IntegrityError(
                    f"the vault stored another attestation under request id {signed.request_id}"
                )
            check_receipts(self.sites, signed, result.receipts)
            stored.append(
                StoredDocument(
                    request_id=signed.request_id,
                    document=attested.document,
                    version=attested.version,
                    asset=attested.asset,
                    attestation_digest=attested.digest,
                    receipts=tuple(result.receipts),
                    commit_time=result.commit_time.ToDatetime(tzinfo=UTC),
                )
            )
        self.log.keep(pending, [each.receipts for each in stored], stored[0].commit_time)
        return stored


_UNKNOWN_OUTCOME: Final = frozenset({"REQUEST_ID_USED", "INTERNAL", "UNKNOWN"})
"""Refusals after which the put may be stored nevertheless, besides everything unavailable."""


def put_batch(
    client: PutClient,
    documents: Sequence[PreparedDocument],
    *,
    progress: Progress = lambda size: None,
) -> list[StoredDocument]:
    """Seal, send and wait for up to 64 documents; see `RunningPut.result`."""
    return client.start(documents, progress=progress).result()


def check_receipts(sites: SiteSet, signed: Signed, receipts: Sequence[bytes]) -> None:
    """That every holder of the manifest, and nobody else, signed for exactly its deposit.

    Raises IntegrityError naming the holder. A vault that never delivered a share has no receipt.
    """
    manifest = signed.manifest
    parts = {side: manifest.parts_of(side) for side in SIDES}
    missing = {
        holder.uri: (side, holder.index) for side in SIDES for holder in manifest.side(side).holders
    }
    for data in receipts:
        try:
            unverified = Envelope.parse(data)
            record = sites.by_key(unverified.keyid)
            payload = unverified.verify(record.signing_key, PayloadType.RECEIPT)
            place = missing.pop(record.uri, None)
            if place is not None and DepositReceipt.matches(
                payload,
                attestation=signed.attested.digest,
                manifest=manifest.digest,
                index=place[1],
                epoch=manifest.epoch,
                holder=record.uri,
                parts=parts[place[0]],
            ):
                continue
            receipt = DepositReceipt.parse(payload)
        except (CrossproofError, VaultError) as error:
            raise IntegrityError(f"a receipt is not valid: {error}", reason="RECEIPT") from error
        if place is None or receipt.holder != record.uri:
            raise IntegrityError(
                f"a receipt of {record.uri} that nobody asked for", reason="RECEIPT"
            )
        raise IntegrityError(
            f"the receipt of {receipt.holder} is of another deposit", reason="RECEIPT"
        )
    if missing:
        raise IntegrityError(
            f"no receipt of {', '.join(missing)} came with the acknowledgement", reason="RECEIPT"
        )


def _batches(
    blocks: Iterator[tuple[Part, Cid, bytes]],
) -> Iterator[tuple[document_pb2.BlockBatch, int]]:
    """Blocks in messages of bounded size, with the bytes in each."""
    batch, size = document_pb2.BlockBatch(), 0
    for part, cid, data in blocks:
        if size and size + len(data) > MESSAGE_BYTES:
            yield batch, size
            batch, size = document_pb2.BlockBatch(), 0
        batch.blocks.add(cid=cid.binary, data=data, part=part_to_message(part))
        size += len(data)
    if size:
        yield batch, size


def _message(sealed: Sealed) -> document_pb2.SealedDocument:
    return document_pb2.SealedDocument(
        request_id=sealed.request_id,
        attestation=sealed.attestation,
        key_manifest=sealed.key_manifest,
        sealed_witness=sealed.sealed_witness,
        shares=map(share_to_message, sealed.shares),
        asset_root=sealed.asset_root.binary,
        personal_root=sealed.personal_root.binary if sealed.personal_root else b"",
        personal_salt=sealed.personal_salt or b"",
    )
