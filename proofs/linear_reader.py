"""From the parsed words of a comparison to a linear fact: what is an attribute, factor or amount.

Over a selection an attribute stands in `sum(...)`, and an amount may be multiplied by `count()`.
It refuses factors that are not whole numbers (both sides can be multiplied), products of two
attributes or of two numbers, amounts that are not exact in the smallest step of the fact, texts
in quotes, and whatever `proofs.linear` does not take.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token, Tree

from proofs.errors import FactError, SchemaError
from proofs.exact import MAX_DIGITS, format_decimal, read_decimal
from proofs.fact_hints import shown
from proofs.linear import TOTAL, LinearFact, Mention, Scale, Side
from proofs.list_facts import CountFact
from proofs.subjects import Subjects
from proofs.units import Rate

_FACTOR = re.compile(r"[1-9][0-9]*", re.ASCII)
_WHOLE = re.compile(r"0|[1-9][0-9]*", re.ASCII)
_NUMBER = re.compile(r"-?[0-9].*", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Item:
    """One summand as it stands: its sign, one word with or without a unit, or two to multiply.

    `summed` is the attribute in `sum(...)`, `words` then the factor, if any; `counted` says that
    `count()` stands in front of the words, which may then be none.
    """

    sign: int
    words: tuple[Token, ...]
    unit: str | None
    summed: Token | None = None
    counted: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is about one document, or a number alone."""
        return self.summed is None and not self.counted

    @property
    def word(self) -> Token | None:
        """The word of a summand that is one word and no unit."""
        return self.words[0] if self.plain and len(self.words) == 1 and self.unit is None else None


def sides(tree: Tree[Token]) -> list[list[Item]]:
    """The sides of a comparison, or the ends of a range, as summands."""
    return [_items(child) for child in _subtrees(tree, "side")]


def read_linear(tree: Tree[Token], subjects: Subjects) -> LinearFact:
    """The linear fact that a parsed comparison says; FactError or SchemaError says what to mend."""
    left, right = sides(tree)
    left_mentions, left_amounts = _split(left, subjects)
    right_mentions, right_amounts = _split(right, subjects)
    mentions = left_mentions + right_mentions
    if not left_mentions:
        raise FactError("the left side names no attribute: turn the sentence round")
    rate = _rate(tree)
    scale = Scale(tuple(each.attribute for each in mentions), rate)
    scale.check()
    times = None
    if tree.data == "distance":
        found = _subtrees(tree, "times")
        times = _factor(_word(_subtrees(found[0], "literal")[0])) if found else 1
    return LinearFact(
        _side(left_mentions, left_amounts, scale),
        _side(right_mentions, right_amounts, scale),
        ">=" if tree.data == "at_least" else "<=",
        times,
        rate,
    )


def read_count(tree: Tree[Token]) -> CountFact | None:
    """`count() >= 10`, or None if the comparison is another one; FactError for a wrong number."""
    left, right = sides(tree)
    if tree.data == "distance" or len(left) != 1 or not left[0].counted:
        return None
    number = right[0].word if len(right) == 1 else None
    if left[0].words or number is None or _WHOLE.fullmatch(number) is None or len(number) > 9:
        raise FactError("compare count() with a whole number, as in count() >= 10")
    return CountFact(">=" if tree.data == "at_least" else "<=", int(number))


def read_text(token: Token) -> str:
    """The text of a word, or of a text in quotes by the rules of JSON."""
    if token.type != "STRING":
        return str(token)
    try:
        text = json.loads(token)
    except ValueError:
        raise FactError(f"{shown(token)} is not a text in quotes (JSON rules)") from None
    return str(text)


def _subtrees(tree: Tree[Token], rule: str) -> list[Tree[Token]]:
    return [each for each in tree.children if isinstance(each, Tree) and each.data == rule]


def _word(literal: Tree[Token]) -> Token:
    (token,) = literal.children
    if not isinstance(token, Token):
        raise FactError("a literal is one word")
    return token


