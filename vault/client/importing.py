"""Importing a table: rows become documents, documents go to the vault in batches.

An import may be interrupted at any moment, on either side, and started again: no row is stored
twice and none is lost. Every row has a request id of its own (`import_journal`), which the vault
commits once. A batch whose outcome is not known is sealed and sent again; if it had been committed
after all, the vault says that its request ids are used, and its documents are adopted. While the
vault or a holder is away the import waits, and gives up with all that was stored in place.

A row that the schema does not allow is refused here, before anything is sealed; one that the
vault refuses is found by putting its batch one by one. Nobody's refusal stops the other rows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from proofs.errors import CrossproofError
from vault.client.adopt import adopt
from vault.client.import_journal import ImportJournal, RequestIds
from vault.client.mapping import ColumnMapping
from vault.client.prepare import PreparedDocument
from vault.client.put import PutClient, RunningPut
from vault.client.table import Survey, TableRow, read_rows
from vault.errors import (
    ConflictError,
    ExhaustedError,
    InvalidInputError,
    UnavailableError,
    VaultError,
)
from vault.model import MAX_BATCH

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further attempt at a batch, when the vault or a holder is away."""

_UNDER_WAY: Final = 2
"""Calls at once: one is sealed here while the vault and the holders take the one before."""


@dataclass(slots=True)
class Totals:
    """How many rows were stored now, were there already, and were refused."""

    imported: int = 0
    already: int = 0
    refused: int = 0


class Report(Protocol):
    """Who is told what becomes of the rows, as it happens."""

    def stored(self, count: int) -> None:
        """So many rows are durable in the vault now."""

    def skipped(self, count: int) -> None:
        """So many rows were there before."""

    def refused(self, row: TableRow, reason: str) -> None:
        """This row was refused."""

    def waiting(self, error: VaultError, seconds: float) -> None:
        """The import tries again after so many seconds."""


@dataclass(frozen=True, slots=True)
class _Row:
    row: TableRow
    prepared: PreparedDocument


class Importer:
    """One import over one session; one thread."""

    def __init__(
        self,
        client: PutClient,
        report: Report,
        *,
        clock: Callable[[], datetime],
        batch: int = MAX_BATCH,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._client = client
        self._report = report
        self._clock = clock
        self._batch = batch
        self._pauses = pauses
        self._totals = Totals()
        self._under_way: deque[tuple[RunningPut, list[_Row]]] = deque()

    def run(self, table: Survey, mapping: ColumnMapping, *, limit: int | None = None) -> Totals:
        """Import the first `limit` rows, or all. `only_import` must be held.

        Raises UnavailableError when the vault or a holder stays away, ConflictError and others
        for what no row can help; what was stored until then stays, and the next run goes on.
        """
        identity = self._client.session.identity
        ids = RequestIds(identity, mapping.schema.digest)
        self._journal = ImportJournal(identity, mapping.schema.digest)
        try:
            self._journal.add(each.request_id for each in self._client.settle())
            self._rows(table, mapping, ids, limit)
            while self._under_way:
                self._finish_oldest()
        finally:
            self._journal.close()
        return self._totals

    def _rows(
        self, table: Survey, mapping: ColumnMapping, ids: RequestIds, limit: int | None
    ) -> None:
        waiting: list[_Row] = []
        for row in read_rows(table):
            if limit is not None and row.number > limit:
                break
            prepared = self._prepare(row, mapping, ids)
            if prepared is None:
                continue
            waiting.append(_Row(row, prepared))
            if len(waiting) == self._batch:
                self._start(waiting)
                waiting = []
        if waiting:
            self._start(waiting)

    def _prepare(
        self, row: TableRow, mapping: ColumnMapping, ids: RequestIds
    ) -> PreparedDocument | None:
        """The row as a document to be put; None when it is refused or there already."""
        if row.problem is not None:
            self._refuse(row, row.problem)
            return None
        try:
            document = mapping.document(row.cells, now=self._clock())
        except CrossproofError as error:
            self._refuse(row, str(error))
            return None
        request_id = ids.next(document)
        if request_id in self._journal:
            self._totals.already += 1
            self._report.skipped(1)
            return None
        return PreparedDocument(
            schema=mapping.schema,
            asset=document.asset,
            as_of=document.as_of,
            valid_until=document.valid_until,
            values=document.values,
            request_id=request_id,
        )

    def _start(self, rows: list[_Row]) -> None:
        if len(self._under_way) == _UNDER_WAY:
            self._finish_oldest()
        self._under_way.append((self._send(rows), rows))

    def _send(self, rows: Sequence[_Row]) -> RunningPut:
        return self._client.start([each.prepared for each in rows])

    def _finish_oldest(self) -> None:
        running, rows = self._under_way.popleft()
        self._finish(running, rows)

    def _finish(self, running: RunningPut, rows: list[_Row]) -> None:
        """Wait for a call, and see to it that each of its rows is stored or refused."""
        pauses = iter(self._pauses)
        again = False
        while True:
            try:
                running.result()
            except ConflictError as error:
                rows = self._adopt(rows, error, sent_before=again)
                if not rows:
                    return
            except (UnavailableError, ExhaustedError) as error:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._report.waiting(error, pause)
                time.sleep(pause)
                again = True
            except InvalidInputError as error:
                self._one_by_one(rows, error)
                return
            else:
                self._done(rows)
                return
            running = self._send(rows)

    def _done(self, rows: Sequence[_Row]) -> None:
        self._journal.add(each.prepared.request_id for each in rows)
        self._totals.imported += len(rows)
        self._report.stored(len(rows))

    def _adopt(
        self, rows: Sequence[_Row], error: ConflictError, *, sent_before: bool
    ) -> list[_Row]:
        """Adopt the rows that were committed before; those that were not."""
        if error.reason != "REQUEST_ID_USED":
            raise error
        found = [each for each in rows if adopt(self._client, each.prepared)]
        if not found:
            raise error
        if sent_before:
            self._done(found)
        else:
            self._journal.add(each.prepared.request_id for each in found)
            self._totals.already += len(found)
            self._report.skipped(len(found))
        return [each for each in rows if each not in found]

    def _one_by_one(self, rows: Sequence[_Row], error: InvalidInputError) -> None:
        """Find the rows of a batch that the vault refuses; the others are stored."""
        if len(rows) == 1:
            self._refuse(rows[0].row, str(error))
            return
        before = self._totals.refused
        for each in rows:
            self._finish(self._send([each]), [each])
        if self._totals.refused - before == len(rows):
            # What is wrong with every row is wrong with the import.
            raise InvalidInputError(
                f"the vault refuses every row of a batch: {error}", reason=error.reason
            )

    def _refuse(self, row: TableRow, reason: str) -> None:
        self._totals.refused += 1
        self._report.refused(row, reason)
