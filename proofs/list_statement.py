"""From facts over a selection to statements: what exactly is proven about which row.

Sums are proven together, in one statement with one range argument; facts about each document are
proven in parts of up to 64 rows, each a statement of its own, which many processes can prove at
once. An attribute that is absent in a row refuses the fact, unless it says `where present`; then
the row is left out and counted. It refuses attributes of which the rows hold no commitments, and
facts about none of the documents, which would say nothing and look like something; and, before
they are made, statements that would keep a verifier busy for hours or fill its memory.

SPEC.md, "Facts over a selection".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from proofs.errors import BindingError, CannotProveError, FactError
from proofs.labels import LIST_STATEMENT, frame
from proofs.linear import LinearFact
from proofs.list_facts import CountFact, ListFact
from proofs.listing import Listing
from proofs.schema import Schema
from proofs.statement import LinearTerm, Ranged, Statement, SumTerm, Term, compile_fact, digits_for
from proofs.subjects import SLOTS, Subjects

PART_ROWS: Final = 64
PART_DIGITS: Final = 1024
"""Base-16 digits of one part's range argument, at most, unless a single row has more."""
MAX_DIGITS: Final = 1 << 24
"""Digits of all parts: two minutes' work for a verifier, and 64 ranges of 16 in every row."""
MAX_ENCODED: Final = 1 << 27
"""Bytes of the encoded parts: lists written out and long sums count once for every row."""


@dataclass(frozen=True, slots=True)
class ListStatement:
    """All that one bundle proves over its selection: the parts, each proven by itself.

    The first is that of the sums, if there are any. A slot is 64 times the row's place plus the
    attribute's in the schema. `encoded` has the bytes of each part. `left_out` says of each fact
    about how many documents it is not.
    """

    parts: tuple[Statement, ...]
    encoded: tuple[bytes, ...] = field(repr=False)
    left_out: tuple[int, ...]

    @property
    def slots(self) -> list[int]:
        """The slots of all commitments that are proven about, each once, ascending."""
        return sorted({slot for part in self.parts for slot in part.attributes})

    def encode(self) -> bytes:
        """Every number that the verifier will use, framed."""
        return frame(
            LIST_STATEMENT,
            *(str(each).encode() for each in self.left_out),
            *self.encoded,
        )


def compile_list(
    facts: Iterable[ListFact], schema: Schema, listing: Listing, set_digests: Mapping[str, str]
) -> ListStatement:
    """The statement of these facts over these rows.

    Raises:
        CannotProveError: an attribute is absent in a row, or in all of them; a false count.
        BindingError: the rows hold no commitments of an attribute.
        FactError: as `statement.compile_facts`; the facts say too much over so many documents.
        SetError: as `statement.compile_facts`.
    """
    together: list[Term] = []
    digits = 0
    each_document: list[tuple[int, ListFact, list[int]]] = []
    left_out: list[int] = []
    columns: dict[tuple[int, tuple[int, ...]], tuple[int, ...]] = {}
    for number, fact in enumerate(facts):
        rows = rows_about(fact, schema, listing)
        left_out.append(len(listing.rows) - len(rows))
        if isinstance(fact.sentence, CountFact):
            if not fact.sentence.holds(len(listing.rows)):
                raise CannotProveError(f"{fact.text}: there are {len(listing.rows)} documents")
        elif fact.each:
            each_document.append((number, fact, rows))
        elif isinstance(fact.sentence, LinearFact):
            terms, needed = _sums(number, fact.sentence, schema, tuple(rows), columns)
            together += terms
            digits = max(digits, needed)
    about_each = _each(each_document, schema, len(listing.rows), set_digests)
    totals = [Statement(tuple(together), digits)] if together else []
    parts, encoded = _bounded(chain(totals, about_each))
    return ListStatement(tuple(parts), tuple(encoded), tuple(left_out))


def _bounded(made: Iterable[Statement]) -> tuple[list[Statement], list[bytes]]:
    """The parts and their encodings; FactError as soon as they are too much."""
    parts: list[Statement] = []
    encoded: list[bytes] = []
    digits = size = 0
    for part in made:
        parts.append(part)
        encoded.append(part.encode())
        digits += len(part.ranges) * part.digits
        size += len(encoded[-1])
        if digits > MAX_DIGITS or size > MAX_ENCODED:
            raise FactError(
                "the facts say too much over so many documents: ask less, or about fewer at a "
                "time, and make sets of long lists"
            )
    return parts, encoded


