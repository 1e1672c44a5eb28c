"""Which documents the terms of a selection mean, over attestations in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import bundles
from support.bundles import NOW

from proofs.attestation import AsOf
from proofs.errors import SchemaError
from proofs.schema import Schema
from vault.client.attestations import OwnAttestation
from vault.client.choice import Choice, newest_by_asset
from vault.errors import InvalidInputError, NotFoundError

HOUR = timedelta(hours=1)
BASE = bundles.parts().attested


def schema() -> Schema:
    """Plants with a public `spv` and a public number beside what the sample has."""
    authored = json.loads(bundles.SCHEMA_TEXT)
    label = {"en": "x", "zh": "某"}
    authored["attributes"] += [
        {"name": "spv", "label": label, "type": "name", "class": "public", "optional": True},
        {"name": "block", "label": label, "type": "integer", "class": "public", "unit": "",
         "min": "0", "max": "99", "optional": True},
    ]  # fmt: skip
    return Schema.parse(Schema.from_author(json.dumps(authored).encode()))


def document(
    number: int,
    *,
    asset: str | None = None,
    day: date = date(2026, 6, 1),
    attested: timedelta = -HOUR,
    valid: timedelta = 90 * bundles.DAY,
    **public: object,
) -> OwnAttestation:
    made = replace(
        BASE,
        document=f"{number:032x}",
        asset=asset or f"cn-pv-{number:04d}",
        as_of=AsOf.day(day),
        attested_at=NOW + attested,
        valid_until=NOW + valid,
    )
    return OwnAttestation(b"", made, public)  # type: ignore[arg-type]


def numbers(found: Sequence[OwnAttestation]) -> list[int]:
    return [int(each.attestation.document, 16) for each in found]


def pick(
    documents: Sequence[OwnAttestation], *terms: str, listed: Sequence[str] | None = None
) -> list[int]:
    return numbers(Choice.parse(terms, schema(), listed=listed).pick(documents, now=NOW))


BOOK = [
    document(1, spv="harbour", province="Guangdong"),
    document(2, spv="harbour", province="Anhui"),
    document(3, spv="pearl", province="Guangdong", day=date(2025, 12, 31)),
    document(4, province="Jiangsu", asset="cn-wind-0004", block=7),
]

MEANT = {
    ("all",): [1, 2, 3, 4],
    ("spv=Harbour",): [1, 2],
    ("spv=harbour", "spv=PEARL"): [1, 2, 3],
    ("spv=harbour", "province=Guangdong"): [1],
    ("asset=cn-pv-*",): [1, 2, 3],
    ("asset=cn-pv-0002",): [2],
    ("asset=cn-pv-0002", "asset=cn-wind-*"): [2, 4],
    ("asset=*",): [1, 2, 3, 4],
    ("as_of=2026-01-01..2026-06-30",): [1, 2, 4],
    ("as_of=2025-12-31",): [3],
    ("block=7",): [4],
    ("all", "spv=pearl"): [3],
}


@pytest.mark.parametrize("terms", MEANT, ids=" ".join)
def test_terms_of_different_names_all_hold_and_of_one_name_any(terms: tuple[str, ...]) -> None:
    """Public attributes are compared as their type normalises them."""
    assert pick(BOOK, *terms) == MEANT[terms]


NO_TERM = {
    "everything": (InvalidInputError, "cannot read"),
    "spv=": (InvalidInputError, "cannot read"),
    "=harbour": (InvalidInputError, "no attribute"),
    "owner=Zhang": (InvalidInputError, "personal"),
    "capacity=20": (InvalidInputError, "public"),
    "spw=harbour": (InvalidInputError, "public ones are: province, spv, block"),
    "province=Peking": (SchemaError, "members"),
    "block=100": (SchemaError, "greatest"),
    "asset=cn pv*": (Exception, "asset"),
    "as_of=2026": (InvalidInputError, "not a day"),
    "as_of=2026-02-30": (InvalidInputError, "not a day"),
    "as_of=2026-06-30..2026-01-01": (InvalidInputError, "not a day"),
}


@pytest.mark.parametrize("term", NO_TERM)
def test_what_is_no_term_is_refused(term: str) -> None:
    """Naming what is wrong; documents are chosen by what is public alone."""
    kind, reason = NO_TERM[term]
    with pytest.raises(kind, match=reason):
        Choice.parse([term], schema())


def test_nothing_meant_is_no_selection() -> None:
    """An empty list proves nothing: it is refused here already."""
    with pytest.raises(NotFoundError, match="meant"):
        pick(BOOK, "spv=nobody")
    with pytest.raises(NotFoundError, match="meant"):
        pick([document(1, valid=timedelta(0))], "all")


def test_a_list_must_be_found_whole() -> None:
    """Each asset that is missing is named, an expired document counts as none."""
    book = [*BOOK, document(5, valid=timedelta(0))]
    assert pick(book, listed=["cn-pv-0003", "cn-pv-0001"]) == [1, 3]
    with pytest.raises(NotFoundError, match=r"about cn-pv-0005, cn-pv-0009$"):
        pick(book, listed=["cn-pv-0001", "cn-pv-0005", "cn-pv-0009"])
    with pytest.raises(NotFoundError, match="cn-pv-0003"):
        pick(book, "spv=harbour", listed=["cn-pv-0001", "cn-pv-0003"])


def test_of_an_asset_the_document_that_was_attested_last_counts() -> None:
    """Before public attributes are looked at: what a plant was once is not what it is."""
    old = document(1, asset="a", attested=-2 * HOUR, spv="harbour")
    new = document(2, asset="a", spv="pearl")
    for book in ([old, new], [new, old]):
        assert pick(book, "all") == [2]
        assert pick(book, "spv=pearl") == [2]
        with pytest.raises(NotFoundError):
            pick(book, "spv=harbour")


def test_of_several_periods_each_has_its_documents() -> None:
    """Days are looked at first: a later report does not hide that of the period asked about."""
    first = document(1, asset="a", day=date(2026, 3, 31), attested=-2 * HOUR)
    second = document(2, asset="a", day=date(2026, 6, 30))
    assert pick([first, second], "as_of=2026-01-01..2026-03-31") == [1]
    assert pick([first, second], "as_of=2026-01-01..2026-06-30") == [2]


def test_two_of_one_asset_at_the_same_time_are_refused_if_meant() -> None:
    """None of them is the newer one: the choice is a person's."""
    tied = [document(1, asset="a"), document(2, asset="a"), document(3, asset="b")]
    with pytest.raises(InvalidInputError, match="about a were attested at the same time"):
        pick(tied, "all")
    assert pick(tied, listed=["b"]) == [3]
    later = document(4, asset="a", attested=timedelta(0))
    assert pick([*tied, later], "all") == [3, 4]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 50)), max_size=14, unique=True))
def test_newest_by_asset_agrees_with_the_plain_reading(book: list[tuple[int, int]]) -> None:
    """Of any documents at distinct times the greatest time of each asset, in any order."""
    documents = [
        document(place, asset=f"a{asset}", attested=timedelta(seconds=moment))
        for place, (asset, moment) in enumerate(book)
    ]
    expected = {
        f"a{asset}": max(moment for other, moment in book if other == asset) for asset, _ in book
    }
    found = {
        each.attestation.asset: int((each.attestation.attested_at - NOW).total_seconds())
        for each in newest_by_asset(documents)
    }
    assert expected == found
