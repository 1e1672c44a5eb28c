"""Which serials a custodian has signed manifests under, on its own disk.

A serial is noted here before anything is signed with it. So a vault that forgot its register, or
that was made to, cannot have the custodian sign a second list under a number that is taken: two
investors could then be shown two lists, and neither serial would tell which came last. Nor can it
have a list proven about that this machine has signed a later one of.

One line a manifest, canonical JSON, appended and synced. A line that a crash or a full disk cut
short is dropped: nothing was signed yet.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proofs import canonical
from proofs.canonical import Fields
from proofs.errors import CrossproofError
from proofs.manifest import MAX_SERIAL, Manifest
from proofs.selection import Period, read_period, write_period
from vault.errors import ConflictError, InvalidInputError, UnavailableError
from vault.files import sync_folder
from vault.identity import Identity

FOLDER: Final = "manifests"
_JOURNAL: Final = "serials.journal"
_LINE: Final = 4096

Key = tuple[str, Period]


@dataclass(frozen=True, slots=True)
class _Noted:
    """One line."""

    spv: str
    period: Period
    schema: str
    serial: int
    digest: str

    @classmethod
    def of(cls, manifest: Manifest) -> _Noted:
        """What is noted of a manifest."""
        return cls(manifest.spv, manifest.period, manifest.schema, manifest.serial, manifest.digest)


class SerialJournal:
    """The serials of one identity. Use `open_serials`, which keeps other processes away."""

    def __init__(self, path: Path) -> None:
        """Read the journal. Raises InvalidInputError for a file that is none."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "rb+", buffering=0)
        # Else a power cut could take the file away with what is synced in it.
        sync_folder(path.parent)
        data = self._file.read() or b""
        self._length = data.rfind(b"\n") + 1
        if self._length != len(data):
            self._file.truncate(self._length)
        self._last: dict[Key, tuple[int, str]] = {}
        try:
            for noted in _lines(data, path):
                self._note(noted)
        except InvalidInputError:
            self.close()
            raise

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
                "schema": manifest.schema,
                "serial": manifest.serial,
                "spv": manifest.spv,
            }
        )
        self._append(line + b"\n")
        self._note(_Noted.of(manifest))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, line: bytes) -> None:
        written = self._file.write(line)
        if written != len(line):
            # A nearly full disk takes the beginning, and says so in no other way.
            self._file.truncate(self._length)
            raise UnavailableError("no room to note the serial: nothing was signed")
        os.fsync(self._file.fileno())
        self._length += len(line)

    def _note(self, noted: _Noted) -> None:
        key = (noted.spv, noted.period)
        if noted.serial > self._last.get(key, (0, ""))[0]:
            self._last[key] = (noted.serial, noted.digest)


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


def require_last(identity: Identity, manifest: Manifest) -> None:
    """ConflictError for a manifest that this machine has signed a later one of.

    A vault that forgot its register, or says so, would prove over either.
    """
    path = identity.folder / FOLDER / _JOURNAL
    if not path.exists():
        return
    about = (manifest.spv, manifest.period, manifest.schema)
    later = max(
        (
            noted.serial
            for noted in _lines(path.read_bytes(), path)
            if (noted.spv, noted.period, noted.schema) == about
        ),
        default=0,
    )
    if later > manifest.serial:
        raise ConflictError(
            f"the manifest has serial {manifest.serial}; you signed serial {later} for this SPV, "
            f"period and schema: use that one",
            reason="MANIFEST_REPLACED",
        )


def _lines(data: bytes, path: Path) -> list[_Noted]:
    """The whole lines of a journal; InvalidInputError for what is none."""
    found: list[_Noted] = []
    for line in data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]:
        try:
            fields = Fields(canonical.parse(line, limit=_LINE, where="serial"), "serial")
            noted = _Noted(
                spv=fields.text("spv", 500),
                period=read_period(fields.object("period")),
                schema=fields.hex("schema", 32),
                serial=fields.integer("serial", 1, MAX_SERIAL),
                digest=fields.hex("digest", 32),
            )
            fields.end()
        except CrossproofError as error:
            raise InvalidInputError(f"{path}: is no journal of serials ({error})") from None
        found.append(noted)
    return found
