"""`crossvault put`: seal, attest and store one document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from vault.cli.options import FILE, identity_option, say
from vault.client import pinned_schemas
from vault.client.prepare import MAX_DOCUMENT, FileToSeal, file_to_seal, read_document
from vault.client.put import SERVICE, PutClient, StoredDocument, put_batch
from vault.client.session import at_vault
from vault.crypto.padding import padme
from vault.files import read_public
from vault.identity import Identity


@click.command()
@click.argument("file", metavar="DOC.json", type=FILE)
@click.option(
    "--attach",
    "attachments",
    multiple=True,
    metavar="[asset:|personal:]FILE",
    help="A file of up to 1 GiB to seal with it; personal unless said otherwise. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def put(file: Path, attachments: tuple[str, ...], as_json: bool, caller: Path) -> None:
    """Seal, attest and store one document, with attachments.

    Prints the document's id. It is acknowledged when all blocks and every holder's share are on
    disk; the holders' receipts are kept in your identity folder.
    """
    identity = Identity.load(caller)
    files = [file_to_seal(argument) for argument in attachments]
    prepared = read_document(
        read_public(file, limit=MAX_DOCUMENT),
        lambda wanted: pinned_schemas.find(identity, wanted),
        files,
    )
    with at_vault(caller, SERVICE) as session:
        client = PutClient(session)
        for each in client.settle():
            say(f"an earlier put was stored after all: document {each.document} ({each.asset})")
        with _bar(files) as advance:
            (stored,) = put_batch(client, [prepared], progress=advance)
    say(f"stored: {stored.asset}, version {stored.version}, {len(stored.receipts)} receipts")
    if as_json:
        click.echo(_described(stored))
    else:
        click.echo(stored.document)


@contextmanager
def _bar(files: Sequence[FileToSeal]) -> Iterator[Callable[[int], None]]:
    """A bar of the ciphertext on its way, which is padded; nothing where no file is attached."""
    if not files:
        yield lambda size: None
        return
    total = sum(padme(max(2, file.info.length)) for file in files)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(
        TextColumn("{task.description}"), *columns, console=Console(stderr=True)
    ) as progress:
        task = progress.add_task("sealing 加密", total=total)
        sent = 0

        def advance(size: int) -> None:
            # The records and roots around the files count too: never past the end.
            nonlocal sent
            sent += size
            progress.update(task, completed=min(sent, total))

        yield advance
        progress.update(task, completed=total)


def _described(stored: StoredDocument) -> str:
    return json.dumps(
        {
            "document": stored.document,
            "version": stored.version,
            "asset": stored.asset,
            "attestation": stored.attestation_digest,
            "request_id": stored.request_id,
        }
    )