def rows_about(fact: ListFact, schema: Schema, listing: Listing) -> list[int]:
    """The places of the rows that a fact is about, ascending."""
    columns: list[int] = []
    for attribute in fact.attributes:
        column = listing.column(schema.index(attribute.name))
        if column is None:
            raise BindingError(f"the manifest holds no commitments of {attribute.name}")
        columns.append(column)
    rows = [
        place
        for place, row in enumerate(listing.rows)
        if all(row.commitments[column] is not None for column in columns)
    ]
    absent = len(listing.rows) - len(rows)
    if absent and not fact.present:
        raise CannotProveError(
            f"{fact.text}: absent in {absent} of {len(listing.rows)} documents; "
            "`where present` leaves them out"
        )
    if not rows:
        raise CannotProveError(f"{fact.text}: none of the documents has what it is about")
    return rows


def bound_commitments_of(listing: Listing, slots: Sequence[int]) -> tuple[tuple[int, bytes], ...]:
    """The commitments in these slots, none of them absent."""
    bound: list[tuple[int, bytes]] = []
    for slot in slots:
        column = listing.column(slot % SLOTS)
        commitment = None if column is None else listing.rows[slot // SLOTS].commitments[column]
        if commitment is None:
            raise ValueError("a compiled statement is about commitments that are there")
        bound.append((slot, commitment))
    return tuple(bound)


def _sums(
    number: int,
    sentence: LinearFact,
    schema: Schema,
    rows: tuple[int, ...],
    columns: dict[tuple[int, tuple[int, ...]], tuple[int, ...]],
) -> tuple[list[SumTerm], int]:
    """The terms of one sentence. `columns` keeps the slots of an attribute in these rows: facts
    about the same sums share them."""

    def slots(place: int) -> tuple[int, ...]:
        if (place, rows) not in columns:
            columns[place, rows] = tuple(SLOTS * row + place for row in rows)
        return columns[place, rows]

    terms: list[SumTerm] = []
    digits = 0
    for form in sentence.forms_over(len(rows)):
        sums: dict[int, int] = {}
        for (_, attribute), coefficient in form.coefficients:
            sums[schema.index(attribute.name)] = coefficient
        terms.append(
            SumTerm(
                number,
                tuple((sums[place], slots(place)) for place in sorted(sums)),
                form.constant,
            )
        )
        digits = max(digits, digits_for(form.greatest))
    return terms, digits


def _each(
    facts: Sequence[tuple[int, ListFact, list[int]]],
    schema: Schema,
    count: int,
    set_digests: Mapping[str, str],
) -> Iterator[Statement]:
    """The parts about each document: runs of rows, with all facts about them."""
    subjects = Subjects.of(schema)
    templates: list[tuple[list[Term], frozenset[int]]] = []
    digits = ranges = 0
    for number, fact, rows in facts:
        if isinstance(fact.sentence, CountFact):
            raise ValueError("a count is about no document")
        terms, needed = compile_fact(number, fact.sentence, subjects, set_digests)
        templates.append((terms, frozenset(rows)))
        digits = max(digits, needed)
        ranges += sum(isinstance(term, Ranged) for term in terms)
    size = PART_ROWS
    if ranges:
        size = min(size, max(1, PART_DIGITS // (ranges * digits)))
    for start in range(0, count, size):
        found = [
            _moved(term, row)
            for row in range(start, min(start + size, count))
            for terms, rows in templates
            if row in rows
            for term in terms
        ]
        if found:
            any_range = any(isinstance(term, Ranged) for term in found)
            yield Statement(tuple(found), digits if any_range else 0)


def _moved(term: Term, row: int) -> Term:
    """A term about one document, about the document in this row."""
    if isinstance(term, LinearTerm):
        moved = tuple((SLOTS * row + slot, each) for slot, each in term.coefficients)
        return replace(term, coefficients=moved)
    if isinstance(term, SumTerm):
        raise ValueError("a sum is not about one document")
    return replace(term, attribute=SLOTS * row + term.attribute)
