"""Options that several commands share: which site, which identity."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


class _Span(click.ParamType[timedelta]):
    """`30d` or `12h` as a timedelta."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,3})([dh])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a span such as 30d or 12h", param, ctx)
        count = int(found[1])
        return timedelta(days=count) if found[2] == "d" else timedelta(hours=count)


SPAN = _Span()


def site_option(function: Function) -> Function:
    """`--dir DIR`, the site's folder, by default the current one; passed as `folder`."""
    return click.option(
        "--dir",
        "folder",
        type=FOLDER,
        default=Path("."),
        help="The site's folder, as `crossvault init` made it.  [default: here]",
    )(function)


def identity_option(function: Function) -> Function:
    """`--as FOLDER` or CROSSVAULT_IDENTITY, the caller's identity folder; passed as `caller`."""
    return click.option(
        "--as",
        "caller",
        type=FOLDER,
        envvar="CROSSVAULT_IDENTITY",
        required=True,
        show_envvar=True,
        help="Your identity folder, as `crossvault identity issue` made it.",
    )(function)


def say(text: str) -> None:
    """A line for people, on standard error: standard output is for what was asked for."""
    click.echo(text, err=True)
