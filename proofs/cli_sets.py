"""What `--set` takes: a signed set's file, its header alone, or NAME=SOURCE, a list's own source.

With a source, the set is made again from it and has to be the one that was signed; the signed
file, or its header alone, is given beside it. Then no other version of that name is believed, so
that a bundle about one is refused and not quietly checked with members that came with it.

SPEC.md, "Signed sets" and "Commands".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proofs.cli_files import printable, read
from proofs.errors import SetError

if TYPE_CHECKING:
    from proofs.envelope import Envelope
    from proofs.named_set import NamedSet
    from proofs.sets import ScalarSet

_SOURCE = re.compile(r"([a-z][a-z0-9_-]{0,63})=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SetOption:
    """A file, and where it is the source of a list, the set's name and the column."""

    path: Path
    name: str = ""
    column: str | None = None

    @property
    def is_table(self) -> bool:
        """Whether the source is a CSV table."""
        return self.column is not None or self.path.suffix.lower() == ".csv"


class _SetType(click.ParamType[SetOption]):
    """`FILE`, `NAME=FILE` or `NAME=FILE:COLUMN`. A file whose name reads so is given as ./FILE."""

    name = "set"
    exists = True
    """As of `click.Path`: the file must be there."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> SetOption:
        if isinstance(value, SetOption):
            return value
        found = _SOURCE.fullmatch(str(value))
        name, text = (found[1], found[2]) if found else ("", str(value))
        path, column = Path(text), None
        if name and not path.is_file() and ":" in text:
            before, _, after = text.rpartition(":")
            path, column = Path(before), after
        if self.exists and not path.is_file():
            self.fail(f"File {printable(path)!r} does not exist.", param, ctx)
        return SetOption(path, name, column)


SET = _SetType()


def load_sets(options: Sequence[SetOption]) -> list[NamedSet]:
    """The sets of all options; SetError for a header without a source, or one that differs."""
    from proofs.envelope import Envelope
    from proofs.named_set import FILE_LIMIT, HEADER_LIMIT, NamedSet
    from proofs.set_source import read_texts, rebuild

    whole: list[NamedSet] = []
    heads: dict[str, list[Envelope]] = {}
    # Of every version, believed or not: one's polynomial helps to make another's.
    at_hand: dict[str, list[ScalarSet]] = {}

    for option in (each for each in options if not each.name):
        data = read(option.path, FILE_LIMIT)
        header = NamedSet.header_of(data)
        first, _, rest = data.partition(b"\n")
        if rest:
            near = at_hand.setdefault(header.name, [])
            found = NamedSet.parse(data, near=partial(tuple, near))
            near.append(found.scalars)
            whole.append(found)
        else:
            envelope = Envelope.parse(first, limit=2 * HEADER_LIMIT)
            heads.setdefault(header.name, []).append(envelope)
    for option in (each for each in options if each.name):
        where = printable(option.path)
        signed: list[NamedSet | Envelope] = [*heads.pop(option.name, [])]
        signed += [each for each in whole if each.name == option.name]
        if not signed:
            raise SetError(
                f"@{option.name}: {where} is compared with what was signed; give the signed set's "
                "file or its header with --set as well"
            )
        texts = read_texts(
            read(option.path, FILE_LIMIT), table=option.is_table, column=option.column, where=where
        )
        near = at_hand.setdefault(option.name, [])
        made = rebuild(signed, texts, where=where, near=partial(tuple, near))
        whole = [each for each in whole if each.name != option.name] + made
    for name in heads:
        raise SetError(
            f"@{name}: only its header was given; give --set {name}=FILE, the list's source, or "
            "the exported set"
        )
    return whole