def _items(side: Tree[Token]) -> list[Item]:
    found: list[Item] = []
    sign = 1
    for child in side.children:
        if isinstance(child, Token):
            sign = -1 if child.type == "MINUS" else 1
            continue
        words = tuple(_word(each) for each in _subtrees(child, "literal"))
        units = _subtrees(child, "unit")
        totals = _subtrees(child, "total")
        found.append(
            Item(
                sign,
                words,
                str(_word(units[0])) if units else None,
                summed=_word(_subtrees(totals[0], "literal")[0]) if totals else None,
                counted=child.data == "counted",
            )
        )
    return found


def _split(
    items: Sequence[Item], subjects: Subjects
) -> tuple[tuple[Mention, ...], list[tuple[Item, Token | None]]]:
    mentions: list[Mention] = []
    amounts: list[tuple[Item, Token | None]] = []
    for item in items:
        for word in item.words:
            if word.type == "STRING":
                raise FactError(f"write numbers and attributes without quotes, not {shown(word)}")
        if item.summed is not None:
            _, attribute = subjects.find(item.summed)
            factor = _factor(item.words[0]) if item.words else 1
            mentions.append(Mention(TOTAL, attribute, item.sign * factor))
        elif item.counted:
            if item.words and not _NUMBER.fullmatch(item.words[0]):
                raise FactError(f"count() times a number, not times {shown(item.words[0])}")
            amounts.append((item, item.words[0] if item.words else None))
        elif len(item.words) == 2:
            first, second = item.words
            if _NUMBER.fullmatch(first) and not _NUMBER.fullmatch(second):
                first, second = second, first
            if _NUMBER.fullmatch(first):
                raise FactError(f"write the product {first[:20]} * {second[:20]} as one number")
            alias, attribute = subjects.find(first)
            mentions.append(Mention(alias, attribute, item.sign * _factor(second)))
        elif _NUMBER.fullmatch(item.words[0]):
            amounts.append((item, item.words[0]))
        else:
            alias, attribute = subjects.find(item.words[0])
            if item.unit is not None:
                raise FactError(f"{item.words[0]} has its own unit: leave {shown(item.unit)} out")
            mentions.append(Mention(alias, attribute, item.sign))
    return tuple(mentions), amounts


def _factor(text: str) -> int:
    if _FACTOR.fullmatch(text) is None or len(text) > MAX_DIGITS:
        raise FactError(
            f"a factor is a whole number from 1, not {shown(text)}: multiply both sides instead, "
            "as in debt * 100 <= valuation * 60"
        )
    return int(text)


def _side(
    mentions: tuple[Mention, ...], amounts: Sequence[tuple[Item, Token | None]], scale: Scale
) -> Side:
    once = [_amount(item, word, scale) for item, word in amounts if not item.counted]
    per_document = [_amount(item, word, scale) for item, word in amounts if item.counted]
    return Side(mentions, sum(once), sum(per_document))


def _amount(item: Item, word: Token | None, scale: Scale) -> int:
    number = "1" if word is None else str(word)
    places = scale.amount_places(item.unit)
    # Judged at a scale where it is whole, so that what is refused here is the step alone.
    read_decimal(number, MAX_DIGITS, percent=not scale.unit)
    try:
        return item.sign * read_decimal(number, places, percent=not scale.unit)
    except SchemaError:
        step = f"{format_decimal(1, scale.places)} {scale.unit}".rstrip()
        said = f"{number} {item.unit or ''}".rstrip()
        raise FactError(f"{said} is not exact: the attributes go in steps of {step}") from None


def _rate(tree: Tree[Token]) -> Rate | None:
    found = _subtrees(tree, "rate")
    if not found:
        return None
    number, pair, source, day = (_word(each) for each in _subtrees(found[0], "literal"))
    return Rate.read(str(number), str(pair), read_text(source), str(day))
