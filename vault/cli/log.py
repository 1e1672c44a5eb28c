"""`crossvault log`: what left, as the vault and the holders wrote it down before it left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click

from proofs.canonical import format_instant, parse_instant
from proofs.errors import EncodingError
from vault.cli.options import identity_option, say
from vault.cli.release_view import gap, short
from vault.cli.show import print_list
from vault.client.records import RecordView, keepers_for, list_records
from vault.errors import UnavailableError
from vault.identity import Identity
from vault.pki import now_utc

_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([dhm])")
_LINES: Final = 8
"""Up to so many records of one bundle have a line each; `--json` always has them all."""
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


class _Since(click.ParamType[datetime]):
    """A day, an instant, or how long ago."""

    name = "since"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read `2026-01-31`, `2026-01-31T08:00:00Z`, or `7d`, `12h`, `30m` ago."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        span = _SPAN.fullmatch(text)
        if span is not None:
            return now_utc() - timedelta(**{_UNITS[span[2]]: int(span[1])})
        try:
            if "T" in text:
                return parse_instant(text)
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        except (EncodingError, ValueError):
            self.fail(
                f"{text[:64]!r} is no day (2026-01-31), instant (2026-01-31T08:00:00Z) or span "
                f"(7d, 12h, 30m)",
                param,
                ctx,
            )


@click.group()
def log() -> None:
    """The records of what left."""


@log.command("list")
@click.option("--since", type=_Since(), default="30d", show_default=True, metavar="DAY|SPAN")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def list_command(since: datetime, as_json: bool, caller: Path) -> None:
    """Every record you may see, oldest first.

    An auditor sees its side's, a custodian those about its documents, others their own acts.
    """
    identity = Identity.load(caller)
    sites = identity.sites()
    keepers = keepers_for(identity, sites)
    found, failed = list_records(identity, sites, keepers, since=since)
    if as_json:
        click.echo(json.dumps([_described(each) for each in found], ensure_ascii=False, indent=2))
    elif found:
        _print(found)
    else:
        say("no records")
    for keeper, error in failed:
        say(f"{short(keeper)}: {error}")
    if failed:
        # A log with a gap in it must not look whole to a script.
        raise UnavailableError(f"{len(failed)} of {len(keepers)} logs could not be read")


def _print(found: Sequence[RecordView]) -> None:
    """Two lines a record, so that it fits 80 cells, and below what each request was for."""
    print_list(
        ("time 时间", "kept by 记录方", "event 事件", "by → for 经手", "about 事由"),
        [
            (
                format_instant(each.time).replace("T", "\n"),
                f"{short(each.keeper)}\n#{each.number}" + (f"..#{last}" if more else ""),
                each.event if each.outcome == "done" else f"{each.event}\n{each.outcome}",
                short(each.actor) + (f"\n→ {short(each.recipient)}" if each.recipient else ""),
                "\n".join([f"{more + 1} documents", each.digest[:8]])
                if more
                else "\n".join(part[:8] for part in (each.document, each.digest) if part),
            )
            for each, last, more in in_lines(found)
        ],
    )
    reasons = {
        each.digest: (each.purpose, each.legal_basis)
        for each in found
        if each.purpose or each.legal_basis
    }
    if reasons:
        gap()
        print_list(
            ("request 申请", "purpose 目的", "legal basis 法律依据"),
            [(digest[:8], *reason) for digest, reason in reasons.items()],
        )


def in_lines(found: Sequence[RecordView]) -> Iterator[tuple[RecordView, int, int]]:
    """A line's first record, its last one's number, and how many more there are.

    A bundle about many documents has a record for each of them, all alike but for the document.
    """
    for _, group in groupby(found, key=_same_bundle):
        records = list(group)
        if len(records) > _LINES:
            yield records[0], records[-1].number, len(records) - 1
        else:
            yield from ((each, each.number, 0) for each in records)


def _same_bundle(record: RecordView) -> tuple[str, ...]:
    apart = "" if record.event == "bundle.issued" else str(record.number)
    return record.keeper, record.event, record.digest, record.artefact, apart


def _described(record: RecordView) -> dict[str, Any]:
    return {
        "kept_by": record.keeper,
        "number": record.number,
        "time": format_instant(record.time),
        "event": record.event,
        "actor": record.actor,
        "recipient": record.recipient,
        "digest": record.digest,
        "document": record.document,
        "version": record.version,
        "purpose": record.purpose,
        "legal_basis": record.legal_basis,
        "outcome": record.outcome,
        "artefact": record.artefact,
    }
