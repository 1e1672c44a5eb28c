"""How this verifier says no: a step of the procedure, a class, a reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MalformedError(Exception):
    """Bytes or texts that are not what they should be; the caller knows at which step."""


class Refused(Exception):  # noqa: N818 - a verdict, no mishap
    """A bundle is not believed: at which `step` (0 before the first), the class, and why."""

    def __init__(self, step: int, kind: str, reason: str) -> None:
        super().__init__(f"step {step}, {kind}: {reason}")
        self.step = step
        self.kind = kind
        self.reason = reason


def need(condition: bool, step: int, kind: str, reason: str) -> None:
    """Refuses unless the condition holds."""
    if not condition:
        raise Refused(step, kind, reason)


def well_formed(condition: bool, reason: str) -> None:
    """Calls the input malformed unless the condition holds."""
    if not condition:
        raise MalformedError(reason)


@contextmanager
def malformed_is(step: int, kind: str) -> Iterator[None]:
    """Gives what is malformed the step and class of where it was found."""
    try:
        yield
    except MalformedError as error:
        raise Refused(step, kind, str(error)) from error
