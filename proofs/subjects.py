"""The documents that one list of facts is about: their aliases in order, each with its schema.

One document needs no alias in the facts; among several every attribute is written behind its
document's, `plant.capacity`. An attribute of a document has one number, its slot: 64 times the
document's place plus the attribute's, so a list about one document numbers as the schema does.
It refuses more than 64 documents, aliases out of order or twice, and attributes read elsewhere.

SPEC.md, "Documents of a list".
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from proofs.errors import FactError
from proofs.fact_hints import shown
from proofs.ids import check_name
from proofs.request import DEFAULT_ALIAS, MAX_DOCUMENTS
from proofs.schema import MAX_ATTRIBUTES, Attribute, Schema

SLOTS = MAX_ATTRIBUTES
"""Slots of one document."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """1 to 64 pairs of alias and schema, in the order of the aliases."""

    schemas: tuple[tuple[str, Schema], ...]

    def __post_init__(self) -> None:
        aliases = [check_name(alias, where="alias") for alias, _ in self.schemas]
        if not 1 <= len(aliases) <= MAX_DOCUMENTS:
            raise FactError(f"{len(aliases)} documents; must be 1 to {MAX_DOCUMENTS}")
        if aliases != sorted(set(aliases)):
            raise FactError("the documents are not in the order of their aliases, each once")

    @classmethod
    def of(cls, documents: Documents) -> Subjects:
        """What facts are about: one schema (of the document `doc`), or a schema an alias."""
        if isinstance(documents, Subjects):
            return documents
        if isinstance(documents, Schema):
            return cls(((DEFAULT_ALIAS, documents),))
        return cls(tuple(sorted(documents.items(), key=lambda item: item[0])))

    @property
    def alone(self) -> bool:
        """Whether there is one document, whose facts carry no alias."""
        return len(self.schemas) == 1

    def find(self, text: str) -> tuple[str, Attribute]:
        """The alias (empty for an only document) and attribute that a word of a fact names.

        FactError says what the word could have meant.
        """
        before, dot, name = text.partition(".")
        if self.alone:
            alias, schema = self.schemas[0]
            return "", _find(name if dot and before == alias else text, schema)
        known = dict(self.schemas)
        if not dot:
            holders = [f"{alias}.{text}" for alias, schema in self.schemas if _has(schema, text)]
            hint = f": {' or '.join(holders[:3])}" if holders else ", as in plant.capacity"
            raise FactError(f"say of which document {shown(text)} is{hint}")
        if before not in known:
            names = ", ".join(list(known)[:5])
            raise FactError(f"no document has the alias {shown(before)}; there are {names}")
        return before, _find(name, known[before])

    def names(self, text: str) -> bool:
        """Whether `find` finds what a word of a fact names; without its search for near words."""
        before, dot, name = text.partition(".")
        if self.alone:
            alias, schema = self.schemas[0]
            return _has(schema, name if dot and before == alias else text)
        return bool(dot) and any(
            before == alias and _has(each, name) for alias, each in self.schemas
        )

    def time_zone(self, alias: str) -> str:
        """The time zone of a document's days."""
        schema = self.schemas[0][1] if self.alone else dict(self.schemas)[alias]
        return schema.time_zone

    def slot(self, alias: str, attribute: Attribute) -> int:
        """The number of an attribute; FactError if it was read against another schema."""
        for place, (known, schema) in enumerate(self.schemas):
            if known == alias or (self.alone and not alias):
                index = schema.index(attribute.name)
                if schema.attributes[index] != attribute:
                    break
                return SLOTS * place + index
        raise FactError(f"{attribute.name}: the fact was read against another schema")

    def at(self, slot: int) -> tuple[str, Attribute]:
        """The alias and attribute of a number that `slot` gave."""
        alias, schema = self.schemas[slot // SLOTS]
        return alias, schema.attributes[slot % SLOTS]

    def name(self, slot: int) -> str:
        """The attribute as facts call it."""
        alias, attribute = self.at(slot)
        return attribute.name if self.alone else f"{alias}.{attribute.name}"


Documents: TypeAlias = Schema | Mapping[str, Schema] | Subjects
"""What a list of facts may be read against."""


def _has(schema: Schema, name: str) -> bool:
    return any(attribute.name == name for attribute in schema.attributes)


def _find(name: str, schema: Schema) -> Attribute:
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
