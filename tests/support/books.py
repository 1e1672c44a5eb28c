"""Two documents of one schema and one of another, by one custodian, and bundles about all three.

The keys, the clock and the trust file are those of `support.bundles`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from proofs import envelope
from proofs.arguments import prove_arguments
from proofs.bundle import BundleDocument, write_bundle
from proofs.claims import ClaimedDocument, Claims, bound_commitments
from proofs.context import Context
from proofs.envelope import Envelope, PayloadType
from proofs.facts import FactList
from proofs.grant import Grant, GrantedDocument
from proofs.policy import Expectation
from proofs.prove import ProvenDocument, prove_bundle
from proofs.request import Request, RequestedDocument
from proofs.schema import Schema
from proofs.statement import compile_facts
from proofs.subjects import Subjects
from proofs.trust import Trust
from proofs.values import read_attributes
from proofs.verify import Verified, verify_bundle
from proofs.witness import Witness
from support import bundles
from support.bundles import ASKER, AUDIENCE, CUSTODIAN, DAY, NOW, Altered, _fields, private_key

_NUMBERS = {
    "debt": ("CNY", 2, "0", "9000000000", "asset"),
    "valuation": ("万元", 2, "0", "9000000", "asset"),
    "reserve": ("HKD", 2, "0", "9000000000", "asset"),
    "price": ("CNY", 4, "0", "1000", "asset"),
    "last_price": ("CNY", 4, "0", "1000", "asset"),
    "capacity": ("kW", 0, "0", "100000000", "public"),
    "age": ("", 0, "0", "150", "personal"),
}


def _book(name: str) -> Schema:
    attributes: list[dict[str, object]] = [
        {
            "name": each,
            "label": each,
            "type": "decimal",
            "class": kind,
            "unit": unit,
            "scale": scale,
            "min": least,
            "max": greatest,
            "optional": each == "reserve",
        }
        for each, (unit, scale, least, greatest, kind) in _NUMBERS.items()
    ]
    attributes.append({"name": "code", "label": "Code", "type": "identifier", "class": "public"})
    attributes.append(
        {
            "name": "closed",
            "label": "Closed",
            "type": "date",
            "class": "asset",
            "min": "2000-01-01",
            "max": "2100-01-01",
        }
    )
    text = {"name": name, "title": name, "time_zone": "Asia/Shanghai", "attributes": attributes}
    return Schema.parse(Schema.from_author(json.dumps(text).encode()))


@cache
def book(name: str = "loan-book") -> Schema:
    """The schema of `a` and `b`, or one that differs from it by its name."""
    return _book(name)


def subjects() -> Subjects:
    """`a` and `b` are books, `plant` is the document of `support.bundles`."""
    return Subjects.of({"plant": bundles.schema(), "b": book(), "a": book()})


VALUES: dict[str, dict[str, object]] = {
    "a": {
        "debt": "4500000.50",
        "valuation": "800.25",
        "reserve": "1000000",
        "price": "10.5000",
        "last_price": "10.0000",
        "capacity": "48500",
        "age": "40",
        "code": "A",
        "closed": "2026-06-01",
    },
    "b": {
        "debt": "250000.00",
        "valuation": "50.00",
        "price": "3",
        "last_price": "4",
        "capacity": "1000",
        "age": "40",
        "code": "B",
        "closed": "2026-05-01",
    },
}
FACTS = (
    "a.debt * 100 <= a.valuation * 60",
    "a.debt + b.debt <= a.valuation",
    "abs(a.price - a.last_price) * 10 <= a.last_price",
    "plant.capacity >= a.capacity",
    "plant.annual_yield >= 0.08",
    "b.code = B",
    "plant.fuel in @fuels",
)
ASSETS = {"a": "cn-pv-0101", "b": "cn-pv-0102", "plant": bundles.ASSET}


@cache
def witnesses() -> Mapping[str, Witness]:
    """The values, committed once."""
    drawn = {
        alias: Witness.draw(book(), read_attributes(book(), values))
        for alias, values in VALUES.items()
    }
    return drawn | {"plant": bundles.witness()}


def attestation(alias: str, **changes: object) -> bytes:
    """The payload of one document's attestation."""
    schema = dict(subjects().schemas)[alias]
    number = list(ASSETS).index(alias)
    values: dict[str, object] = {
        "document": f"{number + 1:032x}",
        "asset": ASSETS[alias],
        "schema": schema.digest,
        "commitments": witnesses()[alias].commitments(),
    }
    return bundles.attestation(**(values | changes))


@cache
def trust() -> Trust:
    """Pins the custodian for both schemas."""
    schemas = [book().digest, bundles.schema().digest]
    return Trust.parse(bundles.trust_text(custodian={"schemas": schemas}).encode())


