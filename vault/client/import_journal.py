"""What makes an import resumable: a request id that a row has for ever, and a list of what is done.

A row's request id depends on what it attests (schema, asset, days, values) and on how many rows
with exactly that came before it in the table. So the same table, the table with its refused rows
mended, and the table in another order give each document the id that it had, and the vault, which
commits a request id once, is what excludes a second copy. The journal only saves the asking: a
row that it lists was committed, and one that it lacks may have been.

The id is a MAC under a key of this identity folder. A plain digest of a row would let everyone
who sees the vault's catalogue test guesses of what the row says.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from proofs import canonical
from proofs.labels import frame
from vault.client.mapping import RowDocument
from vault.errors import ConflictError, InvalidInputError, NotFoundError
from vault.files import read_private, write_private
from vault.identity import Identity

FOLDER: Final = "imports"
_KEY: Final = "request-key.bin"
_LOCK: Final = "lock"
_LABEL: Final = b"crossvault/import-row/v1"
_ID_BYTES: Final = 16
_LINE: Final = 2 * _ID_BYTES + 1


class RequestIds:
    """Gives the rows of one pass over one table their request ids, in the table's order."""

    def __init__(self, identity: Identity, schema_digest: str) -> None:
        self._key = _key(identity)
        self._schema = schema_digest
        self._seen: Counter[bytes] = Counter()

    def next(self, row: RowDocument) -> str:
        """The request id of the next row."""
        content = canonical.dump(
            {
                "as_of": [row.as_of.first.isoformat(), row.as_of.last.isoformat()],
                "asset": row.asset,
                "schema": self._schema,
                "valid_until": canonical.format_instant(row.valid_until),
                "values": {
                    name: str(value) for name, value in row.values.items() if value is not None
                },
            }
        )
        base = self._mac(content)
        before = self._seen[base]
        self._seen[base] += 1
        return self._mac(base + before.to_bytes(8, "big")).hex()

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, frame(_LABEL, data), "sha256")[:_ID_BYTES]


class ImportJournal:
    """The request ids of one schema's rows that are known to be committed, on this disk.

    Lines of 32 hex digits, appended and synced. A line that a crash cut short is dropped: what
    it would have listed is asked for again.
    """

    def __init__(self, identity: Identity, schema_digest: str) -> None:
        """Read the journal. Raises InvalidInputError for a file that is none."""
        self._path = identity.folder / FOLDER / f"{schema_digest}.journal"
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(self._path, flags, 0o600), "rb+", buffering=0)
        data = self._file.read() or b""
        whole = len(data) - len(data) % _LINE
        if whole != len(data):
            self._file.truncate(whole)
        lines = data[:whole].split(b"\n")[:-1]
        try:
            self._done = {bytes.fromhex(line.decode("ascii")) for line in lines}
        except ValueError:
            raise InvalidInputError(f"{self._path}: is no journal of an import") from None
        if any(len(done) != _ID_BYTES for done in self._done):
            raise InvalidInputError(f"{self._path}: is no journal of an import")

    def __contains__(self, request_id: str) -> bool:
        return bytes.fromhex(request_id) in self._done

    def add(self, request_ids: Iterable[str]) -> None:
        """Note what was committed; on the disk when this returns."""
        new = [each for each in request_ids if each not in self]
        if new:
            self._file.write("".join(f"{each}\n" for each in new).encode("ascii"))
            os.fsync(self._file.fileno())
            self._done.update(bytes.fromhex(each) for each in new)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def only_import(identity: Identity) -> Iterator[None]:
    """Keep other imports of this identity away; ConflictError when one is running."""
    folder = identity.folder / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            # The system lifts it when the process ends, however it ends.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(f"another import is running as {identity.uri}") from None
        yield
    finally:
        os.close(descriptor)


def _key(identity: Identity) -> bytes:
    path = identity.folder / FOLDER / _KEY
    try:
        key = read_private(path)
    except NotFoundError:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(path, secrets.token_bytes(32))
        key = read_private(path)
    if len(key) != 32:
        raise InvalidInputError(f"{path}: must be 32 bytes")
    return key
