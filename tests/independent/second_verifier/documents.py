"""Attestations, and the texts and names that several documents hold (section "Attestation")."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from independent.second_verifier import encoding
from independent.second_verifier.curve import POINT
from independent.second_verifier.encoding import MAX_VERSION, NAME, Tree
from independent.second_verifier.facts import MAX_FACT
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.text import plain
from independent.second_verifier.trust import ASSET

MAX_ATTESTATION = 16 * 1024
MAX_ALL_FACTS = 65_536
ALIAS = NAME
CID_HEAD = bytes([0x01, 0x71, 0x12, 0x20])


@dataclass(frozen=True)
class Attestation:
    """The custodian's statement of one document version."""

    document: str
    version: int
    asset: str
    schema: bytes
    attested_at: int
    valid_until: int
    presence: str
    commitments: tuple[bytes, ...]


def read_attestation(payload: bytes) -> Attestation:
    """The payload of an `attestation` envelope."""
    required = {
        "format", "document", "version", "asset", "schema", "as_of", "attested_at",
        "valid_until", "asset_part", "presence", "commitments",
    }  # fmt: skip
    tree = encoding.fields(encoding.read(payload, MAX_ATTESTATION), required, {"personal_part"})
    well_formed(tree["format"] == "crossvault/attestation/v1", "another format")
    days = encoding.fields(tree["as_of"], {"from", "to"})
    well_formed(encoding.day(days["from"]) <= encoding.day(days["to"]), "an end before a beginning")
    start, end = encoding.instant(tree["attested_at"]), encoding.instant(tree["valid_until"])
    well_formed(start < end, "an end before a beginning")
    _cid(tree["asset_part"])
    if "personal_part" in tree:
        encoding.hexadecimal(tree["personal_part"])
    presence = encoding.text(tree["presence"], "[01]{1,64}")
    commitments = encoding.base64_bytes(tree["commitments"], POINT * presence.count("1"))
    well_formed("1" in presence, "nothing attested")
    return Attestation(
        encoding.text(tree["document"], "[0-9a-f]{32}"),
        encoding.integer(tree["version"], 1, MAX_VERSION),
        encoding.text(tree["asset"], ASSET),
        encoding.hexadecimal(tree["schema"]),
        start,
        end,
        presence,
        tuple(commitments[at : at + POINT] for at in range(0, len(commitments), POINT)),
    )


def _cid(value: Any) -> None:
    spelt = encoding.text(value, "b[a-z2-7]{58}")
    data = base64.b32decode(spelt[1:].upper() + "=" * 6)
    again = base64.b32encode(data).decode().rstrip("=").lower()
    well_formed(data.startswith(CID_HEAD) and again == spelt[1:], "not the one spelling of a CID")


def free_text(value: Any) -> str:
    """An audience, purpose or the like."""
    return plain(encoding.text(value), 500)


def fact_texts(value: Any) -> list[str]:
    """1 to 64 distinct sentences, not read yet."""
    facts = [encoding.text(each) for each in encoding.listed(value, 1, 64)]
    well_formed(all(1 <= len(each) <= MAX_FACT for each in facts), "not a sentence's length")
    for each in facts:
        plain(each, MAX_FACT)
    well_formed(len(set(facts)) == len(facts), "a fact twice")
    well_formed(sum(len(each) for each in facts) <= MAX_ALL_FACTS, "too much to read")
    return facts


def set_references(value: Any) -> list[Tree]:
    """Names, authorities and digests of sets, in the order of the names."""
    found = []
    for each in encoding.listed(value, 0, 64):
        tree = encoding.fields(each, {"name", "authority", "digest"})
        encoding.text(tree["name"], NAME)
        encoding.hexadecimal(tree["authority"])
        encoding.hexadecimal(tree["digest"])
        found.append(tree)
    ascending([each["name"] for each in found])
    return found


def ascending(names: list[str]) -> None:
    """Names in order by bytes, each once."""
    keys = [name.encode() for name in names]
    well_formed(keys == sorted(set(keys)), "not in order, or one twice")
