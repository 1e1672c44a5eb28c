"""The transcript: every item, its label, length and order reach every later challenge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import group
from proofs.group import ORDER
from proofs.labels import frame
from proofs.randomness import ProverRandomness
from proofs.transcript import Transcript

POINT = group.encode_point(group.hash_to_point(b"crossproof/test/v1", b"p"))
START = b"crossproof/test/v1"


def test_challenge_is_the_written_formula() -> None:
    """SHA-512 over start, kind, framed label and item, then kind and label; reduced."""
    transcript = Transcript(START)
    transcript.append_bytes(b"item", b"data")
    raw = frame(b"crossproof/transcript/v1", START)
    raw += b"\x01" + frame(b"item", b"data") + b"\x02" + frame(b"e")
    expected = int.from_bytes(hashlib.sha512(raw).digest(), "big") % ORDER
    assert int(transcript.challenge(b"e")) == expected


def challenge_after(*steps: Callable[[Transcript], object]) -> int:
    transcript = Transcript(START)
    for step in steps:
        step(transcript)
    return int(transcript.challenge(b"e"))


def test_every_part_of_an_item_counts() -> None:
    """Start label, item label, data, split, order, kind and number of items all matter."""
    histories = [
        challenge_after(),
        int(Transcript(b"crossproof/other/v1").challenge(b"e")),
        int(Transcript(START).challenge(b"f")),
        challenge_after(lambda t: t.append_bytes(b"a", b"bc")),
        challenge_after(lambda t: t.append_bytes(b"ab", b"c")),
        challenge_after(lambda t: t.append_bytes(b"a", b"bd")),
        challenge_after(lambda t: t.append_bytes(b"b", b"bc")),
        challenge_after(lambda t: t.append_bytes(b"a", b"")),
        challenge_after(lambda t: t.append_bytes(b"a", b""), lambda t: t.append_bytes(b"a", b"")),
        challenge_after(lambda t: t.append_bytes(b"x", b"1"), lambda t: t.append_bytes(b"y", b"2")),
        challenge_after(lambda t: t.append_bytes(b"y", b"2"), lambda t: t.append_bytes(b"x", b"1")),
        challenge_after(lambda t: t.challenge(b"a")),
        challenge_after(lambda t: t.append_list(b"a", [b"b", b"c"])),
        challenge_after(lambda t: t.append_list(b"a", [b"bc"])),
        challenge_after(lambda t: t.append_list(b"a", [b"bc", b""])),
    ]
    assert len(set(histories)) == len(histories)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=5), st.lists(st.binary(max_size=20), max_size=5))
def test_framing_is_injective(first: list[bytes], second: list[bytes]) -> None:
    """Two lists of parts have the same bytes only if they are the same list."""
    assert (frame(*first) == frame(*second)) == (first == second)


def test_typed_items() -> None:
    """Integers, scalars and points are absorbed as their fixed-length encodings."""
    assert challenge_after(lambda t: t.append_int(b"n", 7)) == challenge_after(
        lambda t: t.append_bytes(b"n", bytes(7) + b"\x07")
    )
    assert challenge_after(lambda t: t.append_scalar(b"s", group.ONE)) == challenge_after(
        lambda t: t.append_bytes(b"s", bytes(31) + b"\x01")
    )
    assert challenge_after(lambda t: t.append_point(b"P", POINT)) == challenge_after(
        lambda t: t.append_bytes(b"P", POINT)
    )


def test_items_that_do_not_fit() -> None:
    """An integer out of bounds or a point of another length is a programming error."""
    with pytest.raises(OverflowError):
        Transcript(START).append_int(b"n", 1 << 64)
    with pytest.raises(OverflowError):
        Transcript(START).append_int(b"n", -1)
    with pytest.raises(ValueError, match="48"):
        Transcript(START).append_point(b"P", POINT[:-1])


def test_consecutive_challenges_differ() -> None:
    """A second challenge under the same label is another one."""
    transcript = Transcript(START)
    assert transcript.challenge(b"e") != transcript.challenge(b"e")


def test_fork_and_adopt() -> None:
    """A fork leaves its origin alone until the origin adopts it."""
    transcript, control = Transcript(START), Transcript(START)
    side = transcript.fork()
    side.append_bytes(b"a", b"b")
    assert int(transcript.fork().challenge(b"e")) == int(control.challenge(b"e"))
    transcript.adopt(side)
    assert transcript.challenge(b"e") == side.challenge(b"e")


class TestProverRandomness:
    def test_seed_absorbs_nothing(self) -> None:
        """Drawing a seed leaves the transcript as it was."""
        transcript = Transcript(START)
        transcript.prover_seed(b"witness", bytes(64))
        assert transcript.challenge(b"e") == Transcript(START).challenge(b"e")

    def test_seed_is_hedged(self) -> None:
        """With a generator that repeats, another statement or witness has another stream."""
        other = Transcript(START)
        other.append_bytes(b"a", b"b")
        seeds = {
            Transcript(START).prover_seed(b"w", bytes(64)),
            other.prover_seed(b"w", bytes(64)),
            Transcript(START).prover_seed(b"v", bytes(64)),
            Transcript(START).prover_seed(b"w", b"\1" * 64),
            Transcript(START).prover_seed(b"w" + bytes(64), b""),
        }
        assert len(seeds) == 5

    def test_streams_are_fresh(self) -> None:
        """Two runs on the same statement and witness share no scalar; nor do two draws."""
        first = ProverRandomness(Transcript(START), b"w")
        second = ProverRandomness(Transcript(START), b"w")
        drawn = [*first.scalars(3), *first.scalars(3), *second.scalars(6)]
        assert len({int(value) for value in drawn}) == 12

    def test_it_is_not_shown(self) -> None:
        """The stream's key does not appear in a traceback."""
        assert repr(ProverRandomness(Transcript(START), b"w")) == "ProverRandomness(redacted)"
