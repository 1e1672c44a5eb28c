"""`crossproof`: what a verifier makes, keeps and checks, offline.

It reads the files it is named, writes only the file it is told to, and talks to nobody. Verdicts
and errors go to standard error, machine output to standard output. Exit codes: 0 done or
verified, 1 refused or not verified, 2 wrong usage. Everything but `click` is imported when a
command needs it, so that `--help` is quick.

SPEC.md, "Commands".
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from proofs.cli_files import (
    FILE,
    clock,
    error_console,
    load_schema,
    load_trust,
    printable,
    read,
    until,
    write_new,
)
from proofs.cli_sets import SET, SetOption, load_sets
from proofs.cli_trust import trust as trust_commands
from proofs.cli_verify import verify
from proofs.cores import CoreError
from proofs.errors import CrossproofError, SetError


def main() -> None:
    """Run a command; every expected failure ends in one line and an exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.UsageError as error:
        said = io.StringIO()  # it may name a file of others
        error.show(said)
        click.echo("\n".join(map(printable, said.getvalue().splitlines())), err=True)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("crossproof: stopped", err=True)
        code = 1
    except CrossproofError as error:
        click.echo(f"crossproof: {error}", err=True)
        code = 2 if isinstance(error, CoreError) else 1  # a wrong setting is wrong usage
    except OSError as error:
        named = printable(error.filename or "output")
        click.echo(f"crossproof: {named}: {error.strerror}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import version

    from proofs.group import CORE, LIBRARY

    click.echo(
        f"crossproof, version {version('crossvault')}, core {CORE} ({LIBRARY} {version(LIBRARY)})"
    )
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version, and the curve library in use, and exit.",
)
def cli() -> None:
    """Ask for proofs about documents that you will never see, and check the answers offline."""


cli.add_command(trust_commands)
cli.add_command(verify)


# --- request ------------------------------------------------------------------------------------


@cli.group()
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
    from proofs.classes import check_facts
    from proofs.facts import FactList
    from proofs.ids import new_nonce
    from proofs.request import DEFAULT_ALIAS, Request, RequestedDocument
    from proofs.verify_sets import check_named_set

    now = clock()
    if not documents and schema_file is not None and asset is not None:
        documents = ((DEFAULT_ALIAS, asset, schema_file),)
    elif not documents or schema_file is not None or asset is not None:
        raise click.UsageError("say what it is about: --asset and --schema, or --document's only")
    if len({alias for alias, _, _ in documents}) != len(documents):
        raise click.UsageError("each --document needs an alias of its own")
    schemas = {alias: load_schema(file) for alias, _, file in documents}
    parsed = FactList.parse(facts, schemas, now=now)
    sets = {each.name: each for each in load_sets(set_files)}
    for name in parsed.set_names:
        if name not in sets:
            raise SetError(f"@{name}: give its file with --set")
    if trust_file is not None:
        trust = load_trust(trust_file)
        for name in parsed.set_names:
            check_named_set(sets[name], trust, now)
    check_facts(parsed, schemas, sets)
    made = Request.build(
        documents=[
            RequestedDocument(alias, about, schemas[alias].digest) for alias, about, _ in documents
        ],
        facts=parsed.texts,
        sets=[sets[name].reference for name in parsed.set_names],
        audience=audience,
        purpose=purpose,
        nonce=new_nonce(),
        created=now,
        expires=until(expires, now),
    )
    write_new(output, made.data)
    for fact in made.facts:
        click.echo(f"asks: {fact}", err=True)
    click.echo(f"wrote {output}; keep it: the answer is checked against it", err=True)
    click.echo(made.digest)


# --- inspect ------------------------------------------------------------------------------------


@cli.command()
@click.argument("file", type=FILE)
def inspect(file: Path) -> None:
    """Print what a bundle claims. Nothing of it is checked."""
    from proofs.bundle import LIMIT, Bundle
    from proofs.render import print_claims

    print_claims(error_console(), Bundle.parse(read(file, LIMIT)))


# --- generators ---------------------------------------------------------------------------------


@cli.command()
@click.option("--norm", type=click.IntRange(16, 4096), default=64, show_default=True)
@click.option("--powers", type=click.IntRange(2, 16), default=16, show_default=True)
def generators(norm: int, powers: int) -> None:
    """Recompute and print the generators and their digests.

    --norm is the length of the range argument's norm vector, --powers the base-2 logarithm of
    the largest set.
    """
    from proofs import generators as named
    from proofs import labels

    click.echo(f"tag {labels.GENERATOR_DST.decode()}")
    shown = [*named.range_generators(norm), *named.membership_generators(powers)]
    for each in dict.fromkeys(shown):
        click.echo(f"{each.name:<6} {each.encode().hex()}")
    length = 16
    while length <= norm:
        digest = named.generators_digest(named.range_generators(length))
        click.echo(f"digest range {length} {digest.hex()}")
        length *= 2
    for count in range(2, powers + 1):
        digest = named.generators_digest(named.membership_generators(count))
        click.echo(f"digest membership {count} {digest.hex()}")
