"""`crossvault import`: a table, one document a row, in batches, with a bar, resumable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import click
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from proofs.errors import CrossproofError
from proofs.schema import Schema
from proofs.values import Value, format_value
from vault.cli.options import FILE, identity_option, say
from vault.client import documents, pinned_schemas
from vault.client.import_journal import only_import
from vault.client.importing import Importer, Totals
from vault.client.mapping import ColumnMapping, RowDocument, own_names, read_mapping
from vault.client.put import SERVICE, PutClient
from vault.client.refused_rows import OWN_COLUMNS, RefusedRows
from vault.client.session import at_vault
from vault.client.table import Survey, TableRow, read_rows, survey
from vault.errors import NotFoundError, VaultError
from vault.files import read_public
from vault.identity import Identity
from vault.model import MAX_BATCH
from vault.pki import now_utc

_SHOWN_ROWS: Final = 10
_SHOWN_REASONS: Final = 5


@click.command("import")
@click.argument("file", metavar="TABLE.csv", type=FILE)
@click.option("--schema", "schema_name", required=True, help="Name or digest of a pinned schema.")
@click.option(
    "--mapping",
    "mapping_file",
    type=FILE,
    help="TOML: which column is what.  [default: columns are called as the attributes are]",
)
@click.option("--limit", type=click.IntRange(1), help="Only the first N rows.", metavar="N")
@click.option("--dry-run", is_flag=True, help="Check all rows, show ten, store nothing.")
@click.option(
    "--batch",
    type=click.IntRange(1, MAX_BATCH),
    default=MAX_BATCH,
    show_default=True,
    help="Rows a call.",
)
@click.option(
    "--refused",
    "refused_file",
    type=FILE,
    help="Where refused rows go.  [default: TABLE.refused.csv, here]",
)
@click.option("--json", "as_json", is_flag=True, help="The counts, for machines.")
@identity_option
def import_command(
    file: Path,
    schema_name: str,
    mapping_file: Path | None,
    limit: int | None,
    dry_run: bool,
    batch: int,
    refused_file: Path | None,
    as_json: bool,
    caller: Path,
) -> int:
    """Seal, attest and store every row of a table.

    Each row becomes a document of its own. An interrupted import goes on where it was when the
    same command is run again, and no row is stored twice. Rows that do not fit go to a file with
    the reason, which can be imported itself once mended; the exit code is 1 then.
    """
    identity = Identity.load(caller)
    schema = pinned_schemas.find(identity, schema_name)
    table = survey(file)
    if mapping_file is None:
        mapping = own_names(schema, table.columns, where=str(file))
    else:
        data = read_public(mapping_file)
        mapping = read_mapping(data, schema, table.columns, where=str(mapping_file))
    _say_what_is_left_out(mapping)
    if dry_run:
        return _dry_run(table, mapping, limit)
    target = refused_file if refused_file is not None else Path(f"{file.stem}.refused.csv")
    with RefusedRows(target, table) as refused, only_import(identity):
        totals = _import(caller, table, mapping, refused, limit=limit, batch=batch)
    _sum_up(totals, refused)
    if as_json:
        counts = {
            "imported": totals.imported,
            "already": totals.already,
            "refused": totals.refused,
        }
        click.echo(json.dumps(counts))
    return 1 if totals.refused else 0


def _import(
    caller: Path,
    table: Survey,
    mapping: ColumnMapping,
    refused: RefusedRows,
    *,
    limit: int | None,
    batch: int,
) -> Totals:
    total = table.rows if limit is None else min(limit, table.rows)
    with at_vault(caller, SERVICE) as session:
        known = {each.digest for each in documents.list_schemas(session.channel)}
        if mapping.schema.digest not in known:
            raise NotFoundError(
                f"the vault does not know schema {mapping.schema.name} "
                f"({mapping.schema.digest}); `crossvault schema add` registers it"
            )
        with _Bar(total, refused) as bar:
            importer = Importer(PutClient(session), bar, clock=now_utc, batch=batch)
            try:
                return importer.run(table, mapping, limit=limit)
            except (VaultError, KeyboardInterrupt):
                bar.stop()
                say(
                    f"stopped: {bar.count:,} rows were stored by this run and stay; the same "
                    f"command goes on from there"
                )
                raise


def _sum_up(totals: Totals, refused: RefusedRows) -> None:
    say(
        f"imported {totals.imported:,}, there already {totals.already:,}, "
        f"refused {totals.refused:,}"
    )
    if totals.refused:
        say(f"the refused rows, with reasons, are in {refused.path}")


class _Bar:
    """The progress of an import, on standard error.

    Its total is what is left to store: rows that are refused or there already take no time, and
    counted as done they would promise a speed that the others do not have.
    """

    def __init__(self, total: int, refused: RefusedRows) -> None:
        self.count = 0
        self._left = total
        self._refused = refused
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Speed(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("importing", total=total)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is."""
        self._progress.stop()

    def stored(self, count: int) -> None:
        """See `Report`."""
        self.count += count
        self._progress.update(self._task, advance=count, description="importing")

    def skipped(self, count: int) -> None:
        """See `Report`."""
        self._left -= count
        self._progress.update(self._task, total=self._left)

    def refused(self, row: TableRow, reason: str) -> None:
        """See `Report`."""
        self._refused.add(row, reason)
        self.skipped(1)

    def waiting(self, error: VaultError, seconds: float) -> None:
        """See `Report`."""
        self._progress.update(self._task, description="waiting")
        self._progress.console.print(
            Text(f"{error}; trying again in {seconds:.0f} s"), soft_wrap=True
        )


