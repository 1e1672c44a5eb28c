"""RecordService: what left, as the vault or a holder wrote it down. Served by both.

Everybody sees their own acts; see `vault.app.journal` for whose records an auditor, a custodian
or an officer sees.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from grpc import aio

from proofs.principal import Principal
from vault.app.journal import list_records
from vault.client.release_messages import timestamp
from vault.errors import InvalidInputError
from vault.server.auth import current_caller
from vault.server.roles import serves
from vault.storage.journal import Journal, Record
from vault.v1 import record_pb2, record_pb2_grpc

Context = aio.ServicerContext[Any, Any]


class RecordServicer(record_pb2_grpc.RecordServiceServicer):
    """The records of the process that `server` names."""

    def __init__(self, journal: Journal, server: Principal) -> None:
        self._journal = journal
        self._server = server

    @serves(
        ("cn", "auditor"),
        ("cn", "authority"),
        ("cn", "custodian"),
        ("cn", "officer"),
        ("hk", "auditor"),
        ("hk", "authority"),
        ("hk", "officer"),
        ("hk", "spv"),
    )
    async def ListRecords(
        self, request: record_pb2.ListRecordsRequest, context: Context
    ) -> record_pb2.ListRecordsResponse:
        """See the proto."""
        caller = current_caller().principal
        since = read_since(request)
        page = await asyncio.to_thread(
            lambda: list_records(
                self._journal,
                caller=caller,
                server=self._server,
                since=since,
                page_size=request.page_size,
                page_token=request.page_token,
            )
        )
        return record_pb2.ListRecordsResponse(
            records=map(record_to_message, page.records), next_page_token=page.next_token
        )


def read_since(request: record_pb2.ListRecordsRequest) -> datetime | None:
    """The time in a request; InvalidInputError for one outside the years 1970 to 9999."""
    if not request.HasField("since"):
        return None
    try:
        since = request.since.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError("since: not a time", field="since") from error
    if since.year < 1970:
        raise InvalidInputError("since: before 1970", field="since")
    return since


def record_to_message(record: Record) -> record_pb2.Record:
    """A record without what decides who sees it."""
    entry = record.entry
    return record_pb2.Record(
        number=record.number,
        time=timestamp(entry.time),
        event=entry.event,
        actor=entry.actor,
        recipient=entry.recipient,
        digest=entry.digest,
        document=entry.document,
        version=entry.version,
        purpose=entry.purpose,
        legal_basis=entry.legal_basis,
        outcome=entry.outcome,
        artefact=entry.artefact,
    )
