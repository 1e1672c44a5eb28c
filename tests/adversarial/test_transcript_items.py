"""A test for every item of the transcript: left out, something goes wrong.

The items are read off `Transcript`: a method or parameter that is added later is an item, and
fails here until it stands in one of the two lists below.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from support.forged import frozen_bundle, frozen_membership, frozen_pieces, frozen_range
from support.forgeries import all_forgeries
from support.forgetful import (
    GENERAL,
    START,
    Item,
    forgetting,
    hints,
    items,
    outcome,
    sample,
    typed_methods,
)

from proofs.transcript import Transcript

FORGED: set[Item] = {
    *frozen_range.LEFT_OUT,
    *((method, parameter) for method, parameter, _ in frozen_membership.LEFT_OUT),
    *frozen_membership.OPENING_LEFT_OUT,
    *((frozen_bundle.METHOD, parameter) for parameter in frozen_bundle.CHANGES),
    *frozen_pieces.LEFT_OUT,
    *((frozen_pieces.PART_METHOD, parameter) for parameter in frozen_pieces.PLACES),
}
"""Left out, a false statement or an exchanged one passes: the forgery is run."""

_GENERATORS = (
    "no verifier takes bases from a proof: bound so that other generators are another proof"
)
_DERIVED = "both sides compute it from the other items; one value fits the equation"
_AFTER = "nothing of its own argument comes later: it is there for the arguments that follow"
NO_FORGERY: dict[Item, str] = {
    ("bundle_statement", "schemas"): "each document's entry names its schema once more",
    ("opening_statement", "generators"): _GENERATORS,
    ("opening_response", "response"): _AFTER,
    ("range_statement", "digits"): _DERIVED,
    ("range_statement", "norm_length"): _DERIVED,
    ("range_statement", "generators"): _GENERATORS,
    ("norm_linear_end", "linear"): _AFTER,
    ("norm_linear_end", "norm"): _AFTER,
    ("membership_statement", "powers"): _DERIVED,
    ("membership_statement", "member"): "the polarities have different messages and lengths",
    ("membership_statement", "size"): _DERIVED,
    ("membership_statement", "generators"): _GENERATORS,
    ("membership_responses", "responses"): _AFTER,
    ("pieces_statement", "commitment"): "F_0 of a simulated piece fixes V, and so before x",
    ("pieces_statement", "member"): "the polarities have different messages and lengths",
    ("pieces_statement", "size"): _DERIVED,
    ("pieces_statement", "set_digest"): "the list of pieces holds all digests once more",
    ("pieces_statement", "pieces"): "the set's digest fixes them, by the size of a piece",
    ("pieces_statement", "generators"): _GENERATORS,
    ("pieces_responses", "shares"): _AFTER,
    ("pieces_responses", "responses"): _AFTER,
}
"""Left out, later challenges do not depend on it: shown below for every item. Why it is no more."""


def test_every_item_is_listed() -> None:
    """An item that is added to the transcript needs a forgery, or a reason why there is none."""
    assert set(items()) == FORGED | set(NO_FORGERY)
    assert FORGED.isdisjoint(NO_FORGERY)
    assert len(typed_methods()) + len(GENERAL) == sum(
        inspect.isfunction(each) and not name.startswith("_")
        for name, each in vars(Transcript).items()
    )


def test_every_forgery_is_registered() -> None:
    """Each list of forgeries is run by `test_algebraic_forgeries`, against both verifiers."""
    kinds = [each.kind for each in all_forgeries() if each.fooled is not None]
    counts = [
        len(frozen_range.LEFT_OUT),
        len(frozen_membership.LEFT_OUT),
        len(frozen_membership.OPENING_LEFT_OUT),
        len(frozen_bundle.CHANGES),
        len(frozen_pieces.LEFT_OUT),
        len(frozen_pieces.PLACES),
    ]
    names = ("range", "membership", "opening", "bundle", "pieces", "parts")
    for name, least in zip(names, counts, strict=True):
        assert kinds.count(f"frozen heart: {name}") >= least


def arguments(method: str, seed: int = 0) -> dict[str, Any]:
    """Arguments of the right types."""
    return {name: sample(hint, seed + i) for i, (name, hint) in enumerate(hints(method).items())}


def variants(value: Any) -> list[Any]:
    """The same value with one thing changed, in every way that its type knows."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, 0]
    if isinstance(value, bytes):
        return [sample(bytes, 77)]
    if isinstance(value, tuple):
        return [
            (*value[:i], other, *value[i + 1 :])
            for i, each in enumerate(value)
            for other in variants(each)
        ]
    changed = [
        [*value[:i], other, *value[i + 1 :]]
        for i, each in enumerate(value)
        for other in variants(each)
    ]
    return [*changed, value[::-1]]


@pytest.mark.parametrize(("method", "parameter"), items())
def test_all_later_challenges_depend_on_it_and_would_not(method: str, parameter: str) -> None:
    """Changed, it changes every challenge from then on; left out, it changes none of them."""
    honest = arguments(method)
    for variant in variants(honest[parameter]):
        changed = {**honest, parameter: variant}
        real = [outcome(Transcript(START), method, each) for each in (honest, changed)]
        assert [a == b for a, b in zip(*real, strict=True)] == [False] * len(real[0])
        kind = forgetting(method, parameter)
        careless = [outcome(kind(START), method, each) for each in (honest, changed)]
        assert careless[0] == careless[1]


@pytest.mark.parametrize("place", range(3))
def test_each_vector_of_a_membership_counts(place: int) -> None:
    """C, F and F_0 one by one."""
    method, parameter = "membership_commitments", "vectors"
    honest = arguments(method)
    changed = {**honest, parameter: [*honest[parameter]]}
    changed[parameter][place] = sample(bytes, 77)
    kind = forgetting(method, parameter, place=place)
    assert outcome(kind(START), method, honest) == outcome(kind(START), method, changed)
    real = [outcome(Transcript(START), method, each) for each in (honest, changed)]
    assert real[0] != real[1]


def test_a_missing_inverse_is_not_an_empty_one() -> None:
    """W left away and W somewhere are two histories."""
    honest = arguments("membership_commitments")
    without = {**honest, "inverse": None}
    first, second = (
        outcome(Transcript(START), "membership_commitments", each) for each in (honest, without)
    )
    assert first[0] != second[0]


@pytest.mark.parametrize("method", typed_methods())
def test_messages_do_not_pass_for_one_another(method: str) -> None:
    """No two methods absorb the same for the same arguments; not even none at all."""
    histories = {}
    for each in typed_methods():
        transcript = Transcript(START)
        outcome(transcript, each, arguments(each))
        histories[each] = int(transcript.challenge(b"what follows"))
    empty = Transcript(START)
    empty.challenge(b"what follows")
    assert histories[method] != int(empty.challenge(b"what follows"))
    assert list(histories.values()).count(histories[method]) == 1
