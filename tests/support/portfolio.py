"""Selections in memory: many small documents of one custodian, and bundles about all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache

from proofs import envelope
from proofs.attestation import AsOf, Attestation
from proofs.bundle import write_bundle
from proofs.canonical import sha256_label
from proofs.claims import ListClaims
from proofs.context import Context
from proofs.envelope import Envelope, PayloadType
from proofs.evidence import BundleSelection
from proofs.facts import FactList
from proofs.grant import Grant, GrantedSelection
from proofs.ids import digest_of
from proofs.labels import LISTING
from proofs.list_statement import bound_commitments_of, compile_list
from proofs.listing import Listing, Row, listing_digest
from proofs.manifest import Manifest, ManifestFile
from proofs.named_set import NamedSet
from proofs.parts import prove_part, tasks
from proofs.policy import Expectation
from proofs.prove_list import ListedDocument, prove_selection
from proofs.request import Request
from proofs.selection import Period, Selection
from proofs.subjects import SLOTS
from proofs.trust import Trust
from proofs.values import read_attributes
from proofs.verify import Verified, verify_bundle
from proofs.witness import Witness
from support.bundles import (
    ASKER,
    AUDIENCE,
    CUSTODIAN,
    DAY,
    NOW,
    PURPOSE,
    VALUES,
    named_set,
    private_key,
    root_cid,
    schema,
    sets,
    trust,
)

SPV = "Harbour Solar SPV 1 Limited"
PERIOD: Period = (date(2026, 1, 1), date(2026, 6, 30))
OWNERS = ("张伟 Zhang Wei", None, "Li Na", "Wang Fang")
SUM_FACTS = ("sum(capacity) >= 30 MW",)
FACTS = (
    "sum(capacity) >= 100 MW",
    "sum(annual_yield) >= count() * 0.05",
    "count() >= 3",
    "each capacity in 1..90 MW",
    "each fuel in @fuels",
    "each owner not in @sanctions where present",
)


@dataclass(frozen=True)
class Holding:
    """One document: attestation and what opens it."""

    attestation: Attestation
    witness: Witness
    signer: int = CUSTODIAN

    @property
    def envelope(self) -> bytes:
        """The signed attestation."""
        return envelope.sign(
            PayloadType.ATTESTATION, self.attestation.data, private_key(self.signer)
        )


def holding(
    number: int, *, values: Mapping[str, object] | None = None, **changes: object
) -> Holding:
    """The document of this number: capacity 40.000 + number/1000 MW, every fourth without owner."""
    said: dict[str, object] = VALUES | {"capacity": f"{40 + number // 1000}.{number % 1000:03d}"}
    owner = OWNERS[number % 4]
    if owner is None:
        said.pop("owner")
    else:
        said["owner"] = owner
    said |= values or {}
    witness = Witness.draw(schema(), read_attributes(schema(), said))
    fields: dict[str, object] = {
        "document": f"{number:032x}",
        "version": 1,
        "asset": f"cn-pv-{number:05d}",
        "schema": schema().digest,
        "as_of": AsOf(date(2026, 6, 1), date(2026, 6, 30)),
        "attested_at": NOW - 2 * DAY,
        "valid_until": NOW + 100 * DAY,
        "asset_part": root_cid(7),
        "personal_part": None,
        "commitments": witness.commitments(),
    }
    return Holding(Attestation.make(**(fields | changes)), witness)  # type: ignore[arg-type]


@cache
def holdings(count: int) -> tuple[Holding, ...]:
    """So many documents, committed once."""
    return tuple(holding(number) for number in range(1, count + 1))


@dataclass(frozen=True)
class Portfolio:
    """Everything that goes into one bundle about a selection; `replace` what a test is about."""

    documents: tuple[Holding, ...]
    facts: tuple[str, ...] = SUM_FACTS
    chosen_by: str = "prover"
    manifest: bytes | None = None
    granted: tuple[tuple[str, object], ...] = ()
    used: tuple[NamedSet, ...] = field(default_factory=lambda: ())
    nonce: str = "5a" * 32
    listing_digest: str = ""

    @property
    def selection(self) -> Selection:
        """What the request asks about."""
        if self.chosen_by == "request":
            assets = tuple(sorted(each.attestation.asset for each in self.documents))
            return Selection(schema().digest, assets=assets)
        if self.chosen_by == "manifest":
            return Selection(schema().digest, spv=SPV, period=PERIOD)
        return Selection(schema().digest)

    @property
    def request(self) -> Request:
        """The verifier's request."""
        return Request.build(
            selection=self.selection,
            facts=self.facts,
            sets=[each.reference for each in self.used],
            audience=AUDIENCE,
            purpose=PURPOSE,
            nonce=self.nonce,
            created=NOW - DAY,
            expires=NOW + 10 * DAY,
        )

    @property
    def context(self) -> Context:
        """The bundle's context."""
        return Context.answering(self.request, not_before=NOW - DAY, expires=NOW + 15 * DAY)

    @property
    def grant(self) -> bytes:
        """The custodian's consent, signed."""
        digest = None
        if self.manifest is not None:
            file = ManifestFile.parse(self.manifest)
            digest = Manifest.parse(file.envelope.unverified_payload).digest
        attestations = [each.attestation for each in self.documents]
        values: dict[str, object] = {
            "request": self.request.digest,
            "asker": ASKER,
            "selection": GrantedSelection(
                len(attestations), self.listing_digest or listing_digest(attestations), digest
            ),
            "sets": list(self.request.sets),
            "not_before": NOW - DAY,
            "bundle_expires": NOW + 20 * DAY,
            "granted_at": NOW - DAY / 24,
            "expires": NOW + 20 * DAY,
        }
        payload = Grant.build(**(values | dict(self.granted)))  # type: ignore[arg-type]
        return envelope.sign(PayloadType.GRANT, payload, private_key(CUSTODIAN))

    def build(self, executor: Executor | None = None) -> bytes:
        """The bundle."""
        return prove_selection(
            request=self.request.data,
            context=self.context,
            schema=schema(),
            documents=[ListedDocument(each.envelope, each.witness) for each in self.documents],
            grant_envelope=self.grant,
            sets={each.name: each for each in self.used},
            manifest=self.manifest,
            executor=executor,
        )

    def forge(
        self,
        *,
        rows: Sequence[Holding] | None = None,
        claimed: Sequence[int] | None = None,
        left_out: tuple[int, ...] | None = None,
        facts: tuple[str, ...] | None = None,
        alter: Callable[[ListClaims], ListClaims] = lambda claims: claims,
        reorder: Callable[[list[bytes]], list[bytes]] = lambda proofs: proofs,
    ) -> bytes:
        """A bundle by a prover that checks nothing of what it puts together.

        `rows` are the documents that stand in the bundle, in this order. `claimed`, places of
        documents, are those that the proof is really about; `alter` changes what the transcripts
        begin with, `left_out` what the statement says, `reorder` the parts' proofs.
        """
        held = list(self.documents if rows is None else rows)
        proven = held if claimed is None else [held[place] for place in claimed]
        attested = [each.attestation for each in proven]
        listing = Listing(
            schema=schema().digest,
            columns=tuple(range(len(schema().attributes))),
            rows=tuple(
                Row(each.document, each.version, each.asset, each.commitments) for each in attested
            ),
            digest=sha256_label(LISTING, *[bytes.fromhex(e.digest) for e in attested]).hex(),
            as_of=attested[0].as_of,
            same_as_of=True,
            valid_until=attested[0].valid_until,
            attested=(attested[0].attested_at, attested[0].attested_at),
        )
        texts = self.facts if facts is None else facts
        parsed = FactList.over(texts, schema())
        digests = {each.name: each.header.digest for each in self.used}
        statement = compile_list(parsed, schema(), listing, digests)
        if left_out is not None:
            statement = replace(statement, left_out=left_out)
        bound = bound_commitments_of(listing, statement.slots)
        grant = Envelope.parse(self.grant)
        carried = None if self.manifest is None else ManifestFile.parse(self.manifest)
        claims = ListClaims(
            context=self.context,
            schema=schema().digest,
            listing=listing.digest,
            count=len(listing.rows),
            signer=Envelope.parse(held[0].envelope).keyid,
            manifest=(None if carried is None else digest_of(carried.envelope.unverified_payload)),
            grant=digest_of(grant.unverified_payload),
            grant_signer=grant.keyid,
            sets=self.request.sets,
            facts=texts,
            statement=statement.encode(),
            commitments=bound,
        )
        openings = {slot: proven[slot // SLOTS].witness.values[slot % SLOTS] for slot, _ in bound}
        todo = tasks(
            alter(claims).seed(),
            statement,
            dict(bound),
            {slot: pair for slot, pair in openings.items() if pair is not None},
            {each.name: each.scalars for each in self.used},
        )
        envelopes = tuple(Envelope.parse(each.envelope) for each in held)
        return write_bundle(
            context=self.context,
            schemas=[schema().encode()],
            selection=BundleSelection.of(
                self.selection,
                attestations=envelopes if carried is None else (),
                manifest=carried,
            ),
            grant=grant,
            facts=texts,
            sets=self.request.sets,
            proof=b"".join(reorder([prove_part(each) for each in todo])),
        )

    def verify(self, data: bytes, pinned: Trust | None = None) -> Verified:
        """The verdict of a verifier who made the request."""
        return verify_bundle(
            data,
            trust=pinned or trust(),
            expectation=Expectation.for_request(self.request.data),
            sets=sets(),
            now=NOW,
        )


def portfolio(count: int = 5, **changes: object) -> Portfolio:
    """About so many documents, with a sum, or with what `changes` say."""
    found = Portfolio(holdings(count))
    return replace(found, **changes)  # type: ignore[arg-type]


def full(count: int = 5, **changes: object) -> Portfolio:
    """With every kind of fact."""
    used = (named_set("fuels"), named_set("sanctions"))
    return portfolio(count, **({"facts": FACTS, "used": used} | changes))


def manifest_file(
    documents: Sequence[Holding],
    attributes: Sequence[str] = ("capacity",),
    *,
    signer: int = CUSTODIAN,
    **changes: object,
) -> bytes:
    """A signed manifest of these documents."""
    values: dict[str, object] = {
        "spv": SPV,
        "period": PERIOD,
        "serial": 3,
        "attributes": attributes,
        "signed_at": NOW - DAY,
    }
    payload, rows = Manifest.build(
        [each.attestation for each in documents],
        schema(),
        **(values | changes),  # type: ignore[arg-type]
    )
    signed = envelope.sign(PayloadType.PORTFOLIO, payload, private_key(signer))
    return ManifestFile(Envelope.parse(signed), rows).encode()
