"""The fact language: sentences about attributes, read against a schema and printed in one form.

`parse_fact` resolves every literal to an exact value of the attribute's type; the canonical text
of the result reads back to an equal fact, and that text is what is signed, shown and proven. It
refuses: more than 4,096 characters (before any parsing), characters that could move the cursor or
hide, attributes that the schema lacks, units that differ, literals that are not exact or lie past
the schema's bounds, reversed ranges, and ranges on texts. Facts about sums and multiples are
`proofs.linear`'s; whether a fact may be asked at all is `proofs.classes`' to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeAlias, TypeVar

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from proofs.errors import CrossproofError, FactError
from proofs.exact import format_decimal, read_decimal
from proofs.fact_hints import explain, shown
from proofs.grammar import bare_word, parser
from proofs.linear import LinearFact
from proofs.linear_reader import Item, read_count, read_linear, read_text, sides
from proofs.list_facts import CountFact, ListFact
from proofs.normaliser import safe_for_display
from proofs.schema import Attribute, AttributeType, Schema, format_day, parse_day
from proofs.subjects import Documents, Subjects
from proofs.units import zeros_between
from proofs.values import Value, check_bounds, normal_text

MAX_FACT = 4096
MAX_FACTS = 64

_SET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_SPAN = re.compile(r"([0-9]{1,5})d", re.ASCII)
_FIRST_DAY, _LAST_DAY = parse_day("0001-01-01", ""), parse_day("9999-12-31", "")
_HOURS = {"Asia/Shanghai": 8, "Asia/Hong_Kong": 8, "UTC": 0}  # ahead of UTC; none has summer time


# --- what a fact says ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Between:
    """lo <= value <= hi, in the attribute's scaled integers or days."""

    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """value >= bound."""

    bound: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """value <= bound."""

    bound: int


