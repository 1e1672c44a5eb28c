"""A small world in memory: one custodian, one authority, one document, and bundles about it.

Keys are seeded, so key ids stay the same; blindings, nonces and proofs are random. Everything
that a test may want to turn is a field of `Parts`, and `build` puts the parts together again.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import envelope
from proofs.arguments import prove_arguments
from proofs.attestation import AsOf, Attestation, personal_part_digest
from proofs.bundle import BundleDocument, write_bundle
from proofs.canonical import format_instant
from proofs.claims import ClaimedDocument, Claims, bound_commitments
from proofs.context import Context
from proofs.envelope import Envelope, PayloadType, key_id
from proofs.facts import FactList
from proofs.grant import Grant, GrantedDocument
from proofs.ids import digest_of
from proofs.named_set import MemberType, NamedSet
from proofs.policy import Expectation
from proofs.principal import Principal
from proofs.prove import ProvenDocument, prove_bundle
from proofs.request import Request, RequestedDocument, SetReference
from proofs.schema import AttributeType, Schema
from proofs.statement import compile_facts
from proofs.transcript import Transcript
from proofs.trust import Trust, entry
from proofs.values import read_attributes
from proofs.witness import Witness

# Set only to add to the stored vectors, which have a clock of their own.
NOW = datetime.fromisoformat(
    os.environ.get("CROSSPROOF_VECTORS_NOW") or datetime.now(UTC).isoformat()
).replace(microsecond=0)
DAY = timedelta(days=1)
ASSET = "cn-pv-0042"
AUDIENCE = "Harbour Fund 海港基金"
PURPOSE = "Due diligence of the 2026 notes"
ASKER = Principal.parse("spiffe://example.org/hk/spv/harbour")

SCHEMA_TEXT = """{
  "format": "crossvault/schema/v1",
  "name": "pv-plant",
  "title": {"en": "Photovoltaic plant", "zh": "光伏电站"},
  "time_zone": "Asia/Shanghai",
  "attributes": [
    {"name": "capacity", "label": {"en": "Capacity", "zh": "装机容量"}, "type": "decimal",
     "class": "asset", "unit": "MW", "scale": 3, "min": "0", "max": "100000"},
    {"name": "annual_yield", "label": {"en": "Yield", "zh": "年收益率"}, "type": "decimal",
     "class": "asset", "unit": "", "scale": 4, "min": "-1", "max": "10"},
    {"name": "commissioned", "label": {"en": "Commissioned", "zh": "投运日期"}, "type": "date",
     "class": "asset", "min": "1980-01-01", "max": "2100-01-01"},
    {"name": "province", "label": {"en": "Province", "zh": "省份"}, "type": "enum",
     "class": "public", "members": ["Anhui", "Guangdong", "Jiangsu", "Qinghai"]},
    {"name": "fuel", "label": {"en": "Fuel", "zh": "能源"}, "type": "identifier",
     "class": "asset"},
    {"name": "owner", "label": {"en": "Owner", "zh": "业主"}, "type": "name",
     "class": "personal", "optional": true},
    {"name": "phone", "label": {"en": "Phone", "zh": "电话"}, "type": "identifier",
     "class": "personal", "optional": true}
  ]
}"""
VALUES: dict[str, object] = {
    "capacity": "48.500",
    "annual_yield": "0.0912",
    "commissioned": "2021-06-18",
    "province": "Guangdong",
    "fuel": "SOLAR",
    "owner": "张伟 Zhang Wei",
}
SANCTIONED = [f"Listed Person {number:03d}" for number in range(70)]
FUELS = ["solar", "wind", "hydro"]
FACTS = (
    "capacity in 20..60 MW",
    "annual_yield >= 8.00%",
    "commissioned >= 2019-01-01",
    "province = Guangdong",
    "fuel in @fuels",
    "owner not in @sanctions",
)
SMALL_FACTS = ("annual_yield >= 8.00%",)


def private_key(seed: int) -> Ed25519PrivateKey:
    """The same key for the same small number."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def public_key(seed: int) -> bytes:
    """32 raw bytes."""
    return private_key(seed).public_key().public_bytes_raw()


CUSTODIAN, AUTHORITY, STRANGER = 1, 2, 3


def root_cid(seed: int) -> str:
    """A CID of the right form."""
    raw = bytes((0x01, 0x71, 0x12, 0x20)) + bytes([seed]) * 32
    return "b" + base64.b32encode(raw).decode().rstrip("=").lower()


@cache
def schema() -> Schema:
    """The schema of the one document."""
    return Schema.parse(Schema.from_author(SCHEMA_TEXT.encode()))


@cache
def witness() -> Witness:
    """Its values, committed once."""
    return Witness.draw(schema(), read_attributes(schema(), VALUES))


