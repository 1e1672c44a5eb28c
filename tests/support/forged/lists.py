"""Selections that count something twice, leave something out, or are another list than granted.

The lists are signed and granted as they stand, by a custodian who takes part in the lie, and the
proofs are right for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from proofs import list_statement
from proofs.errors import BindingError, CrossproofError, EncodingError, GrantError, ProofError
from proofs.listing import Row
from support.bent_lists import bent, exchange, granted, repeat
from support.bundles import DAY
from support.checks import changed
from support.forgeries import register
from support.portfolio import Holding, Portfolio, holding, holdings, manifest_file, portfolio

EACH = ("each fuel in {SOLAR, WIND}",)


def _list(rows: Callable[[], Sequence[Holding]]) -> None:
    found = granted(rows())
    found.verify(found.forge())


for _name, _tries, _rows, _message in (
    (
        "a list that names an asset twice",
        "Two documents about one plant: its capacity counts for two.",
        lambda: [holding(1), holding(2, asset="cn-pv-00001")],
        "asset cn-pv-00001 stands twice",
    ),
    (
        "a list that names a document twice",
        "One attestation, byte for byte.",
        lambda: [holding(1)] * 2,
        "document .* stands twice",
    ),
    (
        "a list with two versions of a document",
        "The document and its correction, under two assets.",
        lambda: [holding(1), holding(1, version=2, asset="cn-pv-00009")],
        "document .* stands twice",
    ),
    (
        "a list in another order",
        "One list, two spellings.",
        lambda: list(holdings(3))[::-1],
        "order of its document ids",
    ),
):
    register(
        "list",
        _name,
        _tries,
        lambda rows=_rows: _list(rows),
        error=BindingError,
        message=_message,
    )


def _manifest(change: Callable[[list[Row]], None], *, sign: bool) -> None:
    file = manifest_file(holdings(3))
    found = portfolio(3, manifest=file)
    bad = replace(found, manifest=bent(file, change, sign=sign))
    if sign:
        bad.verify(bad.forge())
    else:
        rows = json.loads(bad.manifest or b"")["rows"]
        found.verify(changed(found.build(), lambda tree: tree["selection"].update(rows=rows)))


register(
    "list",
    "a manifest that names an asset twice",
    "The custodian itself signed rows in which one plant counts for two.",
    lambda: _manifest(repeat, sign=True),
    error=BindingError,
    message="stands twice",
)
register(
    "list",
    "rows of a manifest exchanged, under the old signature",
    "The commitments of one plant in the row of another.",
    lambda: _manifest(exchange, sign=False),
    error=BindingError,
    message="not those of the manifest",
)
register(
    "list",
    "rows of a manifest exchanged and signed, around the old proof",
    "The commitments of one plant in the row of another; the sum was proven about the true rows.",
    lambda: _exchanged(),
    error=GrantError,
    message="another list",
)


def _exchanged() -> None:
    file = manifest_file(holdings(3))
    found = portfolio(3, manifest=file)
    other = json.loads(bent(file, exchange, sign=True))
    found.verify(
        changed(
            found.build(),
            lambda tree: tree["selection"].update(manifest=other["envelope"], rows=other["rows"]),
        )
    )


for _name, _count in (("less", 2), ("more", 4)):
    register(
        "list",
        f"a document {_name} than was granted",
        "The custodian consented to three.",
        lambda count=_count: portfolio(3).verify(portfolio(3).forge(rows=holdings(count))),
        error=GrantError,
        message="another list",
    )


# --- parts --------------------------------------------------------------------------------------


def _parts(reorder: Callable[[list[bytes]], list[bytes]], found: Portfolio | None = None) -> None:
    """With two rows a part, for prover and verifier alike."""
    before = list_statement.PART_ROWS
    list_statement.PART_ROWS = 2  # type: ignore[misc]
    try:
        about = found or portfolio(6, facts=EACH)
        about.verify(about.forge(reorder=reorder))
    finally:
        list_statement.PART_ROWS = before  # type: ignore[misc]


Reorder = Callable[[list[bytes]], list[bytes]]
_MOVES: tuple[tuple[str, str, Reorder, type[CrossproofError]], ...] = (
    ("parts in another order", "Last things first.", lambda p: p[::-1], ProofError),
    ("a part in the place of another", "The first twice.", lambda p: [p[0], *p[:-1]], ProofError),
    ("a part cut off", "The last rows are not proven.", lambda p: p[:-1], EncodingError),
    ("a part more", "The first rows once more.", lambda p: [*p, p[0]], EncodingError),
)
for _name, _tries, _move, _error in _MOVES:
    register(
        "list",
        _name,
        _tries,
        lambda move=_move: _parts(move),
        error=_error,
        message="does not verify" if _error is ProofError else "bytes",
    )


def _of_another_bundle() -> None:
    pieces: list[bytes] = []

    def keep(proofs: list[bytes]) -> list[bytes]:
        pieces.extend(proofs)
        return proofs

    _parts(keep, portfolio(6, facts=EACH, nonce="cd" * 32))
    _parts(lambda proofs: [pieces[0], *proofs[1:]])


register(
    "list",
    "a part of another bundle",
    "The same rows and facts, for another request.",
    _of_another_bundle,
)


# --- what the list says -------------------------------------------------------------------------


def _saying(found: Portfolio, proven: tuple[str, ...]) -> None:
    data = found.forge(facts=proven)
    found.verify(changed(data, lambda tree: tree.update(facts=list(found.facts))))


register(
    "list",
    "a false count",
    "Nine are claimed, and three are there.",
    lambda: _saying(
        portfolio(3, facts=("count() >= 9", "sum(capacity) >= 1 MW")),
        ("count() >= 3", "sum(capacity) >= 1 MW"),
    ),
    error=BindingError,
    message="there are 3 documents",
)
register(
    "list",
    "a sum raised after proving",
    "At least 120 MW were proven, 900 are claimed.",
    lambda: _saying(portfolio(3, facts=("sum(capacity) >= 900 MW",)), ("sum(capacity) >= 100 MW",)),
)


def _expiry() -> None:
    found = portfolio(3)
    moved = replace(found.context, expires=found.context.expires + DAY)
    found.verify(changed(found.build(), lambda tree: tree.update(context=moved.to_json())))


register("list", "a list given another day to live", "The expiry is under no signature.", _expiry)