@dataclass(frozen=True, slots=True)
class Equal:
    """value = this one, which the proof opens."""

    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these: sorted and distinct, at least one."""

    members: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class InSet:
    """The value is (or, with `member` False, is not) in the named set."""

    name: str
    member: bool


Claim: TypeAlias = Between | AtLeast | AtMost | Equal | OneOf | InSet


@dataclass(frozen=True, slots=True)
class Fact:
    """One claim about one attribute of a document. Made by `parse_fact` only.

    `alias` is empty where the list is about one document.
    """

    attribute: Attribute
    claim: Claim
    alias: str = ""

    @property
    def name(self) -> str:
        """The attribute as the sentence calls it."""
        return f"{self.alias}.{self.attribute.name}" if self.alias else self.attribute.name

    @property
    def text(self) -> str:
        """The canonical sentence; `parse_fact` reads it back to an equal fact."""
        name, claim = self.name, self.claim
        match claim:
            case Between(lo, hi):
                body = f"in {_print(self.attribute, lo)}..{_print(self.attribute, hi)}"
            case AtLeast(bound):
                body = f">= {_print(self.attribute, bound)}"
            case AtMost(bound):
                body = f"<= {_print(self.attribute, bound)}"
            case Equal(value):
                body = f"= {_print(self.attribute, value)}"
            case OneOf(members):
                body = f"in {{{', '.join(_print(self.attribute, item) for item in members)}}}"
            case InSet(set_name, member):
                return f"{name} {'in' if member else 'not in'} @{set_name}"
        unit = f" {self.attribute.unit}" if self.attribute.unit else ""
        return f"{name} {body}{unit}"

    @property
    def set_name(self) -> str | None:
        """The named set that the fact is about, if any."""
        return self.claim.name if isinstance(self.claim, InSet) else None

    def __str__(self) -> str:
        return self.text


Sentence: TypeAlias = Fact | LinearFact
"""A fact about documents by name; one over a selection is a `ListFact`."""

S = TypeVar("S", Fact | LinearFact, ListFact)


@dataclass(frozen=True, slots=True)
class FactList(Generic[S]):
    """1 to 64 distinct facts in the order in which they are proven."""

    facts: tuple[S, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.facts) <= MAX_FACTS:
            raise FactError(f"{len(self.facts)} facts; must be 1 to {MAX_FACTS}")
        texts = self.texts
        for text in texts:
            if texts.count(text) > 1:
                raise FactError(f"the fact {text!r} stands twice")

    @staticmethod
    def parse(
        texts: Sequence[str], documents: Documents, *, now: datetime | None = None
    ) -> FactList[Sentence]:
        """Read sentences as people write them; FactError names the one that is wrong.

        With `now`, `today` is the day in the time zone of the document's schema, and the
        canonical text has that day.
        """
        subjects = Subjects.of(documents)
        return FactList(tuple(parse_fact(text, subjects, now=now) for text in _bounded(texts)))

    @staticmethod
    def over(
        texts: Sequence[str], schema: Schema, *, now: datetime | None = None
    ) -> FactList[ListFact]:
        """As `parse`, over a selection of documents of this schema."""
        return FactList(tuple(parse_list_fact(text, schema, now=now) for text in _bounded(texts)))

    @staticmethod
    def parse_canonical(texts: Sequence[str], documents: Documents) -> FactList[Sentence]:
        """Read sentences from something signed or proven: only the canonical form is taken."""
        found = FactList.parse(texts, documents)
        found.check_canonical(texts)
        return found

    @staticmethod
    def over_canonical(texts: Sequence[str], schema: Schema) -> FactList[ListFact]:
        """As `parse_canonical`, over a selection of documents of this schema."""
        found = FactList.over(texts, schema)
        found.check_canonical(texts)
        return found

    def check_canonical(self, texts: Sequence[str]) -> None:
        """FactError unless these are the canonical texts."""
        for given, fact in zip(texts, self.facts, strict=True):
            if given != fact.text:
                raise FactError(f"the fact {shown(given)} is not in canonical form: {fact.text!r}")

    @property
    def texts(self) -> list[str]:
        """The canonical sentences, in order."""
        return [fact.text for fact in self.facts]

    @property
    def set_names(self) -> list[str]:
        """The named sets that the facts are about, each once, in order of first use."""
        names = [fact.set_name for fact in self.facts]
        return list(dict.fromkeys(name for name in names if name is not None))

    def __iter__(self) -> Iterator[S]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)


# --- reading ------------------------------------------------------------------------------------


def parse_fact(text: str, documents: Documents, *, now: datetime | None = None) -> Sentence:
    """Read one fact about these documents; FactError says what to mend."""
    sentence, marks = _read(text, Subjects.of(documents), now)
    if (
        marks
        or isinstance(sentence, CountFact)
        or (isinstance(sentence, LinearFact) and sentence.is_total)
    ):
        raise FactError(
            "`sum`, `count`, `each` and `where present` are about a selection of documents, "
            "and this is about documents by name"
        )
    return _of_length(text, sentence)


def parse_list_fact(text: str, schema: Schema, *, now: datetime | None = None) -> ListFact:
    """Read one fact over a selection of documents of this schema; FactError says what to mend."""
    sentence, marks = _read(text, Subjects.of(schema), now)
    fact = ListFact(sentence, present="PRESENT" in marks)
    if "EACH" in marks and not fact.each:
        raise FactError("sums and counts are of all documents together: leave `each` out")
    return _of_length(text, fact)


def _of_length(text: str, fact: S) -> S:
    # Units, full spellings and quotes can lengthen it, and the result must read back.
    if len(fact.text) > MAX_FACT:
        raise FactError(f"{shown(text)}: the fact has over {MAX_FACT} characters in full")
    return fact


def _bounded(texts: Sequence[str]) -> Sequence[str]:
    """Before any of them is read: reading is where the time goes."""
    if not 1 <= len(texts) <= MAX_FACTS:
        raise FactError(f"{len(texts)} facts; must be 1 to {MAX_FACTS}")
    return texts


def _read(
    text: str, subjects: Subjects, now: datetime | None
) -> tuple[Fact | LinearFact | CountFact, set[str]]:
    """The sentence, and which of `each` and `where present` stand around it."""
    if len(text) > MAX_FACT:
        raise FactError(f"a fact of {len(text)} characters; at most {MAX_FACT} are allowed")
    if not text.strip():
        raise FactError("an empty fact")
    try:
        safe_for_display(text, limit=MAX_FACT)
    except CrossproofError as error:
        raise FactError(f"the fact {shown(text)}: {error}") from None
    try:
        tree = parser().parse(text)
    except UnexpectedInput as error:
        raise FactError(f"cannot read {shown(text)}: {explain(text, error)}") from None
    marks = {child.type for child in tree.children if isinstance(child, Token)}
    (core,) = (child for child in tree.children if isinstance(child, Tree))
    return _sentence(core, subjects, now), marks


def _sentence(
    tree: Tree[Token], subjects: Subjects, now: datetime | None
) -> Fact | LinearFact | CountFact:
    found = _compare(tree, subjects, now)
    if found is not None:
        return found
    parts = _Parts.of(tree)
    alias, attribute = subjects.find(parts.attribute)
    today = _today(subjects, alias, now)
    return _about(alias, attribute, lambda: _claim(attribute, tree, parts, today))


def _about(alias: str, attribute: Attribute, claim: Callable[[], Claim]) -> Fact:
    try:
        return Fact(attribute, claim(), alias)
    except CrossproofError as error:
        raise FactError(f"{attribute.name}: {error}") from None


def _compare(
    tree: Tree[Token], subjects: Subjects, now: datetime | None
) -> Fact | LinearFact | CountFact | None:
    """A comparison: of one attribute with a literal, of a count, or else a linear fact."""
    if tree.data not in ("at_least", "at_most", "distance"):
        return None
    left, right = sides(tree)
    plain = tree.data != "distance" and len(tree.children) == 2 and len(left) == 1
    if plain and (word := left[0].word) is not None and word.type == "WORD":
        alias, attribute = subjects.find(word)
        if not attribute.is_numeric or _is_literal(right, subjects):
            today, side = (
                _today(subjects, alias, now),
                AtMost if tree.data == "at_most" else AtLeast,
            )
            return _about(alias, attribute, lambda: side(_end(attribute, right, None, today)))
    try:
        return read_count(tree) or _simplest(read_linear(tree, subjects))
    except CrossproofError as error:
        # The sentence may be long, and what is wrong with it has been said.
        raise FactError(str(error)) from None


def _is_literal(side: list[Item], subjects: Subjects) -> bool:
    (item, *others) = side
    return not others and item.plain and len(item.words) == 1 and not subjects.names(item.words[0])


def _simplest(fact: LinearFact) -> Fact | LinearFact:
    """`x >= 3 + 4` is a fact about one attribute like any other, and has its text."""
    mention, *others = fact.mentions
    if (
        fact.is_total
        or others
        or mention.factor != 1
        or fact.left.amount
        or fact.rate
        or fact.times is not None
    ):
        return fact
    bound = check_bounds(mention.attribute, fact.right.amount)
    claim = AtMost(bound) if fact.relation == "<=" else AtLeast(bound)
    return Fact(mention.attribute, claim, mention.alias)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What stands in a sentence: every literal as its token, for the type decides what it is."""

    attribute: str
    literals: tuple[Token, ...]
    unit: str | None
    set_name: str

    @classmethod
    def of(cls, tree: Tree[Token]) -> _Parts:
        def leaves(rule: str) -> list[Token]:
            return [
                leaf
                for child in tree.children
                if isinstance(child, Tree) and child.data == rule
                for leaf in child.children
                if isinstance(leaf, Token)
            ]

        units = leaves("unit")
        return cls(
            attribute=str(leaves("attribute")[0]),
            literals=tuple(leaves("literal")),
            unit=str(units[0]) if units else None,
            set_name="".join(leaves("set_name")),
        )


