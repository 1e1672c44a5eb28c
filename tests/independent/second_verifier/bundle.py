"""The form of a bundle: step 1 of the procedure (section "Bundle")."""

from __future__ import annotations

from dataclasses import dataclass

from independent.second_verifier import encoding, envelope
from independent.second_verifier.documents import (
    ALIAS,
    ascending,
    fact_texts,
    free_text,
    set_references,
)
from independent.second_verifier.encoding import Tree
from independent.second_verifier.envelope import Envelope
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.selection import Selection, read_selection

MAX_BUNDLE = 32 * 1024 * 1024
MAX_PROOF = 22 * 1024 * 1024


@dataclass(frozen=True)
class Context:
    """For whom, for what and for how long; `tree` is what the transcript holds."""

    tree: Tree
    audience: str
    nonce: str | None
    request: str
    not_before: int
    expires: int


@dataclass(frozen=True)
class Entry:
    """A document under its alias."""

    alias: str
    kind: str
    envelope: Envelope


@dataclass(frozen=True)
class Carried:
    """A schema that nobody has attested yet: it is read when its digest is an attestation's."""

    digest: bytes
    tree: object


@dataclass(frozen=True)
class Bundle:
    """A bundle of which only the form is known to be right."""

    context: Context
    schemas: tuple[Carried, ...]
    documents: tuple[Entry, ...]
    selection: Selection | None
    grant: Envelope
    facts: list[str]
    sets: list[Tree]
    proof: bytes


def read(data: bytes) -> Bundle:
    """A `.proof.json` file."""
    tree = encoding.fields(
        encoding.read(data, MAX_BUNDLE),
        {"format", "context", "schemas", "grants", "facts", "sets", "proof"},
        {"documents", "selection"},
    )
    well_formed(("documents" in tree) is not ("selection" in tree), "documents, or a selection")
    well_formed(tree["format"] == "crossvault/bundle/v1", "another format")
    context = _context(tree["context"])
    schemas = tuple(_carried(each) for each in encoding.listed(tree["schemas"], 1, 64))
    documents: tuple[Entry, ...] = ()
    selection = None
    if "selection" in tree:
        selection = read_selection(tree["selection"])
    else:
        documents = tuple(_entry(each) for each in encoding.listed(tree["documents"], 1, 64))
        ascending([each.alias for each in documents])
    (grant,) = encoding.listed(tree["grants"], 1, 1)
    return Bundle(
        context,
        schemas,
        documents,
        selection,
        envelope.read(grant, 1),
        fact_texts(tree["facts"]),
        set_references(tree["sets"]),
        encoding.base64_bytes(tree["proof"], most=MAX_PROOF),
    )


def _context(value: object) -> Context:
    instants = ("requested_at", "request_expires", "not_before", "expires")
    tree = encoding.fields(value, {"audience", "purpose", "request", *instants}, {"nonce"})
    free_text(tree["purpose"])
    if "nonce" in tree:
        encoding.hexadecimal(tree["nonce"])
    encoding.hexadecimal(tree["request"])
    times = {name: encoding.instant(tree[name]) for name in instants}
    well_formed(times["not_before"] < times["expires"], "an end before a beginning")
    well_formed(times["requested_at"] < times["request_expires"], "an end before a beginning")
    return Context(
        tree,
        free_text(tree["audience"]),
        tree.get("nonce"),
        tree["request"],
        times["not_before"],
        times["expires"],
    )


def _carried(value: object) -> Carried:
    return Carried(encoding.sha256(encoding.write(value)), value)


def _entry(value: object) -> Entry:
    tree = encoding.fields(value, {"alias", "kind", "envelope"})
    return Entry(
        encoding.text(tree["alias"], ALIAS),
        encoding.text(tree["kind"], "attestation"),
        envelope.read(tree["envelope"], 1),
    )
