"""How requests for proofs are shown: to anybody as they were asked, to a custodian what it signs.

What stands in a custodian's table is read from the bytes that are signed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from proofs.canonical import format_instant
from proofs.facts import FactList
from proofs.render import numbered
from proofs.request import Request
from proofs.selection import Selection
from vault.cli.lists import set_lines
from vault.cli.show import Row
from vault.client import consent
from vault.client.requests import RequestView

_NAMED = 20
"""Assets that are shown of a long list; `--json` has them all."""


def about(view: RequestView, *, facts: bool = True) -> list[Row]:
    """A request as it was asked; its facts may come elsewhere."""
    asked = Request.parse(view.request)
    return [
        ("request", view.digest),
        ("state", view.state),
        ("why", view.detail),
        ("asked by", view.asker),
        ("for", asked.audience),
        ("purpose", asked.purpose),
        ("asset" if asked.selection is None else "about", assets_of(asked)),
        *([("facts", numbered(asked.facts))] if facts else []),
        ("sets", "\n".join(f"@{each.name} {each.digest[:16]}" for each in asked.sets)),
        ("nonce", asked.nonce or "none"),
        ("made", format_instant(asked.created)),
        ("expires", format_instant(asked.expires)),
    ]


def consent_rows(prepared: consent.Consent, view: RequestView) -> list[Row]:
    """What a grant over documents by alias signs, and how each fact stands."""
    asked = prepared.request
    facts = FactList.parse_canonical(asked.facts, prepared.subjects)
    return [
        ("request", asked.digest),
        ("state", view.state),
        ("why", view.detail),
        ("asked by", prepared.asker.uri),
        ("for", asked.audience),
        ("purpose", asked.purpose),
        *_document_rows(prepared.documents),
        ("facts", numbered(_fact_line(each.text, prepared.outlooks) for each in facts)),
        ("sets", set_lines(prepared.sets)),
        ("nonce", asked.nonce or "none"),
        ("expires", format_instant(asked.expires)),
    ]


def assets_of(asked: Request, *, brief: bool = False) -> str:
    """What a request is about, a line for each of a few documents."""
    if asked.selection is not None:
        if brief and asked.selection.assets is not None:
            return f"{len(asked.selection.assets):,} assets"
        return asked_about(asked.selection)
    if brief:
        return "\n".join(each.asset for each in asked.documents)
    if len(asked.documents) == 1:
        return asked.documents[0].asset
    return "\n".join(f"{each.alias}: {each.asset}" for each in asked.documents)


def _document_rows(documents: Sequence[consent.OwnDocument]) -> list[Row]:
    """Four rows for one document; for several a row each, which begins with the alias."""
    rows: list[Row] = []
    for each in documents:
        attested = each.attestation
        lines = [
            ("asset", attested.asset),
            (
                "document" if len(documents) == 1 else "id",
                f"{attested.document} version {attested.version}",
            ),
            ("schema", f"{each.schema.title_en} {each.schema.title_zh}"),
            ("as of", str(attested.as_of)),
        ]
        if len(documents) == 1:
            rows += lines
        else:
            # Never the alias alone: it is the asker's word, and could be `purpose`.
            named = [("alias", each.alias), *lines]
            rows.append(("document", "\n".join(f"{label} {value}" for label, value in named)))
    return rows


def _fact_line(text: str, outlooks: Mapping[str, str | None]) -> str:
    if text not in outlooks:
        return text
    detail = outlooks[text]
    return f"{text}   [holds]" if detail is None else f"{text}   [CANNOT BE PROVEN: {detail}]"


def described(view: RequestView) -> dict[str, object]:
    """A request for machines."""
    return {
        "digest": view.digest,
        "state": view.state,
        "asker": view.asker,
        "submitted": _instant(view.submit_time),
        "detail": view.detail,
        "request": json.loads(view.request),
    }


def _instant(moment: datetime) -> str:
    return format_instant(moment.replace(microsecond=0))


def asked_about(selection: Selection) -> str:
    """What a request says of its list, in a few lines."""
    if selection.assets is not None:
        more = len(selection.assets) - _NAMED
        shown = [*selection.assets[:_NAMED], *([f"and {more:,} more"] if more > 0 else [])]
        return "\n".join([f"{len(selection.assets):,} assets, each of which it names:", *shown])
    if selection.spv is not None and selection.period is not None:
        first, last = selection.period
        return f"the list of a manifest of {selection.spv}, {first}..{last}"
    return "a list that the custodian chooses"
