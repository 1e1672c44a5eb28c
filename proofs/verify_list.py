"""Steps of the verification that differ by what a bundle is about: here, a selection of many.

The list rests on every document's attestation, or on one manifest that the custodian signed. What
stands here is called by `verify` in the order of its procedure, which says what each step stops.
A list that the prover chose proves nothing of the documents that it left out, and the verdict says
who chose it.

SPEC.md, "Verification procedure".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from proofs.arguments import decode_commitments
from proofs.attestation import AsOf, Attestation
from proofs.bundle import Bundle
from proofs.claims import ListClaims
from proofs.envelope import PayloadType
from proofs.equation import Equation
from proofs.errors import BindingError, CannotProveError, GrantError
from proofs.evidence import BundleSelection
from proofs.facts import Fact, FactList
from proofs.grant import Grant, GrantedSelection
from proofs.ids import digest_of
from proofs.linear import LinearFact
from proofs.list_classes import check_list_facts
from proofs.list_facts import ListFact
from proofs.list_statement import ListStatement, bound_commitments_of, compile_list, rows_about
from proofs.listing import Listing
from proofs.manifest import Manifest, ManifestFile
from proofs.named_set import NamedSet
from proofs.parts import verify_parts
from proofs.policy import Expectation
from proofs.request import DEFAULT_ALIAS, RequestedDocument
from proofs.requirements import FindSet, Met, Required, Subject, check_together
from proofs.schema import Schema
from proofs.selection import Selection
from proofs.trust import Trust, TrustedCustodian
from proofs.validity import check_key, check_signed_within, in_the_future, say
from proofs.verify_documents import check_attested, check_set_names, parse_schema


@dataclass(frozen=True, slots=True)
class VerifiedSelection:
    """The list that facts were proven about.

    `chosen_by` is `request` (a request that the verifier made named every asset), `manifest` (the
    custodian signed that these are all of one SPV and period) or `prover`. `left_out` says of each
    fact about how many of the documents it is not. `as_of` spans the documents' intervals, which
    are one and the same if `same_as_of`.
    """

    schema: Schema
    documents: tuple[str, ...]
    assets: tuple[str, ...]
    chosen_by: str
    manifest: Manifest | None
    as_of: AsOf
    same_as_of: bool
    attested_at: tuple[datetime, datetime]
    left_out: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many documents there are."""
        return len(self.documents)


@dataclass(frozen=True, slots=True)
class ListEvidence:
    """A list that passed steps 2 and 3."""

    custodian: TrustedCustodian
    carried: BundleSelection
    schema: Schema
    listing: Listing
    manifest: Manifest | None

    @property
    def documents(self) -> tuple[()]:
        """None of them has an alias."""
        return ()

    @property
    def valid_until(self) -> datetime:
        """When the first of the attestations expires."""
        return self.listing.valid_until

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that the list is about."""
        return self.listing.assets

    def check_granted(self, grant: Grant) -> None:
        """Step 4: GrantError unless the grant is for exactly this list, and this manifest."""
        expected = GrantedSelection(
            count=len(self.listing.rows),
            attestations=self.listing.digest,
            manifest=None if self.manifest is None else self.manifest.digest,
        )
        if grant.selection != expected:
            raise GrantError("the grant is for another list of documents")

    def asked(self) -> tuple[list[RequestedDocument], Selection]:
        """What the request that is answered must have asked about: documents, or a selection."""
        return [], self.carried.asked(self.listing.schema, self.listing.assets)

    def check_facts(
        self,
        bundle: Bundle,
        grant: Grant,
        sets: dict[str, NamedSet],
        expected: Expectation,
        find_set: FindSet,
        now: datetime,
    ) -> tuple[tuple[Met, ...], list[Equation], VerifiedSelection]:
        """Steps 8 and 9, but for the multiplication: what is met of what the verifier requires,
        the proof's equations, and the list."""
        facts = FactList.over_canonical(bundle.facts, self.schema)
        check_set_names(facts.set_names, sets)
        digests = {each.name: each.digest for each in bundle.sets}
        try:
            check_list_facts(facts, self.schema, sets, self.listing)
            statement = compile_list(facts, self.schema, self.listing, digests)
        except CannotProveError as error:
            raise BindingError(str(error)) from None
        met = self._met(list(facts), expected.required, find_set, now)
        commitments = bound_commitments_of(self.listing, statement.slots)
        claims = ListClaims(
            context=bundle.context,
            schema=self.listing.schema,
            listing=self.listing.digest,
            count=len(self.listing.rows),
            signer=self.custodian.keyid,
            manifest=None if self.manifest is None else self.manifest.digest,
            grant=grant.digest,
            grant_signer=bundle.grant.keyid,
            sets=bundle.sets,
            facts=bundle.facts,
            statement=statement.encode(),
            commitments=commitments,
        )
        by_slot = dict(commitments)
        scalars = {name: each.scalars for name, each in sets.items()}
        points = decode_commitments(by_slot)
        found = verify_parts(claims.seed(), statement, by_slot, points, bundle.proof, scalars)
        return met, [found], self._verified(statement, expected)

    def _met(
        self, facts: Sequence[ListFact], required: Required, find_set: FindSet, now: datetime
    ) -> tuple[Met, ...]:
        """What follows of what the verifier requires: about the assets that it named, from facts
        about each document, and about the whole list that an asset is in."""
        if not required.facts:
            return ()

        @cache  # else every asset would cost as much as the whole list
        def rows(fact: ListFact) -> frozenset[int]:
            return frozenset(rows_about(fact, self.schema, self.listing))

        met: list[Met] = []
        alone, together = required.over(self.schema, now)
        named = frozenset(required.assets)
        for place, row in enumerate(self.listing.rows):
            if row.asset not in named:
                continue
            about = [
                fact.sentence
                for fact in facts
                if isinstance(fact.sentence, Fact | LinearFact)
                and fact.each
                and place in rows(fact)
            ]
            own = [Subject(DEFAULT_ALIAS, row.asset, self.schema)]
            only = replace(alone, assets=(row.asset,))
            met += only.check(about, own, find_set=find_set, now=now)
            met += [
                check_together(
                    facts,
                    fact,
                    row.asset,
                    count=len(self.listing.rows),
                    rows_about=rows,
                    find_set=find_set,
                )
                for fact in together
            ]
        return tuple(met)

    def _verified(self, statement: ListStatement, expected: Expectation) -> VerifiedSelection:
        listing = self.listing
        # Anybody can make a request, a custodian too; what it named says something to its maker.
        asked = self.carried.chosen_by == "request" and bool(expected.requests)
        return VerifiedSelection(
            schema=self.schema,
            documents=tuple(row.document for row in listing.rows),
            assets=listing.assets,
            chosen_by="request" if asked else "manifest" if self.manifest else "prover",
            manifest=self.manifest,
            as_of=listing.as_of,
            same_as_of=listing.same_as_of,
            attested_at=listing.attested,
            left_out=statement.left_out,
        )


