"""`crossvault serve` and `crossvault holder`: the processes. They run until SIGTERM.

Each prints one line when it serves, `ready URI ADDRESS`, on standard output, and logs JSON lines
to standard error.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from vault.cli.options import FILE, site_option
from vault.server.logs import log_to_stderr
from vault.server.wiring_holder import run_holder
from vault.server.wiring_vault import run_vault

_ready_file = click.option(
    "--ready-file", type=FILE, help="Write the address to this file once the port is open."
)


@click.command()
@site_option
@_ready_file
def serve(folder: Path, ready_file: Path | None) -> None:
    """Run the vault of a mainland site."""
    log_to_stderr()
    asyncio.run(run_vault(folder, ready_file=ready_file))


@click.command()
@click.argument("name")
@site_option
@_ready_file
def holder(name: str, folder: Path, ready_file: Path | None) -> None:
    """Run the key holder NAME of a site."""
    log_to_stderr()
    asyncio.run(run_holder(folder, name, ready_file=ready_file))
