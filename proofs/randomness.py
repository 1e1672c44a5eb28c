"""A prover's secret scalars: fresh from the system, hedged with the statement and the witness.

Two proofs that share their randomness and differ in a challenge give the witness away. So the
stream of one proof comes from 64 new bytes of the system's generator, the transcript up to here
and the witness together: should the generator repeat itself (a restored snapshot, a forked
process), another statement or another witness still gets another stream. A stream serves one
proof and is never seeded by the caller.
"""

from __future__ import annotations

import hashlib
import secrets

from proofs import group
from proofs.group import Scalar
from proofs.transcript import Transcript


class ProverRandomness:
    """Uniform scalars for one run of one prover."""

    __slots__ = ("_counter", "_key")

    def __init__(self, transcript: Transcript, witness: bytes) -> None:
        self._key = transcript.prover_seed(witness, secrets.token_bytes(64))
        self._counter = 0

    def scalars(self, count: int) -> list[Scalar]:
        """The next `count` uniform field elements; no two calls overlap."""
        block = self._key + self._counter.to_bytes(8, "big")
        self._counter += 1
        stream = hashlib.shake_256(block).digest(64 * count)
        return [
            group.scalar_from_uniform(stream[start : start + 64])
            for start in range(0, 64 * count, 64)
        ]

    def __repr__(self) -> str:
        return "ProverRandomness(redacted)"
