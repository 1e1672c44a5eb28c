"""What a statement over a selection may cost, judged before it is made or proven."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest
from support.bundles import NOW

from proofs import list_statement
from proofs.attestation import AsOf
from proofs.errors import FactError
from proofs.facts import FactList
from proofs.list_statement import ListStatement, compile_list
from proofs.listing import Listing, Row
from proofs.schema import Schema
from proofs.selection import MAX_LISTED
from proofs.statement import Statement

TOO_MUCH = "say too much over so many documents"
DAY = date(2026, 1, 1)


def _compile(facts: list[str], count: int, attributes: int = 1) -> ListStatement:
    named = [
        {"name": f"a{n}", "label": "A", "type": "integer", "class": "asset", "min": 0, "max": 10**9}
        for n in range(attributes)
    ]
    text = {"name": "t", "title": "T", "attributes": named}
    schema = Schema.parse(Schema.from_author(json.dumps(text).encode()))
    listing = Listing(
        schema=schema.digest,
        columns=tuple(range(attributes)),
        rows=tuple(
            Row(f"{n:032x}", 1, f"cn-pv-{n}", (bytes(48),) * attributes) for n in range(count)
        ),
        digest="0" * 64,
        as_of=AsOf(DAY, DAY),
        same_as_of=True,
        valid_until=NOW,
        attested=(NOW, NOW),
    )
    return compile_list(FactList.over(facts, schema), schema, listing, {})


def _written_out(count: int) -> str:
    return f"each a0 in {{{', '.join(map(str, range(1, count + 1)))}}}"


def _sum_of_all(attributes: int, number: int) -> str:
    words = " + ".join(f"sum(a{n}) * {n + 1}" for n in range(attributes))
    return f"abs({words}) * 2 <= {10**30 + number}"


@pytest.mark.parametrize(
    ("facts", "count", "attributes"),
    [
        ([_written_out(700)], MAX_LISTED, 1),
        ([_sum_of_all(24, number) for number in range(64)], MAX_LISTED, 24),
        ([f"each a0 * {10**50} + a1 >= {number}" for number in range(24)], MAX_LISTED, 2),
    ],
    ids=["a list written out", "sums of many attributes", "digits"],
)
def test_what_would_take_hours_or_gigabytes_is_refused(
    facts: list[str], count: int, attributes: int
) -> None:
    """What a bundle of some megabytes could ask for."""
    with pytest.raises(FactError, match=TOO_MUCH):
        _compile(facts, count, attributes)


def test_nothing_is_made_past_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The part that is too much is the last one."""
    parts = _compile([_written_out(30)], 320).parts
    made: list[int] = []

    def making() -> Iterator[Statement]:
        for place, part in enumerate(parts):
            made.append(place)
            yield part

    limit = sum(len(part.encode()) for part in parts[:2])
    monkeypatch.setattr(list_statement, "MAX_ENCODED", limit)
    with pytest.raises(FactError, match=TOO_MUCH):
        list_statement._bounded(making())
    assert made == [0, 1, 2]


def test_what_many_documents_need_is_allowed() -> None:
    """A short list, sums and ranges, for the most documents that there may be."""
    facts = [_written_out(30), "sum(a0) >= 5", "each a0 <= 1000000", "each a0 >= 1"]
    assert _compile(facts, MAX_LISTED).left_out == (0, 0, 0, 0)


@pytest.mark.parametrize("limit", ["MAX_DIGITS", "MAX_ENCODED"])
def test_the_bounds_are_exact(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Of all parts together, that of the sums included; one less refuses."""
    facts = ["sum(a0) >= 5", "each a0 <= 1000000", _written_out(30)]
    found = _compile(facts, 70)
    digits = sum(len(part.ranges) * part.digits for part in found.parts)
    assert found.encoded == tuple(part.encode() for part in found.parts)
    exact = {"MAX_DIGITS": digits, "MAX_ENCODED": sum(map(len, found.encoded))}
    monkeypatch.setattr(list_statement, limit, exact[limit])
    assert found == _compile(facts, 70)
    monkeypatch.setattr(list_statement, limit, exact[limit] - 1)
    with pytest.raises(FactError, match=TOO_MUCH):
        _compile(facts, 70)
