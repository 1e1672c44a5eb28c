"""Every reader of untrusted bytes, with valid inputs to begin from.

`Seeds.make` builds the inputs once, as bytes that can be handed to other processes; `readers`
binds them to the readers. Where a signature would hide what is behind it, a second reader signs
what it is given before it reads it: signers may be hostile too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import canonical, envelope
from proofs.attestation import Attestation
from proofs.bundle import Bundle
from proofs.envelope import Envelope, PayloadType
from proofs.facts import FactList
from proofs.grant import Grant
from proofs.named_set import NamedSet
from proofs.principal import Principal
from proofs.request import Request
from proofs.schema import Schema
from proofs.trust import Trust
from proofs.witness import Witness
from support import bundles, fuzz_lists, plants
from support.fuzzing import Reader
from support.parts import seal_part
from support.sites import make_two_sites
from vault import pki
from vault.client.mapping import read_mapping
from vault.client.table import read_rows, survey
from vault.crypto.hpke import HpkeKey
from vault.crypto.root import decode_root, encode_root
from vault.document_record import AttachmentEntry, AttributeEntry, DocumentRecord
from vault.signed.approval import Approval
from vault.signed.manifest import (
    KeyManifest,
    ManifestHolder,
    ManifestPart,
    ManifestSide,
    SideSecret,
)
from vault.signed.receipt import DepositReceipt
from vault.signed.release_request import ReleaseRequest
from vault.site_file import Site

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_DIGEST, _DOCUMENT = "cd" * 32, "ab" * 16
_FACTS = (
    *bundles.FACTS,
    "\n".join(bundles.FACTS),
    "capacity <= 60 MW",
    "annual_yield in -1.5%..9%",
    'province in {Guangdong, "Qinghai"}',
    "fuel not in @sanctions",
    'fuel in {"wind", Hydro, "光伏"}',
    "commissioned in 2019-01-01..2024-02-29",
)
_SITE_SEED = 9
"""The key that signs a site file again: any key, for its digest is the fingerprint."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Valid inputs by the name of their reader."""

    inputs: Mapping[str, tuple[bytes, ...]]

    @classmethod
    def make(cls, folder: Path) -> Seeds:
        """Build them; `folder` is empty and takes the files of two sites."""
        return cls(_of_proofs() | _of_vault() | _of_sites(folder) | fuzz_lists.inputs())