@cache
def named_set(
    name: str = "sanctions",
    *,
    version: int = 3,
    extra: tuple[str, ...] = (),
    kind: AttributeType | None = None,
    signer: int = AUTHORITY,
    valid_days: int = 30,
) -> NamedSet:
    """`sanctions` (names) or `fuels` (identifiers), signed by the authority."""
    kind = kind or (AttributeType.NAME if name == "sanctions" else AttributeType.IDENTIFIER)
    member_type = MemberType(kind)
    members = member_type.read([*(SANCTIONED if name == "sanctions" else FUELS), *extra])
    header = NamedSet.make_header(
        members,
        name=name,
        version=version,
        member_type=member_type,
        issued=NOW - 10 * DAY,
        valid_until=NOW + valid_days * DAY,
        source="Example register",
        as_of=date(2026, 6, 20),
    )
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(signer))
    return NamedSet.assemble(Envelope.parse(signed), members)


def sets() -> tuple[NamedSet, ...]:
    """Both sets as a verifier holds them."""
    return named_set("fuels"), named_set("sanctions")


def signer_entry(seed: int, **changes: object) -> dict[str, object]:
    """The common fields of a trust file's entry."""
    values: dict[str, object] = {
        "name_zh": "示例托管有限公司" if seed == CUSTODIAN else "示例名录机构",
        "name_en": "Example Custody Co., Ltd." if seed == CUSTODIAN else "Example Register",
        "key": base64.b64encode(public_key(seed)).decode(),
        "valid_from": format_instant(NOW - 180 * DAY),
        "valid_until": format_instant(NOW + 500 * DAY),
    }
    return values | changes


def trust_text(
    *,
    custodian: dict[str, object] | None = None,
    authority: dict[str, object] | None = None,
    least_version: int = 2,
) -> str:
    """A trust file that pins the custodian and both sets, with changed fields."""
    scope = {"schemas": [schema().digest], "assets": ["cn-pv-*"]}
    entries = [entry("custodian", signer_entry(CUSTODIAN) | scope | (custodian or {}))]
    entries.append(entry("authority", signer_entry(AUTHORITY) | (authority or {})))
    pinned = authority["key"] if authority and "key" in authority else None
    keyid = key_id(base64.b64decode(str(pinned)) if pinned else public_key(AUTHORITY))
    entries += [
        entry("set", {"name": name, "authority": keyid, "least_version": least_version})
        for name in ("fuels", "sanctions")
    ]
    return "\n".join(entries)


@cache
def trust() -> Trust:
    """The trust file as it is by default."""
    return Trust.parse(trust_text().encode())


@dataclass(frozen=True, slots=True)
class Altered(Claims):
    """Claims of a prover whose transcript says something else."""

    other: Claims

    def transcript(self) -> Transcript:
        """The other claims' transcript."""
        return self.other.transcript()


def on_document(claims: Claims, **changes: object) -> Claims:
    """Claims that say something else of their first document."""
    changed = replace(claims.documents[0], **changes)  # type: ignore[arg-type]
    return replace(claims, documents=(changed, *claims.documents[1:]))


def _fields(claims: Claims) -> dict[str, object]:
    return {field.name: getattr(claims, field.name) for field in fields(claims)}


