"""The benchmark of portfolios counts what it says it counts."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import charging, portfolio, portfolio_report, timed_vault
from benchmarks.clocks import Clocks, Spent
from benchmarks.list_maker import ListMaker
from benchmarks.list_proofs import BEYOND, DECODING, SIGNATURES, verify_list
from benchmarks.portfolio_report import Figures, Listed
from benchmarks.timed_vault import PROVE, WHOLE, TimedVault
from proofs import group
from proofs.envelope import Envelope
from proofs.errors import CrossproofError
from proofs.schema import Schema


class Ticking:
    """A clock of processors that says one second more at every look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


class Worker:
    """What is clocked."""

    def inner(self) -> int:
        """Within `outer`."""
        return 1

    def outer(self) -> int:
        """Calls `inner` twice."""
        return self.inner() + self.inner()


def test_clocks_add_up_every_call_and_leave_nothing_behind() -> None:
    """A step holds what is inside it; the sums are taken once."""
    clocks, before = Clocks(Ticking()), Worker.outer
    with clocks.on([(Worker, "outer", "outer"), (Worker, "inner", "inner")]):
        assert Worker().outer() == 2
    assert Worker.outer is before
    taken = clocks.take()
    assert {step: each.processor for step, each in taken.items()} == {"inner": 2.0, "outer": 5.0}
    assert clocks.take() == {}


def test_a_step_that_fails_is_counted_too() -> None:
    """Or the time of a refusal would be nobody's."""
    clocks = Clocks(Ticking())
    with pytest.raises(KeyError), clocks.around("step"):
        raise KeyError
    assert clocks.take()["step"].processor == 1.0


def test_the_vaults_steps_add_up(tmp_path: Path) -> None:
    """Its last line is read; what is between the steps is counted as the rest."""
    vault = TimedVault(tmp_path)
    inside = {step: Spent(1.0, 0.5) for step in timed_vault.STEPS[:5]}
    timed_vault.write_steps(tmp_path / "steps.jsonl", {WHOLE: Spent(99.0, 99.0)})
    timed_vault.write_steps(
        tmp_path / "steps.jsonl",
        {
            **inside,
            timed_vault.MAKE: Spent(6.0, 3.0),
            timed_vault.ANSWER: Spent(8.0, 4.5),
            WHOLE: Spent(10.0, 5.0),
        },
    )
    found = vault.last()
    assert found[timed_vault.RECORD] == Spent(2.0, 1.5)
    assert found[timed_vault.REST] == Spent(3.0, 1.0)
    assert sum((found[step] for step in timed_vault.STEPS), Spent()) == found[WHOLE]


