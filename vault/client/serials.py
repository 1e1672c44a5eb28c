"""Which serials a custodian has signed manifests under, on its own disk.

A serial is noted here before anything is signed with it. So a vault that forgot its register, or
that was made to, cannot have the custodian sign a second list under a number that is taken: two
investors could then be shown two lists, and neither serial would tell which came last.

One line a manifest, canonical JSON, appended and synced. A line that a crash cut short is dropped:
nothing was signed yet.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from proofs import canonical
from proofs.canonical import Fields
from proofs.errors import CrossproofError
from proofs.manifest import MAX_SERIAL, Manifest
from proofs.selection import Period, read_period, write_period
from vault.errors import ConflictError, InvalidInputError
from vault.identity import Identity

FOLDER: Final = "manifests"
_JOURNAL: Final = "serials.journal"
_LINE: Final = 4096

Key = tuple[str, Period]


class SerialJournal:
    """The serials of one identity. Use `open_serials`, which keeps other processes away."""

    def __init__(self, path: Path) -> None:
        """Read the journal. Raises InvalidInputError for a file that is none."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "rb+", buffering=0)
        data = self._file.read() or b""
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            self._file.truncate(whole)
        self._last: dict[Key, tuple[int, str]] = {}
        for line in data[:whole].split(b"\n")[:-1]:
            try:
                key, serial, digest = _read(line)
            except CrossproofError as error:
                raise InvalidInputError(f"{path}: is no journal of serials ({error})") from None
            self._note(key, serial, digest)

    def last(self, spv: str, period: Period) -> int:
        """The highest serial that was noted for an SPV and a period, 0 for none."""
        return self._last.get((spv, period), (0, ""))[0]

    def add(self, manifest: Manifest) -> None:
        """Note what is about to be signed; on the disk when this returns.

        The same manifest again changes nothing. Raises ConflictError for another one whose serial
        is not above the last.
        """
        last, digest = self._last.get((manifest.spv, manifest.period), (0, ""))
        if (manifest.serial, manifest.digest) == (last, digest):
            return
        if manifest.serial <= last:
            raise ConflictError(
                f"serial {last} is signed already for this SPV and period; {manifest.serial} is "
                f"not higher",
                reason="SERIAL_NOT_HIGHER",
            )
        line = canonical.dump(
            {
                "digest": manifest.digest,
                "period": write_period(manifest.period),
                "serial": manifest.serial,
                "spv": manifest.spv,
            }
        )
        self._file.write(line + b"\n")
        os.fsync(self._file.fileno())
        self._note((manifest.spv, manifest.period), manifest.serial, manifest.digest)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _note(self, key: Key, serial: int, digest: str) -> None:
        if serial > self._last.get(key, (0, ""))[0]:
            self._last[key] = (serial, digest)


@contextmanager
def open_serials(identity: Identity) -> Iterator[SerialJournal]:
    """The journal of an identity, for this process alone; ConflictError when another has it."""
    folder = identity.folder / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            # The system lifts it when the process ends, however it ends.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(f"another manifest is being signed as {identity.uri}") from None
        journal = SerialJournal(folder / _JOURNAL)
        try:
            yield journal
        finally:
            journal.close()
    finally:
        os.close(descriptor)


def _read(line: bytes) -> tuple[Key, int, str]:
    fields = Fields(canonical.parse(line, limit=_LINE, where="serial"), "serial")
    key = fields.text("spv", 500), read_period(fields.object("period"))
    serial, digest = fields.integer("serial", 1, MAX_SERIAL), fields.hex("digest", 32)
    fields.end()
    return key, serial, digest
