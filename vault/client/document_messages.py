"""Between documents, shares and deposits and their messages, in both directions.

Only forms are checked here; what a message says is judged by `vault.app`.
"""

from __future__ import annotations

from typing import Final

from vault.errors import InvalidInputError
from vault.model import ASSET, PERSONAL, Part
from vault.ports import Deposit, SealedShare
from vault.v1 import document_pb2, holder_pb2

_PARTS: Final[dict[Part, document_pb2.Part]] = {
    ASSET: document_pb2.PART_ASSET,
    PERSONAL: document_pb2.PART_PERSONAL,
}


def part_to_message(part: Part) -> document_pb2.Part:
    """The enum value of a part."""
    return _PARTS[part]


def part_from_message(value: int) -> Part:
    """The part of an enum value; InvalidInputError for one that is none."""
    for part, number in _PARTS.items():
        if number == value:
            return part
    raise InvalidInputError("part: must be asset or personal", field="part")


def share_to_message(share: SealedShare) -> document_pb2.SealedShare:
    """A sealed share as a message."""
    return document_pb2.SealedShare(
        holder=share.holder, part=_PARTS[share.part], index=share.index, sealed=share.sealed
    )


def share_from_message(message: document_pb2.SealedShare) -> SealedShare:
    """Read a sealed share; InvalidInputError for a part that is none."""
    return SealedShare(
        message.holder, part_from_message(message.part), message.index, message.sealed
    )


def deposit_to_message(deposit: Deposit) -> holder_pb2.Deposit:
    """A deposit as a message."""
    return holder_pb2.Deposit(
        attestation=deposit.attestation,
        key_manifest=deposit.key_manifest,
        shares=map(share_to_message, deposit.shares),
    )


def deposit_from_message(message: holder_pb2.Deposit) -> Deposit:
    """Read a deposit; InvalidInputError for a part that is none."""
    return Deposit(
        message.attestation, message.key_manifest, tuple(map(share_from_message, message.shares))
    )
