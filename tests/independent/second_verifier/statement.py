"""Facts to terms, and the statement's bytes (section "From facts to statements")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from independent.second_verifier.book import Book
from independent.second_verifier.curve import scalar_bytes
from independent.second_verifier.encoding import decimal, frame
from independent.second_verifier.facts import Between, Equal, Fact, InSet, OneOf
from independent.second_verifier.linear import Form, Linear, greatest
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.sets import set_digest


@dataclass(frozen=True)
class RangeTerm:
    """sign·(value − bound) is in range."""

    fact: int
    slot: int
    sign: int
    bound: int

    def encoded(self) -> bytes:
        numbers = (self.fact, self.slot, self.sign, self.bound)
        return frame(b"range", *(decimal(each) for each in numbers))


@dataclass(frozen=True)
class LinearTerm:
    """A form is in range."""

    fact: int
    form: Form

    def encoded(self) -> bytes:
        pairs = (frame(decimal(slot), decimal(c)) for slot, c in self.form.coefficients)
        return frame(b"linear", decimal(self.fact), decimal(self.form.constant), *pairs)


@dataclass(frozen=True)
class MembershipTerm:
    """The value is in, or not in, a set; `name` is None where it is written out, in this order."""

    fact: int
    slot: int
    member: bool
    name: str | None
    digest: bytes
    scalars: tuple[int, ...]
    type_tag: bytes

    def encoded(self) -> bytes:
        if self.name is None:
            scalars = (scalar_bytes(each) for each in self.scalars)
            spelt = frame(b"literal", self.type_tag, *scalars)
        else:
            spelt = frame(b"named", self.name.encode(), self.digest)
        polarity = b"in" if self.member else b"not in"
        return frame(b"membership", decimal(self.fact), decimal(self.slot), polarity, spelt)


@dataclass(frozen=True)
class OpeningTerm:
    """The value is the scalar."""

    fact: int
    slot: int
    scalar: int

    def encoded(self) -> bytes:
        place = (decimal(self.fact), decimal(self.slot))
        return frame(b"opening", *place, scalar_bytes(self.scalar))


@dataclass(frozen=True)
class SumTerm:
    """A form of sums over rows is in range; its slots are places in the schema."""

    fact: int
    form: Form
    rows: tuple[int, ...]

    def slots_of(self, place: int) -> list[int]:
        """The summed slots of one attribute."""
        return [64 * row + place for row in self.rows]

    def encoded(self) -> bytes:
        count = decimal(len(self.rows))
        summands = (
            frame(decimal(c), count, b"".join(s.to_bytes(4, "big") for s in self.slots_of(place)))
            for place, c in self.form.coefficients
        )
        return frame(b"sum", decimal(self.fact), decimal(self.form.constant), *summands)


Term = RangeTerm | LinearTerm | MembershipTerm | OpeningTerm | SumTerm


@dataclass(frozen=True)
class Statement:
    """All terms in the order of the facts, and the digits that all ranges share."""

    digits: int
    terms: tuple[Term, ...]

    def encoded(self) -> bytes:
        """What stands in the transcript."""
        terms = [term.encoded() for term in self.terms]
        head = (decimal(self.digits), decimal(len(terms)))
        return frame(b"crossproof/statement/v1", *head, *terms)

    def slots(self) -> list[int]:
        """The slots that a fact is about, in ascending order."""
        found: set[int] = set()
        for term in self.terms:
            if isinstance(term, LinearTerm):
                found.update(slot for slot, _ in term.form.coefficients)
            elif isinstance(term, SumTerm):
                for place, _ in term.form.coefficients:
                    found.update(term.slots_of(place))
            else:
                found.add(term.slot)
        return sorted(found)


@dataclass(frozen=True)
class NamedScalars:
    """A named set, as far as a statement needs it."""

    digest: bytes
    scalars: tuple[int, ...]


def digits_for(span: int) -> int:
    """The smallest number of digits, from 1, that reaches beyond a span."""
    well_formed(span >= 0, "a fact that nothing fulfils")
    nd = 1
    while 16**nd <= span:
        nd += 1
    return nd


def compile_facts(facts: list[Fact], book: Book, sets: Mapping[str, NamedScalars]) -> Statement:
    """The statement of a list of facts."""
    terms: list[Term] = []
    digits = 0
    for index, fact in enumerate(facts):
        if isinstance(fact, Linear):
            for form in fact.forms:
                terms.append(LinearTerm(index, form))
                digits = max(digits, digits_for(greatest(form, book)))
            continue
        attribute = book.attribute(fact.slot)
        if isinstance(fact, Between):
            low, high = fact.low, fact.high
            if low is not None:
                terms.append(RangeTerm(index, fact.slot, 1, low))
            if high is not None:
                terms.append(RangeTerm(index, fact.slot, -1, high))
            span = (attribute.most if high is None else high) - (
                attribute.least if low is None else low
            )
            digits = max(digits, digits_for(span))
        elif isinstance(fact, Equal):
            terms.append(OpeningTerm(index, fact.slot, attribute.scalar(fact.value)))
        elif isinstance(fact, OneOf):
            scalars = tuple(attribute.scalar(each) for each in fact.values)
            digest = set_digest(attribute.type_tag, scalars)
            terms.append(
                MembershipTerm(index, fact.slot, True, None, digest, scalars, attribute.type_tag)
            )
        elif isinstance(fact, InSet):
            named = sets[fact.name]
            terms.append(
                MembershipTerm(
                    index,
                    fact.slot,
                    fact.member,
                    fact.name,
                    named.digest,
                    named.scalars,
                    attribute.type_tag,
                )
            )
    return Statement(digits, tuple(terms))
