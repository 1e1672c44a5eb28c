"""Every single-bit change of a bundle, and whether each is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from proofs.errors import CrossproofError


def flip_all(
    bundle: bytes, check: Callable[[bytes], object], bits: Iterable[int] | None = None
) -> Counter[str]:
    """Flip one bit at a time and check the result; how many were refused for which reason.

    Args:
        bundle: a bundle that `check` accepts.
        check: verifies bytes and raises CrossproofError to refuse; trust and sets are its own.
        bits: which bits (8 times the byte, plus 0 to 7), or all of them.

    Raises:
        AssertionError: a changed bundle was accepted, naming the bit. Any other exception that
            `check` raises is let through, for it would be a traceback at the command.
    """
    check(bundle)
    refused: Counter[str] = Counter()
    changed = bytearray(bundle)
    for bit in range(8 * len(bundle)) if bits is None else bits:
        changed[bit // 8] ^= 1 << bit % 8
        try:
            check(bytes(changed))
        except CrossproofError as error:
            refused[error.reason] += 1
        else:
            raise AssertionError(f"bit {bit % 8} of byte {bit // 8} changed, and accepted")
        changed[bit // 8] ^= 1 << bit % 8
    return refused
