"""Transcripts with one fault: an item that is never absorbed, or a challenge that is a constant.

The items are read off `Transcript` itself: every parameter of every method that is not one of the
few general ones. A new method, or a new parameter, is therefore an item without being named here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_args, get_origin, get_type_hints

from proofs import claims, group, parts
from proofs.group import Scalar
from proofs.transcript import Transcript
from support.transcripts import ScriptedTranscript

Item = tuple[str, str]
"""A method of the transcript and one of its parameters."""

Start = Callable[[], Transcript]

GENERAL = {
    "adopt",
    "append_bytes",
    "append_int",
    "append_list",
    "append_point",
    "append_scalar",
    "challenge",
    "fork",
    "prover_seed",
    "seed",
}
START = b"crossproof/test/v1"


def typed_methods() -> list[str]:
    """One method for each message of an argument."""
    return [
        name
        for name, found in vars(Transcript).items()
        if inspect.isfunction(found) and not name.startswith("_") and name not in GENERAL
    ]


def items() -> list[Item]:
    """Everything that is absorbed: method and parameter."""
    return [
        (method, parameter)
        for method in typed_methods()
        for parameter in list(inspect.signature(getattr(Transcript, method)).parameters)[1:]
    ]


def sample(hint: Any, seed: int = 0) -> Any:
    """A value of a parameter's type; other seeds give others. Bytes are always a point's."""
    if hint is int:
        return 40 + seed
    if hint is bool:
        return seed % 2 == 0
    if hint is bytes:
        return group.encode_point(group.hash_to_point(b"forgetful", bytes([seed])))
    arguments = get_args(hint)
    if type(None) in arguments:
        return sample(next(each for each in arguments if each is not type(None)), seed)
    if get_origin(hint) is tuple:
        return tuple(sample(each, seed + i) for i, each in enumerate(arguments))
    # A sequence. Three entries, as the membership argument's vectors have.
    return [sample(arguments[0], seed + 10 * i) for i in range(3)]


def hints(method: str) -> dict[str, Any]:
    """The types of a method's parameters."""
    found = get_type_hints(getattr(Transcript, method))
    found.pop("return", None)
    return found


def _nothing(parameter: str, hint: Any, value: Any, place: int | None) -> Any:
    """What is absorbed in the place of a forgotten value: a constant that says nothing of it."""
    if place is not None:
        return [sample(bytes) if i == place else each for i, each in enumerate(value)]
    if parameter == "vectors":  # C, F and F_0: another number of them is an error
        return [sample(bytes)] * 3
    if hint in (int, bool):
        return hint()
    if hint is bytes:
        return sample(bytes)
    if type(None) in get_args(hint):
        return None
    return []


def forgetting(method: str, *parameters: str, place: int | None = None) -> type[Transcript]:
    """Transcripts whose `method` absorbs constants for these parameters.

    With `place`, only that entry of a list is forgotten.
    """
    original = getattr(Transcript, method)
    signature, types = inspect.signature(original), hints(method)

    def forgetful(self: Transcript, *args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(self, *args, **kwargs)
        for parameter in parameters:
            value = bound.arguments[parameter]
            bound.arguments[parameter] = _nothing(parameter, types[parameter], value, place)
        return original(*bound.args, **bound.kwargs)

    return type("Forgetful", (Transcript,), {"__slots__": (), method: forgetful})


def starting(kind: type[Transcript]) -> Start:
    """Makes transcripts of this kind, as an argument alone starts them."""
    return lambda: kind(START)


def knowing(**challenges: int) -> Start:
    """Makes transcripts that answer these constants, by label: known before anything is sent."""
    script = {label.encode(): group.scalar(value) for label, value in challenges.items()}
    return lambda: ScriptedTranscript(START, script)


@contextmanager
def verifying_with(kind: type[Transcript]) -> Iterator[None]:
    """Bundles are proven and verified with this kind of transcript meanwhile."""
    users: tuple[Any, ...] = (claims, parts)
    for each in users:
        each.Transcript = kind
    try:
        yield
    finally:
        for each in users:
            each.Transcript = Transcript


def outcome(transcript: Transcript, method: str, arguments: dict[str, Any]) -> list[Scalar]:
    """The challenges that a message gives, and the one that follows it."""
    given = getattr(transcript, method)(**arguments)
    challenges = [] if given is None else list(given) if isinstance(given, tuple) else [given]
    return [*challenges, transcript.challenge(b"what follows")]
