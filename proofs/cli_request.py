"""`crossproof request`: the file that says what a verifier wants proven, for whom and why.

It reads schemas and sets, writes the one file that it is told to, and prints its digest. What may
not be asked is refused here already, as far as schema and sets show it.

SPEC.md, "Commands".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proofs.cli_files import FILE, clock, load_schema, load_trust, read, until, write_new
from proofs.cli_sets import SET, SetOption, load_sets
from proofs.errors import SetError

if TYPE_CHECKING:
    from proofs.named_set import NamedSet
    from proofs.request import RequestedDocument
    from proofs.selection import Period, Selection

_ABOUT = "say what it is about: --asset and --schema, or --document's only, or --select"
_PERIOD = re.compile(r"([0-9-]{10})\.\.([0-9-]{10})")


@click.group()
def request() -> None:
    """What you want proven."""


@request.command("new")
@click.option("--schema", "schema_file", type=FILE, help="The schema's file.")
@click.option("--asset", help="The asset's id.")
@click.option(
    "--document",
    "documents",
    type=(str, str, FILE),
    multiple=True,
    metavar="ALIAS ASSET SCHEMA",
    help="Instead of both, for facts about several documents: as in ALIAS.attribute.",
)
@click.option(
    "--select",
    "select_file",
    type=FILE,
    metavar="SCHEMA",
    help="Or about all documents of a list: sum(x), count(), each x …; of this schema's file.",
)
@click.option(
    "--assets",
    "assets_file",
    type=FILE,
    help="With --select: the list, one asset id a line. Without it the custodian chooses.",
)
@click.option("--spv", help="With --select: the list of a manifest that is signed for this SPV,")
@click.option("--period", metavar="DAY..DAY", help="and this period.")
@click.option("--fact", "facts", multiple=True, required=True, help="A fact; may be repeated.")
@click.option("--audience", required=True, help="Who the proof is for: you.")
@click.option("--purpose", required=True, help="What you need it for.")
@click.option("--expires", default="30d", show_default=True, help="30d, 12h, or an instant.")
@click.option(
    "--set",
    "set_files",
    type=SET,
    multiple=True,
    metavar="[NAME=]FILE",
    help="A set that a fact names, or NAME=FILE[:COLUMN], its source.",
)
@click.option("--trust", "trust_file", type=FILE, help="Check the sets' signatures by this file.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A new file.")
def request_new(
    schema_file: Path | None,
    asset: str | None,
    documents: tuple[tuple[str, str, Path], ...],
    select_file: Path | None,
    assets_file: Path | None,
    spv: str | None,
    period: str | None,
    facts: tuple[str, ...],
    audience: str,
    purpose: str,
    expires: str,
    set_files: tuple[SetOption, ...],
    trust_file: Path | None,
    output: Path,
) -> None:
    """Write a request with a fresh nonce, and print its digest.

    Keep the file: it is what you check the answer against.
    """
    from proofs.ids import new_nonce
    from proofs.request import Request

    by_name = schema_file is not None or asset is not None or bool(documents)
    if select_file is None and (assets_file, spv, period) != (None, None, None):
        raise click.UsageError("--assets, --spv and --period go with --select")
    if (select_file is None) != by_name:
        raise click.UsageError(_ABOUT)
    if (spv is None) != (period is None) or (spv is not None and assets_file is not None):
        raise click.UsageError("--spv and --period go together, and without --assets")
    now = clock()
    sets = {each.name: each for each in load_sets(set_files)}
    named: list[RequestedDocument] = []
    selection: Selection | None = None
    if select_file is not None:
        selection, texts, used = _of_list(
            select_file, assets_file, spv, _period(period), facts, sets, now
        )
    else:
        named, texts, used = _by_name(schema_file, asset, documents, facts, sets, now)
    if trust_file is not None:
        _check_signed(trust_file, [sets[name] for name in used], now)
    made = Request.build(
        documents=named,
        selection=selection,
        facts=texts,
        sets=[sets[name].reference for name in used],
        audience=audience,
        purpose=purpose,
        nonce=new_nonce(),
        created=now,
        expires=until(expires, now),
    )
    write_new(output, made.data)
    for fact in made.facts:
        click.echo(f"asks: {fact}", err=True)
    if selection is not None and selection.chosen_by == "prover":
        click.echo("the list is the custodian's to choose, and the verdict will say so", err=True)
    click.echo(f"wrote {output}; keep it: the answer is checked against it", err=True)
    click.echo(made.digest)


def _by_name(
    schema_file: Path | None,
    asset: str | None,
    documents: tuple[tuple[str, str, Path], ...],
    facts: Sequence[str],
    sets: Mapping[str, NamedSet],
    now: datetime,
) -> tuple[list[RequestedDocument], list[str], list[str]]:
    """The documents, the canonical facts, and the sets that these name."""
    from proofs.classes import check_facts
    from proofs.facts import FactList
    from proofs.request import DEFAULT_ALIAS, RequestedDocument

    if not documents and schema_file is not None and asset is not None:
        documents = ((DEFAULT_ALIAS, asset, schema_file),)
    elif not documents or schema_file is not None or asset is not None:
        raise click.UsageError(_ABOUT)
    if len({alias for alias, _, _ in documents}) != len(documents):
        raise click.UsageError("each --document needs an alias of its own")
    schemas = {alias: load_schema(file) for alias, _, file in documents}
    parsed = FactList.parse(facts, schemas, now=now)
    _require_sets(parsed.set_names, sets)
    check_facts(parsed, schemas, sets)
    named = [
        RequestedDocument(alias, about, schemas[alias].digest) for alias, about, _ in documents
    ]
    return named, parsed.texts, parsed.set_names


def _of_list(
    select_file: Path,
    assets_file: Path | None,
    spv: str | None,
    period: Period | None,
    facts: Sequence[str],
    sets: Mapping[str, NamedSet],
    now: datetime,
) -> tuple[Selection, list[str], list[str]]:
    """The selection, the canonical facts over it, and the sets that these name."""
    from proofs.asset_list import LIMIT, read_assets
    from proofs.facts import FactList
    from proofs.list_classes import check_list_without_documents
    from proofs.selection import Selection

    schema = load_schema(select_file)
    parsed = FactList.over(facts, schema, now=now)
    _require_sets(parsed.set_names, sets)
    check_list_without_documents(parsed, schema, sets)
    assets = None
    if assets_file is not None:
        assets = tuple(sorted(read_assets(read(assets_file, LIMIT), where=assets_file.name)))
    selection = Selection(schema.digest, assets=assets, spv=spv, period=period)
    return selection, parsed.texts, parsed.set_names


def _period(text: str | None) -> Period | None:
    if text is None:
        return None
    found = _PERIOD.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        return date.fromisoformat(found[1]), date.fromisoformat(found[2])
    except ValueError:
        raise click.UsageError(
            f"--period: {text[:40]!a} is not of the form 2026-01-01..2026-06-30"
        ) from None


def _require_sets(names: Sequence[str], sets: Mapping[str, NamedSet]) -> None:
    for name in names:
        if name not in sets:
            raise SetError(f"@{name}: give its file with --set")


def _check_signed(trust_file: Path, sets: Sequence[NamedSet], now: datetime) -> None:
    from proofs.verify_sets import check_named_set

    trust = load_trust(trust_file)
    for each in sets:
        check_named_set(each, trust, now)