@dataclass(frozen=True)
class Parts:
    """Everything that goes into one bundle; `replace` what a test is about."""

    attestation: bytes
    attestation_signer: int
    request: Request
    grant_signer: int
    grant_changes: tuple[tuple[str, object], ...]
    context: Context
    sets: tuple[NamedSet, ...]

    @property
    def attested(self) -> Attestation:
        """The attestation, read."""
        return Attestation.parse(self.attestation)

    @property
    def attestation_envelope(self) -> bytes:
        """The attestation, signed."""
        key = private_key(self.attestation_signer)
        return envelope.sign(PayloadType.ATTESTATION, self.attestation, key)

    @property
    def grant(self) -> bytes:
        """The grant's payload."""
        attested = self.attested
        values: dict[str, object] = {
            "request": self.request.digest,
            "asker": ASKER,
            "documents": [
                GrantedDocument("doc", attested.document, attested.version, attested.digest)
            ],
            "sets": list(self.request.sets),
            "not_before": NOW - DAY,
            "bundle_expires": NOW + 20 * DAY,
            "granted_at": NOW - timedelta(hours=1),
            "expires": NOW + 20 * DAY,
        }
        return Grant.build(**(values | dict(self.grant_changes)))  # type: ignore[arg-type]

    @property
    def grant_envelope(self) -> bytes:
        """The grant, signed."""
        return envelope.sign(PayloadType.GRANT, self.grant, private_key(self.grant_signer))

    def build(self) -> bytes:
        """The bundle of these parts."""
        return prove_bundle(
            request=self.request.data,
            context=self.context,
            documents={"doc": ProvenDocument(schema(), self.attestation_envelope, witness())},
            grant_envelope=self.grant_envelope,
            sets={each.name: each for each in self.sets},
        )

    def forge(
        self,
        *,
        facts: tuple[str, ...] | None = None,
        references: tuple[SetReference, ...] | None = None,
        schema_bytes: bytes | None = None,
        alias: str = "doc",
        alter: Callable[[Claims], Claims] | None = None,
    ) -> bytes:
        """A bundle by a prover that checks nothing of what it puts together.

        The proof is right for what stands in the bundle, so a refusal is due to the check that a
        test is about. `alter` changes what goes into the transcript and not into the bundle.
        """
        attested = Envelope.parse(self.attestation_envelope)
        granted = Envelope.parse(self.grant_envelope)
        texts = self.request.facts if facts is None else facts
        listed = self.request.sets if references is None else references
        by_name = {each.name: each for each in self.sets}
        digests = {name: each.header.digest for name, each in by_name.items()}
        parsed = FactList.parse(texts, schema())
        statement = compile_facts(parsed, schema(), digests)
        claims = Claims(
            context=self.context,
            documents=(
                ClaimedDocument(alias, self.attested.schema, self.attested.digest, attested.keyid),
            ),
            grant=digest_of(granted.unverified_payload),
            grant_signer=granted.keyid,
            sets=listed,
            facts=texts,
            statement=statement.encode(),
            commitments=bound_commitments([self.attested], schema(), statement.attributes),
        )
        scalars = {name: each.scalars for name, each in by_name.items()}
        if alter is not None:
            claims = Altered(**_fields(claims), other=alter(claims))  # type: ignore[arg-type]
        proof = prove_arguments(claims, statement, [witness()], scalars)
        return write_bundle(
            context=self.context,
            schemas=[schema().encode() if schema_bytes is None else schema_bytes],
            documents=[BundleDocument(alias, attested)],
            grant=granted,
            facts=texts,
            sets=listed,
            proof=proof,
        )

    def expectation(self) -> Expectation:
        """What a verifier who made the request expects."""
        return Expectation.for_request(self.request.data)


def attestation(**changes: object) -> bytes:
    """An attestation's payload with changed fields."""
    values: dict[str, object] = {
        "document": "0123456789abcdef0123456789abcdef",
        "version": 2,
        "asset": ASSET,
        "schema": schema().digest,
        "as_of": AsOf.day(date(2026, 6, 30)),
        "attested_at": NOW - 2 * DAY,
        "valid_until": NOW + 90 * DAY,
        "asset_part": root_cid(7),
        "personal_part": personal_part_digest(bytes(32), root_cid(8)),
        "commitments": witness().commitments(),
    }
    return Attestation.make(**(values | changes)).data  # type: ignore[arg-type]


def answering(found: Parts, asked: Request, **changes: object) -> Parts:
    """The same parts for another request, context and all."""
    return replace(found, request=asked, context=context_for(asked), **changes)  # type: ignore[arg-type]


def request(facts: tuple[str, ...] = FACTS, /, **changes: object) -> Request:
    """A request for these facts with changed fields."""
    parsed = FactList.parse(facts, schema())
    names = parsed.set_names
    values: dict[str, object] = {
        "documents": [RequestedDocument("doc", ASSET, schema().digest)],
        "facts": parsed.texts,
        "sets": [each.reference for each in sets() if each.name in names],
        "audience": AUDIENCE,
        "purpose": PURPOSE,
        "nonce": "5a" * 32,
        "created": NOW - DAY,
        "expires": NOW + DAY,
    }
    return Request.build(**(values | changes))  # type: ignore[arg-type]


def context_for(asked: Request, **changes: object) -> Context:
    """The context that answers a request."""
    values: dict[str, object] = {
        "audience": asked.audience,
        "purpose": asked.purpose,
        "nonce": asked.nonce,
        "request": asked.digest,
        "requested_at": asked.created,
        "request_expires": asked.expires,
        "not_before": NOW - timedelta(minutes=10),
        "expires": NOW + 15 * DAY,
    }
    return Context(**(values | changes))  # type: ignore[arg-type]


def parts(facts: tuple[str, ...] = FACTS, **changes: object) -> Parts:
    """Parts that fit together, but for the changes."""
    asked = request(facts)
    found = Parts(
        attestation=attestation(),
        attestation_signer=CUSTODIAN,
        request=asked,
        grant_signer=CUSTODIAN,
        grant_changes=(),
        context=context_for(asked),
        sets=sets(),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


@cache
def good() -> tuple[Parts, bytes]:
    """One bundle with every kind of fact, built once."""
    found = parts()
    return found, found.build()


@cache
def small() -> tuple[Parts, bytes]:
    """One bundle with a single range, built once."""
    found = parts(SMALL_FACTS)
    return found, found.build()