def readers(seeds: Seeds, folder: Path) -> Iterator[Reader]:
    """All readers; `folder` is where the one that opens files gets them."""
    site_key = bundles.private_key(_SITE_SEED)
    fingerprint = envelope.key_id(bundles.public_key(_SITE_SEED))
    authority = bundles.private_key(bundles.AUTHORITY)
    members = bundles.named_set("fuels").export().partition(b"\n")[2]
    path = folder / "table.csv"

    def set_again(data: bytes) -> None:
        NamedSet.parse(envelope.sign(PayloadType.SET, data, authority) + b"\n" + members)

    def site_again(data: bytes) -> None:
        Site.parse(envelope.sign(PayloadType.SITE, data, site_key), fingerprint=fingerprint)

    def table(data: bytes) -> None:
        path.write_bytes(data)
        found = survey(path)
        mapping = read_mapping(
            plants.MAPPING.encode(), plants.SCHEMA, found.columns, where="mapping"
        )
        for row in read_rows(found):
            if row.problem is None:
                mapping.document(row.cells, now=_NOW)

    def mapping(data: bytes) -> None:
        found = read_mapping(data, plants.SCHEMA, plants.COLUMNS, where="mapping")
        found.document(plants.plant(7), now=_NOW)

    def loose(data: bytes) -> None:
        canonical.parse_loose(data, limit=1 << 20, decimals_as_text=True)

    def facts(data: bytes) -> None:
        texts = data.decode("utf-8", "surrogateescape").split("\n")
        found = FactList.parse(texts, bundles.schema())
        # What is shown is what is signed: the canonical form reads as itself.
        assert FactList.parse_canonical(found.texts, bundles.schema()) == found

    def trust(data: bytes) -> None:
        Trust.parse(data)

    def bundle(data: bytes) -> None:
        Bundle.parse(data)

    def author(data: bytes) -> None:
        Schema.parse(Schema.from_author(data))

    def leaf(data: bytes) -> None:
        pki.read_leaf(data)

    def one_spelling(data: bytes) -> bytes:
        return canonical.dump(canonical.parse(data, limit=1 << 20))

    made: tuple[Reader, ...] = (
        Reader("canonical JSON", "json", (), one_spelling),
        Reader("JSON by hand", "json", (), loose),
        Reader("envelope", "json", (), lambda data: Envelope.parse(data).encode()),
        Reader("attestation", "json", (), lambda data: Attestation.parse(data).data),
        Reader("grant", "json", (), lambda data: Grant.parse(data).data),
        Reader("request", "json", (), lambda data: Request.parse(data).data),
        Reader("named set", "text", (), lambda data: NamedSet.parse(data).export()),
        Reader("named set, signed again", "json", (), set_again),
        Reader("trust file", "text", (), trust),
        Reader("bundle", "json", (), bundle),
        Reader("schema by hand", "json", (), author),
        Reader("schema", "json", (), lambda data: Schema.parse(data).encode()),
        Reader("facts", "text", (), facts),
        Reader("witness", "json", (), lambda data: Witness.parse(data).encode()),
        Reader("key manifest", "json", (), lambda data: KeyManifest.parse(data).data),
        Reader("receipt", "json", (), lambda data: DepositReceipt.parse(data).data),
        Reader("release request", "json", (), lambda data: ReleaseRequest.parse(data).data),
        Reader("approval", "json", (), lambda data: Approval.parse(data).data),
        Reader(
            "site file",
            "json",
            (),
            lambda data: Site.parse(data, fingerprint=fingerprint).encoded,
        ),
        Reader("site file, signed again", "json", (), site_again),
        Reader("certificate", "text", (), leaf),
        Reader("root of a part", "binary", (), lambda data: encode_root(decode_root(data))),
        Reader("record of a part", "json", (), lambda data: DocumentRecord.parse(data).encode()),
        Reader("CSV table", "text", (), table),
        Reader("mapping", "text", (), mapping),
        *fuzz_lists.readers(folder),
    )
    for reader in made:
        yield Reader(reader.name, reader.kind, seeds.inputs[reader.name], reader.read)


def _of_proofs() -> dict[str, tuple[bytes, ...]]:
    wide, data = bundles.good()
    narrow, small = bundles.small()
    sets = bundles.sets()
    signed = (wide.attestation_envelope, wide.grant_envelope, *(s.envelope.encode() for s in sets))
    nested = b'{"a":[1,-2,{"b":"\xe5\xbc\xa0"},[]],"c":true,"d":null,"e":{"f":"\\n\\""}}'
    authored = (bundles.SCHEMA_TEXT.encode(), plants.AUTHORED)
    return {
        "canonical JSON": (nested, wide.request.data),
        "JSON by hand": (nested, *authored),
        "envelope": signed,
        "attestation": (wide.attestation,),
        "grant": (wide.grant, narrow.grant),
        "request": (wide.request.data, narrow.request.data),
        "named set": tuple(each.export() for each in sets),
        "named set, signed again": (sets[0].envelope.unverified_payload,),
        "trust file": (bundles.trust_text().encode(),),
        "bundle": (data, small),
        "schema by hand": authored,
        "schema": (bundles.schema().encode(), plants.SCHEMA_BYTES),
        "facts": tuple(fact.encode() for fact in _FACTS),
        "witness": (bundles.witness().encode(),),
    }