class _Speed(ProgressColumn):
    """Documents a second, of the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f} documents/s")


# --- before anything is stored --------------------------------------------------------------------


def _say_what_is_left_out(mapping: ColumnMapping) -> None:
    unused = ", ".join(name for name in mapping.unused_columns if name not in OWN_COLUMNS)
    if unused:
        say(f"columns that go into no document: {unused}")
    absent = ", ".join(mapping.absent_attributes)
    if absent:
        say(f"attributes without a column, attested as absent: {absent}")


def _dry_run(table: Survey, mapping: ColumnMapping, limit: int | None) -> int:
    """Show the first rows as they would be attested, and check all of them."""
    fits, refused = 0, 0
    for row in islice(read_rows(table), limit):
        problem = row.problem
        if problem is None:
            try:
                document = mapping.document(row.cells, now=now_utc())
            except CrossproofError as error:
                problem = str(error)
            else:
                fits += 1
                if fits <= _SHOWN_ROWS:
                    _show(row, document, mapping.schema)
        if problem is not None:
            refused += 1
            if refused <= _SHOWN_REASONS:
                say(f"row {row.number} (line {row.line}) would be refused: {problem}")
    if refused > _SHOWN_REASONS:
        say(f"… and {refused - _SHOWN_REASONS:,} more")
    say(f"a dry run, nothing was stored: {fits:,} rows fit, {refused:,} would be refused")
    return 1 if refused else 0


def _show(row: TableRow, document: RowDocument, schema: Schema) -> None:
    block = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        show_header=False,
    )
    block.add_column(no_wrap=True)
    block.add_column(overflow="fold")
    block.add_column(no_wrap=True, style="dim")
    for attribute in schema.attributes:
        block.add_row(
            Text(attribute.name),
            _attested(document.values, attribute.name, schema),
            Text(str(attribute.attribute_class)),
        )
    console = Console()
    heading = (
        f"row {row.number}: {document.asset}, as of {document.as_of}, "
        f"valid until {document.valid_until:%Y-%m-%d}"
    )
    console.print(Text(heading, style="bold"))
    console.print(block)
    console.print()


def _attested(values: Mapping[str, Value | None], name: str, schema: Schema) -> Text:
    value = values[name]
    if value is None:
        return Text("absent", style="dim italic")
    return Text(format_value(schema.attribute(name), value))
