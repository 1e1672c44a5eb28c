"""Bundles about a selection, made and verified: what the verdict says, what cannot be proven."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from support.bundles import DAY, NOW, named_set, schema
from support.portfolio import (
    FACTS,
    PERIOD,
    SPV,
    Portfolio,
    full,
    holding,
    holdings,
    manifest_file,
    portfolio,
)

from proofs import parts
from proofs.attestation import AsOf
from proofs.bundle import Bundle
from proofs.errors import (
    BindingError,
    CannotProveError,
    ContextError,
    EncodingError,
    FactError,
    GrantError,
)
from proofs.facts import FactList
from proofs.list_classes import check_list_facts, check_list_without_documents
from proofs.list_statement import PART_DIGITS, compile_list
from proofs.listing import Listing
from proofs.prove_list import ListedDocument, prove_selection

ALL = ("capacity", "annual_yield", "fuel", "owner")


@pytest.mark.parametrize("chosen_by", ["prover", "request", "manifest"])
def test_every_kind_of_fact_verifies(chosen_by: str) -> None:
    """Over attestations and over a manifest; the verdict says who chose, and who was left out."""
    manifest = manifest_file(holdings(5), ALL) if chosen_by == "manifest" else None
    found = full(5, chosen_by=chosen_by, manifest=manifest)
    verified = found.verify(found.build())
    listed = verified.selection
    assert listed is not None
    assert verified.documents == ()
    assert verified.facts == FACTS
    assert (listed.chosen_by, listed.count) == (chosen_by, 5)
    assert listed.assets == tuple(f"cn-pv-{number:05d}" for number in range(1, 6))
    assert listed.left_out == (0, 0, 0, 0, 0, 2)
    assert listed.same_as_of
    if chosen_by == "manifest":
        assert listed.manifest is not None
        assert (listed.manifest.serial, listed.manifest.spv) == (3, SPV)


def test_a_manifest_may_stand_where_none_was_asked_for() -> None:
    """Then the list is its, and the bundle a tenth as long."""
    found = portfolio(40, manifest=manifest_file(holdings(40)))
    data = found.build()
    verified = found.verify(data)
    assert verified.selection is not None
    assert verified.selection.chosen_by == "manifest"
    fact = ("sum(capacity) >= 40 MW",)
    whole = len(portfolio(40, facts=fact).build()) - len(portfolio(2, facts=fact).build())
    print(f"\n{whole / 38:.0f} bytes a document with attestations")
    small = portfolio(2, facts=fact, manifest=manifest_file(holdings(2)))
    per_row = (len(data) - len(small.build())) / 38
    print(f"{per_row:.0f} with a manifest")
    assert (whole / 38 <= 1600, per_row <= 200) == (True, True)


def test_the_verdict_states_the_span_of_different_days() -> None:
    """And whether all documents are of the same."""
    old = holding(900, as_of=AsOf(date(2025, 1, 1), date(2025, 12, 31)))
    found = Portfolio((*holdings(2), old))
    listed = found.verify(found.build()).selection
    assert listed is not None
    assert (listed.same_as_of, listed.as_of) == (False, AsOf(date(2025, 1, 1), date(2026, 6, 30)))


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("sum(capacity) >= 120.007 MW", "range|false"),
        ("sum(capacity) <= 120.005 MW", "range|false"),
        ("sum(annual_yield) >= count() * 0.0913", "range|false"),
        ("count() >= 4", "there are 3 documents"),
        ("each capacity >= 40.002 MW", "range|false"),
        ("each owner not in @sanctions", "absent in 1 of 3"),
        ("each fuel not in @fuels", "in the set"),
    ],
)
def test_what_is_false_cannot_be_proven(fact: str, message: str) -> None:
    """Each a step beyond what is true: 40.001 + 40.002 + 40.003 MW, a yield of 9.12 % each."""
    used = tuple(named_set(name) for name in ("fuels", "sanctions") if f"@{name}" in fact)
    with pytest.raises(CannotProveError, match=message):
        portfolio(3, facts=(fact, "sum(capacity) >= 1 MW"), used=used).build()


@pytest.mark.parametrize(
    "fact",
    [
        "sum(capacity) >= 120.006 MW",
        "sum(capacity) <= 120.006 MW",
        "sum(annual_yield) >= count() * 0.0912",
        "each capacity >= 40.001 MW",
        "abs(sum(capacity) - 120 MW) * 1000 <= sum(capacity)",
        "each capacity * 2 >= 80.002 MW",
        "each commissioned in 2021-06-18..2021-12-31",
        "each province in {Anhui, Guangdong}",
        "each province = Guangdong",
    ],
)
def test_what_is_just_true_verifies(fact: str) -> None:
    """The same steps on the true side."""
    found = portfolio(3, facts=(fact,))
    assert found.verify(found.build()).facts == (fact,)


def test_a_count_stands_beside_something_that_is_proven() -> None:
    """Alone it would leave the bundle's context to whoever holds the file."""
    with pytest.raises(FactError, match="proves nothing"):
        portfolio(3, facts=("count() <= 3",)).build()
    found = portfolio(3, facts=("count() <= 3", "sum(capacity) >= 1 MW"))
    assert found.verify(found.build())


