"""A directory of many bundles, each about another plant: what a verifier's inbox may look like.

Every bundle answers a request of its own and proves three facts: that the capacity lies in a
decade, that the fuel is one of a few, and that the owner is none of the names of a signed set.
All is made in this process, by keys that are thrown away: no vault, custodian's client or key
holder takes part. Plants and names come from tables or are made up. A directory that was filled
before is taken as it is, if it holds as many bundles and is not about to expire.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import track

from proofs import envelope, generators, pedersen
from proofs.attestation import AsOf, Attestation, personal_part_digest
from proofs.canonical import encode_base64, format_instant
from proofs.context import Context
from proofs.envelope import Envelope, PayloadType, key_id
from proofs.facts import FactList
from proofs.grant import Grant, GrantedDocument
from proofs.ids import new_document_id, new_nonce
from proofs.named_set import MemberType, NamedSet, merge
from proofs.principal import Principal
from proofs.prove import ProvenDocument, prove_bundle
from proofs.request import Request, RequestedDocument
from proofs.schema import AttributeType, Schema
from proofs.trust import entry
from proofs.values import read_attributes
from proofs.witness import Witness

SCHEMA = Path(__file__).parent / "plants" / "power-plant.schema.json"
CLEAN = ("Geothermal", "Hydro", "Nuclear", "Solar", "Wind")
SET = "ofac-sdn"
NAMES = 6109
"""As many distinct names as the list of sanctioned entities had when this was written."""
DAY = timedelta(days=1)
ASKER = Principal.parse("spiffe://example.org/hk/spv/issuer")
_COLUMNS = {
    "plant_id": "id",
    "plant_name": "name",
    "capacity": "capacity_mw",
    "annual_generation": "annual_generation_gwh",
}


@dataclass(frozen=True, slots=True)
class Inbox:
    """A directory of `*.proof.json`, one of `*.request.json`, and what a verifier pins."""

    bundles: Path
    requests: Path
    trust: Path
    members: Path

    @classmethod
    def at(cls, folder: Path) -> Inbox:
        """Where the parts lie in a folder."""
        return cls(
            folder / "bundles", folder / "requests", folder / "trust.toml", folder / f"{SET}.set"
        )

    def holds(self, count: int) -> bool:
        """Whether it was filled to the end, with so many bundles, within the last 20 days."""
        if not self.trust.is_file():
            return False
        age = datetime.now(UTC) - datetime.fromtimestamp(self.trust.stat().st_mtime, UTC)
        return age < 20 * DAY and len(list(self.bundles.glob("*.proof.json"))) == count


def fill(folder: Path, count: int, *, table: Path | None, names: Path | None) -> Inbox:
    """An inbox of so many bundles in the folder, made now if it is not there yet."""
    inbox = Inbox.at(folder)
    if inbox.holds(count):
        return inbox
    for place in (inbox.bundles, inbox.requests):
        place.mkdir(parents=True, exist_ok=True)
        for old in place.iterdir():
            old.unlink()
    maker = _Maker(_sign_set(names))
    pedersen.use_tables()
    generators.use_tables(generators.range_generators(64))
    generators.use_tables(generators.membership_generators(16))
    # A table with fewer plants is gone through again: a plant may be asked about twice.
    rows = list(enumerate(islice(cycle(_rows(table, count)), count)))
    for number, row in track(rows, description="making bundles", console=Console(stderr=True)):
        name = f"{number:05}-plant-{row['id']}"
        request, bundle = maker.bundle(row)
        (inbox.requests / f"{name}.request.json").write_bytes(request)
        (inbox.bundles / f"{name}.proof.json").write_bytes(bundle)
    inbox.members.write_bytes(maker.named.export())
    inbox.trust.write_text(maker.trust(), encoding="utf-8")  # the last: now it is whole
    return inbox


def _rows(table: Path | None, count: int) -> Iterator[dict[str, str]]:
    if table is not None:
        with table.open(encoding="utf-8-sig", newline="") as file:
            yield from (row for row in csv.DictReader(file) if row["owner"])
        return
    fuels = Schema.parse(Schema.from_author(SCHEMA.read_bytes())).attribute("fuel").members
    drawn = random.Random(1)
    for number in range(count):
        yield {
            "id": f"{1_000_000 + number}",
            "name": f"Plant {number}",
            "fuel": drawn.choice(fuels),
            "capacity_mw": f"{drawn.randint(1, 10**6) / 100:.2f}",
            "owner": f"Owner {number} Co., Ltd.",
        }


def _sign_set(names: Path | None) -> tuple[NamedSet, Ed25519PrivateKey]:
    texts = [f"Listed entity {number}" for number in range(NAMES)]
    if names is not None:
        with names.open(encoding="utf-8-sig", newline="") as file:
            texts = [row["name"] for row in csv.DictReader(file)]
    private, now = Ed25519PrivateKey.generate(), _now()
    kind = MemberType(AttributeType.NAME)
    members, _ = merge(kind.read(texts))
    header = NamedSet.make_header(
        members,
        name=SET,
        version=1,
        member_type=kind,
        issued=now - DAY,
        valid_until=now + 60 * DAY,
        source="a benchmark",
        as_of=now.date(),
    )
    signed = envelope.sign(PayloadType.SET, header.encode(), private)
    return NamedSet.assemble(Envelope.parse(signed), members), private


class _Maker:
    """One custodian with its schema and the set, and the requests, grants and proofs of each."""

    def __init__(self, signed: tuple[NamedSet, Ed25519PrivateKey]) -> None:
        self.named, self._authority = signed
        self._custodian = Ed25519PrivateKey.generate()
        self._schema = Schema.parse(Schema.from_author(SCHEMA.read_bytes()))
        self._now = _now()

    def bundle(self, row: dict[str, str]) -> tuple[bytes, bytes]:
        """A request about the plant of a row, and the bundle that answers it."""
        schema, now = self._schema, self._now
        texts = {
            each.name: row.get(_COLUMNS.get(each.name, each.name), "") for each in schema.attributes
        }
        # Ranges of years stand in some tables where a year must stand; no fact here is about it.
        texts["commissioned"] = texts["commissioned"] if texts["commissioned"].isdigit() else ""
        values = {name: text for name, text in texts.items() if text}
        witness = Witness.draw(schema, read_attributes(schema, values))
        asset = f"cn-plant-{row['id']}"
        attested = Attestation.make(
            document=new_document_id(),
            version=1,
            asset=asset,
            schema=schema.digest,
            as_of=AsOf.day(date(2018, 6, 1)),
            attested_at=now - DAY,
            valid_until=now + 90 * DAY,
            asset_part=_root(asset),
            personal_part=personal_part_digest(bytes(32), _root(asset)),
            commitments=witness.commitments(),
        )
        facts = FactList.parse(_facts(row, schema), schema).texts
        asked = Request.build(
            documents=[RequestedDocument("doc", asset, schema.digest)],
            facts=facts,
            sets=[self.named.reference],
            audience="Harbour Bridge Fund",
            purpose="due diligence",
            nonce=new_nonce(),
            created=now,
            expires=now + DAY,
        )
        grant = Grant.build(
            request=asked.digest,
            asker=ASKER,
            documents=[
                GrantedDocument("doc", attested.document, attested.version, attested.digest)
            ],
            sets=asked.sets,
            not_before=now - DAY,
            bundle_expires=now + 30 * DAY,
            granted_at=now,
            expires=now + 30 * DAY,
        )
        signed = envelope.sign(PayloadType.ATTESTATION, attested.data, self._custodian)
        bundle = prove_bundle(
            request=asked.data,
            context=Context.answering(asked, not_before=now - DAY, expires=now + 30 * DAY),
            documents={"doc": ProvenDocument(schema, signed, witness)},
            grant_envelope=envelope.sign(PayloadType.GRANT, grant, self._custodian),
            sets={SET: self.named},
        )
        return asked.data, bundle

    def trust(self) -> str:
        """The file that pins both keys."""
        scope = {"schemas": [self._schema.digest], "assets": ["cn-plant-*"]}
        authority = self._authority.public_key().public_bytes_raw()
        return "\n".join(
            [
                entry("custodian", self._pinned("custodian", self._custodian) | scope),
                entry("authority", self._pinned("authority", self._authority)),
                entry("set", {"name": SET, "authority": key_id(authority)}),
            ]
        )

    def _pinned(self, name: str, private: Ed25519PrivateKey) -> dict[str, object]:
        return {
            "name_zh": name,
            "name_en": name,
            "key": encode_base64(private.public_key().public_bytes_raw()),
            "valid_from": format_instant(self._now - 100 * DAY),
            "valid_until": format_instant(self._now + 100 * DAY),
        }


def _facts(row: dict[str, str], schema: Schema) -> Sequence[str]:
    """Three facts that are true of a row, and hide which of its likes it is."""
    fuels = CLEAN if row["fuel"] in CLEAN else set(schema.attribute("fuel").members) - {*CLEAN}
    decade = Decimal(10) ** Decimal(row["capacity_mw"]).adjusted()
    listed = ", ".join(f'"{fuel}"' for fuel in sorted(fuels))
    return (
        f"capacity in {decade:f}..{10 * decade:f} MW",
        f"fuel in {{{listed}}}",
        f"owner not in @{SET}",
    )


def _root(asset: str) -> str:
    raw = bytes((0x01, 0x71, 0x12, 0x20)) + hashlib.sha256(asset.encode()).digest()
    return "b" + base64.b32encode(raw).decode().rstrip("=").lower()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