def check_list(
    bundle: Bundle, carried: BundleSelection, trust: Trust, now: datetime
) -> ListEvidence:
    """Steps 2 and 3."""
    custodian = trust.custodian(carried.keyid)
    check_key(custodian, now)
    if carried.manifest is not None:
        return _check_manifest(bundle, carried, carried.manifest, custodian, now)
    if carried.chosen_by == "manifest":
        raise BindingError("a manifest was asked for, and none is there")
    attestations = [
        Attestation.parse(each.verify(custodian.key, PayloadType.ATTESTATION))
        for each in carried.attestations
    ]
    for each in attestations:
        check_attested(each, custodian, now)
    schema = _attested_schema(bundle, attestations[0].schema)
    listing = Listing.of(attestations, schema)
    if [each.document for each in attestations] != [each.document for each in listing.rows]:
        raise BindingError("the selection is not in the order of its document ids")
    return ListEvidence(custodian, carried, schema, listing, None)


def _attested_schema(bundle: Bundle, attested: str) -> Schema:
    """The one schema, read if it is the attested one: of another, nothing is looked at."""
    if len(bundle.schemas) != 1:
        raise BindingError("the documents of a selection follow one schema")
    if digest_of(bundle.schemas[0]) != attested:
        raise BindingError("the bundle carries another schema than the one attested")
    return parse_schema(bundle.schemas[0])


def _check_manifest(
    bundle: Bundle,
    carried: BundleSelection,
    file: ManifestFile,
    custodian: TrustedCustodian,
    now: datetime,
) -> ListEvidence:
    manifest = Manifest.parse(file.envelope.verify(custodian.key, PayloadType.PORTFOLIO))
    if in_the_future(manifest.signed_at, now):
        raise BindingError("the manifest was signed in the future")
    if manifest.valid_until <= now:
        raise BindingError(
            f"the manifest's first attestation expired at {say(manifest.valid_until)}"
        )
    for instant in (*manifest.attested, manifest.signed_at):
        check_signed_within(custodian, instant, "manifest or one of its attestations")
    if carried.chosen_by == "manifest" and (manifest.spv, manifest.period) != (
        carried.spv,
        carried.period,
    ):
        raise BindingError("the manifest is of another SPV or period than was asked for")
    schema = _attested_schema(bundle, manifest.schema)
    listing = manifest.listing(file.rows, schema)
    for row in listing.rows:
        custodian.check_scope(schema=listing.schema, asset=row.asset)
    return ListEvidence(custodian, carried, schema, listing, manifest)