def test_piles_are_the_same_in_every_run(tmp_path: Path) -> None:
    """One number, one pile; a table that an import reads; a fact that is true of it."""
    rows = charging.piles(1, 30)
    assert charging.piles(11, 20) == rows[10:]
    assert max(Counter(row["asset"] for row in rows).values()) == 1
    charging.write_table(rows, tmp_path / "piles.csv")
    with (tmp_path / "piles.csv").open(encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == rows
    least = int(charging.revenue_fact(rows).split()[2])
    earned = sum(float(row["revenue"]) for row in rows)
    assert 0.8 * earned < least <= earned


def test_a_verifiers_time_is_split_at_signatures_and_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every signature and every commitment counts, and nothing is left of the clocks."""
    calls: Counter[str] = Counter()
    for owner, name in ((Envelope, "verify"), (group, "decode_statement_points")):
        original = owner.__dict__[name]

        def counted(*given: object, _name: str = name, _original: object = original) -> object:
            calls[_name] += 1
            return _original(*given)  # type: ignore[operator]

        monkeypatch.setattr(owner, name, counted)
    maker = ListMaker(Schema.parse(Schema.from_author(charging.SCHEMA.read_bytes())))
    rows = charging.piles(1, 12)
    made = maker.attest(rows)
    for manifest, signatures in (((), 13), (("revenue",), 2)):
        case = maker.case(made, [charging.revenue_fact(rows)], manifest=manifest)
        bundle = case.prove()
        calls.clear()
        verified, steps = verify_list(case.request, bundle, maker.trust("cn-pile-"))
        assert verified.selection is not None
        assert verified.selection.count == 12
        assert calls == {"verify": signatures, "decode_statement_points": 1}
        assert set(steps) == {SIGNATURES, DECODING, BEYOND, WHOLE}
        assert steps[SIGNATURES] + steps[DECODING] + steps[BEYOND] == pytest.approx(steps[WHOLE])
        with pytest.raises(CrossproofError):
            verify_list(case.request, bundle, maker.trust("cn-plant-"))


def test_piles_without_the_service() -> None:
    """Both kinds of bundle at every size, within the bytes that they may have."""
    found = portfolio._piles_in_process([10, 20])
    assert [(each.name, each.documents) for each in found] == [
        ("attestations", 10),
        ("manifest", 10),
        ("attestations", 20),
        ("manifest", 20),
    ]
    assert found[3].bytes < found[2].bytes / 4


@pytest.fixture
def figures() -> Figures:
    """Of some run."""
    spent = {step: Spent(0.5, 0.4) for step in (*timed_vault.STEPS, WHOLE)}
    client = {step: Spent(0.5, 0.4) for step in (*portfolio_report.CLIENT, WHOLE)}
    verify = {SIGNATURES: 1.0, DECODING: 1.0, BEYOND: 0.5, WHOLE: 2.5}
    listed = Listed("attestations", "sum(x) >= 1", 100, 120_000, client, spent, verify, None)
    packed = replace(listed, name="manifest", bytes=15_000, sign=Spent(1.0, 1.0))
    each = portfolio_report.Each(
        "each owner not in @x where present", 2, 100, 40, 6109, 1.0, 300_000, spent, verify, 80,
        Spent(1.0, 2.0),
    )  # fmt: skip
    piles = [replace(listed, documents=200, bytes=240_000), replace(listed, documents=100)]
    return Figures(0.2, (1.0, 1.0), [listed, packed], piles, [each])


def test_figures_are_compared_with_their_limits(figures: Figures) -> None:
    """Proven on the wall, verified beyond signatures and points, bytes of each kind."""
    assert portfolio_report.all_kept(figures)
    listed, packed = figures.plants
    for over in (
        replace(listed, vault={**listed.vault, PROVE: Spent(2.1, 0.1)}),
        replace(listed, verify={**listed.verify, BEYOND: 1.6}),
        replace(listed, bytes=160_001),
        replace(packed, bytes=20_001),
    ):
        assert not portfolio_report.all_kept(replace(figures, plants=[over]))
    assert not portfolio_report.all_kept(replace(figures, piles=[replace(packed, bytes=20_001)]))


def test_all_figures_are_printed(figures: Figures, capsys: pytest.CaptureFixture[str]) -> None:
    """In 100 columns, every step and every rate."""
    portfolio_report.print_figures(figures)
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if len(line) > 100] == []
    for text in (*timed_vault.STEPS, *portfolio_report.CLIENT, *portfolio_report.VERIFIER):
        assert text in printed
    assert "80.0" in printed  # 40 documents in half a second
    assert "prove 0.00, vault 0.00" in printed


def test_growth_is_the_power_of_the_size() -> None:
    """Linear cost grows with the first power, quadratic with the second."""
    sizes = [1000, 2500, 9000]
    assert portfolio_report.exponent(sizes, [3.0 * n for n in sizes]) == pytest.approx(1)
    assert portfolio_report.exponent(sizes, [n * n / 7 for n in sizes]) == pytest.approx(2)


def test_medians_are_taken_step_by_step() -> None:
    """Of both clocks."""
    spent = [{"a": Spent(wall, 10 - wall)} for wall in (3.0, 1.0, 2.0)]
    assert portfolio_report.median_of(spent) == {"a": Spent(2.0, 8.0)}
    assert portfolio_report.median_of([{"a": 1.0}, {"a": 5.0}, {"a": 2.0}]) == {"a": 2.0}