def _of_vault() -> dict[str, tuple[bytes, ...]]:
    part = seal_part(b"record", [("a.pdf", bytes(2_100_000)), ("b.pdf", b"x")])
    rows = [plants.plant(n, owner="" if n % 2 else '张三, "Zhang" San') for n in range(1, 6)]
    text = "purpose 用途"
    spv = Principal.parse("spiffe://rwa.example/hk/spv/issuer")
    bank = Principal.parse("spiffe://rwa.example/cn/custodian/bank")
    officer = Principal.parse("spiffe://rwa.example/hk/officer/lee")
    release = [
        ReleaseRequest.build(
            requester=who,
            document=_DOCUMENT,
            version=1,
            attestation=_DIGEST,
            part=kind,  # type: ignore[arg-type]
            purpose=text,
            legal_basis="PIPL Art. 38",
            recipient_key=HpkeKey.from_seed(bytes(32)).public,
            created=_NOW,
            expires=_NOW + timedelta(days=7),
        ).data
        for who, kind in ((spv, "asset"), (bank, "personal"))
    ]
    approvals = [
        Approval.build(
            request=_DIGEST, officer=officer, decision=said, note=note, time=_NOW, expires=until
        ).data
        for said, note, until in (
            ("approve", text, _NOW + timedelta(days=1)),
            ("deny", None, None),
        )
    ]
    receipt = DepositReceipt.build(
        attestation=_DIGEST,
        manifest=_DIGEST,
        index=2,
        epoch=1,
        holder=_holder("cn", 2),
        parts=("asset", "personal"),
        time=_NOW,
    )
    record = DocumentRecord(
        document=_DOCUMENT,
        version=1,
        attributes=(
            AttributeEntry("capacity", "20.000 MW", b"\x01" * 32),
            AttributeEntry("fuel", "Hydro", b"\x02" * 32),
        ),
        attachments=(AttachmentEntry(1, "证书.pdf", "application/pdf", 12),),
    )
    return {
        "key manifest": (_manifest(1, None), _manifest(2, _DIGEST)),
        "receipt": (receipt,),
        "release request": tuple(release),
        "approval": tuple(approvals),
        "root of a part": (part.root, seal_part(b"").root),
        "record of a part": (record.encode(),),
        "CSV table": (plants.csv_bytes(rows), b"\xef\xbb\xbf" + plants.csv_bytes(rows[:1])),
        "mapping": (
            plants.MAPPING.encode(),
            plants.MAPPING.replace(
                'as_of = "2018-06-01"', 'as_of = { from = "2018-01-01", to = "2018-06-30" }'
            ).encode(),
        ),
    }


def _of_sites(folder: Path) -> dict[str, tuple[bytes, ...]]:
    sites = make_two_sites(folder)
    payloads = []
    for side in ("cn", "hk"):
        found = Envelope.parse(sites.side(side).current().encoded).unverified_payload
        again = base64.b64encode(bundles.public_key(_SITE_SEED)).decode()
        payloads.append(canonical.dump(json.loads(found) | {"site_key": again}))
    key: Ed25519PrivateKey = bundles.private_key(_SITE_SEED)
    leaves = (
        sites.vault.certificate_pem,
        sites.identity("hk", "spv", "issuer").certificate_pem,
    )
    return {
        "site file": tuple(envelope.sign(PayloadType.SITE, each, key) for each in payloads),
        "site file, signed again": tuple(payloads),
        "certificate": leaves,
    }


def _holder(side: str, index: int) -> str:
    return f"spiffe://rwa.example/{side}/holder/h{index}"


def _manifest(epoch: int, previous: str | None) -> bytes:
    def side(name: str) -> ManifestSide:
        listed = (ManifestHolder(i, _holder(name, i), f"{i:02x}" * 32) for i in (1, 2, 3))
        return ManifestSide(name, 2, tuple(listed))  # type: ignore[arg-type]

    def secret(name: str) -> SideSecret:
        return SideSecret(name, b"\x01" * 32, tuple(bytes([i]) * 32 for i in (1, 2, 3)))  # type: ignore[arg-type]

    return KeyManifest.build(
        document=_DOCUMENT,
        version=1,
        attestation=_DIGEST,
        sides=(side("cn"), side("hk")),
        parts=(
            ManifestPart("asset", (secret("cn"), secret("hk"))),
            ManifestPart("personal", (secret("cn"),)),
        ),
        epoch=epoch,
        previous=previous,
    ).data
