"""A stage for the demonstration: runs commands for real, and shows each with what it prints.

`crossvault` commands run in this process, `crossproof` in one of its own that is given files and
nothing else. A command that must fail and does not, or the other way round, ends the show.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from vault import cli
from vault.errors import VaultError

INDENT: Final = "    "


@dataclass
class Stage:
    """A folder in which every command runs, with paths relative to it."""

    folder: Path
    console: Console
    quiet: bool = False
    _acts: int = 0

    def heading(self, text: str) -> None:
        """The beginning of an act."""
        self._acts += 1
        self.console.print()
        self.console.print(Text(f"{self._acts}. {text}", style="bold"))

    def say(self, text: str) -> None:
        """A line of the narrator's."""
        self.console.print(Text(text, style="cyan"))

    def crossvault(
        self, *arguments: str, fails: bool = False, quiet: bool = False, lines: int = 200
    ) -> str:
        """Run one command here; what it printed on standard output. Shows so many `lines` of it."""
        shown = io.StringIO()
        out = _Tee(shown)
        with (
            contextlib.chdir(self.folder),
            _width(self.console.width - len(INDENT)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(shown),
        ):
            code = cli.run(list(arguments))
        printed = shown.getvalue().splitlines()
        if len(printed) > lines:
            printed = [*printed[:lines], f"… and {len(printed) - lines} more lines"]
        self._show("crossvault", arguments, printed, code, fails, quiet)
        return out.getvalue()

    def crossproof(self, *arguments: str, fails: bool = False, quiet: bool = False) -> str:
        """Run the offline command in a process of its own; its standard output."""
        done = subprocess.run(
            [sys.executable, "-c", "from proofs.cli import main; main()", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            env={**os.environ, "COLUMNS": str(self.console.width - len(INDENT))},
        )
        printed = (done.stdout + done.stderr).splitlines()
        self._show("crossproof", arguments, printed, done.returncode, fails, quiet)
        return done.stdout

    def _show(
        self,
        program: str,
        arguments: tuple[str, ...],
        printed: list[str],
        code: int,
        fails: bool,
        quiet: bool,
    ) -> None:
        as_expected = (code != 0) == fails
        if not quiet or not as_expected:
            command = f"$ {program} {shlex.join(arguments)}"
            self.console.print(Text(command, style="green"), soft_wrap=True)
            for line in printed:
                self.console.print(Text(INDENT + line.rstrip()), soft_wrap=True)
            if fails:
                self.console.print(Text(f"{INDENT}[exit code {code}]", style="yellow"))
        if not as_expected:
            what = "succeeded" if code == 0 else f"ended with exit code {code}"
            raise VaultError(
                f"{program} {arguments[0]} {what}, which the demonstration did not want"
            )


class _Tee(io.StringIO):
    """Standard output on its own, and in its place among what a person sees."""

    def __init__(self, shown: io.StringIO) -> None:
        super().__init__()
        self._shown = shown

    def write(self, text: str) -> int:
        self._shown.write(text)
        return super().write(text)


@contextlib.contextmanager
def _width(columns: int) -> Iterator[None]:
    """Tables of commands that run in here must fit behind the indentation."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
