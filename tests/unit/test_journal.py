"""Records: before anything leaves, without gaps, shown to those whose business they are."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.broken_disk import FULL, READ_ONLY, broken
from support.release_world import World, make_world

from proofs.principal import Principal
from vault.app.journal import list_records, scope_of
from vault.client.release import OwnRelease
from vault.errors import InvalidInputError, UnavailableError
from vault.release_model import HolderAnswer
from vault.storage.database import open_database
from vault.storage.journal import Entry, Journal, Record, Scope
from vault.storage.tables.records import catalog_records

EVERYTHING = Scope(everything=True)
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


def seen(journal: Journal, caller: Principal, server: Principal = VAULT) -> list[int]:
    """The true places of what a caller sees, from 1: the tests append them in `version`."""
    found = journal.read(scope_of(caller, server), since=None, after=0, limit=1000)
    assert [record.number for record in found] == list(range(1, len(found) + 1))
    return [record.entry.version for record in found]


# --- the journal itself -------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was_written(journal: Journal) -> None:
    """Every field survives, under numbers from 1."""
    entry = Entry(
        event="share.released",
        time=NOW,
        actor=SPV.uri,
        recipient=OTHER.uri,
        owner=BANK.uri,
        digest="a" * 64,
        document="b" * 32,
        version=3,
        purpose="年度审计",
        legal_basis="PIPL Art. 38",
        outcome="done",
        artefact="c" * 64,
        confidential=True,
    )
    assert journal.append(entry) == Record(1, entry)
    assert journal.read(EVERYTHING, since=None, after=0, limit=10) == [Record(1, entry)]


def test_numbers_have_no_gaps(journal: Journal) -> None:
    """A transaction that was undone leaves no gap that would look like a record taken out."""
    journal.append(ENTRY)
    with suppress(ZeroDivisionError), journal._database.write() as connection:
        journal.append_in(connection, ENTRY)
        raise ZeroDivisionError
    with journal._database.write() as connection:
        journal.append_all(connection, [ENTRY, ENTRY])
    journal.append(ENTRY)
    assert [r.number for r in journal.read(EVERYTHING, since=None, after=0, limit=10)] == [
        1,
        2,
        3,
        4,
    ]


def test_records_since_a_time_page_by_page(journal: Journal) -> None:
    """`since` includes its own moment; pages follow one another and end with an empty token."""
    for hours in range(5):
        journal.append(replace(ENTRY, time=NOW + timedelta(hours=hours)))
    auditor = uri("cn", "auditor", "audit")

    def page(token: str, size: int = 2) -> tuple[list[int], str]:
        found = list_records(
            journal,
            caller=auditor,
            server=VAULT,
            since=NOW + timedelta(hours=1),
            page_size=size,
            page_token=token,
        )
        return [record.number for record in found.records], found.next_token

    assert page("") == ([2, 3], "3")
    assert page("3") == ([4, 5], "")
    assert page("", 0) == ([2, 3, 4, 5], "")
    for token, size in (("x", 1), ("-1", 1), ("1" * 40, 1), ("", 1001)):
        with pytest.raises(InvalidInputError):
            page(token, size)


# --- who sees what ------------------------------------------------------------------------------


def test_everybody_sees_their_own_acts(journal: Journal) -> None:
    """A custodian sees what is about its documents, an SPV what it did or got, nobody more."""
    journal.append(replace(ENTRY, version=1))
    journal.append(replace(ENTRY, version=2, actor=OTHER.uri))
    journal.append(replace(ENTRY, version=3, actor=OTHER.uri, recipient=SPV.uri, owner=TRUST.uri))
    assert seen(journal, SPV) == [1, 3]
    assert seen(journal, OTHER) == [2, 3]
    assert seen(journal, BANK) == [1, 2]
    assert seen(journal, TRUST) == [3]
    assert seen(journal, uri("cn", "officer", "wang")) == []


def test_auditors_see_their_side(journal: Journal) -> None:
    """The vault's own auditors see all; the other side's, what their side did or received."""
    journal.append(replace(ENTRY, version=1))
    journal.append(replace(ENTRY, version=2, actor=BANK.uri))
    assert seen(journal, uri("cn", "auditor", "audit")) == [1, 2]
    assert seen(journal, uri("hk", "auditor", "audit")) == [1]
    # At a holder of Hong Kong it is the other way round.
    holder = uri("hk", "holder", "h1")
    assert seen(journal, uri("hk", "auditor", "audit"), holder) == [1, 2]
    assert seen(journal, uri("cn", "auditor", "audit"), holder) == [2]


def test_confidential_records_stay_with_the_custodian(journal: Journal) -> None:
    """What would tell an asker why it was declined is not in the records that it can read."""
    journal.append(replace(ENTRY, version=1, outcome="FALSE", confidential=True))
    assert seen(journal, SPV) == []
    assert seen(journal, uri("hk", "auditor", "audit")) == []
    assert seen(journal, BANK) == [1]
    assert seen(journal, uri("cn", "auditor", "audit")) == [1]


def test_numbers_do_not_tell_what_a_caller_does_not_see(journal: Journal) -> None:
    """A gap would show an asker that its request was looked at: what nobody decided leaves none."""
    for decided in (0, 1, 3):
        journal.append(replace(ENTRY, event="release.requested", purpose=f"after {decided}"))
        for _ in range(decided):
            journal.append(replace(ENTRY, event="request.denied", confidential=True))
    shown = [
        list_records(journal, caller=SPV, server=VAULT, since=since, page_size=1, page_token=token)
        for since in (None, NOW)
        for token in ("", "1", "2")
    ]
    numbers = [[record.number for record in page.records] for page in shown]
    assert numbers == [[1], [2], [3]] * 2
    assert [page.next_token for page in shown] == ["1", "2", ""] * 2
    later = journal.append(replace(ENTRY, purpose="later", time=NOW + timedelta(hours=1)))
    assert later.number == 8
    (found,) = journal.read(
        scope_of(SPV, VAULT), since=NOW + timedelta(minutes=1), after=0, limit=9
    )
    assert found.number == 4


def test_a_side_is_a_whole_path_component(journal: Journal) -> None:
    """`%` or `_` in a name match nothing but themselves, and a prefix of a name nobody."""
    journal.append(replace(ENTRY, actor="spiffe://rwa.example/hkx/spv/issuer", owner=""))
    assert seen(journal, uri("hk", "auditor", "audit")) == []


# --- nothing leaves without its record ----------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "world", holders=2)
    yield made
    made.close()


def approved(world: World) -> OwnRelease:
    own = world.ask(world.put())
    for side in ("cn", "hk"):
        world.decide(side, own)
    return own


def fill(journal: Journal) -> None:
    """Write until the disk is full."""
    with suppress(UnavailableError):
        for _ in range(10_000):
            journal.append(ENTRY)
        pytest.fail("the disk is never full")


@pytest.mark.parametrize("fault", [READ_ONLY, FULL])
def test_a_holder_that_cannot_write_releases_nothing(world: World, fault: str) -> None:
    """With its database read-only or its disk full a holder keeps its share, and gives it later."""
    own = approved(world)
    holder = world.holders[0]
    with broken(holder.store.database, fault):
        if fault == FULL:
            fill(holder.store.journal)
        with pytest.raises(UnavailableError, match="nothing leaves") as caught:
            holder.releases.release(own.request.digest)
    assert caught.value.reason == "RECORD_NOT_WRITTEN"
    assert holder.store.released(own.request.digest) is None
    assert holder.releases.release(own.request.digest).sealed_share


@pytest.mark.parametrize("fault", [READ_ONLY, FULL])
def test_a_vault_that_cannot_write_passes_nothing_on(world: World, fault: str) -> None:
    """Shares that holders released stay with the vault until it has written them down."""
    own = approved(world)
    with broken(world.store.database, fault):
        if fault == FULL:
            fill(world.store.journal)
        with pytest.raises(UnavailableError, match="nothing leaves"):
            world.releases.collect(world.spv.principal, own.request.digest)
    collected = world.releases.collect(world.spv.principal, own.request.digest)
    gone = [holder.store.released(own.request.digest) for holder in world.holders]
    assert [answer.sealed_share for answer in collected.holders] == [
        share.sealed_share for share in gone if share is not None
    ]


def test_the_record_is_on_the_disk_when_the_share_leaves(world: World) -> None:
    """Another connection to the file sees the record before the holder's answer is passed on."""
    own = approved(world)
    holder = world.holders[0]
    seen: list[tuple[str, str]] = []

    def watch(answer: HolderAnswer) -> HolderAnswer:
        with sqlite3.connect(holder.folder / "shares.db") as connection:
            query = "SELECT event, artefact FROM records ORDER BY number DESC LIMIT 1"
            seen.append(connection.execute(query).fetchone())
        return answer

    holder.tamper = watch
    answer = world.releases.collect(world.spv.principal, own.request.digest).holders[0]
    assert seen == [("share.released", hashlib.sha256(answer.sealed_share).hexdigest())]


