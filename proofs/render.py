"""The verdict as a person reads it, and as a machine does.

A table of two columns that holds in 80 cells, Chinese text included: a wide character takes two
cells, and rich counts them. Texts of other parties stand in it as plain text, never as markup.
`inspect` prints the same table of what a bundle claims, headed and ended by the word unverified.
It renders what it is given and checks nothing.

SPEC.md, "Commands".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proofs.attestation import Attestation
from proofs.bundle import Bundle
from proofs.canonical import format_instant
from proofs.context import Context
from proofs.errors import CrossproofError
from proofs.grant import Grant
from proofs.ids import digest_of
from proofs.named_set import describe
from proofs.render_selection import claimed_selection, selection_json, selection_rows
from proofs.schema import Schema
from proofs.trust import Signer, Trust
from proofs.verify import Verified
from proofs.verify_documents import VerifiedDocument
from proofs.verify_sets import VerifiedSet

Row = tuple[str, str | Sequence[str] | Table]


def print_table(console: Console, rows: Iterable[Row], *, style: str = "bold") -> None:
    """Label and value, one below the other; a value may be several lines."""
    table = _grid()
    for label, value in rows:
        shown = value if isinstance(value, Table) else _text(value)
        table.add_row(Text(label, style=style), shown)
    console.print(table)


def _grid() -> Table:
    """Two columns. What does not fit on a line goes on below its own column, never at its left."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _text(value: str | Sequence[str]) -> Text:
    return Text(value if isinstance(value, str) else "\n".join(value))


def numbered(facts: Iterable[str]) -> Table:
    """Facts behind their numbers. A long text in one of them begins no line as a number does."""
    table = _grid()
    for number, fact in enumerate(facts, 1):
        table.add_row(f"{number}.", Text(fact))
    return table


def print_verified(console: Console, verified: Verified) -> None:
    """The table of a bundle that was verified, and the verdict."""
    about: list[Row] = (
        _document_rows([(e.alias, e.attestation, e.schema) for e in verified.documents])
        if verified.selection is None
        else [*selection_rows(verified.selection, verified.facts)]
    )
    rows: list[Row] = [
        *about,
        ("Facts 事实", numbered(verified.facts)),
    ]
    if verified.met:
        rows.append(("Required 要求", [f"{each.asset}: {each.fact}" for each in verified.met]))
    if verified.sets:
        rows.append(("Sets 名单", [line for each in verified.sets for line in _set_lines(each)]))
    rows += [
        ("Attested 证明方", _signer(verified.custodian)),
        ("Signed 签署于", _signed(_attested(verified))),
        *_context_rows(verified.context, verified.grant),
    ]
    print_table(console, rows)
    console.print(
        Text("VERIFIED 已验证", style="bold green"),
        Text(f"at {_instant(verified.checked_at)}"),
    )


def print_refused(console: Console, error: CrossproofError) -> None:
    """The verdict and the reason, which may quote the bundle and so stays in its own column."""
    verdict = f"NOT VERIFIED 未通过验证 ({error.reason}):"
    print_table(console, [(verdict, str(error))], style="bold red")


def print_claims(console: Console, bundle: Bundle) -> None:
    """What a bundle says of itself. Nothing of it was checked, and the table says so twice."""
    grant = Grant.parse(bundle.grant.unverified_payload)
    schemas = {digest_of(each): Schema.parse(each) for each in bundle.schemas}
    attested = [Attestation.parse(each.envelope.unverified_payload) for each in bundle.documents]
    about: list[Row] = _document_rows(
        [
            (entry.alias, each, schemas.get(each.schema))
            for entry, each in zip(bundle.documents, attested, strict=True)
        ]
    )
    keys = {each.envelope.keyid for each in bundle.documents}
    instants = [each.attested_at for each in attested]
    if bundle.selection is not None:
        lines, instants = claimed_selection(bundle, bundle.selection)
        about, keys = [*lines], {bundle.selection.keyid}
    heading = Text("UNVERIFIED 未经验证: this is only what the file says", style="bold yellow")
    console.print(heading)
    rows: list[Row] = [*about, ("Facts 事实", numbered(bundle.facts))]
    if bundle.sets:
        sets = [line for each in bundle.sets for line in (f"@{each.name}", each.digest)]
        rows.append(("Sets 名单", sets))
    rows += [
        ("Attested 证明方", sorted(keys)),
        ("Signed 签署于", _signed(instants)),
        *_context_rows(bundle.context, grant),
        ("Schema 模式", list(schemas)),
        ("Proof 证明", f"{len(bundle.proof)} bytes"),
    ]
    print_table(console, rows)
    console.print(Text("UNVERIFIED 未经验证: check it with crossproof verify", style="bold yellow"))


def print_trust(console: Console, trust: Trust) -> None:
    """Whom a trust file pins, for what, and until when."""
    for custodian in trust.custodians:
        rows: list[Row] = [
            ("Custodian 托管", _signer(custodian)),
            (
                "Valid 有效期",
                _span(custodian.valid_from, custodian.valid_until),
            ),
            ("Assets 资产", sorted(custodian.assets) or "none: allows nothing"),
            ("Schemas 模式", sorted(custodian.schemas) or "none: allows nothing"),
        ]
        print_table(console, rows)
        console.print()
    for authority in trust.authorities:
        sets = [
            f"@{each.name} from version {each.least_version}"
            for each in trust.sets
            if each.authority == authority.keyid
        ]
        rows = [
            ("Authority 名录", _signer(authority)),
            (
                "Valid 有效期",
                _span(authority.valid_from, authority.valid_until),
            ),
            ("Sets 名单", sets or "none: none of its sets is accepted"),
        ]
        print_table(console, rows)
        console.print()


