"""Facts that the verifier requires of assets, and whether what a bundle proves implies them.

A required fact is read against the schema of the document of each asset that it is required of,
and speaks of that document alone. Where an asset has several documents in one bundle, it must
follow about each whose schema has its attributes: otherwise a document that says less could hide
behind one that says more. It refuses requirements of no asset, and sentences that no document of
the asset can be asked.

SPEC.md, "What a verifier may require".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from proofs.errors import FactError, PolicyError
from proofs.evaluate import SetMembers
from proofs.facts import Fact, Sentence, parse_fact, parse_list_fact
from proofs.implication import about, implies
from proofs.linear import LinearFact, Side
from proofs.list_facts import ListFact
from proofs.list_implication import RowsAbout, bearing_on, implies_over
from proofs.request import DEFAULT_ALIAS
from proofs.schema import Schema
from proofs.subjects import Subjects

_SHOWN = 200
_WORD = re.compile(r"[A-Za-z0-9_.-]+")

FindSet = Callable[[str], SetMembers]
"""The set that a name means to the verifier; SetError if there is none."""


@dataclass(frozen=True, slots=True)
class Met:
    """A required fact that follows, about one document: its canonical text, without an alias."""

    fact: str
    asset: str
    alias: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One document that facts are about: its alias, its asset and its schema."""

    alias: str
    asset: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Required:
    """Facts as the verifier wrote them, and the assets that each of them must hold for."""

    facts: tuple[str, ...]
    assets: tuple[str, ...]

    @classmethod
    def of(cls, facts: Sequence[str], assets: Sequence[str]) -> Required:
        """PolicyError for facts without an asset: nothing would be checked."""
        if facts and not assets:
            raise PolicyError("a required fact needs an asset that it must hold for")
        return cls(tuple(dict.fromkeys(facts)), tuple(dict.fromkeys(assets)))

    def check(
        self,
        proven: Sequence[Sentence],
        documents: Sequence[Subject],
        *,
        find_set: FindSet,
        now: datetime,
    ) -> tuple[Met, ...]:
        """What of it is met by facts that are proven of these documents.

        An asset that none of them is about is passed over: `policy` has dealt with it.

        Raises:
            PolicyError: a required fact does not follow about an asset, or cannot be asked of it.
            SetError: the set that a required fact names is not at hand.
        """
        met: list[Met] = []
        subjects = Subjects.of({each.alias: each.schema for each in documents})
        for asset in self.assets if self.facts else ():
            own = [each for each in documents if each.asset == asset]
            for text in self.facts if own else ():
                asked = _readable(text, own, now)
                for document, fact in asked:
                    bound = fact if subjects.alone else _under(document.alias, fact)
                    _check_follows(proven, bound, asset, subjects, find_set)
                    met.append(Met(fact.text, asset, document.alias))
        return tuple(met)

    def over(self, schema: Schema, now: datetime) -> tuple[Required, tuple[ListFact, ...]]:
        """The same of a selection: what is required of each document, and of all together.

        A sentence that cannot be read over a selection stays as it is, for `check` to refuse.
        """
        alone: list[str] = []
        together: list[ListFact] = []
        for text in self.facts:
            try:
                fact = parse_list_fact(text, schema, now=now)
            except FactError:
                alone.append(text)
                continue
            if fact.each:
                alone.append(fact.sentence.text)
            else:
                together.append(fact)
        return replace(self, facts=tuple(alone)), tuple(together)


def check_together(
    proven: Sequence[ListFact],
    required: ListFact,
    asset: str,
    *,
    count: int,
    rows_about: RowsAbout,
    find_set: FindSet,
) -> Met:
    """That a fact about all documents of a selection follows, which the asset is one of.

    Raises:
        PolicyError: it does not.
        SetError: a set that the proven facts name is not at hand.
    """
    sets = _sets(proven, find_set)
    if not implies_over(proven, required, sets, count=count, rows_about=rows_about):
        raise _unmet(required.text, asset, bearing_on(proven, required))
    return Met(required.text, asset, DEFAULT_ALIAS)


def _readable(
    text: str, documents: Sequence[Subject], now: datetime
) -> list[tuple[Subject, Sentence]]:
    """The documents of an asset that the sentence can be asked of, with what it says there."""
    found: list[tuple[Subject, Sentence]] = []
    refusal: FactError | None = None
    for each in documents:
        try:
            found.append((each, _read(text, each.alias, each.schema.encode(), now)))
        except FactError as error:
            subjects = Subjects.of({each.alias: each.schema})
            named = any(subjects.names(word.strip(".-")) for word in _WORD.findall(text))
            if named or len(documents) == 1:
                raise _unreadable(text, each, error) from None
            refusal = error
    if not found:
        raise _unreadable(text, documents[-1], refusal)
    return found


def _unreadable(text: str, document: Subject, error: FactError | None) -> PolicyError:
    # The text is the verifier's own; what is wrong with it says the error.
    return PolicyError(f"required of {document.asset}: {_cut(text)}: {error}")


# An asset's requirement is read once for all bundles about documents of its schema.
@lru_cache(maxsize=1024)
def _read(text: str, alias: str, schema: bytes, now: datetime) -> Sentence:
    return parse_fact(text, {alias: Schema.parse(schema)}, now=now)


def _under(alias: str, fact: Sentence) -> Sentence:
    """The same sentence where several documents are spoken of, each by its alias."""

    def side(found: Side) -> Side:
        return replace(found, mentions=tuple(replace(m, alias=alias) for m in found.mentions))

    if isinstance(fact, LinearFact):
        return replace(fact, left=side(fact.left), right=side(fact.right))
    return replace(fact, alias=alias) if isinstance(fact, Fact) else fact


def _check_follows(
    proven: Sequence[Sentence],
    required: Sentence,
    asset: str,
    subjects: Subjects,
    find_set: FindSet,
) -> None:
    if not implies(proven, required, subjects, _sets((*proven, required), find_set)):
        raise _unmet(required.text, asset, about(proven, required))


def _sets(sentences: Sequence[Sentence | ListFact], find_set: FindSet) -> dict[str, SetMembers]:
    names = dict.fromkeys(each.set_name for each in sentences)
    return {name: find_set(name) for name in names if name is not None}


def _unmet(required: str, asset: str, bearing: Sequence[str]) -> PolicyError:
    said = "; ".join(_cut(each) for each in bearing[:3])
    said += f"; and {len(bearing) - 3} more" if len(bearing) > 3 else ""
    return PolicyError(
        f"required of {asset}: {_cut(required)}; "
        + (f"this does not follow from {said}" if said else "nothing is proven about it")
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
