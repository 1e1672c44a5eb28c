"""The documents that a list of facts is about (section "Fact language", "Documents of a list")."""

from __future__ import annotations

from dataclasses import dataclass

from independent.second_verifier.refusal import MalformedError, well_formed
from independent.second_verifier.schema import Attribute, Schema


@dataclass(frozen=True)
class Book:
    """Aliases and schemas, in the order of the aliases."""

    documents: tuple[tuple[str, Schema], ...]

    def slot(self, spelt: str) -> int:
        """The slot of the attribute that a sentence names."""
        alias, dot, name = spelt.rpartition(".")
        well_formed(bool(dot) is (len(self.documents) > 1), "an alias exactly among several")
        for place, (known, schema) in enumerate(self.documents):
            for index, each in enumerate(schema.attributes):
                if each.name == name and (not dot or known == alias):
                    return 64 * place + index
        raise MalformedError("no such attribute")

    def attribute(self, slot: int) -> Attribute:
        """The attribute at a slot."""
        return self.documents[slot // 64][1].attributes[slot % 64]

    def spelt(self, slot: int) -> str:
        """What a canonical text calls it."""
        name = self.attribute(slot).name
        return name if len(self.documents) == 1 else f"{self.documents[slot // 64][0]}.{name}"
