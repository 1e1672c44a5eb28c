"""A custodian's client that does not check: it sends what ours refuses, to see what the vault says.

`put_carelessly` seals witnesses that do not fit their document. `call_with_junk` calls every method
of the vault with one word in every field, plain, in JSON and in a signed envelope.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from proofs import canonical, envelope, group
from proofs.envelope import PayloadType
from proofs.witness import Witness
from vault.client import pinned_schemas
from vault.client.channel import translate
from vault.client.prepare import PreparedDocument, read_document
from vault.client.put import SERVICE, PutClient, put_batch
from vault.client.seal import Sealer, Sealing
from vault.client.session import Session, at_vault, the_vault
from vault.errors import InvalidInputError
from vault.pki import now_utc
from vault.v1 import document_pb2, proof_pb2, record_pb2, release_pb2, set_pb2

SERVICES = [
    service
    for file in (document_pb2, proof_pb2, record_pb2, release_pb2, set_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
]


class _CarelessSealer(Sealer):
    """Seals a given witness in the place of the document's own."""

    witness: Witness | None = None

    def begin(self, prepared: PreparedDocument) -> Sealing:
        sealing = super().begin(prepared)
        if self.witness is not None:
            sealing._witness = self.witness
        return sealing


def put_carelessly(
    identity: Path, document: Path, *, number: int, text: str
) -> Iterator[tuple[str, str]]:
    """Put a document with an `account` past its bounds, and texts where none belong.

    Yields a name and what the vault said to it; AssertionError when it took one.
    """
    with at_vault(identity, SERVICE) as session:
        prepared = read_document(
            document.read_bytes(), lambda name: pinned_schemas.find(session.identity, name)
        )
        good = Witness.draw(prepared.schema, prepared.values)
        place = [each.name for each in prepared.schema.attributes].index("account")
        pair = (group.signed_scalar(number), group.random_scalar())
        outside = (*good.values[:place], pair, *good.values[place + 1 :])
        for name, witness in (
            ("a value out of bounds", Witness(outside, good.texts)),
            ("another text than its hash", Witness(good.values, {"code": text})),
            (
                "the text of a personal attribute",
                Witness(good.values, {**good.texts, "owner": text}),
            ),
        ):
            client = PutClient(session)
            client.sealer = sealer = _CarelessSealer(session.identity, session.sites, now_utc)
            sealer.witness = witness
            try:
                put_batch(client, [prepared])
            except InvalidInputError as error:
                yield name, str(error)
            else:
                raise AssertionError(f"the vault took {name}")


def call_with_junk(identity: Path, word: str) -> list[tuple[str, str]]:
    """Call everything with `word` in every field; the methods that refused, and what they said."""
    found: list[tuple[str, str]] = []
    with at_vault(identity) as session:
        json = canonical.dump({"format": "crossvault/attestation/v1", "owner": word})
        signed = [
            envelope.sign(kind, json, session.identity.signing_key)
            for kind in (PayloadType.ATTESTATION, PayloadType.GRANT, PayloadType.RELEASE_REQUEST)
        ]
        for octets in (word.encode(), json, *signed):
            for text in (word, "0" * 32, "0" * 64):
                for service in SERVICES:
                    for method in service.methods:
                        said = _call(session, method, text, octets)
                        found += [(method.name, said)] if said else []
    return found


def _call(session: Session, method: Any, text: str, octets: bytes) -> str:
    request: Any = method.input_type._concrete_class()
    _fill(request, text, octets)
    answers = method.output_type._concrete_class.FromString
    path = f"/{method.containing_service.full_name}/{method.name}"
    channel, encode = session.channel, type(request).SerializeToString
    try:
        if method.client_streaming:
            heads = []
            if "header" in request.DESCRIPTOR.fields_by_name:
                heads = [type(request)(header=document_pb2.PutHeader(documents=1))]
            messages = iter([*heads, request])
            channel.stream_unary(path, encode, answers)(messages, timeout=20)
        elif method.server_streaming:
            list(channel.unary_stream(path, encode, answers)(request, timeout=20))
        else:
            channel.unary_unary(path, encode, answers)(request, timeout=20)
    except grpc.RpcError as error:
        return str(translate(error, the_vault(session.sites)))
    return ""


def _fill(message: Message, text: str, octets: bytes) -> None:
    """Set every text and every bytes field, in messages inside too."""
    found: Any = message
    fields: Any = message.DESCRIPTOR.fields
    for field in fields:
        many = field.is_repeated
        if field.type == field.TYPE_STRING:
            value: Any = text
        elif field.type == field.TYPE_BYTES:
            value = octets
        elif field.type == field.TYPE_ENUM:
            value = 1
        elif field.type == field.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
            # The last of a choice stays: of a put that is the document itself.
            inner = getattr(found, field.name)
            target = inner.add() if many else inner
            target.SetInParent()
            if field.message_type.full_name != "google.protobuf.Timestamp":
                _fill(target, text, octets)
            continue
        else:
            continue
        if many:
            getattr(found, field.name).append(value)
        else:
            setattr(found, field.name, value)
