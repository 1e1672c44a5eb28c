"""Points of the curve outside the prime-order subgroup, of a known small order."""

from __future__ import annotations

from proofs import group
from proofs.errors import EncodingError
from proofs.group import Point

# The curve has COFACTOR·ORDER points. The cofactor is 3·(11·10177·859267·52437899)², and for
# every prime but 3 that part of the group is a square of a cyclic one, so clearing with
# COFACTOR_H = 3·11·10177·859267·52437899 is enough.
COFACTOR = 0x396C8C005555E1568C00AAAB0000AAAB


def times(point: Point, factor: int) -> Point:
    """factor·point on the whole curve, by doubling and adding with the library's `+` alone."""
    result = group.IDENTITY
    for bit in bin(factor)[2:]:
        result = result + result
        if bit == "1":
            result = result + point
    return result


def torsion_point(order: int) -> Point:
    """A point of order 3 or 11."""
    part = {3: COFACTOR // 3, 11: COFACTOR // 121}[order]
    x = 1
    while True:
        x += 1
        try:
            point = group.decode_proof_point((0x80 << 376 | x).to_bytes(48, "big"))
        except EncodingError:
            continue
        candidate = times(times(point, group.ORDER), part)
        if candidate != group.IDENTITY:
            return candidate
