"""From the parsed words of a comparison to a linear fact: what is an attribute, factor or amount.

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
from proofs.linear import LinearFact, Mention, Scale, Side
from proofs.subjects import Subjects
from proofs.units import Rate

_FACTOR = re.compile(r"[1-9][0-9]*", re.ASCII)
_NUMBER = re.compile(r"-?[0-9].*", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Item:
    """One summand as it stands: its sign, one word with or without a unit, or two to multiply."""

    sign: int
    words: tuple[Token, ...]
    unit: str | None

    @property
    def word(self) -> Token | None:
        """The word of a summand that is one word and no unit."""
        return self.words[0] if len(self.words) == 1 and self.unit is None else None


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
        Side(left_mentions, _amount(left_amounts, scale)),
        Side(right_mentions, _amount(right_amounts, scale)),
        ">=" if tree.data == "at_least" else "<=",
        times,
        rate,
    )


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
        found.append(Item(sign, words, str(_word(units[0])) if units else None))
    return found


def _split(
    items: Sequence[Item], subjects: Subjects
) -> tuple[tuple[Mention, ...], list[tuple[Item, Token]]]:
    mentions: list[Mention] = []
    amounts: list[tuple[Item, Token]] = []
    for item in items:
        for word in item.words:
            if word.type == "STRING":
                raise FactError(f"write numbers and attributes without quotes, not {shown(word)}")
        if len(item.words) == 2:
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


def _amount(amounts: Sequence[tuple[Item, Token]], scale: Scale) -> int:
    total = 0
    for item, word in amounts:
        places = scale.amount_places(item.unit)
        # Judged at a scale where it is whole, so that what is refused here is the step alone.
        read_decimal(str(word), MAX_DIGITS, percent=not scale.unit)
        try:
            total += item.sign * read_decimal(str(word), places, percent=not scale.unit)
        except SchemaError:
            step = f"{format_decimal(1, scale.places)} {scale.unit}".rstrip()
            said = f"{word} {item.unit or ''}".rstrip()
            raise FactError(f"{said} is not exact: the attributes go in steps of {step}") from None
    return total


def _rate(tree: Tree[Token]) -> Rate | None:
    found = _subtrees(tree, "rate")
    if not found:
        return None
    number, pair, source, day = (_word(each) for each in _subtrees(found[0], "literal"))
    return Rate.read(str(number), str(pair), read_text(source), str(day))
