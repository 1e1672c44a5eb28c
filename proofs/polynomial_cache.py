"""Where a set's polynomial comes from: a file, a set much like it, or its members.

A file of an earlier run is believed only when it is of exact length and canonical form and agrees
with the product of (X - member) at a fresh random point; else it is ignored and written anew.
What is derived from another version of the set, by multiplying in the members that came and
dividing out those that left, is compared in the same way. So a damaged or planted file, and a
neighbour that is none, cost time and never change a verdict. It refuses nothing: in the end the
polynomial is built.

SPEC.md, "Sets".
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from flint import fmpz

from proofs import group
from proofs.group import ORDER
from proofs.set_polynomial import SetPolynomial, agrees, from_roots

CACHE_VARIABLE: Final = "CROSSPROOF_CACHE"
MOST_CHANGES: Final = 256
"""Members that differ between two versions; past some hundreds, building costs no more."""

MOST_BYTES: Final = 1 << 30
"""Of all files in a cache: 32 versions of a set of 2^20 members."""

_MAGIC: Final = b"crossproof/set-polynomial/v1\n"


class Neighbour(Protocol):
    """A set that may differ little from the one whose polynomial is wanted."""

    @property
    def encodings(self) -> Sequence[bytes]:
        """The members, 32 bytes each."""

    def ready_polynomial(self) -> SetPolynomial | None:
        """The polynomial, if it is at hand or in the cache; never built for this."""


def load_or_build(
    members: Sequence[bytes],
    digest: bytes,
    directory: Path | None,
    *,
    near: Callable[[], Iterable[Neighbour]] = tuple,
) -> SetPolynomial:
    """The polynomial of these members (32 bytes each), by the cheapest way there is.

    `digest` is the set's and names the file in `directory` (default: $CROSSPROOF_CACHE, or no
    file). `near` is asked for neighbours when there is no good file. A cache that cannot be read
    or written is no error.
    """
    found = load(members, digest, directory)
    if found is not None:
        return found
    found = _derive(members, near()) or from_roots(members)
    path = _path(digest, directory)
    if path is not None:
        with contextlib.suppress(OSError):
            _store(path, found.coefficients)
            _make_room(path.parent)
    return found


def load(members: Sequence[bytes], digest: bytes, directory: Path | None) -> SetPolynomial | None:
    """The cached polynomial, or None unless it is surely the right one."""
    path = _path(digest, directory)
    if path is None:
        return None
    expected = len(_MAGIC) + 32 * len(members)
    try:
        if not path.is_file():  # opening a planted pipe would wait for ever
            return None
        with path.open("rb") as file:
            data = file.read(expected + 1)  # bounded, and a longer file is seen to be longer
    except OSError:
        return None
    if len(data) != expected or not data.startswith(_MAGIC):
        return None
    integers = [int.from_bytes(data[k : k + 32], "big") for k in range(len(_MAGIC), expected, 32)]
    if max(integers) >= ORDER:
        return None
    coefficients = [*map(fmpz, integers), fmpz(1)]
    if not agrees(coefficients, members):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the files used last are kept longest
    return SetPolynomial(coefficients)


def _path(digest: bytes, directory: Path | None) -> Path | None:
    if directory is None and (named := os.environ.get(CACHE_VARIABLE)):
        directory = Path(named)
    return None if directory is None else directory / f"{digest.hex()}.poly"


def _derive(members: Sequence[bytes], near: Iterable[Neighbour]) -> SetPolynomial | None:
    """From the first neighbour with a polynomial ready and few members that differ."""
    wanted = set(members)
    for neighbour in near:
        theirs = set(neighbour.encodings)
        added, removed = wanted - theirs, theirs - wanted
        if len(added) + len(removed) > MOST_CHANGES:
            continue
        ready = neighbour.ready_polynomial()
        if ready is None:
            continue
        with contextlib.suppress(ValueError):  # of a neighbour whose polynomial is another's
            found = ready.changed(
                list(map(group.decode_scalar, added)), list(map(group.decode_scalar, removed))
            )
            if agrees(found.coefficients, members):
                return found
    return None


def _store(path: Path, coefficients: Sequence[fmpz]) -> None:
    """Write all but the leading coefficient, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b"".join([int(coefficient).to_bytes(32, "big") for coefficient in coefficients[:-1]])
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + data)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _make_room(directory: Path) -> None:
    """Remove the files that were not used for longest while there are too many bytes of them.

    A list that is signed every day leaves a file of every day, and of every piece.
    """
    files = [(path.stat(), path) for path in directory.glob("[0-9a-f]*.poly")]
    total = sum(state.st_size for state, _ in files)
    for state, path in sorted(files, key=lambda each: (each[0].st_mtime_ns, each[1].name)):
        if total <= MOST_BYTES:
            return
        path.unlink()
        total -= state.st_size