def _claim(
    attribute: Attribute, tree: Tree[Token], parts: _Parts, today: Callable[[], int]
) -> Claim:
    rule = tree.data
    if rule in ("in_set", "not_in_set"):
        if _SET_NAME.fullmatch(parts.set_name) is None:
            raise FactError(f"{shown(parts.set_name)} is not the name of a set")
        return InSet(parts.set_name, member=rule == "in_set")
    if rule == "between":
        left, right = sides(tree)
        unit = right[-1].unit
        lo = _end(attribute, left, unit, today)
        hi = _end(attribute, right, unit, today)
        if lo > hi:
            raise FactError(
                f"{_print(attribute, lo)}..{_print(attribute, hi)} has its ends reversed"
            )
        return Between(lo, hi)
    zeros = _zeros(attribute, parts.unit, parts.literals[-1])
    found = {_literal(attribute, token, zeros) for token in parts.literals}
    if rule == "one_of":
        return OneOf(tuple(sorted(found, key=_order)))
    return Equal(found.pop())


def _end(attribute: Attribute, side: list[Item], unit: str | None, today: Callable[[], int]) -> int:
    """The number or day at one end of a range. `unit` is that of the other end."""
    if not attribute.is_ordered:
        raise FactError(
            f"values of type {attribute.type} have no order; ask with in {{...}} or in @set"
        )
    first, *others = side
    zeros = _zeros(attribute, first.unit or unit, first.words[-1])
    if attribute.type is AttributeType.DATE:
        day = today() if first.word == "today" else _whole(_literal(attribute, first.words[0], 0))
        for item in others:
            span = _SPAN.fullmatch(item.word or "")
            if span is None:
                raise FactError("add or subtract days, as in today - 90d")
            day += item.sign * int(span[1])
        if len(first.words) != 1 or not _FIRST_DAY <= day <= _LAST_DAY:
            raise FactError("not a day")
        return check_bounds(attribute, day)
    if others or len(first.words) != 1:
        raise FactError("write each end of a range as one number")
    return _whole(_literal(attribute, first.words[0], zeros))


