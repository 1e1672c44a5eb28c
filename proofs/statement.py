"""From facts to statements: what exactly is proven about which commitment.

A range fact becomes one or two values that must lie in [0, 16^digits), a linear fact one or two
combinations of values; membership and openings stand as they are, always in the order of the
facts. Every bound is checked over the integers before it becomes a scalar, for `q + 20` is 20 in
the field. Verifier and prover compile the canonical facts themselves; no statement ever comes out
of a message, and `encode` puts all of it into the transcript. It refuses sets without a pinned
digest, bounds past +-2^62, and combinations that could wrap around the order of the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from proofs import group
from proofs.canonical import check_hex
from proofs.errors import FactError, SetError
from proofs.facts import AtLeast, AtMost, Between, Equal, InSet, OneOf, Sentence
from proofs.group import Scalar
from proofs.labels import STATEMENT, frame
from proofs.linear import Form, LinearFact
from proofs.schema import VALUE_BOUND, Attribute
from proofs.subjects import Documents, Subjects
from proofs.values import Value, value_scalar


@dataclass(frozen=True, slots=True)
class RangeTerm:
    """sign * (v - bound) lies in [0, 16^digits), v the value in slot `attribute`."""

    fact: int
    attribute: int
    sign: int
    bound: int

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise ValueError("a range term has sign +1 or -1")
        if not -VALUE_BOUND <= self.bound <= VALUE_BOUND:
            raise FactError("a bound past +-2^62 would wrap around the order of the group")

    @property
    def coefficients(self) -> tuple[tuple[int, int], ...]:
        """The slot with its coefficient in the derived value."""
        return ((self.attribute, self.sign),)

    @property
    def constant(self) -> int:
        """What is added to it."""
        return -self.sign * self.bound

    def value(self, value: int) -> int:
        """The derived value; negative when the fact is false."""
        return self.sign * (value - self.bound)

    def blinding(self, blinding: Scalar) -> Scalar:
        """The blinding of the derived commitment V* = sign * (V - bound * G)."""
        return blinding if self.sign == 1 else -blinding


@dataclass(frozen=True, slots=True)
class LinearTerm:
    """The sum of coefficient * value, and `constant`, lies in [0, 16^digits).

    `coefficients` are pairs of slot and integer, in the order of the slots; that they cannot wrap
    around is `Form`'s check, from the bounds that the schemas attest.
    """

    fact: int
    coefficients: tuple[tuple[int, int], ...]
    constant: int


@dataclass(frozen=True, slots=True)
class SumTerm:
    """The sum of coefficient * (the sum of an attribute's values), and `constant`, lies in
    [0, 16^digits).

    `sums` are pairs of coefficient and the slots whose values it multiplies, so that a sum over
    thousands of documents has thousands of numbers and no more.
    """

    fact: int
    sums: tuple[tuple[int, tuple[int, ...]], ...]
    constant: int

    @property
    def coefficients(self) -> Iterator[tuple[int, int]]:
        """Every slot with its coefficient in the derived value."""
        return ((slot, each) for each, slots in self.sums for slot in slots)


@dataclass(frozen=True, slots=True)
class SetRef:
    """A named set by the digest that grant and trust file pin."""

    name: str
    digest: str

    def encode(self) -> bytes:
        """The part of the transcript."""
        return frame(b"named", self.name.encode(), bytes.fromhex(self.digest))


@dataclass(frozen=True, slots=True)
class LiteralSet:
    """A set written out in the fact: its values, and the scalars in their order."""

    values: tuple[Value, ...]
    encodings: tuple[bytes, ...]
    type_tag: bytes

    @property
    def scalars(self) -> list[Scalar]:
        """The members as the membership argument takes them."""
        return [group.decode_scalar(encoding) for encoding in self.encodings]

    def encode(self) -> bytes:
        """The part of the transcript."""
        return frame(b"literal", self.type_tag, *self.encodings)


@dataclass(frozen=True, slots=True)
class Membership:
    """The committed scalar is (or is not) in the set."""

    fact: int
    attribute: int
    member: bool
    set: SetRef | LiteralSet


@dataclass(frozen=True, slots=True)
class Opening:
    """The commitment opens to this value: V - scalar * G is a multiple of H that is known."""

    fact: int
    attribute: int
    value: Value
    encoding: bytes

    @property
    def scalar(self) -> Scalar:
        """The value as a scalar."""
        return group.decode_scalar(self.encoding)


Ranged: TypeAlias = RangeTerm | LinearTerm | SumTerm
"""A derived value that must lie in [0, 16^digits)."""

Term: TypeAlias = Ranged | Membership | Opening


@dataclass(frozen=True, slots=True)
class Statement:
    """All that one bundle proves about its documents, in the order of its facts.

    `digits` is the number of base-16 digits that all ranges share: the largest that any of them
    needs, and 0 when there is no range.
    """

    terms: tuple[Term, ...]
    digits: int

    @property
    def ranges(self) -> tuple[Ranged, ...]:
        """The terms of the one aggregated range argument."""
        return tuple(term for term in self.terms if isinstance(term, Ranged))

    @property
    def memberships(self) -> tuple[Membership, ...]:
        """One argument each."""
        return tuple(term for term in self.terms if isinstance(term, Membership))

    @property
    def openings(self) -> tuple[Opening, ...]:
        """Commitments that are opened."""
        return tuple(term for term in self.terms if isinstance(term, Opening))

    @property
    def attributes(self) -> list[int]:
        """The slots of the attributes that must be present, each once, ascending."""
        slots: set[int] = set()
        for term in self.terms:
            if isinstance(term, SumTerm):
                slots.update(*(summands for _, summands in term.sums))
            elif isinstance(term, Ranged):
                slots.update(slot for slot, _ in term.coefficients)
            else:
                slots.add(term.attribute)
        return sorted(slots)

    def encode(self) -> bytes:
        """Every number that the verifier will use, framed: nothing can be solved for later."""
        return frame(
            STATEMENT,
            _number(self.digits),
            _number(len(self.terms)),
            *(_encode_term(term) for term in self.terms),
        )


def compile_facts(
    facts: Iterable[Sentence], documents: Documents, set_digests: Mapping[str, str]
) -> Statement:
    """The statement of these facts; `set_digests` gives the pinned digest (hex) of each named set.

    Raises FactError for a fact of another schema and SetError for a set without a digest. Whether
    the facts may be asked is for `classes.check_facts` to say.
    """
    subjects = Subjects.of(documents)
    terms: list[Term] = []
    digits = 0
    for number, fact in enumerate(facts):
        found, needed = compile_fact(number, fact, subjects, set_digests)
        terms += found
        digits = max(digits, needed)
    return Statement(tuple(terms), digits)


def compile_fact(
    number: int, fact: Sentence, subjects: Subjects, set_digests: Mapping[str, str]
) -> tuple[list[Term], int]:
    """The terms of the fact of this number, and the digits that its ranges need (0 without)."""
    if isinstance(fact, LinearFact):
        terms: list[Term] = [_linear_term(number, form, subjects) for form in fact.forms]
        return terms, max(digits_for(form.greatest) for form in fact.forms)
    attribute = fact.attribute
    place = subjects.slot(fact.alias, attribute)
    match fact.claim:
        case Between(lo, hi):
            # v - lo >= 0 and hi - v >= 0 over the integers: together they are the range,
            # and each is below 16^digits because hi - lo is.
            both: list[Term] = [RangeTerm(number, place, 1, lo), RangeTerm(number, place, -1, hi)]
            return both, digits_for(hi - lo)
        case AtLeast(bound):
            return [RangeTerm(number, place, 1, bound)], digits_for(attribute.bounds[1] - bound)
        case AtMost(bound):
            return [RangeTerm(number, place, -1, bound)], digits_for(bound - attribute.bounds[0])
        case Equal(value):
            return [Opening(number, place, value, _scalar_bytes(attribute, value))], 0
        case OneOf(values):
            encodings = tuple(_scalar_bytes(attribute, value) for value in values)
            literal = LiteralSet(values, encodings, attribute.type_tag)
            return [Membership(number, place, True, literal)], 0
        case InSet(name, member):
            if name not in set_digests:
                raise SetError(f"no digest is pinned for the set @{name}")
            digest = check_hex(set_digests[name], nbytes=32, where=f"digest of @{name}")
            return [Membership(number, place, member, SetRef(name, digest))], 0


def _linear_term(number: int, form: Form, subjects: Subjects) -> LinearTerm:
    pairs = [(subjects.slot(*key), coefficient) for key, coefficient in form.coefficients]
    return LinearTerm(number, tuple(sorted(pairs)), form.constant)


def digits_for(width: int) -> int:
    """The smallest number of base-16 digits, at least 1, that holds every integer 0 … width."""
    if width < 0:
        raise FactError("a range with its ends reversed, or a sum that is always negative")
    return max(1, -(-width.bit_length() // 4))


def _scalar_bytes(attribute: Attribute, value: Value) -> bytes:
    return group.encode_scalar(value_scalar(attribute, value))


def _number(value: int) -> bytes:
    return str(value).encode()


@lru_cache(maxsize=64)  # facts about the same sums have the same thousands of slots
def _joined(slots: tuple[int, ...]) -> bytes:
    return b"".join([slot.to_bytes(4, "big") for slot in slots])


def _encode_term(term: Term) -> bytes:
    if isinstance(term, LinearTerm):
        pairs = [frame(_number(slot), _number(each)) for slot, each in term.coefficients]
        return frame(b"linear", _number(term.fact), _number(term.constant), *pairs)
    if isinstance(term, SumTerm):
        sums = [
            frame(_number(each), _number(len(slots)), _joined(slots)) for each, slots in term.sums
        ]
        return frame(b"sum", _number(term.fact), _number(term.constant), *sums)
    head = (_number(term.fact), _number(term.attribute))
    match term:
        case RangeTerm():
            return frame(b"range", *head, _number(term.sign), _number(term.bound))
        case Membership():
            polarity = b"in" if term.member else b"not in"
            return frame(b"membership", *head, polarity, term.set.encode())
        case Opening():
            return frame(b"opening", *head, term.encoding)
