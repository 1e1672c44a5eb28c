"""Seeded fuzzing of readers of untrusted bytes: what is changed, what may come of it.

A reader takes bytes and either refuses them by an error of our own or gives back the one spelling
of what it read. Anything else is a finding: another exception (a traceback for a stranger, or the
end of a process), or a second spelling that was accepted.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from proofs.errors import CrossproofError
from support.json_mutations import compact, mutate, nudged_text, spell
from vault.errors import VaultError

Kind = Literal["json", "text", "binary"]

TOKENS = (
    *(b"", b"\x00", b"\n", b"\r\n", b"\r", b"\t", b'"', b'""', b"'", b",", b";", b"=", b"[", b"]"),
    *(
        b"{",
        b"}",
        b"[[x]]",
        b"#",
        b"\\",
        b"\\u0000",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xff",
        b"\xc0",
    ),
    *("\u202e".encode(), "é".encode(), "\u3000".encode(), "１２".encode(), "张".encode()),
    *(b"\xed\xa0\x80", b"0", b"-0", b"1e400", b"NaN", b"Infinity", b"-", b"..", b"%", b"@", b"()"),
    *(b" in ", b" not in ", b" and ", b">=", b"<=", b"true", b"null", b"9" * 400, b"{x}", b"{{"),
    *(b"9999-12-31", b"0000-00-00", b"2026-02-29", b"1979-05-27T07:32:00-08:00", b"a" * 5000),
)

DEEP = 10_000
NASTY = (
    *(b"", b"\x00", b"\xef\xbb\xbf", b"\xff\xff", b"null", b"[]", b"{}", b'""', b"NaN", b"1e400"),
    *(b"[" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP, b"(" * DEEP, b"a=" + b"[" * DEEP),
    *(b"9" * 100_000, b'{"a":' + b"9" * 100_000 + b"}", b'{"a":1,"a":2}', b"[1.0]", b"-0"),
    *(b'"' + b"\\u0061" * 50_000 + b'"', b'"\\ud800"', b'"' + b'\\"' * 50_000, b"[]," * 100_000),
    *(b"\x81" * DEEP, b"\xa1\x61a" * DEEP, b"\x9b" + b"\xff" * 8, b"\xd8\x2a" * DEEP),
    *(
        b"a.b=1\n" * 3000,
        b"[a]\n" * 3000,
        b"a" + b".a" * DEEP + b"=1",
        b'"' * 50_001,
        b"," * 100_000,
    ),
)
"""What a stranger sends first: depth, length, numbers without end, other encodings."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader of untrusted bytes and valid inputs for it.

    `read` gives back the spelling of what it read where there is only one, and None where a
    person writes the input and many spellings are right.
    """

    name: str
    kind: Kind
    seeds: Sequence[bytes]
    read: Callable[[bytes], bytes | None]

    def try_one(self, data: bytes) -> str:
        """`accepted`, or the reason of the refusal; AssertionError for a second spelling.

        Every exception that is not ours is let through.
        """
        try:
            again = self.read(data)
        except (CrossproofError, VaultError) as error:
            return error.reason
        assert again is None or again == data, f"{self.name}: a second spelling was accepted"
        return "accepted"


@dataclass
class Tally:
    """What came of many inputs: outcomes, findings, and the processor time of the slowest."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[str, bytes]] = field(default_factory=list)
    slowest: float = 0.0

    def add(self, other: Tally) -> None:
        """Take in another tally."""
        self.outcomes += other.outcomes
        self.findings += other.findings
        self.slowest = max(self.slowest, other.slowest)


def fuzz(reader: Reader, rng: random.Random, count: int) -> Tally:
    """Try so many changed inputs; findings are kept and do not end the run."""
    tally = Tally()
    for _ in range(count):
        data = changed(reader, rng)
        start = time.process_time()
        try:
            tally.outcomes[reader.try_one(data)] += 1
        except Exception as error:  # a finding is what this looks for
            tally.outcomes["FINDING"] += 1
            tally.findings.append((f"{reader.name}: {type(error).__name__}: {error}", data))
        tally.slowest = max(tally.slowest, time.process_time() - start)
    return tally


def changed(reader: Reader, rng: random.Random) -> bytes:
    """One input: a valid one changed in one to three places, or a nasty one."""
    if rng.random() < 0.02:
        return rng.choice(NASTY)
    data = rng.choice(reader.seeds)
    if reader.kind == "json" and rng.random() < 0.7:
        return _changed_tree(data, rng.choice(reader.seeds), rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if reader.kind == "text" and rng.random() < 0.7:
            data = _changed_text(data, rng)
        else:
            data = _changed_bytes(data, rng.choice(reader.seeds), rng)
    return data


def _changed_tree(data: bytes, donor: bytes, rng: random.Random) -> bytes:
    tree = json.loads(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        tree = mutate(tree, rng, json.loads(donor), plausible=rng.random() < 0.5)
    return compact(tree) if rng.random() < 0.9 else spell(tree, rng)


def _changed_text(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(rng.randrange(len(lines) + 1), lines[place])
    elif kind == 2:
        other = rng.randrange(len(lines))
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == 3:
        lines[place] = nudged_text(lines[place].decode(errors="replace"), rng).encode()
    else:
        line, at = lines[place], rng.randrange(len(lines[place]) + 1)
        skipped = rng.choice((0, 0, 1, 3))
        lines[place] = line[:at] + rng.choice(TOKENS) + line[at + skipped :]
    return b"\n".join(lines)


def _changed_bytes(data: bytes, donor: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    size = rng.choice((1, 1, 2, 4, 8, 32, 100))
    kind = rng.randrange(7)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + data[at + size :]
    if kind == 2:
        return data[:at] + data[at : at + size] * 2 + data[at + size :]
    if kind == 3:
        return data[:at] + rng.randbytes(size) + data[at + size :]
    if kind == 4:
        start = rng.randrange(len(donor) + 1)
        return data[:at] + donor[start : start + size] + data[at + size :]
    if kind == 5:
        return data[:at] + rng.choice(TOKENS) + data[at:]
    one = bytearray(data or b"\x00")
    one[at % len(one)] ^= 1 << rng.randrange(8)
    return bytes(one)
