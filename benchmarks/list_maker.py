"""One custodian's documents and bundles about all of them, made in this process.

No vault, client or key holder takes part, and the keys are thrown away. Rows become attested
documents as an import makes them, but for the encrypted parts, which proofs do not touch.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import envelope
from proofs.attestation import AsOf, Attestation, personal_part_digest
from proofs.canonical import encode_base64, format_instant
from proofs.context import Context
from proofs.envelope import Envelope, PayloadType
from proofs.facts import FactList
from proofs.grant import Grant, GrantedSelection
from proofs.ids import new_document_id, new_nonce
from proofs.listing import listing_digest
from proofs.manifest import Manifest, ManifestFile
from proofs.principal import Principal
from proofs.prove_list import ListedDocument, prove_selection
from proofs.request import Request
from proofs.schema import Schema
from proofs.selection import Selection
from proofs.trust import Trust, entry
from proofs.values import read_attributes
from proofs.witness import Witness

SPV = "Harbour Charging SPV 1 Limited"
PERIOD = (date(2026, 1, 1), date(2026, 6, 30))
DAY = timedelta(days=1)
ASKER = Principal.parse("spiffe://example.org/cn/custodian/grid")


@dataclass(frozen=True, slots=True)
class Made:
    """One attested document."""

    attestation: Attestation
    listed: ListedDocument = field(repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """A request about a list, and what makes the bundle that answers it."""

    request: bytes
    prove: Callable[[], bytes]


class ListMaker:
    """The custodian. All that it makes is of one schema, and good for a month."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._key = Ed25519PrivateKey.generate()
        self.now = datetime.now(UTC).replace(microsecond=0)

    def attest(self, rows: Sequence[Mapping[str, str]]) -> list[Made]:
        """The documents of rows with texts of all attributes, in the order of their ids.

        Commitments are made as the process makes them, with tables or without.
        """
        return sorted(map(self._attest, rows), key=lambda each: each.attestation.document)

    def case(
        self, made: Sequence[Made], facts: Sequence[str], *, manifest: Sequence[str] = ()
    ) -> Case:
        """A bundle of these facts; over a manifest of these attributes if any are given."""
        file, digest = self._manifest(made, manifest) if manifest else (None, None)
        spv, period = (SPV, PERIOD) if manifest else (None, None)
        asked = Request.build(
            selection=Selection(self.schema.digest, spv=spv, period=period),
            facts=FactList.over(facts, self.schema).texts,
            sets=[],
            audience="Harbour Bridge Fund",
            purpose="due diligence",
            nonce=new_nonce(),
            created=self.now,
            expires=self.now + DAY,
        )
        attested = [each.attestation for each in made]
        grant = Grant.build(
            request=asked.digest,
            asker=ASKER,
            selection=GrantedSelection(len(made), listing_digest(attested), digest),
            sets=asked.sets,
            not_before=self.now - DAY,
            bundle_expires=self.now + 30 * DAY,
            granted_at=self.now,
            expires=self.now + 30 * DAY,
        )
        signed = envelope.sign(PayloadType.GRANT, grant, self._key)
        context = Context.answering(asked, not_before=self.now - DAY, expires=self.now + 30 * DAY)

        def prove() -> bytes:
            return prove_selection(
                request=asked.data,
                context=context,
                schema=self.schema,
                documents=[each.listed for each in made],
                grant_envelope=signed,
                sets={},
                manifest=file,
            )

        return Case(asked.data, prove)

    def trust(self, assets: str) -> Trust:
        """What a verifier pins, for asset ids that begin so."""
        pinned = {
            "name_zh": "保管人",
            "name_en": "Custodian",
            "key": encode_base64(self._key.public_key().public_bytes_raw()),
            "valid_from": format_instant(self.now - 100 * DAY),
            "valid_until": format_instant(self.now + 100 * DAY),
            "schemas": [self.schema.digest],
            "assets": [f"{assets}*"],
        }
        return Trust.parse(entry("custodian", pinned).encode())

    def _attest(self, row: Mapping[str, str]) -> Made:
        texts = {each.name: row[each.name] for each in self.schema.attributes if row[each.name]}
        witness = Witness.draw(self.schema, read_attributes(self.schema, texts))
        root = _root(row["asset"])
        attested = Attestation.make(
            document=new_document_id(),
            version=1,
            asset=row["asset"],
            schema=self.schema.digest,
            as_of=AsOf.day(date.fromisoformat(row["as_of"])),
            attested_at=self.now - DAY,
            valid_until=self.now + 90 * DAY,
            asset_part=root,
            personal_part=personal_part_digest(bytes(32), root),
            commitments=witness.commitments(),
        )
        signed = envelope.sign(PayloadType.ATTESTATION, attested.data, self._key)
        return Made(attested, ListedDocument(signed, witness))

    def _manifest(self, made: Sequence[Made], attributes: Sequence[str]) -> tuple[bytes, str]:
        payload, rows = Manifest.build(
            [each.attestation for each in made],
            self.schema,
            spv=SPV,
            period=PERIOD,
            serial=1,
            attributes=attributes,
            signed_at=self.now - DAY,
        )
        signed = Envelope.parse(envelope.sign(PayloadType.PORTFOLIO, payload, self._key))
        return ManifestFile(signed, rows).encode(), Manifest.parse(payload).digest


def _root(asset: str) -> str:
    raw = bytes((0x01, 0x71, 0x12, 0x20)) + hashlib.sha256(asset.encode()).digest()
    return "b" + base64.b32encode(raw).decode().rstrip("=").lower()