def request(facts: tuple[str, ...] = FACTS, **changes: object) -> Request:
    """A request about all three, with changed fields."""
    found = FactList.parse(facts, subjects())
    values: dict[str, object] = {
        "documents": [
            RequestedDocument(alias, ASSETS[alias], schema.digest)
            for alias, schema in subjects().schemas
        ],
        "facts": found.texts,
        "sets": [each.reference for each in bundles.sets() if each.name in found.set_names],
        "audience": AUDIENCE,
        "purpose": bundles.PURPOSE,
        "nonce": "5a" * 32,
        "created": NOW - DAY,
        "expires": NOW + DAY,
    }
    return Request.build(**(values | changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Books:
    """Everything that goes into one bundle; `replace` what a test is about."""

    request: Request
    attestations: Mapping[str, bytes]
    granted: tuple[GrantedDocument, ...] | None = None
    signers: Mapping[str, int] | None = None

    @property
    def context(self) -> Context:
        """The one that answers the request."""
        return bundles.context_for(self.request)

    def envelope(self, alias: str) -> bytes:
        """One attestation, signed."""
        signer = (self.signers or {}).get(alias, CUSTODIAN)
        return envelope.sign(PayloadType.ATTESTATION, self.attestations[alias], private_key(signer))

    @property
    def grant(self) -> bytes:
        """The grant, signed."""
        attested = {
            alias: bundles.Attestation.parse(each) for alias, each in self.attestations.items()
        }
        granted = self.granted or tuple(
            GrantedDocument(alias, each.document, each.version, each.digest)
            for alias, each in attested.items()
        )
        payload = Grant.build(
            request=self.request.digest,
            asker=ASKER,
            documents=granted,
            sets=self.request.sets,
            not_before=NOW - DAY,
            bundle_expires=NOW + 20 * DAY,
            granted_at=NOW - DAY,
            expires=NOW + 20 * DAY,
        )
        return envelope.sign(PayloadType.GRANT, payload, private_key(CUSTODIAN))

    def build(self) -> bytes:
        """The honest prover's bundle."""
        return prove_bundle(
            request=self.request.data,
            context=self.context,
            documents={
                alias: ProvenDocument(schema, self.envelope(alias), witnesses()[alias])
                for alias, schema in subjects().schemas
            },
            grant_envelope=self.grant,
            sets={each.name: each for each in bundles.sets()},
        )

    def forge(
        self,
        *,
        facts: tuple[str, ...] | None = None,
        proven: tuple[str, ...] | None = None,
        opened: Mapping[str, Witness] | None = None,
        schemas: tuple[Schema, ...] | None = None,
        alter: Callable[[Claims], Claims] | None = None,
    ) -> bytes:
        """A bundle by a prover that checks nothing of what it puts together.

        `facts` are the bundle's, `proven` those that the proof is about; `alter` changes what
        goes into the transcript and not into the bundle.
        """
        about = subjects()
        texts = self.request.facts if facts is None else facts
        digests = {each.name: each.header.digest for each in bundles.sets()}
        parsed = FactList.parse(proven or texts, about)
        statement = compile_facts(parsed, about, digests)
        signed = {alias: Envelope.parse(self.envelope(alias)) for alias, _ in about.schemas}
        attested = {
            alias: bundles.Attestation.parse(each.unverified_payload)
            for alias, each in signed.items()
        }
        granted = Envelope.parse(self.grant)
        claims = Claims(
            context=self.context,
            documents=tuple(
                ClaimedDocument(alias, each.schema, each.digest, signed[alias].keyid)
                for alias, each in attested.items()
            ),
            grant=bundles.digest_of(granted.unverified_payload),
            grant_signer=granted.keyid,
            sets=self.request.sets,
            facts=texts,
            statement=compile_facts(FactList.parse(texts, about), about, digests).encode(),
            commitments=bound_commitments(list(attested.values()), about, statement.attributes),
        )
        if alter is not None:
            claims = Altered(**_fields(claims), other=alter(claims))  # type: ignore[arg-type]
        order = [(opened or witnesses())[alias] for alias, _ in about.schemas]
        scalars = {each.name: each.scalars for each in bundles.sets()}
        return write_bundle(
            context=self.context,
            schemas=[
                each.encode() for each in schemas or tuple(schema for _, schema in about.schemas)
            ],
            documents=[BundleDocument(alias, each) for alias, each in signed.items()],
            grant=granted,
            facts=texts,
            sets=self.request.sets,
            proof=prove_arguments(claims, statement, order, scalars),
        )

    def expectation(self) -> Expectation:
        """What the verifier who made the request expects."""
        return Expectation.for_request(self.request.data)


def books(facts: tuple[str, ...] = FACTS, **changes: object) -> Books:
    """Parts that fit together, but for the changes."""
    asked = request(facts)
    found = Books(asked, {alias: attestation(alias) for alias, _ in subjects().schemas})
    return replace(found, **changes)  # type: ignore[arg-type]


@cache
def good() -> tuple[Books, bytes]:
    """One bundle about all three, built once."""
    found = books()
    return found, found.build()


def check(data: bytes, *, expectation: Expectation | None = None) -> Verified:
    """Verify with what an honest verifier holds."""
    return verify_bundle(
        data,
        trust=trust(),
        expectation=expectation or Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
        sets=bundles.sets(),
        now=NOW,
    )
