"""Reading the records of the vault and of key holders, each from the process that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from vault.client.channel import connect, reporting
from vault.client.session import the_vault
from vault.errors import VaultError
from vault.identity import Identity
from vault.rich_status import safe
from vault.sites import PrincipalRecord, SiteSet
from vault.v1 import record_pb2, record_pb2_grpc

_SERVICE: Final = record_pb2.DESCRIPTOR.services_by_name["RecordService"]
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record, and the URI of the process that keeps it. Texts are made safe to show."""

    keeper: str
    number: int
    time: datetime
    event: str
    actor: str
    recipient: str
    digest: str
    document: str
    version: int
    purpose: str
    legal_basis: str
    outcome: str
    artefact: str


def keepers_for(identity: Identity, sites: SiteSet) -> list[PrincipalRecord]:
    """Whose records a caller is served: the vault's, and for officers and auditors its holders'.

    Custodians and SPVs have no business with holders; officers and auditors see their own
    side's.
    """
    principal = identity.principal
    found = [the_vault(sites)]
    if principal.role in ("officer", "auditor"):
        found += sites.holders(principal.jurisdiction)
    return found


def list_records(
    identity: Identity, sites: SiteSet, keepers: Sequence[PrincipalRecord], *, since: datetime
) -> tuple[list[RecordView], list[tuple[str, VaultError]]]:
    """The records that the caller may see at each keeper, by time; and who did not answer."""
    found: list[RecordView] = []
    failed: list[tuple[str, VaultError]] = []
    for keeper in keepers:
        try:
            found += _list_at(identity, sites, keeper, since)
        except VaultError as error:
            failed.append((keeper.uri, error))
    return sorted(found, key=lambda view: (view.time, view.keeper, view.number)), failed


def _list_at(
    identity: Identity, sites: SiteSet, keeper: PrincipalRecord, since: datetime
) -> list[RecordView]:
    moment = Timestamp()
    moment.FromDatetime(since)
    found: list[RecordView] = []
    token = ""
    with (
        connect(identity, sites, keeper.uri, services=[_SERVICE]) as channel,
        reporting(keeper),
    ):
        stub = record_pb2_grpc.RecordServiceStub(channel)
        while True:
            page = stub.ListRecords(
                record_pb2.ListRecordsRequest(since=moment, page_size=_PAGE, page_token=token)
            )
            found += [_view(keeper.uri, record) for record in page.records]
            token = page.next_page_token
            if not token:
                return found


def _view(keeper: str, record: record_pb2.Record) -> RecordView:
    return RecordView(
        keeper=keeper,
        number=record.number,
        time=record.time.ToDatetime(tzinfo=UTC),
        event=safe(record.event),
        actor=safe(record.actor),
        recipient=safe(record.recipient),
        digest=safe(record.digest),
        document=safe(record.document),
        version=record.version,
        purpose=safe(record.purpose),
        legal_basis=safe(record.legal_basis),
        outcome=safe(record.outcome),
        artefact=safe(record.artefact),
    )
