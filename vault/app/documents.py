"""What is there: documents of the caller's, schemas, and which attestations are committed.

Answers hold attestations, public values and names, never a secret; what is another custodian's is
answered like what does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proofs.errors import CrossproofError
from proofs.ids import check_asset, check_document
from proofs.principal import Principal
from proofs.schema import MAX_SCHEMA, Schema
from vault.app.ingest import PutOutcome, Running
from vault.app.journal import check_page_size
from vault.app.page_tokens import PageTokens
from vault.errors import InvalidInputError, UnavailableError
from vault.model import StoredVersion
from vault.ports import Clock
from vault.storage.catalog import Catalog, owned

MAX_CHECKED = 1000
MAX_OWN_SCHEMAS = 1 << 20
"""Bytes that one custodian may register: all schemas travel to everybody in one message."""


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Versions, those committed last first, and the token of the page after; empty at the end."""

    versions: list[StoredVersion]
    next_token: str


class Documents:
    """The questions that the catalogue answers. Safe to share between threads."""

    def __init__(self, catalog: Catalog, running: Running, clock: Clock) -> None:
        self._catalog = catalog
        self._running = running
        self._clock = clock
        self._tokens = PageTokens()

    def find_put(self, caller: Principal, request_id: str) -> PutOutcome:
        """What the caller committed under a request id; NotFoundError when nothing.

        Raises UnavailableError (PUT_RUNS) while that may still change. Asked in this order: a put
        that ends between the two questions is in the catalogue by then.
        """
        if (caller.uri, request_id) in self._running:
            raise UnavailableError("this put is being stored; ask again", reason="PUT_RUNS")
        found = self._catalog.find_put(caller.uri, request_id)
        stored = owned(found, caller.uri, "nothing was committed under this request id")
        return PutOutcome(stored, tuple(self._catalog.receipts_of(stored)))

    def list_own(
        self, caller: Principal, *, asset: str, page_size: int, page_token: str
    ) -> VersionPage:
        """One page of the caller's documents, of one asset when it is named."""
        size = check_page_size(page_size)
        if asset:
            check_asset(asset, where="asset")
        before = self._tokens.read(caller, page_token)
        found = self._catalog.list_versions(
            caller.uri, limit=size + 1, before=before, asset=asset or None
        )
        last = found[size - 1].row if len(found) > size else None
        return VersionPage(found[:size], self._tokens.write(caller, last))

    def get_own(self, caller: Principal, document: str) -> list[StoredVersion]:
        """Every version of one of the caller's documents, newest first; NotFoundError."""
        check_document(document, where="document")
        found = self._catalog.versions_of(document)
        owned(found[0] if found else None, caller.uri, "no document of yours has this id")
        return found

    def add_schema(self, caller: Principal, data: bytes) -> str:
        """Register a schema by its canonical bytes; its digest."""
        if len(data) > MAX_SCHEMA:
            raise InvalidInputError(f"a schema has at most {MAX_SCHEMA} bytes", field="schema")
        try:
            schema = Schema.parse(data)
        except CrossproofError as error:
            raise InvalidInputError(str(error), reason=error.reason, field="schema") from error
        self._catalog.add_schema(
            schema, data, by=caller.uri, now=self._clock(), most=MAX_OWN_SCHEMAS
        )
        return schema.digest

    def schemas(self) -> list[bytes]:
        """Canonical bytes of every schema."""
        return self._catalog.all_schemas()

    def committed(self, digests: Iterable[bytes]) -> list[bytes]:
        """Those of some attestation digests (32 bytes each) that are committed."""
        asked = list(digests)
        if len(asked) > MAX_CHECKED or any(len(digest) != 32 for digest in asked):
            raise InvalidInputError(
                f"at most {MAX_CHECKED} digests of 32 bytes", field="attestation_digests"
            )
        found = self._catalog.committed(digest.hex() for digest in asked)
        return [bytes.fromhex(digest) for digest in sorted(found)]
