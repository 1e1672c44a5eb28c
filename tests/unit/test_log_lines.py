"""How many lines the log takes for a bundle: many documents are one, a few stay apart."""

from __future__ import annotations

from datetime import UTC, datetime

from vault.cli.log import in_lines
from vault.client.records import RecordView


def records(
    count: int, *, first: int = 1, artefact: str = "aa", **changes: str
) -> list[RecordView]:
    values: dict[str, str] = {
        "keeper": "spiffe://x/cn/vault/main",
        "event": "bundle.issued",
        "actor": "spiffe://x/hk/spv/issuer",
        "recipient": "Fund",
        "digest": "dd",
        "purpose": "P",
        "legal_basis": "",
        "outcome": "done",
    }
    return [
        RecordView(
            number=first + at,
            time=datetime(2026, 1, 1, tzinfo=UTC),
            document=f"{first + at:032x}",
            version=1,
            artefact=artefact,
            **(values | changes),
        )
        for at in range(count)
    ]


def test_a_bundle_about_many_documents_is_one_line() -> None:
    """With the first and the last number, and how many more there are."""
    found = [*records(1, artefact=""), *records(2481, first=2), *records(1, first=2483)]
    found[-1:] = records(1, first=2483, artefact="bb")
    lines = [(each.number, last, more) for each, last, more in in_lines(found)]
    assert lines == [(1, 1, 0), (2, 2482, 2480), (2483, 2483, 0)]


def test_a_few_documents_have_a_line_each() -> None:
    """And so have records that differ in what they are of."""
    assert len(list(in_lines(records(8)))) == 8
    assert len(list(in_lines(records(9)))) == 1
    apart = [*records(5), *records(5, first=6, artefact="bb"), *records(5, first=11, digest="ee")]
    assert len(list(in_lines(apart))) == 15
    assert len(list(in_lines(records(12, event="request.denied")))) == 12