def verified_json(verified: Verified) -> dict[str, object]:
    """The same for machines."""
    context = verified.context
    documents = [{"alias": each.alias} | _document_json(each) for each in verified.documents]
    # One document's fields stand at the top too, where they stood before there were several.
    only = _document_json(verified.documents[0]) if len(documents) == 1 else {}
    listed = {} if verified.selection is None else selection_json(verified.selection)
    selected: dict[str, object] = {"selection": listed} if listed else {}
    return {
        "verified": True,
        "bundle": verified.bundle,
        **only,
        "documents": documents,
        **selected,
        "facts": list(verified.facts),
        "required": [
            {"fact": each.fact, "asset": each.asset, "alias": each.alias} for each in verified.met
        ],
        "sets": [
            {
                "name": each.named.name,
                "version": each.named.header.version,
                "as_of": each.named.header.as_of.isoformat(),
                "issued": format_instant(each.named.header.issued),
                "digest": each.named.header.digest,
                "authority": _signer_json(each.authority),
                "match": "exact",
                "rebuilt_from": each.named.rebuilt_from or None,
            }
            for each in verified.sets
        ],
        "attested_by": _signer_json(verified.custodian),
        "attested_at": format_instant(max(_attested(verified))),
        "asked_by": verified.grant.asker.uri,
        "audience": context.audience,
        "purpose": context.purpose,
        "nonce": context.nonce,
        "request": context.request,
        "not_before": format_instant(context.not_before),
        "expires": format_instant(context.expires),
        "checked_at": format_instant(verified.checked_at),
    }


def refused_json(error: CrossproofError) -> dict[str, object]:
    """A refusal for machines: `reason` is stable, `message` is for people."""
    return {"verified": False, "reason": error.reason, "message": str(error)}


def schema_digest(schema: Schema) -> str:
    """What requests and trust files call the schema."""
    return digest_of(schema.encode())


def _document_rows(documents: Sequence[tuple[str, Attestation, Schema | None]]) -> list[Row]:
    """Three rows for one document; for several a row each, headed by the alias facts use."""
    rows: list[Row] = []
    for alias, attestation, schema in documents:
        as_of = f"{attestation.as_of} ({schema.time_zone if schema else 'time zone unknown'})"
        lines = [
            f"{schema.title_en} {schema.title_zh}" if schema else "schema not in the file",
            f"{attestation.document}, version {attestation.version}",
        ]
        if len(documents) == 1:
            rows += [
                ("Asset 资产", attestation.asset),
                ("Document 文件", lines),
                ("As of 截至", as_of),
            ]
        else:
            title = alias if len(alias) <= 20 else f"{alias[:19]}…"
            named = [] if title == alias else [alias]
            rows.append((f"文件 {title}", [*named, attestation.asset, *lines, as_of]))
    return rows


def _document_json(document: VerifiedDocument) -> dict[str, object]:
    attestation = document.attestation
    return {
        "asset": attestation.asset,
        "document": attestation.document,
        "version": attestation.version,
        "schema": {"name": document.schema.name, "digest": attestation.schema},
        "as_of": {
            "from": attestation.as_of.first.isoformat(),
            "to": attestation.as_of.last.isoformat(),
        },
    }


def _attested(verified: Verified) -> list[datetime]:
    """When the attestations were made; of a selection the first and the last instant."""
    if verified.selection is not None:
        return list(verified.selection.attested_at)
    return [each.attestation.attested_at for each in verified.documents]


def _signed(instants: Sequence[datetime]) -> str:
    first, last = min(instants), max(instants)
    return _instant(first) if first == last else _span(first, last)


def _signer(signer: Signer) -> list[str]:
    return [signer.name_en, signer.name_zh, signer.keyid]


def _signer_json(signer: Signer) -> dict[str, object]:
    return {"name_en": signer.name_en, "name_zh": signer.name_zh, "key": signer.keyid}


def _set_lines(each: VerifiedSet) -> list[str]:
    header, source = each.named.header, each.named.rebuilt_from
    return [
        f"@{header.name} version {header.version}, as of {header.as_of.isoformat()}",
        f"  {header.count} of type {describe(header.type)}; exact match only 仅精确匹配",
        f"  by {each.authority.name_en} {each.authority.name_zh}",
        *([f"  rebuilt 已重建 from {source}: the same list"] if source else []),
    ]


def _context_rows(context: Context, grant: Grant) -> list[Row]:
    return [
        ("For 对象", context.audience),
        ("Purpose 用途", context.purpose),
        ("Asked by 申请方", grant.asker.uri),
        ("Request 请求", context.request),
        ("Valid 有效期", _span(context.not_before, context.expires)),
    ]


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _span(first: datetime, last: datetime) -> str:
    return f"{_instant(first)} to {_instant(last)}"
