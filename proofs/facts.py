"""The fact language: sentences about attributes, read against a schema and printed in one form.

`parse_fact` resolves every literal to an exact value of the attribute's type; the canonical text
of the result reads back to an equal fact, and that text is what is signed, shown and proven. It
refuses: more than 4,096 characters (before any parsing), characters that could move the cursor or
hide, attributes that the schema lacks, units that differ, literals that are not exact or lie past
the schema's bounds, reversed ranges, and ranges on texts. Whether a fact may be asked at all is
`proofs.classes`' to say.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol, TypeAlias

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from proofs.errors import CrossproofError, FactError, SetError
from proofs.exact import format_decimal, read_decimal
from proofs.fact_hints import explain, shown
from proofs.normaliser import safe_for_display
from proofs.schema import Attribute, AttributeType, Schema, format_day, parse_day
from proofs.values import Value, check_bounds, normal_text, suggest

MAX_FACT = 4096
MAX_FACTS = 64

_SET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)


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
    """One claim about one attribute of a schema. Made by `parse_fact` only."""

    attribute: Attribute
    claim: Claim

    @property
    def text(self) -> str:
        """The canonical sentence; `parse_fact` reads it back to an equal fact."""
        name, claim = self.attribute.name, self.claim
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


@dataclass(frozen=True, slots=True)
class FactList:
    """1 to 64 distinct facts in the order in which they are proven."""

    facts: tuple[Fact, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.facts) <= MAX_FACTS:
            raise FactError(f"{len(self.facts)} facts; must be 1 to {MAX_FACTS}")
        texts = self.texts
        for text in texts:
            if texts.count(text) > 1:
                raise FactError(f"the fact {text!r} stands twice")

    @classmethod
    def parse(cls, texts: Sequence[str], schema: Schema) -> FactList:
        """Read sentences as people write them; FactError names the one that is wrong."""
        if not 1 <= len(texts) <= MAX_FACTS:
            raise FactError(f"{len(texts)} facts; must be 1 to {MAX_FACTS}")
        return cls(tuple(parse_fact(text, schema) for text in texts))

    @classmethod
    def parse_canonical(cls, texts: Sequence[str], schema: Schema) -> FactList:
        """Read sentences from something signed or proven: only the canonical form is taken."""
        found = cls.parse(texts, schema)
        for given, fact in zip(texts, found.facts, strict=True):
            if given != fact.text:
                raise FactError(f"the fact {shown(given)} is not in canonical form: {fact.text!r}")
        return found

    @property
    def texts(self) -> list[str]:
        """The canonical sentences, in order."""
        return [fact.text for fact in self.facts]

    @property
    def set_names(self) -> list[str]:
        """The named sets that the facts are about, each once, in order of first use."""
        names = [fact.set_name for fact in self.facts]
        return list(dict.fromkeys(name for name in names if name is not None))

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)


# --- reading ------------------------------------------------------------------------------------


@cache
def _parser() -> Lark:
    grammar = resources.files("proofs").joinpath("facts.lark").read_text(encoding="utf-8")
    return Lark(grammar, start="fact", parser="lalr", lexer="contextual")


def parse_fact(text: str, schema: Schema) -> Fact:
    """Read one fact about a document of this schema; FactError says what to mend."""
    if len(text) > MAX_FACT:
        raise FactError(f"a fact of {len(text)} characters; at most {MAX_FACT} are allowed")
    if not text.strip():
        raise FactError("an empty fact")
    try:
        safe_for_display(text, limit=MAX_FACT)
    except CrossproofError as error:
        raise FactError(f"the fact {shown(text)}: {error}") from None
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise FactError(f"cannot read {shown(text)}: {explain(text, error)}") from None
    parts = _Parts.of(tree)
    attribute = _find_attribute(parts.attribute, schema)
    try:
        fact = Fact(attribute, _claim(attribute, tree.data, parts))
    except CrossproofError as error:
        raise FactError(f"{attribute.name}: {error}") from None
    # Units, full spellings and quotes can lengthen it, and the result must read back.
    if len(fact.text) > MAX_FACT:
        raise FactError(f"{attribute.name}: the fact has over {MAX_FACT} characters in full")
    return fact


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


def _find_attribute(name: str, schema: Schema) -> Attribute:
    for attribute in schema.attributes:
        if attribute.name == name:
            return attribute
    # People also type the label that they see; answer with the name that they need.
    labels = {
        label: attribute.name
        for attribute in schema.attributes
        for label in (attribute.name, attribute.label_en.casefold(), attribute.label_zh)
    }
    near = difflib.get_close_matches(name[:64].casefold(), list(labels), n=3, cutoff=0.6)
    names = list(dict.fromkeys(labels[label] for label in near))
    hint = f" (did you mean {' or '.join(names)}?)" if names else ""
    raise FactError(f"schema {schema.name} has no attribute {shown(name)}{hint}")


def _claim(attribute: Attribute, rule: str, parts: _Parts) -> Claim:
    if rule in ("in_set", "not_in_set"):
        if _SET_NAME.fullmatch(parts.set_name) is None:
            raise FactError(f"{shown(parts.set_name)} is not the name of a set")
        return InSet(parts.set_name, member=rule == "in_set")
    if rule in ("between", "at_least", "at_most") and not attribute.is_ordered:
        raise FactError(
            f"values of type {attribute.type} have no order; ask with in {{...}} or in @set"
        )
    _check_unit(attribute, parts)
    if rule == "one_of":
        found = {_literal(attribute, token) for token in parts.literals}
        return OneOf(tuple(sorted(found, key=_order)))
    if rule == "equal":
        return Equal(_literal(attribute, parts.literals[0]))
    bounds = [_whole(_literal(attribute, token)) for token in parts.literals]
    if rule == "at_least":
        return AtLeast(bounds[0])
    if rule == "at_most":
        return AtMost(bounds[0])
    lo, hi = bounds
    if lo > hi:
        raise FactError(f"{_print(attribute, lo)}..{_print(attribute, hi)} has its ends reversed")
    return Between(lo, hi)


def _check_unit(attribute: Attribute, parts: _Parts) -> None:
    """A unit may be left out (the canonical text has it), but never be another one."""
    if parts.unit is None or parts.unit == attribute.unit:
        return
    if not attribute.is_ordered:
        text = f"{parts.literals[-1]} {parts.unit}"
        raise FactError(f'put a text of several words in quotes: "{text}"')
    if not attribute.unit:
        raise FactError(f"unit differs: the attribute has none, the fact says {parts.unit}")
    raise FactError(
        f"unit differs: the attribute is in {attribute.unit}, the fact says {parts.unit}"
    )


def _literal(attribute: Attribute, token: Token) -> Value:
    """The value of one literal, exact and within the schema's bounds, over the integers.

    A bound past the order of the group would wrap around and be true of another number.
    """
    quoted = token.type == "STRING"
    if attribute.is_ordered:
        if quoted:
            raise FactError(f"write the {attribute.type} without quotes, not {shown(token)}")
        return _ordered_literal(attribute, str(token))
    if not quoted:
        return normal_text(attribute, str(token))
    try:
        text = json.loads(token)
    except ValueError:
        raise FactError(f"{shown(token)} is not a text in quotes (JSON rules)") from None
    return normal_text(attribute, text)


def _ordered_literal(attribute: Attribute, text: str) -> int:
    if attribute.type is AttributeType.DATE:
        return check_bounds(attribute, parse_day(text, "date"))
    try:
        value = read_decimal(text, attribute.scale, percent=True)
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


@cache
def _bare() -> re.Pattern[str]:
    """The words that need no quotes: the grammar's own, so that printing cannot drift from it."""
    word = next(terminal for terminal in _parser().terminals if terminal.name == "WORD")
    return re.compile(word.pattern.value)


