"""The rows of a selection: what facts over many documents are proven and checked about.

A row comes from an attestation, or from a manifest in which the custodian packed what it attested;
from here on nothing asks which. Rows stand in the order of their document ids. It refuses one
document, or one asset, twice (it would count twice in a sum; two versions of a document are the
same document twice), rows of several schemas, and more than 16,384.

SPEC.md, "Selections".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from proofs import canonical, labels
from proofs.attestation import AsOf, Attestation
from proofs.errors import BindingError
from proofs.schema import Schema
from proofs.selection import MAX_LISTED


@dataclass(frozen=True, slots=True)
class Row:
    """One document: `commitments` has an entry for each attribute of the listing's columns."""

    document: str
    version: int
    asset: str
    commitments: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of one selection, and what is true of all of them.

    `columns` are places of attributes in the schema: those of which the rows hold commitments.
    `digest` is `listing_digest` of the attestations. `as_of` spans all documents' intervals, which
    are one and the same if `same_as_of`; `valid_until` is the earliest, `attested` the first and
    the last instant.
    """

    schema: str
    columns: tuple[int, ...]
    rows: tuple[Row, ...]
    digest: str
    as_of: AsOf
    same_as_of: bool
    valid_until: datetime
    attested: tuple[datetime, datetime]

    @classmethod
    def of(cls, attestations: Sequence[Attestation], schema: Schema) -> Listing:
        """All attributes of documents that were read; BindingError as `listing_digest`."""
        ordered = _ordered(attestations)
        for each in ordered:
            each.check_schema(schema)
        first = ordered[0]
        return cls(
            schema=first.schema,
            columns=tuple(range(len(schema.attributes))),
            rows=tuple(
                Row(each.document, each.version, each.asset, each.commitments) for each in ordered
            ),
            digest=_digest(ordered),
            as_of=span_of(each.as_of for each in ordered),
            same_as_of=all(each.as_of == first.as_of for each in ordered),
            valid_until=min(each.valid_until for each in ordered),
            attested=(
                min(each.attested_at for each in ordered),
                max(each.attested_at for each in ordered),
            ),
        )

    @property
    def assets(self) -> tuple[str, ...]:
        """The asset ids, sorted."""
        return tuple(sorted(each.asset for each in self.rows))

    def column(self, place: int) -> int | None:
        """Where the rows hold the commitment of a schema's attribute; None if they do not."""
        return self.columns.index(place) if place in self.columns else None


def listing_digest(attestations: Sequence[Attestation]) -> str:
    """SHA-256, labelled, over the attestations' digests in the order of their document ids, as hex.

    What a grant and a manifest call the list.

    Raises:
        BindingError: none, too many, of several schemas, a document or an asset twice.
    """
    return _digest(_ordered(attestations))


def check_rows(rows: Sequence[Row]) -> None:
    """BindingError unless these are 1 to 16,384 rows in order, no document and no asset twice."""
    if not 1 <= len(rows) <= MAX_LISTED:
        raise BindingError(f"a selection of {len(rows)} documents; must be 1 to {MAX_LISTED}")
    for before, after in pairwise(rows):
        if before.document == after.document:
            raise BindingError(f"document {after.document} stands twice in the selection")
        if before.document > after.document:
            raise BindingError("the selection is not in the order of its document ids")
    seen: set[str] = set()
    for each in rows:
        if each.asset in seen:
            raise BindingError(f"asset {each.asset} stands twice in the selection")
        seen.add(each.asset)


def span_of(intervals: Iterable[AsOf]) -> AsOf:
    """The smallest interval that holds all of these."""
    found = list(intervals)
    return AsOf(min(each.first for each in found), max(each.last for each in found))


def _ordered(attestations: Sequence[Attestation]) -> list[Attestation]:
    ordered = sorted(attestations, key=lambda each: (each.document, each.version))
    check_rows([Row(each.document, each.version, each.asset, ()) for each in ordered])
    if len({each.schema for each in ordered}) != 1:
        raise BindingError("the selected documents follow several schemas")
    return ordered


def _digest(ordered: Sequence[Attestation]) -> str:
    digests = [bytes.fromhex(each.digest) for each in ordered]
    return canonical.sha256_label(labels.LISTING, *digests).hex()