def test_sums_of_negative_values() -> None:
    """Yields may be below zero."""
    documents = tuple(
        holding(number, values={"annual_yield": value})
        for number, value in enumerate(("-0.5", "0.2", "-0.1"), 1)
    )
    found = Portfolio(documents, ("sum(annual_yield) >= -0.4",))
    assert found.verify(found.build())
    with pytest.raises(CannotProveError):
        replace(found, facts=("sum(annual_yield) >= -0.3999",)).build()


def test_sums_where_present_are_over_those_that_have_it() -> None:
    """And `count()` beside a sum counts those."""
    documents = tuple(
        holding(number, values={"owner": owner} if owner else {})
        for number, owner in enumerate(("Li Na", None, "Wang Fang"), 1)
    )
    facts = FactList.over(["each owner not in @sanctions where present"], schema())
    listing = Listing.of([each.attestation for each in documents], schema())
    digests = {"sanctions": named_set().header.digest}
    assert compile_list(facts, schema(), listing, digests).left_out == (0,)
    bare = tuple(holding(number) for number in (1, 5))  # without owners
    with pytest.raises(CannotProveError, match="none of the documents"):
        Portfolio(
            bare, ("each owner not in @sanctions where present",), used=(named_set(),)
        ).build()


def test_a_manifest_without_the_attribute_is_refused() -> None:
    """There is no commitment to prove about."""
    with pytest.raises(BindingError, match="no commitments of annual_yield"):
        portfolio(3, facts=("sum(annual_yield) >= 0",), manifest=manifest_file(holdings(3))).build()


def test_long_lists_are_proven_in_parts() -> None:
    """64 rows a part, fewer where ranges are many; every document once."""
    listing = Listing.of([each.attestation for each in holdings(130)], schema())
    one = FactList.over(["each fuel in {SOLAR, WIND}"], schema())
    assert [len(part.terms) for part in compile_list(one, schema(), listing, {}).parts] == [
        64,
        64,
        2,
    ]
    many = FactList.over(
        ["sum(capacity) >= 1 MW", "each capacity in 0..90000 MW", "each annual_yield >= 0"],
        schema(),
    )
    first, *others = compile_list(many, schema(), listing, {}).parts
    assert len(first.terms) == 1
    assert sum(len(part.terms) for part in others) == 3 * 130
    assert max(len(part.ranges) * part.digits for part in others) <= PART_DIGITS