def _print(attribute: Attribute, value: Value) -> str:
    if isinstance(value, str):
        if _bare().fullmatch(value):
            return value
        return json.dumps(value, ensure_ascii=False)
    if attribute.type is AttributeType.DATE:
        return format_day(value)
    return format_decimal(value, attribute.scale, shortest=True)


# --- evaluating ---------------------------------------------------------------------------------


class SetMembers(Protocol):
    """A named set as facts see it: values of one exact type."""

    @property
    def type_tag(self) -> bytes:
        """The type of the members; see `Attribute.type_tag`."""

    @property
    def members(self) -> Collection[Value]:
        """Normalised texts or scaled integers."""


def named_set(name: str, attribute: Attribute, sets: Mapping[str, SetMembers]) -> SetMembers:
    """The set of this name; SetError if it is not at hand or of another type than the attribute.

    No member of a set of another type, scale or unit equals any value: without this check
    `not in` would be true of everything.
    """
    found = sets.get(name)
    if found is None:
        raise SetError(f"the set @{name} is not at hand{suggest(name, list(sets))}")
    if found.type_tag != attribute.type_tag:
        raise SetError(f"the set @{name} is of another type than {attribute.name}")
    return found


def evaluate(fact: Fact, value: Value | None, sets: Mapping[str, SetMembers]) -> bool:
    """Whether the fact is true of the value; of an absent one (None) no fact is.

    For the custodian's side and for tests: proofs are made from statements, never from this.
    """
    if value is None:
        return False
    match fact.claim:
        case Between(lo, hi):
            return lo <= _whole(value) <= hi
        case AtLeast(bound):
            return _whole(value) >= bound
        case AtMost(bound):
            return _whole(value) <= bound
        case Equal(expected):
            return value == expected
        case OneOf(members):
            return value in members
        case InSet(name, member):
            return (value in named_set(name, fact.attribute, sets).members) == member
