"""The benchmarks run, say what they measured, and count rightly what cannot be avoided."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import bundles

from benchmarks import (
    bench,
    bench_bundle,
    bench_membership,
    bench_portfolio,
    bench_range,
    targets,
    unavoidable,
)
from benchmarks.report import CATEGORIES, QUICK, Budget, Figure, Meter, Row
from benchmarks.shares import shares
from benchmarks.targets import TARGETS, Target
from benchmarks.unavoidable import Product, Work
from proofs import equation, folded_bases, generators, group, range_digits
from proofs.generators import G, H
from proofs.group import Point, Scalar
from proofs.range_terms import Layout
from proofs.verify import verify_bundle

ROOT = Path(__file__).parents[2]
Sizes = list[tuple[int, int]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], bytes]:
    """What one quick run prints, writes and draws."""
    folder = tmp_path_factory.mktemp("bench")
    outputs = ("--json", str(folder / "figures.json"), "--plot", str(folder / "cost.png"))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench", "--quick", "--profile", *outputs],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    figures = json.loads((folder / "figures.json").read_bytes())
    return done.stdout, figures, (folder / "cost.png").read_bytes()


def test_a_run_prints_its_rows(ran: tuple[str, dict[str, Any], bytes]) -> None:
    """Targets come first, every row and its parts follow, in 100 columns, with the units."""
    printed, figures, _ = ran
    assert [line for line in printed.splitlines() if len(line) > 100] == []
    places = [
        printed.index(title)
        for title in (
            "Figures to reach",
            "Ranges",
            "Sets",
            "Bundles",
            "Portfolios",
            "in %",
        )
    ]
    assert sorted(places) == places
    assert "t: one G1 multiplication" in printed
    names = {row["name"] for row in figures["rows"]}
    assert {"1 range of 8 bits", "member of 16", "bundle of 1 fact", "3 in a manifest"} < names
    assert [name for name in names if name not in printed] == []
    assert "prove: member of 16" in printed


def test_a_run_writes_numbers_for_tracking(ran: tuple[str, dict[str, Any], bytes]) -> None:
    """Valid JSON: the machine, every figure three ways, shares that add up to one."""
    _, figures, _ = ran
    assert set(figures) == {"machine", "targets", "rows", "service", "seconds"}
    machine = figures["machine"]
    assert machine["core"] in ("arkworks", "py_ecc")
    assert machine["processors"] >= 1
    assert machine["g1_multiplication_ms"] > 0
    for row in figures["rows"]:
        for operation in ("prove", "verify"):
            assert min(row[operation].values()) > 0
            assert sum(row["shares"][operation].values()) == pytest.approx(1)
            assert set(row["shares"][operation]) <= set(CATEGORIES)
        assert (row["batch"] is None) is (row["tables"] or row["section"] == "portfolios")
    assert {each["label"] for each in figures["targets"]} == {"one 64-bit range", "member of 256"}


def test_a_run_draws_a_picture(ran: tuple[str, dict[str, Any], bytes]) -> None:
    """A PNG of some size."""
    assert ran[2].startswith(b"\x89PNG\r\n")
    assert int.from_bytes(ran[2][16:20], "big") > 1000


def test_json_on_standard_output_stands_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json -` prints nothing else there."""
    row = Row("ranges", "1 range of 64 bits", "64 bits", 1, bytes=577, prove=Figure(1.0, 50.0))
    monkeypatch.setattr(bench, "_rows", lambda _: iter([row]))
    assert bench.main(["--quick", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["bytes"] == 577


def test_every_target_names_a_row() -> None:
    """The tables have a row for each target, or a target would never be looked at."""
    named = {bench_range.name_of(n, bits) for n in bench_range.COUNTS for bits in bench_range.BITS}
    named |= {
        bench_membership.name_of(size, member=member)
        for size in bench_membership.SIZES
        for member in (True, False)
    }
    named |= {f"polynomial of {max(bench_membership.SIZES):,}"}
    assert {target.row for target in TARGETS} - named == set()


def test_a_target_is_compared_with_its_own_row() -> None:
    """Measured and at most, with and without tables apart; seconds where it is in seconds."""
    one = Row("", "1 range of 64 bits", "", 1, bytes=576, prove=Figure(9.0, 51.0))
    tabled = Row("", "1 range of 64 bits", "", 1, bytes=576, tables=True, prove=Figure(6.0, 29.0))
    roots = Row("", "polynomial of 65,536", "", 65_536, prove=Figure(2100.0, 9000.0))
    found = targets.compare([tabled, roots, one])
    assert [each.prove for each in found] == [(51.0, 50), (29.0, 33), (2.1, 2)]
    assert [each.unit for each in found] == ["t", "t", "s"]
    assert [each.verify for each in found] == [None, None, None]
    assert targets.compare([]) == []
    assert Target("", "").prove is None


def test_a_budget_gives_repetitions() -> None:
    """What is fast is repeated often, what is slow seldom, within the bounds."""
    budget = Budget(1.0, 2, 10)
    assert [budget.repetitions(first) for first in (0.0, 0.2, 0.4, 5.0)] == [10, 5, 2, 2]


def test_a_figure_divides_by_its_share() -> None:
    """A batch's time is shared out; its ratio to the batch's unavoidable work is not."""
    calls: list[int] = []

    def work() -> None:
        calls.append(sum(range(200_000)))

    alone = Meter(QUICK).figure(work, work)
    shared = Meter(QUICK).figure(work, work, share=1000)
    assert len(calls) == 4
    assert shared.ms < alone.ms
    assert alone.floor is not None


@pytest.fixture
def multiplied(monkeypatch: pytest.MonkeyPatch) -> Sizes:
    """Terms over generators and over other points, of every multiplication that is made."""
    found: Sizes = []
    original = generators.multiply_mixed

    def recorded(
        fixed: tuple[generators.Generator, ...],
        fixed_scalars: list[Scalar],
        points: list[Point],
        scalars: list[Scalar],
    ) -> Point:
        found.append((len(fixed), len(points)))
        return original(fixed, fixed_scalars, points, scalars)

    for module in (generators, equation, folded_bases, range_digits):
        monkeypatch.setattr(module, "multiply_mixed", recorded)
    return found


def _sizes(work: Work) -> Sizes:
    """Of the products that are not over points alone, as the folding of bases is."""
    return [(len(each.fixed), each.points) for each in work.products if each.fixed]


@pytest.mark.parametrize(("count", "digits"), [(1, 16), (1, 2), (3, 8), (4, 16), (16, 16)])
def test_ranges_make_the_products_that_are_counted(
    multiplied: Sizes, count: int, digits: int
) -> None:
    """Prover and verifier multiply over exactly as many terms as the specification says."""
    case, layout = bench_range.Case.random(count, digits), Layout.of(count, digits)
    shown = {value >> 4 * i & 15 for value in case.values for i in range(digits)}
    multiplied.clear()
    proof = case.prove()
    assert _sizes(unavoidable.range_prover(layout, distinct=len(shown))) == multiplied
    multiplied.clear()
    points = group.decode_statement_points(case.encodings)
    equation.check([case.equation(points, proof)])
    work = unavoidable.range_verifier(layout)
    assert _sizes(work) == multiplied
    assert work.decoded * 48 < len(proof)


@pytest.mark.parametrize("member", [True, False])
@pytest.mark.parametrize("size", [2, 16, 17])
def test_memberships_make_the_products_that_are_counted(
    multiplied: Sizes, size: int, member: bool
) -> None:
    """Prover and verifier multiply over exactly as many terms as the specification says."""
    found = bench_membership.random_set(size)
    case = bench_membership.Case.random(found.members, found.scalars[0], member=member)
    multiplied.clear()
    proof = case.prove()
    assert sorted(_sizes(unavoidable.membership_prover(size, member=member))) == sorted(multiplied)
    multiplied.clear()
    equation.check(case.equations(proof))
    assert _sizes(unavoidable.membership_verifier(size, member=member)) == multiplied


@pytest.mark.parametrize("count", bench_bundle.COUNTS)
def test_a_bundle_is_verified_with_the_one_product_that_is_counted(
    multiplied: Sizes, count: int
) -> None:
    """All its equations make one multiplication, over every base and point once."""
    facts = bench_bundle.FACTS[:count]
    parts = bundles.parts(facts)
    bundle = parts.build()
    prover, verifier = bench_bundle.unavoidable_of(facts)
    multiplied.clear()
    verify_bundle(
        bundle,
        trust=bundles.trust(),
        expectation=parts.expectation(),
        sets=bundles.sets(),
        now=bundles.NOW,
    )
    ((fixed, points),) = _sizes(verifier.merged())
    ((really_fixed, really_points),) = multiplied
    assert fixed == really_fixed
    # A commitment that several arguments are about stands in each of their equations.
    assert points == really_points
    assert len(prover.products) > count / 2


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("manifest", [True, False])
def test_a_portfolio_is_verified_with_the_one_product_that_is_counted(
    multiplied: Sizes, count: int, manifest: bool
) -> None:
    """Its sum is one point, and so many additions, however many documents there are."""
    portfolio = bench_portfolio.portfolio_of(count, manifest=manifest, of=5)
    bundle = portfolio.build()
    _, checks, verifier = bench_portfolio.unavoidable_of(portfolio)
    multiplied.clear()
    portfolio.verify(bundle)
    assert _sizes(verifier) == multiplied
    assert (checks.checked, checks.signatures) == (count, 2 if manifest else count + 1)
    assert (verifier.checked, verifier.added) == (count, count)


def test_work_adds_up_and_merges() -> None:
    """Of a batch every point counts, and every generator once."""
    one = Work((Product((G, H), 3), Product((G,), 1)), decoded=4, signatures=1)
    assert (one + one).decoded == 8
    merged = one.merged(5)
    assert merged.products == (Product((G, H), 20),)
    assert (merged.decoded, merged.signatures) == (20, 5)


def test_work_can_be_run() -> None:
    """Everything that is counted is really done, and nothing of it is drawn while it runs."""
    done: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("decode_proof_point", "decode_statement_points", "encode_point", "multiply"):
            patch.setattr(group, name, _noted(getattr(group, name), name, done))
        work = Work((Product((G, H), 2, digits=1),), decoded=2, checked=3, encoded=1, signatures=1)
        run = work.action()
        done.clear()
        run()
    assert done == [
        "decode_proof_point",
        "decode_proof_point",
        "decode_statement_points",
        "multiply",
        "encode_point",
    ]


def _noted(function: Callable[..., object], name: str, done: list[str]) -> Callable[..., object]:
    def noted(*arguments: object) -> object:
        done.append(name)
        return function(*arguments)

    return noted


def test_shares_count_the_innermost_clock() -> None:
    """Each part counts once, the whole is one, and afterwards no clock is left."""
    before = group.multiply
    case = bench_membership.Case.random(
        (found := bench_membership.random_set(16)).members, found.scalars[0], member=True
    )
    parts = shares(case.prove)
    assert sum(parts.values()) == pytest.approx(1)
    assert {"multiply", "decode", "hash", "set", "rest"} == set(parts)
    assert group.multiply is before
