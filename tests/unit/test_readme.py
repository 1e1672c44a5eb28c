"""Every command in the README exists, with the options that it is shown with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from proofs.cli import cli as crossproof
from vault.cli import cli as crossvault

README = Path(__file__).parents[2] / "README.md"


def shown_commands() -> list[str]:
    """Command lines of the fenced shell blocks, continued lines joined."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if ">" in words:
                words = words[: words.index(">")]  # what follows is the shell's
            if words and words[0] in ("crossvault", "crossproof"):
                found.append(shlex.join(words))
    return found


def test_the_readme_shows_commands() -> None:
    """Guards the extraction: it finds both programs."""
    programs = {line.split()[0] for line in shown_commands()}
    assert programs == {"crossvault", "crossproof"}


@pytest.mark.parametrize("line", shown_commands())
def test_a_shown_command_parses(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words are those of a real command: names, options and the number of arguments."""
    monkeypatch.setenv("CROSSVAULT_IDENTITY", str(tmp_path))
    program, *words = shlex.split(line)
    command: click.Command = crossproof if program == "crossproof" else crossvault
    context = click.Context(command, info_name=program)
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"no command {name}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    # Files of the examples need not be there: only the words are looked at.
    for parameter in command.params:
        if hasattr(parameter.type, "exists"):
            monkeypatch.setattr(parameter.type, "exists", False)
    command.make_context(context.info_name, words, parent=context.parent)
