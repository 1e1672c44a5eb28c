"""Facts over a selection: of each of its documents, or of all of them together.

`each owner not in @list` is the sentence without `each`, of every document; `sum(debt) * 100 <=
sum(valuation) * 60` and `count() >= 10` are about all of them. An attribute that is absent in one
of the documents refuses the fact, unless it ends in `where present`: then documents without it are
left out, and whoever reads the verdict is told how many. It holds what was read and refuses only
what makes no sense.

SPEC.md, "Facts over a selection".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofs.errors import FactError
from proofs.linear import LinearFact
from proofs.schema import Attribute

if TYPE_CHECKING:
    from proofs.facts import Fact


@dataclass(frozen=True, slots=True)
class CountFact:
    """How many documents there are; anyone can count them. `relation` is `>=` or `<=`."""

    relation: str
    bound: int

    @property
    def text(self) -> str:
        """The canonical sentence."""
        return f"count() {self.relation} {self.bound}"

    @property
    def set_name(self) -> None:
        """It is about no named set."""
        return None

    def holds(self, count: int) -> bool:
        """Whether it is true of so many documents."""
        return count >= self.bound if self.relation == ">=" else count <= self.bound


@dataclass(frozen=True, slots=True)
class ListFact:
    """A sentence over a selection: of each document if `each`, else of all together.

    With `present` it is about those documents that have all of its attributes.
    """

    sentence: Fact | LinearFact | CountFact
    present: bool

    def __post_init__(self) -> None:
        if self.present and isinstance(self.sentence, CountFact):
            raise FactError("count() is of all documents; `where present` says nothing about it")

    @property
    def each(self) -> bool:
        """Whether it is about every document by itself."""
        if isinstance(self.sentence, LinearFact):
            return not self.sentence.is_total
        return not isinstance(self.sentence, CountFact)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """Those that a document must have for the sentence to be about it."""
        if isinstance(self.sentence, CountFact):
            return ()
        if isinstance(self.sentence, LinearFact):
            return tuple(dict.fromkeys(each.attribute for each in self.sentence.mentions))
        return (self.sentence.attribute,)

    @property
    def text(self) -> str:
        """The canonical sentence; `parse_fact` reads it back to an equal fact."""
        before = "each " if self.each else ""
        after = " where present" if self.present else ""
        return f"{before}{self.sentence.text}{after}"

    @property
    def set_name(self) -> str | None:
        """The named set that the fact is about, if any."""
        return self.sentence.set_name

    def __str__(self) -> str:
        return self.text
