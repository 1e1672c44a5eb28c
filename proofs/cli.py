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
    error_console,
    printable,
    read,
)
from proofs.cli_request import request
from proofs.cli_trust import trust as trust_commands
from proofs.cli_verify import verify
from proofs.cores import CoreError
from proofs.errors import CrossproofError


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
cli.add_command(request)
cli.add_command(verify)


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
