"""The schemas that a principal pinned itself: canonical files in its identity folder.

What is signed is read under these, never under a schema that the vault hands over.
"""

from __future__ import annotations

from typing import Final

from proofs.errors import CrossproofError
from proofs.schema import Schema
from vault.errors import InvalidInputError, NotFoundError
from vault.files import read_public, write_public
from vault.identity import Identity

FOLDER: Final = "schemas"


def pin(identity: Identity, canonical: bytes) -> Schema:
    """Keep a schema under its digest; the same again changes nothing."""
    schema = Schema.parse(canonical)
    folder = identity.folder / FOLDER
    folder.mkdir(exist_ok=True)
    write_public(folder / f"{schema.digest}.json", canonical)
    return schema


def load_all(identity: Identity) -> dict[str, Schema]:
    """Every pinned schema by digest; InvalidInputError names a file that is not what it says."""
    found: dict[str, Schema] = {}
    for path in sorted((identity.folder / FOLDER).glob("*.json")):
        try:
            schema = Schema.parse(read_public(path))
        except CrossproofError as error:
            raise InvalidInputError(f"{path}: {error}") from None
        if path.stem != schema.digest:
            raise InvalidInputError(f"{path}: holds schema {schema.digest}")
        found[schema.digest] = schema
    return found


def find(identity: Identity, wanted: str) -> Schema:
    """The pinned schema of a digest, or of a name that only one has; NotFoundError."""
    schemas = load_all(identity)
    if wanted in schemas:
        return schemas[wanted]
    named = [schema for schema in schemas.values() if schema.name == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        digests = ", ".join(schema.digest for schema in named)
        raise NotFoundError(f"several pinned schemas are named {wanted}: say which of {digests}")
    known = ", ".join(sorted(schema.name for schema in schemas.values())) or "none"
    raise NotFoundError(
        f"no schema {wanted!a} is pinned in {identity.folder} (pinned: {known}); "
        f"`crossvault schema add` pins one"
    )