def _today(subjects: Subjects, alias: str, now: datetime | None) -> Callable[[], int]:
    def day() -> int:
        if now is None:
            raise FactError("`today` is for whoever asks: what is asked must have the date itself")
        zone = subjects.time_zone(alias)
        return parse_day(
            (now.astimezone(UTC) + timedelta(hours=_HOURS[zone])).date().isoformat(), "today"
        )

    return day


def _zeros(attribute: Attribute, unit: str | None, word: str) -> int:
    """The zeros between a unit and the attribute's; the canonical text has the latter's.

    A unit may be left out, but never be one that measures something else.
    """
    if unit is None or unit == attribute.unit:
        return 0
    if not attribute.is_ordered:
        raise FactError(f'put a text of several words in quotes: "{word} {unit}"')
    if not attribute.unit:
        raise FactError(f"unit differs: the attribute has none, the fact says {unit}")
    zeros = zeros_between(unit, attribute.unit)
    if zeros is None:
        raise FactError(f"unit differs: the attribute is in {attribute.unit}, the fact says {unit}")
    return zeros


def _literal(attribute: Attribute, token: Token, zeros: int) -> Value:
    """The value of one literal, exact and within the schema's bounds, over the integers.

    A bound past the order of the group would wrap around and be true of another number.
    """
    if not attribute.is_ordered:
        return normal_text(attribute, read_text(token))
    if token.type == "STRING":
        raise FactError(f"write the {attribute.type} without quotes, not {shown(token)}")
    if attribute.type is AttributeType.DATE:
        return check_bounds(attribute, parse_day(str(token), "date"))
    try:
        value = read_decimal(str(token), attribute.scale + zeros, percent=True)
    except CrossproofError as error:
        raise FactError(f"the literal {error}") from None
    return check_bounds(attribute, value)


def _whole(value: Value) -> int:
    if not isinstance(value, int):
        raise FactError("a range needs numbers or dates")
    return value


def _order(value: Value) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, value)


# --- printing -----------------------------------------------------------------------------------


def _print(attribute: Attribute, value: Value) -> str:
    if isinstance(value, str):
        if bare_word(value):
            return value
        return json.dumps(value, ensure_ascii=False)
    if attribute.type is AttributeType.DATE:
        return format_day(value)
    return format_decimal(value, attribute.scale, shortest=True)
