"""`crossvault`: one file per command group, loaded when its command is used.

`main` is the only place that turns refusals into messages: one line on standard error and exit
code 1, usage errors 2, never a traceback for something that input can cause.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Final

import click

from proofs.cores import CoreError
from proofs.errors import CrossproofError
from vault.errors import VaultError

COMMANDS: Final[dict[str, str]] = {
    "demo": "vault.cli.demo:demo",
    "init": "vault.cli.site:init",
    "site": "vault.cli.site:site",
    "identity": "vault.cli.identity:identity",
    "serve": "vault.cli.serve:serve",
    "holder": "vault.cli.serve:holder",
    "schema": "vault.cli.schema:schema",
    "put": "vault.cli.put:put",
    "import": "vault.cli.import_:import_command",
    "list": "vault.cli.list:list_command",
    "show": "vault.cli.list:show",
    "request": "vault.cli.request:request",
    "prove": "vault.cli.prove:prove",
    "manifest": "vault.cli.manifest:manifest",
    "set": "vault.cli.set:set_group",
    "release": "vault.cli.release:release",
    "log": "vault.cli.log:log",
}
"""Every command, and `module:attribute` of its click command."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command, or all help, is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which they are useful."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: Any = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is no command")
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crossvault", prog_name="crossvault")
def cli() -> None:
    """Keep documents about assets sealed, and prove facts about them across the border."""


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code and raises only for bugs."""
    try:
        result = cli.main(arguments, prog_name="crossvault", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return 1
    except click.Abort:
        click.echo("interrupted", err=True)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; flushing it at exit would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (VaultError, CrossproofError, OSError) as error:
        click.echo(f"crossvault: {error}", err=True)
        return 2 if isinstance(error, CoreError) else 1  # a wrong setting is wrong usage
    return result if isinstance(result, int) else 0


def main() -> None:
    """The console script."""
    # The TLS library's own lines would stand between a refusal and the person who reads it.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    sys.exit(run(sys.argv[1:]))
