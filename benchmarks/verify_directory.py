"""Verify a directory of many bundles at once, beside each of them alone.

Run as `python -m benchmarks.verify_directory`: 1,000 bundles of three facts each (a range, one of
a list, none of 6,109 names), every one with a request of its own, about made-up plants, or with
`--table` and `--names` about real ones. `--keep FOLDER` makes them once and takes them from there
afterwards. It prints the processor time of a bundle that is verified alone, as a command on one
file does it, and of one in the directory, their ratio, what each consists of, and what it costs
to find one bad bundle among them. Files and requests are read within the time; trust file and
set, with its polynomial, before.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.many_bundles import Inbox, fill
from benchmarks.report import CATEGORIES, Meter, seconds
from benchmarks.shares import shares
from proofs import arguments, equation, verify_documents, verify_sets
from proofs.equation import Equation
from proofs.errors import CrossproofError, ProofError
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import Request
from proofs.trust import Trust
from proofs.verify import Verified, verify_bundle
from proofs.verify_many import verify_many

GOAL = 0.5
# What is kept of one bundle for the next. A command on one file begins without it.
_KEPT = (
    verify_documents.parse_schema,
    verify_documents._read_facts,
    verify_documents._compile,
    verify_sets._check_signature,
    arguments._written_out,
)


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds of processor time a bundle, and multiples of one G1 multiplication."""

    bundles: int
    bytes: int
    t_ms: float
    alone_ms: float
    together_ms: float
    ratio: float
    alone_shares: dict[str, float]
    together_shares: dict[str, float]
    bad_extra_ms: float
    bad_multiplications: int
    peak_mb: float


class Verifier:
    """What a verifier holds, and the two ways to check the bundles of an inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self.bundles = sorted(inbox.bundles.glob("*.proof.json"))
        self.requests = sorted(inbox.requests.glob("*.request.json"))
        self._trust = Trust.parse(inbox.trust.read_bytes())
        named = NamedSet.load(inbox.members)
        _ = named.scalars.polynomial
        self._sets = (named,)
        self._now = datetime.now(UTC).replace(microsecond=0)

    def alone(self, number: int) -> Verified:
        """One bundle with its request, nothing kept of others."""
        for each in _KEPT:
            each.cache_clear()
        return verify_bundle(
            self.bundles[number].read_bytes(),
            trust=self._trust,
            expectation=Expectation.for_request(self.requests[number].read_bytes()),
            sets=self._sets,
            now=self._now,
        )

    def together(self, *, bad: int | None = None) -> list[Verified | CrossproofError]:
        """All of them; of the bad one a bit of the last response is flipped."""
        for each in _KEPT:
            each.cache_clear()
        return verify_many(
            self._contents(bad),
            trust=self._trust,
            expectation=Expectation.for_requests(
                Request.parse(each.read_bytes()) for each in self.requests
            ),
            sets=self._sets,
            now=self._now,
        )

    def _contents(self, bad: int | None) -> Iterator[bytes]:
        for number, file in enumerate(self.bundles):
            data = file.read_bytes()
            yield _spoilt(data) if number == bad else data


def _spoilt(data: bytes) -> bytes:
    """The same bundle with another proof of the same form."""
    before, mark, rest = data.partition(b'"proof":"')
    proof, quote, after = rest.partition(b'"')
    place = len(proof) - 12
    other = b"B" if proof[place : place + 1] == b"A" else b"A"
    return before + mark + proof[:place] + other + proof[place + 1 :] + quote + after


def measure(inbox: Inbox, *, singles: int) -> Result:
    """Verify some alone and all together; SystemExit if a verdict is not the one expected."""
    verifier, meter = Verifier(inbox), Meter()
    count = len(verifier.bundles)
    verifier.alone(0)  # the grammar and the generators are made at the first use
    units: list[float] = []
    alone: list[float] = []
    for number in range(0, count, max(1, count // singles)):
        units.append(meter.unit_seconds())
        alone.append(seconds(_call(verifier.alone, number)))
    outcomes: list[Verified | CrossproofError] = []
    together = seconds(lambda: outcomes.extend(verifier.together()))
    for each in outcomes:
        if isinstance(each, CrossproofError):
            raise SystemExit(f"not verified: {each}")
    outcomes.clear()
    with _counted() as multiplications:
        with_bad = seconds(lambda: outcomes.extend(verifier.together(bad=count // 3)))
    wrong = [place for place, each in enumerate(outcomes) if isinstance(each, ProofError)]
    if wrong != [count // 3]:
        raise SystemExit(f"the bad one is number {count // 3}, found were {wrong}")
    single, share = statistics.median(alone) * 1e3, together / count * 1e3
    return Result(
        bundles=count,
        bytes=int(statistics.median(file.stat().st_size for file in verifier.bundles)),
        t_ms=statistics.median(units) * 1e3,
        alone_ms=single,
        together_ms=share,
        ratio=share / single,
        alone_shares=shares(_call(verifier.alone, 0)),
        together_shares=shares(verifier.together),
        bad_extra_ms=(with_bad - together) * 1e3,
        bad_multiplications=len(multiplications) - 1,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _call(function: Callable[[int], object], number: int) -> Callable[[], object]:
    return lambda: function(number)


@contextmanager
def _counted() -> Iterator[list[int]]:
    """How many equations each check had that was made meanwhile."""
    found: list[int] = []
    original = equation.check

    def check(equations: Sequence[Equation]) -> None:
        found.append(len(equations))
        original(equations)

    equation.check = check
    try:
        yield found
    finally:
        equation.check = original


def main(arguments_: list[str] | None = None) -> int:
    """Make or take the bundles, measure, print; exit code 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="bundles")
    parser.add_argument("--singles", type=int, default=100, help="how many to verify alone")
    parser.add_argument("--table", type=Path, help="a CSV file of power plants")
    parser.add_argument("--names", type=Path, help="a CSV file of names")
    parser.add_argument("--keep", type=Path, help="the folder where the bundles stay")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args(arguments_)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        inbox = fill(folder, options.count, table=options.table, names=options.names)
        result = measure(inbox, singles=options.singles)
    if options.json:
        print(json.dumps(asdict(result), indent=2))
    else:
        _print(result)
    return 0 if result.ratio <= GOAL else 1


def _print(result: Result) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=100)
    table = Table(
        title=f"{result.bundles:,} bundles of three facts, {result.bytes:,} bytes each; "
        f"processor time; t = {result.t_ms:.3f} ms"
    )
    for heading in ("a bundle", "ms", "t", *CATEGORIES):
        table.add_column(heading, justify="left" if heading == "a bundle" else "right")
    for name, spent, parts in (
        ("alone", result.alone_ms, result.alone_shares),
        ("in the directory", result.together_ms, result.together_shares),
    ):
        cells = [f"{parts.get(category, 0):.0%}" for category in CATEGORIES]
        table.add_row(name, f"{spent:.2f}", f"{spent / result.t_ms:.1f}", *cells)
    console.print(table)
    console.print(f"ratio {result.ratio:.3f}; the goal is at most {GOAL}")
    console.print(
        f"one bad bundle among them: found by {result.bad_multiplications} multiplications more, "
        f"{result.bad_extra_ms:.0f} ms in all"
    )
    console.print(f"most memory that the process had: {result.peak_mb:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
