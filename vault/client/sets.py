"""Named sets from their authority's side, and for everyone who exports one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import grpc

from proofs.envelope import Envelope, PayloadType, sign
from proofs.errors import SetError
from proofs.named_set import FILE_LIMIT, HEADER_LIMIT, MemberType, NamedSet, SetHeader, merge
from proofs.values import Value
from vault.client.session import Session
from vault.errors import NotAllowedError
from vault.identity import Identity
from vault.sites import PrincipalRecord, SiteSet
from vault.v1 import set_pb2, set_pb2_grpc

_MESSAGE_BYTES: Final = 1 << 20
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
    return _sign(identity, header, values), merged


def change(
    identity: Identity,
    last: NamedSet,
    added: Sequence[str],
    removed: Sequence[str],
    *,
    version: int,
    issued: datetime,
    valid_until: datetime,
    source: str,
    as_of: date,
) -> NamedSet:
    """The next version of a set, with some members more or less, signed.

    Raises SetError for a member that cannot be read, one to be added that is there, and one to be
    removed that is not: a list that is not what its authority thinks must not be signed.
    """
    kind, members = last.header.type, set(last.members)
    for text, value in zip(removed, kind.read(removed), strict=True):
        if value not in members:
            raise SetError(f"{text!a} is not in @{last.name} version {last.header.version}")
        members.remove(value)
    for text, value in zip(added, kind.read(added), strict=True):
        if value in members:
            raise SetError(f"{text!a} is in @{last.name} already")
        members.add(value)
    values, _ = merge(members)
    header = NamedSet.make_header(
        values,
        name=last.name,
        version=version,
        member_type=kind,
        issued=issued,
        valid_until=valid_until,
        source=source,
        as_of=as_of,
    )
    return _sign(identity, header, values)


def _sign(identity: Identity, header: SetHeader, values: Sequence[Value]) -> NamedSet:
    signed = Envelope.parse(sign(PayloadType.SET, header.encode(), identity.signing_key))
    return NamedSet.assemble(signed, values)


def own_versions(session: Session, name: str) -> dict[int, ListedSet]:
    """The newest version that this authority has at the vault, by its number; NotAllowedError."""
    if session.identity.principal.role != "authority":
        raise NotAllowedError("only an authority signs sets", reason="ROLE_NOT_SERVED")
    return {
        each.header.version: each
        for each in list_all(session.channel, session.sites)
        if each.header.name == name and each.authority == session.identity.uri
    }


def add(channel: grpc.Channel, named: NamedSet) -> None:
    """Hand a set in."""
    set_pb2_grpc.SetServiceStub(channel).AddSet(_messages(named))


def _messages(named: NamedSet) -> Iterator[set_pb2.AddSetRequest]:
    """The envelope with the first members, then the others, none over a message's size."""
    envelope, lines, size = named.envelope.encode(), list[str](), 0
    for line in named.lines():
        size += len(line.encode()) + 8
        if size > _MESSAGE_BYTES:
            yield set_pb2.AddSetRequest(envelope=envelope, members=lines)
            envelope, lines, size = b"", [], 0
        lines.append(line)
    yield set_pb2.AddSetRequest(envelope=envelope, members=lines)


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
    request = set_pb2.GetSetRequest(name=name, digest=digest)
    envelope, lines, size = b"", list[str](), 0
    for answer in set_pb2_grpc.SetServiceStub(channel).GetSet(request):
        envelope = envelope or answer.envelope
        lines += [f"{member}\n" for member in answer.members]
        size += answer.ByteSize()
        if size > FILE_LIMIT:
            raise SetError(f"the vault answers with more than {FILE_LIMIT} bytes of @{name}")
    named = NamedSet.parse(envelope + b"\n" + "".join(lines).encode())
    _check(named.envelope, named.header, sites, name, digest)
    return named


def header(
    channel: grpc.Channel, sites: SiteSet, name: str, digest: str = ""
) -> tuple[Envelope, SetHeader]:
    """The signed header of one version, verified, for those who have the members themselves."""
    request = set_pb2.GetSetRequest(name=name, digest=digest, header_only=True)
    signed = b"".join(
        each.envelope for each in set_pb2_grpc.SetServiceStub(channel).GetSet(request)
    )
    envelope = Envelope.parse(signed, limit=2 * HEADER_LIMIT)
    found = NamedSet.header_of(signed)
    _check(envelope, found, sites, name, digest)
    return envelope, found


def _check(signed: Envelope, found: SetHeader, sites: SiteSet, name: str, digest: str) -> None:
    signed.verify(_authority(signed, sites).signing_key, PayloadType.SET)
    if found.name != name or (digest and found.digest != digest):
        raise SetError(f"the vault answered with another set than @{name}")


def _authority(signed: Envelope, sites: SiteSet) -> PrincipalRecord:
    record = sites.by_key(signed.keyid)
    if record.principal.role != "authority":
        raise SetError(f"signed by {record.uri}, which is no authority")
    return record