@pytest.fixture(scope="module", params=["processes", "threads"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param == "threads":
        with ThreadPoolExecutor(2) as pool:
            yield pool
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        yield pool


def test_parts_may_be_proven_elsewhere(executor: Executor) -> None:
    """By any executor, with progress reported after every part."""
    found = full(70)
    seen: list[tuple[int, int]] = []
    data = prove_selection(
        request=found.request.data,
        context=found.context,
        schema=schema(),
        documents=[ListedDocument(each.envelope, each.witness) for each in found.documents],
        grant_envelope=found.grant,
        sets={each.name: each for each in found.used},
        executor=executor,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert found.verify(data).facts == FACTS
    total = seen[-1][1]
    assert seen == [(done, total) for done in range(total + 1)]
    assert total > 2


def test_a_false_part_elsewhere_is_a_false_fact_here(executor: Executor) -> None:
    """The error comes back as it was raised."""
    low = holding(999, values={"capacity": "0.5"})
    found = Portfolio((*holdings(8), low), ("each capacity >= 1 MW",))
    with pytest.raises(CannotProveError):
        found.build(executor)


def test_an_executor_has_so_many_parts_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another bundle's parts need not wait for the last of a large one, and all are proven."""
    monkeypatch.setattr("proofs.list_statement.PART_ROWS", 1)
    monkeypatch.setattr("proofs.prove_list.AT_ONCE", 2)
    most: list[int] = []
    under_way: set[Future[object]] = set()

    class Counted(ThreadPoolExecutor):
        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
            future = super().submit(fn, *args, **kwargs)
            under_way.add(future)
            most.append(sum(not each.done() for each in under_way))
            return future

    found = portfolio(7, facts=("each capacity in 1..90 MW",))
    with Counted(4) as pool:
        assert found.verify(found.build(pool)).selection is not None
    assert len(most) == 7
    assert max(most) <= 2


def test_a_proof_that_no_bundle_could_hold_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of its parts would be there after hours, and then the file be too large."""
    found = portfolio(3, facts=("each capacity in 1..90 MW",))
    length = len(Bundle.parse(found.build()).proof)
    monkeypatch.setattr("proofs.prove_list.prove_part", lambda task: pytest.fail("begun"))
    monkeypatch.setattr("proofs.prove_list.PROOF_LIMIT", length - 1)
    with pytest.raises(EncodingError, match=f"would have {length} bytes"):
        found.build()


def test_a_few_sums_are_proven_here() -> None:
    """No other process sees their values; one with more to prove is asked."""
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    found = portfolio(9)
    assert found.verify(found.build(closed)).facts == found.facts
    with pytest.raises(RuntimeError):
        replace(found, facts=("each capacity >= 1 MW",)).build(closed)


def test_a_process_keeps_so_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between tasks, the last used; one set at least, or its polynomial would be built for each."""
    lists = [b"".join(n.to_bytes(32, "little") for n in range(at, at + 3)) for at in (1, 11, 21)]
    parts._kept.clear()
    monkeypatch.setattr(parts, "MAX_SET_SIZE", 6)
    first, second = (parts._members(each, b"tag") for each in lists[:2])
    assert parts._members(lists[0], b"tag") is first
    parts._members(lists[2], b"tag")
    assert parts._members(lists[0], b"tag") is first
    assert parts._members(lists[1], b"tag") is not second
    monkeypatch.setattr(parts, "MAX_SET_SIZE", 1)
    last = parts._members(lists[2], b"tag")
    assert parts._members(lists[2], b"tag") is last
    assert len(parts._kept) == 1
    parts._kept.clear()


def test_a_task_does_not_print_its_secrets() -> None:
    """A log of a task has no openings in it."""
    from proofs import parts

    task = parts.PartTask(bytes(64), 0, 1, None, (), ((0, b"secret" * 10),), ())  # type: ignore[arg-type]
    assert "secret" not in repr(task)


# --- parts that do not belong together ----------------------------------------------------------


def test_the_grant_is_for_exactly_the_list() -> None:
    """One document more or fewer, or another manifest, was not consented to."""
    found = portfolio(3)
    other = portfolio(4)
    with pytest.raises(GrantError, match="another list"):
        replace(found, listing_digest="00" * 32).build()
    with pytest.raises(GrantError, match="another list"):
        prove_selection(
            request=found.request.data,
            context=found.context,
            schema=schema(),
            documents=[ListedDocument(each.envelope, each.witness) for each in other.documents],
            grant_envelope=found.grant,
            sets={},
        )


def test_a_manifest_that_was_asked_for_must_be_there() -> None:
    """Of the SPV and the period."""
    with pytest.raises(BindingError, match="asks for a manifest"):
        portfolio(3, chosen_by="manifest").build()
    other = manifest_file(holdings(3), spv="Another SPV")
    with pytest.raises(BindingError, match="another SPV or period"):
        portfolio(3, chosen_by="manifest", manifest=other).build()
    later = manifest_file(holdings(3), period=(PERIOD[0], date(2026, 12, 31)))
    with pytest.raises(BindingError, match="another SPV or period"):
        portfolio(3, chosen_by="manifest", manifest=later).build()


def test_a_manifest_of_another_list_is_refused() -> None:
    """Even of the same length."""
    other = manifest_file(holdings(4)[1:])
    with pytest.raises(BindingError, match="another list"):
        portfolio(3, manifest=other).build()


def test_a_bundle_does_not_outlive_the_first_attestation() -> None:
    """Not even one of a thousand."""
    short = holding(77, valid_until=NOW + 3 * DAY)
    with pytest.raises(ContextError, match="outlive"):
        Portfolio((*holdings(2), short)).build()


# --- what may be asked --------------------------------------------------------------------------


def listing_of(count: int) -> Listing:
    return Listing.of([each.attestation for each in holdings(count)], schema())


@pytest.mark.parametrize(
    ("texts", "count", "message"),
    [
        (["sum(capacity) >= 300000 MW"], 3, "one possible value"),
        (["sum(capacity) >= 400000 MW"], 3, "no values meet|always negative"),
        (["sum(capacity) <= 0 MW"], 3, "one possible value"),
        (["sum(capacity) >= 5 MW", "sum(capacity) <= 5 MW"], 3, "one possible value"),
        (["sum(capacity) >= 60 MW", "each capacity <= 20 MW"], 3, "one possible value"),
        (["sum(capacity) >= 5 MW", "sum(capacity) <= 5.001 MW"], 1, ""),
        (["sum(capacity) >= 5.001 MW", "sum(capacity) <= 5.001 MW"], 1, "one possible value"),
        (["each owner in {A}"], 3, "personal"),
        (["each capacity = 5 MW"], 3, "only public"),
        (["each capacity >= 20 MW", "each capacity <= 20 MW"], 3, "leave 1 possible"),
    ],
)
def test_what_would_pin_values_may_not_be_asked(texts: list[str], count: int, message: str) -> None:
    """By sums as by facts about each document; with one value more it may."""
    facts = FactList.over(texts, schema())
    if not message:
        check_list_facts(facts, schema(), {}, listing_of(count))
        return
    with pytest.raises(FactError, match=message):
        check_list_facts(facts, schema(), {}, listing_of(count))


def test_before_the_documents_are_known_less_is_refused() -> None:
    """What facts about each document show by themselves, and personal attributes in sums."""
    check_list_without_documents(FactList.over(["sum(capacity) >= 300000 MW"], schema()), schema())
    with pytest.raises(FactError, match="leave 1 possible"):
        check_list_without_documents(
            FactList.over(["each capacity >= 20 MW", "each capacity <= 20 MW"], schema()), schema()
        )
    with pytest.raises(FactError, match="only public"):
        check_list_without_documents(
            FactList.over(["each capacity = 5 MW"], schema()), schema(), {}
        )


def test_a_bundle_reads_back() -> None:
    """Selection, rows and all; with documents beside it, it is refused."""
    data = full(3).build()
    read = Bundle.parse(data)
    assert read.selection is not None
    assert (read.documents, len(read.selection.attestations)) == ((), 3)
