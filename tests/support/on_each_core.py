"""Proofs with fixed randomness, printed: run under each core, to be compared byte for byte.

`python -m support.on_each_core` from `tests`, with `CROSSPROOF_CORE` set.
"""

from __future__ import annotations

import itertools
import json
import secrets
import sys

from proofs import equation, group, membership, opening, pedersen, range_proof
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

LABEL = b"crossproof/test/v1"


def ranges() -> bytes:
    """Two 32-bit ranges in one proof."""
    values, blindings = [5, 2**32 - 1], [group.scalar(3), group.scalar(group.ORDER - 4)]
    pairs = zip(map(group.scalar, values), blindings, strict=True)
    points = pedersen.commit_many(pairs)
    encodings = [group.encode_point(point) for point in points]
    proof = range_proof.prove_ranges(Transcript(LABEL), values, blindings, encodings, digits=8)
    equation.check(
        [range_proof.verify_ranges(Transcript(LABEL), points, encodings, proof, digits=8)]
    )
    return proof


def in_set(*, member: bool) -> bytes:
    """A member of a set of 16, or not."""
    members = ScalarSet.from_scalars([group.scalar(i) for i in range(16)], LABEL)
    value, blinding = group.scalar(5 if member else 55), group.scalar(9)
    point = pedersen.commit(value, blinding)
    encoding = group.encode_point(point)
    proof = membership.prove_membership(
        Transcript(LABEL), value, blinding, encoding, members, member=member
    )
    equation.check(
        membership.verify_membership(
            Transcript(LABEL), point, encoding, members, proof, member=member
        )
    )
    return proof


def opened() -> bytes:
    """A commitment whose value is shown."""
    value, blinding = group.scalar(7), group.scalar(8)
    point = pedersen.commit(value, blinding)
    encoding = group.encode_point(point)
    proof = opening.prove_opening(Transcript(LABEL), value, blinding, encoding)
    equation.check([opening.verify_opening(Transcript(LABEL), value, point, encoding, proof)])
    return proof


def made() -> dict[str, str]:
    """Every kind of proof, in hex."""
    counter = itertools.count(1)
    before = secrets.token_bytes
    secrets.token_bytes = lambda count=None: bytes([next(counter) % 251]) * (count or 32)
    try:
        proofs = {
            "ranges": ranges(),
            "member": in_set(member=True),
            "not a member": in_set(member=False),
            "opening": opened(),
        }
    finally:
        secrets.token_bytes = before
    return {name: proof.hex() for name, proof in proofs.items()}


if __name__ == "__main__":
    json.dump({"core": group.CORE, "modules": sorted(sys.modules), "proofs": made()}, sys.stdout)