def test_what_the_records_of_a_release_say(world: World) -> None:
    """Vault and holders each say who asked, what for, on which basis, and which bytes went."""
    own = approved(world)
    collected = world.releases.collect(world.spv.principal, own.request.digest)
    shares = {a.holder: hashlib.sha256(a.sealed_share).hexdigest() for a in collected.holders}
    vault = world.store.journal.read(EVERYTHING, since=None, after=0, limit=100)
    entries = [record.entry for record in vault if record.entry.digest == own.request.digest]
    assert [entry.event for entry in entries] == ["release.requested"] + ["share.relayed"] * 4
    assert {entry.actor: entry.artefact for entry in entries[1:]} == shares
    for holder in world.holders:
        records = holder.store.journal.read(EVERYTHING, since=None, after=0, limit=100)
        entries += [record.entry for record in records]
        assert [record.entry.event for record in records] == [
            "release.requested",
            "release.approved",
            "share.released",
        ]
        assert records[-1].entry.artefact == shares[holder.uri]
    said = {
        (e.recipient, e.owner, e.document, e.version, e.purpose, e.legal_basis, e.outcome)
        for e in entries
    }
    request = own.request
    assert said == {
        (
            world.spv.uri,
            world.custodian.uri,
            request.document,
            request.version,
            request.purpose,
            request.legal_basis,
            "done",
        )
    }
