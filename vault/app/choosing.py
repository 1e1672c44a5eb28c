"""What a custodian chooses a selection from: its documents of one schema, with openings in bulk.

Only public attributes are opened, to the custodian that attested them, so that its client can
choose by what was committed to and need not believe the service. Nothing is chosen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from proofs.group import encode_scalar
from proofs.ids import check_digest
from proofs.principal import Principal
from proofs.schema import AttributeClass, Schema
from proofs.witness import Witness
from vault.app.desk import Desk
from vault.errors import InvalidInputError
from vault.model import StoredVersion

MAX_OPENED: Final = 16
BATCH: Final = 256
"""Documents read at a time, and sent at most in one message."""
BATCH_BYTES: Final = 4 << 20
"""With long texts opened, so many documents would be more than a message can hold."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A public attribute: its text in its one spelling, and the blinding of its commitment."""

    name: str
    value: str
    blinding: bytes


@dataclass(frozen=True, slots=True)
class Choosable:
    """A document's newest unexpired version, by its envelope, and what was to be opened."""

    attestation: bytes
    opened: tuple[Opened, ...]


class Choosing:
    """The use case. Safe to share between threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def attested(
        self, caller: Principal, schema_digest: str, opened: Sequence[str]
    ) -> Iterator[list[Choosable]]:
        """The caller's documents of a schema in the order of their ids, a batch at a time.

        Raises InvalidInputError for an unknown schema, or an attribute to be opened that is not
        public there.
        """
        desk, now = self._desk, self._desk.clock()
        check_digest(schema_digest, where="schema")
        schema = desk.schema(schema_digest)
        places = _places(schema, opened)
        after = ""
        while True:
            found = desk.catalog.newest_of_schema(
                caller.uri, schema_digest, now, after=after, limit=BATCH
            )
            if not found:
                return
            yield from _in_batches(self._opened(schema, found, places))
            after = found[-1].document

    def _opened(
        self, schema: Schema, found: Sequence[StoredVersion], places: Sequence[int]
    ) -> list[Choosable]:
        if not places:
            return [Choosable(each.attestation, ()) for each in found]
        witnesses = self._desk.open_witnesses(found)
        return [
            Choosable(each.attestation, _open(schema, witness, places))
            for each, witness in zip(found, witnesses, strict=True)
        ]


def _in_batches(found: Sequence[Choosable]) -> Iterator[list[Choosable]]:
    """The same in order; a batch ends before it would not fit into a message."""
    batch: list[Choosable] = []
    size = 0
    for each in found:
        batch.append(each)
        size += len(each.attestation) + sum(len(o.value.encode()) + 128 for o in each.opened)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _places(schema: Schema, names: Sequence[str]) -> list[int]:
    if len(names) > MAX_OPENED:
        raise InvalidInputError(f"at most {MAX_OPENED} attributes", field="opened")
    public = {
        attribute.name: place
        for place, attribute in enumerate(schema.attributes)
        if attribute.attribute_class is AttributeClass.PUBLIC
    }
    for name in names:
        if name not in public:
            raise InvalidInputError("only public attributes of the schema", field="opened")
    return [public[name] for name in dict.fromkeys(names)]


def _open(schema: Schema, witness: Witness, places: Sequence[int]) -> tuple[Opened, ...]:
    texts = witness.public_texts(schema)
    found: list[Opened] = []
    for place in places:
        pair, name = witness.values[place], schema.attributes[place].name
        if pair is not None:
            found.append(Opened(name, texts[name], encode_scalar(pair[1])))
    return tuple(found)
