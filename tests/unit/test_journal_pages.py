"""Records in pages: each under its own number, and no page counted from the first record."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import or_

from proofs.principal import Principal
from vault.app.journal import list_records, scope_of
from vault.storage.database import open_database
from vault.storage.journal import Entry, Journal, Record, _branches
from vault.storage.tables.records import catalog_records

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def uri(side: str, role: str, name: str) -> Principal:
    return Principal("rwa.example", side, role, name)


BANK, TRUST = uri("cn", "custodian", "bank"), uri("cn", "custodian", "trust")
SPV, OTHER = uri("hk", "spv", "issuer"), uri("hk", "spv", "other")
VAULT = uri("cn", "vault", "main")
ENTRY = Entry("bundle.issued", NOW, SPV.uri, recipient="an investor", owner=BANK.uri)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    database = open_database(tmp_path / "catalog.db", "catalog")
    yield Journal(database, catalog_records)
    database.close()


@pytest.mark.parametrize("who", ["spv", "custodian", "auditor of hk", "auditor of cn"])
@pytest.mark.parametrize("size", [1, 3, 40])
def test_pages_give_what_one_count_of_all_gives(journal: Journal, who: str, size: int) -> None:
    """Every record once, under its own number, wherever pages end: whether the journal knows where
    the last page ended or counts from the first record, as after a start."""
    drawn = random.Random(7)
    for version in range(60):
        actor, recipient = (drawn.choice([SPV, OTHER, BANK, TRUST]).uri for _ in range(2))
        owner = drawn.choice(["", BANK.uri, TRUST.uri])
        hidden = drawn.random() < 0.3
        journal.append(
            replace(
                ENTRY,
                version=version,
                actor=actor,
                recipient=recipient,
                owner=owner,
                confidential=hidden,
            )
        )
    caller = {
        "spv": SPV,
        "custodian": BANK,
        "auditor of hk": uri("hk", "auditor", "audit"),
        "auditor of cn": uri("cn", "auditor", "audit"),
    }[who]
    scope = scope_of(caller, VAULT)
    whole = journal._counted(scope, or_(*_branches(catalog_records, scope)), None, 0, 1000)
    assert [each.number for each in whole] == list(range(1, len(whole) + 1))

    def pages(since: datetime | None, forget: bool) -> list[Record]:
        found: list[Record] = []
        token = ""
        while not found or token:
            if forget:
                journal._places.clear()
            page = list_records(
                journal,
                caller=caller,
                server=VAULT,
                since=since,
                page_size=size,
                page_token=token,
            )
            found += page.records
            token = page.next_token
        return found

    for since in (None, NOW):
        for forget in (False, True):
            shown = [(each.number, each.entry.version) for each in pages(since, forget)]
            assert shown == [(each.number, each.entry.version) for each in whole]


def test_a_page_is_found_without_counting_from_the_first(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bundle has thousands of records: a list of them in pages must not read all for each."""
    for _ in range(9):
        journal.append(ENTRY)
    monkeypatch.setattr(Journal, "_counted", lambda *_: pytest.fail("counted"))
    found, token = [], ""
    while not found or token:
        page = list_records(
            journal, caller=SPV, server=VAULT, since=None, page_size=2, page_token=token
        )
        found += [each.number for each in page.records]
        token = page.next_token
    assert found == list(range(1, 10))
