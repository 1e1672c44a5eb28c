"""The argument that a commitment opens to a value that is shown (section "Opening argument")."""

from __future__ import annotations

from independent.second_verifier.curve import (
    POINT,
    SCALAR,
    Equation,
    Point,
    generators_digest,
    point,
    scalar,
    scalar_bytes,
)
from independent.second_verifier.refusal import Refused
from independent.second_verifier.transcript import Transcript

SIZE = POINT + SCALAR


def equation(
    transcript: Transcript, proof: bytes, value: int, V: Point, encoded: bytes
) -> Equation:
    """A + c(V − vG) − sH."""
    transcript.absorb("argument", b"crossproof/opening/v1")
    transcript.absorb("generators", generators_digest(("G", "H")))
    transcript.absorb("value", scalar_bytes(value))
    transcript.absorb("V", encoded)
    A, s = point(proof[:POINT]), scalar(proof[POINT:])
    transcript.absorb("A", proof[:POINT])
    c = transcript.challenge("c")
    if c == 0:
        raise Refused(9, "PROOF", "a challenge that is zero")
    transcript.absorb("s", proof[POINT:])
    found = Equation()
    found.add(1, A)
    found.add(c, V)
    found.add_named(-c * value, "G")
    found.add_named(-s, "H")
    return found
