"""The parts of a list of facts over a selection (section "From facts to statements")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from independent.second_verifier.book import Book
from independent.second_verifier.encoding import decimal, frame
from independent.second_verifier.linear import Form, forms, greatest
from independent.second_verifier.list_facts import Each, ListFact, Sum, rows_of
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.statement import (
    LinearTerm,
    NamedScalars,
    RangeTerm,
    Statement,
    SumTerm,
    Term,
    compile_facts,
    digits_for,
)

MAX_RUN = 64
RUN_DIGITS = 1024
MAX_DIGITS = 2**24
MAX_ENCODED = 2**27


@dataclass(frozen=True)
class ListStatement:
    """Parts, and of each fact how many rows it is not about."""

    left_out: tuple[int, ...]
    parts: tuple[Statement, ...]

    def encoded(self) -> bytes:
        """What stands in the transcript."""
        return frame(
            b"crossproof/list-statement/v1",
            *(decimal(each) for each in self.left_out),
            *(each.encoded() for each in self.parts),
        )

    def slots(self) -> list[int]:
        """The slots of all terms, in ascending order."""
        return sorted({slot for part in self.parts for slot in part.slots()})


def compile_list(
    facts: Sequence[ListFact],
    book: Book,
    sets: Mapping[str, NamedScalars],
    presences: list[str],
) -> ListStatement:
    """The statement of a list of facts about rows with these marks."""
    about = [rows_of(fact, presences) for fact in facts]
    parts: list[Statement] = []
    sums = [index for index, fact in enumerate(facts) if isinstance(fact, Sum)]
    if sums:
        parts.append(_sums([(index, facts[index], about[index]) for index in sums], book))
    parts += _runs(facts, about, book, sets, len(presences))
    well_formed(bool(parts), "facts that prove nothing")
    ranged = (RangeTerm, LinearTerm, SumTerm)
    digits = sum(
        part.digits * sum(isinstance(term, ranged) for term in part.terms) for part in parts
    )
    well_formed(digits <= MAX_DIGITS, "too many digits")
    well_formed(sum(len(part.encoded()) for part in parts) <= MAX_ENCODED, "too long a statement")
    return ListStatement(tuple(len(presences) - len(rows) for rows in about), tuple(parts))


def _sums(listed: Sequence[tuple[int, ListFact, tuple[int, ...]]], book: Book) -> Statement:
    terms: list[Term] = []
    digits = 0
    for index, fact, rows in listed:
        assert isinstance(fact, Sum)
        for form in forms(fact.comparison, book, len(rows)):
            terms.append(SumTerm(index, form, rows))
            digits = max(digits, digits_for(greatest(form, book, len(rows))))
    return Statement(digits, tuple(terms))


def _runs(
    facts: Sequence[ListFact],
    about: Sequence[tuple[int, ...]],
    book: Book,
    sets: Mapping[str, NamedScalars],
    count: int,
) -> list[Statement]:
    """Facts about each document, proven in runs of rows."""
    each = [(index, fact) for index, fact in enumerate(facts) if isinstance(fact, Each)]
    compiled = [(index, compile_facts([fact.fact], book, sets)) for index, fact in each]
    d = max((statement.digits for _, statement in compiled), default=0)
    m = sum(
        isinstance(term, RangeTerm | LinearTerm)
        for _, statement in compiled
        for term in statement.terms
    )
    run = min(MAX_RUN, max(1, RUN_DIGITS // (m * d))) if m else MAX_RUN
    parts = []
    having = {index: set(about[index]) for index, _ in compiled}
    for start in range(0, count, run):
        terms = [
            _moved(term, index, row)
            for row in range(start, min(start + run, count))
            for index, statement in compiled
            if row in having[index]
            for term in statement.terms
        ]
        ranged = any(isinstance(term, RangeTerm | LinearTerm) for term in terms)
        if terms:
            parts.append(Statement(d if ranged else 0, tuple(terms)))
    return parts


def _moved(term: Term, fact: int, row: int) -> Term:
    """A term about the only row of its compilation, as one about a row of the list."""
    if isinstance(term, LinearTerm):
        pairs = tuple((slot + 64 * row, c) for slot, c in term.form.coefficients)
        return LinearTerm(fact, Form(pairs, term.form.constant))
    assert not isinstance(term, SumTerm)
    return replace(term, fact=fact, slot=term.slot + 64 * row)
