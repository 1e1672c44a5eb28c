"""What commands about selections share: the options that choose a list, its table, and a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from proofs.asset_list import read_assets
from proofs.canonical import format_instant
from proofs.manifest import FILE_LIMIT
from proofs.named_set import SetHeader
from proofs.render import Row, numbered
from vault.cli.options import FILE
from vault.client import requests
from vault.client.consent_list import ListConsent, Wish
from vault.client.own_manifest import read_own_manifest
from vault.files import read_public
from vault.identity import Identity

Function = TypeVar("Function", bound=Callable[..., Any])


def list_options(function: Function) -> Function:
    """`--select` and `--manifest`; passed as `terms` and `manifest_file`."""
    chosen = click.option(
        "--select",
        "terms",
        multiple=True,
        metavar="TERM",
        help="Which documents: all, asset=cn-pv-*, as_of=2026-01-01..2026-06-30, a public "
        "attribute as in spv=NAME, or @FILE with one asset id a line. Several must all hold; "
        "several of one name are alternatives.",
    )
    manifest = click.option(
        "--manifest",
        "manifest_file",
        type=FILE,
        help="A manifest that you signed: exactly its documents, and it stands for them.",
    )
    return chosen(manifest(function))


def read_wish(identity: Identity, terms: Sequence[str], manifest_file: Path | None) -> Wish:
    """What the options say of the list."""
    files = [Path(term[1:]) for term in terms if term.startswith("@")]
    if len(files) > 1:
        raise click.UsageError("one list of assets at a time: put them into one file")
    manifest = None
    if manifest_file is not None:
        with manifest_file.open("rb") as file:
            manifest = read_own_manifest(identity, file.read(FILE_LIMIT + 1))
    return Wish(
        terms=tuple(term for term in terms if not term.startswith("@")),
        listed=tuple(read_assets(read_public(files[0]), where=str(files[0]))) if files else None,
        manifest=manifest,
    )


def list_rows(prepared: ListConsent, outlooks: Mapping[str, str | None] | None = None) -> list[Row]:
    """What a grant over a list signs, and how each fact stands where that is known."""
    listing, manifest = prepared.listing, prepared.manifest
    first, last = (format_instant(each) for each in listing.attested)
    spans = "" if listing.same_as_of else " (not the same for all)"
    return [
        ("schema", f"{prepared.schema.title_en} {prepared.schema.title_zh}"),
        ("documents", f"{len(listing.rows):,}"),
        ("list", listing.digest),
        ("chosen by", _chosen_by(prepared)),
        ("as of", f"{listing.as_of}{spans}"),
        ("attested", first if first == last else f"{first} to {last}"),
        ("valid until", f"{format_instant(listing.valid_until)} (the earliest)"),
        *([("manifest", manifest.manifest.digest)] if manifest is not None else []),
        *([("set versions", set_lines(prepared.sets))] if prepared.sets else []),
        ("facts", numbered(_fact_lines(prepared, outlooks or {}))),
    ]


def set_lines(sets: Sequence[SetHeader]) -> str:
    """Which version of each named set a grant is about: the vault chose it, the header says it."""
    return "\n".join(
        f"@{each.name} version {each.version} of {each.as_of}, {each.count} members"
        for each in sets
    )


@contextmanager
def proving_bar() -> Iterator[requests.Progress]:
    """A bar on standard error that is gone when the proof is there; what moves it."""
    columns = (
        TextColumn("proving"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("parts"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("proving", total=None)

        def moved(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield moved


def _chosen_by(prepared: ListConsent) -> str:
    selection, manifest = prepared.request.selection, prepared.manifest
    if manifest is not None:
        named = manifest.manifest
        first, last = named.period
        return f"a manifest of {named.spv}, {first}..{last}, serial {named.serial}"
    if selection is not None and selection.assets is not None:
        return "the request, which names every asset"
    return "you; a verifier is told that the prover chose"


def _fact_lines(prepared: ListConsent, outlooks: Mapping[str, str | None]) -> Iterator[str]:
    for fact in prepared.facts:
        line, out = fact.text, prepared.left_out(fact) if fact.present else 0
        if out:
            line += f"   [{out:,} left out]"
        if fact.text in outlooks:
            detail = outlooks[fact.text]
            line += "   [holds]" if detail is None else f"   [CANNOT BE PROVEN: {detail}]"
        yield line
