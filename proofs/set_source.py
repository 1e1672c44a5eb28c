"""A public list made again from its own source, and compared with what its authority signed.

A verifier who has a register's own file (a CSV table, or a text with one entry a line) need not
take the members from whoever signed the set: it makes them itself and compares the digest with
the signed one. The signed header must come from the authority all the same, alone or at the head of
the exported set, for it says what the digest is, of which type, and until when. It refuses a source
with another digest; where the signed members are at hand it says how many entries differ.

SPEC.md, "Signed sets".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from proofs.envelope import Envelope
from proofs.errors import SetError
from proofs.member_type import MemberType, merge
from proofs.named_set import NamedSet, SetHeader
from proofs.sets import Near, ScalarSet
from proofs.values import Value

SHOWN = 60


def read_texts(data: bytes, *, table: bool, column: str | None, where: str) -> list[str]:
    """The entries of a text, one a line, or of one column (the first) of a CSV table; never empty.

    The first row of a table names its columns. Empty lines and cells are left out. Raises SetError.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SetError(f"{where}: not UTF-8 (byte {error.start})") from None
    if not table:
        found = [line for line in text.splitlines() if line.strip()]
    else:
        found = _column(text, column, where)
    if not found:
        raise SetError(f"{where}: no members in it")
    return found


def rebuild(
    signed: Sequence[NamedSet | Envelope],
    texts: Sequence[str],
    *,
    where: str,
    near: Near = tuple,
) -> list[NamedSet]:
    """The versions of one set that these entries are, with members made from the entries.

    Args:
        signed: versions at hand, of one name: whole, or their signed headers alone. At least one.
        texts: the entries, as the source spells them.
        where: the source's name, for messages and for the verdict.
        near: as for `ScalarSet`.

    Raises:
        SetError: an entry that cannot be read, or no version with these members, saying how the
            newest one differs.
    """
    found: list[NamedSet] = []
    made: dict[MemberType, tuple[list[Value], ScalarSet]] = {}
    for each in signed:
        envelope, header = _header(each)
        if header.type not in made:
            try:
                values, _ = merge(header.type.read(texts))
            except SetError as error:
                raise SetError(f"{where}: {error}") from None
            made[header.type] = (
                values,
                ScalarSet.from_scalars(header.type.scalars(values), header.type.tag, near=near),
            )
        values, scalars = made[header.type]
        if scalars.digest.hex() == header.digest:
            found.append(NamedSet(envelope, header, tuple(values), scalars, where))
    if not found:
        newest = max(signed, key=lambda each: _header(each)[1].version)
        header = _header(newest)[1]
        raise SetError(_difference(newest, header, made[header.type][0], where))
    return found


def _header(signed: NamedSet | Envelope) -> tuple[Envelope, SetHeader]:
    if isinstance(signed, NamedSet):
        return signed.envelope, signed.header
    return signed, NamedSet.header_of(signed.encode())


def _difference(
    signed: NamedSet | Envelope, header: SetHeader, values: Sequence[Value], where: str
) -> str:
    """How the newest signed version differs from the entries, as far as that can be known."""
    start = f"@{header.name}: {where} is not the list that was signed as version {header.version}: "
    if not isinstance(signed, NamedSet):
        return (
            f"{start}it has {len(values):,} entries, {header.count:,} were signed; with the whole "
            "exported set at hand it would be said which differ"
        )
    theirs, mine = set(signed.members), set(values)
    more, less = mine - theirs, theirs - mine
    parts = [
        f"{len(entries):,} {what} (such as {_say(header.type, entries)})"
        for entries, what in ((more, "only in it"), (less, "only among the signed"))
        if entries
    ]
    return f"{start}{len(more) + len(less):,} entries differ, {', '.join(parts)}"


def _say(member_type: MemberType, entries: Iterable[Value]) -> str:
    """The first of these, quoted and cut: in normal form it holds nothing that could repaint."""
    first = member_type.write(merge(entries)[0][0])
    return f'"{first}"' if len(first) <= SHOWN else f'"{first[:SHOWN]}…"'


def _column(text: str, column: str | None, where: str) -> list[str]:
    table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = list(table.fieldnames or ())
        if not names:
            raise SetError(f"{where}: no columns in it")
        chosen = names[0] if column is None else column
        if names.count(chosen) != 1:
            shown = ", ".join(map(ascii, names))
            raise SetError(f"{where}: {names.count(chosen)} columns {chosen!a}; it has {shown}")
        return [row[chosen] for row in table if (row[chosen] or "").strip()]
    except csv.Error as error:
        raise SetError(f"{where}: after line {table.line_num}: {error}") from None
