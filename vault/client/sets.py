"""Named sets from their authority's side, and for everyone who exports one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import grpc

from proofs.envelope import Envelope, PayloadType, sign
from proofs.errors import SetError
from proofs.named_set import MemberType, NamedSet, SetHeader, merge
from vault.identity import Identity
from vault.sites import PrincipalRecord, SiteSet
from vault.v1 import set_pb2, set_pb2_grpc

SERVICE: Final = set_pb2.DESCRIPTOR.services_by_name["SetService"]


@dataclass(frozen=True, slots=True)
class ListedSet:
    """A set as its verified header says, and who signed it, by URI and by key id."""

    header: SetHeader
    authority: str
    authority_key: str
    envelope: bytes


def make(
    identity: Identity,
    texts: Sequence[str],
    *,
    name: str,
    version: int,
    member_type: MemberType,
    issued: datetime,
    valid_until: datetime,
    source: str,
    as_of: date,
) -> tuple[NamedSet, int]:
    """Normalise, merge duplicates and sign; the set, and how many duplicates were merged."""
    values, merged = merge(member_type.read(texts))
    header = NamedSet.make_header(
        values,
        name=name,
        version=version,
        member_type=member_type,
        issued=issued,
        valid_until=valid_until,
        source=source,
        as_of=as_of,
    )
    signed = Envelope.parse(sign(PayloadType.SET, header.encode(), identity.signing_key))
    return NamedSet.assemble(signed, values), merged


def add(channel: grpc.Channel, named: NamedSet) -> None:
    """Hand a set in."""
    envelope, _, members = named.export().partition(b"\n")
    set_pb2_grpc.SetServiceStub(channel).AddSet(
        set_pb2.AddSetRequest(envelope=envelope, members=members.decode().split("\n")[:-1])
    )


def list_all(channel: grpc.Channel, sites: SiteSet) -> list[ListedSet]:
    """The newest version of every set; headers that no listed authority signed are refused."""
    answer = set_pb2_grpc.SetServiceStub(channel).ListSets(set_pb2.ListSetsRequest())
    found = []
    for each in answer.sets:
        signed = Envelope.parse(each.envelope)
        record = _authority(signed, sites)
        payload = signed.verify(record.signing_key, PayloadType.SET)
        found.append(ListedSet(SetHeader.parse(payload), record.uri, signed.keyid, each.envelope))
    return found


def export(channel: grpc.Channel, sites: SiteSet, name: str, digest: str = "") -> NamedSet:
    """One version with its members, verified against the pinned authorities."""
    answer = set_pb2_grpc.SetServiceStub(channel).GetSet(
        set_pb2.GetSetRequest(name=name, digest=digest)
    )
    lines = "".join(f"{member}\n" for member in answer.members).encode()
    named = NamedSet.parse(answer.envelope + b"\n" + lines)
    named.verify(_authority(named.envelope, sites).signing_key)
    if named.name != name or (digest and named.header.digest != digest):
        raise SetError(f"the vault answered with another set than @{name}")
    return named


def _authority(signed: Envelope, sites: SiteSet) -> PrincipalRecord:
    record = sites.by_key(signed.keyid)
    if record.principal.role != "authority":
        raise SetError(f"signed by {record.uri}, which is no authority")
    return record
