"""One bit changed anywhere in a bundle, and it is refused."""

from __future__ import annotations

import random

import pytest
from support.bundles import NOW, good, sets, small, trust
from support.flips import flip_all

from proofs.verify import Verified, verify_bundle

SAMPLE = 700


def checker(index: int) -> tuple[bytes, object]:
    found, data = (small, good)[index]()
    expectation, held = found.expectation(), sets()

    def check(changed: bytes) -> Verified:
        return verify_bundle(changed, trust=trust(), expectation=expectation, sets=held, now=NOW)

    return data, check


@pytest.mark.parametrize("index", [0, 1])
def test_a_sample_of_single_bit_flips_is_refused(index: int) -> None:
    """A seeded sample over the whole file; the whole run is a benchmark's."""
    data, check = checker(index)
    bits = random.Random(20261).sample(range(8 * len(data)), SAMPLE)
    refused = flip_all(data, check, bits)  # type: ignore[arg-type]
    assert sum(refused.values()) == SAMPLE


def test_every_bit_of_the_least_guarded_bytes_is_refused() -> None:
    """All bits of the proof's first and last point: no signature stands over them."""
    data, check = checker(0)
    start = data.index(b'"proof":"') + len(b'"proof":"')
    end = data.index(b'"', start)
    places = [*range(start, start + 64), *range(end - 44, end)]
    refused = flip_all(data, check, [8 * place + bit for place in places for bit in range(8)])  # type: ignore[arg-type]
    assert sum(refused.values()) == 8 * len(places)


def test_the_harness_notices_an_accepted_change() -> None:
    """A checker that accepts everything is found out at the first bit."""
    with pytest.raises(AssertionError, match="bit 0 of byte 0 changed, and accepted"):
        flip_all(b"anything", lambda data: data)
