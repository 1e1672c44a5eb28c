"""Transcripts that misbehave at one place, to show that the place matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import pytest

from proofs import randomness
from proofs.group import Scalar
from proofs.transcript import Transcript


class RecordingTranscript(Transcript):
    """Remembers what was absorbed and drawn, in order: ("+", label) and ("?", label)."""

    __slots__ = ("events",)

    def __init__(self, label: bytes) -> None:
        super().__init__(label)
        self.events: list[tuple[str, bytes]] = []

    def fork(self) -> RecordingTranscript:
        other = super().fork()
        assert isinstance(other, RecordingTranscript)
        other.events = list(self.events)
        return other

    def adopt(self, other: Transcript) -> None:
        super().adopt(other)
        assert isinstance(other, RecordingTranscript)
        self.events = list(other.events)

    def append_bytes(self, label: bytes, data: bytes) -> None:
        super().append_bytes(label, data)
        self.events.append(("+", label))

    def challenge(self, label: bytes) -> Scalar:
        self.events.append(("?", label))
        return super().challenge(label)


class AlteringTranscript(RecordingTranscript):
    """Absorbs one item (the `occurrence`-th with this label) with a bit changed."""

    __slots__ = ("label", "occurrence")

    def __init__(self, start: bytes, *, label: bytes, occurrence: int = 0) -> None:
        super().__init__(start)
        self.label = label
        self.occurrence = occurrence

    def fork(self) -> AlteringTranscript:
        other = super().fork()
        assert isinstance(other, AlteringTranscript)
        other.label, other.occurrence = self.label, self.occurrence
        return other

    @property
    def altered(self) -> bool:
        """Whether the item was absorbed at all."""
        return self.events.count(("+", self.label)) > self.occurrence

    def append_bytes(self, label: bytes, data: bytes) -> None:
        if label == self.label and self.events.count(("+", label)) == self.occurrence:
            data = data[:-1] + bytes([data[-1] ^ 1])
        super().append_bytes(label, data)


class ScriptedTranscript(Transcript):
    """Answers chosen challenges (by label), the real ones otherwise.

    With `once`, only the first time over all forks: what a prover meets that starts again.
    """

    __slots__ = ("once", "script")

    def __init__(self, start: bytes, script: dict[bytes, Scalar], *, once: bool = False) -> None:
        super().__init__(start)
        self.script = script
        self.once = once

    def fork(self) -> ScriptedTranscript:
        other = super().fork()
        assert isinstance(other, ScriptedTranscript)
        other.script, other.once = self.script, self.once
        return other

    def challenge(self, label: bytes) -> Scalar:
        real = super().challenge(label)
        if label not in self.script:
            return real
        return self.script.pop(label) if self.once else self.script[label]


class ProgrammedTranscript(Transcript):
    """Answers the k-th challenge of a label from a list, the real one where the list has ended.

    What a simulator meets that is told all challenges first, and an extractor that runs a prover
    again from one point with another challenge there.
    """

    __slots__ = ("_drawn", "_program")

    def __init__(self, start: bytes, program: Mapping[bytes, Sequence[Scalar]]) -> None:
        super().__init__(start)
        self._program = program
        self._drawn: dict[bytes, int] = {}

    def fork(self) -> ProgrammedTranscript:
        other = super().fork()
        assert isinstance(other, ProgrammedTranscript)
        other._program, other._drawn = self._program, dict(self._drawn)
        return other

    def adopt(self, other: Transcript) -> None:
        super().adopt(other)
        assert isinstance(other, ProgrammedTranscript)
        self._drawn = dict(other._drawn)

    def challenge(self, label: bytes) -> Scalar:
        real = super().challenge(label)
        number = self._drawn.get(label, 0)
        self._drawn[label] = number + 1
        answers = self._program.get(label, ())
        return answers[number] if number < len(answers) else real


def repeat_randomness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provers draw the same from here on, wherever their history and witness are the same.

    A prover that is run again then differs from its first run from the changed challenge on.
    Only the provers' own generator: weights of a verification stay random.
    """
    monkeypatch.setattr(randomness, "secrets", SimpleNamespace(token_bytes=bytes))
