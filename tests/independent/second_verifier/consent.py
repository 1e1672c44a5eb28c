"""Requests, and the grants that answer them (section "Request and grant")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from independent.second_verifier import encoding
from independent.second_verifier.documents import ascending, fact_texts, free_text, set_references
from independent.second_verifier.encoding import MAX_VERSION, NAME, Tree
from independent.second_verifier.refusal import well_formed
from independent.second_verifier.selection import asked_selection, granted_selection
from independent.second_verifier.trust import ASSET

MAX_REQUEST = 1024 * 1024
MAX_GRANT = 64 * 1024
HOST_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
PRINCIPAL = rf"spiffe://({HOST_LABEL}(?:\.{HOST_LABEL})*)/(hk/spv|cn/custodian)/({HOST_LABEL})"
MAX_HOST = 253


@dataclass(frozen=True)
class Request:
    """A request that the verifier made, and its digest."""

    digest: str
    tree: Tree


def read_request(data: bytes) -> Request:
    """A request file."""
    required = {
        "format", "facts", "sets", "audience", "purpose", "created", "expires",
    }  # fmt: skip
    optional = {"nonce", "documents", "selection"}
    tree = encoding.fields(encoding.read(data, MAX_REQUEST), required, optional)
    well_formed(tree["format"] == "crossvault/request/v1", "another format")
    well_formed(("documents" in tree) is not ("selection" in tree), "documents, or a selection")
    if "selection" in tree:
        asked_selection(tree["selection"])
    else:
        _asked_documents(tree["documents"])
    fact_texts(tree["facts"])
    set_references(tree["sets"])
    free_text(tree["audience"])
    free_text(tree["purpose"])
    if "nonce" in tree:
        encoding.hexadecimal(tree["nonce"])
    start, end = encoding.instant(tree["created"]), encoding.instant(tree["expires"])
    well_formed(start < end, "an end before a beginning")
    return Request(encoding.sha256(data).hex(), tree)


def _asked_documents(value: Any) -> None:
    documents = encoding.listed(value, 1, 64)
    for each in documents:
        entry = encoding.fields(each, {"alias", "asset", "schema"})
        encoding.text(entry["alias"], NAME)
        encoding.text(entry["asset"], ASSET)
        encoding.hexadecimal(entry["schema"])
    ascending([each["alias"] for each in documents])
    well_formed(
        len({(each["asset"], each["schema"]) for each in documents}) == len(documents),
        "an asset twice under one schema",
    )


@dataclass(frozen=True)
class Grant:
    """The custodian's consent; `about` has its documents or its selection."""

    request: str
    about: Tree
    sets: list[Tree]
    not_before: int
    bundle_expires: int
    granted_at: int
    expires: int


def read_grant(payload: bytes) -> Grant:
    """The payload of a `grant` envelope."""
    required = {
        "format", "request", "asker", "sets", "not_before", "bundle_expires", "granted_at",
        "expires",
    }  # fmt: skip
    optional = {"documents", "selection"}
    tree = encoding.fields(encoding.read(payload, MAX_GRANT), required, optional)
    well_formed(tree["format"] == "crossvault/grant/v1", "another format")
    encoding.hexadecimal(tree["request"])
    _asker(tree["asker"])
    well_formed(("documents" in tree) is not ("selection" in tree), "documents, or a selection")
    if "selection" in tree:
        granted_selection(tree["selection"])
    else:
        _granted_documents(tree["documents"])
    grant = Grant(
        tree["request"],
        {name: tree[name] for name in optional if name in tree},
        set_references(tree["sets"]),
        encoding.instant(tree["not_before"]),
        encoding.instant(tree["bundle_expires"]),
        encoding.instant(tree["granted_at"]),
        encoding.instant(tree["expires"]),
    )
    well_formed(grant.granted_at < grant.expires, "an end before a beginning")
    well_formed(grant.not_before < grant.bundle_expires <= grant.expires, "no time for a bundle")
    return grant


def _granted_documents(value: Any) -> None:
    documents = encoding.listed(value, 1, 64)
    for each in documents:
        entry = encoding.fields(each, {"alias", "document", "version", "attestation"})
        encoding.text(entry["alias"], NAME)
        encoding.text(entry["document"], "[0-9a-f]{32}")
        encoding.integer(entry["version"], 1, MAX_VERSION)
        encoding.hexadecimal(entry["attestation"])
    ascending([each["alias"] for each in documents])
    well_formed(len({each["document"] for each in documents}) == len(documents), "a document twice")


def _asker(value: Any) -> None:
    """Who asked; its name as a server, `name.role.jurisdiction.domain`, is bounded too."""
    parts = encoding.text(value, PRINCIPAL).removeprefix("spiffe://").split("/")
    well_formed(len(".".join(parts)) <= MAX_HOST, "too long a principal")
