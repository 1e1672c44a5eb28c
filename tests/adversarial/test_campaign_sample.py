"""A short, seeded sample of the long runs: changed bundles and fuzzed readers.

`make campaign` runs the same for much longer, with every single-bit flip and puts during kill -9.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bundle_mutations import Candidate, Mutator, Target
from support.fuzz_readers import Seeds, readers
from support.fuzzing import NASTY, Reader, changed, fuzz
from support.json_mutations import compact, mutate

from proofs.errors import CrossproofError, EncodingError

CANDIDATES = 80
INPUTS = 200
SEED = "sample"

KINDS = (
    "a JSON node changed",
    "in a payload, not signed again",
    "in a payload, signed again",
    "attested and granted again",
    "asked and granted again",
    "facts exchanged",
    "parts of the proof exchanged",
    "another spelling",
    "cut off or extended",
)


@pytest.fixture(scope="module")
def mutator() -> Mutator:
    return Mutator(Target.make())


@pytest.fixture(scope="module")
def all_readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    seeds = Seeds.make(tmp_path_factory.mktemp("sites"))
    return {reader.name: reader for reader in readers(seeds, tmp_path_factory.mktemp("files"))}


def refusals(mutator: Mutator, kind: str, count: int) -> Counter[str]:
    """How many candidates were refused for which reason."""
    rng = random.Random(f"{SEED}/{kind}")
    refused: Counter[str] = Counter()
    for _ in range(count):
        with pytest.raises(CrossproofError) as caught:
            mutator.verify(mutator.draw(kind, rng))
        refused[caught.value.reason] += 1
    return refused


def test_all_kinds_of_changes_are_in_the_sample(mutator: Mutator) -> None:
    """A kind that is added is tried here too."""
    assert list(mutator.kinds) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_changed_bundle_is_accepted(mutator: Mutator, kind: str) -> None:
    """Whoever made the change, and whatever was signed again: refused by an error of our own."""
    assert refusals(mutator, kind, CANDIDATES).total() == CANDIDATES


def test_what_is_signed_again_is_refused_by_the_proof_itself(mutator: Mutator) -> None:
    """The changes get past the signatures, so that the last line of defence is tried as well."""
    for kind in ("attested and granted again", "asked and granted again"):
        assert refusals(mutator, kind, CANDIDATES)["PROOF"] >= 5


def test_the_originals_are_accepted(mutator: Mutator) -> None:
    """What is changed verifies as it is: refusals are due to the changes."""
    for original in Target.make().originals:
        candidate = Candidate(original.bundle, original.request)
        assert mutator.verify(candidate).bundle


def names() -> Iterator[str]:
    """The readers' names, without building their inputs."""
    empty = Seeds(_Empty())
    return (reader.name for reader in readers(empty, Path()))


class _Empty(dict[str, tuple[bytes, ...]]):
    def __missing__(self, key: str) -> tuple[bytes, ...]:
        return ()


@pytest.mark.parametrize("name", list(names()))
def test_readers_refuse_by_our_own_errors(all_readers: dict[str, Reader], name: str) -> None:
    """Nasty and changed inputs are refused or read as their one spelling; valid ones are read."""
    reader = all_readers[name]
    assert [reader.try_one(seed) for seed in reader.seeds] == ["accepted"] * len(reader.seeds)
    for data in NASTY:
        reader.try_one(data)
    tally = fuzz(reader, random.Random(f"{SEED}/{name}"), INPUTS)
    assert tally.findings == []
    # Neither all refused at the first byte nor all the same as before.
    assert 0 < tally.outcomes["accepted"] < INPUTS


def test_the_harness_finds_what_it_looks_for() -> None:
    """Another exception than ours, and a second spelling, are findings and kept."""

    def trips(data: bytes) -> None:
        json.loads(data)["a"]

    def lenient(data: bytes) -> bytes:
        try:
            return compact(json.loads(data))
        except (ValueError, RecursionError) as error:
            raise EncodingError(str(error)) from None

    for read, said in ((trips, "Error"), (lenient, "a second spelling was accepted")):
        reader = Reader("made up", "json", (b'{"a":[1,"x"],"b":{}}',), read)
        tally = fuzz(reader, random.Random(3), 200)
        assert tally.outcomes["FINDING"] == len(tally.findings) > 0
        assert any(said in text for text, _ in tally.findings)


def test_a_seed_draws_the_same_changes_again() -> None:
    """What was found can be found again, and the original is left as it was."""
    tree = {"a": [1, 2, {"b": "2026-01-01"}], "c": {"d": "ff" * 8, "e": None}}
    before = copy.deepcopy(tree)
    drawn = [
        [mutate(tree, rng, {"a": 5}) for _ in range(50)]
        for rng in (random.Random(4), random.Random(4))
    ]
    assert drawn[0] == drawn[1]
    assert tree == before
    assert sum(each != tree for each in drawn[0]) > 40
    reader = Reader("made up", "text", (b"a = 1\nb = 2\n",), lambda data: None)
    inputs = [[changed(reader, rng) for _ in range(20)] for rng in map(random.Random, (4, 4))]
    assert inputs[0] == inputs[1]
