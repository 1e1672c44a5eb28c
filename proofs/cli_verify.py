"""`crossproof verify`: bundles in files and directories against what the verifier expects.

A directory stands for the `*.proof.json` files in it, by name, and not for those below it. One
file has its full table; several have a line each and a total, or their tables with --verbose. A
file that cannot be read is one that is not verified, and the others are checked all the same. An
empty directory is refused, for nothing checked must not look like everything checked.

SPEC.md, "Commands", "Many bundles" and "What a verifier may require".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proofs.cli_files import (
    FILE,
    PLACE,
    UnreadableError,
    clock,
    error_console,
    expand,
    load_trust,
    printable,
    read,
    read_or_error,
)
from proofs.cli_sets import SET, SetOption, load_sets
from proofs.errors import CrossproofError, EncodingError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from proofs.policy import Expectation
    from proofs.request import Request
    from proofs.verify import Verified

BUNDLES, REQUESTS = "*.proof.json", "*.request.json"
SHORT = 20
"""So few files take no time worth a progress bar."""


@click.command()
@click.argument("places", metavar="FILE_OR_DIR...", type=PLACE, nargs=-1, required=True)
@click.option("--trust", "trust_file", type=FILE, required=True, help="Whom you believe.")
@click.option(
    "--request",
    "request_places",
    type=PLACE,
    multiple=True,
    help="The request that you made; for bundles that answer several, repeat it, or give a "
    f"directory of {REQUESTS}.",
)
@click.option("--audience", help="Without a request: who the proof must be for.")
@click.option("--nonce", help="With --audience: the nonce that you gave.")
@click.option("--asset", "assets", multiple=True, help="An asset that it must be about.")
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="FACT",
    help="A fact that must follow from those proven, for each --asset.",
)
@click.option(
    "--set",
    "set_files",
    type=SET,
    multiple=True,
    metavar="[NAME=]FILE",
    help="A named set's file. NAME=FILE[:COLUMN]: make it again from its source, and compare.",
)
@click.option("--verbose", is_flag=True, help="The full table of each of several files.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, on standard output.")
def verify(
    places: tuple[Path, ...],
    trust_file: Path,
    request_places: tuple[Path, ...],
    audience: str | None,
    nonce: str | None,
    assets: tuple[str, ...],
    required: tuple[str, ...],
    set_files: tuple[SetOption, ...],
    verbose: bool,
    as_json: bool,
) -> None:
    """Check proof bundles offline: files, or all *.proof.json of a directory.

    They are checked against what you expect (--request, or --audience) and whom you believe
    (--trust). Exit code 0: all verified; 1: not; 2: wrong usage.
    """
    from proofs.render_many import (
        print_lines,
        print_missing,
        print_one,
        print_summary,
        summary,
    )
    from proofs.verify_many import verify_many

    files = expand(places, BUNDLES, "proof bundle")
    alone = len(files) == 1
    expected = _expectation(request_places, audience, nonce, assets, required, alone=alone)
    pinned, sets = load_trust(trust_file), load_sets(set_files)
    console = error_console()
    with _progress(console, len(files)) as progress:
        outcomes = verify_many(
            _contents(files, places, progress),
            trust=pinned,
            expectation=expected,
            sets=sets,
            now=clock(),
        )
    total = summary(outcomes, expected)
    if as_json:
        for file, outcome in zip(files, outcomes, strict=True):
            click.echo(_json_line(file, outcome))
        if not alone:
            print_missing(console, total)
    elif alone or verbose:
        for file, outcome in zip(files, outcomes, strict=True):
            if not alone:
                click.echo(f"{printable(file)}:", err=True)
            print_one(console, outcome)
        if not alone:
            print_summary(console, total)
    else:
        print_lines(console, _short(files), outcomes)
        print_summary(console, total)
    if total.failed:
        sys.exit(1)


def _short(files: Sequence[Path]) -> list[str]:
    """Names that may be shown; without the directory, if all lie in one."""
    together = len({file.parent for file in files}) == 1
    return [printable(file.name if together else file) for file in files]


def _contents(
    files: Sequence[Path], named: Sequence[Path], progress: Progress
) -> Iterator[bytes | UnreadableError]:
    """One file in memory after the other; the last step, for all at once, is announced."""
    from proofs.bundle import LIMIT

    task = progress.add_task("checking 检查", total=len(files))
    for file in files:
        # Somebody named a pipe; nobody meant one that lies in a directory, and it may never end.
        if file in named or file.is_file():
            yield read_or_error(file, LIMIT)
        else:
            yield UnreadableError("no file that can be read")
        progress.advance(task)
    progress.update(task, description="all proofs at once 合并验算")


def _progress(console: Console, count: int) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=count < SHORT or not console.is_terminal,
    )


def _json_line(file: Path, outcome: Verified | CrossproofError) -> str:
    from proofs.render import refused_json, verified_json

    told = refused_json(outcome) if isinstance(outcome, CrossproofError) else verified_json(outcome)
    # ASCII, so that no locale and no file name can break a line that a machine reads.
    return json.dumps({"file": str(file)} | told)


def _expectation(
    request_places: Sequence[Path],
    audience: str | None,
    nonce: str | None,
    assets: Sequence[str],
    required: Sequence[str],
    *,
    alone: bool,
) -> Expectation:
    """What was said; about several files, each may be about some of the assets only."""
    from proofs.policy import Expectation

    if bool(request_places) == (audience is not None):
        raise click.UsageError(
            "say what you expect: --request FILE, or --audience with the --nonce that you gave"
        )
    if required and not assets:
        raise click.UsageError("--require needs the --asset that the fact must hold for")
    if request_places:
        if nonce is not None:
            raise click.UsageError("--nonce goes with --audience; a request has its own")
        return Expectation.for_requests(
            [_request(file) for file in expand(request_places, REQUESTS, "request")],
            assets=assets,
            required=required,
            every_asset=alone,
        )
    try:
        return Expectation.for_audience(
            str(audience), nonce=nonce, assets=assets, required=required, every_asset=alone
        )
    except CrossproofError as error:
        raise click.UsageError(str(error)) from None


def _request(file: Path) -> Request:
    """A request file; of several, the one that is none is named."""
    from proofs.request import LIMIT, Request

    data = read(file, LIMIT)
    try:
        return Request.parse(data)
    except CrossproofError as error:
        raise EncodingError(f"{printable(file)}: {error}") from None
