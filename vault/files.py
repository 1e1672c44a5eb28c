"""Reading and writing the small files of a site: private keys, pinned files, settings.

A private file is one that its owner alone can read; any other is refused, since a key that
others could have read is no longer a key. Links are refused in the place of a private file: the
mode of a link says nothing about what it points at. Writes replace a file whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from vault.errors import ConflictError, InvalidInputError, NotFoundError

MAX_FILE: Final = 4 << 20


def read_public(path: Path, *, limit: int = MAX_FILE) -> bytes:
    """The bytes of a file of at most `limit`; NotFoundError or InvalidInputError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such file") from None
    if len(data) > limit:
        raise InvalidInputError(f"{path}: more than {limit} bytes")
    return data


def read_private(path: Path, *, limit: int = 64 << 10) -> bytes:
    """The bytes of a private file of at most `limit`.

    Raises InvalidInputError when others may read or write it, when somebody else owns it, or
    when it is a link or no plain file. The open file is judged, not its name: between a look at
    the name and the opening, the file could be exchanged.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such file") from None
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise InvalidInputError(f"{path}: a private key must be a plain file")
        if state.st_mode & 0o077:
            raise InvalidInputError(
                f"{path}: others can read this private key (mode {state.st_mode & 0o777:04o}); "
                f"run chmod 600 on it, and replace it if anyone else could log in here",
                reason="KEY_READABLE",
            )
        if state.st_uid not in (os.geteuid(), 0):
            raise InvalidInputError(
                f"{path}: this private key belongs to another user", reason="KEY_READABLE"
            )
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InvalidInputError(f"{path}: more than {limit} bytes")
    return data


def write_private(path: Path, data: bytes) -> None:
    """Create or replace a file of mode 0600, whole and synced."""
    _write(path, data, 0o600)


def write_public(path: Path, data: bytes) -> None:
    """Create or replace a file of mode 0644, whole and synced."""
    _write(path, data, 0o644)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk; a file that is synced can still lose its own."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_private_folder(path: Path) -> None:
    """Make a folder of mode 0700; ConflictError when it is there already."""
    try:
        path.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise ConflictError(f"{path}: is there already") from None


def _write(path: Path, data: bytes, mode: int) -> None:
    # Opened with its final mode: a chmod afterwards would leave a moment to read it in.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
